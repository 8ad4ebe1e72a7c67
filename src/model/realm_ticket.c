/* realm_ticket.c - what records do to tickets: their places in queues, their ends. */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>
#include <stdlib.h>

static void note_recorded(struct realm *r, struct ticket *t, int64_t time_ms) {
    if (list_linked(&t->recorded)) list_remove(&r->tickets_recorded, &t->recorded);
    list_append(&r->tickets_recorded, &t->recorded);
    t->recorded_ms = time_ms;
    t->recorded_in = r->carries;
}

static void keep_ended(struct realm *r, struct ticket *t) {
    list_append(&r->ended, &ticket_end(t)->kept);
    while (r->ended.count > LIMIT_TICKETS_KEPT) {
        realm_forget_ticket(r, realm_first_ended(&r->ended));
        r->counts.forgotten_early++;
    }
}

struct ticket *realm_first_ended(const struct list *l) {
    struct list_node *first = list_first(l);
    if (!first) return NULL;
    char *end = (char *)LIST_OF(first, struct ticket_end, kept);
    return (struct ticket *)(void *)(end - offsetof(struct ticket, places));
}

/* Of an ended one. */
static void leave_list(struct realm *r, struct ticket *t) {
    list_remove(t->held ? &r->held : &r->ended, &ticket_end(t)->kept);
    t->held = false;
}

bool realm_may_be_needed(const struct realm *r, const struct ticket *t) {
    if (t->state != TICKET_MATCHED) return false;
    const struct match *m = realm_find_match(r, ticket_match_id(t));
    const struct queue *q = m ? realm_find_queue(r, m->spec.queue) : NULL;
    return q && q->def->life.backfills && match_is_live(&m->spec);
}

void realm_hold_ticket(struct realm *r, struct ticket *t) {
    leave_list(r, t);
    list_append(&r->held, &ticket_end(t)->kept);
    t->held = true;
    while (r->held.count > LIMIT_TICKETS_KEPT) {
        realm_forget_ticket(r, realm_first_ended(&r->held));
        r->counts.forgotten_early++;
    }
}

void realm_release_tickets(struct realm *r, const struct match_spec *m) {
    for (uint32_t i = 0; r->held.count > 0 && i < m->ticket_count; i++) {
        struct ticket *t = realm_find_ticket(r, m->ticket_ids[i]);
        if (!t || !t->held) continue;
        leave_list(r, t);
        keep_ended(r, t);
    }
}

/* ---- places ---- */

static void wait_in(struct realm *r, struct ticket *t, uint32_t place) {
    struct queue *q = t->places[place].queue;
    q->tickets_queued++;
    q->players_queued += t->player_count;
    if (r->replaying) {
        pool_note(q->pool, t);
        return;
    }
    pool_add(q->pool, t, place);
    realm_set_turn(r, q);
}

static void stop_waiting(struct realm *r, struct ticket *t) {
    for (uint32_t i = 0; i < t->queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        q->tickets_queued--;
        q->players_queued -= t->player_count;
        if (r->replaying) continue;
        pool_remove(q->pool, t->places[i].entry);
        realm_set_turn(r, q);
    }
}

/* Into those of its queues that are known; false when some are still to come. */
static bool enter_queues(struct realm *r, struct ticket *t, const struct ticket_spec *spec) {
    bool all = true;
    for (uint32_t i = 0; i < t->queue_count; i++) {
        if (t->places[i].queue) continue;
        struct queue *q = realm_find_queue(r, spec->queues[i]);
        if (!q) {
            all = false;
            continue;
        }
        t->places[i].queue = q;
        q->tickets_open++;
        t->places[i].eta_kind = eta_arrive(q->eta, q->def->ruleset, spec, t->created_ms);
        if (t->state == TICKET_QUEUED) wait_in(r, t, i);
    }
    return all;
}

static enum eta_end end_in(const struct queue *q, const struct realm_ending *e) {
    if (e->state == TICKET_EXPIRED) return ETA_EXPIRED;
    return e->state == TICKET_MATCHED && e->matched_in == q ? ETA_MATCHED : ETA_CUT;
}

static void leave_queues(struct realm *r, struct ticket *t, const struct realm_ending *e) {
    if (t->state == TICKET_QUEUED) stop_waiting(r, t);
    if (r->orphans.count > 0) (void)map_remove(&r->orphans, id_hash(t->id), t);
    for (uint32_t i = 0; i < t->queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        q->tickets_open--;
        eta_leave(q->eta, t->places[i].eta_kind, t->created_ms, e->time_ms, end_in(q, e));
        t->places[i].queue = NULL;
    }
}

