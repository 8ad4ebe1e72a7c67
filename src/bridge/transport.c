/* transport.c - HTTP and WebSocket for the Socket.IO server, on libwebsockets.
 *
 * Rules that version 4.1.6 imposes, each learned the hard way:
 * - No HTTP connection is kept alive: two requests in one segment put lws_http_action into an
 *   endless loop. Every answer says so, and the callback returns -1 behind the write.
 * - A held GET reads nothing (flow control), since lws never notices its end and spins; an epoll
 *   set of our own watches for EPOLLRDHUP instead, and is itself adopted as a raw file.
 * - The loop is libev (decisions/0002): lws's own poll() walks over all players for each message.
 *   Its libev glue may leave a timer of lws unarmed, so each second the loop is woken to look.
 * - Our timer is a timerfd in that set, so that it does not hang on lws's; so is the wake, since
 *   lws_service() with libev does not return when lws_cancel_service() asks it to.
 * - fd_limit_per_thread is not set, since it makes every look-up of a descriptor linear; instead
 *   connections are refused before descriptors run out (accept would spin then).
 * - A socket's peer is asked for in FILTER_NETWORK_CONNECTION; its wsi comes with the next
 *   SERVER_NEW_CLIENT_INSTANTIATED (what WSI_CREATE notes in a wsi is lost again).
 * - From HTTP_CONFIRM_UPGRADE only 0 and -1 are returned (CVE-2025-11677).
 * - A flow-controlled connection gets no WRITEABLE: flow control goes off before asking for it.
 */
#include "bridge/transport.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bridge/chunked.h"
#include "bridge/http_answer.h"
#include "bridge/listen_address.h"
#include "bridge/tls.h"
#include "socketio/eio_address.h"
#include "socketio/transport.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ev.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#define DESCRIPTORS_RESERVED 64  /* for the rest of the process: connections are refused */
#define HEADER_BYTES_MAX 16384   /* URL and headers: more is cut by the library */
#define REQUEST_TIMEOUT_S 5      /* for a request's headers; then between pieces of its body */
#define PEER_SILENT_MS 20000     /* unacknowledged data: the peer is gone (half-open) */
#define SEND_BUFFER_BYTES 131072 /* the kernel's share of what a slow player may leave unread */
#define CLOSE_TIMEOUT_S 2
#define STOP_TIMEOUT_MS 2000
#define RX_BYTES 512 /* lws keeps such a buffer per WebSocket */
#define EVENTS_PER_TURN 64
#define TICK_S 1 /* see the head: lws's own timers */

_Static_assert(LWS_PRE <= EIO_FRAME_HEADROOM, "the frame's headroom holds lws's header");

struct transport {
    struct transport_options options;
    struct eio_server *engine;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct ev_loop *loop;
    ev_timer tick;
    int epoll_fd, timer_fd, wake_fd;
    int descriptor_max; /* an accepted descriptor from here on is refused */
    struct eio_addresses peers;
    char arriving[EIO_ADDRESS_BYTES]; /* peer of the socket being accepted; empty = none */
    struct tls_files tls;
    struct tls_watch tls_watch;
    void *ssl_ctx;
    size_t conn_count;
    atomic_bool woken, stop_wanted;
    bool stopping, drained, finished, epoll_adopted;
    lws_sorted_usec_list_t drain_timer, stop_timer;
    char address[96];
};

/* One socket, then request or WebSocket; its lws has it as opaque user data, until
 * WSI_DESTROY. */
struct conn {
    struct transport *t;
    struct lws *wsi;
    struct eio_exchange exchange;
    struct eio_ws ws;
    struct strbuf in;  /* a POST's body, or a message in pieces */
    struct strbuf out; /* the HTTP answer, behind LWS_PRE bytes */
    size_t body_bytes; /* of the POST; in chunks: at most */
    struct chunked chunks;
    enum eio_ws_code close_code;
    char address[EIO_ADDRESS_BYTES]; /* counted in t->peers */
    bool chunked;
    bool requested;   /* has had its one request */
    unsigned form;    /* of the answer: enum http_answer_form */
    bool in_callback; /* of this lws: what is decided there is done by its return value */
    bool held;        /* a GET in the epoll set, flow-controlled */
    bool cut;         /* to be closed without an answer */
    bool is_ws, closing, ws_binary;
};

#define CONN_OF(member_pointer, member) LIST_OF(member_pointer, struct conn, member)

