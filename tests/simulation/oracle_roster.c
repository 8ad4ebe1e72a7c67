/* oracle_roster.c - I20: who is in a running match, who leaves it and who comes, and what looks for
 * them. A place is given to one ticket, a match has one backfill at a time, and what a game was
 * told of it holds.
 */
#include "simulation/oracle_state.h"

#include "base/mem.h"

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct running *)value)->id, *(const struct id *)key);
}

static struct running *find(const struct oracle *o, struct id id) {
    return map_get(&o->running, id_hash(id), has_id, &id);
}

/* Nobody may be in two at once, nor wait beside one. */
static void enter(struct oracle *o, struct running *m, int player) {
    if (m->is_in[player])
        oracle_violation(o, "I20", "p%d is in %s twice", player, oracle_text(m->id));
    if (o->playing[player] && o->playing[player] != m)
        oracle_violation(o, "I1", "player p%d is in %s and %s", player,
                         oracle_text(o->playing[player]->id), oracle_text(m->id));
    m->is_in[player] = true;
    m->player_count++;
    o->playing[player] = m;
}

static void leave(struct oracle *o, struct running *m, int player) {
    if (!m->is_in[player])
        oracle_violation(o, "I20", "p%d leaves %s without being in it", player, oracle_text(m->id));
    m->is_in[player] = false;
    m->player_count--;
    if (o->playing[player] == m) o->playing[player] = NULL;
}

void oracle_walk_begun(struct oracle *o, const struct match_spec *m) {
    if (!load_plays_on(m->queue)) return;
    struct running *r = arena_alloc(o->arena, sizeof *r);
    *r = (struct running){.id = m->id};
    map_put(&o->running, id_hash(m->id), r);
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            enter(o, r, oracle_player(m->teams[t].members[i].player_id));
    }
}

bool oracle_walk_over(struct oracle *o, const struct match_spec *m) {
    struct running *r = find(o, m->id);
    if (!r) return false;
    if (r->is_over || match_is_live(m))
        oracle_violation(o, "I20", "%s runs, and is updated as %s", oracle_text(m->id),
                         match_state_name(m->state));
    if (!id_is_none(r->backfill_id))
        oracle_violation(o, "I20", "%s ends, and looks for players still", oracle_text(m->id));
    r->is_over = true;
    for (int player = 0; player < LOAD_PLAYERS; player++)
        if (r->is_in[player]) leave(o, r, player);
    return true;
}

/* So many places in each of two teams, for players near each other; only the game may say that
 * others are in it. */
static void check_places(struct oracle *o, const struct running *r, const struct match_spec *m,
                         uint32_t joined) {
    double low = 1e9, high = -1e9;
    uint32_t members = 0;
    for (uint32_t t = 0; t < m->team_count; t++) {
        members += m->teams[t].member_count;
        if (m->teams[t].member_count > load_team_max(m->queue))
            oracle_violation(o, "I20", "%s has a team of %u", oracle_text(m->id),
                             m->teams[t].member_count);
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            int player = oracle_player(m->teams[t].members[i].player_id);
            double skill = load_skill(player);
            low = skill < low ? skill : low;
            high = skill > high ? skill : high;
            if (!r->is_in[player])
                oracle_violation(o, "I20", "p%d is in %s, and never came", player,
                                 oracle_text(m->id));
        }
    }
    if (members != r->player_count)
        oracle_violation(o, "I20", "%s has %u players, of whom %u are known", oracle_text(m->id),
                         members, r->player_count);
    if (joined > 0 && high - low > LOAD_SKILL_DISTANCE)
        oracle_violation(o, "I6", "%s spans %g after a change", oracle_text(m->id), high - low);
}

/* ---- what looks for players ---- */

static bool has_backfill_id(const void *value, const void *key) {
    return id_equal(((const struct looking *)value)->id, *(const struct id *)key);
}

static struct looking *find_looking(const struct oracle *o, struct id id) {
    return map_get(&o->looking, id_hash(id), has_backfill_id, &id);
}

static struct looking *note_looking(struct oracle *o, const struct backfill_spec *b) {
    struct looking *l = find_looking(o, b->id);
    if (!l) {
        l = arena_alloc(o->arena, sizeof *l);
        *l = (struct looking){.id = b->id,
                              .match_id = b->match_id,
                              .state = BACKFILL_OPEN,
                              .begun_us = o->entry->time_us};
        map_put(&o->looking, id_hash(b->id), l);
    }
    struct roster *now = arena_alloc(o->arena, sizeof *now);
    *now = (struct roster){.before = l->last, .taken_us = o->entry->time_us};
    for (uint32_t i = 0; i < b->party_count; i++)
        for (uint32_t k = 0; k < b->parties[i].player_count; k++)
            now->players |= UINT32_C(1) << oracle_player(b->parties[i].players[k].id);
    l->last = now;
    return l;
}

/* Of those in the match it says nothing else than the match does. */
static void check_roster(struct oracle *o, const struct running *r, const struct looking *l) {
    for (int player = 0; player < LOAD_PLAYERS; player++)
        if (r->is_in[player] != (l->last->players >> player & 1))
            oracle_violation(o, "I20", "p%d is in one of %s and its backfill %s only", player,
                             oracle_text(r->id), oracle_text(l->id));
}

