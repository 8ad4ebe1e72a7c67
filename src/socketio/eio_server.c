/* eio_server.c - all sessions of one Engine.IO server: their table, limits, timers and deaths. */
#include "socketio/eio_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "socketio/sio_json.h"

#include <assert.h>
#include <string.h>

static bool sid_equal(const void *value, const void *key) {
    return memcmp(((const struct eio_session *)value)->sid, key, EIO_ID_BYTES) == 0;
}

static uint64_t sid_hash(const char *sid) {
    return str_hash((struct str){sid, EIO_ID_BYTES});
}

/* ---- making and freeing ---- */

static void fill_defaults(struct sio_options *o) {
    if (!o->path) o->path = "/socket.io/";
    if (!o->origins) o->origins = "*";
    if (!o->ping_interval_ms) o->ping_interval_ms = 25000;
    if (!o->ping_timeout_ms) o->ping_timeout_ms = 20000;
    if (!o->upgrade_timeout_ms) o->upgrade_timeout_ms = 10000;
    if (!o->connect_timeout_ms) o->connect_timeout_ms = 45000;
    if (!o->payload_bytes_max) o->payload_bytes_max = 1000000;
    if (!o->return_timeout_ms) o->return_timeout_ms = 10000;
    if (!o->transports) o->transports = SIO_POLLING | SIO_WEBSOCKET;
    if (!o->queue_bytes_max) o->queue_bytes_max = 262144;
    if (!o->queue_packets_max) o->queue_packets_max = 256;
    if (!o->connections_max) o->connections_max = 20000;
    if (!o->strangers_max) o->strangers_max = o->connections_max / 4 + 64;
    if (!o->namespaces_max) o->namespaces_max = 16;
    if (!o->packets_per_payload_max) o->packets_per_payload_max = 256;
    if (!o->asks_max) o->asks_max = 64;
    if (!o->recovery_bytes_max) o->recovery_bytes_max = 16777216;
    if (!o->recovery_sockets_max) o->recovery_sockets_max = 20000;
    if (!o->json_depth_max) o->json_depth_max = 64;
    if (o->json_depth_max > SIO_JSON_DEPTH_MAX) o->json_depth_max = SIO_JSON_DEPTH_MAX;
}

static void drain_some(struct wheel_node *n);

static void split_origins(struct eio_server *server) {
    struct str rest = str_of(server->options.origins);
    while (rest.size) {
        const char *comma = memchr(rest.at, ',', rest.size);
        struct str one = {rest.at, comma ? (size_t)(comma - rest.at) : rest.size};
        rest.at += one.size + (comma ? 1 : 0);
        rest.size -= one.size + (comma ? 1 : 0);
        while (one.size && *one.at == ' ')
            one.at++, one.size--;
        while (one.size && one.at[one.size - 1] == ' ')
            one.size--;
        if (one.size == 0) continue;
        server->origins =
            mem_grow(server->origins, server->origin_count + 1, sizeof *server->origins);
        server->origins[server->origin_count++] = mem_text(one);
    }
}

struct eio_server *eio_server_new(const struct sio_options *o, const struct eio_events *events,
                                  void *events_arg) {
    struct eio_server *server = mem_alloc(sizeof *server);
    server->options = *o;
    fill_defaults(&server->options);
    server->options.path = mem_text(str_of(server->options.path));
    server->options.origins = mem_text(str_of(server->options.origins));
    server->addresses.limit = o->connections_per_ip_max;
    server->events = events;
    server->events_arg = events_arg;
    server->armed_due_us = INT64_MAX;
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    rng_init(&server->jitter, seed);
    list_init(&server->open);
    list_init(&server->dead);
    list_init(&server->doomed);
    list_init(&server->strangers);
    wheel_init(&server->wheel, clock_mono_us());
    server->drain.fire = drain_some;
    split_origins(server);
    return server;
}