static void conn_make(struct transport *t, struct lws *wsi) {
    struct conn *c = mem_alloc(sizeof *c);
    c->t = t;
    c->wsi = wsi;
    memcpy(c->address, t->arriving, sizeof c->address);
    t->arriving[0] = '\0';
    t->conn_count++;
    metric_set(METRIC_connections_open, (int64_t)t->conn_count);
    lws_set_opaque_user_data(wsi, c);
}

static void kill_soon(struct conn *c) {
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* ---- requests ---- */

/* Copies of what a request says: lws has headers in fragments. */
struct header_text {
    char origin[512], content_length[32], content_type[128], wanted[1024], version[8];
    char encoding[16];
};

/* One that is too long reads "?": nothing that is compared with it matches. */
static struct str header(struct lws *wsi, enum lws_token_indexes token, char *buffer, size_t size) {
    if (lws_hdr_total_length(wsi, token) <= 0) return STR_EMPTY;
    int n = lws_hdr_copy(wsi, buffer, (int)size, token);
    return n < 0 ? STR("?") : (struct str){buffer, (size_t)n};
}

static enum eio_method method_of(int lws_method) {
    switch (lws_method) {
    case LWSHUMETH_GET:
        return EIO_METHOD_GET;
    case LWSHUMETH_POST:
        return EIO_METHOD_POST;
    case LWSHUMETH_OPTIONS:
        return EIO_METHOD_OPTIONS;
    default:
        return EIO_METHOD_OTHER;
    }
}

/* Returns lws's method number, -1 when there is none; `path` points into lws. */
static int read_request(struct lws *wsi, struct eio_request *r, struct header_text *text,
                        struct str *path) {
    char *uri = NULL;
    int uri_size = 0;
    int method = lws_http_get_uri_and_method(wsi, &uri, &uri_size);
    *path = uri ? (struct str){uri, (size_t)uri_size} : STR_EMPTY;
    *r = (struct eio_request){.method = method_of(method)};
    r->upgrade = lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) > 0;
    r->transfer_encoding = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    struct str encoding =
        header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, text->encoding, sizeof text->encoding);
    r->chunked = encoding.size == 7 && strncasecmp(encoding.at, "chunked", 7) == 0;
    r->origin = header(wsi, WSI_TOKEN_ORIGIN, text->origin, sizeof text->origin);
    r->content_length = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text->content_length,
                               sizeof text->content_length);
    r->content_type =
        header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, text->content_type, sizeof text->content_type);
    r->wanted_headers =
        header(wsi, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS, text->wanted, sizeof text->wanted);
    r->websocket_version = header(wsi, WSI_TOKEN_VERSION, text->version, sizeof text->version);
    lws_get_peer_simple(wsi, r->address, sizeof r->address);
    char argument[HEADER_BYTES_MAX];
    for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
        int n = lws_hdr_copy_fragment(wsi, argument, sizeof argument, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n > 0) eio_request_argument(r, (struct str){argument, (size_t)n});
    }
    return method;
}

/* ---- answers ---- */

/* Behind the room that lws writes into. */
static void compose(struct strbuf *out, const struct eio_answer *a, unsigned form) {
    memset(strbuf_reserve(out, LWS_PRE), 0, LWS_PRE);
    out->size += LWS_PRE;
    http_answer_write(out, a, form);
}

/* Always -1: what the kernel does not take, lws flushes before it closes. */
static int write_out(struct lws *wsi, struct strbuf *out) {
    (void)!lws_write(wsi, (unsigned char *)out->at + LWS_PRE, out->size - LWS_PRE, LWS_WRITE_HTTP);
    strbuf_fini(out);
    return -1;
}

static void hold(struct conn *c) {
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    lws_http_headers_detach(c->wsi);
    lws_rx_flow_control(c->wsi, 0);
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = c};
    int failed = epoll_ctl(c->t->epoll_fd, EPOLL_CTL_ADD, lws_get_socket_fd(c->wsi), &event);
    assert(!failed);
    (void)failed;
    c->held = true;
}

static void unhold(struct conn *c) {
    if (!c->held) return;
    c->held = false;
    epoll_ctl(c->t->epoll_fd, EPOLL_CTL_DEL, lws_get_socket_fd(c->wsi), NULL);
}

