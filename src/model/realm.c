/* realm.c - a realm's memory and its indices: who is found by what. */
#include "model/realm.h"

#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>

struct realm *realm_new(int64_t keep_ms) {
    assert(keep_ms >= 0);
    struct realm *r = mem_alloc(sizeof *r);
    r->keep_ms = keep_ms;
    list_init(&r->ended);
    list_init(&r->matches_kept);
    list_init(&r->tickets_recorded);
    list_init(&r->matches_recorded);
    list_init(&r->penalties_recorded);
    list_init(&r->backfills_recorded);
    list_init(&r->backfills_ended);
    list_init(&r->backfill_orphans);
    list_init(&r->held);
    r->home = ticket_home_new();
    r->scratch = arena_new(0);
    r->fill = fill_new();
    r->pick = pick_new();
    r->refusal = refusal_new();
    r->sweep = sweep_new();
    return r;
}

void realm_free(struct realm *r) {
    if (!r) return;
    while (list_first(&r->backfills_recorded)) {
        struct list_node *node = list_first(&r->backfills_recorded);
        realm_forget_backfill(r, LIST_OF(node, struct backfill, recorded));
    }
    while (r->queue_count)
        realm_free_queue(r, r->queues[--r->queue_count]);
    while (list_first(&r->matches_kept)) {
        realm_forget_match(r, LIST_OF(list_first(&r->matches_kept), struct match, kept));
    }
    heap_stop_all(&r->expiries);
    heap_stop_all(&r->pulses);
    LIST_EACH (&r->tickets_recorded, node) {
        struct ticket *t = LIST_OF(node, struct ticket, recorded);
        if (!ticket_is_open(t)) list_remove(t->held ? &r->held : &r->ended, &ticket_end(t)->kept);
        list_remove(&r->tickets_recorded, node);
        ticket_free(t);
    }
    while (list_first(&r->penalties_recorded)) {
        realm_forget_penalty(r,
                             LIST_OF(list_first(&r->penalties_recorded), struct penalty, recorded));
    }
    mem_free(r->queues);
    map_fini(&r->orphans);
    map_fini(&r->tickets);
    map_fini(&r->players);
    map_fini(&r->requests);
    map_fini(&r->matches);
    map_fini(&r->penalties);
    map_fini(&r->holders);
    map_fini(&r->backfills);
    map_fini(&r->backfilled);
    map_fini(&r->backfill_requests);
    heap_fini(&r->expiries);
    heap_fini(&r->pulses);
    heap_fini(&r->match_ends);
    heap_fini(&r->match_forgets);
    heap_fini(&r->penalty_ends);
    heap_fini(&r->turns);
    heap_fini(&r->backfill_expiries);
    pick_free(r->pick);
    refusal_free(r->refusal);
    sweep_free(r->sweep);
    fill_free(r->fill);
    ticket_home_free(r->home);
    arena_free(r->scratch);
    mem_free(r);
}

void realm_free_queue(struct realm *r, struct queue *q) {
    heap_stop(&r->turns, &q->pool->turn);
    pool_free(q->pool);
    heap_fini(&q->backfill_dues);
    eta_free(q->eta);
    queue_def_free(q->def);
    queue_history_fini(&q->history);
    mem_free((char *)q->author.at);
    mem_free((char *)q->comment.at);
    mem_free(q);
}

void realm_emit(struct realm *r, const struct decision *d, struct record *record) {
    realm_trace_record(r, record, d->arena);
    d->sink(d->sink_arg, record);
    realm_apply(r, record);
}

/* ---- finding ---- */

static bool ticket_has_id(const void *value, const void *key) {
    return id_equal(((const struct ticket *)value)->id, *(const struct id *)key);
}

static bool ticket_has_request(const void *value, const void *key) {
    return id_equal(ticket_request(value).key, *(const struct id *)key);
}

static bool has_player(const void *value, const void *key) {
    return ticket_has_player(value, *(const struct str *)key);
}

static bool match_has_id(const void *value, const void *key) {
    return id_equal(((const struct match *)value)->spec.id, *(const struct id *)key);
}

struct ticket *realm_find_ticket(const struct realm *r, struct id id) {
    return map_get(&r->tickets, id_hash(id), ticket_has_id, &id);
}

struct match *realm_find_match(const struct realm *r, struct id id) {
    return map_get(&r->matches, id_hash(id), match_has_id, &id);
}

struct ticket *realm_find_request(const struct realm *r, struct id key) {
    return map_get(&r->requests, id_hash(key), ticket_has_request, &key);
}

struct ticket *realm_find_player(const struct realm *r, struct str player) {
    return map_get(&r->players, str_hash(player), has_player, &player);
}

static bool match_has_player(const void *value, const void *key) {
    return match_member(&((const struct match *)value)->spec, *(const struct str *)key) != NULL;
}

