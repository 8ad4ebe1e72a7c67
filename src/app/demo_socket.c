/* demo_socket.c - simulated game clients: Socket.IO over real WebSocket connections.
 *
 * Beside the bridge's transport the only file that knows libwebsockets. Engine.IO and Socket.IO
 * packets are written and read by hand here on purpose: a client that shared the server's codec
 * could not notice its mistakes.
 */
#include "app/demo_socket.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/json.h"

#include <libwebsockets.h>
#include <muster/v1/socketio.pb-c.h>
#include <muster/v1/tickets.pb-c.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTING_MAX = 64, MESSAGE_BYTES_MAX = 1 << 20, SERVICE_MS = 10, SPARE_FDS = 64 };

enum stage { STAGE_IDLE, STAGE_CONNECTING, STAGE_OPEN, STAGE_JOINING, STAGE_JOINED, STAGE_GONE };

struct client {
    struct demo_sockets *owner;
    struct demo_player *player;
    struct lws *wsi;
    enum stage stage;
    struct strbuf in;  /* the message being received */
    struct strbuf out; /* packets to send, each with LWS_PRE in front: one at a time is enough */
    bool pong_due;
};

struct demo_sockets {
    struct lws_context *context;
    char host[128];
    int port;
    const char *queue;
    struct client *clients;
    size_t count, started, connecting;
    lws_sorted_usec_list_t tick;
};

static void fail(struct client *c, const char *what, struct str detail) {
    if (c->stage < STAGE_OPEN) c->owner->connecting--;
    c->stage = STAGE_GONE;
    if (!c->player->error[0] && !atomic_load(&c->player->told_us))
        snprintf(c->player->error, sizeof c->player->error, "%s %.*s", what, STR_PRINT(detail));
}

static void send_text(struct client *c, struct str text) {
    strbuf_clear(&c->out);
    strbuf_add(&c->out, (char[LWS_PRE]){0}, LWS_PRE);
    strbuf_add_str(&c->out, text);
    lws_callback_on_writable(c->wsi);
}

static void send_connect(struct client *c) {
    Muster__V1__GetTicketRequest auth = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    auth.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID; /* {"playerId": ...} */
    auth.player_id = c->player->id;
    struct strbuf text = {0};
    strbuf_add_str(&text, STR("40"));
    json_from_message(&auth.base, &text);
    send_text(c, strbuf_str(&text));
    strbuf_fini(&text);
}

static void send_join(struct client *c) {
    Muster__V1__JoinQueueRequest join = MUSTER__V1__JOIN_QUEUE_REQUEST__INIT;
    Muster__V1__AttributeValue skill = MUSTER__V1__ATTRIBUTE_VALUE__INIT;
    Muster__V1__JoinQueueRequest__AttributesEntry attribute =
        MUSTER__V1__JOIN_QUEUE_REQUEST__ATTRIBUTES_ENTRY__INIT;
    Muster__V1__JoinQueueRequest__AttributesEntry *attributes[1] = {&attribute};
    Muster__V1__JoinQueueRequest__LatenciesMsEntry latency[DEMO_REGIONS], *latencies[DEMO_REGIONS];
    skill.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    skill.number = c->player->skill;
    attribute.key = (char *)"skill";
    attribute.value = &skill;
    for (int i = 0; i < DEMO_REGIONS; i++) {
        latency[i] = (Muster__V1__JoinQueueRequest__LatenciesMsEntry)
            MUSTER__V1__JOIN_QUEUE_REQUEST__LATENCIES_MS_ENTRY__INIT;
        latency[i].key = (char *)demo_regions[i];
        latency[i].value = c->player->latency_ms[i];
        latencies[i] = &latency[i];
    }
    join.queue = (char *)c->owner->queue;
    join.n_attributes = 1;
    join.attributes = attributes;
    join.n_latencies_ms = DEMO_REGIONS;
    join.latencies_ms = latencies;
    struct strbuf text = {0};
    strbuf_add_str(&text, STR("420[\"join_queue\","));
    json_from_message(&join.base, &text);
    strbuf_add_char(&text, ']');
    send_text(c, strbuf_str(&text));
    strbuf_fini(&text);
    c->player->asked_us = clock_mono_us();
    c->stage = STAGE_JOINING;
}

static void take_ack(struct client *c, struct str args) {
    struct strbuf answer = {0}, ok = {0};
    bool good = json_element(args, 0, &answer) && json_member(strbuf_str(&answer), "ok", &ok) &&
                str_equal(strbuf_str(&ok), STR("true"));
    if (good) {
        c->stage = STAGE_JOINED;
    } else {
        fail(c, "join refused:", strbuf_str(&answer));
    }
    strbuf_fini(&answer);
    strbuf_fini(&ok);
}

