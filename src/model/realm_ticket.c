/* realm_ticket.c - what records do to tickets: their places in queues, their ends. */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>

static void note_recorded(struct realm *r, struct ticket *t, int64_t time_ms) {
    if (list_linked(&t->recorded)) list_remove(&r->tickets_recorded, &t->recorded);
    list_append(&r->tickets_recorded, &t->recorded);
    t->recorded_ms = time_ms;
    t->recorded_serial = r->recorded_serial++;
}

static void keep_ended(struct realm *r, struct ticket *t) {
    list_append(&r->ended, &t->kept);
    while (r->ended.count > LIMIT_TICKETS_KEPT) {
        realm_forget_ticket(r, LIST_OF(list_first(&r->ended), struct ticket, kept));
        r->counts.forgotten_early++;
    }
}

struct list *realm_list_of(struct realm *r, const struct ticket *t) {
    if (ticket_is_open(t)) return &r->orphans;
    return t->held ? &r->held : &r->ended;
}

bool realm_may_be_needed(const struct realm *r, const struct ticket *t) {
    if (t->state != TICKET_MATCHED) return false;
    const struct match *m = realm_find_match(r, t->match_id);
    const struct queue *q = m ? realm_find_queue(r, m->spec.queue) : NULL;
    return q && q->def->life.backfills && match_is_live(&m->spec);
}

void realm_hold_ticket(struct realm *r, struct ticket *t) {
    list_remove(&r->ended, &t->kept);
    list_append(&r->held, &t->kept);
    t->held = true;
    while (r->held.count > LIMIT_TICKETS_KEPT) {
        realm_forget_ticket(r, LIST_OF(list_first(&r->held), struct ticket, kept));
        r->counts.forgotten_early++;
    }
}

void realm_release_tickets(struct realm *r, const struct match_spec *m) {
    for (uint32_t i = 0; r->held.count > 0 && i < m->ticket_count; i++) {
        struct ticket *t = realm_find_ticket(r, m->ticket_ids[i]);
        if (!t || !t->held) continue;
        list_remove(&r->held, &t->kept);
        t->held = false;
        keep_ended(r, t);
    }
}

/* ---- places ---- */

static void wait_in(struct realm *r, struct ticket *t, uint32_t place) {
    struct queue *q = t->places[place].queue;
    q->tickets_queued++;
    q->players_queued += t->spec.player_count;
    if (r->replaying) {
        pool_note(q->pool, t);
        return;
    }
    pool_add(q->pool, t, place);
    realm_set_turn(r, q);
}

static void stop_waiting(struct realm *r, struct ticket *t) {
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        q->tickets_queued--;
        q->players_queued -= t->spec.player_count;
        if (r->replaying) continue;
        pool_remove(q->pool, t->places[i].entry);
        realm_set_turn(r, q);
    }
}

/* Into those of its queues that are known; false when some are still to come. */
static bool enter_queues(struct realm *r, struct ticket *t) {
    bool all = true;
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        if (t->places[i].queue) continue;
        struct queue *q = realm_find_queue(r, t->spec.queues[i]);
        if (!q) {
            all = false;
            continue;
        }
        t->places[i].queue = q;
        q->tickets_open++;
        t->places[i].eta_kind = eta_arrive(q->eta, q->def->ruleset, &t->spec, t->created_ms);
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
    if (list_linked(&t->kept)) list_remove(&r->orphans, &t->kept);
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        q->tickets_open--;
        eta_leave(q->eta, t->places[i].eta_kind, t->created_ms, e->time_ms, end_in(q, e));
        t->places[i].queue = NULL;
    }
}

void realm_adopt_orphans(struct realm *r) {
    LIST_EACH (&r->orphans, node) {
        if (enter_queues(r, LIST_OF(node, struct ticket, kept))) list_remove(&r->orphans, node);
    }
}

/* Counts the ticket in a statistic (of uint64_t, at `offset`) of each queue it is in. */
static void count_each(const struct ticket *t, size_t offset) {
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (q) ++*(uint64_t *)(void *)((char *)&q->stats + offset);
    }
}

/* ---- moves ---- */

void realm_start_timers(struct realm *r, struct ticket *t) {
    heap_start(&r->expiries, &t->expiry, t->expires_ms);
    if (t->heartbeat_ms) heap_start(&r->pulses, &t->pulse, t->alive_ms + t->heartbeat_ms);
}

