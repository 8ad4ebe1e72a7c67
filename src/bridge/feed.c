/* feed.c - from muster.v1.Event to ticket_updated, match_found and the like. */
#include "bridge/feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/traceparent.h"
#include "bridge/beats.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct target {
    char player_id[LIMIT_NAME_BYTES + 1];
    char ticket_id[ID_TEXT_BYTES];
    char trace[TRACEPARENT_TEXT_BYTES]; /* of his ticket; empty: none */
    struct slice {                      /* of the news' args */
        size_t from, size;
    } args;
};

enum meaning { TICKET_STAYS, TICKET_IS_OPEN, TICKET_IS_OVER };

struct news {
    struct message message; /* first; BRIDGE_NEWS */
    enum meaning meaning;
    struct place at;
    int64_t heartbeat_ms; /* of a ticket that was queued; -1: not told */
    struct str name;      /* and arguments, of the event for the sockets: */
    struct strbuf args;   /* JSON arrays; empty when no target was connected */
    size_t target_count;
    struct target targets[];
};

struct lost {
    struct message message; /* first; BRIDGE_RESYNC */
    char reason[512];
};

/* --- The subscription's thread --------------------------------------------------------------- */

/* The news' memory is zeroed: a NUL is behind each text already. */
static void add_target(struct news *n, const char *player_id, const char *ticket_id,
                       const char *traceparent) {
    struct str player = str_of(player_id), ticket = str_of(ticket_id), trace = str_of(traceparent);
    if (!str_name_valid(player) || ticket.size >= ID_TEXT_BYTES) return;
    struct target *target = &n->targets[n->target_count++];
    memcpy(target->player_id, player.at, player.size);
    memcpy(target->ticket_id, ticket.at, ticket.size);
    if (trace.size < TRACEPARENT_TEXT_BYTES) memcpy(target->trace, trace.at, trace.size);
}

static const Muster__V1__Match *match_of(const Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_MATCH) return event->match;
    return event->body_case == MUSTER__V1__EVENT__BODY_MATCH_UPDATE ? event->match_update->match
                                                                    : NULL;
}

static size_t player_count(const Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) return event->ticket->n_players;
    size_t count = 0;
    if (event->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE)
        count = event->acceptance->n_accepted_player_ids + event->acceptance->n_waiting_player_ids;
    const Muster__V1__Match *match = match_of(event);
    for (size_t i = 0; match && i < match->n_teams; i++)
        count += match->teams[i]->n_players;
    if (event->body_case == MUSTER__V1__EVENT__BODY_MATCH_UPDATE)
        count += event->match_update->n_left_player_ids;
    return count; /* at most so many are meant */
}

/* Those who come to a running match are told of it, all others that they have come. */
static bool is_meant(const Muster__V1__Event *event, const Muster__V1__TeamMember *member) {
    if (event->body_case != MUSTER__V1__EVENT__BODY_MATCH_UPDATE) return true;
    const Muster__V1__MatchUpdate *update = event->match_update;
    bool came = false;
    for (size_t i = 0; update->backfill_id[0] != '\0' && i < update->n_joined_player_ids; i++)
        came = came || strcmp(update->joined_player_ids[i], member->player_id) == 0;
    return came == (event->type == MUSTER__V1__EVENT__TYPE__MATCH_JOINED);
}

/* What the ticket of the match was created with, or "". */
static const char *trace_of(const Muster__V1__Event *event, const char *ticket_id) {
    const Muster__V1__Match *match = match_of(event);
    for (size_t i = 0; i < match->n_ticket_ids && i < event->n_traceparents; i++)
        if (strcmp(match->ticket_ids[i], ticket_id) == 0) return event->traceparents[i];
    return "";
}

static void add_members(struct news *n, const Muster__V1__Event *event) {
    const Muster__V1__Match *match = match_of(event);
    for (size_t i = 0; match && i < match->n_teams; i++) {
        const Muster__V1__Team *team = match->teams[i];
        for (size_t k = 0; k < team->n_players; k++) {
            const Muster__V1__TeamMember *member = team->players[k];
            if (is_meant(event, member))
                add_target(n, member->player_id, member->ticket_id,
                           trace_of(event, member->ticket_id));
        }
    }
}

