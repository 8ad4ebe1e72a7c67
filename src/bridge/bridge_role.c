/* bridge_role.c - the bridge's life: start, the inbox, health, stop. */
#include "bridge/bridge_role.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bridge/beats.h"
#include "bridge/bridge_internal.h"
#include "bridge/requests.h"
#include "bridge/rpc.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

enum {
    TICK_MS = 1000,
    SOCKETS_PER_CLIENT = 4, /* a polling client has up to three, and one that is closing */
};

void bridge_emit(struct session *s, struct str name, struct str args, const struct place *at) {
    if (s->socket == NULL) return;
    if (s->resumable && at->epoch) {
        char offset[RESUME_OFFSET_BYTES];
        resume_offset(at, offset);
        sio_emit_at(s->socket, name, args, str_of(offset));
    } else {
        sio_emit(s->socket, name, args);
    }
    metric_add(METRIC_bridge_events_total, 1);
}

/* --- Sockets of namespace / ------------------------------------------------------------------ */

/* A valid name has no character that JSON escapes: the text between the quotes is the name. */
static bool player_id_of(struct str auth, struct strbuf *out) {
    struct strbuf text = {0};
    bool valid = json_member(auth, "playerId", &text) && text.size > 2 && text.at[0] == '"';
    if (valid) {
        struct str name = {text.at + 1, text.size - 2};
        valid = str_name_valid(name);
        if (valid) strbuf_add_str(out, name);
    }
    strbuf_fini(&text);
    return valid;
}

static enum err on_connect(void *arg, struct sio_socket *socket, struct str auth,
                           struct err_text *why) {
    struct bridge *b = arg;
    struct strbuf player_id = {0};
    if (!player_id_of(auth, &player_id)) {
        strbuf_fini(&player_id);
        return err_set_field(why, ERR_INVALID_ARGUMENT, "playerId",
                             "connect with auth: {playerId: \"...\"}, "
                             "1..64 characters of A-Z a-z 0-9 _ . -");
    }
    struct session *s = players_join(&b->players, strbuf_str(&player_id), socket);
    sio_socket_set_data(socket, s);
    strbuf_fini(&player_id);
    if (!resume_connect(b, s, auth)) states_want_session(b, s);
    return ERR_OK;
}

static void on_sio_event(void *arg, struct sio_socket *socket, struct str name, struct str args,
                         struct str ack_id) {
    requests_take(arg, sio_socket_data(socket), name, args, ack_id);
}

static void on_sio_binary(void *arg, struct sio_socket *socket, struct str name,
                          const struct sio_binary *binary) {
    (void)arg; /* the refusal needs the socket only */
    requests_refuse_binary(sio_socket_data(socket), name, binary->ack_id);
}

static void on_disconnect(void *arg, struct sio_socket *socket, const char *reason) {
    struct bridge *b = arg;
    struct session *s = sio_socket_data(socket);
    LOG_DEBUG("player-left", "player=%s reason=%s", s->player->id, log_quote(str_of(reason)));
    resume_leave(b, s);
    players_leave(&b->players, s);
}

static const struct sio_handlers player_handlers = {.connect = on_connect,
                                                    .event = on_sio_event,
                                                    .binary = on_sio_binary,
                                                    .disconnect = on_disconnect};

/* --- Health ---------------------------------------------------------------------------------- */

/* Once per change: the operator of a bridge alone has no other sign of it than /readyz. */
static void log_trouble(struct bridge *b) {
    bool trouble = b->api_trouble[0] != '\0';
    if (trouble && !b->trouble_logged) {
        LOG_WARN("bridge-api-away", "why=%s", log_quote(str_of(b->api_trouble)));
        admin_feed_tell(b, "api_away", b->api_trouble);
    }
    if (!trouble && b->trouble_logged) {
        LOG_INFO("bridge-api-back", "serving=true");
        admin_feed_tell(b, "api_back", "");
    }
    b->trouble_logged = trouble;
}

