/* split.c - bin packing and balancing of whole tickets. */
#include "model/split.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- does it fit ---- */

_Static_assert(LIMIT_MATCH_PLAYERS <= UINT8_MAX && LIMIT_TEAMS <= UINT8_MAX, "counted in bytes");

struct packing { /* counts by size: who is alike need not be told apart */
    uint8_t items[LIMIT_MATCH_PLAYERS + 1], rooms[LIMIT_MATCH_PLAYERS + 1];
    uint32_t size_max, room_max, nodes;
};

/* False: they are more than there is room for. */
static bool count_sizes(struct packing *p, const uint32_t *sizes, uint32_t count,
                        uint32_t capacity) {
    for (uint32_t i = 0; i < count; i++) {
        assert(sizes[i] >= 1 && sizes[i] <= LIMIT_MATCH_PLAYERS);
        if (sizes[i] > capacity) return false;
        capacity -= sizes[i];
        p->items[sizes[i]]++;
        if (sizes[i] > p->size_max) p->size_max = sizes[i];
    }
    return true;
}

/* The tightest room that holds the size; above room_max: none does. */
static uint32_t tightest(const struct packing *p, uint32_t size) {
    while (size <= p->room_max && p->rooms[size] == 0)
        size++;
    return size;
}

/* Largest first into the tightest team that holds it: finds nearly every packing there is. */
static bool pack_best_fit(struct packing p) {
    for (uint32_t size = p.size_max; size > 1; size--) {
        for (uint32_t left = p.items[size]; left > 0;) {
            uint32_t room = tightest(&p, size), some = left;
            if (room > p.room_max) return false;
            if (some > p.rooms[room]) some = p.rooms[room];
            if (room >= 2 * size) some = 1; /* what is left of it is the tightest then */
            p.rooms[room] = (uint8_t)(p.rooms[room] - some);
            p.rooms[room - size] = (uint8_t)(p.rooms[room - size] + some);
            left -= some;
        }
    }
    return true; /* solos fill whatever is left: the total was checked */
}

/* Of equal teams as small as this nobody packs more: beside a party of 4 or 3 there is one best
 * filling, and parties of 2 find the places beside 3 first. */
static bool best_fit_is_exact(const struct packing *p, uint32_t team_count) {
    enum { SMALL = 5 };
    return p->room_max <= SMALL && p->rooms[p->room_max] == team_count;
}

static bool pack_exact(struct packing *p, uint32_t size) {
    while (size > 1 && p->items[size] == 0)
        size--;
    if (size <= 1) return true;
    if (++p->nodes > SPLIT_NODES) return false;
    bool done = false;
    p->items[size]--;
    for (uint32_t room = size; room <= p->room_max && !done; room++) {
        if (p->rooms[room] == 0) continue;
        p->rooms[room]--;
        p->rooms[room - size]++;
        done = pack_exact(p, size);
        p->rooms[room - size]--;
        p->rooms[room]++;
    }
    p->items[size]++;
    return done;
}

bool split_fits(const uint32_t *sizes, uint32_t count, const struct ruleset_team *teams,
                uint32_t team_count) {
    if (count > LIMIT_MATCH_PLAYERS) return false;
    struct packing p = {.nodes = 0};
    uint32_t capacity = 0;
    for (uint32_t t = 0; t < team_count; t++) {
        uint32_t room = teams[t].players_max;
        if (room > LIMIT_MATCH_PLAYERS) room = LIMIT_MATCH_PLAYERS;
        capacity += room;
        p.rooms[room]++;
        if (room > p.room_max) p.room_max = room;
    }
    if (!count_sizes(&p, sizes, count, capacity)) return false;
    if (pack_best_fit(p)) return true;
    return !best_fit_is_exact(&p, team_count) && pack_exact(&p, p.size_max);
}

/* ---- evaluating a distribution ---- */

struct sides {
    uint32_t players[LIMIT_TEAMS];
    double sums[LIMIT_TEAMS];
};

static double gap_of(const struct sides *s, uint32_t team_count) {
    double low = INFINITY, high = -INFINITY;
    for (uint32_t t = 0; t < team_count; t++) {
        if (s->players[t] == 0) continue;
        double mean = s->sums[t] / s->players[t];
        if (mean < low) low = mean;
        if (mean > high) high = mean;
    }
    double gap = high - low;
    return gap >= 0 ? gap : 0; /* no team has players, or sums overflowed to NaN */
}

