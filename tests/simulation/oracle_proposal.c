/* oracle_proposal.c - I17: who said what to a match that asks, what became of it, and who pays. */
#include "simulation/oracle_state.h"

#include "base/mem.h"

#include <string.h>

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct proposal *)value)->id, *(const struct id *)key);
}

static struct proposal *find(const struct oracle *o, struct id id) {
    return map_get(&o->proposals, id_hash(id), has_id, &id);
}

static bool names_player(const struct op *op, int player) {
    for (int i = 0; i < OP_PLAYERS_MAX; i++)
        if (op->players[i] == player) return true;
    return false;
}

/* Whether somebody has asked for that answer of the player before the entry was taken. */
static bool was_said(const struct oracle *o, const struct proposal *p,
                     const struct team_member *member, enum match_answer answer) {
    const struct history *h = history();
    int player = oracle_player(member->player_id);
    for (size_t i = 0; i < h->op_count; i++) {
        const struct op *op = &h->ops[i];
        if (op->begin_us > o->entry->time_us) continue;
        bool answers = id_equal(op->match_id, p->id) && names_player(op, player);
        if (answer == ANSWER_ACCEPTED && op->kind == OP_ACCEPT && answers) return true;
        if (answer == ANSWER_DECLINED && op->kind == OP_DECLINE && answers) return true;
        /* who leaves the queue declines */
        if (answer == ANSWER_DECLINED && op->kind == OP_CANCEL &&
            id_equal(op->ticket_id, member->ticket_id))
            return true;
    }
    return false;
}

static void take_answer(struct oracle *o, struct proposal *p, const struct team_member *member) {
    int player = oracle_player(member->player_id);
    if (member->answer == p->answer_of[player]) return;
    if (member->answer == ANSWER_NONE)
        oracle_violation(o, "I17", "p%d's answer to %s is forgotten", player, oracle_text(p->id));
    else if (!was_said(o, p, member, member->answer))
        oracle_violation(o, "I17", "nobody said that p%d %s %s", player,
                         member->answer == ANSWER_ACCEPTED ? "accepts" : "declines",
                         oracle_text(p->id));
    if (member->answer == ANSWER_ACCEPTED && !p->accepted_us[player])
        p->accepted_us[player] = o->entry->time_us;
    p->answer_of[player] = member->answer;
}

/* ---- records ---- */

void oracle_walk_proposed(struct oracle *o, const struct match_spec *m) {
    struct proposal *p = arena_alloc(o->arena, sizeof *p);
    *p = (struct proposal){.id = m->id,
                           .state = m->state,
                           .until_ms = m->until_ms,
                           .joins_id = m->joins_id,
                           .backfill_id = m->backfill_id};
    if (find(o, m->id)) oracle_violation(o, "I17", "%s was proposed twice", oracle_text(m->id));
    map_put(&o->proposals, id_hash(p->id), p);
    o->counts->proposals++;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        struct known *t = oracle_ticket(o, m->ticket_ids[i]);
        if (!t || t->state != TICKET_QUEUED) {
            oracle_violation(o, "I17", "%s is proposed %s, but does not wait",
                             oracle_text(m->ticket_ids[i]), oracle_text(m->id));
            continue;
        }
        t->state = TICKET_PROPOSED;
        t->match_id = m->id;
    }
}

void oracle_walk_accepted(struct oracle *o, const struct record *r) {
    struct proposal *p = find(o, r->match_accepted.id);
    if (!p || p->state != MATCH_PROPOSED) {
        oracle_violation(o, "I17", "%s is accepted, but not proposed",
                         oracle_text(r->match_accepted.id));
        return;
    }
    for (uint32_t i = 0; i < r->match_accepted.accepted_count; i++) {
        struct team_member member = {.player_id = r->match_accepted.accepted[i],
                                     .answer = ANSWER_ACCEPTED};
        take_answer(o, p, &member);
    }
}

/* Nobody is at fault when the match that newcomers were asked for has changed under them. */
static bool is_withdrawn(const struct proposal *p, const struct match_spec *m) {
    return !id_is_none(p->joins_id) && match_answers(m, ANSWER_DECLINED) == 0 &&
           !str_equal(m->reason, STR("not accepted in time"));
}

/* Ticket by ticket: who has a player at fault is cancelled, everybody else waits on, as old as he
 * was. */