static int by_age(const void *a, const void *b) {
    const struct ticket *x = *(struct ticket *const *)a, *y = *(struct ticket *const *)b;
    if (x->created_ms != y->created_ms) return x->created_ms < y->created_ms ? -1 : 1;
    return id_compare(x->id, y->id);
}

void realm_adopt_orphans(struct realm *r) {
    size_t count = r->orphans.count, cursor = 0;
    if (count == 0) return;
    struct ticket **orphans = mem_array(count, sizeof(struct ticket *));
    for (size_t i = 0; i < count; i++)
        orphans[i] = map_next(&r->orphans, &cursor);
    qsort(orphans, count, sizeof(struct ticket *), by_age);
    for (size_t i = 0; i < count; i++) {
        struct ticket_spec spec = ticket_spec(orphans[i], r->scratch);
        if (enter_queues(r, orphans[i], &spec))
            (void)map_remove(&r->orphans, id_hash(orphans[i]->id), orphans[i]);
        arena_reset(r->scratch);
    }
    mem_free(orphans);
}

/* Counts the ticket in a statistic (of uint64_t, at `offset`) of each queue it is in. */
static void count_each(const struct ticket *t, size_t offset) {
    for (uint32_t i = 0; i < t->queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (q) ++*(uint64_t *)(void *)((char *)&q->stats + offset);
    }
}

/* ---- moves ---- */

void realm_start_timers(struct realm *r, struct ticket *t) {
    heap_start(&r->expiries, &t->expiry, ticket_expires_ms(t));
    if (t->heartbeat_ms) heap_start(&r->pulses, &t->pulse, t->alive_ms + t->heartbeat_ms);
}

static void stop_timers(struct realm *r, struct ticket *t) {
    if (t->state != TICKET_QUEUED) return;
    heap_stop(&r->expiries, &t->expiry);
    heap_stop(&r->pulses, &t->pulse);
}

static void open_ticket(struct realm *r, struct ticket *t, const struct ticket_spec *spec) {
    for (uint32_t i = 0; i < spec->player_count; i++)
        map_put(&r->players, str_hash(spec->players[i].id), t);
    if (!r->replaying && t->state == TICKET_QUEUED) realm_start_timers(r, t);
    r->tickets_open++;
    if (!enter_queues(r, t, spec)) map_put(&r->orphans, id_hash(t->id), t);
}

void realm_close_ticket(struct realm *r, struct ticket *t, const struct realm_ending *e) {
    leave_queues(r, t, e);
    stop_timers(r, t);
    ticket_move(t, e->state);
    ticket_end(t)->ended_ms = e->time_ms;
    const char *at = NULL;
    for (uint32_t i = 0; i < t->player_count; i++)
        map_remove(&r->players, str_hash(ticket_next_player(t, &at)), t);
    r->tickets_open--;
    keep_ended(r, t);
}

void realm_end_ticket(struct realm *r, struct ticket *t, const struct ticket_fate *fate,
                      int64_t time_ms) {
    count_each(t, fate->state == TICKET_CANCELLED ? offsetof(struct queue_stats, cancelled)
                                                  : offsetof(struct queue_stats, expired));
    realm_close_ticket(r, t, &(struct realm_ending){fate->state, time_ms, NULL});
    ticket_set_reason(t, fate->reason);
}

void realm_propose_ticket(struct realm *r, struct ticket *t, struct id match_id) {
    stop_waiting(r, t);
    stop_timers(r, t); /* a proposal ends first */
    ticket_move(t, TICKET_PROPOSED);
    ticket_set_match(t, match_id);
}

void realm_return_ticket(struct realm *r, struct ticket *t, int64_t time_ms) {
    ticket_move(t, TICKET_QUEUED);
    t->alive_ms = time_ms;
    if (!r->replaying) realm_start_timers(r, t);
    for (uint32_t i = 0; i < t->queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        q->pool->search_from_ms = 0; /* now, whenever its tick would come */
        wait_in(r, t, i);
    }
}

/* ---- signs of life ---- */

int64_t realm_heartbeat_ms(const struct realm *r, const struct ticket_spec *spec) {
    int64_t shortest_ms = 0;
    for (uint32_t i = 0; i < spec->queue_count; i++) {
        const struct queue *q = realm_find_queue(r, spec->queues[i]);
        int64_t ms = q ? q->def->life.heartbeat_ms : 0;
        if (ms && (!shortest_ms || ms < shortest_ms)) shortest_ms = ms;
    }
    return shortest_ms;
}

