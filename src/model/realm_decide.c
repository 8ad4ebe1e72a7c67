/* realm_decide.c - commands: refused, already so, or one record that makes them so. */
#include "base/limits.h"
#include "base/mem.h"
#include "model/eta.h"
#include "model/realm_state.h"

#include <assert.h>
#include <stdio.h>

struct record *realm_new_record(const struct decision *d, enum record_kind kind) {
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
        const struct match *m = t ? NULL : realm_find_holder(r, spec->players[i].id);
        if (!t && !m) continue;
        char id[ID_TEXT_BYTES], field[32];
        id_format(t ? t->id : m->spec.id, id);
        snprintf(field, sizeof field, "players[%u].player_id", i);
        return err_set_field(why, ERR_ALREADY_EXISTS, field, "player \"%.*s\" is in %s %s already",
                             STR_PRINT(spec->players[i].id), t ? "open ticket" : "live match", id);
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
static enum err check_queues(const struct realm *r, const struct ticket_spec *spec, int64_t now_ms,
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
        if (e == ERR_OK) e = realm_check_penalties(r, spec, q, now_ms, why);
        if (e != ERR_OK) return e;
        if (q->def->ticket_timeout_ms < *timeout_ms) *timeout_ms = q->def->ticket_timeout_ms;
    }
    return ERR_OK;
}

static enum err repeat_create(const struct ticket *t, const struct command *c, struct outcome *out,
                              struct err_text *why) {
    if (ticket_request(t).hash != c->create_ticket.request_hash) {
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
    enum err e = check_queues(r, spec, d->now_ms, &timeout_ms, why);
    if (e != ERR_OK) return e;
    e = check_players(r, spec, why);
    if (e != ERR_OK) return e;
    if (r->tickets_open >= LIMIT_TICKETS) {
        return err_set(why, ERR_RESOURCE_EXHAUSTED, "%d tickets are open, which is the limit",
                       LIMIT_TICKETS);
    }
    struct record *record = realm_new_record(d, RECORD_TICKET_CREATED);
    record->ticket_created.id = id_new(d->rng, d->now_ms);
    map_expect(&r->tickets, id_hash(record->ticket_created.id)); /* while it is encoded */
    record->ticket_created.spec = *spec;
    record->ticket_created.state = TICKET_QUEUED;
    record->ticket_created.created_ms = d->now_ms;
    record->ticket_created.expires_ms = d->now_ms + timeout_ms;
    record->ticket_created.heartbeat_ms = realm_heartbeat_ms(r, spec);
    record->ticket_created.request_key = key;
    if (!id_is_none(key)) record->ticket_created.request_hash = c->create_ticket.request_hash;
    record->ticket_created.promised = promise(r, spec, d->now_ms, timeout_ms);
    record->traces = c->create_ticket.trace;
    record->trace_count = c->create_ticket.trace != NULL;
    struct id id = record->ticket_created.id;
    realm_emit(r, d, record);
    out->ticket = realm_find_ticket(r, id);
    out->changed = true;
    return ERR_OK;
}

/* ---- update ---- */

static enum err check_update(const struct realm *r, const struct ticket *t,
                             const struct ticket_spec *spec, struct err_text *why) {
    if (t->state != TICKET_QUEUED)
        return err_set_field(why, ERR_FAILED_PRECONDITION, "ticket_id",
                             "the ticket is %s; only a QUEUED one can be updated",
                             ticket_state_name(t->state));
    bool same = t->player_count == spec->player_count;
    for (uint32_t i = 0; same && i < spec->player_count; i++)
        same = ticket_has_player(t, spec->players[i].id);
    if (!same)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "players",
                             "players are not those of the ticket; others need a ticket of their "
                             "own");
    enum err e = ERR_OK;
    for (uint32_t i = 0; e == ERR_OK && i < spec->queue_count; i++) {
        const struct queue *q = realm_find_queue(r, spec->queues[i]);
        if (q) e = admit(q, spec, why);
    }
    return e;
}

