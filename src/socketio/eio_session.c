/* eio_session.c - one Engine.IO session: its transports, heartbeat and queue. */
#include "socketio/eio_session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "socketio/eio_server.h"

#include <assert.h>
#include <string.h>

#define CLOSE_FLUSH_MS 2000 /* for a WebSocket that is choked when it is closed */
#define CLOSE_POLL_MS 30000 /* for the GET that fetches the close packet, as the reference */
#define QUEUE_FIRST_CAPACITY 4
#define BODY_PACKETS_MAX 16 /* in answer to a GET: python-engineio refuses a body with more */

static const char PACKET_TEXT[][2] = {"0", "1", "2", "3", "4", "5", "6"};

/* moves[from][to]: the drawing in the header. */
static const bool MOVES[EIO_CLOSED + 1][EIO_CLOSED + 1] = {
    [EIO_POLLING] = {[EIO_PROBING] = true, [EIO_CLOSING] = true, [EIO_CLOSED] = true},
    [EIO_PROBING] =
        {[EIO_POLLING] = true, [EIO_WEBSOCKET] = true, [EIO_CLOSING] = true, [EIO_CLOSED] = true},
    [EIO_WEBSOCKET] = {[EIO_CLOSING] = true, [EIO_CLOSED] = true},
    [EIO_CLOSING] = {[EIO_CLOSED] = true},
};

static void move(struct eio_session *s, enum eio_state to) {
    assert(MOVES[s->state][to]);
    s->state = to;
}

static void start_timer(struct eio_session *s, enum eio_timer kind, int64_t delay_ms) {
    eio_server_start_timer(s->server, &s->timers[kind], delay_ms);
}

static void stop_timer(struct eio_session *s, enum eio_timer kind) {
    eio_server_stop_timer(s->server, &s->timers[kind]);
}

/* ---- queue ---- */

static void queue_clear(struct eio_session *s) {
    for (uint32_t i = 0; i < s->queue_count; i++)
        eio_frame_drop(s->queue[s->queue_first + i]);
    mem_free(s->queue); /* idle sessions keep none: there are many of them */
    s->queue = NULL;
    s->queue_first = s->queue_count = s->queue_capacity = 0;
    s->queue_bytes = 0;
}

static void queue_push(struct eio_session *s, struct eio_frame *f) {
    if (s->queue_first + s->queue_count == s->queue_capacity) {
        if (s->queue_first > 0) {
            memmove(s->queue, s->queue + s->queue_first, s->queue_count * sizeof(*s->queue));
            s->queue_first = 0;
        } else {
            s->queue_capacity = s->queue_capacity ? s->queue_capacity * 2 : QUEUE_FIRST_CAPACITY;
            s->queue = mem_grow(s->queue, s->queue_capacity, sizeof(*s->queue));
        }
    }
    s->queue[s->queue_first + s->queue_count++] = eio_frame_hold(f);
    s->queue_bytes += f->size;
}

static void queue_pop(struct eio_session *s) {
    struct eio_frame *f = s->queue[s->queue_first];
    s->queue_bytes -= f->size;
    s->queue_first++;
    s->queue_count--;
    eio_frame_drop(f);
    if (s->queue_count == 0) queue_clear(s);
}

static void push_packet(struct eio_session *s, enum eio_packet_type type) {
    struct eio_frame *f = eio_frame_new(str_of(PACKET_TEXT[type]), false);
    queue_push(s, f);
    eio_frame_drop(f);
}

/* ---- answering GETs ---- */

static void answer_exchange(struct eio_session *s, struct eio_exchange *x, struct str body) {
    struct eio_answer a = {.status = 200,
                           .type = "text/plain; charset=UTF-8",
                           .body = body,
                           .allow_origin = x->allow_origin};
    x->session = NULL;
    s->server->hooks->answer(s->server->hooks_arg, x, &a);
}

void eio_session_answer_get(struct eio_session *s, enum eio_packet_type type) {
    struct eio_exchange *x = s->get;
    if (!x) return;
    s->get = NULL;
    answer_exchange(s, x, str_of(PACKET_TEXT[type]));
}

