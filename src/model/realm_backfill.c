/* realm_backfill.c - what records do to backfills: their places in queues, their ends, their
 * keeping. A match has one that is active at most. One that comes before its queue's record waits
 * for it as an orphan.
 */
#include "base/limits.h"
#include "model/pool.h"
#include "model/realm_state.h"

#include <assert.h>
#include <math.h>

static void note_recorded(struct realm *r, struct backfill *b, int64_t time_ms) {
    if (list_linked(&b->recorded)) list_remove(&r->backfills_recorded, &b->recorded);
    list_append(&r->backfills_recorded, &b->recorded);
    b->recorded_ms = time_ms;
    b->recorded_in = r->carries;
}

/* ---- finding ---- */

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct backfill *)value)->spec.id, *(const struct id *)key);
}

static bool has_match(const void *value, const void *key) {
    return id_equal(((const struct backfill *)value)->spec.match_id, *(const struct id *)key);
}

static bool has_request(const void *value, const void *key) {
    return id_equal(((const struct backfill *)value)->spec.request_key, *(const struct id *)key);
}

struct backfill *realm_find_backfill(const struct realm *r, struct id id) {
    return map_get(&r->backfills, id_hash(id), has_id, &id);
}

struct backfill *realm_find_backfill_of(const struct realm *r, struct id match_id) {
    if (r->backfilled.count == 0) return NULL;
    return map_get(&r->backfilled, id_hash(match_id), has_match, &match_id);
}

struct backfill *realm_find_backfill_request(const struct realm *r, struct id key) {
    return map_get(&r->backfill_requests, id_hash(key), has_request, &key);
}

const struct backfill *realm_backfill(const struct realm *r, struct id id) {
    return realm_find_backfill(r, id);
}

const struct backfill *realm_backfill_of(const struct realm *r, struct id match_id) {
    return realm_find_backfill_of(r, match_id);
}

uint64_t realm_backfills_active(const struct realm *r) {
    return r->backfilled.count;
}

/* ---- places ---- */

uint32_t realm_team_index(const struct ruleset *rules, struct str name) {
    const struct ruleset_limits *l = ruleset_limits_at(rules, 0);
    for (uint32_t i = 0; i < l->team_count; i++)
        if (str_equal(l->teams[i].name, name)) return i;
    return RULESET_NONE;
}

/* What the search asks of it, by the rules of its queue. */
static void measure(struct backfill *b) {
    const struct ruleset *rules = b->queue->def->ruleset;
    double sum = 0;
    b->fits = true;
    b->key_low = INFINITY;
    b->key_high = -INFINITY;
    for (uint32_t i = 0; i < b->spec.party_count; i++) {
        struct ticket_spec spec = backfill_spec_of(b, i);
        struct err_text why;
        b->team_of[i] = realm_team_index(rules, b->spec.parties[i].team);
        b->fits =
            b->fits && b->team_of[i] != RULESET_NONE && ruleset_admit(rules, &spec, &why) == ERR_OK;
        if (!b->fits) return;
        double key = ruleset_key(rules, &spec);
        b->key_low = fmin(b->key_low, key);
        b->key_high = fmax(b->key_high, key);
        sum += key * spec.player_count;
    }
    b->key = sum / b->player_count;
    struct ticket_spec first = backfill_spec_of(b, 0);
    b->partition = ruleset_partition(rules, &first);
}

void realm_start_backfill(struct realm *r, struct backfill *b) {
    if (b->spec.state != BACKFILL_OPEN || !b->queue) return;
    if (b->spec.expires_ms) heap_start(&r->backfill_expiries, &b->expiry, b->spec.expires_ms);
    if (b->fits) heap_start(&b->queue->backfill_dues, &b->due, 0); /* at the next tick */
    realm_set_turn(r, b->queue);
}

static void stop(struct realm *r, struct backfill *b) {
    heap_stop(&r->backfill_expiries, &b->expiry);
    if (b->queue) heap_stop(&b->queue->backfill_dues, &b->due);
}

/* `after`: its place among those of the queue, which are in order of age; NULL: the last. */
static void enter(struct realm *r, struct backfill *b, struct list_node *after) {
    struct queue *q = realm_find_queue(r, b->spec.queue);
    if (!q) {
        list_append(&r->backfill_orphans, &b->kept);
        return;
    }
    b->queue = q;
    list_insert(&q->backfills, after ? after : q->backfills.head.previous, &b->kept);
    measure(b);
    if (!r->replaying) realm_start_backfill(r, b);
}