void eio_server_free(struct eio_server *server) {
    if (!server) return;
    assert(server->depth == 0);
    eio_server_enter(server);
    LIST_EACH (&server->open, node) {
        struct eio_session *s = LIST_OF(node, struct eio_session, link);
        assert(s->state == EIO_CLOSING && "eio_server_close comes first");
        eio_session_drop(s, "server shutting down", EIO_WS_CUT);
    }
    eio_server_leave(server);
    eio_address_fini(&server->addresses);
    map_fini(&server->sessions);
    for (size_t i = 0; i < server->origin_count; i++)
        mem_free(server->origins[i]);
    mem_free(server->origins);
    mem_free((char *)server->options.path);
    mem_free((char *)server->options.origins);
    strbuf_fini(&server->scratch);
    mem_free(server);
}

void eio_server_attach(struct eio_server *server, const struct eio_hooks *hooks, void *arg) {
    server->hooks = hooks;
    server->hooks_arg = arg;
}

bool eio_server_owns_path(const struct eio_server *server, struct str path) {
    return str_equal(path, str_of(server->options.path));
}

size_t eio_server_payload_bytes_max(const struct eio_server *server) {
    return server->options.payload_bytes_max;
}

size_t eio_server_session_count(const struct eio_server *server) {
    return server->open.count;
}

void eio_server_enter(struct eio_server *server) {
    server->depth++;
}

void eio_server_leave(struct eio_server *server) {
    assert(server->depth > 0);
    if (--server->depth > 0) return;
    LIST_EACH (&server->dead, node) {
        list_remove(&server->dead, node);
        mem_free(LIST_OF(node, struct eio_session, link));
    }
}

void eio_server_close(struct eio_server *server) {
    eio_server_enter(server);
    server->closing = true;
    wheel_stop(&server->wheel, &server->drain);
    /* Closing one may close others, by the application: so no walk; each is met at the front. */
    for (size_t left = server->open.count; left > 0 && server->open.count > 0; left--) {
        struct list_node *node = list_first(&server->open);
        struct eio_session *s = LIST_OF(node, struct eio_session, link);
        list_remove(&server->open, node);
        list_append(&server->open, node);
        if (s->state < EIO_CLOSING)
            eio_session_close(s, "server shutting down", EIO_WS_GOING_AWAY);
        else if (!s->ws)
            eio_session_drop(s, "server shutting down", EIO_WS_GOING_AWAY);
    }
    eio_server_leave(server);
}

#define DRAIN_STEP_MS 10

/* Closes its share of those that are left, and comes again a moment later. */
static void drain_some(struct wheel_node *n) {
    struct eio_server *server = LIST_OF(n, struct eio_server, drain);
    int64_t left_ms = (server->drain_end_us - clock_mono_us()) / 1000;
    size_t steps = left_ms > DRAIN_STEP_MS ? (size_t)left_ms / DRAIN_STEP_MS : 1;
    size_t share = (server->live_count + steps - 1) / steps;
    for (size_t left = server->open.count; share > 0 && left > 0; left--) {
        struct list_node *node = list_first(&server->open);
        struct eio_session *s = LIST_OF(node, struct eio_session, link);
        list_remove(&server->open, node);
        list_append(&server->open, node);
        if (s->state >= EIO_CLOSING) continue;
        eio_session_close(s, "server shutting down", EIO_WS_GOING_AWAY);
        share--;
    }
    if (server->live_count == 0) return;
    int64_t jitter_ms = (int64_t)rng_below(&server->jitter, DRAIN_STEP_MS + 1);
    eio_server_start_timer(server, n, DRAIN_STEP_MS / 2 + jitter_ms);
}

int64_t eio_server_drain(struct eio_server *server) {
    int64_t window_ms = server->options.drain_ms;
    if (window_ms > (int64_t)server->live_count) window_ms = (int64_t)server->live_count;
    server->closing = true;
    server->drain_end_us = clock_mono_us() + window_ms * 1000;
    eio_server_start_timer(server, &server->drain, 0);
    return window_ms;
}