static void add_targets(struct news *n, const Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) {
        const char *trace = event->n_traceparents ? event->traceparents[0] : "";
        for (size_t i = 0; i < event->ticket->n_players; i++)
            add_target(n, event->ticket->players[i]->player_id, event->ticket->ticket_id, trace);
        return;
    }
    if (event->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE) {
        for (size_t i = 0; i < event->acceptance->n_accepted_player_ids; i++)
            add_target(n, event->acceptance->accepted_player_ids[i], "", "");
        for (size_t i = 0; i < event->acceptance->n_waiting_player_ids; i++)
            add_target(n, event->acceptance->waiting_player_ids[i], "", "");
        return;
    }
    add_members(n, event);
    if (event->type == MUSTER__V1__EVENT__TYPE__MATCH_UPDATED)
        for (size_t i = 0; i < event->match_update->n_left_player_ids; i++)
            add_target(n, event->match_update->left_player_ids[i], "", "");
}

void feed_news_free(struct news *n) {
    strbuf_fini(&n->args);
    mem_free(n);
}

static bool may_be_here(const struct bridge *b, const struct news *n) {
    for (size_t i = 0; i < n->target_count; i++)
        if (players_may_be_here(&b->players, str_of(n->targets[i].player_id))) return true;
    return false;
}

/* What players call an event, and what it means for their ticket. */
static const struct meant {
    const char *name;
    enum meaning meaning;
} meant[] = {
    [MUSTER__V1__EVENT__TYPE__TICKET_QUEUED] = {"ticket_updated", TICKET_IS_OPEN},
    [MUSTER__V1__EVENT__TYPE__TICKET_UPDATED] = {"ticket_updated", TICKET_IS_OPEN},
    [MUSTER__V1__EVENT__TYPE__TICKET_RETURNED] = {"ticket_updated", TICKET_IS_OPEN},
    [MUSTER__V1__EVENT__TYPE__TICKET_CANCELLED] = {"ticket_updated", TICKET_IS_OVER},
    [MUSTER__V1__EVENT__TYPE__TICKET_EXPIRED] = {"ticket_updated", TICKET_IS_OVER},
    [MUSTER__V1__EVENT__TYPE__MATCH_PROPOSED] = {"match_proposed", TICKET_IS_OPEN},
    [MUSTER__V1__EVENT__TYPE__MATCH_ACCEPTANCE] = {"match_acceptance", TICKET_STAYS},
    [MUSTER__V1__EVENT__TYPE__MATCH_FOUND] = {"match_found", TICKET_IS_OVER},
    [MUSTER__V1__EVENT__TYPE__MATCH_CANCELLED] = {"match_cancelled", TICKET_STAYS},
    [MUSTER__V1__EVENT__TYPE__MATCH_ASSIGNED] = {"match_assigned", TICKET_STAYS},
    [MUSTER__V1__EVENT__TYPE__MATCH_COMPLETED] = {"match_completed", TICKET_STAYS},
    [MUSTER__V1__EVENT__TYPE__MATCH_UPDATED] = {"match_updated", TICKET_STAYS},
    [MUSTER__V1__EVENT__TYPE__MATCH_JOINED] = {"match_found", TICKET_IS_OVER},
};

/* NULL: a type that is not for players, or of a newer server. */
static const struct meant *meaning_of(Muster__V1__Event__Type type) {
    size_t count = sizeof meant / sizeof *meant;
    return (size_t)type < count && meant[type].name ? &meant[type] : NULL;
}

