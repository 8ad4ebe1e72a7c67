/* realm_queue.c - commands on queues, and what becomes of the tickets in them.
 *
 * New rules lose nothing unless told to: a version that a waiting ticket or an open backfill does
 * not fit is refused, or with cancel_unfit those are cancelled. A queue is deleted when it is
 * empty, or with cancel_tickets after its tickets were cancelled; proposals are withdrawn first, at
 * nobody's fault.
 */
#include "base/limits.h"
#include "model/pool.h"
#include "model/realm_state.h"

#include <stdio.h>

/* The tickets that wait in the queue, in the decision's arena: ending them changes the pool. */
static const struct ticket **waiting_in(const struct queue *q, const struct decision *d,
                                        uint64_t *count) {
    const struct ticket **all = arena_alloc(d->arena, (pool_count(q->pool) + 1) * sizeof *all);
    uint64_t at = 0;
    *count = 0;
    for (const struct pool_entry *e; (e = pool_next(q->pool, &at));)
        all[(*count)++] = e->ticket;
    return all;
}

/* Refuses the first ticket that does not fit or, with cancel_unfit, cancels all of them. */
static enum err readmit(struct realm *r, const struct queue *q, const struct command *c,
                        const struct decision *d, struct err_text *why) {
    uint64_t count;
    const struct ticket **waiting = waiting_in(q, d, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct err_text because;
        struct ticket_spec spec = ticket_spec(waiting[i], r->scratch);
        enum err e = ruleset_admit(c->put_queue.def->ruleset, &spec, &because);
        arena_reset(r->scratch);
        if (e == ERR_OK) continue;
        char id[ID_TEXT_BYTES];
        id_format(waiting[i]->id, id);
        if (!c->put_queue.cancel_unfit)
            return err_set(why, ERR_FAILED_PRECONDITION,
                           "waiting ticket %s does not fit the new ruleset: %.400s", id,
                           because.text);
        struct str reason =
            arena_printf(d->arena, "the queue's new rules do not admit it: %s", because.text);
        realm_emit_end(r, d, waiting[i], TICKET_CANCELLED, reason);
    }
    return ERR_OK;
}

static bool backfill_fits(const struct backfill *b, const struct ruleset *rules,
                          struct err_text *why) {
    for (uint32_t i = 0; i < b->spec.party_count; i++) {
        struct str team = b->spec.parties[i].team;
        if (realm_team_index(rules, team) == RULESET_NONE) {
            (void)err_set(why, ERR_FAILED_PRECONDITION, "it has no team \"%.*s\"", STR_PRINT(team));
            return false;
        }
        struct ticket_spec spec = backfill_spec_of(b, i);
        if (ruleset_admit(rules, &spec, why) != ERR_OK) return false;
    }
    return true;
}

/* As readmit, for the backfills. */
static enum err readmit_backfills(struct realm *r, const struct queue *q, const struct command *c,
                                  const struct decision *d, struct err_text *why) {
    LIST_EACH (&q->backfills, node) {
        const struct backfill *b = LIST_OF(node, struct backfill, kept);
        struct err_text because;
        char id[ID_TEXT_BYTES];
        if (backfill_fits(b, c->put_queue.def->ruleset, &because)) continue;
        id_format(b->spec.id, id);
        if (!c->put_queue.cancel_unfit)
            return err_set(why, ERR_FAILED_PRECONDITION,
                           "open backfill %s does not fit the new ruleset: %.400s", id,
                           because.text);
        struct str reason =
            arena_printf(d->arena, "the queue's new rules do not admit it: %s", because.text);
        realm_end_backfill(r, d, b->spec.match_id, reason);
    }
    return ERR_OK;
}

