/* realm_apply.c - makes records so: the only code that changes what a realm holds.
 *
 * A journal that compaction has cut may begin anywhere after the objects of its first records were
 * made: they come later, carried. So a ticket may arrive before its queue (it waits as an orphan),
 * a match before its tickets (they come as MATCHED), an end before its ticket (it comes as ended).
 * What contradicts the state is skipped and counted.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>

static void note_ticket_recorded(struct realm *r, struct ticket *t, int64_t time_ms) {
    if (list_linked(&t->recorded)) list_remove(&r->tickets_recorded, &t->recorded);
    list_append(&r->tickets_recorded, &t->recorded);
    t->recorded_ms = time_ms;
    t->recorded_serial = r->recorded_serial++;
}

static void note_match_recorded(struct realm *r, struct match *m, int64_t time_ms) {
    if (list_linked(&m->recorded)) list_remove(&r->matches_recorded, &m->recorded);
    list_append(&r->matches_recorded, &m->recorded);
    m->recorded_ms = time_ms;
    m->recorded_serial = r->recorded_serial++;
}

/* ---- tickets ---- */

static void keep_ended(struct realm *r, struct ticket *t) {
    list_append(&r->ended, &t->kept);
    while (r->ended.count > LIMIT_TICKETS_KEPT) {
        realm_forget_ticket(r, LIST_OF(list_first(&r->ended), struct ticket, kept));
        r->counts.forgotten_early++;
    }
}

static void enter_queue(struct realm *r, struct queue *q, struct ticket *t, uint32_t place) {
    t->places[place].queue = q;
    q->tickets_queued++;
    q->players_queued += t->spec.player_count;
    t->places[place].eta_kind = eta_arrive(q->eta, q->def->ruleset, &t->spec, t->created_ms);
    if (r->replaying) return;
    pool_add(q->pool, t, place);
    realm_set_turn(r, q);
}

/* Into those of its queues that are known; false when some are still to come. */
static bool enter_queues(struct realm *r, struct ticket *t) {
    bool all = true;
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        if (t->places[i].queue) continue;
        struct queue *q = realm_find_queue(r, t->spec.queues[i]);
        if (q)
            enter_queue(r, q, t, i);
        else
            all = false;
    }
    return all;
}

struct ending {
    enum ticket_state state;
    int64_t now_ms;
    const struct queue *matched_in; /* MATCHED: the queue of the match; its other queues lose it */
};

static enum eta_end end_in(const struct ending *e, const struct queue *q) {
    if (e->state == TICKET_EXPIRED) return ETA_EXPIRED;
    return e->state == TICKET_MATCHED && e->matched_in == q ? ETA_MATCHED : ETA_CUT;
}

static void leave_queues(struct realm *r, struct ticket *t, const struct ending *e) {
    if (list_linked(&t->kept)) list_remove(&r->orphans, &t->kept);
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (!q) continue;
        t->places[i].queue = NULL;
        q->tickets_queued--;
        q->players_queued -= t->spec.player_count;
        eta_leave(q->eta, t->places[i].eta_kind, t->created_ms, e->now_ms, end_in(e, q));
        if (r->replaying) continue;
        pool_remove(q->pool, t->places[i].entry);
        realm_set_turn(r, q);
    }
}

static void open_ticket(struct realm *r, struct ticket *t) {
    for (uint32_t i = 0; i < t->spec.player_count; i++) {
        map_put(&r->players, str_hash(t->spec.players[i].id), t);
    }
    if (!r->replaying) heap_start(&r->expiries, &t->expiry, t->expires_ms);
    r->tickets_open++;
    if (!enter_queues(r, t)) list_append(&r->orphans, &t->kept);
}

static void close_ticket(struct realm *r, struct ticket *t, const struct ending *e) {
    leave_queues(r, t, e);
    ticket_move(t, e->state);
    t->ended_ms = e->now_ms;
    for (uint32_t i = 0; i < t->spec.player_count; i++) {
        map_remove(&r->players, str_hash(t->spec.players[i].id), t);
    }
    heap_stop(&r->expiries, &t->expiry);
    r->tickets_open--;
    keep_ended(r, t);
}

/* Counts the ticket in a statistic (of uint64_t, at `offset`) of each queue it is in. */
static void count_each(const struct ticket *t, size_t offset) {
    for (uint32_t i = 0; i < t->spec.queue_count; i++) {
        struct queue *q = t->places[i].queue;
        if (q) ++*(uint64_t *)(void *)((char *)&q->stats + offset);
    }
}

static bool has_busy_player(const struct realm *r, const struct ticket_spec *spec) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (realm_find_player(r, spec->players[i].id)) return true;
    }
    return false;
}