static void check_fates(struct oracle *o, const struct proposal *p, const struct record *r) {
    const struct match_spec *m = &r->match_updated.spec;
    bool declined = match_answers(m, ANSWER_DECLINED) > 0, withdrawn = is_withdrawn(p, m);
    o->counts->proposals_failed++;
    if (r->match_updated.fate_count != m->ticket_count)
        oracle_violation(o, "I17", "%s fails with %u fates of %u tickets", oracle_text(p->id),
                         r->match_updated.fate_count, m->ticket_count);
    if (!declined && !withdrawn && r->time_ms < p->until_ms)
        oracle_violation(o, "I17", "%s fails before its time, declined by nobody",
                         oracle_text(p->id));
    for (uint32_t i = 0; i < r->match_updated.fate_count; i++) {
        const struct ticket_fate *fate = &r->match_updated.fates[i];
        struct known *t = oracle_ticket(o, fate->id);
        if (!t || t->state != TICKET_PROPOSED || !id_equal(t->match_id, p->id)) {
            oracle_violation(o, "I17", "%s is settled with %s, which was not proposed it",
                             oracle_text(p->id), oracle_text(fate->id));
            continue;
        }
        bool at_fault = false;
        for (uint32_t k = 0; k < t->player_count; k++) {
            enum match_answer said = p->answer_of[t->players[k]];
            bool his = !withdrawn && said == (declined ? ANSWER_DECLINED : ANSWER_NONE);
            if (his && str_equal(m->queue, LOAD_DODGE_QUEUE)) o->barred[t->players[k]].owed++;
            at_fault = at_fault || his;
        }
        if (fate->state != (at_fault ? TICKET_CANCELLED : TICKET_QUEUED))
            oracle_violation(o, "I17", "%s of failed %s is %s, at fault: %d", oracle_text(t->id),
                             oracle_text(p->id), ticket_state_name(fate->state), at_fault);
        if (fate->created_ms != t->created_ms)
            oracle_violation(o, "I17", "%s lost its clock", oracle_text(t->id));
        if (fate->state == TICKET_QUEUED)
            t->state = TICKET_QUEUED;
        else
            oracle_end_ticket(o, t->id, fate->state);
    }
}

static void check_made(struct oracle *o, const struct proposal *p, const struct record *r) {
    const struct match_spec *m = &r->match_updated.spec;
    if (match_answers(m, ANSWER_ACCEPTED) != match_player_count(m))
        oracle_violation(o, "I17", "%s was made though not all accepted", oracle_text(p->id));
    if (r->time_ms >= p->until_ms)
        oracle_violation(o, "I17", "%s was made after its time", oracle_text(p->id));
    o->counts->matches++;
    oracle_walk_begun(o, m);
    for (uint32_t i = 0; i < m->ticket_count; i++)
        oracle_end_ticket(o, m->ticket_ids[i], TICKET_MATCHED);
}

void oracle_walk_settled(struct oracle *o, const struct record *r) {
    const struct match_spec *m = &r->match_updated.spec;
    struct proposal *p = find(o, m->id);
    if (!p || p->state != MATCH_PROPOSED) {
        oracle_violation(o, "I17", "%s is %s, but was not proposed (any more)", oracle_text(m->id),
                         match_state_name(m->state));
        return;
    }
    for (uint32_t t = 0; t < m->team_count; t++)
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            take_answer(o, p, &m->teams[t].members[i]);
    p->state = m->state;
    p->ended_us = o->entry->time_us;
    if (m->state == MATCH_CANCELLED)
        check_fates(o, p, r);
    else
        check_made(o, p, r);
    oracle_walk_declined(o, m);
}

void oracle_walk_merged(struct oracle *o, const struct record *r) {
    const struct match_spec *m = &r->roster_changed.spec;
    struct proposal *p = find(o, r->roster_changed.proposal_id);
    if (!p || p->state != MATCH_PROPOSED || !id_equal(p->joins_id, m->id)) {
        oracle_violation(o, "I17", "%s takes in newcomers whom nobody asked", oracle_text(m->id));
        return;
    }
    for (uint32_t i = 0; i < r->roster_changed.joined_count; i++) {
        const struct team_member *member = match_member(m, r->roster_changed.joined[i]);
        if (!member) continue; /* I20 says so */
        take_answer(o, p, member);
        if (member->answer != ANSWER_ACCEPTED)
            oracle_violation(o, "I17", "%.*s joins %s without having accepted",
                             STR_PRINT(member->player_id), oracle_text(m->id));
    }
    if (r->time_ms >= p->until_ms)
        oracle_violation(o, "I17", "%s was joined after its time", oracle_text(p->id));
    p->state = MATCH_MERGED;
    p->ended_us = o->entry->time_us;
}

void oracle_check_carried_match(struct oracle *o, const struct match_spec *m) {
    const struct proposal *p = find(o, m->id);
    bool ran = p && p->state == MATCH_CONFIRMED && load_plays_on(m->queue);
    if (p && p->state != m->state && !(ran && m->state == MATCH_CANCELLED))
        oracle_violation(o, "I18", "%s was carried as %s", oracle_text(m->id),
                         match_state_name(m->state));
}