static void move_in(struct sides *s, uint32_t team, const struct split_item *item) {
    s->players[team] += item->players;
    s->sums[team] += item->sum;
}

static void move_out(struct sides *s, uint32_t team, const struct split_item *item) {
    s->players[team] -= item->players;
    s->sums[team] = s->players[team] ? s->sums[team] - item->sum : 0;
}

static void sort_items(const struct split_problem *p, uint32_t *order) {
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct split_item *it = &p->items[i];
        uint32_t k = i;
        for (; k > 0; k--) {
            const struct split_item *other = &p->items[order[k - 1]];
            if (other->players > it->players ||
                (other->players == it->players && other->sum >= it->sum))
                break;
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
}

/* ---- enumeration ---- */

struct enumeration {
    const struct split_problem *problem;
    uint32_t order[SPLIT_EXACT_ITEMS];
    uint32_t team_of[SPLIT_EXACT_ITEMS];
    struct sides sides;
    const struct split_roles *roles; /* NULL: none */
    struct casting_counts *casts;    /* per team, where there are roles */
    uint32_t players_left;           /* of the items not placed yet */
    uint32_t nodes, found, max;
    struct split *out;
};

static void keep_result(struct enumeration *e) {
    double gap = gap_of(&e->sides, e->problem->team_count);
    if (e->found == e->max && gap >= e->out[e->max - 1].gap) return;
    uint32_t at = e->found < e->max ? e->found++ : e->max - 1;
    for (; at > 0 && e->out[at - 1].gap > gap; at--)
        e->out[at] = e->out[at - 1];
    e->out[at].gap = gap;
    memcpy(e->out[at].team_of, e->team_of, e->problem->item_count * sizeof *e->team_of);
}

static bool have_same_roles(const struct enumeration *e, uint32_t t, uint32_t u) {
    if (!e->roles) return true;
    const struct casting *k = e->roles->casting;
    return memcmp(&k->teams[t], &k->teams[u], k->sets) == 0;
}

/* Whether team `t` would only repeat, with names exchanged, what an earlier empty team gives. */
static bool is_mirrored(const struct enumeration *e, uint32_t t) {
    const struct ruleset_team *teams = e->problem->teams;
    if (e->problem->names_matter || e->sides.players[t] > 0) return false;
    for (uint32_t u = 0; u < t; u++) {
        if (e->sides.players[u] == 0 && teams[u].players_min == teams[t].players_min &&
            teams[u].players_max == teams[t].players_max && have_same_roles(e, t, u))
            return true;
    }
    return false;
}

static bool minima_in_reach(const struct enumeration *e) {
    uint32_t missing = 0;
    for (uint32_t t = 0; t < e->problem->team_count; t++) {
        uint32_t wanted = e->problem->teams[t].players_min;
        if (e->sides.players[t] < wanted) missing += wanted - e->sides.players[t];
    }
    return missing <= e->players_left;
}

/* Puts the item's players among the team's; whether all of them can have a role there. */
static bool can_cast(struct enumeration *e, uint32_t team, uint32_t item) {
    if (!e->roles) return true;
    const struct casting *k = e->roles->casting;
    casting_add(k, &e->casts[team], e->roles->of[item], e->problem->items[item].players);
    return casting_fits(k, &e->casts[team], &k->teams[team]);
}

static void enumerate(struct enumeration *e, uint32_t depth) {
    if (depth == e->problem->item_count) {
        keep_result(e);
        return;
    }
    uint32_t item = e->order[depth];
    const struct split_item *it = &e->problem->items[item];
    e->players_left -= it->players;
    for (uint32_t t = 0; t < e->problem->team_count; t++) {
        if (e->nodes >= SPLIT_NODES && e->found > 0) break;
        if (e->sides.players[t] + it->players > e->problem->teams[t].players_max) continue;
        if (is_mirrored(e, t)) continue;
        e->nodes++;
        if (e->nodes > 2 * SPLIT_NODES) break;
        double sum_before = e->sides.sums[t];
        move_in(&e->sides, t, it);
        e->team_of[item] = t;
        bool casts = can_cast(e, t, item);
        if (casts && minima_in_reach(e)) enumerate(e, depth + 1);
        if (e->roles)
            casting_take(e->roles->casting, &e->casts[t], e->roles->of[item], it->players);
        e->sides.players[t] -= it->players;
        e->sides.sums[t] = sum_before; /* exact: no rounding creeps in over the walk */
    }
    e->players_left += it->players;
}

static uint32_t split_exact(const struct split_problem *p, const struct split_roles *roles,
                            struct casting_counts *casts, struct split *out, uint32_t max) {
    MEM_UNCLEARED struct enumeration e;
    e.problem = p;
    e.max = max;
    e.out = out;
    e.roles = roles;
    e.casts = casts;
    e.players_left = e.nodes = e.found = 0;
    memset(e.sides.players, 0, p->team_count * sizeof *e.sides.players);
    memset(e.sides.sums, 0, p->team_count * sizeof *e.sides.sums);
    for (uint32_t i = 0; i < p->item_count; i++)
        e.players_left += p->items[i].players;
    sort_items(p, e.order);
    enumerate(&e, 0);
    return e.found;
}

/* ---- enumeration for two teams, the best one only: the same walk, without what that needs not
 * ---- */

struct two_teams {
    struct split_item items[SPLIT_EXACT_ITEMS]; /* in the order of the walk */
    uint32_t left[SPLIT_EXACT_ITEMS];           /* players behind the item */
    uint32_t item_count;
    uint32_t players_min[2], players_max[2];
    double enough; /* a gap that need not be smaller */
    bool mirrored; /* the teams are interchangeable: the first item stands in the first */
    double gap;    /* of the best so far, when there is one */
    bool found;
    uint32_t second, best; /* a bit for each item, in order, that is in the second team */
};

struct side {
    uint32_t players;
    double sum;
};

static uint32_t missing(uint32_t players_min, uint32_t players) {
    return players < players_min ? players_min - players : 0;
}

static double two_gap(const struct side *a, const struct side *b) {
    if (a->players == 0 || b->players == 0) return 0;
    double x = a->sum / a->players, y = b->sum / b->players, gap = x < y ? y - x : x - y;
    return gap >= 0 ? gap : 0;
}

/* False once the best is good enough. */
static bool walk_two(struct two_teams *d, uint32_t depth, struct side a, struct side b) {
    if (depth == d->item_count) {
        double gap = two_gap(&a, &b);
        if (d->found && gap >= d->gap) return true;
        d->found = true;
        d->gap = gap;
        d->best = d->second;
        return gap > d->enough;
    }
    const struct split_item *it = &d->items[depth];
    uint32_t left = d->left[depth];
    uint32_t short_a = missing(d->players_min[0], a.players);
    uint32_t short_b = missing(d->players_min[1], b.players);
    struct side more = {a.players + it->players, a.sum + it->sum};
    bool fits = more.players <= d->players_max[0] &&
                missing(d->players_min[0], more.players) + short_b <= left;
    if (fits && !walk_two(d, depth + 1, more, b)) return false;
    more = (struct side){b.players + it->players, b.sum + it->sum};
    if (more.players > d->players_max[1] || (depth == 0 && d->mirrored)) return true;
    if (short_a + missing(d->players_min[1], more.players) > left) return true;
    d->second |= 1u << depth;
    bool go_on = walk_two(d, depth + 1, a, more);
    d->second &= ~(1u << depth);
    return go_on;
}

static uint32_t split_two(const struct split_problem *p, double enough, struct split *out) {
    const struct ruleset_team *first = &p->teams[0], *other = &p->teams[1];
    MEM_UNCLEARED struct two_teams d;
    uint32_t order[SPLIT_EXACT_ITEMS], left = 0;
    sort_items(p, order);
    for (uint32_t i = p->item_count; i-- > 0;) {
        d.items[i] = p->items[order[i]];
        d.left[i] = left;
        left += d.items[i].players;
    }
    d.item_count = p->item_count;
    d.players_min[0] = first->players_min, d.players_min[1] = other->players_min;
    d.players_max[0] = first->players_max, d.players_max[1] = other->players_max;
    d.enough = enough;
    d.mirrored =
        first->players_min == other->players_min && first->players_max == other->players_max;
    d.found = false;
    d.gap = 0;
    d.second = d.best = 0;
    (void)walk_two(&d, 0, (struct side){0, 0}, (struct side){0, 0});
    out->gap = d.gap;
    for (uint32_t i = 0; i < p->item_count; i++)
        out->team_of[order[i]] = d.best >> i & 1;
    return d.found;
}

/* ---- many tickets ---- */

/* FlexMatch's order of filling (teams below their minimum first, then most open slots), with the
 * weakest team taking the next strongest ticket among equals. */
static uint32_t choose_team(const struct split_problem *p, const struct sides *s, uint32_t size) {
    uint32_t best = UINT32_MAX;
    for (uint32_t t = 0; t < p->team_count; t++) {
        if (s->players[t] + size > p->teams[t].players_max) continue;
        if (best == UINT32_MAX) {
            best = t;
            continue;
        }
        bool low_t = s->players[t] < p->teams[t].players_min;
        bool low_best = s->players[best] < p->teams[best].players_min;
        uint32_t open_t = p->teams[t].players_max - s->players[t];
        uint32_t open_best = p->teams[best].players_max - s->players[best];
        if (low_t != low_best     ? low_t
            : open_t != open_best ? open_t > open_best
                                  : s->sums[t] < s->sums[best])
            best = t;
    }
    return best;
}

static bool place_greedily(const struct split_problem *p, struct sides *s, struct split *out) {
    uint32_t order[LIMIT_MATCH_PLAYERS];
    sort_items(p, order);
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct split_item *it = &p->items[order[i]];
        uint32_t team = choose_team(p, s, it->players);
        if (team == UINT32_MAX) return false;
        move_in(s, team, it);
        out->team_of[order[i]] = team;
    }
    for (uint32_t t = 0; t < p->team_count; t++) {
        if (s->players[t] < p->teams[t].players_min) return false;
    }
    return true;
}

