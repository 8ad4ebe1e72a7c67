/* ruleset_roles.c - who plays which role: the assignment within a team that honours most wishes.
 *
 * Players are placed one by one along the cheapest chain of moves (p takes a role, whose holder
 * takes another, ...): successive shortest paths of a minimum-cost flow, whose nodes are the roles,
 * for players who move between two roles differ in cost alone. A place below a role's minimum earns
 * so much that minima are filled before wishes count. O(players^2 x roles + players x roles^3) per
 * team. Source: Ahuja, Magnanti, Orlin, Network Flows (1993), 9.7.
 */
#include "model/ruleset_roles.h"

#include "base/limits.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define UNWANTED 255 /* the player does not play that role */
#define FAR INT32_MAX
#define MINIMUM_EARNS (1 << 20) /* above LIMIT_MATCH_PLAYERS x LIMIT_LIST_ITEMS */

struct wishes { /* of one player: 0 for his best role, UNWANTED for those he did not name */
    uint8_t rank[RULESET_ROLES_MAX];
};

struct filling { /* of one team */
    uint32_t role_count, count;
    struct role_bounds places[RULESET_ROLES_MAX];
    uint32_t have[RULESET_ROLES_MAX];
    const struct wishes *players; /* of `count` */
    uint8_t *role_of;             /* per player placed */
};

/* ---- what a player wants ---- */

static struct str role_name(const struct ruleset *r, uint32_t role) {
    return r->roles[role].name;
}

/* Whether he plays anything here. Names of roles that the queue does not have do not count. */
static bool read_wishes(const struct ruleset *r, const struct player *p, struct wishes *out) {
    const struct attribute *list = ruleset_value(p, r->roles_attribute);
    uint32_t known = 0;
    if (!list || list->item_count == 0) {
        memset(out->rank, 0, sizeof out->rank); /* who names none plays any */
        return true;
    }
    memset(out->rank, UNWANTED, sizeof out->rank);
    for (uint32_t i = 0; i < list->item_count; i++) {
        uint32_t role = 0;
        while (role < r->role_count && !str_equal(role_name(r, role), list->items[i]))
            role++;
        if (role == r->role_count || out->rank[role] != UNWANTED) continue;
        out->rank[role] = (uint8_t)known++;
    }
    return known > 0;
}

/* ---- placing ---- */

struct chain { /* cheapest ways to a free place of each role */
    int32_t cost[RULESET_ROLES_MAX];
    uint8_t from[RULESET_ROLES_MAX];                     /* UNWANTED: the new player goes there */
    uint8_t mover[RULESET_ROLES_MAX][RULESET_ROLES_MAX]; /* the cheapest holder to move */
    int32_t moving[RULESET_ROLES_MAX][RULESET_ROLES_MAX];
};

static void find_movers(const struct filling *f, uint32_t placed, struct chain *c) {
    for (uint32_t a = 0; a < f->role_count; a++) {
        for (uint32_t b = 0; b < f->role_count; b++)
            c->moving[a][b] = FAR;
    }
    for (uint32_t i = 0; i < placed; i++) {
        const uint8_t *rank = f->players[i].rank;
        uint8_t a = f->role_of[i];
        for (uint32_t b = 0; b < f->role_count; b++) {
            int32_t cost = rank[b] - rank[a];
            if (rank[b] == UNWANTED || cost >= c->moving[a][b]) continue;
            c->moving[a][b] = cost;
            c->mover[a][b] = (uint8_t)i;
        }
    }
}

/* Bellman-Ford: moves may cost less than nothing. */
static void find_chains(const struct filling *f, struct chain *c) {
    bool better = true;
    for (uint32_t round = 0; better && round < f->role_count; round++) {
        better = false;
        for (uint32_t a = 0; a < f->role_count; a++) {
            for (uint32_t b = 0; c->cost[a] < FAR && b < f->role_count; b++) {
                if (c->moving[a][b] == FAR || c->cost[a] + c->moving[a][b] >= c->cost[b]) continue;
                c->cost[b] = c->cost[a] + c->moving[a][b];
                c->from[b] = (uint8_t)a;
                better = true;
            }
        }
    }
}

static uint32_t cheapest_end(const struct filling *f, const struct chain *c) {
    int32_t least = FAR;
    uint32_t end = RULESET_NONE;
    for (uint32_t role = 0; role < f->role_count; role++) {
        if (c->cost[role] == FAR || f->have[role] >= f->places[role].players_max) continue;
        int32_t cost = c->cost[role];
        if (f->have[role] < f->places[role].players_min) cost -= MINIMUM_EARNS;
        if (cost >= least) continue;
        least = cost;
        end = role;
    }
    return end;
}

