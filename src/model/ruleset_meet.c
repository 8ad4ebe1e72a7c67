/* ruleset_meet.c - lists of other players: whom one avoids, and whom one met lately. */
#include "model/ruleset_meet.h"

#include "base/limits.h"

#include <string.h>

struct guest { /* a player of the candidate */
    struct str id;
    uint32_t number, team;
};

/* The candidate's players by id: open addressing, at most half full. */
struct guests {
    const struct guest **slots;
    uint32_t mask, count;
};

static void add_guest(struct guests *g, const struct guest *guest) {
    uint32_t slot = (uint32_t)str_hash(guest->id) & g->mask;
    while (g->slots[slot])
        slot = (slot + 1) & g->mask;
    g->slots[slot] = guest;
}

static const struct guest *find_guest(const struct guests *g, struct str id) {
    uint32_t slot = (uint32_t)str_hash(id) & g->mask;
    while (g->slots[slot] && !str_equal(g->slots[slot]->id, id))
        slot = (slot + 1) & g->mask;
    return g->slots[slot];
}

static struct guests list_guests(const struct candidate *c, struct arena *scratch) {
    struct guests g = {.mask = 1};
    for (uint32_t t = 0; t < c->ticket_count; t++)
        g.count += c->specs[t].player_count;
    while (g.mask < 2 * g.count)
        g.mask = 2 * g.mask + 1;
    g.slots = arena_alloc(scratch, ((size_t)g.mask + 1) * sizeof *g.slots);
    struct guest *all = arena_alloc(scratch, (g.count + 1) * sizeof *all);
    uint32_t n = 0;
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++, n++) {
            all[n] = (struct guest){spec->players[i].id, n, c->team_of[t]};
            add_guest(&g, &all[n]);
        }
    }
    return g;
}

static bool counts(enum meet_where where, uint32_t team, uint32_t other) {
    return where == MEET_ANYWHERE || (where == MEET_IN_TEAM) == (team == other);
}

/* Marks the pair; false when it was. */
static bool mark(uint8_t *pairs, uint32_t count, uint32_t a, uint32_t b) {
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    size_t bit = (size_t)low * count + high;
    if (pairs[bit / 8] >> (bit % 8) & 1) return false;
    pairs[bit / 8] |= (uint8_t)(1u << (bit % 8));
    return true;
}

uint32_t ruleset_meet_pairs(const struct meet_question *q, const struct candidate *c,
                            struct arena *scratch) {
    struct guests guests = list_guests(c, scratch);
    uint8_t *pairs = arena_alloc(scratch, (size_t)guests.count * guests.count / 8 + 1);
    uint32_t found = 0, n = 0;
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++, n++) {
            const struct attribute *list = ruleset_value(&spec->players[i], q->attribute);
            for (uint32_t k = 0; list && k < list->item_count; k++) {
                const struct guest *other = find_guest(&guests, list->items[k]);
                if (!other || other->number == n) continue;
                if (!counts(q->where, c->team_of[t], other->team)) continue;
                found += mark(pairs, guests.count, n, other->number);
            }
        }
    }
    return found;
}

bool ruleset_avoid_holds(const struct evaluation *e, const struct rule *rule,
                         const struct rule_bounds *b) {
    (void)rule, (void)b;
    struct meet_question q = {e->r->avoid, e->r->avoid_in_team ? MEET_IN_TEAM : MEET_ANYWHERE};
    uint32_t pairs = ruleset_meet_pairs(&q, e->c, e->scratch);
    return ruleset_judge_measured(e, pairs, 0, pairs == 0);
}

/* The first of `spec` whom a player lists; NULL: none. */
static const struct player *find_listed(const struct attribute *list, const struct player *self,
                                        const struct ticket_spec *spec) {
    for (uint32_t k = 0; list && k < list->item_count; k++) {
        for (uint32_t i = 0; i < spec->player_count; i++) {
            const struct player *other = &spec->players[i];
            if (other != self && str_equal(other->id, list->items[k])) return other;
        }
    }
    return NULL;
}

static bool avoids(const struct ruleset *r, const struct ticket_spec *a,
                   const struct ticket_spec *b) {
    for (uint32_t i = 0; i < a->player_count; i++) {
        const struct attribute *list = ruleset_value(&a->players[i], r->avoid);
        if (find_listed(list, &a->players[i], b)) return true;
    }
    return false;
}

bool ruleset_keeps_apart(const struct ruleset *r, const struct ticket_spec *a,
                         const struct ticket_spec *b) {
    return r->avoid && !r->avoid_in_team && (avoids(r, a, b) || avoids(r, b, a));
}

bool ruleset_avoids(const struct ruleset *r) {
    return r->avoid && !r->avoid_in_team;
}

static uint64_t mark_of(struct str id) {
    return UINT64_C(1) << (str_hash(id) >> 58);
}

void ruleset_avoid_marks(const struct ruleset *r, const struct ticket_spec *spec, uint64_t *own,
                         uint64_t *avoided) {
    *own = *avoided = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct attribute *list = ruleset_value(&spec->players[i], r->avoid);
        *own |= mark_of(spec->players[i].id);
        for (uint32_t k = 0; list && k < list->item_count; k++)
            *avoided |= mark_of(list->items[k]);
    }
}

enum err ruleset_avoid_admit(const struct ruleset *r, const struct ticket_spec *spec,
                             struct err_text *why) {
    for (uint32_t i = 0; r->avoid && i < spec->player_count; i++) {
        const struct player *p = &spec->players[i];
        const struct player *other = find_listed(ruleset_value(p, r->avoid), p, spec);
        if (!other) continue;
        return err_set_field(why, ERR_INVALID_ARGUMENT, "players",
                             "player \"%.*s\" avoids \"%.*s\" by his \"%.*s\"; they cannot be on "
                             "one ticket",
                             STR_PRINT(p->id), STR_PRINT(other->id),
                             STR_PRINT(r->avoid->value.name));
    }
    return ERR_OK;
}