static void write_payload(const Muster__V1__Event *event, const char *trace, struct strbuf *out) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) {
        payload_ticket(event->ticket, NULL, trace, out);
    } else if (event->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE) {
        payload_message(&event->acceptance->base, out);
    } else if (event->type == MUSTER__V1__EVENT__TYPE__MATCH_UPDATED) {
        Muster__V1__MatchUpdate update = *event->match_update;
        update.traceparent = (char *)trace; /* only read */
        payload_message(&update.base, out);
    } else {
        Muster__V1__Match match = *match_of(event);
        match.traceparent = (char *)trace;
        payload_message(&match.base, out);
    }
}

/* One for all, and one for each who came with a trace. */
static void write_args(struct news *n, const Muster__V1__Event *event) {
    struct slice shared = {0, 0};
    for (size_t i = 0; i < n->target_count; i++) {
        struct target *t = &n->targets[i];
        t->args = shared;
        if (!t->trace[0] && shared.size > 0) continue;
        t->args.from = n->args.size;
        write_payload(event, t->trace, &n->args);
        t->args.size = n->args.size - t->args.from;
        if (!t->trace[0]) shared = t->args;
    }
}

/* A ticket's event comes once for each of its queues: that of the first counts. */
static bool is_repeat(const Muster__V1__Event *event) {
    return event->body_case == MUSTER__V1__EVENT__BODY_TICKET && event->ticket->n_queues > 0 &&
           strcmp(event->ticket->queues[0], event->queue) != 0;
}

struct news *feed_news(const struct bridge *b, const Muster__V1__Event *event) {
    size_t count = player_count(event);
    const struct meant *means = meaning_of(event->type);
    if (count == 0 || !means || is_repeat(event)) return NULL; /* not for players */
    struct news *n = mem_alloc(sizeof *n + count * sizeof *n->targets);
    n->message.kind = BRIDGE_NEWS;
    n->name = str_of(means->name);
    n->meaning = means->meaning;
    n->at = (struct place){event->epoch, event->seq, event->index};
    bool queued = event->type == MUSTER__V1__EVENT__TYPE__TICKET_QUEUED;
    n->heartbeat_ms = queued ? (int64_t)event->ticket->heartbeat_ms : -1;
    add_targets(n, event);
    if (may_be_here(b, n)) write_args(n, event);
    return n;
}

static void on_event(void *arg, const Muster__V1__Event *event) {
    struct bridge *b = arg;
    admin_feed_event(b, event);
    struct news *n = feed_news(b, event);
    if (n == NULL) return;
    if (inbox_push(&b->inbox, &n->message) != ERR_OK) {
        atomic_store(&b->feed.overflowed, true);
        feed_news_free(n);
    }
}

static void on_resync(void *arg, const char *reason) {
    struct bridge *b = arg;
    struct lost *lost = mem_alloc(sizeof *lost);
    lost->message.kind = BRIDGE_RESYNC;
    snprintf(lost->reason, sizeof lost->reason, "%s", reason);
    inbox_push_always(&b->inbox, &lost->message);
}

enum err feed_start(struct bridge *b, const struct bridge_options *o, struct err_text *why) {
    struct muster_subscribe_options options = {.events = o->events,
                                               .realm = o->realm,
                                               .on_event = on_event,
                                               .on_resync = on_resync,
                                               .arg = b};
    struct muster_status status;
    enum muster_code code = muster_subscribe(&b->subscription, b->client, &options, &status);
    if (code == MUSTER_OK) return ERR_OK;
    return err_set(why, err_from_code((unsigned)code), "events: %s", status.message);
}

/* --- The bridge's thread --------------------------------------------------------------------- */

/* False when the event is older than what the player was told: after a lost message a ticket's
 * first event may come behind its last. */
static bool note(struct bridge *b, const struct target *t, enum meaning meaning, int64_t now_ms) {
    struct str id = str_of(t->player_id);
    if (meaning == TICKET_STAYS) return true;
    if (meaning == TICKET_IS_OPEN) {
        const char *ended = players_memory(&b->players, id, now_ms);
        if (ended != NULL && str_equal(str_of(ended), str_of(t->ticket_id))) return false;
        players_forget(&b->players, id);
        return true;
    }
    players_remember(&b->players, id, str_of(t->ticket_id), now_ms);
    return true;
}