/* ---- penalties ---- */

void oracle_walk_penalty(struct oracle *o, const struct record *r) {
    int player = oracle_player(r->player_penalized.player_id);
    struct barred *b = &o->barred[player];
    int64_t left_ms = b->forget_ms - r->time_ms;
    if (r->carried) {
        if (b->until_ms != r->player_penalized.until_ms ||
            b->offences != r->player_penalized.offences)
            oracle_violation(o, "I18", "p%d's penalty was carried as another", player);
        return;
    }
    uint32_t offences = 0;
    while (left_ms > 0 && offences < b->offences) {
        offences++;
        left_ms -= LOAD_DODGE_DECAY_MS;
    }
    offences++;
    int64_t for_ms = offences == 1 ? LOAD_DODGE_FIRST_MS : LOAD_DODGE_NEXT_MS;
    if (b->owed == 0)
        oracle_violation(o, "I17", "p%d is barred and let nothing fail", player);
    else
        b->owed--;
    if (r->player_penalized.offences != offences ||
        r->player_penalized.until_ms != r->time_ms + for_ms)
        oracle_violation(o, "I17", "p%d is barred for %lld ms by offence %u, which is his %u.",
                         player, (long long)(r->player_penalized.until_ms - r->time_ms),
                         r->player_penalized.offences, offences);
    b->offences = offences;
    b->until_ms = r->player_penalized.until_ms;
    b->forget_ms = r->player_penalized.forget_ms;
    o->counts->penalties++;
    if (!b->first_us) b->first_us = o->entry->time_us;
}

void oracle_check_barred(struct oracle *o, const struct record *created) {
    const struct ticket_spec *spec = &created->ticket_created.spec;
    for (uint32_t q = 0; q < spec->queue_count; q++) {
        if (!str_equal(spec->queues[q], LOAD_DODGE_QUEUE)) continue;
        for (uint32_t i = 0; i < spec->player_count; i++) {
            int player = oracle_player(spec->players[i].id);
            if (o->barred[player].until_ms > created->time_ms)
                oracle_violation(o, "I17", "p%d joined a queue he was barred from", player);
        }
    }
}

void oracle_check_entry(struct oracle *o) {
    for (int i = 0; i < LOAD_PLAYERS; i++) {
        if (o->barred[i].owed > 0)
            oracle_violation(o, "I17", "p%d let a proposal fail and is not barred", i);
        o->barred[i].owed = 0;
    }
}

void oracle_check_refused(struct oracle *o, const struct op *create) {
    for (int i = 0; i < OP_PLAYERS_MAX; i++) {
        int player = create->players[i];
        if (player >= 0 && o->barred[player].first_us &&
            o->barred[player].first_us <= create->end_us)
            return;
    }
    if (!oracle_lost_since(0))
        oracle_violation(o, "I17", "%s was refused, but nobody in it was ever barred",
                         create->request_id);
}

/* ---- answers ---- */

static void check_kept(struct oracle *o, const struct op *op, const struct proposal *p) {
    for (int i = 0; i < OP_PLAYERS_MAX && op->players[i] >= 0; i++) {
        int player = op->players[i];
        bool held = op->kind == OP_ACCEPT
                        ? p->accepted_us[player] && p->accepted_us[player] <= op->end_us
                        : p->answer_of[player] == ANSWER_DECLINED && p->ended_us <= op->end_us;
        if (!held)
            oracle_violation(o, "I4", "p%d's %s of %s was acknowledged, but is not in the journal",
                             player, op->kind == OP_ACCEPT ? "acceptance" : "refusal",
                             oracle_text(p->id));
    }
}

void oracle_check_answer(struct oracle *o, const struct op *op) {
    const struct proposal *p = find(o, op->match_id);
    if (!p || oracle_lost_since(0)) return;
    if (op->code == ERR_OK) check_kept(o, op, p);
    bool settled = p->ended_us && p->ended_us <= op->end_us &&
                   (op->kind == OP_DECLINE || p->state == MATCH_CANCELLED);
    if (op->code == ERR_FAILED_PRECONDITION && !settled)
        oracle_violation(o, "I17", "%s came too late for %s, but nothing had settled it",
                         op->request_id, oracle_text(p->id));
    if (op->code == ERR_NOT_FOUND && !oracle_may_be_old(op))
        oracle_violation(o, "I10", "%s was proposed and is not found", oracle_text(p->id));
}

void oracle_check_settled(struct oracle *o) {
    size_t cursor = 0;
    for (const struct proposal *p; (p = map_next(&o->proposals, &cursor));)
        if (p->state == MATCH_PROPOSED)
            oracle_violation(o, "I14", "%s still asks its players", oracle_text(p->id));
}