static void flush_polling(struct eio_session *s) {
    if (!s->get || s->queue_count == 0) return;
    struct strbuf *body = &s->server->scratch;
    strbuf_clear(body);
    /* The close goes alone: a client that reads it acts on what came with it too late. */
    uint32_t count = s->queue_count - (s->state == EIO_CLOSING && s->queue_count > 1);
    if (count > BODY_PACKETS_MAX) count = BODY_PACKETS_MAX;
    for (uint32_t i = 0; i < count; i++)
        eio_payload_add(body, s->queue[s->queue_first + i]);
    while (count-- > 0)
        queue_pop(s);
    struct eio_exchange *x = s->get;
    s->get = NULL;
    answer_exchange(s, x, strbuf_str(body));
}

static void flush_websocket(struct eio_session *s) {
    const struct eio_hooks *hooks = s->server->hooks;
    while (s->queue_count > 0) {
        if (!hooks->ws_write(s->server->hooks_arg, s->ws, s->queue[s->queue_first])) return;
        queue_pop(s);
    }
}

static void finish(struct eio_session *s, enum eio_ws_code code);

void eio_session_flush(struct eio_session *s) {
    if (s->state == EIO_CLOSED) return;
    if (s->ws)
        flush_websocket(s);
    else
        flush_polling(s);
    if (s->state == EIO_CLOSING && s->queue_count == 0)
        finish(s, s->server->closing ? EIO_WS_GOING_AWAY : EIO_WS_NORMAL);
}

/* ---- life ---- */

static void push_open(struct eio_session *s) {
    const struct sio_options *o = &s->server->options;
    bool upgrade = !s->ws && (o->transports & SIO_WEBSOCKET);
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "0{\"sid\":\"%.*s\",\"upgrades\":[%s],\"pingInterval\":%lld,"
                  "\"pingTimeout\":%lld,\"maxPayload\":%zu}",
                  EIO_ID_BYTES, s->sid, upgrade ? "\"websocket\"" : "",
                  (long long)o->ping_interval_ms, (long long)o->ping_timeout_ms,
                  o->payload_bytes_max);
    struct eio_frame *f = eio_frame_new(strbuf_str(&text), false);
    strbuf_fini(&text);
    queue_push(s, f);
    eio_frame_drop(f);
}

static void heartbeat_due(struct wheel_node *n);
static void join_due(struct wheel_node *n);
static void upgrade_due(struct wheel_node *n);

/* "http://localhost:7602": exactly these names, for 127.example.com is somebody else's. */
static bool is_local_page(struct str origin) {
    static const struct str hosts[] = {{"localhost", 9}, {"127.0.0.1", 9}, {"[::1]", 5}};
    const char *scheme = memmem(origin.at, origin.size, "://", 3);
    if (!scheme) return false;
    struct str host = {scheme + 3, (size_t)(origin.at + origin.size - (scheme + 3))};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t size = hosts[i].size;
        if (host.size < size || memcmp(host.at, hosts[i].at, size) != 0) continue;
        return host.size == size || host.at[size] == ':';
    }
    return false;
}

struct eio_session *eio_session_new(struct eio_server *server, struct eio_ws *ws,
                                    const struct eio_request *r) {
    if (!eio_server_admit(server, r->address)) return NULL;
    struct eio_session *s = mem_alloc(sizeof *s);
    s->server = server;
    s->state = ws ? EIO_WEBSOCKET : EIO_POLLING;
    s->ws = ws;
    if (ws) ws->session = s;
    s->timers[EIO_TIMER_HEARTBEAT].fire = heartbeat_due;
    s->timers[EIO_TIMER_JOIN].fire = join_due;
    s->timers[EIO_TIMER_UPGRADE].fire = upgrade_due;
    memcpy(s->address, r->address, sizeof s->address);
    s->foreign_page = r->origin.size > 0 && !is_local_page(r->origin);
    eio_base64_new_id(s->sid);
    eio_server_add(server, s);
    push_open(s);
    start_timer(s, EIO_TIMER_HEARTBEAT, server->options.ping_interval_ms);
    start_timer(s, EIO_TIMER_JOIN,
                ws ? server->options.connect_timeout_ms : server->options.return_timeout_ms);
    server->events->open(server->events_arg, s);
    return s;
}

/* Not CLOSING, CLOSED or doomed. */
static bool is_live(const struct eio_session *s) {
    return s->state < EIO_CLOSING && !s->doom;
}

void eio_session_joined(struct eio_session *s) {
    stop_timer(s, EIO_TIMER_JOIN);
}

