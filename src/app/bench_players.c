/* bench_players.c - joins, and what is told on the sockets. */
#include "app/bench_players.h"

#include "app/game_clients.h"
#include "app/ticket_message.h"
#include "base/clock.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

enum { CONNECTING_MAX = 64, CONNECT_LIMIT_US = 60000000 };

struct bench_players {
    struct tally *tally;
    struct game_clients *clients;
    const char **ids;
    struct arena *arena; /* of the ids */
    struct arena *message;
    size_t count, opened, gone;
    char why[160]; /* the first was gone */
};

static size_t ticket_of(const struct bench_players *p, size_t client) {
    return p->tally->arrivals->before + client;
}

static void opened(void *arg, size_t client) {
    struct bench_players *p = arg;
    (void)client; /* he waits for his turn */
    p->opened++;
}

static void take_ack(struct bench_players *p, size_t ticket, struct str args) {
    struct strbuf answer = {0}, ok = {0};
    bool good = json_element(args, 0, &answer) && json_member(strbuf_str(&answer), "ok", &ok) &&
                str_equal(strbuf_str(&ok), STR("true"));
    if (good)
        tally_created(p->tally, ticket);
    else
        tally_failed(p->tally, ticket, answer.size ? answer.at : "refused");
    strbuf_fini(&answer);
    strbuf_fini(&ok);
}

static void take_match(struct bench_players *p, size_t ticket, struct str args) {
    struct strbuf body = {0}, id = {0};
    if (json_element(args, 1, &body) && json_member(strbuf_str(&body), "matchId", &id))
        tally_told(p->tally, ticket, strbuf_str(&id));
    strbuf_fini(&body);
    strbuf_fini(&id);
}

static void take_packet(void *arg, size_t client, struct str packet) {
    struct bench_players *p = arg;
    if (str_starts(packet, STR("430")))
        take_ack(p, ticket_of(p, client), (struct str){packet.at + 3, packet.size - 3});
    else if (str_starts(packet, STR("42[\"match_found\"")))
        take_match(p, ticket_of(p, client), (struct str){packet.at + 2, packet.size - 2});
}

static void gone(void *arg, size_t client, struct str why) {
    struct bench_players *p = arg;
    char text[160];
    snprintf(text, sizeof text, "no connection: %.*s", STR_PRINT(why));
    if (p->gone++ == 0) memcpy(p->why, text, sizeof p->why);
    if (p->opened == p->count) tally_failed(p->tally, ticket_of(p, client), text);
}

static enum err connect_all(struct bench_players *p, struct err_text *why) {
    int64_t end_us = clock_mono_us() + CONNECT_LIMIT_US;
    size_t started = 0;
    while (p->opened < p->count && p->gone == 0 && clock_mono_us() < end_us) {
        for (; started < p->count && game_clients_connecting(p->clients) < CONNECTING_MAX;
             started++)
            game_clients_connect(p->clients, started, p->ids[started]);
        game_clients_service(p->clients, end_us);
    }
    if (p->opened == p->count) return ERR_OK;
    return err_set(why, ERR_UNAVAILABLE, "%zu of %zu players connected%s%s", p->opened, p->count,
                   p->gone ? "; " : "", p->why);
}

enum err bench_players_open(struct bench_players **out, const char *bridge, struct tally *tally,
                            struct err_text *why) {
    struct bench_players *p = mem_alloc(sizeof *p);
    struct game_client_handlers handlers = {opened, take_packet, gone, p};
    const struct arrivals *a = tally->arrivals;
    *out = p;
    p->tally = tally;
    p->count = a->count - a->before;
    p->arena = arena_new(0);
    p->message = arena_new(0);
    p->ids = mem_array(p->count + 1, sizeof *p->ids);
    for (size_t i = 0; i < p->count; i++)
        p->ids[i] = arena_str(p->arena, arrivals_ticket(a, ticket_of(p, i))->players[0].id).at;
    enum err code = game_clients_new(&p->clients, bridge, p->count, &handlers, why);
    return code == ERR_OK ? connect_all(p, why) : code;
}

void bench_players_join(struct bench_players *p, size_t first, size_t count) {
    struct strbuf packet = {0};
    const struct arrivals *a = p->tally->arrivals;
    for (size_t ticket = first; ticket < first + count; ticket++) {
        strbuf_clear(&packet);
        ticket_join_packet(p->message, arrivals_ticket(a, ticket), &packet);
        tally_sent(p->tally, ticket);
        game_clients_send(p->clients, ticket - a->before, strbuf_str(&packet));
        arena_reset(p->message);
    }
    strbuf_fini(&packet);
}

void bench_players_service(struct bench_players *p, int64_t until_us) {
    game_clients_service(p->clients, until_us);
}

void bench_players_close(struct bench_players *p) {
    if (!p) return;
    game_clients_free(p->clients);
    arena_free(p->arena);
    arena_free(p->message);
    mem_free((void *)p->ids);
    mem_free(p);
}