static void stop_timers(struct realm *r, struct ticket *t) {
    heap_stop(&r->expiries, &t->expiry);
    heap_stop(&r->pulses, &t->pulse);
}

static void open_ticket(struct realm *r, struct ticket *t) {
    for (uint32_t i = 0; i < t->spec.player_count; i++) {
        map_put(&r->players, str_hash(t->spec.players[i].id), t);
    }
    if (!r->replaying && t->state == TICKET_QUEUED) realm_start_timers(r, t);
    r->tickets_open++;
    if (!enter_queues(r, t)) list_append(&r->orphans, &t->kept);
}

void realm_close_ticket(struct realm *r, struct ticket *t, const struct realm_ending *e) {
    leave_queues(r, t, e);
    ticket_move(t, e->state);
    t->ended_ms = e->time_ms;
    for (uint32_t i = 0; i < t->spec.player_count; i++) {
        map_remove(&r->players, str_hash(t->spec.players[i].id), t);
    }
    stop_timers(r, t);
    r->tickets_open--;
    keep_ended(r, t);
}

void realm_end_ticket(struct realm *r, struct ticket *t, const struct ticket_fate *fate,
                      int64_t time_ms) {
    struct str reason = fate->reason;
    if (reason.size) t->reason = (struct str){mem_text(reason), reason.size};
    count_each(t, fate->state == TICKET_CANCELLED ? offsetof(struct queue_stats, cancelled)
                                                  : offsetof(struct queue_stats, expired));
    realm_close_ticket(r, t, &(struct realm_ending){fate->state, time_ms, NULL});
}

void realm_propose_ticket(struct realm *r, struct ticket *t, struct id match_id) {
    stop_waiting(r, t);
    ticket_move(t, TICKET_PROPOSED);
    t->match_id = match_id;
    stop_timers(r, t); /* a proposal ends first */
}

void realm_return_ticket(struct realm *r, struct ticket *t, int64_t time_ms) {
    ticket_move(t, TICKET_QUEUED);
    t->match_id = (struct id){0, 0};
    t->alive_ms = time_ms;
    if (!r->replaying) realm_start_timers(r, t);
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
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
    t->alive_ms = now_ms;
    return true;
}

void realm_lead(struct realm *r, int64_t now_ms) {
    r->led_since_ms = now_ms;
}

/* ---- records ---- */

static bool has_busy_player(const struct realm *r, const struct ticket_spec *spec) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (realm_find_player(r, spec->players[i].id)) return true;
    }
    return false;
}

static void keep_trace(struct realm *r, struct ticket *t, const struct traceparent *trace) {
    t->trace = mem_alloc(sizeof *t->trace);
    *t->trace = *trace;
    r->tickets_traced++;
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
    t = ticket_new(record->ticket_created.id, &record->ticket_created.spec);
    t->state = state;
    t->created_ms = record->ticket_created.created_ms;
    t->expires_ms = record->ticket_created.expires_ms;
    t->ended_ms = record->ticket_created.ended_ms;
    t->heartbeat_ms = record->ticket_created.heartbeat_ms;
    t->alive_ms = record->time_ms;
    t->match_id = record->ticket_created.match_id;
    struct str reason = record->ticket_created.reason;
    if (reason.size) t->reason = (struct str){mem_text(reason), reason.size};
    t->request_key = record->ticket_created.request_key;
    t->request_hash = record->ticket_created.request_hash;
    t->promised = record->ticket_created.promised;
    if (record->trace_count > 0) keep_trace(r, t, record->traces);
    map_put(&r->tickets, id_hash(t->id), t);
    if (!id_is_none(t->request_key)) map_put(&r->requests, id_hash(t->request_key), t);
    note_recorded(r, t, record->time_ms);
    if (!open) {
        keep_ended(r, t);
        return;
    }
    open_ticket(r, t);
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
    ticket_set_players(t, record->ticket_created.spec.players);
    for (uint32_t i = 0; i < t->spec.queue_count; i++)
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
    if (!id_is_none(t->request_key)) map_remove(&r->requests, id_hash(t->request_key), t);
    list_remove(realm_list_of(r, t), &t->kept);
    list_remove(&r->tickets_recorded, &t->recorded);
    r->tickets_traced -= t->trace != NULL;
    ticket_free(t);
}
