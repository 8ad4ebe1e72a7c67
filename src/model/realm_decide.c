/* realm_decide.c - commands: refused, already so, or one record that makes them so. */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>
#include <stdio.h>

static struct record *new_record(const struct decision *d, enum record_kind kind) {
    struct record *record = arena_alloc(d->arena, sizeof *record);
    record->kind = kind;
    record->time_ms = d->now_ms;
    return record;
}

/* ---- create ---- */

static enum err check_players(const struct realm *r, const struct ticket_spec *spec,
                              struct err_text *why) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct ticket *t = realm_find_player(r, spec->players[i].id);
        if (!t) continue;
        char id[ID_TEXT_BYTES], field[32];
        id_format(t->id, id);
        snprintf(field, sizeof field, "players[%u].player_id", i);
        return err_set_field(why, ERR_ALREADY_EXISTS, field,
                             "player \"%.*s\" is in open ticket %s already",
                             STR_PRINT(spec->players[i].id), id);
    }
    return ERR_OK;
}

static enum err admit(const struct queue *q, const struct ticket_spec *spec, struct err_text *why) {
    enum err e = ruleset_admit(q->def->ruleset, spec, why);
    if (e == ERR_OK || spec->queue_count == 1) return e;
    struct err_text because = *why;
    return err_set_field(why, e, because.field, "queue \"%.*s\": %.400s", STR_PRINT(q->def->name),
                         because.text);
}

/* Each queue must exist and admit the ticket, which waits for the shortest of their timeouts. */
static enum err check_queues(const struct realm *r, const struct ticket_spec *spec,
                             int64_t *timeout_ms, struct err_text *why) {
    for (uint32_t i = 0; i < spec->queue_count; i++) {
        const struct queue *q = realm_find_queue(r, spec->queues[i]);
        if (!q) {
            char field[32];
            snprintf(field, sizeof field, "queues[%u]", i);
            return err_set_field(why, ERR_NOT_FOUND, field, "no queue \"%.*s\"",
                                 STR_PRINT(spec->queues[i]));
        }
        enum err e = admit(q, spec, why);
        if (e != ERR_OK) return e;
        if (q->def->ticket_timeout_ms < *timeout_ms) *timeout_ms = q->def->ticket_timeout_ms;
    }
    return ERR_OK;
}

static enum err repeat_create(const struct ticket *t, const struct command *c, struct outcome *out,
                              struct err_text *why) {
    if (t->request_hash != c->create_ticket.request_hash) {
        char id[ID_TEXT_BYTES];
        id_format(t->id, id);
        return err_set_field(why, ERR_INVALID_ARGUMENT, "request_id",
                             "request id was used for ticket %s with other content; "
                             "each new request needs a new id",
                             id);
    }
    out->ticket = t;
    return ERR_OK;
}

/* What its creator is told to expect. */
static struct ticket_wait promise(const struct realm *r, const struct ticket_spec *spec,
                                  int64_t now_ms, int64_t timeout_ms) {
    struct eta_ask ask = {.now_ms = now_ms, .left_ms = timeout_ms};
    struct ticket_wait wait = {0, 0};
    for (uint32_t i = 0; i < spec->queue_count; i++) {
        const struct queue *q = realm_find_queue(r, spec->queues[i]);
        uint16_t kind = eta_kind_of(q->eta, q->def->ruleset, spec);
        wait = ticket_wait_first(wait, eta_at(q->eta, kind, &ask).rest);
    }
    return wait;
}

static enum err create_ticket(struct realm *r, const struct command *c, const struct decision *d,
                              struct outcome *out, struct err_text *why) {
    const struct ticket_spec *spec = &c->create_ticket.spec;
    struct id key = c->create_ticket.request_key;
    const struct ticket *made = id_is_none(key) ? NULL : realm_find_request(r, key);
    if (made) return repeat_create(made, c, out, why);
    int64_t timeout_ms = INT64_MAX;
    enum err e = check_queues(r, spec, &timeout_ms, why);
    if (e != ERR_OK) return e;
    e = check_players(r, spec, why);
    if (e != ERR_OK) return e;
    if (r->tickets_open >= LIMIT_TICKETS) {
        return err_set(why, ERR_RESOURCE_EXHAUSTED, "%d tickets are open, which is the limit",
                       LIMIT_TICKETS);
    }
    struct record *record = new_record(d, RECORD_TICKET_CREATED);
    record->ticket_created.id = id_new(d->rng, d->now_ms);
    map_expect(&r->tickets, id_hash(record->ticket_created.id)); /* while it is encoded */
    record->ticket_created.spec = *spec;
    record->ticket_created.state = TICKET_QUEUED;
    record->ticket_created.created_ms = d->now_ms;
    record->ticket_created.expires_ms = d->now_ms + timeout_ms;
    record->ticket_created.request_key = key;
    record->ticket_created.request_hash = c->create_ticket.request_hash;
    record->ticket_created.promised = promise(r, spec, d->now_ms, timeout_ms);
    struct id id = record->ticket_created.id;
    realm_emit(r, d, record);
    out->ticket = realm_find_ticket(r, id);
    out->changed = true;
    return ERR_OK;
}

/* ---- end ---- */