static void on_answer(void *arg, struct eio_exchange *x, const struct eio_answer *a) {
    (void)arg;
    struct conn *c = CONN_OF(x, exchange);
    metric_add(METRIC_sockets_sent_bytes_total, (int64_t)a->body.size);
    if (a->status == 0)
        c->cut = true;
    else
        compose(&c->out, a, c->form);
    if (c->in_callback) return;
    if (c->held) {
        unhold(c);
        lws_rx_flow_control(c->wsi, 1);
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_HTTP_CONTENT, REQUEST_TIMEOUT_S);
    }
    if (c->cut)
        kill_soon(c);
    else
        lws_callback_on_writable(c->wsi);
}

/* What a callback returns once the server has had its say. */
static int conclude(struct conn *c) {
    c->in_callback = false;
    if (c->cut) return -1;
    return c->out.size ? write_out(c->wsi, &c->out) : 0;
}

static void answer_get(struct conn *c, struct str path, int method) {
    struct strbuf body = {0};
    struct eio_answer a = {.status = 405, .type = "text/plain"};
    c->form |= HTTP_ANSWER_PAGE;
    if (method == LWSHUMETH_GET || method == LWSHUMETH_HEAD) {
        a.status = 404;
        if (c->t->options.on_get)
            a.status = c->t->options.on_get(c->t->options.arg, path, &body, &a.type);
        a.body = strbuf_str(&body);
    }
    on_answer(c->t, &c->exchange, &a);
    strbuf_fini(&body);
}

static int http_request(struct transport *t, struct lws *wsi, struct conn *c) {
    struct header_text text;
    struct eio_request r;
    struct str path;
    if (!c || c->requested) return -1; /* a second request on one connection: not here */
    c->requested = true;
    int method = read_request(wsi, &r, &text, &path);
    c->form = method == LWSHUMETH_HEAD ? HTTP_ANSWER_BODILESS : HTTP_ANSWER_PLAIN;
    c->in_callback = true;
    if (!eio_server_owns_path(t->engine, path)) {
        answer_get(c, path, method);
        return conclude(c);
    }
    switch (eio_http_request(t->engine, &c->exchange, &r)) {
    case EIO_HTTP_ANSWERED:
        break;
    case EIO_HTTP_HELD:
        c->in_callback = false;
        hold(c);
        return 0;
    case EIO_HTTP_BODY:
        c->chunked = r.chunked;
        c->body_bytes = r.chunked ? eio_server_payload_bytes_max(t->engine)
                                  : (size_t)strtoull(r.content_length.at, NULL, 10);
        break;
    }
    return conclude(c);
}

/* To lws the body has no end; to us it has, and then the connection has too. */
static int http_chunks(struct conn *c, const void *in, size_t size) {
    enum chunked_state state =
        chunked_take(&c->chunks, (struct str){in, size}, &c->in, c->body_bytes);
    if (state < CHUNKED_DONE) return 0;
    c->in_callback = true;
    if (state == CHUNKED_TOO_LARGE)
        eio_http_body_too_large(c->t->engine, &c->exchange);
    else /* a malformed one is answered as an empty one */
        eio_http_body(c->t->engine, &c->exchange, c->in.at, state == CHUNKED_DONE ? c->in.size : 0);
    (void)conclude(c);
    return -1;
}

static int http_body(struct conn *c, const void *in, size_t size) {
    if (!c || c->cut) return -1;
    metric_add(METRIC_sockets_received_bytes_total, (int64_t)size);
    if (c->chunked) return http_chunks(c, in, size);
    if (c->in.size + size > c->body_bytes) return -1;
    strbuf_add(&c->in, in, size);
    return 0;
}

static int http_body_complete(struct conn *c) {
    if (!c || c->in.size != c->body_bytes) return -1;
    c->in_callback = true;
    eio_http_body(c->t->engine, &c->exchange, c->in.at, c->in.size);
    int result = conclude(c);
    return result ? result : -1;
}

/* ---- WebSocket ---- */

static bool on_ws_write(void *arg, struct eio_ws *ws, struct eio_frame *f) {
    (void)arg;
    struct conn *c = CONN_OF(ws, ws);
    if (c->closing) return true;
    if (lws_partial_buffered(c->wsi)) {
        lws_callback_on_writable(c->wsi);
        return false;
    }
    /* From outside WRITEABLE: right as long as nothing is left of the last one, and saves three
     * system calls and a turn of the loop. What the kernel does not take, lws keeps. */
    metric_add(METRIC_sockets_sent_bytes_total, (int64_t)f->size);
    enum lws_write_protocol kind = f->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    if (lws_write(c->wsi, (unsigned char *)f->bytes, f->size, kind) < 0) {
        c->closing = true;
        kill_soon(c);
    }
    return true;
}