/* ---- table and limits ---- */

struct eio_session *eio_server_find(const struct eio_server *server, struct str sid) {
    if (sid.size != EIO_ID_BYTES) return NULL;
    return map_get(&server->sessions, sid_hash(sid.at), sid_equal, sid.at);
}

static bool refuse(const char *reason) {
    metric_series_add(metric_series(METRIC_sockets_refused_total, (struct str[]){str_of(reason)}),
                      1);
    return false;
}

bool eio_server_admit(struct eio_server *server, const char *address) {
    if (server->closing) return refuse("stopping");
    if (server->open.count >= server->options.connections_max) return refuse("sessions");
    return eio_address_enter(&server->addresses, address) || refuse("address");
}

/* One stranger in, one out: the oldest is the likeliest never to come back. */
static void meet_stranger(struct eio_server *server, struct eio_session *s) {
    if (server->strangers.count >= server->options.strangers_max) {
        struct list_node *oldest = list_first(&server->strangers);
        (void)refuse("handshakes");
        eio_session_drop(LIST_OF(oldest, struct eio_session, stranger_link), "too many handshakes",
                         EIO_WS_NORMAL);
    }
    list_append(&server->strangers, &s->stranger_link);
}

void eio_server_add(struct eio_server *server, struct eio_session *s) {
    if (!s->ws) meet_stranger(server, s);
    map_put(&server->sessions, sid_hash(s->sid), s);
    list_append(&server->open, &s->link);
    server->live_count++;
    metric_add(METRIC_sockets_opened_total, 1);
    metric_set(METRIC_sockets_open, (int64_t)server->open.count);
}

void eio_server_bury(struct eio_server *server, struct eio_session *s) {
    for (int kind = 0; kind < EIO_TIMER_COUNT; kind++)
        wheel_stop(&server->wheel, &s->timers[kind]);
    map_remove(&server->sessions, sid_hash(s->sid), s);
    if (list_linked(&s->doomed_link)) list_remove(&server->doomed, &s->doomed_link);
    if (list_linked(&s->stranger_link)) list_remove(&server->strangers, &s->stranger_link);
    list_remove(&server->open, &s->link);
    list_append(&server->dead, &s->link);
    metric_set(METRIC_sockets_open, (int64_t)server->open.count);
}

/* ---- timers ---- */

static void arm(struct eio_server *server, int64_t due_us) {
    if (due_us >= server->armed_due_us) return;
    server->armed_due_us = due_us;
    server->hooks->arm(server->hooks_arg, due_us);
}

void eio_server_start_timer(struct eio_server *server, struct wheel_node *n, int64_t delay_ms) {
    wheel_start(&server->wheel, n, clock_mono_us() + delay_ms * 1000);
    arm(server, wheel_due_us(&server->wheel));
}

void eio_server_stop_timer(struct eio_server *server, struct wheel_node *n) {
    wheel_stop(&server->wheel, n);
}

void eio_server_doom(struct eio_server *server, struct eio_session *s, const char *reason) {
    if (s->doom) return;
    s->doom = reason;
    list_append(&server->doomed, &s->doomed_link);
    arm(server, clock_mono_us());
}

static void drop_doomed(struct eio_server *server) {
    for (struct list_node *node; (node = list_first(&server->doomed));) {
        struct eio_session *s = LIST_OF(node, struct eio_session, doomed_link);
        eio_session_drop(s, s->doom, EIO_WS_CUT);
    }
}

void eio_server_tick(struct eio_server *server) {
    eio_server_enter(server);
    int64_t now_us = clock_mono_us();
    if (now_us >= server->armed_due_us) server->armed_due_us = INT64_MAX;
    drop_doomed(server);
    /* A timer that is restarted is due later than now: the loop ends. */
    for (struct wheel_node *n; (n = wheel_take(&server->wheel, now_us));)
        n->fire(n);
    int64_t due_us = wheel_due_us(&server->wheel);
    if (due_us != INT64_MAX) arm(server, due_us);
    eio_server_leave(server);
}