static bool place(struct filling *f, uint32_t player) {
    struct chain c;
    for (uint32_t role = 0; role < f->role_count; role++) {
        uint8_t rank = f->players[player].rank[role];
        c.cost[role] = rank == UNWANTED ? FAR : rank;
        c.from[role] = UNWANTED;
    }
    find_movers(f, player, &c);
    find_chains(f, &c);
    uint32_t role = cheapest_end(f, &c);
    if (role == RULESET_NONE) return false;
    f->have[role]++;
    for (; c.from[role] != UNWANTED; role = c.from[role])
        f->role_of[c.mover[c.from[role]][role]] = (uint8_t)role;
    f->role_of[player] = (uint8_t)role;
    return true;
}

/* How many places and players are left over: 0 where the team can play. */
static uint32_t fill(struct filling *f) {
    for (uint32_t i = 0; i < f->count; i++) {
        if (!place(f, i)) return f->count - i;
    }
    uint32_t lacking = 0;
    for (uint32_t role = 0; role < f->role_count; role++) {
        if (f->have[role] < f->places[role].players_min)
            lacking += f->places[role].players_min - f->have[role];
    }
    return lacking;
}

/* Sets the team's places at that step; false when it has no roles. */
static bool open_places(const struct ruleset *r, const struct ruleset_step *step, uint32_t team,
                        struct filling *f) {
    bool any = false;
    f->role_count = r->role_count;
    for (uint32_t role = 0; role < r->role_count; role++) {
        bool here = r->roles[role].in_team[team];
        f->places[role] = here ? step->roles[role] : (struct role_bounds){0, 0};
        f->have[role] = 0;
        any = any || here;
    }
    return any;
}

/* ---- a candidate's teams ---- */

struct cast { /* who has which role in one team */
    struct filling filling;
    bool plays; /* the team has players and roles */
    uint32_t lacking;
};

static void cast_team(const struct ruleset *r, const struct candidate *c, uint32_t team,
                      struct arena *scratch, struct cast *out) {
    struct filling *f = &out->filling;
    *out = (struct cast){0};
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        if (c->team_of[t] == team) f->count += c->specs[t].player_count;
    }
    out->plays = open_places(r, ruleset_step_at(r, c->age_ms), team, f) && f->count > 0;
    if (!out->plays) return;
    struct wishes *wishes = arena_alloc(scratch, f->count * sizeof *wishes);
    f->players = wishes;
    f->role_of = arena_alloc(scratch, f->count);
    uint32_t n = 0;
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; c->team_of[t] == team && i < spec->player_count; i++)
            (void)read_wishes(r, &spec->players[i], &wishes[n++]);
    }
    out->lacking = fill(f);
}

bool ruleset_roles_hold(const struct evaluation *e, const struct rule *rule,
                        const struct rule_bounds *b) {
    (void)rule, (void)b;
    uint32_t lacking = 0;
    for (uint32_t team = 0; team < e->r->team_count; team++) {
        struct cast cast;
        cast_team(e->r, e->c, team, e->scratch, &cast);
        lacking += cast.lacking;
    }
    return ruleset_judge_measured(e, lacking, 0, lacking == 0);
}

uint32_t ruleset_roles_steps_down(const struct ruleset *r, const struct candidate *c,
                                  struct arena *scratch) {
    uint32_t steps = 0;
    for (uint32_t team = 0; team < r->team_count; team++) {
        struct cast cast;
        cast_team(r, c, team, scratch, &cast);
        const struct filling *f = &cast.filling;
        for (uint32_t i = 0; cast.plays && cast.lacking == 0 && i < f->count; i++)
            steps += f->players[i].rank[f->role_of[i]];
    }
    return steps;
}

void ruleset_assign_roles(const struct ruleset *r, const struct candidate *c, struct str *roles,
                          struct arena *scratch) {
    struct cast *casts = arena_alloc(scratch, r->team_count * sizeof *casts);
    uint32_t next[LIMIT_TEAMS] = {0}, n = 0;
    for (uint32_t team = 0; r->role_count > 0 && team < r->team_count; team++)
        cast_team(r, c, team, scratch, &casts[team]);
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct cast *cast = &casts[c->team_of[t]];
        for (uint32_t i = 0; i < c->specs[t].player_count; i++, n++) {
            bool has = cast->plays && cast->lacking == 0;
            uint8_t role = has ? cast->filling.role_of[next[c->team_of[t]]++] : 0;
            roles[n] = has ? role_name(r, role) : STR_EMPTY;
        }
    }
}

