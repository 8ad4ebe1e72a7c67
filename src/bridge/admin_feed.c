/* admin_feed.c - from muster.v1.Event to what a dashboard shows. */
#include "bridge/admin_feed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "bridge/rpc.h"

#include <string.h>

enum { PLAYERS_SHOWN = 8 };

struct sight {
    struct message message;       /* first; BRIDGE_SIGHT */
    char match_id[ID_TEXT_BYTES]; /* of a match to be fetched and shown; or */
    struct strbuf args;           /* of a happening: a JSON array */
};

/* --- The subscription's thread --------------------------------------------------------------- */

static bool allowed(struct admin_feed *f, struct admin_allowance *a, unsigned per_s) {
    int64_t second = clock_mono_us() / 1000000;
    if (a->second != second) *a = (struct admin_allowance){.second = second};
    if (a->used < per_s) {
        a->used++;
        return true;
    }
    atomic_fetch_add(&f->left_out, 1);
    return false;
}

static void show(struct bridge *b, struct sight *s) {
    s->message.kind = BRIDGE_SIGHT;
    if (inbox_push(&b->inbox, &s->message) == ERR_OK) return;
    atomic_fetch_add(&b->admin_feed.left_out, 1);
    strbuf_fini(&s->args);
    mem_free(s);
}

#define TYPE(name) MUSTER__V1__EVENT__TYPE__##name
#define SEVERITY(name) MUSTER__V1__HAPPENING__SEVERITY__##name

static const struct kind {
    const char *type; /* NULL: not a happening */
    Muster__V1__Happening__Severity severity;
} kinds[] = {
    [TYPE(TICKET_QUEUED)] = {"ticket_queued", SEVERITY(ORDINARY)},
    [TYPE(TICKET_UPDATED)] = {"ticket_updated", SEVERITY(ORDINARY)},
    [TYPE(TICKET_RETURNED)] = {"ticket_returned", SEVERITY(ORDINARY)},
    [TYPE(TICKET_CANCELLED)] = {"ticket_cancelled", SEVERITY(UNHAPPY)},
    [TYPE(TICKET_EXPIRED)] = {"ticket_expired", SEVERITY(UNHAPPY)},
    [TYPE(MATCH_ACCEPTANCE)] = {"match_acceptance", SEVERITY(ORDINARY)},
    [TYPE(MATCH_CANCELLED)] = {"match_cancelled", SEVERITY(UNHAPPY)},
    [TYPE(MATCH_ASSIGNED)] = {"match_assigned", SEVERITY(ORDINARY)},
    [TYPE(MATCH_COMPLETED)] = {"match_completed", SEVERITY(ORDINARY)},
    [TYPE(QUEUE_UPDATED)] = {"queue_updated", SEVERITY(OPERATION)},
    [TYPE(QUEUE_DELETED)] = {"queue_deleted", SEVERITY(OPERATION)},
};

/* `players`: room for PLAYERS_SHOWN. */
static void name_player(Muster__V1__Happening *h, char **players, char *id) {
    h->player_ids = players;
    if (h->n_player_ids < PLAYERS_SHOWN) players[h->n_player_ids++] = id;
    h->players++;
}

static void of_ticket(Muster__V1__Happening *h, char **players, const Muster__V1__Event *e) {
    h->ticket_id = e->ticket->ticket_id;
    h->reason = e->ticket->reason;
    h->wait_ms = e->time_ms - e->ticket->create_time_ms;
    for (size_t i = 0; i < e->ticket->n_players; i++)
        name_player(h, players, e->ticket->players[i]->player_id);
}

static void of_match(Muster__V1__Happening *h, char **players, const Muster__V1__Event *e) {
    h->match_id = e->match->match_id;
    h->reason = e->match->reason;
    for (size_t t = 0; t < e->match->n_teams; t++)
        for (size_t i = 0; i < e->match->teams[t]->n_players; i++)
            name_player(h, players, e->match->teams[t]->players[i]->player_id);
}