static void walk_backfill(struct oracle *o, const struct backfill_spec *b) {
    struct running *r = find(o, b->match_id);
    bool active = backfill_is_active(b);
    if (!r || r->is_over) {
        oracle_violation(o, "I20", "%s looks for players for %s, which does not run",
                         oracle_text(b->id), oracle_text(b->match_id));
        return;
    }
    struct looking *l = note_looking(o, b);
    bool other = !id_is_none(r->backfill_id) && !id_equal(r->backfill_id, b->id);
    if (l->ended_us)
        oracle_violation(o, "I20", "%s was over and is %s", oracle_text(b->id),
                         backfill_state_name(b->state));
    if (active && other)
        oracle_violation(o, "I20", "%s has the backfills %s and %s", oracle_text(r->id),
                         oracle_text(r->backfill_id), oracle_text(b->id));
    if (active) check_roster(o, r, l);
    l->state = b->state;
    l->proposal_id = b->proposal_id;
    if (!active) l->ended_us = o->entry->time_us;
    if (active)
        r->backfill_id = b->id;
    else if (!other)
        r->backfill_id = (struct id){0, 0};
}

void oracle_walk_asked(struct oracle *o, const struct match_spec *proposal) {
    struct looking *l =
        id_is_none(proposal->joins_id) ? NULL : find_looking(o, proposal->backfill_id);
    if (id_is_none(proposal->joins_id)) return;
    if (!l || l->state != BACKFILL_OPEN || !id_equal(l->match_id, proposal->joins_id)) {
        oracle_violation(o, "I20", "%s asks newcomers for %s, which does not look for any",
                         oracle_text(proposal->id), oracle_text(proposal->joins_id));
        return;
    }
    l->state = BACKFILL_PROPOSED;
    l->proposal_id = proposal->id;
}

void oracle_walk_declined(struct oracle *o, const struct match_spec *proposal) {
    struct looking *l = find_looking(o, proposal->backfill_id);
    if (!l || !id_equal(l->proposal_id, proposal->id)) return;
    l->state = BACKFILL_OPEN;
    l->proposal_id = (struct id){0, 0};
}

void oracle_walk_backfill(struct oracle *o, const struct record *r) {
    if (!r->carried) walk_backfill(o, &r->backfill_put);
}

void oracle_walk_roster(struct oracle *o, const struct record *r) {
    const struct match_spec *m = &r->roster_changed.spec;
    struct running *running = find(o, m->id);
    if (!running || running->is_over) {
        oracle_violation(o, "I20", "%s changes, which does not run", oracle_text(m->id));
        return;
    }
    bool asked = !id_is_none(r->roster_changed.proposal_id);
    if (asked) oracle_walk_merged(o, r);
    for (uint32_t i = 0; i < r->roster_changed.ticket_count; i++) {
        const struct known *t = oracle_ticket(o, r->roster_changed.ticket_ids[i]);
        if (t && (t->state != (asked ? TICKET_PROPOSED : TICKET_QUEUED) ||
                  (asked && !id_equal(t->match_id, r->roster_changed.proposal_id))))
            oracle_violation(o, "I20", "%s joins %s though it is %s", oracle_text(t->id),
                             oracle_text(m->id), ticket_state_name(t->state));
        oracle_end_ticket(o, r->roster_changed.ticket_ids[i], TICKET_MATCHED);
        o->counts->joined++;
        o->counts->joined_asked += asked;
    }
    for (uint32_t i = 0; i < r->roster_changed.left_count; i++, o->counts->left++)
        leave(o, running, oracle_player(r->roster_changed.left[i]));
    for (uint32_t i = 0; i < r->roster_changed.joined_count; i++)
        enter(o, running, oracle_player(r->roster_changed.joined[i]));
    o->counts->named += r->roster_changed.joined_count - (r->roster_changed.ticket_count);
    check_places(o, running, m, r->roster_changed.ticket_count);
    if (!id_is_none(r->roster_changed.backfill.id)) walk_backfill(o, &r->roster_changed.backfill);
}

/* ---- answers ---- */

static bool was_taken(const struct looking *l, const struct op *say) {
    for (const struct roster *r = l->last; r; r = r->before)
        if (r->players == say->roster && r->taken_us >= say->begin_us && r->taken_us <= say->end_us)
            return true;
    return false;
}

void oracle_check_look(struct oracle *o, const struct op *op) {
    const struct looking *l = find_looking(o, op->backfill_id);
    if (oracle_lost_since(0)) return;
    if (op->code == ERR_OK && (!l || l->begun_us > op->end_us)) {
        oracle_violation(o, "I4", "%s was acknowledged, but %s is not in the journal",
                         op->request_id, oracle_text(op->backfill_id));
        return;
    }
    if (!l) return;
    bool over = l->ended_us && l->ended_us <= op->end_us;
    if (op->kind == OP_SAY && op->code == ERR_OK && !was_taken(l, op))
        oracle_violation(o, "I4", "%s says who is in %s, and the journal does not", op->request_id,
                         oracle_text(l->match_id));
    if (op->kind == OP_STOP_LOOK && op->code == ERR_OK && !(over && l->state == BACKFILL_CANCELLED))
        oracle_violation(o, "I7", "%s was cancelled, but is %s", oracle_text(l->id),
                         backfill_state_name(l->state));
    if (op->kind == OP_STOP_LOOK && op->code == ERR_FAILED_PRECONDITION && !over)
        oracle_violation(o, "I7", "the cancel of %s was too late, but nothing ended it",
                         oracle_text(l->id));
}