void eio_session_returned(struct eio_session *s) {
    if (!list_linked(&s->stranger_link)) return;
    list_remove(&s->server->strangers, &s->stranger_link);
    if (s->state < EIO_CLOSING) /* then its one timer is the flush's */
        start_timer(s, EIO_TIMER_JOIN, s->server->options.connect_timeout_ms);
}

void eio_session_send(struct eio_session *s, struct eio_frame *const *frames, size_t count) {
    if (!is_live(s)) return;
    const struct eio_server *server = s->server;
    bool direct = s->state == EIO_WEBSOCKET && s->queue_count == 0;
    for (size_t i = 0; i < count; i++) {
        if (direct) direct = server->hooks->ws_write(server->hooks_arg, s->ws, frames[i]);
        if (!direct) queue_push(s, frames[i]);
    }
    if (s->state == EIO_POLLING) flush_polling(s);
    if (s->queue_count > server->options.queue_packets_max ||
        s->queue_bytes > server->options.queue_bytes_max) {
        metric_add(METRIC_sockets_slow_total, 1);
        eio_server_doom(s->server, s, "slow client");
    }
}

bool eio_session_send_volatile(struct eio_session *s, struct eio_frame *const *frames,
                               size_t count) {
    bool free_pipe = s->state == EIO_WEBSOCKET || (s->state == EIO_POLLING && s->get);
    if (!is_live(s) || s->queue_count > 0 || !free_pipe) return false;
    if (s->state == EIO_WEBSOCKET && !s->server->hooks->ws_free(s->server->hooks_arg, s->ws))
        return false;
    eio_session_send(s, frames, count);
    return true;
}

static void send_packet(struct eio_session *s, enum eio_packet_type type) {
    struct eio_frame *f = eio_frame_new(str_of(PACKET_TEXT[type]), false);
    eio_session_send(s, &f, 1);
    eio_frame_drop(f);
}

/* A POST whose body is still coming in: its connection has lost its session. */
static void cut_post(struct eio_session *s) {
    struct eio_exchange *x = s->post;
    if (!x) return;
    s->post = NULL;
    x->session = NULL;
    s->server->hooks->answer(s->server->hooks_arg, x, &(struct eio_answer){0});
}

static void close_ws(struct eio_session *s, struct eio_ws **ws, enum eio_ws_code code) {
    struct eio_ws *closed = *ws;
    if (!closed) return;
    *ws = NULL;
    closed->session = NULL;
    s->server->hooks->ws_close(s->server->hooks_arg, closed, code);
}

/* To CLOSED: lets go of every transport, and of the memory at the outermost leave. */
static void finish(struct eio_session *s, enum eio_ws_code code) {
    move(s, EIO_CLOSED);
    eio_session_answer_get(s, EIO_CLOSE);
    cut_post(s);
    close_ws(s, &s->probe, code);
    close_ws(s, &s->ws, code);
    queue_clear(s);
    eio_server_bury(s->server, s);
}

static void tell_application(struct eio_session *s, const char *reason) {
    LOG_DEBUG("session-closed", "address=%s reason=%s", s->address, log_quote(str_of(reason)));
    metric_series_add(metric_series(METRIC_sockets_closed_total, (struct str[]){str_of(reason)}),
                      1);
    s->server->live_count--;
    eio_address_leave(&s->server->addresses, s->address);
    s->server->events->close(s->server->events_arg, s, reason);
}

void eio_session_drop(struct eio_session *s, const char *reason, enum eio_ws_code code) {
    if (s->state == EIO_CLOSED) return;
    bool told = s->state == EIO_CLOSING;
    finish(s, code);
    if (!told) tell_application(s, reason);
}

void eio_session_close(struct eio_session *s, const char *reason, enum eio_ws_code code) {
    if (s->state >= EIO_CLOSING) return;
    if (s->doom) {
        eio_session_drop(s, s->doom, EIO_WS_CUT);
        return;
    }
    move(s, EIO_CLOSING);
    for (int kind = 0; kind < EIO_TIMER_COUNT; kind++)
        stop_timer(s, (enum eio_timer)kind);
    close_ws(s, &s->probe, code);
    tell_application(s, reason);
    if (!s->ws) push_packet(s, EIO_CLOSE);
    if (s->ws && s->queue_count == 0) {
        finish(s, code);
        return;
    }
    if (!s->ws && !s->get && s->server->closing) { /* nobody would fetch it in time */
        finish(s, code);
        return;
    }
    start_timer(s, EIO_TIMER_HEARTBEAT, s->ws ? CLOSE_FLUSH_MS : CLOSE_POLL_MS);
    eio_session_flush(s);
}