static bool on_ws_free(void *arg, struct eio_ws *ws) {
    (void)arg;
    struct conn *c = CONN_OF(ws, ws);
    return !c->closing && !lws_send_pipe_choked(c->wsi);
}

static void on_ws_close(void *arg, struct eio_ws *ws, enum eio_ws_code code) {
    (void)arg;
    struct conn *c = CONN_OF(ws, ws);
    if (c->closing) return;
    c->closing = true;
    c->close_code = code;
    if (c->in_callback) return;
    if (code == EIO_WS_CUT) {
        kill_soon(c);
        return;
    }
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_TIMEOUT_S);
    lws_callback_on_writable(c->wsi);
}

static int ws_conclude(struct conn *c) {
    c->in_callback = false;
    if (!c->closing) return 0;
    if (c->close_code != EIO_WS_CUT)
        lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, NULL, 0);
    return -1;
}

static int refuse_upgrade(struct lws *wsi, const struct eio_answer *a) {
    struct strbuf out = {0};
    compose(&out, a, HTTP_ANSWER_PLAIN);
    return write_out(wsi, &out);
}

static int confirm_upgrade(struct transport *t, struct lws *wsi) {
    /* None left: lws has already refused an upgrade it does not know, and freed the headers. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0) return -1;
    struct header_text text;
    struct eio_request r;
    struct str path;
    struct eio_answer refusal = {.status = 400, .type = "text/html", .body = STR("Bad request")};
    char upgrade[16];
    (void)read_request(wsi, &r, &text, &path);
    struct str wanted = header(wsi, WSI_TOKEN_UPGRADE, upgrade, sizeof upgrade);
    if (wanted.size != strlen("websocket") || strncasecmp(wanted.at, "websocket", wanted.size) != 0)
        return refuse_upgrade(wsi, &refusal);
    if (!eio_server_owns_path(t->engine, path)) {
        refusal.status = 404;
        refusal.body = STR("Not found");
        return refuse_upgrade(wsi, &refusal);
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) <= 0) return refuse_upgrade(wsi, &refusal);
    if (!eio_ws_check(t->engine, &r, &refusal)) return refuse_upgrade(wsi, &refusal);
    return 0;
}

/* CORS on the 101: browsers do not ask for it, some clients in between do. */
static int add_headers(struct lws *wsi, struct lws_process_html_args *args) {
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0) return 0;
    struct header_text text;
    struct str origin = header(wsi, WSI_TOKEN_ORIGIN, text.origin, sizeof text.origin);
    unsigned char *at = (unsigned char *)args->p;
    if (!http_answer_repeatable(origin)) return 0;
    if (lws_add_http_header_by_name(wsi, (const unsigned char *)"access-control-allow-origin:",
                                    (const unsigned char *)origin.at, (int)origin.size, &at,
                                    at + args->max_len))
        return 1;
    args->p = (char *)at;
    return 0;
}

static int ws_established(struct transport *t, struct lws *wsi, struct conn *c) {
    struct header_text text;
    struct eio_request r;
    struct str path;
    if (!c) return -1;
    c->is_ws = true;
    int fd = lws_get_socket_fd(wsi), timeout_ms = PEER_SILENT_MS, send_bytes = SEND_BUFFER_BYTES;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes); /* else it grows to MB */
    (void)read_request(wsi, &r, &text, &path);
    c->in_callback = true;
    if (!eio_ws_open(t->engine, &c->ws, &r)) on_ws_close(t, &c->ws, EIO_WS_NORMAL);
    return ws_conclude(c);
}