bool realm_heartbeat(struct realm *r, struct id ticket_id, int64_t now_ms) {
    struct ticket *t = realm_find_ticket(r, ticket_id);
    if (!t || !ticket_is_open(t)) return false;
    if (t->state == TICKET_QUEUED) t->alive_ms = now_ms;
    return true;
}

void realm_lead(struct realm *r, int64_t now_ms) {
    if (now_ms > r->owned_from_ms) r->owned_from_ms = now_ms;
}

/* ---- records ---- */

static bool has_busy_player(const struct realm *r, const struct ticket_spec *spec) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (realm_find_player(r, spec->players[i].id)) return true;
    }
    return false;
}

static struct ticket *new_ticket(const struct realm *r, const struct record *record) {
    struct ticket_origin origin = {
        {record->ticket_created.request_key, record->ticket_created.request_hash},
        record->trace_count > 0 ? record->traces : NULL,
        r->home};
    struct ticket *t = ticket_new(record->ticket_created.id, &record->ticket_created.spec, &origin);
    ticket_set_times(t, record->ticket_created.created_ms, record->ticket_created.expires_ms);
    t->heartbeat_ms = (int32_t)record->ticket_created.heartbeat_ms;
    t->promised = record->ticket_created.promised;
    t->alive_ms = record->time_ms;
    if (record->ticket_created.state == TICKET_QUEUED) return t;
    ticket_move(t, record->ticket_created.state);
    ticket_set_match(t, record->ticket_created.match_id);
    if (ticket_is_open(t)) return t;
    ticket_end(t)->ended_ms = record->ticket_created.ended_ms;
    ticket_set_reason(t, record->ticket_created.reason);
    return t;
}

void realm_apply_ticket_created(struct realm *r, const struct record *record) {
    struct ticket *t = realm_find_ticket(r, record->ticket_created.id);
    if (t) {
        if (record->carried)
            note_recorded(r, t, record->time_ms);
        else
            r->skipped++;
        return;
    }
    enum ticket_state state = record->ticket_created.state;
    bool open = state == TICKET_QUEUED || state == TICKET_PROPOSED;
    if (open && has_busy_player(r, &record->ticket_created.spec)) {
        r->skipped++;
        return;
    }
    t = new_ticket(r, record);
    r->tickets_traced += ticket_trace(t) != NULL;
    map_put(&r->tickets, id_hash(t->id), t);
    if (t->has_request) map_put(&r->requests, id_hash(ticket_request(t).key), t);
    note_recorded(r, t, record->time_ms);
    if (!open) {
        keep_ended(r, t);
        return;
    }
    open_ticket(r, t, &record->ticket_created.spec);
    if (!record->carried) count_each(t, offsetof(struct queue_stats, created));
}

void realm_apply_ticket_updated(struct realm *r, const struct record *record) {
    struct ticket *t = realm_find_ticket(r, record->ticket_created.id);
    if (!t) return; /* it comes carried, as updated */
    if (t->state != TICKET_QUEUED) {
        r->skipped++;
        return;
    }
    stop_waiting(r, t);
    struct ticket_spec spec = ticket_spec(t, r->scratch);
    spec.players = record->ticket_created.spec.players;
    ticket_change(t, &spec);
    arena_reset(r->scratch);
    for (uint32_t i = 0; i < t->queue_count; i++)
        if (t->places[i].queue) wait_in(r, t, i);
}

void realm_apply_ticket_ended(struct realm *r, const struct record *record) {
    const struct ticket_fate *fate = &record->ticket_ended;
    struct ticket *t = realm_find_ticket(r, fate->id);
    if (!t) return; /* it comes carried, as ended */
    if (!ticket_is_open(t) || fate->state == TICKET_QUEUED) {
        r->skipped++;
        return;
    }
    realm_end_ticket(r, t, fate, record->time_ms);
}

void realm_forget_ticket(struct realm *r, struct ticket *t) {
    assert(!ticket_is_open(t));
    map_remove(&r->tickets, id_hash(t->id), t);
    if (t->has_request) map_remove(&r->requests, id_hash(ticket_request(t).key), t);
    leave_list(r, t);
    list_remove(&r->tickets_recorded, &t->recorded);
    r->tickets_traced -= ticket_trace(t) != NULL;
    ticket_free(t);
}
