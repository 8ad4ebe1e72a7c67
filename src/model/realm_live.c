/* realm_live.c - a match that is made: its server, its result, its end.
 *
 *   AssignMatch -> ASSIGNED    CompleteMatch -> COMPLETED    CancelMatch -> CANCELLED
 *   no server by until_ms      -> CANCELLED, its tickets wait again
 *   no result by result_due_ms -> CANCELLED
 *
 * Each is one MATCH_UPDATED. Tickets of a made match have ended, so those that wait again are new
 * ones, created as the old ones were.
 */
#include "model/realm_state.h"

#include <assert.h>

void realm_time_match(struct match_spec *s, const struct queue *q, int64_t now_ms) {
    const struct queue_life *life = &q->def->life;
    s->holds_players = life->holds_players;
    if (s->state == MATCH_PROPOSED) {
        s->until_ms = now_ms + life->acceptance_ms;
        return;
    }
    s->result_due_ms = life->match_ms ? now_ms + life->match_ms : 0;
    s->until_ms = life->assign_ms ? now_ms + life->assign_ms : 0;
    if (s->result_due_ms && (!s->until_ms || s->result_due_ms < s->until_ms))
        s->until_ms = s->result_due_ms;
}

enum err realm_get_match(const struct realm *r, struct id id, const struct match **out,
                         struct err_text *why) {
    char text[ID_TEXT_BYTES];
    *out = realm_find_match(r, id);
    if (*out) return ERR_OK;
    id_format(id, text);
    return err_set_field(why, ERR_NOT_FOUND, "match_id", "no match %s", text);
}

enum err realm_refuse_match(const struct match *m, const char *needed, struct err_text *why) {
    return err_set_field(why, ERR_FAILED_PRECONDITION, "match_id", "the match is %s; only %s",
                         match_state_name(m->spec.state), needed);
}

static void emit(struct realm *r, const struct decision *d, const struct match_spec *s,
                 struct outcome *out) {
    struct record *record = realm_new_record(d, RECORD_MATCH_UPDATED);
    record->match_updated.spec = *s;
    struct id id = s->id;
    realm_emit(r, d, record);
    if (!out) return;
    out->match = realm_find_match(r, id);
    out->changed = true;
}

enum err realm_assign_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) {
    const struct match *m;
    enum err e = realm_get_match(r, c->assign_match.match_id, &m, why);
    if (e != ERR_OK) return e;
    out->match = m;
    bool again = m->spec.state == MATCH_ASSIGNED &&
                 str_equal(m->spec.connection, c->assign_match.connection);
    if (again) return ERR_OK;
    if (m->spec.state != MATCH_CONFIRMED)
        return realm_refuse_match(m, "a confirmed one can be assigned, once", why);
    struct match_spec s = realm_copy_match(m, d);
    s.state = MATCH_ASSIGNED;
    s.connection = arena_str(d->arena, c->assign_match.connection);
    s.until_ms = s.result_due_ms;
    emit(r, d, &s, out);
    return ERR_OK;
}

static bool has_team(const struct match_spec *s, struct str team) {
    for (uint32_t i = 0; i < s->team_count; i++)
        if (str_equal(s->teams[i].name, team)) return true;
    return false;
}

enum err realm_complete_match(struct realm *r, const struct command *c, const struct decision *d,
                              struct outcome *out, struct err_text *why) {
    const struct match *m;
    enum err e = realm_get_match(r, c->complete_match.match_id, &m, why);
    if (e != ERR_OK) return e;
    out->match = m;
    if (m->spec.state == MATCH_COMPLETED) return ERR_OK;
    if (m->spec.state == MATCH_PROPOSED || m->spec.state == MATCH_CANCELLED)
        return realm_refuse_match(m, "a confirmed or assigned one can be completed", why);
    uint32_t count = c->complete_match.result_count;
    struct team_result *results = arena_alloc(d->arena, count * sizeof *results);
    for (uint32_t i = 0; i < count; i++) {
        results[i] = c->complete_match.results[i];
        if (!has_team(&m->spec, results[i].team))
            return err_set_field(why, ERR_INVALID_ARGUMENT, "results",
                                 "the match has no team \"%.*s\"", STR_PRINT(results[i].team));
        results[i].team = arena_str(d->arena, results[i].team);
    }
    realm_end_backfill(r, d, m->spec.id, STR("its match is over"));
    struct match_spec s = realm_copy_match(m, d);
    s.state = MATCH_COMPLETED;
    s.ended_ms = d->now_ms;
    s.until_ms = 0;
    s.results = results;
    s.result_count = count;
    emit(r, d, &s, out);
    return ERR_OK;
}