static void apply_ticket_created(struct realm *r, const struct record *record) {
    struct ticket *t = realm_find_ticket(r, record->ticket_created.id);
    if (t) {
        if (record->carried)
            note_ticket_recorded(r, t, record->time_ms);
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
    t->state = open ? TICKET_QUEUED : state; /* a proposal does not outlive its owner */
    t->created_ms = record->ticket_created.created_ms;
    t->expires_ms = record->ticket_created.expires_ms;
    t->ended_ms = record->ticket_created.ended_ms;
    t->match_id = record->ticket_created.match_id;
    struct str reason = record->ticket_created.reason;
    if (reason.size) t->reason = (struct str){mem_text(reason), reason.size};
    t->request_key = record->ticket_created.request_key;
    t->request_hash = record->ticket_created.request_hash;
    t->promised = record->ticket_created.promised;
    map_put(&r->tickets, id_hash(t->id), t);
    if (!id_is_none(t->request_key)) map_put(&r->requests, id_hash(t->request_key), t);
    note_ticket_recorded(r, t, record->time_ms);
    if (!open) {
        keep_ended(r, t);
        return;
    }
    open_ticket(r, t);
    if (!record->carried) count_each(t, offsetof(struct queue_stats, created));
}

static void apply_ticket_ended(struct realm *r, const struct record *record) {
    struct ticket *t = realm_find_ticket(r, record->ticket_ended.id);
    if (!t) return;
    enum ticket_state state = record->ticket_ended.state;
    if (!ticket_is_open(t) || (state != TICKET_CANCELLED && state != TICKET_EXPIRED)) {
        r->skipped++;
        return;
    }
    struct str reason = record->ticket_ended.reason;
    if (reason.size) t->reason = (struct str){mem_text(reason), reason.size};
    count_each(t, state == TICKET_CANCELLED ? offsetof(struct queue_stats, cancelled)
                                            : offsetof(struct queue_stats, expired));
    close_ticket(r, t, &(struct ending){state, record->time_ms, NULL});
}

/* ---- matches ---- */

static void link_after(struct list *l, struct list_node *place, struct list_node *n) {
    n->previous = place;
    n->next = place->next;
    place->next->previous = n;
    place->next = n;
    l->count++;
}

/* New ones come last. Carried ones come in about the order of their age: the search for their place
 * starts where the one before went. */
static void keep_match(struct realm *r, struct match *m) {
    struct list *kept = &r->matches_kept;
    struct list_node *tail = kept->head.previous;
    if (tail == &kept->head ||
        LIST_OF(tail, struct match, kept)->spec.created_ms <= m->spec.created_ms) {
        list_append(kept, &m->kept);
    } else {
        struct list_node *place = r->carried_match ? r->carried_match : &kept->head;
        while (place != &kept->head &&
               LIST_OF(place, struct match, kept)->spec.created_ms > m->spec.created_ms) {
            place = place->previous;
        }
        while (place->next != &kept->head &&
               LIST_OF(place->next, struct match, kept)->spec.created_ms <= m->spec.created_ms) {
            place = place->next;
        }
        link_after(kept, place, &m->kept);
        r->carried_match = &m->kept;
    }
    while (kept->count > LIMIT_MATCHES_KEPT) {
        realm_forget_match(r, LIST_OF(list_first(kept), struct match, kept));
        r->counts.forgotten_early++;
    }
}

static bool has_ended_ticket(const struct realm *r, const struct match_spec *m) {
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket *t = realm_find_ticket(r, m->ticket_ids[i]);
        if (t && !ticket_is_open(t)) return true;
    }
    return false;
}

static void count_match(struct queue *q, const struct match_spec *m) {
    q->stats.matches++;
    q->stats.quality_sum += m->quality;
}

static void count_matched(struct queue *q, const struct ticket *t, int64_t now_ms) {
    int64_t wait_ms = now_ms > t->created_ms ? now_ms - t->created_ms : 0;
    q->stats.matched++;
    q->stats.waits[queue_wait_bucket(wait_ms)] += t->spec.player_count;
    q->stats.estimated += t->promised.p90_ms > 0;
    q->stats.kept += wait_ms <= t->promised.p90_ms;
}