static void emit_end(struct realm *r, const struct decision *d, const struct ticket *t,
                     enum ticket_state state, struct str reason) {
    struct record *record = new_record(d, RECORD_TICKET_ENDED);
    uint32_t count = t->spec.player_count, queue_count = t->spec.queue_count;
    struct str *ids = arena_alloc(d->arena, count * sizeof *ids);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = arena_str(d->arena, t->spec.players[i].id);
    struct str *queues = arena_alloc(d->arena, queue_count * sizeof *queues);
    for (uint32_t i = 0; i < queue_count; i++)
        queues[i] = arena_str(d->arena, t->spec.queues[i]);
    record->ticket_ended.id = t->id;
    record->ticket_ended.state = state;
    record->ticket_ended.queues = queues;
    record->ticket_ended.queue_count = queue_count;
    record->ticket_ended.player_ids = ids;
    record->ticket_ended.player_count = count;
    record->ticket_ended.reason = arena_str(d->arena, reason);
    realm_emit(r, d, record);
}

static enum err cancel_ticket(struct realm *r, const struct command *c, const struct decision *d,
                              struct outcome *out, struct err_text *why) {
    struct id id = c->cancel_ticket.ticket_id;
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    const struct ticket *t = realm_find_ticket(r, id);
    if (!t) return err_set_field(why, ERR_NOT_FOUND, "ticket_id", "no ticket %s", text);
    out->ticket = t;
    if (t->state == TICKET_CANCELLED) return ERR_OK;
    if (!ticket_is_open(t)) {
        out->ticket = NULL;
        return err_set_field(why, ERR_FAILED_PRECONDITION, "ticket_id",
                             "ticket %s is %s; only an open one can be cancelled", text,
                             ticket_state_name(t->state));
    }
    emit_end(r, d, t, TICKET_CANCELLED, c->cancel_ticket.reason);
    out->changed = true;
    return ERR_OK;
}

unsigned realm_expire(struct realm *r, const struct decision *d, unsigned max) {
    unsigned expired = 0;
    while (expired < max && heap_due(&r->expiries) <= d->now_ms) {
        struct ticket *t = HEAP_OF(heap_first(&r->expiries), struct ticket, expiry);
        emit_end(r, d, t, TICKET_EXPIRED, STR("no match was found in time"));
        expired++;
    }
    realm_forget(r, d->now_ms, max);
    return expired;
}

void realm_forget(struct realm *r, int64_t now_ms, unsigned max) {
    for (unsigned n = 0; n < max && list_first(&r->ended); n++) {
        struct ticket *t = LIST_OF(list_first(&r->ended), struct ticket, kept);
        if (realm_kept_until_ms(r, t->ended_ms) > now_ms) break;
        realm_forget_ticket(r, t);
    }
    for (unsigned n = 0; n < max && list_first(&r->matches_kept); n++) {
        struct match *m = LIST_OF(list_first(&r->matches_kept), struct match, kept);
        if (realm_kept_until_ms(r, m->spec.created_ms) > now_ms) break;
        realm_forget_match(r, m);
    }
}

/* ---- queues ---- */

static enum err check_readmission(const struct queue *q, const struct queue_def *def,
                                  struct err_text *why) {
    uint64_t at = 0;
    for (const struct pool_entry *e; (e = pool_next(q->pool, &at));) {
        const struct ticket *t = e->ticket;
        struct err_text because;
        if (ruleset_admit(def->ruleset, &t->spec, &because) == ERR_OK) continue;
        char id[ID_TEXT_BYTES];
        id_format(t->id, id);
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "waiting ticket %s does not fit the new ruleset: %.400s", id, because.text);
    }
    return ERR_OK;
}

static enum err put_queue(struct realm *r, struct command *c, const struct decision *d,
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
    enum err e = q ? check_readmission(q, def, why) : ERR_OK;
    if (e != ERR_OK) return e;
    struct record *record = new_record(d, RECORD_QUEUE_PUT);
    struct str name = arena_str(d->arena, def->name);
    record->queue_put.def = def;
    record->queue_put.name = name;
    record->queue_put.json = arena_str(d->arena, def->json);
    record->queue_put.allow_shrinking = def->allow_shrinking;
    record->queue_put.version = q ? q->version + 1 : 1;
    c->put_queue.def = NULL;
    realm_emit(r, d, record);
    out->queue = realm_find_queue(r, name);
    out->changed = true;
    return ERR_OK;
}

static enum err delete_queue(struct realm *r, const struct command *c, const struct decision *d,
                             struct outcome *out, struct err_text *why) {
    struct str name = c->delete_queue.name;
    const struct queue *q = realm_find_queue(r, name);
    if (!q) {
        return err_set_field(why, ERR_NOT_FOUND, "name", "no queue \"%.*s\"", STR_PRINT(name));
    }
    if (q->tickets_queued > 0) {
        return err_set_field(why, ERR_FAILED_PRECONDITION, "name",
                             "queue \"%.*s\" has %llu open tickets; cancel them first",
                             STR_PRINT(name), (unsigned long long)q->tickets_queued);
    }
    struct record *record = new_record(d, RECORD_QUEUE_DELETED);
    record->queue_deleted.name = arena_str(d->arena, name);
    record->queue_deleted.version = q->version;
    realm_emit(r, d, record);
    out->changed = true;
    return ERR_OK;
}

enum err realm_decide(struct realm *r, struct command *c, const struct decision *d,
                      struct outcome *out, struct err_text *why) {
    *out = (struct outcome){0};
    switch (c->kind) {
    case COMMAND_CREATE_TICKET:
        return create_ticket(r, c, d, out, why);
    case COMMAND_CANCEL_TICKET:
        return cancel_ticket(r, c, d, out, why);
    case COMMAND_PUT_QUEUE:
        return put_queue(r, c, d, out, why);
    case COMMAND_DELETE_QUEUE:
        return delete_queue(r, c, d, out, why);
    }
    assert(!"every command has its case");
    return ERR_INTERNAL;
}