static void take_event(struct client *c, struct str args) {
    struct strbuf name = {0}, body = {0}, id = {0};
    if (json_element(args, 0, &name) && str_equal(strbuf_str(&name), STR("\"match_found\"")) &&
        json_element(args, 1, &body) && json_member(strbuf_str(&body), "matchId", &id) &&
        id.size == 28) {
        char match_id[27] = {0};
        memcpy(match_id, id.at + 1, 26); /* without its quotes */
        demo_player_told(c->player, match_id);
    }
    strbuf_fini(&name);
    strbuf_fini(&body);
    strbuf_fini(&id);
}

static struct str after(struct str text, size_t prefix) {
    return (struct str){text.at + prefix, text.size - prefix};
}

/* One Engine.IO packet. */
static void take_packet(struct client *c, struct str text) {
    if (str_starts(text, STR("0"))) {
        send_connect(c);
    } else if (str_equal(text, STR("2"))) {
        c->pong_due = true;
        lws_callback_on_writable(c->wsi);
    } else if (str_starts(text, STR("40"))) {
        c->owner->connecting--;
        c->stage = STAGE_OPEN;
        send_join(c);
    } else if (str_starts(text, STR("430"))) {
        take_ack(c, after(text, 3));
    } else if (str_starts(text, STR("42"))) {
        take_event(c, after(text, 2));
    } else if (str_starts(text, STR("44")) || str_equal(text, STR("1")) ||
               str_starts(text, STR("41"))) {
        fail(c, "the server closed:", text);
    }
}

static int receive(struct client *c, struct lws *wsi, const void *bytes, size_t size) {
    if (c->in.size + size > MESSAGE_BYTES_MAX) return -1;
    strbuf_add(&c->in, bytes, size);
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) return 0;
    take_packet(c, strbuf_str(&c->in));
    strbuf_clear(&c->in);
    return 0;
}

static int write_next(struct client *c, struct lws *wsi) {
    if (c->pong_due) {
        unsigned char pong[LWS_PRE + 1];
        pong[LWS_PRE] = '3';
        c->pong_due = false;
        if (lws_write(wsi, pong + LWS_PRE, 1, LWS_WRITE_TEXT) < 1) return -1;
        if (c->out.size) lws_callback_on_writable(wsi);
        return 0;
    }
    if (!c->out.size) return 0;
    size_t size = c->out.size - LWS_PRE;
    int wrote = lws_write(wsi, (unsigned char *)c->out.at + LWS_PRE, size, LWS_WRITE_TEXT);
    strbuf_clear(&c->out);
    return wrote < (int)size ? -1 : 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size) {
    (void)user; /* the client travels as opaque user data */
    struct client *c = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(c, wsi, in, size);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_next(c, wsi);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (c) fail(c, "cannot connect:", (struct str){in, in ? size : 0});
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        fail(c, "connection closed", STR_EMPTY);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {"demo", callback, 0, 65536, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

struct demo_sockets *demo_sockets_new(const char *bridge, const char *queue,
                                      struct demo_player *players, size_t count) {
    struct demo_sockets *s = mem_alloc(sizeof *s);
    if (sscanf(bridge, "http://%127[^:/]:%d", s->host, &s->port) != 2 || s->port < 1 ||
        s->port > 65535) {
        mem_free(s);
        return NULL;
    }
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = (unsigned)count + SPARE_FDS,
    };
    s->context = lws_create_context(&info);
    if (!s->context) {
        mem_free(s);
        return NULL;
    }
    s->queue = queue;
    s->count = count;
    s->clients = mem_array(count, sizeof *s->clients);
    for (size_t i = 0; i < count; i++)
        s->clients[i] = (struct client){.owner = s, .player = &players[i]};
    return s;
}

static void start_connect(struct client *c) {
    struct demo_sockets *s = c->owner;
    struct lws_client_connect_info info = {
        .context = s->context,
        .address = s->host,
        .port = s->port,
        .path = "/socket.io/?EIO=4&transport=websocket",
        .host = s->host,
        .origin = s->host,
        .local_protocol_name = protocols[0].name,
        .opaque_user_data = c,
        .pwsi = &c->wsi,
    };
    c->stage = STAGE_CONNECTING;
    s->connecting++;
    if (!lws_client_connect_via_info(&info) && c->stage != STAGE_GONE)
        fail(c, "cannot connect", STR_EMPTY);
}

static void tick(lws_sorted_usec_list_t *sul) {
    (void)sul; /* its only use is to end the wait */
}

void demo_sockets_service(struct demo_sockets *s) {
    int64_t now_us = clock_mono_us();
    while (s->started < s->count && s->connecting < CONNECTING_MAX &&
           s->clients[s->started].player->due_us <= now_us)
        start_connect(&s->clients[s->started++]);
    lws_sul_schedule(s->context, 0, &s->tick, tick, SERVICE_MS * LWS_US_PER_MS);
    lws_service(s->context, 0);
}

void demo_sockets_free(struct demo_sockets *s) {
    if (!s) return;
    lws_context_destroy(s->context);
    for (size_t i = 0; i < s->count; i++) {
        strbuf_fini(&s->clients[i].in);
        strbuf_fini(&s->clients[i].out);
    }
    mem_free(s->clients);
    mem_free(s);
}