const struct place *feed_news_place(const struct news *n) {
    return &n->at;
}

size_t feed_news_targets(const struct news *n) {
    return n->target_count;
}

struct player *feed_news_player(struct bridge *b, const struct news *n, size_t index) {
    return players_find(&b->players, str_of(n->targets[index].player_id));
}

static void emit_as(struct session *s, const struct target *t, const struct news *n) {
    if (n->args.size == 0) return;
    bridge_emit(s, n->name, (struct str){n->args.at + t->args.from, t->args.size}, &n->at);
}

void feed_news_emit(struct session *s, const struct news *n, size_t index) {
    emit_as(s, &n->targets[index], n);
}

static void emit(struct player *player, const struct target *t, const struct news *n) {
    LIST_EACH (&player->sessions, node) {
        struct session *s = LIST_OF(node, struct session, link);
        if (!s->resuming && place_compare(&n->at, &s->covered) > 0) emit_as(s, t, n);
    }
}

/* He was not here yet when the event came; what he was sent since may be older than it. */
static void fetch(struct bridge *b, struct player *player) {
    LIST_EACH (&player->sessions, node) {
        struct session *s = LIST_OF(node, struct session, link);
        if (!s->resuming) states_want_session(b, s);
    }
}

static void tell(struct bridge *b, struct player *player, const struct target *t,
                 const struct news *n) {
    if (n->meaning == TICKET_IS_OPEN)
        snprintf(player->ticket_id, sizeof player->ticket_id, "%s", t->ticket_id);
    if (n->heartbeat_ms >= 0) beats_want(player, n->heartbeat_ms);
    if (n->meaning == TICKET_IS_OVER && str_equal(str_of(player->ticket_id), str_of(t->ticket_id)))
        player->ticket_id[0] = '\0';
    player->news++;
    player->whole_news += n->meaning != TICKET_STAYS;
    if (n->args.size > 0)
        emit(player, t, n);
    else
        fetch(b, player);
}

void feed_take_news(struct bridge *b, struct message *m) {
    struct news *n = (struct news *)(void *)m;
    int64_t now_ms = clock_mono_us() / 1000;
    if (place_compare(&n->at, &b->feed.last) > 0) b->feed.last = n->at;
    for (size_t i = 0; i < n->target_count; i++) {
        if (!note(b, &n->targets[i], n->meaning, now_ms)) continue;
        struct player *player = players_find(&b->players, str_of(n->targets[i].player_id));
        if (player == NULL) continue;
        if (n->targets[i].trace[0])
            LOG_DEBUG("player-told", "player=%s event=%.*s traceparent=%s", player->id,
                      STR_PRINT(n->name), n->targets[i].trace);
        players_ref(player); /* telling may cut his last socket, when it is too slow */
        tell(b, player, &n->targets[i], n);
        players_unref(&b->players, player);
    }
    feed_news_free(n);
}

void feed_take_resync(struct bridge *b, struct message *m) {
    struct lost *lost = (struct lost *)(void *)m;
    LOG_WARN("bridge-resync", "reason=%s players=%zu", log_quote(str_of(lost->reason)),
             b->players.all.count);
    states_want_all(b, lost->reason);
    admin_feed_tell(b, "resync", lost->reason);
    mem_free(lost);
}

void feed_tick(struct bridge *b) {
    uint64_t gaps = muster_subscription_gaps(b->subscription);
    metric_add(METRIC_bridge_gaps_total, (int64_t)(gaps - b->gaps));
    b->gaps = gaps;
    if (atomic_exchange(&b->feed.overflowed, false)) {
        LOG_WARN("bridge-overflow", "players=%zu", b->players.all.count);
        states_want_all(b, "the bridge was overloaded");
    }
    if (!b->heard && muster_subscription_live(b->subscription)) {
        b->heard = true;
        /* Who connected before the stream began may have missed what came between. */
        if (b->players.all.count > 0) states_want_all(b, "the event stream has begun");
    }
}