static void apply_match_created(struct realm *r, const struct record *record) {
    const struct match_spec *spec = &record->match_created;
    struct match *m = realm_find_match(r, spec->id);
    if (m && record->carried) {
        note_match_recorded(r, m, record->time_ms);
        return;
    }
    if (m || (!record->carried && has_ended_ticket(r, spec))) {
        r->skipped++;
        return;
    }
    m = match_new(spec);
    map_put(&r->matches, id_hash(spec->id), m);
    keep_match(r, m);
    note_match_recorded(r, m, record->time_ms);
    if (record->carried) return; /* its tickets ended before it was carried */
    struct queue *q = realm_find_queue(r, spec->queue);
    if (q) count_match(q, spec);
    for (uint32_t i = 0; i < spec->ticket_count; i++) {
        struct ticket *t = realm_find_ticket(r, spec->ticket_ids[i]);
        if (!t) continue;
        if (q) count_matched(q, t, record->time_ms);
        t->match_id = spec->id;
        close_ticket(r, t, &(struct ending){TICKET_MATCHED, record->time_ms, q});
    }
}

/* ---- queues ---- */

static struct queue *add_queue(struct realm *r, struct queue_def *def) {
    bool found;
    uint32_t place = realm_queue_place(r, def->name, &found);
    assert(!found);
    if (r->queue_count == r->queue_capacity) {
        r->queue_capacity = r->queue_capacity ? r->queue_capacity * 2 : 8;
        r->queues = mem_grow(r->queues, r->queue_capacity, sizeof(struct queue *));
    }
    for (uint32_t i = r->queue_count++; i > place; i--)
        r->queues[i] = r->queues[i - 1];
    struct queue *q = r->queues[place] = mem_alloc(sizeof *q);
    q->def = def;
    q->pool = pool_new(def->ruleset);
    pool_set_patience(q->pool, &def->patience);
    q->pool->queue = q;
    q->eta = eta_new();
    return q;
}

/* A queue is known now that open tickets have waited for. */
static void adopt_orphans(struct realm *r) {
    LIST_EACH (&r->orphans, node) {
        if (enter_queues(r, LIST_OF(node, struct ticket, kept))) list_remove(&r->orphans, node);
    }
}

/* Puts every waiting ticket into a new pool under the new ruleset: all are searched afresh. */
static void replace_def(struct realm *r, struct queue *q, struct queue_def *def) {
    struct pool *old = q->pool, *new = pool_new(def->ruleset);
    uint64_t count = pool_count(old);
    struct waiting {
        struct ticket *ticket;
        uint32_t place;
    } *waiting = mem_array(count, sizeof *waiting);
    for (uint64_t i = 0, at = 0; i < count; i++) {
        const struct pool_entry *e = pool_next(old, &at);
        waiting[i] = (struct waiting){e->ticket, e->place};
    }
    pool_set_patience(new, &def->patience);
    new->queue = q;
    new->search_from_ms = old->search_from_ms;
    heap_stop(&r->turns, &old->turn);
    pool_free(old);
    q->pool = new;
    for (uint64_t i = 0; i < count; i++)
        pool_fill(new, waiting[i].ticket, waiting[i].place);
    pool_filled(new);
    mem_free(waiting);
    queue_def_free(q->def);
    q->def = def;
    eta_doubt(q->eta);
    realm_set_turn(r, q);
}

static void apply_queue_put(struct realm *r, struct record *record) {
    struct queue_def *def = record->queue_put.def;
    record->queue_put.def = NULL;
    struct queue *q = realm_find_queue(r, record->queue_put.name);
    bool known = q && q->version >= record->queue_put.version;
    if (!def || known) {
        if (!record->carried) r->skipped++;
        queue_def_free(def);
        return;
    }
    if (q) {
        replace_def(r, q, def);
    } else {
        q = add_queue(r, def);
        adopt_orphans(r);
    }
    q->version = record->queue_put.version;
    q->updated_ms = record->time_ms;
}

static void apply_queue_deleted(struct realm *r, const struct record *record) {
    bool found;
    uint32_t place = realm_queue_place(r, record->queue_deleted.name, &found);
    if (!found) return;
    struct queue *q = r->queues[place];
    if (q->tickets_queued > 0) {
        r->skipped++;
        return;
    }
    r->queue_count--;
    for (uint32_t i = place; i < r->queue_count; i++)
        r->queues[i] = r->queues[i + 1];
    realm_free_queue(r, q);
}

void realm_apply(struct realm *r, struct record *record) {
    switch (record->kind) {
    case RECORD_EPOCH_STARTED:
        if (record->time_ms > r->kept_from_ms) r->kept_from_ms = record->time_ms;
        break;
    case RECORD_QUEUE_PUT:
        apply_queue_put(r, record);
        break;
    case RECORD_QUEUE_DELETED:
        apply_queue_deleted(r, record);
        break;
    case RECORD_TICKET_CREATED:
        apply_ticket_created(r, record);
        break;
    case RECORD_TICKET_ENDED:
        apply_ticket_ended(r, record);
        break;
    case RECORD_MATCH_CREATED:
        apply_match_created(r, record);
        break;
    }
}
