/* realm_proposal.c - a match asks its players: accepted by all it is made; declined by one, or not
 * accepted in time, it ends, and the innocent wait on.
 *
 *   accept (others are asked still) -> MATCH_ACCEPTED        progress
 *   accept (the last one)           -> MATCH_UPDATED         CONFIRMED, its tickets MATCHED
 *          (of newcomers)           -> ROSTER_CHANGED        they join the running match
 *   decline, cancel of a ticket     -> MATCH_UPDATED         CANCELLED, with each ticket's fate
 *   no answer until until_ms        -> MATCH_UPDATED         likewise
 *
 * At fault are those who declined and, at the time's end, those who said nothing. A ticket with a
 * player at fault is CANCELLED, every other one is QUEUED again as old as it was. One record says
 * all of it, so a proposal ends once, whatever is killed.
 * Source: FlexMatch acceptance, but for who had not answered yet when another declined: he waits
 * on.
 */
#include "model/realm_state.h"

#include <assert.h>

/* Its texts outlive the match's content, which an applied record replaces. */
struct match_spec realm_copy_match(const struct match *m, const struct decision *d) {
    struct arena *arena = d->arena;
    struct match_spec s = m->spec;
    struct match_team *teams = arena_alloc(arena, s.team_count * sizeof *teams);
    for (uint32_t t = 0; t < s.team_count; t++) {
        const struct match_team *from = &m->spec.teams[t];
        struct team_member *members = arena_alloc(arena, from->member_count * sizeof *members);
        for (uint32_t i = 0; i < from->member_count; i++) {
            members[i] = from->members[i];
            members[i].player_id = arena_str(arena, from->members[i].player_id);
        }
        teams[t] = (struct match_team){arena_str(arena, from->name), members, from->member_count};
    }
    struct id *ids = arena_alloc(arena, s.ticket_count * sizeof *ids);
    for (uint32_t i = 0; i < s.ticket_count; i++)
        ids[i] = m->spec.ticket_ids[i];
    struct str *left = arena_alloc(arena, s.left_count * sizeof *left);
    for (uint32_t i = 0; i < s.left_count; i++)
        left[i] = arena_str(arena, s.left[i]);
    s.left = left;
    s.teams = teams;
    s.ticket_ids = ids;
    s.queue = arena_str(arena, s.queue);
    s.region = arena_str(arena, s.region);
    s.connection = arena_str(arena, s.connection);
    return s;
}

static struct team_member *member_at(const struct match_spec *s, uint32_t team, uint32_t index) {
    return (struct team_member *)&s->teams[team].members[index]; /* of a copy */
}

/* ---- the end without a match ---- */

struct failure {
    bool timed_out;
    bool forgiven, cancels_all; /* nobody is at fault; all tickets are cancelled all the same */
    struct str reason;          /* of the match */
    struct str ticket_reason;   /* of a ticket at fault */
};

static bool member_at_fault(const struct team_member *member, const struct failure *f) {
    if (f->forgiven) return false;
    return member->answer == ANSWER_DECLINED || (f->timed_out && member->answer == ANSWER_NONE);
}

static bool ticket_at_fault(const struct match_spec *s, struct id ticket, const struct failure *f) {
    for (uint32_t t = 0; t < s->team_count; t++) {
        for (uint32_t i = 0; i < s->teams[t].member_count; i++) {
            const struct team_member *member = &s->teams[t].members[i];
            if (id_equal(member->ticket_id, ticket) && member_at_fault(member, f)) return true;
        }
    }
    return false;
}

static void penalize(struct realm *r, const struct decision *d, const struct match_spec *s,
                     const struct failure *f) {
    const struct queue *q = realm_find_queue(r, s->queue);
    if (!q) return;
    for (uint32_t t = 0; t < s->team_count; t++) {
        for (uint32_t i = 0; i < s->teams[t].member_count; i++) {
            const struct team_member *member = &s->teams[t].members[i];
            if (member_at_fault(member, f)) realm_penalize(r, d, member->player_id, q);
        }
    }
}

/* Why the ticket cannot wait on; empty: it can. A queue may have new rules since it was proposed.
 */
static struct str unfit_reason(const struct ticket *t, struct arena *arena) {
    struct ticket_spec spec = ticket_spec(t, arena);
    struct err_text why;
    for (uint32_t i = 0; i < t->queue_count; i++) {
        const struct queue *q = t->places[i].queue;
        if (q && ruleset_admit(q->def->ruleset, &spec, &why) != ERR_OK)
            return STR("a queue's new rules do not admit it");
    }
    return STR_EMPTY;
}