/* ---- heartbeat and deadlines ---- */

/* The deadline is that of a ping on time: a client may count on it. But a server that was held up
 * leaves him half of it, and does not drop everybody for its own delay. */
static int64_t pong_delay_ms(const struct eio_session *s, const struct wheel_node *n) {
    int64_t timeout_ms = s->server->options.ping_timeout_ms;
    int64_t late_ms = clock_mono_us() / 1000 - n->due_ms;
    return timeout_ms - (late_ms < timeout_ms / 2 ? late_ms : timeout_ms / 2);
}

static void heartbeat_due(struct wheel_node *n) {
    struct eio_session *s = LIST_OF(n, struct eio_session, timers[EIO_TIMER_HEARTBEAT]);
    if (s->state == EIO_CLOSING) {
        finish(s, EIO_WS_CUT);
    } else if (s->awaiting_pong) {
        eio_session_drop(s, "ping timeout", EIO_WS_NORMAL);
    } else {
        s->awaiting_pong = true;
        start_timer(s, EIO_TIMER_HEARTBEAT, pong_delay_ms(s, n));
        send_packet(s, EIO_PING);
    }
}

static void join_due(struct wheel_node *n) {
    struct eio_session *s = LIST_OF(n, struct eio_session, timers[EIO_TIMER_JOIN]);
    if (list_linked(&s->stranger_link))
        eio_session_drop(s, "handshake timeout", EIO_WS_NORMAL);
    else
        eio_session_close(s, "connect timeout", EIO_WS_NORMAL);
}

static void upgrade_due(struct wheel_node *n) {
    struct eio_session *s = LIST_OF(n, struct eio_session, timers[EIO_TIMER_UPGRADE]);
    eio_session_end_probe(s, EIO_WS_NORMAL);
}

static void pong(struct eio_session *s) {
    if (!s->awaiting_pong) return; /* unasked: must not put off the next ping */
    s->awaiting_pong = false;
    start_timer(s, EIO_TIMER_HEARTBEAT, s->server->options.ping_interval_ms);
}

bool eio_session_packet(struct eio_session *s, const struct eio_packet *p) {
    switch (p->type) {
    case EIO_PONG:
        pong(s);
        return true;
    case EIO_MESSAGE:
        s->server->events->message(s->server->events_arg, s, p->data, p->size, p->binary);
        return true;
    case EIO_CLOSE:
        eio_session_answer_get(s, EIO_NOOP);
        eio_session_drop(s, "transport close", EIO_WS_NORMAL);
        return true;
    case EIO_PING: /* in v4 only the server pings */
        eio_session_drop(s, "parse error", EIO_WS_PROTOCOL_ERROR);
        return false;
    case EIO_OPEN:
    case EIO_UPGRADE:
    case EIO_NOOP:
        return true;
    }
    return false;
}

/* ---- upgrade ---- */

void eio_session_start_probe(struct eio_session *s) {
    if (s->state == EIO_PROBING) return;
    move(s, EIO_PROBING);
    flush_polling(s);
    eio_session_answer_get(s, EIO_NOOP); /* frees the client to stop polling */
}

void eio_session_end_probe(struct eio_session *s, enum eio_ws_code code) {
    stop_timer(s, EIO_TIMER_UPGRADE);
    close_ws(s, &s->probe, code);
    if (s->state != EIO_PROBING) return;
    move(s, EIO_POLLING);
    flush_polling(s);
}

void eio_session_upgrade(struct eio_session *s) {
    stop_timer(s, EIO_TIMER_UPGRADE);
    eio_session_answer_get(s, EIO_NOOP);
    move(s, EIO_WEBSOCKET);
    s->ws = s->probe;
    s->probe = NULL;
    /* The ping may have been under way on the transport that ends here. */
    if (s->awaiting_pong) start_timer(s, EIO_TIMER_HEARTBEAT, s->server->options.ping_timeout_ms);
    eio_session_flush(s);
}
