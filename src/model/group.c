/* group.c - what a group's members have come to, and whether one more still fits. */
#include "model/group.h"

#include "model/split.h"

/* ---- limits ---- */

static int64_t age_since(const struct group *g, int64_t created_ms) {
    return g->now_ms > created_ms ? g->now_ms - created_ms : 0;
}

static int64_t age_of(const struct group *g, const struct group_extent *e) {
    return age_since(g, ruleset_age_is_newest(g->pool->ruleset) ? e->newest_ms : e->oldest_ms);
}

static struct group_bounds bounds_of(const struct ruleset_limits *l) {
    return (struct group_bounds){l, l->key_spread_max, l->latency_ms_max, l->players_min};
}

static struct group_bounds bounds_at(const struct group *g, int64_t age_ms) {
    if (g->shrinking) return g->loosest;
    return bounds_of(ruleset_limits_at(g->pool->ruleset, age_ms));
}

static struct group_bounds loosest_of_all_ages(const struct ruleset *r) {
    struct group_bounds b = bounds_of(ruleset_limits_at(r, 0));
    for (int64_t age = 0; (age = ruleset_next_step_ms(r, age)) != INT64_MAX;) {
        struct group_bounds step = bounds_of(ruleset_limits_at(r, age));
        if (step.sizes->players_max > b.sizes->players_max) b.sizes = step.sizes;
        if (step.spread > b.spread) b.spread = step.spread;
        if (step.latency_ms > b.latency_ms) b.latency_ms = step.latency_ms;
        if (step.players_min < b.players_min) b.players_min = step.players_min;
    }
    return b;
}

/* No group is younger than its youngest member, none is older than the queue's oldest ticket. */
static struct group_bounds loosest_for(const struct group *g) {
    const struct ruleset *r = g->pool->ruleset;
    if (g->shrinking) return loosest_of_all_ages(r);
    int64_t since =
        ruleset_age_is_newest(r) ? g->x.slot->created_ms : pool_created_ms(pool_oldest(g->pool));
    return bounds_of(ruleset_limits_at(r, age_since(g, since)));
}

/* ---- growing ---- */

void group_init(struct group *g, const struct pool *pool, const struct bin_slot *x, int64_t now_ms,
                bool shrinking) {
    g->pool = pool;
    g->now_ms = now_ms;
    g->shrinking = shrinking;
    g->x = (struct option){x, UINT64_MAX};
    g->loosest = loosest_for(g);
    g->x.regions = pool_regions_within(pool, g->x.slot, g->loosest.latency_ms);
    group_begin(g);
}

static uint64_t grown(uint64_t sums, uint32_t players) {
    return players < 64 ? sums | sums << players : sums;
}

void group_begin(struct group *g) {
    const struct bin_slot *x = g->x.slot;
    g->members[0] = &g->x;
    g->extents[0] = (struct group_extent){.players = x->players,
                                          .solos = x->players == 1,
                                          .sums = grown(1, x->players),
                                          .low = x->key,
                                          .high = x->key,
                                          .oldest_ms = x->created_ms,
                                          .newest_ms = x->created_ms,
                                          .regions = g->x.regions};
    struct group_bounds b = bounds_at(g, age_of(g, &g->extents[0]));
    g->extents[0].sizes = b.sizes;
    g->extents[0].players_min = b.players_min;
    g->depth = 1;
    if (!g->pool->casting) return;
    g->casts[0] = (struct casting_counts){{0}};
    casting_add(g->pool->casting, &g->casts[0], pool_roles(x), x->players);
    seating_begin(&g->seating, b.sizes->team_count);
    (void)seating_add(&g->seating, g->pool->casting, pool_roles(x), x->players);
}

/* Whether everybody could still have a role: all together, and as whole tickets in teams. Sets the
 * counts of the next depth. */
static bool can_cast_with(struct group *g, const struct bin_slot *coming) {
    struct casting_counts *next = &g->casts[g->depth];
    *next = g->casts[g->depth - 1];
    const struct casting *k = g->pool->casting;
    casting_add(k, next, pool_roles(coming), coming->players);
    if (!casting_fits(k, next, &k->match)) return false;
    seating_cut(&g->seating, k, g->depth);
    return seating_add(&g->seating, k, pool_roles(coming), coming->players);
}