/* ---- cancel ---- */

static bool may_wait_again(const struct realm *r, const struct ticket *t,
                           const struct match_spec *s, struct arena *arena) {
    if (!t || t->state != TICKET_MATCHED || ticket_expires_ms(t) <= s->ended_ms) return false;
    struct ticket_spec spec = ticket_spec(t, arena);
    for (uint32_t i = 0; i < spec.player_count; i++) {
        if (realm_find_player(r, spec.players[i].id)) return false;
        if (realm_find_holder(r, spec.players[i].id)) return false;
        if (match_has_left(s, spec.players[i].id)) return false;
    }
    for (uint32_t i = 0; i < t->queue_count; i++) {
        const struct queue *q = realm_find_queue(r, spec.queues[i]);
        struct err_text why;
        if (!q || ruleset_admit(q->def->ruleset, &spec, &why) != ERR_OK) return false;
    }
    return true;
}

static void create_again(struct realm *r, const struct decision *d, const struct ticket *t) {
    struct record *record = realm_new_record(d, RECORD_TICKET_CREATED);
    record->ticket_created.id = id_new(d->rng, d->now_ms);
    record->ticket_created.spec = ticket_spec(t, d->arena);
    record->ticket_created.state = TICKET_QUEUED;
    record->ticket_created.created_ms = t->created_ms;
    record->ticket_created.expires_ms = ticket_expires_ms(t);
    record->ticket_created.heartbeat_ms = t->heartbeat_ms;
    record->traces = ticket_trace(t);
    record->trace_count = record->traces != NULL;
    realm_emit(r, d, record);
}

void realm_emit_cancelled(struct realm *r, const struct decision *d, struct match_spec *s,
                          struct str reason) {
    s->state = MATCH_CANCELLED;
    s->ended_ms = d->now_ms;
    s->until_ms = 0;
    s->reason = arena_str(d->arena, reason);
    emit(r, d, s, NULL);
}

static void cancel(struct realm *r, const struct decision *d, const struct match *m,
                   struct str reason, bool requeue) {
    realm_end_backfill(r, d, m->spec.id, STR("its match was cancelled"));
    struct match_spec s = realm_copy_match(m, d);
    realm_emit_cancelled(r, d, &s, reason);
    for (uint32_t i = 0; requeue && i < s.ticket_count; i++) {
        const struct ticket *t = realm_find_ticket(r, s.ticket_ids[i]);
        if (may_wait_again(r, t, &s, d->arena)) create_again(r, d, t);
    }
}

enum err realm_cancel_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) {
    const struct match *m;
    struct id id = c->cancel_match.match_id;
    enum err e = realm_get_match(r, id, &m, why);
    if (e != ERR_OK) return e;
    if (m->spec.state == MATCH_COMPLETED)
        return realm_refuse_match(m, "one without a result can be cancelled", why);
    struct str reason = c->cancel_match.reason;
    if (!reason.size) reason = STR("cancelled by request");
    out->changed = m->spec.state != MATCH_CANCELLED;
    if (m->spec.state == MATCH_PROPOSED)
        realm_withdraw_proposal(r, d, m, reason, !c->cancel_match.requeue);
    else if (out->changed)
        cancel(r, d, m, reason, c->cancel_match.requeue);
    out->match = realm_find_match(r, id);
    return ERR_OK;
}

void realm_end_match_in_time(struct realm *r, const struct decision *d, const struct match *m) {
    if (m->spec.state == MATCH_PROPOSED) {
        realm_time_out_proposal(r, d, m);
        return;
    }
    bool no_result = m->spec.result_due_ms && m->spec.result_due_ms <= d->now_ms;
    assert(no_result || m->spec.state == MATCH_CONFIRMED);
    cancel(r, d, m, no_result ? STR("no result in time") : STR("not assigned in time"), !no_result);
}