/* `s`: a copy with the answers as they are now. */
static void fail(struct realm *r, const struct decision *d, struct match_spec *s,
                 const struct failure *f) {
    struct record *record = realm_new_record(d, RECORD_MATCH_UPDATED);
    struct ticket_fate *fates = arena_alloc(d->arena, s->ticket_count * sizeof *fates);
    s->state = MATCH_CANCELLED;
    s->ended_ms = d->now_ms;
    s->until_ms = 0;
    s->reason = arena_str(d->arena, f->reason);
    record->match_updated.spec = *s;
    record->match_updated.fates = fates;
    for (uint32_t i = 0; i < s->ticket_count; i++) {
        const struct ticket *t = realm_find_ticket(r, s->ticket_ids[i]);
        if (!t) continue;
        bool at_fault = ticket_at_fault(s, t->id, f);
        struct str reason =
            at_fault || f->cancels_all ? f->ticket_reason : unfit_reason(t, d->arena);
        fates[record->match_updated.fate_count++] =
            realm_fate(d, t, reason.size ? TICKET_CANCELLED : TICKET_QUEUED, reason);
    }
    realm_emit(r, d, record);
    penalize(r, d, s, f);
}

void realm_time_out_proposal(struct realm *r, const struct decision *d, const struct match *m) {
    assert(m->spec.state == MATCH_PROPOSED);
    struct match_spec s = realm_copy_match(m, d);
    fail(r, d, &s,
         &(struct failure){.timed_out = true,
                           .reason = STR("not accepted in time"),
                           .ticket_reason = STR("the match was not accepted in time")});
}

void realm_withdraw_proposal(struct realm *r, const struct decision *d, const struct match *m,
                             struct str reason, bool cancel_tickets) {
    struct match_spec s = realm_copy_match(m, d);
    fail(r, d, &s,
         &(struct failure){.forgiven = true,
                           .cancels_all = cancel_tickets,
                           .reason = reason,
                           .ticket_reason = reason});
}

void realm_cancel_proposed(struct realm *r, const struct decision *d, const struct ticket *t,
                           struct str reason) {
    const struct match *m = realm_find_match(r, ticket_match_id(t));
    assert(m && m->spec.state == MATCH_PROPOSED);
    struct match_spec s = realm_copy_match(m, d);
    for (uint32_t k = 0; k < s.team_count; k++) {
        for (uint32_t i = 0; i < s.teams[k].member_count; i++) {
            struct team_member *member = member_at(&s, k, i);
            if (id_equal(member->ticket_id, t->id)) member->answer = ANSWER_DECLINED;
        }
    }
    fail(r, d, &s,
         &(struct failure){.reason = STR("a ticket of it was cancelled"), .ticket_reason = reason});
}

/* ---- answers ---- */

static enum err find(struct realm *r, const struct command *c, const struct decision *d,
                     const struct match **out, struct err_text *why) {
    struct id id = c->answer_match.match_id;
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    const struct match *m = realm_find_match(r, id);
    if (!m) return err_set_field(why, ERR_NOT_FOUND, "match_id", "no match %s", text);
    for (uint32_t i = 0; i < c->answer_match.player_count; i++) {
        struct str player = c->answer_match.player_ids[i];
        if (!match_member(&m->spec, player))
            return err_set_field(why, ERR_INVALID_ARGUMENT, "player_ids",
                                 "player \"%.*s\" is not in match %s", STR_PRINT(player), text);
    }
    if (m->spec.state == MATCH_PROPOSED && m->spec.until_ms <= d->now_ms) {
        realm_time_out_proposal(r, d, m); /* its time was over before this answer */
        m = realm_find_match(r, id);
    }
    *out = m;
    return ERR_OK;
}

static enum err refuse_cancelled(const struct match *m, struct err_text *why) {
    char text[ID_TEXT_BYTES];
    id_format(m->spec.id, text);
    return err_set_field(why, ERR_FAILED_PRECONDITION, "match_id", "match %s was cancelled: %.*s",
                         text, (int)(m->spec.reason.size < 300 ? m->spec.reason.size : 300),
                         m->spec.reason.at);
}