/* Where levelling cannot pack large parties: the tightest team that holds each. */
static bool place_tightly(const struct split_problem *p, struct sides *s, struct split *out) {
    uint32_t order[LIMIT_MATCH_PLAYERS];
    sort_items(p, order);
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct split_item *it = &p->items[order[i]];
        uint32_t best = UINT32_MAX, best_room = UINT32_MAX;
        for (uint32_t t = 0; t < p->team_count; t++) {
            uint32_t room = p->teams[t].players_max - s->players[t];
            if (room < it->players || room >= best_room) continue;
            best = t;
            best_room = room;
        }
        if (best == UINT32_MAX) return false;
        move_in(s, best, it);
        out->team_of[order[i]] = best;
    }
    for (uint32_t t = 0; t < p->team_count; t++) {
        if (s->players[t] < p->teams[t].players_min) return false;
    }
    return true;
}

static void swap_items(const struct split_problem *p, struct sides *s, struct split *out,
                       uint32_t a, uint32_t b) {
    uint32_t team_a = out->team_of[a], team_b = out->team_of[b];
    move_out(s, team_a, &p->items[a]);
    move_out(s, team_b, &p->items[b]);
    move_in(s, team_a, &p->items[b]);
    move_in(s, team_b, &p->items[a]);
    out->team_of[a] = team_b;
    out->team_of[b] = team_a;
}

