/* demo_socket.c - joins when it is the player's time, and notes what he is told. */
#include "app/demo_socket.h"

#include "app/game_clients.h"
#include "app/ticket_message.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

enum { CONNECTING_MAX = 64, SERVICE_US = 10000 };

struct demo_sockets {
    struct game_clients *clients;
    struct str queue;
    struct demo_player *players;
    size_t count, started;
};

static void fail(struct demo_player *p, const char *what, struct str detail) {
    if (!p->error[0] && !atomic_load(&p->told_us))
        snprintf(p->error, sizeof p->error, "%s %.*s", what, STR_PRINT(detail));
}

static void join(void *arg, size_t client) {
    struct demo_sockets *s = arg;
    struct arena *a = arena_new(0);
    struct strbuf packet = {0};
    struct ticket_spec spec = demo_player_ticket(&s->players[client], &s->queue, a);
    ticket_join_packet(a, &spec, &packet);
    s->players[client].asked_us = clock_mono_us();
    game_clients_send(s->clients, client, strbuf_str(&packet));
    strbuf_fini(&packet);
    arena_free(a);
}

static void take_ack(struct demo_player *p, struct str args) {
    struct strbuf answer = {0}, ok = {0};
    bool good = json_element(args, 0, &answer) && json_member(strbuf_str(&answer), "ok", &ok) &&
                str_equal(strbuf_str(&ok), STR("true"));
    if (!good) fail(p, "join refused:", strbuf_str(&answer));
    strbuf_fini(&answer);
    strbuf_fini(&ok);
}

static void take_event(struct demo_player *p, struct str args) {
    struct strbuf name = {0}, body = {0}, id = {0};
    if (json_element(args, 0, &name) && str_equal(strbuf_str(&name), STR("\"match_found\"")) &&
        json_element(args, 1, &body) && json_member(strbuf_str(&body), "matchId", &id) &&
        id.size == 28) {
        char match_id[27] = {0};
        memcpy(match_id, id.at + 1, 26); /* without its quotes */
        demo_player_told(p, match_id);
    }
    strbuf_fini(&name);
    strbuf_fini(&body);
    strbuf_fini(&id);
}

static void take_packet(void *arg, size_t client, struct str packet) {
    struct demo_sockets *s = arg;
    if (str_starts(packet, STR("430")))
        take_ack(&s->players[client], (struct str){packet.at + 3, packet.size - 3});
    else if (str_starts(packet, STR("42")))
        take_event(&s->players[client], (struct str){packet.at + 2, packet.size - 2});
}

static void gone(void *arg, size_t client, struct str why) {
    struct demo_sockets *s = arg;
    fail(&s->players[client], "no connection:", why);
}

enum err demo_sockets_new(struct demo_sockets **out, const struct demo_sockets_options *o,
                          struct demo_player *players, size_t count, struct err_text *why) {
    struct demo_sockets *s = mem_alloc(sizeof *s);
    struct game_client_handlers handlers = {join, take_packet, gone, s};
    *out = s;
    s->queue = str_of(o->queue);
    s->players = players;
    s->count = count;
    return game_clients_new(&s->clients, o->bridge, count, &handlers, why);
}

void demo_sockets_service(struct demo_sockets *s) {
    int64_t now_us = clock_mono_us();
    while (s->started < s->count && game_clients_connecting(s->clients) < CONNECTING_MAX &&
           s->players[s->started].due_us <= now_us) {
        game_clients_connect(s->clients, s->started, s->players[s->started].id);
        s->started++;
    }
    game_clients_service(s->clients, now_us + SERVICE_US);
}

void demo_sockets_free(struct demo_sockets *s) {
    if (!s) return;
    game_clients_free(s->clients);
    mem_free(s);
}