enum err realm_put_queue(struct realm *r, struct command *c, const struct decision *d,
                         struct outcome *out, struct err_text *why) {
    struct queue_def *def = c->put_queue.def;
    const struct queue *q = realm_find_queue(r, def->name);
    if (q && str_equal(q->def->json, def->json) &&
        q->def->allow_shrinking == def->allow_shrinking) {
        out->queue = q;
        return ERR_OK;
    }
    if (!q && r->queue_count >= LIMIT_QUEUES) {
        return err_set(why, ERR_RESOURCE_EXHAUSTED, "there are %d queues, which is the limit",
                       LIMIT_QUEUES);
    }
    enum err e = q ? readmit_backfills(r, q, c, d, why) : ERR_OK;
    if (q && e == ERR_OK) e = readmit(r, q, c, d, why);
    if (e != ERR_OK) return e;
    struct record *record = realm_new_record(d, RECORD_QUEUE_PUT);
    struct str name = arena_str(d->arena, def->name);
    record->queue_put.def = def;
    record->queue_put.name = name;
    record->queue_put.json = arena_str(d->arena, def->json);
    record->queue_put.allow_shrinking = def->allow_shrinking;
    record->queue_put.version = q ? q->version + 1 : 1;
    record->queue_put.author = arena_str(d->arena, c->put_queue.author);
    record->queue_put.comment = arena_str(d->arena, c->put_queue.comment);
    c->put_queue.def = NULL;
    realm_emit(r, d, record);
    out->queue = realm_find_queue(r, name);
    out->changed = true;
    return ERR_OK;
}

static bool has_ticket_in(const struct realm *r, const struct match_spec *m,
                          const struct queue *q) {
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket *t = realm_find_ticket(r, m->ticket_ids[i]);
        for (uint32_t k = 0; t && ticket_is_open(t) && k < t->queue_count; k++)
            if (t->places[k].queue == q) return true;
    }
    return false;
}

static void withdraw_proposals(struct realm *r, const struct queue *q, const struct decision *d,
                               struct str reason) {
    size_t count = 0;
    struct id *ids = arena_alloc(d->arena, (r->match_ends.count + 1) * sizeof *ids);
    for (size_t i = 0; i < r->match_ends.count; i++) {
        const struct match *m = HEAP_OF(heap_nth(&r->match_ends, i), struct match, due);
        if (m->spec.state == MATCH_PROPOSED && has_ticket_in(r, &m->spec, q))
            ids[count++] = m->spec.id;
    }
    for (size_t i = 0; i < count; i++)
        realm_withdraw_proposal(r, d, realm_find_match(r, ids[i]), reason, false);
}

static void cancel_all(struct realm *r, const struct queue *q, const struct decision *d) {
    uint64_t count;
    withdraw_proposals(r, q, d, STR("its queue was deleted"));
    LIST_EACH (&q->backfills, node) {
        const struct backfill *b = LIST_OF(node, struct backfill, kept);
        realm_end_backfill(r, d, b->spec.match_id, STR("its queue was deleted"));
    }
    const struct ticket **waiting = waiting_in(q, d, &count);
    for (uint64_t i = 0; i < count; i++)
        realm_emit_end(r, d, waiting[i], TICKET_CANCELLED, STR("its queue was deleted"));
}

enum err realm_delete_queue(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) {
    struct str name = c->delete_queue.name;
    const struct queue *q = realm_find_queue(r, name);
    if (!q) {
        return err_set_field(why, ERR_NOT_FOUND, "name", "no queue \"%.*s\"", STR_PRINT(name));
    }
    if (q->tickets_open > (c->delete_queue.cancel_tickets ? LIMIT_DELETE_TICKETS : 0)) {
        return err_set_field(why, ERR_FAILED_PRECONDITION, "name",
                             "queue \"%.*s\" has %llu open tickets; cancel them first",
                             STR_PRINT(name), (unsigned long long)q->tickets_open);
    }
    if (q->backfills.count > 0 && !c->delete_queue.cancel_tickets)
        return err_set_field(why, ERR_FAILED_PRECONDITION, "name",
                             "queue \"%.*s\" has %zu open backfills; cancel them first",
                             STR_PRINT(name), q->backfills.count);
    if (q->tickets_open + q->backfills.count > 0) cancel_all(r, q, d);
    struct record *record = realm_new_record(d, RECORD_QUEUE_DELETED);
    record->queue_deleted.name = arena_str(d->arena, name);
    record->queue_deleted.version = q->version;
    realm_emit(r, d, record);
    out->changed = true;
    return ERR_OK;
}