static void of_acceptance(Muster__V1__Happening *h, char **players, const Muster__V1__Event *e) {
    h->match_id = e->acceptance->match_id;
    for (size_t i = 0; i < e->acceptance->n_accepted_player_ids; i++)
        name_player(h, players, e->acceptance->accepted_player_ids[i]);
}

static void write_happening(const struct kind *k, const Muster__V1__Event *e, struct strbuf *out) {
    Muster__V1__Happening h = MUSTER__V1__HAPPENING__INIT;
    char *players[PLAYERS_SHOWN];
    h.type = (char *)k->type;
    h.severity = k->severity;
    h.time_ms = e->time_ms;
    h.queue = e->queue;
    if (e->body_case == MUSTER__V1__EVENT__BODY_TICKET) of_ticket(&h, players, e);
    if (e->body_case == MUSTER__V1__EVENT__BODY_MATCH) of_match(&h, players, e);
    if (e->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE) of_acceptance(&h, players, e);
    if (e->body_case == MUSTER__V1__EVENT__BODY_QUEUE_INFO)
        h.queue_version = e->queue_info->version;
    payload_message(&h.base, out);
}

/* A ticket's event comes once for each of its queues: that of the first counts. */
static bool is_repeat(const Muster__V1__Event *e) {
    return e->body_case == MUSTER__V1__EVENT__BODY_TICKET && e->ticket->n_queues > 0 &&
           strcmp(e->ticket->queues[0], e->queue) != 0;
}

void admin_feed_event(struct bridge *b, const Muster__V1__Event *e) {
    struct admin_feed *f = &b->admin_feed;
    if (!admin_watched(&b->admin) || is_repeat(e)) return;
    if (e->type == TYPE(MATCH_FOUND) || e->type == TYPE(MATCH_PROPOSED)) {
        struct str id = str_of(e->match->match_id);
        if (id.size >= ID_TEXT_BYTES || !allowed(f, &f->matches, ADMIN_MATCHES_PER_S)) return;
        struct sight *s = mem_alloc(sizeof *s);
        memcpy(s->match_id, id.at, id.size);
        show(b, s);
        return;
    }
    if ((size_t)e->type >= sizeof kinds / sizeof *kinds || !kinds[e->type].type) return;
    const struct kind *k = &kinds[e->type];
    if (!allowed(f, &f->happenings[k->severity], ADMIN_HAPPENINGS_PER_S)) return;
    struct sight *s = mem_alloc(sizeof *s);
    write_happening(k, e, &s->args);
    show(b, s);
}

/* --- The bridge's thread --------------------------------------------------------------------- */

static void on_match(struct bridge *b, struct rpc *rpc) {
    if (rpc->status.code != MUSTER_OK) return; /* forgotten already */
    Muster__V1__GetMatchResponse *got = (Muster__V1__GetMatchResponse *)rpc->response;
    Muster__V1__AdminMatch shown = MUSTER__V1__ADMIN_MATCH__INIT;
    shown.match = got->match;
    shown.n_tickets = got->n_tickets;
    shown.tickets = got->tickets;
    admin_tell(b, "match", &shown.base);
}

void admin_feed_take(struct bridge *b, struct message *m) {
    struct sight *s = (struct sight *)(void *)m;
    if (s->match_id[0] != '\0' && admin_watched(&b->admin)) {
        Muster__V1__GetMatchRequest get = MUSTER__V1__GET_MATCH_REQUEST__INIT;
        get.match_id = s->match_id;
        get.with_tickets = true;
        rpc_call(rpc_new(b, on_match, NULL, STR_EMPTY), "Matches/GetMatch", &get.base, NULL);
    } else if (s->args.size > 0) {
        admin_send(b, "happening", strbuf_str(&s->args));
    }
    strbuf_fini(&s->args);
    mem_free(s);
}

void admin_feed_tell(struct bridge *b, const char *type, const char *reason) {
    Muster__V1__Happening h = MUSTER__V1__HAPPENING__INIT;
    if (!admin_watched(&b->admin)) return;
    h.type = (char *)type;
    h.severity = SEVERITY(OPERATION);
    h.time_ms = clock_wall_ms();
    h.reason = (char *)reason;
    admin_tell(b, "happening", &h.base);
}