/* Writes the teams of smallest and of largest mean; false when fewer than two have players. */
static bool find_extremes(const struct split_problem *p, const struct sides *s, uint32_t *weak,
                          uint32_t *strong) {
    *weak = *strong = UINT32_MAX;
    for (uint32_t t = 0; t < p->team_count; t++) {
        if (s->players[t] == 0) continue;
        double mean = s->sums[t] / s->players[t];
        if (*weak == UINT32_MAX || mean < s->sums[*weak] / s->players[*weak]) *weak = t;
        if (*strong == UINT32_MAX || mean > s->sums[*strong] / s->players[*strong]) *strong = t;
    }
    return *weak != *strong;
}

/* The gap after `moved` of the strong team's sum went to the weak one. */
static double gap_after(struct sides *s, uint32_t team_count, const uint32_t pair[2],
                        double moved) {
    double weak = s->sums[pair[0]], strong = s->sums[pair[1]];
    s->sums[pair[0]] += moved;
    s->sums[pair[1]] -= moved;
    double gap = gap_of(s, team_count);
    s->sums[pair[0]] = weak;
    s->sums[pair[1]] = strong;
    return gap;
}

/* Two tickets of one size, the first stronger: swapped, the strong team gives some to the weak. */
static bool may_swap(const struct split_item *strong, const struct split_item *weak) {
    return strong->players == weak->players && strong->sum > weak->sum;
}