static enum err update_ticket(struct realm *r, const struct command *c, const struct decision *d,
                              struct outcome *out, struct err_text *why) {
    struct id id = c->update_ticket.ticket_id;
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    const struct ticket *t = realm_find_ticket(r, id);
    if (!t) return err_set_field(why, ERR_NOT_FOUND, "ticket_id", "no ticket %s", text);
    struct ticket_spec spec = ticket_spec(t, d->arena);
    spec.players = c->update_ticket.players;
    spec.player_count = c->update_ticket.player_count;
    enum err e = check_update(r, t, &spec, why);
    if (e != ERR_OK) return e;
    struct record *record = realm_new_record(d, RECORD_TICKET_UPDATED);
    record->ticket_created.id = id;
    record->ticket_created.spec = spec;
    record->ticket_created.state = t->state;
    record->ticket_created.created_ms = t->created_ms;
    record->ticket_created.expires_ms = ticket_expires_ms(t);
    record->ticket_created.heartbeat_ms = t->heartbeat_ms;
    record->ticket_created.promised = t->promised;
    realm_emit(r, d, record);
    out->ticket = realm_find_ticket(r, id);
    out->changed = true;
    return ERR_OK;
}

/* ---- end ---- */

struct ticket_fate realm_fate(const struct decision *d, const struct ticket *t,
                              enum ticket_state state, struct str reason) {
    uint32_t count = t->player_count, queue_count = t->queue_count;
    struct str *ids = arena_alloc(d->arena, count * sizeof *ids);
    const char *at = NULL;
    for (uint32_t i = 0; i < count; i++)
        ids[i] = arena_str(d->arena, ticket_next_player(t, &at));
    struct str *queues = arena_alloc(d->arena, queue_count * sizeof *queues);
    for (uint32_t i = 0; i < queue_count; i++)
        queues[i] = arena_str(d->arena, ticket_queue(t, i));
    return (struct ticket_fate){.id = t->id,
                                .state = state,
                                .reason = arena_str(d->arena, reason),
                                .queues = queues,
                                .player_ids = ids,
                                .queue_count = queue_count,
                                .player_count = count,
                                .created_ms = t->created_ms};
}

void realm_emit_end(struct realm *r, const struct decision *d, const struct ticket *t,
                    enum ticket_state state, struct str reason) {
    struct record *record = realm_new_record(d, RECORD_TICKET_ENDED);
    record->ticket_ended = realm_fate(d, t, state, reason);
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
    if (t->state == TICKET_PROPOSED)
        realm_cancel_proposed(r, d, t, c->cancel_ticket.reason);
    else
        realm_emit_end(r, d, t, TICKET_CANCELLED, c->cancel_ticket.reason);
    out->changed = true;
    return ERR_OK;
}

/* ---- time ---- */

/* Of a match that looks for players, or that will by itself, what its players brought is kept. */
static void forget_tickets(struct realm *r, int64_t now_ms, unsigned max) {
    struct ticket *t;
    for (unsigned n = 0; n < max && (t = realm_first_ended(&r->ended)); n++) {
        if (realm_kept_until_ms(r, ticket_ended_ms(t)) > now_ms) break;
        if (realm_may_be_needed(r, t))
            realm_hold_ticket(r, t);
        else
            realm_forget_ticket(r, t);
    }
}

static void forget_matches(struct realm *r, int64_t now_ms, unsigned max) {
    for (unsigned n = 0; n < max && heap_due(&r->match_forgets) <= now_ms; n++) {
        struct match *m = HEAP_OF(heap_first(&r->match_forgets), struct match, due);
        int64_t since_ms = m->spec.ended_ms ? m->spec.ended_ms : m->spec.created_ms;
        int64_t until_ms = realm_kept_until_ms(r, since_ms);
        bool looks = realm_find_backfill_of(r, m->spec.id) != NULL;
        if (looks) until_ms = realm_kept_until_ms(r, now_ms);
        if (until_ms > now_ms)
            heap_start(&r->match_forgets, &m->due, until_ms);
        else if (looks) /* nothing is kept: it stays as long as it looks */
            heap_start(&r->match_forgets, &m->due, now_ms + 1000);
        else
            realm_forget_match(r, m);
    }
}

static void forget_backfills(struct realm *r, int64_t now_ms, unsigned max) {
    for (unsigned n = 0; n < max && list_first(&r->backfills_ended); n++) {
        struct backfill *b = LIST_OF(list_first(&r->backfills_ended), struct backfill, kept);
        if (realm_kept_until_ms(r, b->spec.ended_ms) > now_ms) break;
        realm_forget_backfill(r, b);
    }
}