struct match *realm_find_holder(const struct realm *r, struct str player) {
    if (r->holders.count == 0) return NULL;
    return map_get(&r->holders, str_hash(player), match_has_player, &player);
}

uint32_t realm_queue_place(const struct realm *r, struct str name, bool *found) {
    uint32_t low = 0, high = r->queue_count;
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(r->queues[middle]->def->name, name);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *found = *found || order == 0;
        }
    }
    return low;
}

struct queue *realm_find_queue(const struct realm *r, struct str name) {
    bool found;
    uint32_t place = realm_queue_place(r, name, &found);
    return found ? r->queues[place] : NULL;
}

const struct ticket *realm_ticket(const struct realm *r, struct id id) {
    return realm_find_ticket(r, id);
}

const struct ticket *realm_player_ticket(const struct realm *r, struct str player) {
    return realm_find_player(r, player);
}

const struct match *realm_match(const struct realm *r, struct id id) {
    return realm_find_match(r, id);
}

const struct queue *realm_queue(const struct realm *r, struct str name) {
    return realm_find_queue(r, name);
}

const struct queue *realm_next_queue(const struct realm *r, const struct queue *previous) {
    uint32_t place = 0;
    if (previous) {
        bool found;
        place = realm_queue_place(r, previous->def->name, &found) + 1;
    }
    return place < r->queue_count ? r->queues[place] : NULL;
}

const struct match *realm_next_match(const struct realm *r, const struct match *previous) {
    const struct list_node *n = previous ? previous->kept.previous : r->matches_kept.head.previous;
    return n == &r->matches_kept.head ? NULL : LIST_OF(n, struct match, kept);
}

uint64_t realm_tickets_open(const struct realm *r) {
    return r->tickets_open;
}

uint64_t realm_matches_kept(const struct realm *r) {
    return r->matches_kept.count;
}

struct realm_counts realm_counted(const struct realm *r) {
    struct realm_counts counts = r->counts;
    counts.forms_unshared = ticket_home_unshared(r->home);
    return counts;
}

uint64_t realm_skipped(const struct realm *r) {
    return r->skipped;
}

int64_t realm_oldest_wait_ms(const struct realm *r, const struct queue *q, int64_t now_ms) {
    (void)r;
    const struct pool_entry *e = pool_oldest(q->pool);
    return e && now_ms > pool_created_ms(e) ? now_ms - pool_created_ms(e) : 0;
}

struct ticket_wait realm_wait(const struct realm *r, const struct ticket *t, int64_t now_ms) {
    (void)r;
    struct ticket_wait rest = {0, 0};
    struct eta_ask ask = {now_ms, now_ms > t->created_ms ? now_ms - t->created_ms : 0,
                          ticket_expires_ms(t) - now_ms};
    for (uint32_t i = 0; i < t->queue_count && ticket_is_open(t); i++) {
        const struct ticket_place *at = &t->places[i];
        if (at->queue)
            rest = ticket_wait_first(rest, eta_at(at->queue->eta, at->eta_kind, &ask).rest);
    }
    return rest;
}

/* ---- time ---- */

void realm_set_turn(struct realm *r, struct queue *q) {
    int64_t due = pool_due_ms(q->pool), fill_due = heap_due(&q->backfill_dues);
    if (fill_due < q->pool->search_from_ms) fill_due = q->pool->search_from_ms;
    if (fill_due < due) due = fill_due;
    struct heap_node *turn = &q->pool->turn;
    if (due == INT64_MAX)
        heap_stop(&r->turns, turn);
    else if (!heap_started(turn) || heap_due_of(&r->turns, turn) != due)
        heap_start(&r->turns, turn, due);
}

static int64_t sooner(int64_t due, int64_t other) {
    return other < due ? other : due;
}

int64_t realm_kept_until_ms(const struct realm *r, int64_t since_ms) {
    return (since_ms > r->owned_from_ms ? since_ms : r->owned_from_ms) + r->keep_ms;
}

int64_t realm_next_due_ms(const struct realm *r) {
    int64_t due = sooner(heap_due(&r->turns), heap_due(&r->expiries));
    const struct ticket *ended = realm_first_ended(&r->ended);
    if (ended) due = sooner(due, realm_kept_until_ms(r, ticket_ended_ms(ended)));
    due = sooner(due, heap_due(&r->pulses));
    due = sooner(due, heap_due(&r->match_ends));
    due = sooner(due, heap_due(&r->match_forgets));
    due = sooner(due, heap_due(&r->penalty_ends));
    due = sooner(due, heap_due(&r->backfill_expiries));
    if (list_first(&r->backfills_ended)) {
        struct backfill *b = LIST_OF(list_first(&r->backfills_ended), struct backfill, kept);
        due = sooner(due, realm_kept_until_ms(r, b->spec.ended_ms));
    }
    return due;
}
