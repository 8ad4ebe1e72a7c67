/* seek.c - contributions, ranked and filled into a group. */
#include "model/seek.h"

#include <math.h>
#include <string.h>

enum {
    NO_REGION = 64,
    OFF_CENTRE_POINTS = 20, /* nearer, a group around the mean is hardly better */
};

/* ---- what a group costs ---- */

static double mismatch(const struct group *g, const struct worth *w) {
    double sum = 0, cost = 0;
    uint32_t players = group_extent(g)->players;
    for (uint32_t i = 0; i < g->depth; i++)
        sum += g->members[i]->slot->key * g->members[i]->slot->players;
    double mean = sum / players;
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct bin_slot *s = g->members[i]->slot;
        cost += worth_phi(fabs(s->key - mean) * w->unit) * s->players;
    }
    return cost / players;
}

static double ping_of(const struct bin_slot *s, uint32_t region) {
    if (region == NO_REGION) return 0;
    return worth_ping(pool_latency_ms(s, region), (int32_t)bin_travel(s)->best_ms);
}

static double ping_in(const struct group *g, uint32_t region) {
    double cost = 0;
    if (region == NO_REGION) return 0;
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct bin_slot *s = g->members[i]->slot;
        cost += ping_of(s, region) * s->players;
    }
    return cost / group_extent(g)->players;
}

static bool has_regions(const struct group *g) {
    return g->loosest.latency_ms != INT32_MAX;
}

double seek_cost(const struct group *g, const struct worth *w) {
    double best = INFINITY;
    if (!has_regions(g)) return mismatch(g, w);
    for (uint64_t set = group_extent(g)->regions; set; set &= set - 1)
        best = fmin(best, ping_in(g, (uint32_t)__builtin_ctzll(set)));
    return mismatch(g, w) + best;
}

static uint32_t only_role(const struct group *g, const struct bin_slot *s) {
    return g->pool->casting ? casting_only_role(pool_roles(s), s->players) : CASTING_ROLES;
}

/* Those who play that role only; CASTING_ROLES: everybody. */
static void list_payers(const struct group *g, uint32_t role, struct seek_payers *out) {
    out->count = out->players = 0;
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct bin_slot *s = g->members[i]->slot;
        if (role != CASTING_ROLES && only_role(g, s) != role) continue;
        out->slots[out->count++] = s;
        out->players += s->players;
    }
}

static double mean_credit(const struct group *g, const struct worth *w) {
    double total = 0;
    for (uint32_t i = 0; i < g->depth; i++)
        total += worth_credit(w, g->members[i]->slot) * g->members[i]->slot->players;
    double mean = total / group_extent(g)->players;
    return mean >= WORTH_UNLIMITED ? total : mean;
}

double seek_credit(const struct group *g, const struct worth *w, struct seek_payers *out) {
    if (!g->pool->casting) {
        if (out) list_payers(g, CASTING_ROLES, out);
        return mean_credit(g, w);
    }
    double sums[CASTING_ROLES + 1] = {0}, total = 0, least = INFINITY;
    uint32_t players[CASTING_ROLES + 1] = {0}, who = CASTING_ROLES;
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct bin_slot *s = g->members[i]->slot;
        double credit = worth_credit(w, s) * s->players;
        uint32_t role = only_role(g, s);
        total += credit;
        sums[role] += credit;
        players[role] += s->players;
    }
    sums[CASTING_ROLES] = total;
    players[CASTING_ROLES] = group_extent(g)->players;
    for (uint32_t role = 0; role <= CASTING_ROLES; role++) {
        if (players[role] == 0 || sums[role] / players[role] >= least) continue;
        least = sums[role] / players[role];
        who = role;
    }
    if (total / players[CASTING_ROLES] >= WORTH_UNLIMITED) least = total, who = CASTING_ROLES;
    if (out) list_payers(g, who, out);
    return least;
}

/* ---- contributions ---- */

