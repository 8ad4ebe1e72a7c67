/* oracle_roster.c - I20: who is in a running match, who leaves it and who comes, and what looks for
 * them. A place is given to one ticket, and a match has one backfill at a time.
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
    if (!str_equal(m->queue, LOAD_ENDLESS_QUEUE)) return;
    struct running *r = arena_alloc(o->arena, sizeof *r);
    *r = (struct running){.id = m->id};
    map_put(&o->running, id_hash(m->id), r);
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            enter(o, r, oracle_player(m->teams[t].members[i].player_id));
    }
}

void oracle_walk_over(struct oracle *o, const struct match_spec *m) {
    struct running *r = match_is_live(m) ? NULL : find(o, m->id);
    if (!r) return;
    if (!id_is_none(r->backfill_id))
        oracle_violation(o, "I20", "%s ends, and looks for players still", oracle_text(m->id));
    r->is_over = true;
    for (int player = 0; player < LOAD_PLAYERS; player++)
        if (r->is_in[player]) leave(o, r, player);
}

/* One place in each of two teams, for players near each other. */
static void check_places(struct oracle *o, const struct running *r, const struct match_spec *m) {
    double low = 1e9, high = -1e9;
    uint32_t members = 0;
    for (uint32_t t = 0; t < m->team_count; t++) {
        members += m->teams[t].member_count;
        if (m->teams[t].member_count > 1)
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
    if (high - low > LOAD_SKILL_DISTANCE)
        oracle_violation(o, "I6", "%s spans %g after a change", oracle_text(m->id), high - low);
}

static void walk_backfill(struct oracle *o, const struct backfill_spec *b) {
    struct running *r = find(o, b->match_id);
    bool active = backfill_is_active(b);
    if (!r || r->is_over) {
        oracle_violation(o, "I20", "%s looks for players for %s, which does not run",
                         oracle_text(b->id), oracle_text(b->match_id));
        return;
    }
    bool other = !id_is_none(r->backfill_id) && !id_equal(r->backfill_id, b->id);
    if (active && other)
        oracle_violation(o, "I20", "%s has the backfills %s and %s", oracle_text(r->id),
                         oracle_text(r->backfill_id), oracle_text(b->id));
    if (active)
        r->backfill_id = b->id;
    else if (!other)
        r->backfill_id = (struct id){0, 0};
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
    for (uint32_t i = 0; i < r->roster_changed.ticket_count; i++) {
        const struct known *t = oracle_ticket(o, r->roster_changed.ticket_ids[i]);
        if (t && t->state != TICKET_QUEUED)
            oracle_violation(o, "I20", "%s joins %s though it does not wait", oracle_text(t->id),
                             oracle_text(m->id));
        oracle_end_ticket(o, r->roster_changed.ticket_ids[i], TICKET_MATCHED);
        o->counts->joined++;
    }
    for (uint32_t i = 0; i < r->roster_changed.left_count; i++, o->counts->left++)
        leave(o, running, oracle_player(r->roster_changed.left[i]));
    for (uint32_t i = 0; i < r->roster_changed.joined_count; i++)
        enter(o, running, oracle_player(r->roster_changed.joined[i]));
    check_places(o, running, m);
    if (!id_is_none(r->roster_changed.backfill.id)) walk_backfill(o, &r->roster_changed.backfill);
}