static int ws_too_large(struct conn *c) {
    c->closing = true;
    eio_ws_gone(&c->ws);
    lws_close_reason(c->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
}

static int ws_receive(struct conn *c, char *in, size_t size) {
    if (!c || c->closing) return 0;
    metric_add(METRIC_sockets_received_bytes_total, (int64_t)size);
    size_t remaining = lws_remaining_packet_payload(c->wsi);
    size_t max = eio_server_payload_bytes_max(c->t->engine);
    if (lws_is_first_fragment(c->wsi)) c->ws_binary = lws_frame_is_binary(c->wsi);
    if (remaining > max || c->in.size + size + remaining > max) return ws_too_large(c);
    bool complete = lws_is_final_fragment(c->wsi) && remaining == 0;
    if (!complete || c->in.size) strbuf_add(&c->in, in, size);
    if (!complete) return 0;
    c->in_callback = true;
    if (c->in.size)
        eio_ws_message(&c->ws, c->in.at, c->in.size, c->ws_binary);
    else
        eio_ws_message(&c->ws, in, size, c->ws_binary);
    strbuf_fini(&c->in);
    return ws_conclude(c);
}

static int ws_writeable(struct conn *c) {
    if (!c) return 0;
    c->in_callback = true;
    if (!c->closing) eio_ws_writable(&c->ws);
    return ws_conclude(c);
}

/* ---- ends, wakes, timers ---- */

static void tell_gone(struct conn *c) {
    if (!c) return;
    unhold(c);
    c->closing = true; /* nothing can be written any more */
    if (c->is_ws)
        eio_ws_gone(&c->ws);
    else
        eio_http_gone(c->t->engine, &c->exchange);
}

static void destroy(struct lws *wsi, struct conn *c) {
    if (!c) return;
    struct transport *t = c->t;
    tell_gone(c);
    lws_set_opaque_user_data(wsi, NULL);
    eio_address_leave(&t->peers, c->address);
    strbuf_fini(&c->in);
    strbuf_fini(&c->out);
    mem_free(c);
    metric_set(METRIC_connections_open, (int64_t)--t->conn_count);
    if (t->conn_count == 0 && t->stopping) t->finished = true;
}

static void on_arm(void *arg, int64_t due_us) {
    struct transport *t = arg;
    if (due_us < 1) due_us = 1; /* 0 would disarm */
    struct itimerspec when = {
        .it_value = {.tv_sec = due_us / 1000000, .tv_nsec = due_us % 1000000 * 1000}};
    timerfd_settime(t->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void peer_gone(struct conn *c) {
    tell_gone(c);
    kill_soon(c);
}

static void stop_timed_out(lws_sorted_usec_list_t *timer) {
    LIST_OF(timer, struct transport, stop_timer)->finished = true;
}

static void drained(lws_sorted_usec_list_t *timer) {
    struct transport *t = LIST_OF(timer, struct transport, drain_timer);
    t->drained = true;
    sio_server_close(t->options.server);
}

static void begin_stop(struct transport *t) {
    t->stopping = true;
    int64_t drain_ms = sio_server_drain(t->options.server);
    if (drain_ms > 0)
        lws_sul_schedule(t->context, 0, &t->drain_timer, drained, drain_ms * 1000);
    else
        drained(&t->drain_timer);
    lws_sul_schedule(t->context, 0, &t->stop_timer, stop_timed_out,
                     (drain_ms + STOP_TIMEOUT_MS) * 1000);
    if (t->conn_count == 0) t->finished = true;
}

static void woken(struct transport *t) {
    if (atomic_exchange(&t->woken, false) && t->options.on_wake) t->options.on_wake(t->options.arg);
    if (atomic_load(&t->stop_wanted) && !t->stopping) begin_stop(t);
}

static void ticked(struct ev_loop *loop, ev_timer *tick, int events) {
    (void)loop;
    (void)events;
    struct transport *t = LIST_OF(tick, struct transport, tick);
    if (t->ssl_ctx) tls_renew(&t->tls_watch, &t->tls, t->ssl_ctx);
    lws_cancel_service(t->context);
}

/* One event at a time: handling it may free the connection of the next. */
static void epoll_ready(struct transport *t) {
    struct epoll_event event;
    uint64_t count;
    for (int i = 0; i < EVENTS_PER_TURN && epoll_wait(t->epoll_fd, &event, 1, 0) == 1; i++) {
        if (event.data.ptr == &t->timer_fd) {
            if (read(t->timer_fd, &count, sizeof count) > 0) eio_server_tick(t->engine);
        } else if (event.data.ptr == &t->wake_fd) {
            if (read(t->wake_fd, &count, sizeof count) > 0) woken(t);
        } else {
            peer_gone(event.data.ptr);
        }
    }
}

/* Its IP; a socket that has none, like one of a pair, is a peer of its own kind. */
static void peer_of(int descriptor, char out[EIO_ADDRESS_BYTES]) {
    struct sockaddr_storage a = {0};
    socklen_t size = sizeof a;
    strcpy(out, "local");
    if (getpeername(descriptor, (struct sockaddr *)&a, &size) != 0) return;
    if (a.ss_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, out, EIO_ADDRESS_BYTES);
    else if (a.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, out, EIO_ADDRESS_BYTES);
}

static void count_refusal(const char *reason) {
    metric_series_add(metric_series(METRIC_sockets_refused_total, (struct str[]){str_of(reason)}),
                      1);
}

/* accept() has just given this descriptor: its number tells how many are in use. */
static int filter_connection(struct transport *t, int descriptor) {
    if (t->drained) return 1; /* until then polling clients need theirs */
    if (descriptor >= t->descriptor_max) {
        count_refusal("descriptors");
        LOG_WARN("connection-refused", "reason=descriptors limit=%d", t->descriptor_max);
        return 1;
    }
    if (t->arriving[0]) eio_address_leave(&t->peers, t->arriving); /* the last one failed */
    peer_of(descriptor, t->arriving);
    if (eio_address_enter(&t->peers, t->arriving)) return 0;
    count_refusal("address");
    LOG_DEBUG("connection-refused", "reason=address address=%s", t->arriving);
    t->arriving[0] = '\0';
    return 1;
}

void transport_adopt(struct transport *t, int descriptor) {
    (void)fcntl(descriptor, F_SETFL, O_NONBLOCK);
    if (filter_connection(t, descriptor) != 0)
        close(descriptor);
    else
        (void)!lws_adopt_socket_vhost(t->vhost, descriptor); /* closes it when it fails */
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size) {
    struct transport *t = lws_context_user(lws_get_context(wsi));
    struct conn *c = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return filter_connection(t, (int)(intptr_t)in);
    case LWS_CALLBACK_HTTP:
        return http_request(t, wsi, c);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(c, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_complete(c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return c ? conclude(c) : 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(t, wsi);
    case LWS_CALLBACK_ADD_HEADERS:
        return add_headers(wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return ws_established(t, wsi, c);
    case LWS_CALLBACK_RECEIVE:
        return ws_receive(c, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws_writeable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
        tell_gone(c);
        return 0;
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        t->ssl_ctx = user;
        return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        conn_make(t, wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        destroy(wsi, c);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* the CONNECT method */
        return -1;
    case LWS_CALLBACK_RAW_RX_FILE:
        epoll_ready(t);
        return 0;
    default:
        return 0;
    }
}

/* ---- opening and closing ---- */

static const struct eio_hooks HOOKS = {.answer = on_answer,
                                       .ws_write = on_ws_write,
                                       .ws_free = on_ws_free,
                                       .ws_close = on_ws_close,
                                       .arm = on_arm};

static const struct lws_protocols PROTOCOLS[] = {
    {.name = "muster", .callback = callback, .rx_buffer_size = RX_BYTES}, {0}};

/* Engine.IO has pings; those of lws would cost a timer per WebSocket in one sorted list, which is
 * a walk over all others each time one connects. */
static const lws_retry_bo_t NO_PINGS = {0};

static void log_line(int level, const char *line) {
    (void)level;
    size_t size = strlen(line);
    while (size && line[size - 1] == '\n')
        size--;
    LOG_WARN("websockets", "text=%s", log_quote((struct str){line, size}));
}

static bool watch(struct transport *t, int *fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};
    return *fd >= 0 && epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, *fd, &event) == 0;
}

static bool open_wakes(struct transport *t) {
    t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return t->epoll_fd >= 0 && watch(t, &t->timer_fd) && watch(t, &t->wake_fd);
}

static bool adopt_epoll(struct transport *t) {
    lws_sock_file_fd_type fd = {.filefd = t->epoll_fd};
    t->epoll_adopted = lws_adopt_descriptor_vhost(t->vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                                  PROTOCOLS[0].name, NULL) != NULL;
    return t->epoll_adopted;
}

static bool open_lws(struct transport *t, const struct listen_address *a) {
    struct lws_context_creation_info info = {0};
    void *loops[] = {t->loop};
    lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
    info.port = a->port;
    info.iface = a->host[0] ? a->host : NULL;
    info.protocols = PROTOCOLS;
    info.user = t;
    info.gid = (gid_t)-1;
    info.uid = (uid_t)-1;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    if (t->tls.cert) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = t->tls.cert;
        info.ssl_private_key_filepath = t->tls.key;
        info.alpn = "http/1.1"; /* Socket.IO over HTTP/2 is nobody's wish */
    }
    if (!a->v6) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    info.max_http_header_data = HEADER_BYTES_MAX;
    info.timeout_secs = REQUEST_TIMEOUT_S;
    info.timeout_secs_ah_idle = REQUEST_TIMEOUT_S; /* from accept until the headers are in */
    info.retry_and_idle_policy = &NO_PINGS;
    info.ka_time = 60;
    info.ka_probes = 3;
    info.ka_interval = 10;
    t->context = lws_create_context(&info);
    if (!t->context) return false;
    t->vhost = lws_create_vhost(t->context, &info);
    return t->vhost && adopt_epoll(t);
}

static void describe_address(struct transport *t, const struct listen_address *a) {
    const char *shown = a->host[0] ? a->host : "127.0.0.1";
    bool v6 = a->host[0] && a->v6;
    snprintf(t->address, sizeof t->address, "http%s://%s%s%s:%d", t->tls.cert ? "s" : "",
             v6 ? "[" : "", shown, v6 ? "]" : "", lws_get_vhost_listen_port(t->vhost));
}

static enum err check_tls(const struct transport_options *o, struct tls_files *out,
                          struct err_text *why) {
    bool cert = o->tls_cert && o->tls_cert[0], key = o->tls_key && o->tls_key[0];
    *out = (struct tls_files){0};
    if (cert != key)
        return err_set_field(why, ERR_INVALID_ARGUMENT, cert ? "tls-key" : "tls-cert",
                             "tls-cert and tls-key go together");
    if (!cert) return ERR_OK;
    *out = (struct tls_files){o->tls_cert, o->tls_key};
    return tls_check(out, why);
}

enum err transport_open(struct transport **out, const struct transport_options *o,
                        struct err_text *why) {
    struct listen_address address;
    struct tls_files tls;
    *out = NULL;
    enum err code = listen_address_parse(o->listen, &address, why);
    if (code == ERR_OK) code = check_tls(o, &tls, why);
    if (code != ERR_OK) return code;
    struct transport *t = mem_alloc(sizeof *t);
    struct rlimit limit;
    t->options = *o;
    t->tls = tls;
    if (tls.cert) tls_watch_init(&t->tls_watch, &tls);
    t->peers.limit = o->sockets_per_ip_max;
    t->engine = sio_server_engine(o->server);
    t->descriptor_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX
                            ? (int)limit.rlim_cur - DESCRIPTORS_RESERVED
                            : INT_MAX;
    t->loop = ev_loop_new(EVFLAG_NOSIGMASK);
    assert(t->loop);
    ev_timer_init(&t->tick, ticked, TICK_S, TICK_S);
    ev_timer_start(t->loop, &t->tick);
    eio_server_attach(t->engine, &HOOKS, t);
    if (!open_wakes(t) || !open_lws(t, &address)) {
        transport_close(t);
        return listen_address_trouble(o->listen, &address, why);
    }
    describe_address(t, &address);
    *out = t;
    return ERR_OK;
}

const char *transport_address(const struct transport *t) {
    return t->address;
}

void transport_run(struct transport *t) {
    while (!t->finished)
        ev_run(t->loop, EVRUN_ONCE);
    lws_sul_cancel(&t->drain_timer);
    lws_sul_cancel(&t->stop_timer);
}

/* Async-signal-safe. */
static void ring(struct transport *t) {
    uint64_t one = 1;
    (void)!write(t->wake_fd, &one, sizeof one);
}

void transport_wake(struct transport *t) {
    if (!atomic_exchange(&t->woken, true)) ring(t);
}

void transport_stop(struct transport *t) {
    atomic_store(&t->stop_wanted, true);
    ring(t);
}

void transport_close(struct transport *t) {
    if (!t) return;
    ev_timer_stop(t->loop, &t->tick);
    if (t->context) lws_context_destroy(t->context); /* and the epoll set, once adopted */
    if (!t->epoll_adopted && t->epoll_fd >= 0) close(t->epoll_fd);
    if (t->timer_fd >= 0) close(t->timer_fd);
    if (t->wake_fd >= 0) close(t->wake_fd);
    ev_loop_destroy(t->loop);
    eio_address_fini(&t->peers);
    mem_free(t);
}