bool ruleset_has_roles(const struct ruleset *r) {
    return r->role_count > 0;
}

uint32_t ruleset_role_count(const struct ruleset *r) {
    return r->role_count;
}

uint32_t ruleset_roles_of(const struct ruleset *r, const struct player *p) {
    struct wishes wishes;
    uint32_t set = 0;
    (void)read_wishes(r, p, &wishes);
    for (uint32_t role = 0; role < r->role_count; role++)
        set |= (uint32_t)(wishes.rank[role] != UNWANTED) << role;
    return set;
}

struct ruleset_places ruleset_places_of(const struct ruleset *r, uint32_t team) {
    struct ruleset_places p = {0};
    bool may_be_empty = false;
    for (uint32_t s = 0; s < r->step_count; s++) {
        const struct ruleset_step *step = &r->steps[s];
        struct filling f;
        bool plays = open_places(r, step, team, &f);
        uint32_t most = step->teams[team].players_max;
        if (most > p.players) p.players = most;
        may_be_empty = may_be_empty || step->teams[team].players_min == 0;
        for (uint32_t role = 0; role < r->role_count; role++) {
            uint32_t places = plays ? f.places[role].players_max : most;
            uint32_t needed = plays ? f.places[role].players_min : 0;
            if (places > p.most[role]) p.most[role] = places;
            if (s == 0 || needed < p.least[role]) p.least[role] = needed;
        }
    }
    for (uint32_t role = 0; may_be_empty && role < r->role_count; role++)
        p.least[role] = 0;
    return p;
}

struct ruleset_role_need ruleset_role_need(const struct ruleset *r, int64_t age_ms, uint32_t role) {
    const struct ruleset_step *step = ruleset_step_at(r, age_ms);
    struct ruleset_role_need need = {.name = role_name(r, role)};
    for (uint32_t team = 0; team < r->team_count; team++) {
        if (!r->roles[role].in_team[team]) continue;
        need.players_min += step->roles[role].players_min;
        need.players_max += step->roles[role].players_max;
    }
    return need;
}

/* ---- a ticket by itself ---- */

/* Whether its players could all have places in that team, whoever else is in it. */
static bool fits_team(const struct ruleset *r, const struct ruleset_step *step, uint32_t team,
                      const struct wishes *wishes, uint32_t count) {
    uint8_t role_of[LIMIT_TICKET_PLAYERS];
    struct filling f = {.players = wishes, .count = count, .role_of = role_of};
    if (step->teams[team].players_max < count) return false;
    if (!open_places(r, step, team, &f)) return true;
    for (uint32_t role = 0; role < r->role_count; role++)
        f.places[role].players_min = 0;
    return fill(&f) == 0;
}

static void list_roles(const struct ruleset *r, char *out, size_t size) {
    size_t used = 0;
    for (uint32_t i = 0; i < r->role_count && used < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", i ? ", " : "",
                                 STR_PRINT(role_name(r, i)));
    }
}

enum err ruleset_roles_admit(const struct ruleset *r, const struct ticket_spec *spec,
                             struct err_text *why) {
    struct wishes wishes[LIMIT_TICKET_PLAYERS];
    char roles[300];
    if (r->role_count == 0) return ERR_OK;
    list_roles(r, roles, sizeof roles);
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (read_wishes(r, &spec->players[i], &wishes[i])) continue;
        char field[64];
        snprintf(field, sizeof field, "players[%u].attributes", i);
        return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                             "player \"%.*s\" plays none of this queue's roles by his \"%.*s\"; "
                             "they are %s",
                             STR_PRINT(spec->players[i].id),
                             STR_PRINT(r->roles_attribute->value.name), roles);
    }
    for (uint32_t s = 0; s < r->step_count; s++) {
        for (uint32_t team = 0; team < r->team_count; team++) {
            if (fits_team(r, &r->steps[s], team, wishes, spec->player_count)) return ERR_OK;
        }
    }
    return err_set_field(why, ERR_INVALID_ARGUMENT, "players",
                         "the ticket's players want more places of some role than a team of this "
                         "queue has; its roles are %s",
                         roles);
}

struct str ruleset_roles_attribute(const struct ruleset *r) {
    return ruleset_has_roles(r) ? r->roles_attribute->value.name : STR_EMPTY;
}