static void on_checked(struct bridge *b, struct rpc *rpc) {
    b->check_under_way = false;
    if (rpc->status.code == MUSTER_CANCELLED) return; /* our own end */
    b->api_trouble[0] = '\0';
    if (rpc->status.code != MUSTER_OK)
        snprintf(b->api_trouble, sizeof b->api_trouble, "%s %s", muster_code_name(rpc->status.code),
                 rpc->status.message);
    else if (!((Muster__V1__CheckResponse *)rpc->response)->serving)
        snprintf(b->api_trouble, sizeof b->api_trouble, "no matcher leads the realm");
    log_trouble(b);
}

static void check_api(struct bridge *b) {
    if (b->check_under_way) return;
    b->check_under_way = true;
    Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
    rpc_call(rpc_new(b, on_checked, NULL, STR_EMPTY), "System/Check", &request.base, NULL);
}

static int on_get(void *arg, struct str path, struct strbuf *body, const char **type) {
    struct bridge *b = arg;
    *type = "text/plain";
    if (dashboard_get(&b->dashboard, path, body, type)) return 200;
    if (str_equal(path, STR("/healthz"))) {
        strbuf_add_str(body, STR("ok\n"));
        return 200;
    }
    if (!str_equal(path, STR("/readyz"))) return 404;
    if (b->api_trouble[0] != '\0') {
        strbuf_printf(body, "api: %s\n", b->api_trouble);
        return 503;
    }
    if (!muster_subscription_live(b->subscription)) {
        strbuf_add_str(body, STR("events: the stream is silent\n"));
        return 503;
    }
    strbuf_add_str(body, STR("ready\n"));
    return 200;
}

/* --- The inbox ------------------------------------------------------------------------------- */

static void take_tick(struct bridge *b) {
    atomic_store(&b->tick_pending, false);
    feed_tick(b);
    states_tick(b);
    beats_tick(b);
    admin_tick(b);
    check_api(b);
}

static void on_wake(void *arg) {
    struct bridge *b = arg;
    struct message *next, *list = inbox_take(&b->inbox);
    role_meter_begin(&b->meter, list);
    for (struct message *m = list; m != NULL; m = next) {
        next = m->next;
        switch (m->kind) {
        case BRIDGE_REPLY:
            rpc_take(b, m);
            break;
        case BRIDGE_NEWS:
            feed_take_news(b, m);
            break;
        case BRIDGE_RESYNC:
            feed_take_resync(b, m);
            break;
        case BRIDGE_SIGHT:
            admin_feed_take(b, m);
            break;
        case BRIDGE_TICK:
            take_tick(b);
            break;
        }
    }
    role_meter_end(&b->meter);
}

/* After the thread's end: nobody is connected, so news tells nobody. */
static void drain(struct bridge *b) {
    struct message *next;
    for (struct message *m = inbox_take(&b->inbox); m != NULL; m = next) {
        next = m->next;
        if (m->kind == BRIDGE_REPLY)
            rpc_drop(b, m);
        else if (m->kind == BRIDGE_NEWS)
            feed_take_news(b, m);
        else if (m->kind == BRIDGE_RESYNC)
            feed_take_resync(b, m);
        else if (m->kind == BRIDGE_SIGHT)
            admin_feed_take(b, m);
    }
}

static void wake(void *arg) {
    struct bridge *b = arg;
    transport_wake(b->transport);
}

static void run(void *arg) {
    struct bridge *b = arg;
    transport_run(b->transport);
}

/* libwebsockets' thread has no clock of ours: this one taps it each second. */
static void run_pulse(void *arg) {
    struct bridge *b = arg;
    while (inbox_wait(&b->pulse_inbox, TICK_MS) == NULL)
        if (!atomic_exchange(&b->tick_pending, true)) inbox_push_always(&b->inbox, &b->tick);
}

/* --- Life ------------------------------------------------------------------------------------ */

