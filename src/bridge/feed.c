/* feed.c - from muster.v1.Event to ticket_updated and match_found. */
#include "bridge/feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"

#include <assert.h>
#include <stdio.h>

struct target {
    char player_id[LIMIT_NAME_BYTES + 1];
    char ticket_id[ID_TEXT_BYTES];
};

struct news {
    struct message message; /* first; BRIDGE_NEWS */
    Muster__V1__EventType type;
    size_t target_count;
    struct target *targets;
    size_t event_bytes;
    uint8_t *event; /* packed: most events have nobody connected, and are never unpacked */
};

struct lost {
    struct message message; /* first; BRIDGE_RESYNC */
    char reason[512];
};

/* --- The subscription's thread --------------------------------------------------------------- */

static void add_target(struct news *n, const char *player_id, const char *ticket_id) {
    struct str player = str_of(player_id);
    if (!str_name_valid(player) || str_of(ticket_id).size >= ID_TEXT_BYTES) return;
    struct target *target = &n->targets[n->target_count++];
    snprintf(target->player_id, sizeof target->player_id, "%s", player_id);
    snprintf(target->ticket_id, sizeof target->ticket_id, "%s", ticket_id);
}

static size_t player_count(const Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) return event->ticket->n_players;
    size_t count = 0;
    if (event->body_case == MUSTER__V1__EVENT__BODY_MATCH)
        for (size_t i = 0; i < event->match->n_teams; i++)
            count += event->match->teams[i]->n_players;
    return count;
}

static void add_targets(struct news *n, const Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) {
        for (size_t i = 0; i < event->ticket->n_players; i++)
            add_target(n, event->ticket->players[i]->player_id, event->ticket->ticket_id);
        return;
    }
    for (size_t i = 0; i < event->match->n_teams; i++) {
        const Muster__V1__Team *team = event->match->teams[i];
        for (size_t k = 0; k < team->n_players; k++)
            add_target(n, team->players[k]->player_id, team->players[k]->ticket_id);
    }
}

static void news_free(struct news *n) {
    mem_free(n->targets);
    mem_free(n->event);
    mem_free(n);
}

static void on_event(void *arg, const Muster__V1__Event *event) {
    struct bridge *b = arg;
    size_t count = player_count(event);
    if (count == 0) return; /* queues' events are not for players */
    struct news *n = mem_alloc(sizeof *n);
    n->message.kind = BRIDGE_NEWS;
    n->type = event->type;
    n->targets = mem_array(count, sizeof *n->targets);
    add_targets(n, event);
    n->event_bytes = muster__v1__event__get_packed_size(event);
    n->event = mem_alloc(n->event_bytes + 1);
    muster__v1__event__pack(event, n->event);
    if (inbox_push(&b->inbox, &n->message) != ERR_OK) {
        atomic_store(&b->feed.overflowed, true);
        news_free(n);
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

/* The event's name and arguments, made when the first connected player asks for them. */
struct delivery {
    const struct news *news;
    struct strbuf args;
    struct str name;
};

static bool prepare(struct delivery *d) {
    if (d->args.size > 0) return true;
    Muster__V1__Event *event =
        muster__v1__event__unpack(NULL, d->news->event_bytes, d->news->event);
    if (event == NULL) return false;
    if (event->body_case == MUSTER__V1__EVENT__BODY_MATCH) {
        d->name = STR("match_found");
        payload_message(&event->match->base, &d->args);
    } else {
        d->name = STR("ticket_updated");
        payload_ticket(event->ticket, NULL, &d->args);
    }
    muster__v1__event__free_unpacked(event, NULL);
    return true;
}

/* False when the event is older than what the player was told: after a lost message a ticket's
 * first event may come behind its last. */
static bool note(struct bridge *b, const struct target *t, bool queued, int64_t now_ms) {
    struct str id = str_of(t->player_id);
    if (queued) {
        const char *ended = players_memory(&b->players, id, now_ms);
        if (ended != NULL && str_equal(str_of(ended), str_of(t->ticket_id))) return false;
        players_forget(&b->players, id);
        return true;
    }
    players_remember(&b->players, id, str_of(t->ticket_id), now_ms);
    return true;
}

static void tell(struct player *player, const struct target *t, bool queued, struct delivery *d) {
    if (queued)
        snprintf(player->ticket_id, sizeof player->ticket_id, "%s", t->ticket_id);
    else if (str_equal(str_of(player->ticket_id), str_of(t->ticket_id)))
        player->ticket_id[0] = '\0';
    player->news++;
    if (!prepare(d)) return;
    LIST_EACH (&player->sessions, node) {
        bridge_emit(LIST_OF(node, struct session, link), d->name, strbuf_str(&d->args));
    }
}

void feed_take_news(struct bridge *b, struct message *m) {
    struct news *n = (struct news *)(void *)m;
    struct delivery d = {.news = n};
    bool queued = n->type == MUSTER__V1__EVENT_TYPE__TICKET_QUEUED;
    int64_t now_ms = clock_mono_us() / 1000;
    for (size_t i = 0; i < n->target_count; i++) {
        if (!note(b, &n->targets[i], queued, now_ms)) continue;
        struct player *player = players_find(&b->players, str_of(n->targets[i].player_id));
        if (player == NULL) continue;
        players_ref(player); /* telling may cut his last socket, when it is too slow */
        tell(player, &n->targets[i], queued, &d);
        players_unref(&b->players, player);
    }
    strbuf_fini(&d.args);
    news_free(n);
}

void feed_take_resync(struct bridge *b, struct message *m) {
    struct lost *lost = (struct lost *)(void *)m;
    LOG_WARN("bridge-resync", "reason=%s players=%zu", log_quote(str_of(lost->reason)),
             b->players.all.count);
    states_want_all(b, lost->reason);
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