static bool is_avoided(const struct group *g, const struct bin_slot *coming) {
    const struct pool_entry *c = coming->entry;
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct pool_entry *m = g->members[i]->slot->entry;
        const struct pool_extra *a = m->extra, *b = c->extra;
        if (!(a->marks & b->avoided) && !(b->marks & a->avoided)) continue;
        struct ticket_spec own = ticket_spec(m->ticket, g->pool->scratch);
        struct ticket_spec other = ticket_spec(c->ticket, g->pool->scratch);
        bool apart = ruleset_keeps_apart(g->pool->ruleset, &own, &other);
        arena_reset(g->pool->scratch);
        if (apart) return true;
    }
    return false;
}

static bool has_common_region(const struct group *g, const struct group_extent *e,
                              int32_t latency_ms, const struct option *coming) {
    if (latency_ms == INT32_MAX) return true;
    if (e->regions == 0) return false;
    if (latency_ms == g->loosest.latency_ms) return true;
    uint64_t set = pool_regions_within(g->pool, coming->slot, latency_ms);
    for (uint32_t i = 0; i < g->depth && set; i++)
        set &= pool_regions_within(g->pool, g->members[i]->slot, latency_ms);
    return set != 0;
}

/* Whether some of the tickets fill one of two teams so far that the other takes the rest. */
static bool packs_into_two(const struct group_extent *e) {
    uint32_t first = e->sizes->teams[0].players_max, second = e->sizes->teams[1].players_max;
    uint32_t least = e->players > second ? e->players - second : 0;
    return least <= first && (e->sums & (UINT64_MAX >> (63 - first))) >> least != 0;
}

/* However the members stand in their teams: so much room one of these has at least. */
static bool fits_the_emptiest(const struct group *g, const struct bin_slot *coming) {
    const struct ruleset_limits *l = group_extent(g)->sizes;
    uint32_t open = l->players_max - group_extent(g)->players;
    return open > (coming->players - 1) * l->team_count;
}

static bool packs_with(const struct group *g, const struct group_extent *e,
                       const struct bin_slot *coming) {
    if (e->solos) return true; /* the total was checked */
    if (e->sizes == group_extent(g)->sizes && fits_the_emptiest(g, coming)) return true;
    if (e->sizes->team_count == 2 && e->sizes->teams[0].players_max < 64) return packs_into_two(e);
    uint32_t sizes[LIMIT_MATCH_PLAYERS];
    for (uint32_t i = 0; i < g->depth; i++)
        sizes[i] = g->members[i]->slot->players;
    sizes[g->depth] = coming->players;
    return split_fits(sizes, g->depth + 1, e->sizes->teams, e->sizes->team_count);
}

enum group_fit group_extend(struct group *g, const struct option *o) {
    const struct bin_slot *s = o->slot;
    const struct group_extent *had = group_extent(g);
    struct group_extent *e = &g->extents[g->depth]; /* counts once depth does */
    e->players = had->players + s->players;
    e->solos = had->solos && s->players == 1;
    e->sums = grown(had->sums, s->players);
    e->low = s->key < had->low ? s->key : had->low;
    e->high = s->key > had->high ? s->key : had->high;
    e->oldest_ms = s->created_ms < had->oldest_ms ? s->created_ms : had->oldest_ms;
    e->newest_ms = s->created_ms > had->newest_ms ? s->created_ms : had->newest_ms;
    e->regions = had->regions & o->regions;
    struct group_bounds b = bounds_at(g, age_of(g, e));
    e->sizes = b.sizes;
    e->players_min = b.players_min;
    if (!(e->high - e->low <= b.spread)) return GROUP_REFUSED;
    if (!has_common_region(g, e, b.latency_ms, o)) return GROUP_REFUSED;
    if (e->players > b.sizes->players_max || !packs_with(g, e, s)) return GROUP_NO_ROOM;
    if (g->pool->casting && !can_cast_with(g, s)) return GROUP_NO_ROLE;
    if (g->pool->avoids && is_avoided(g, s)) return GROUP_REFUSED;
    g->members[g->depth++] = o;
    return GROUP_FITS;
}

/* ---- asking ---- */

int64_t group_age_ms(const struct group *g) {
    return age_of(g, group_extent(g));
}