static enum err open_transport(struct bridge *b, const struct bridge_options *o,
                               struct err_text *why) {
    unsigned transports = !strcmp(o->transports, "websocket") ? SIO_WEBSOCKET
                          : !strcmp(o->transports, "polling") ? SIO_POLLING
                                                              : SIO_POLLING | SIO_WEBSOCKET;
    struct sio_options sio = {
        .path = o->path,
        .transports = transports,
        .upgrade_timeout_ms = o->upgrade_timeout_ms,
        .connect_timeout_ms = o->connect_timeout_ms,
        .payload_bytes_max = (size_t)o->payload_bytes_max,
        .queue_bytes_max = (size_t)o->queue_bytes_max,
        .drain_ms = o->drain_ms,
        .ping_interval_ms = o->ping_interval_ms,
        .ping_timeout_ms = o->ping_timeout_ms,
        .connections_max = (size_t)o->connections_max,
        .connections_per_ip_max = (size_t)o->connections_per_ip_max,
        .origins = o->origins,
    };
    b->server = sio_server_new(&sio);
    sio_namespace(b->server, "/", &player_handlers, b);
    admin_init(b, o);
    dashboard_init(&b->dashboard, o);
    struct transport_options options = {
        .listen = o->listen,
        .tls_cert = o->tls_cert,
        .tls_key = o->tls_key,
        .sockets_per_ip_max = (size_t)o->connections_per_ip_max * SOCKETS_PER_CLIENT,
        .server = b->server,
        .on_wake = on_wake,
        .on_get = on_get,
        .arg = b,
    };
    return transport_open(&b->transport, &options, why);
}

static enum err open_client(struct bridge *b, const struct bridge_options *o,
                            struct err_text *why) {
    struct muster_options options = {.api = o->api};
    struct muster_status status;
    enum muster_code code = muster_open(&b->client, &options, &status);
    if (code == MUSTER_OK) return feed_start(b, o, why);
    return err_set(why, err_from_code((unsigned)code), "api: %s", status.message);
}

enum err bridge_start(struct bridge **out, const struct bridge_options *o, struct err_text *why) {
    *out = NULL;
    struct bridge *b = mem_alloc(sizeof *b);
    b->tick.kind = BRIDGE_TICK;
    snprintf(b->api_trouble, sizeof b->api_trouble, "not asked yet");
    players_init(&b->players);
    states_init(&b->states);
    resume_init(&b->resume);
    census_init(&b->census);
    queue_list_init(&b->queue_list);
    inbox_init(&b->pulse_inbox, 1, NULL, NULL);
    role_meter_init(&b->meter, "bridge");
    inbox_init(&b->inbox, LIMIT_INBOX_MESSAGES, wake, b);
    enum err code = open_transport(b, o, why);
    if (code == ERR_OK) code = open_client(b, o, why);
    if (code != ERR_OK) {
        bridge_free(b);
        return code;
    }
    thread_start(&b->thread, "bridge", run, b);
    thread_start(&b->pulse, "bridge-pulse", run_pulse, b);
    LOG_INFO("bridge-started", "listen=%s api=%s events=%s", bridge_address(b), o->api, o->events);
    *out = b;
    return ERR_OK;
}

const char *bridge_address(const struct bridge *b) {
    return transport_address(b->transport);
}

void bridge_stop(struct bridge *b) {
    if (b == NULL || b->stopped) return;
    b->stopped = true;
    if (b->pulse.started) inbox_push_always(&b->pulse_inbox, &b->pulse_stop);
    thread_join(&b->pulse);
    if (b->thread.started) transport_stop(b->transport);
    thread_join(&b->thread);
    muster_unsubscribe(b->subscription);
    muster_close(b->client);
    drain(b);
    b->subscription = NULL;
    b->client = NULL;
}

void bridge_free(struct bridge *b) {
    if (b == NULL) return;
    bridge_stop(b);
    transport_close(b->transport);
    sio_server_free(b->server);
    states_fini(b);
    queue_list_fini(b);
    census_fini(b);
    admin_fini(&b->admin);
    dashboard_fini(&b->dashboard);
    players_fini(&b->players);
    inbox_fini(&b->inbox);
    inbox_fini(&b->pulse_inbox);
    mem_free(b);
}