static void leave(struct realm *r, struct backfill *b) {
    struct queue *q = b->queue;
    stop(r, b);
    if (q && q->backfill_next == &b->kept) q->backfill_next = b->kept.next;
    list_remove(q                              ? &q->backfills
                : backfill_is_active(&b->spec) ? &r->backfill_orphans
                                               : &r->backfills_ended,
                &b->kept);
    b->queue = NULL;
    if (q && !r->replaying) realm_set_turn(r, q);
}

void realm_adopt_backfills(struct realm *r) {
    LIST_EACH (&r->backfill_orphans, node) {
        struct backfill *b = LIST_OF(node, struct backfill, kept);
        if (!realm_find_queue(r, b->spec.queue)) continue;
        list_remove(&r->backfill_orphans, node);
        enter(r, b, NULL);
    }
}

void realm_refit_backfills(struct realm *r, struct queue *q) {
    LIST_EACH (&q->backfills, node) {
        struct backfill *b = LIST_OF(node, struct backfill, kept);
        stop(r, b);
        b->skip = 0;
        measure(b);
        if (!r->replaying) realm_start_backfill(r, b);
    }
}

/* ---- keeping ---- */

void realm_forget_backfill(struct realm *r, struct backfill *b) {
    leave(r, b);
    if (backfill_is_active(&b->spec)) map_remove(&r->backfilled, id_hash(b->spec.match_id), b);
    if (!id_is_none(b->spec.request_key))
        map_remove(&r->backfill_requests, id_hash(b->spec.request_key), b);
    map_remove(&r->backfills, id_hash(b->spec.id), b);
    list_remove(&r->backfills_recorded, &b->recorded);
    backfill_free(b);
}

static void add(struct realm *r, struct backfill *b, struct list_node *after) {
    const struct backfill_spec *s = &b->spec;
    map_put(&r->backfills, id_hash(s->id), b);
    if (!id_is_none(s->request_key)) map_put(&r->backfill_requests, id_hash(s->request_key), b);
    if (backfill_is_active(s)) {
        map_put(&r->backfilled, id_hash(s->match_id), b);
        enter(r, b, after);
        return;
    }
    list_append(&r->backfills_ended, &b->kept);
    while (r->backfills_ended.count > LIMIT_BACKFILLS_KEPT) {
        struct list_node *oldest = list_first(&r->backfills_ended);
        realm_forget_backfill(r, LIST_OF(oldest, struct backfill, kept));
        r->counts.forgotten_early++;
    }
}

static void count(struct realm *r, const struct backfill *old, const struct backfill_spec *s) {
    struct queue *q = realm_find_queue(r, s->queue);
    if (!q) return;
    q->stats.backfills += !old;
    q->stats.backfills_filled += s->state == BACKFILL_FILLED;
    q->stats.backfills_cancelled += s->state == BACKFILL_CANCELLED;
    q->stats.backfills_expired += s->state == BACKFILL_EXPIRED;
}

/* ---- records ---- */

void realm_put_backfill(struct realm *r, const struct backfill_spec *s, int64_t time_ms,
                        bool carried) {
    struct backfill *old = realm_find_backfill(r, s->id);
    const struct backfill *active = realm_find_backfill_of(r, s->match_id);
    if (old && carried) {
        note_recorded(r, old, time_ms);
        return;
    }
    if ((old && !backfill_may_move(old->spec.state, s->state)) ||
        (backfill_is_active(s) && active && active != old)) {
        r->skipped++;
        return;
    }
    struct backfill *b = backfill_new(s); /* `s` may borrow from the old one */
    struct list_node *after = NULL;
    if (!carried) count(r, old, s);
    if (old) {
        after = backfill_is_active(s) && old->queue ? old->kept.previous : NULL;
        realm_forget_backfill(r, old);
    }
    add(r, b, after);
    note_recorded(r, b, time_ms);
}

void realm_ask_backfill(struct realm *r, struct id id, struct id proposal_id) {
    struct backfill *b = realm_find_backfill(r, id);
    if (!b || b->spec.state != BACKFILL_OPEN) return; /* it comes carried */
    stop(r, b);
    b->spec.state = BACKFILL_PROPOSED;
    b->spec.proposal_id = proposal_id;
    if (b->queue && !r->replaying) realm_set_turn(r, b->queue);
}

void realm_reopen_backfill(struct realm *r, struct id id) {
    struct backfill *b = realm_find_backfill(r, id);
    if (!b || b->spec.state != BACKFILL_PROPOSED) return;
    b->spec.state = BACKFILL_OPEN;
    b->spec.proposal_id = (struct id){0, 0};
    if (!r->replaying) realm_start_backfill(r, b);
}