/* ---- checks of requests ---- */

bool eio_server_allow_origin(const struct eio_server *server, struct str origin,
                             const char **allow_origin) {
    *allow_origin = NULL;
    if (origin.size == 0) return true;
    for (size_t i = 0; i < server->origin_count; i++) {
        struct str allowed = str_of(server->origins[i]);
        if (!str_equal(allowed, STR("*")) && !str_equal(allowed, origin)) continue;
        *allow_origin = server->origins[i];
        return true;
    }
    return false;
}

static bool has_control_character(struct str s) {
    for (size_t i = 0; i < s.size; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f) return true;
    return false;
}

/* The order is the reference's. */
enum eio_failure eio_server_check(struct eio_server *server, const struct eio_request *r,
                                  struct eio_session **session) {
    *session = NULL;
    bool websocket = strcmp(r->transport, "websocket") == 0;
    if (!websocket && strcmp(r->transport, "polling") != 0) return EIO_UNKNOWN_TRANSPORT;
    if (!(server->options.transports & (websocket ? SIO_WEBSOCKET : SIO_POLLING)))
        return EIO_UNKNOWN_TRANSPORT;
    if (has_control_character(r->origin)) return EIO_BAD_REQUEST;
    const char *allow_origin;
    if (!eio_server_allow_origin(server, r->origin, &allow_origin)) return EIO_FORBIDDEN;
    if (r->sid[0]) {
        *session = eio_server_find(server, str_of(r->sid));
        if (!*session) return EIO_UNKNOWN_SID;
        if (r->method == EIO_METHOD_OTHER || websocket != r->upgrade) return EIO_BAD_REQUEST;
        return EIO_NO_FAILURE;
    }
    if (r->method != EIO_METHOD_GET) return EIO_BAD_METHOD;
    if (websocket != r->upgrade) return EIO_BAD_REQUEST;
    if (strcmp(r->eio, "4") != 0) return EIO_UNSUPPORTED_VERSION;
    return EIO_NO_FAILURE;
}

static const struct {
    int status;
    const char *text;
} FAILURES[] = {
    [EIO_UNKNOWN_TRANSPORT] = {400, "Transport unknown"},
    [EIO_UNKNOWN_SID] = {400, "Session ID unknown"},
    [EIO_BAD_METHOD] = {400, "Bad handshake method"},
    [EIO_BAD_REQUEST] = {400, "Bad request"},
    [EIO_FORBIDDEN] = {403, "Forbidden"},
    [EIO_UNSUPPORTED_VERSION] = {400, "Unsupported protocol version"},
    [EIO_FULL] = {503, "Too many connections"},
};

int eio_server_failure_status(enum eio_failure f) {
    assert(f < EIO_NO_FAILURE);
    return FAILURES[f].status;
}

const char *eio_server_failure_text(enum eio_failure f) {
    assert(f < EIO_NO_FAILURE);
    return FAILURES[f].text;
}

static void set_argument(char *field, size_t field_size, struct str value) {
    size_t size = value.size < field_size - 1 ? value.size : field_size - 1;
    memcpy(field, value.at, size);
    field[size] = '\0';
}

void eio_request_argument(struct eio_request *r, struct str argument) {
    struct {
        struct str key;
        char *field;
        size_t size;
    } fields[] = {{STR("EIO="), r->eio, sizeof r->eio},
                  {STR("transport="), r->transport, sizeof r->transport},
                  {STR("sid="), r->sid, sizeof r->sid}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!str_starts(argument, fields[i].key)) continue;
        struct str value = {argument.at + fields[i].key.size, argument.size - fields[i].key.size};
        set_argument(fields[i].field, fields[i].size, value);
    }
}