/* Makes the best swap of two tickets of one size between the strongest and the weakest team;
 * false when none makes the gap smaller. */
static bool improve(const struct split_problem *p, struct sides *s, struct split *out) {
    uint32_t pair[2]; /* weak, strong */
    if (!find_extremes(p, s, &pair[0], &pair[1])) return false;
    uint32_t best_a = 0, best_b = 0;
    double best_gap = out->gap, margin = out->gap * 1e-9; /* rounding is no improvement */
    for (uint32_t a = 0; a < p->item_count; a++) {
        if (out->team_of[a] != pair[1]) continue;
        for (uint32_t b = 0; b < p->item_count; b++) {
            if (out->team_of[b] != pair[0] || !may_swap(&p->items[a], &p->items[b])) continue;
            double moved = p->items[a].sum - p->items[b].sum;
            double gap = gap_after(s, p->team_count, pair, moved);
            if (gap < best_gap - margin) best_gap = gap, best_a = a, best_b = b;
        }
    }
    if (best_a == best_b) return false;
    swap_items(p, s, out, best_a, best_b);
    out->gap = gap_of(s, p->team_count);
    return true;
}

static uint32_t split_many(const struct split_problem *p, struct split *out) {
    enum { SWAPS_MAX = 32 };
    struct sides s = {0};
    if (!place_greedily(p, &s, out)) {
        memset(&s, 0, sizeof s);
        if (!place_tightly(p, &s, out)) return 0;
    }
    out->gap = gap_of(&s, p->team_count);
    for (int i = 0; i < SWAPS_MAX && improve(p, &s, out); i++) {
    }
    return 1;
}

/* The commonest problem of all: a duel. */
static bool is_duel(const struct split_problem *p) {
    const struct ruleset_team *t = p->teams;
    return p->item_count == 2 && p->team_count == 2 && !p->names_matter && t[0].players_max == 1 &&
           t[1].players_max == 1 && p->items[0].players == 1 && p->items[1].players == 1;
}

static uint32_t split_duel(const struct split_problem *p, struct split *out) {
    double gap = p->items[0].sum - p->items[1].sum;
    bool swapped = gap < 0; /* the stronger first, as everywhere */
    out->gap = gap >= 0 ? gap : gap < 0 ? -gap : 0;
    out->team_of[0] = swapped;
    out->team_of[1] = !swapped;
    return 1;
}

static uint32_t split_exact_cast(const struct split_problem *p, const struct split_roles *roles,
                                 struct split *out, uint32_t max) {
    MEM_UNCLEARED struct casting_counts casts[LIMIT_TEAMS];
    memset(casts, 0, p->team_count * sizeof *casts);
    return split_exact(p, roles, casts, out, max);
}

uint32_t split_find(const struct split_problem *p, struct split *out, uint32_t max) {
    return split_find_cast(p, NULL, out, max);
}

uint32_t split_find_cast(const struct split_problem *p, const struct split_roles *roles,
                         struct split *out, uint32_t max) {
    assert(p->item_count >= 1 && p->item_count <= LIMIT_MATCH_PLAYERS);
    assert(p->team_count >= 1 && p->team_count <= LIMIT_TEAMS);
    assert(max >= 1 && max <= SPLIT_RESULTS);
    if (!roles && is_duel(p)) return split_duel(p, out);
    if (p->item_count > SPLIT_EXACT_ITEMS) return split_many(p, out);
    if (roles) return split_exact_cast(p, roles, out, max);
    bool one_of_two = max == 1 && p->team_count == 2 && !p->names_matter;
    return one_of_two ? split_two(p, 0, out) : split_exact(p, NULL, NULL, out, max);
}

bool split_find_soon(const struct split_problem *p, const struct split_roles *roles, double enough,
                     struct split *out) {
    bool few = p->item_count <= SPLIT_EXACT_ITEMS && p->team_count == 2 && !p->names_matter;
    if (roles || !few || is_duel(p)) return split_find_cast(p, roles, out, 1) > 0;
    return split_two(p, enough, out) > 0;
}