void realm_forget(struct realm *r, int64_t now_ms, unsigned max) {
    forget_tickets(r, now_ms, max);
    forget_matches(r, now_ms, max);
    forget_backfills(r, now_ms, max);
    for (unsigned n = 0; n < max && heap_due(&r->penalty_ends) <= now_ms; n++)
        realm_forget_penalty(r, HEAP_OF(heap_first(&r->penalty_ends), struct penalty, due));
}

/* A pulse that is due may be late for its ticket's last sign of life: then it is set again. */
static unsigned end_silent(struct realm *r, const struct decision *d, unsigned max) {
    unsigned ended = 0;
    while (ended < max && heap_due(&r->pulses) <= d->now_ms) {
        struct ticket *t = HEAP_OF(heap_first(&r->pulses), struct ticket, pulse);
        int64_t heard_ms = t->alive_ms > r->owned_from_ms ? t->alive_ms : r->owned_from_ms;
        if (heard_ms + t->heartbeat_ms > d->now_ms) {
            heap_start(&r->pulses, &t->pulse, heard_ms + t->heartbeat_ms);
            continue;
        }
        realm_emit_end(r, d, t, TICKET_EXPIRED, STR("no sign of life"));
        ended++;
    }
    return ended;
}

unsigned realm_expire(struct realm *r, const struct decision *d, unsigned max) {
    unsigned ended = 0;
    for (; ended < max && heap_due(&r->match_ends) <= d->now_ms; ended++)
        realm_end_match_in_time(r, d, HEAP_OF(heap_first(&r->match_ends), struct match, due));
    for (; ended < max && heap_due(&r->backfill_expiries) <= d->now_ms; ended++) {
        struct heap_node *first = heap_first(&r->backfill_expiries);
        realm_expire_backfill(r, d, HEAP_OF(first, struct backfill, expiry));
    }
    for (; ended < max && heap_due(&r->expiries) <= d->now_ms; ended++) {
        struct ticket *t = HEAP_OF(heap_first(&r->expiries), struct ticket, expiry);
        realm_emit_end(r, d, t, TICKET_EXPIRED, STR("no match was found in time"));
    }
    ended += end_silent(r, d, max - ended);
    realm_forget(r, d->now_ms, max);
    return ended;
}

enum err realm_decide(struct realm *r, struct command *c, const struct decision *d,
                      struct outcome *out, struct err_text *why) {
    *out = (struct outcome){0};
    switch (c->kind) {
    case COMMAND_CREATE_TICKET:
        return create_ticket(r, c, d, out, why);
    case COMMAND_CANCEL_TICKET:
        return cancel_ticket(r, c, d, out, why);
    case COMMAND_UPDATE_TICKET:
        return update_ticket(r, c, d, out, why);
    case COMMAND_PUT_QUEUE:
        return realm_put_queue(r, c, d, out, why);
    case COMMAND_DELETE_QUEUE:
        return realm_delete_queue(r, c, d, out, why);
    case COMMAND_ACCEPT_MATCH:
        return realm_accept_match(r, c, d, out, why);
    case COMMAND_DECLINE_MATCH:
        return realm_decline_match(r, c, d, out, why);
    case COMMAND_ASSIGN_MATCH:
        return realm_assign_match(r, c, d, out, why);
    case COMMAND_COMPLETE_MATCH:
        return realm_complete_match(r, c, d, out, why);
    case COMMAND_CANCEL_MATCH:
        return realm_cancel_match(r, c, d, out, why);
    case COMMAND_LEAVE_MATCH:
        return realm_leave_match(r, c, d, out, why);
    case COMMAND_CREATE_BACKFILL:
        return realm_create_backfill(r, c, d, out, why);
    case COMMAND_UPDATE_BACKFILL:
        return realm_update_backfill(r, c, d, out, why);
    case COMMAND_CANCEL_BACKFILL:
        return realm_cancel_backfill(r, c, d, out, why);
    }
    assert(!"every command has its case");
    return ERR_INTERNAL;
}