/* What each candidate brings wherever the centre is; false: the region has too few for a match. */
static bool offer(struct seek *s, const struct group *g, const struct gathered *near,
                  uint32_t region) {
    uint32_t players = g->x.slot->players;
    for (uint32_t i = 0; i < near->count; i++) {
        const struct option *o = &near->options[i];
        bool there = region == NO_REGION || (o->regions >> region & 1);
        players += there ? o->slot->players : 0;
        s->offers[i] = there ? s->credits[i] - ping_of(o->slot, region) : -INFINITY;
    }
    return players >= g->loosest.players_min;
}

/* Large parties before small ones, whatever they contribute. */
static uint64_t by_size(uint32_t players, uint64_t bits) {
    enum { PLAYERS_BITS = 8 };
    return (uint64_t)players << (64 - PLAYERS_BITS) | bits >> PLAYERS_BITS;
}

static void rank(struct seek *s, const struct gathered *near, struct seek_place at, double unit) {
    for (uint32_t i = 0; i < near->count; i++) {
        double cost = worth_phi(fabs(s->keys[i] - at.centre) * unit);
        uint64_t bits = ranking_bits(s->offers[i] - cost);
        if (at.largest_first) bits = by_size(near->options[i].slot->players, bits);
        ranking_put(&s->ranking, i, s->offers[i] > -INFINITY ? bits : 0);
    }
    ranking_close(&s->ranking, near->count);
}

/* ---- assembling ---- */

struct refusals {        /* of a growing group: what it refuses once it refuses for good */
    uint32_t too_big;    /* tickets of so many players */
    uint64_t solo_roles; /* a bit for each set of roles of which one more cannot be cast */
};

static uint64_t solo_role_bit(const struct group *g, const struct bin_slot *s) {
    return g->pool->casting && s->players == 1 ? UINT64_C(1) << pool_roles(s) : 0;
}

/* Takes the best that fits; false: none does. */
static bool grow(struct seek *s, struct group *g, const struct gathered *near,
                 struct refusals *known) {
    for (uint32_t i; (i = ranking_take(&s->ranking)) != RANKING_NONE;) {
        const struct option *o = &near->options[i];
        uint64_t roles = solo_role_bit(g, o->slot);
        if (o->slot->players >= known->too_big || (roles & known->solo_roles)) continue;
        enum group_fit fit = group_extend(g, o);
        if (fit == GROUP_FITS) return true;
        if (fit == GROUP_NO_ROOM && !g->shrinking) known->too_big = o->slot->players;
        if (fit == GROUP_NO_ROLE) known->solo_roles |= roles;
    }
    return false;
}

/* Takes the best contributions that fit; of the sizes allowed the largest that is affordable, else
 * the one of most slack. False: there are not enough. */
static bool assemble(struct seek *s, struct group *g, const struct gathered *near, uint32_t region,
                     const struct worth *w) {
    struct refusals known = {UINT32_MAX, 0};
    uint32_t best_depth = 0;
    s->groups++;
    s->slack = -INFINITY;
    group_begin(g);
    do {
        if (!group_has_enough(g)) continue;
        double slack = seek_credit(g, w, NULL) - mismatch(g, w) - ping_in(g, region);
        if (slack >= 0 || slack > s->slack) best_depth = g->depth, s->slack = slack;
        if (group_is_full(g)) break;
    } while (grow(s, g, near, &known));
    if (best_depth == 0) return false;
    g->depth = best_depth;
    return true;
}

static double mean_key(const struct group *g) {
    double sum = 0;
    for (uint32_t i = 0; i < g->depth; i++)
        sum += g->members[i]->slot->key * g->members[i]->slot->players;
    return sum / group_extent(g)->players;
}

static bool has_parties(const struct gathered *near) {
    for (uint32_t i = 0; i < near->count; i++)
        if (near->options[i].slot->players > 1) return true;
    return false;
}

