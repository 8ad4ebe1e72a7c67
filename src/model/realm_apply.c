/* realm_apply.c - makes records so: the only code that changes what a realm holds (tickets in
 * realm_ticket.c, matches in realm_match.c, backfills in realm_backfill.c, penalties in
 * realm_penalty.c, queues here).
 *
 * A journal that compaction has cut may begin anywhere after the objects of its first records were
 * made: they come later, carried. So a ticket may arrive before its queue (it waits as an orphan),
 * a match or its news before its tickets or itself (they come as they were made by it), an end
 * before its ticket (it comes as ended). What contradicts the state is skipped and counted.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>

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
    list_init(&q->backfills);
    return q;
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
    q->stats.search = (struct queue_search_stats){0};
    eta_doubt(q->eta);
    realm_refit_backfills(r, q);
    realm_set_turn(r, q);
}

static void keep_version(struct realm *r, struct queue *q, const struct queue_version *v) {
    r->counts.forgotten_early += queue_history_add(&q->history, v);
}

static void keep_past(struct realm *r, struct queue *q, const struct record *record) {
    for (uint32_t i = record->queue_put.past_count; i-- > 0;)
        keep_version(r, q, &record->queue_put.past[i]);
}

static void replace_text(struct str *text, struct str by) {
    mem_free((char *)text->at);
    *text = (struct str){mem_text(by), by.size};
}

static void apply_queue_put(struct realm *r, struct record *record) {
    struct queue_def *def = record->queue_put.def;
    record->queue_put.def = NULL;
    struct queue *q = realm_find_queue(r, record->queue_put.name);
    bool known = q && q->version >= record->queue_put.version;
    if (!def || known) {
        if (!record->carried) r->skipped++;
        if (q && record->carried) keep_past(r, q, record);
        queue_def_free(def);
        return;
    }
    if (q) {
        struct queue_version before = queue_version_now(q);
        keep_version(r, q, &before);
        replace_def(r, q, def);
    } else {
        q = add_queue(r, def);
        realm_adopt_orphans(r);
        realm_adopt_backfills(r);
    }
    q->version = record->queue_put.version;
    q->updated_ms = record->queue_put.put_ms ? record->queue_put.put_ms : record->time_ms;
    replace_text(&q->author, record->queue_put.author);
    replace_text(&q->comment, record->queue_put.comment);
    keep_past(r, q, record);
}

static void apply_queue_deleted(struct realm *r, const struct record *record) {
    bool found;
    uint32_t place = realm_queue_place(r, record->queue_deleted.name, &found);
    if (!found) return;
    struct queue *q = r->queues[place];
    if (q->tickets_open > 0 || q->backfills.count > 0) {
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
        realm_lead(r, record->time_ms);
        break;
    case RECORD_QUEUE_PUT:
        apply_queue_put(r, record);
        break;
    case RECORD_QUEUE_DELETED:
        apply_queue_deleted(r, record);
        break;
    case RECORD_TICKET_CREATED:
        realm_apply_ticket_created(r, record);
        break;
    case RECORD_TICKET_UPDATED:
        realm_apply_ticket_updated(r, record);
        break;
    case RECORD_TICKET_ENDED:
        realm_apply_ticket_ended(r, record);
        break;
    case RECORD_MATCH_CREATED:
        realm_apply_match_created(r, record);
        break;
    case RECORD_MATCH_ACCEPTED:
        realm_apply_match_accepted(r, record);
        break;
    case RECORD_MATCH_UPDATED:
        realm_apply_match_updated(r, record);
        break;
    case RECORD_ROSTER_CHANGED:
        realm_apply_roster_changed(r, record);
        break;
    case RECORD_BACKFILL_PUT:
        realm_put_backfill(r, &record->backfill_put, record->time_ms, record->carried);
        break;
    case RECORD_PLAYER_PENALIZED:
        realm_apply_player_penalized(r, record);
        break;
    }
}
