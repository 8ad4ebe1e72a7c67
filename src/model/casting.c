/* casting.c - counts of players by sets of roles. */
#include "model/casting.h"

#include "base/limits.h"
#include "base/mem.h"

#include <string.h>

enum { SETS = 1 << CASTING_ROLES, ALL = SETS - 1 };

static uint32_t roles_of(uint32_t packed, uint32_t player) {
    return packed >> (player * CASTING_ROLES) & ALL;
}

typedef uint8_t vector __attribute__((vector_size(16))); /* of counts: so many sets at once */

static vector load(const uint8_t *at) {
    vector v;
    memcpy(&v, at, sizeof v);
    return v;
}

static void store(uint8_t *at, vector v) {
    memcpy(at, &v, sizeof v);
}

void casting_add(const struct casting *k, struct casting_counts *c, uint32_t packed,
                 uint32_t players) {
    if (packed == CASTING_UNKNOWN) return;
    for (uint32_t i = 0; i < players; i++) {
        const uint8_t *row = k->rows[roles_of(packed, i)].within;
        for (uint32_t set = 0; set < k->sets; set += sizeof(vector))
            store(&c->within[set], load(&c->within[set]) + load(&row[set]));
    }
}

void casting_take(const struct casting *k, struct casting_counts *c, uint32_t packed,
                  uint32_t players) {
    if (packed == CASTING_UNKNOWN) return;
    for (uint32_t i = 0; i < players; i++) {
        const uint8_t *row = k->rows[roles_of(packed, i)].within;
        for (uint32_t set = 0; set < k->sets; set += sizeof(vector))
            store(&c->within[set], load(&c->within[set]) - load(&row[set]));
    }
}

bool casting_fits(const struct casting *k, const struct casting_counts *c,
                  const struct casting_counts *most) {
    for (uint32_t set = 0; set < k->sets; set += sizeof(vector)) {
        vector over = (vector)(load(&c->within[set]) > load(&most->within[set]));
        uint64_t any[2];
        memcpy(any, &over, sizeof any);
        if (any[0] | any[1]) return false;
    }
    return true;
}

uint32_t casting_pack(const struct ruleset *r, const struct ticket_spec *spec) {
    uint32_t packed = 0;
    if (spec->player_count > CASTING_PLAYERS) return CASTING_UNKNOWN;
    for (uint32_t i = 0; i < spec->player_count; i++)
        packed |= (ruleset_roles_of(r, &spec->players[i]) & ALL) << (i * CASTING_ROLES);
    return packed;
}

uint32_t casting_only_role(uint32_t packed, uint32_t players) {
    uint32_t roles = roles_of(packed, 0);
    if (packed == CASTING_UNKNOWN || (roles & (roles - 1)) != 0 || roles == 0) {
        return CASTING_ROLES;
    }
    for (uint32_t i = 1; i < players; i++) {
        if (roles_of(packed, i) != roles) return CASTING_ROLES;
    }
    return (uint32_t)__builtin_ctz(roles);
}

uint32_t casting_any_role(uint32_t packed, uint32_t players) {
    uint32_t roles = 0;
    for (uint32_t i = 0; packed != CASTING_UNKNOWN && i < players; i++)
        roles |= roles_of(packed, i);
    return roles;
}

double casting_need(const struct casting *c, uint32_t role) {
    double all = c->match.within[ALL], others = c->match.within[ALL & ~(1u << role)];
    return all > 0 ? (all - others) / all : 0; /* what the others leave */
}

/* ---- a crowd ---- */

/* Players whose roles are not counted stand for any. */
static void crowd_rows(struct casting_crowd *c, uint32_t packed, uint32_t players, uint32_t by) {
    c->players += players * by;
    for (uint32_t i = 0; i < players; i++) {
        uint32_t roles = packed == CASTING_UNKNOWN ? ALL : roles_of(packed, i);
        for (uint32_t set = 0; set < SETS; set++)
            c->within[set] += (set & roles) == roles ? by : 0;
    }
}

void casting_crowd_add(struct casting_crowd *c, uint32_t packed, uint32_t players) {
    crowd_rows(c, packed, players, 1);
}

void casting_crowd_take(struct casting_crowd *c, uint32_t packed, uint32_t players) {
    crowd_rows(c, packed, players, UINT32_MAX); /* adds -1 */
}

/* Whoever plays something outside a set is there for what must come from outside it. */
bool casting_crowd_suffices(const struct casting_crowd *c, const struct casting *casting) {
    for (uint32_t set = 0; set < SETS; set++) {
        if (c->players - c->within[set] < casting->outside[set]) return false;
    }
    return true;
}

/* ---- a ruleset's places ---- */

static uint32_t capped(uint32_t places) {
    return places < UINT8_MAX ? places : UINT8_MAX;
}

/* The most that may be within each set: its places, and those that the other roles leave. */
static struct casting_counts counts_of(const struct ruleset_places *p, uint32_t roles) {
    struct casting_counts c;
    for (uint32_t set = 0; set < SETS; set++) {
        uint32_t most = 0, others = 0;
        for (uint32_t role = 0; role < roles; role++) {
            if (set >> role & 1)
                most += p->most[role];
            else
                others += p->least[role];
        }
        uint32_t left = p->players > others ? p->players - others : 0;
        c.within[set] = (uint8_t)capped(most < left ? most : left);
    }
    return c;
}

static uint32_t outside(const struct ruleset_places *p, uint32_t set, uint32_t roles) {
    uint32_t least = 0;
    for (uint32_t role = 0; role < roles; role++)
        least += set >> role & 1 ? 0 : p->least[role];
    return least;
}

struct casting *casting_new(const struct ruleset *r) {
    uint32_t roles = ruleset_role_count(r), teams = ruleset_limits_at(r, 0)->team_count;
    if (roles == 0 || roles > CASTING_ROLES) return NULL;
    struct casting *c = mem_alloc(sizeof *c + teams * sizeof c->teams[0]);
    struct ruleset_places all = {0};
    for (uint32_t t = 0; t < teams; t++) {
        struct ruleset_places team = ruleset_places_of(r, t);
        c->teams[t] = counts_of(&team, roles);
        all.players += team.players;
        for (uint32_t role = 0; role < roles; role++) {
            all.most[role] += team.most[role];
            all.least[role] += team.least[role];
        }
    }
    c->match = counts_of(&all, roles);
    c->sets = 1u << roles < sizeof(vector) ? sizeof(vector) : 1u << roles;
    for (uint32_t plays = 0; plays < SETS; plays++) {
        for (uint32_t set = 0; set < SETS; set++)
            c->rows[plays].within[set] = (set & plays) == plays;
    }
    for (uint32_t set = 0; set < SETS; set++)
        c->outside[set] = outside(&all, set, roles);
    return c;
}