static void confirm(struct realm *r, const struct decision *d, struct match_spec *s) {
    if (!id_is_none(s->joins_id)) {
        realm_join_accepted(r, d, s);
        return;
    }
    struct record *record = realm_new_record(d, RECORD_MATCH_UPDATED);
    const struct queue *q = realm_find_queue(r, s->queue);
    s->state = MATCH_CONFIRMED;
    s->until_ms = 0;
    if (q) realm_time_match(s, q, d->now_ms);
    s->longest_wait_ms += d->now_ms > s->created_ms ? d->now_ms - s->created_ms : 0;
    record->match_updated.spec = *s;
    realm_emit(r, d, record);
    realm_begin_backfill(r, d, s);
}

/* Players are told how far it is. */
static void tell_progress(struct realm *r, const struct decision *d, const struct match_spec *s) {
    struct record *record = realm_new_record(d, RECORD_MATCH_ACCEPTED);
    uint32_t players = match_player_count(s);
    struct str *accepted = arena_alloc(d->arena, players * sizeof *accepted);
    struct str *waiting = arena_alloc(d->arena, players * sizeof *waiting);
    record->match_accepted.id = s->id;
    record->match_accepted.queue = s->queue;
    record->match_accepted.accepted = accepted;
    record->match_accepted.waiting = waiting;
    record->match_accepted.until_ms = s->until_ms;
    for (uint32_t t = 0; t < s->team_count; t++) {
        for (uint32_t i = 0; i < s->teams[t].member_count; i++) {
            const struct team_member *member = &s->teams[t].members[i];
            if (member->answer == ANSWER_ACCEPTED)
                accepted[record->match_accepted.accepted_count++] = member->player_id;
            else
                waiting[record->match_accepted.waiting_count++] = member->player_id;
        }
    }
    realm_emit(r, d, record);
}

static uint32_t answer(const struct match_spec *s, const struct command *c,
                       enum match_answer given) {
    uint32_t changed = 0;
    for (uint32_t i = 0; i < c->answer_match.player_count; i++) {
        struct team_member *member =
            (struct team_member *)match_member(s, c->answer_match.player_ids[i]); /* of a copy */
        changed += member->answer != given;
        member->answer = given;
    }
    return changed;
}

enum err realm_accept_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) {
    const struct match *m = NULL;
    enum err e = find(r, c, d, &m, why);
    if (e != ERR_OK) return e;
    if (m->spec.state == MATCH_CANCELLED) return refuse_cancelled(m, why);
    struct id id = m->spec.id;
    if (m->spec.state == MATCH_PROPOSED) {
        struct match_spec s = realm_copy_match(m, d);
        out->changed = answer(&s, c, ANSWER_ACCEPTED) > 0;
        if (match_answers(&s, ANSWER_ACCEPTED) == match_player_count(&s))
            confirm(r, d, &s);
        else if (out->changed)
            tell_progress(r, d, &s);
    }
    out->match = realm_find_match(r, id);
    return ERR_OK;
}

static bool have_declined(const struct match *m, const struct command *c) {
    for (uint32_t i = 0; i < c->answer_match.player_count; i++) {
        const struct team_member *member = match_member(&m->spec, c->answer_match.player_ids[i]);
        if (member->answer != ANSWER_DECLINED) return false;
    }
    return true;
}

enum err realm_decline_match(struct realm *r, const struct command *c, const struct decision *d,
                             struct outcome *out, struct err_text *why) {
    const struct match *m = NULL;
    enum err e = find(r, c, d, &m, why);
    if (e != ERR_OK) return e;
    struct id id = m->spec.id;
    if (m->spec.state == MATCH_CANCELLED && !have_declined(m, c)) return refuse_cancelled(m, why);
    if (m->spec.state != MATCH_CANCELLED && m->spec.state != MATCH_PROPOSED) {
        return err_set_field(why, ERR_FAILED_PRECONDITION, "match_id",
                             "the match is %s; only a proposed one can be declined",
                             match_state_name(m->spec.state));
    }
    if (m->spec.state == MATCH_PROPOSED) {
        struct match_spec s = realm_copy_match(m, d);
        (void)answer(&s, c, ANSWER_DECLINED);
        fail(r, d, &s,
             &(struct failure){.reason = STR("a player declined"),
                               .ticket_reason = STR("declined the match")});
        out->changed = true;
    }
    out->match = realm_find_match(r, id);
    return ERR_OK;
}