/* Around the centre, of what is offered in the place's region. */
static void seek_around(struct seek *s, struct group *g, const struct gathered *near,
                        struct seek_place at, const struct worth *w) {
    rank(s, near, at, w->unit);
    bool any = assemble(s, g, near, at.region, w);
    if (!any && has_parties(near)) { /* the small ones may have spoilt it for the large */
        at.largest_first = true;
        rank(s, near, at, w->unit);
        any = assemble(s, g, near, at.region, w);
    }
    if (!any || s->slack <= s->best_slack) return;
    s->best_slack = s->slack;
    s->best_depth = g->depth;
    s->best_at = (struct seek_place){at.region, mean_key(g), false};
    memcpy(s->best, g->members, g->depth * sizeof(struct option *));
}

/* The nearest of the set's regions to x, taken out of it. */
static uint32_t take_nearest(const struct group *g, uint64_t *set) {
    uint32_t nearest = NO_REGION;
    int32_t least = INT32_MAX;
    for (uint64_t bits = *set; bits; bits &= bits - 1) {
        uint32_t region = (uint32_t)__builtin_ctzll(bits);
        int32_t ms = pool_latency_ms(g->x.slot, region);
        if (ms < least) least = ms, nearest = region;
    }
    if (nearest != NO_REGION) *set &= ~(UINT64_C(1) << nearest);
    return nearest;
}

static bool restore_best(struct seek *s, struct group *g) {
    if (s->best_depth == 0) return false;
    group_begin(g);
    for (uint32_t i = 1; i < s->best_depth; i++)
        (void)group_extend(g, s->best[i]); /* in the order in which they fitted before */
    return true;
}

/* ---- two players ---- */

static double pair_ping(const struct group *g, const struct option *o) {
    double best = INFINITY;
    if (!has_regions(g)) return 0;
    for (uint64_t set = g->x.regions & o->regions; set; set &= set - 1) {
        uint32_t region = (uint32_t)__builtin_ctzll(set);
        best = fmin(best, ping_of(g->x.slot, region) + ping_of(o->slot, region));
    }
    return best;
}

/* The best partner, by looking at each. */
static bool seek_partner(struct seek *s, struct group *g, const struct gathered *near,
                         const struct worth *w) {
    for (uint32_t i = 0; i < near->count; i++) {
        const struct option *o = &near->options[i];
        double half = fabs(o->slot->key - g->x.slot->key) / 2 * w->unit;
        s->credits[i] = worth_credit(w, o->slot) - 2 * worth_phi(half) - pair_ping(g, o);
    }
    for (s->groups = 1; s->groups <= near->count; s->groups++) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < near->count; i++) {
            if (s->credits[i] > s->credits[best]) best = i;
        }
        if (s->credits[best] == -INFINITY) break;
        s->credits[best] = -INFINITY;
        group_begin(g);
        if (group_extend(g, &near->options[best]) == GROUP_FITS) return true;
    }
    group_begin(g);
    return group_has_enough(g);
}

bool seek_best(struct seek *s, struct group *g, const struct gathered *near,
               const struct worth *w) {
    if (g->loosest.sizes->players_max == 2 && g->loosest.players_min == 2)
        return seek_partner(s, g, near, w);
    s->best_depth = s->groups = 0;
    s->best_slack = -INFINITY;
    for (uint32_t i = 0; i < near->count; i++) {
        s->keys[i] = near->options[i].slot->key;
        s->credits[i] = worth_credit(w, near->options[i].slot);
    }
    uint64_t regions = has_regions(g) ? g->x.regions : 0;
    uint32_t left = worth_credit(w, g->x.slot) >= WORTH_URGENT ? 64 : SEEK_REGIONS;
    double key = g->x.slot->key;
    do {
        uint32_t region = regions ? take_nearest(g, &regions) : NO_REGION;
        if (offer(s, g, near, region))
            seek_around(s, g, near, (struct seek_place){region, key, false}, w);
        left -= left > 0;
    } while (regions && s->best_slack < 0 && (left > 0 || s->best_depth == 0));
    bool off_centre = fabs(s->best_at.centre - key) * w->unit > OFF_CENTRE_POINTS;
    if (s->best_depth > 0 && off_centre && offer(s, g, near, s->best_at.region))
        seek_around(s, g, near, s->best_at, w);
    return restore_best(s, g);
}
