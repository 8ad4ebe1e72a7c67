/* group.h - a group of waiting tickets that grows by one at a time, within what rules are known to
 * allow: team sizes, whole parties, the key's spread, a common region, roles, avoid lists.
 *
 *   group_begin(g, x) -> group_extend(g, option) ... -> group_cut(g, size)
 *
 * These are the rules that compile to numbers and bits (ruleset_path says whether that is all of
 * them). Whatever group_extend refuses, ruleset_evaluate refuses for every split of it.
 * extend O(members) at most, O(1) for tickets of one player. Thread safety: one per instance.
 */
#ifndef MUSTER_MODEL_GROUP_H
#define MUSTER_MODEL_GROUP_H

#include "base/limits.h"
#include "model/gather.h"
#include "model/seating.h"

/* A ruleset's limits as far as they may cut a search short: at one age, or where expansions may
 * shrink, the loosest of all ages. */
struct group_bounds {
    const struct ruleset_limits *sizes;
    double spread;
    int32_t latency_ms;
    uint32_t players_min;
};

struct group_extent { /* what the first n members have come to */
    uint32_t players;
    bool solos;    /* tickets of one player only */
    uint64_t sums; /* bit n: some of the tickets have n players together; below 64 */
    double low, high;
    int64_t oldest_ms, newest_ms;
    uint64_t regions;
    const struct ruleset_limits *sizes;
    uint32_t players_min;
};

struct group {
    const struct pool *pool;
    int64_t now_ms;
    bool shrinking;              /* limits say nothing about those of another age */
    struct group_bounds loosest; /* that a group with x can have now */
    struct option x;
    const struct option *members[LIMIT_MATCH_PLAYERS];    /* the first is x */
    struct group_extent extents[LIMIT_MATCH_PLAYERS + 1]; /* of members[0..i]; one to try */
    struct casting_counts casts[LIMIT_MATCH_PLAYERS]; /* of members[0..i], where there are roles */
    struct seating seating;                           /* likewise; it may have one to try */
    uint32_t depth;
};

enum group_fit {
    GROUP_FITS,
    GROUP_REFUSED,
    GROUP_NO_ROOM, /* for so many players, nor for more */
    GROUP_NO_ROLE, /* for all of these players: nor for others of the same roles */
};

/* A group that can only contain x: sets `loosest` and `x`, then as group_begin. */
void group_init(struct group *g, const struct pool *pool, const struct bin_slot *x, int64_t now_ms,
                bool shrinking);
void group_begin(struct group *g); /* x alone */
/* Takes the option in where the known limits still hold. */
enum group_fit group_extend(struct group *g, const struct option *o);

static inline const struct group_extent *group_extent(const struct group *g) {
    return &g->extents[g->depth - 1];
}

int64_t group_age_ms(const struct group *g); /* that selects the expansion step */

static inline bool group_has_enough(const struct group *g) {
    return group_extent(g)->players >= group_extent(g)->players_min;
}

static inline bool group_is_full(const struct group *g) {
    return group_extent(g)->players == group_extent(g)->sizes->players_max;
}

#endif
