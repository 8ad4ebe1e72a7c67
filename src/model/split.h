/* split.h - putting whole tickets into teams: whether they fit, and how to make the teams even.
 *
 * Up to SPLIT_EXACT_ITEMS tickets every distribution is enumerated (interchangeable teams counted
 * once, at most SPLIT_NODES steps: then the best seen). Above, a greedy start and improving swaps.
 * Pure; results do not depend on anything but the arguments. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_SPLIT_H
#define MUSTER_MODEL_SPLIT_H

#include "base/limits.h"
#include "model/casting.h"

#define SPLIT_EXACT_ITEMS 12
#define SPLIT_NODES 20000
#define SPLIT_RESULTS 8

struct split_item { /* one ticket */
    uint32_t players;
    double sum; /* of its players' keys */
};

struct split_problem {
    const struct split_item *items; /* 1..LIMIT_MATCH_PLAYERS of them */
    uint32_t item_count;
    const struct ruleset_team *teams; /* 1..LIMIT_TEAMS of them; every min and max is respected */
    uint32_t team_count;
    /* false: teams of equal sizes are interchangeable, one of each mirrored pair is enough.
     * true: which ticket is in which named team matters. */
    bool names_matter;
};

struct split_roles {
    const struct casting *casting;
    const uint32_t *of; /* per item: its players' roles, packed */
};

struct split {
    double gap; /* largest minus smallest mean key of the teams that have players */
    uint32_t team_of[LIMIT_MATCH_PLAYERS]; /* per item */
};

/* Whether all items can be packed whole into the teams' maxima at once; minima are not asked.
 * `sizes`: players per item. May say no to an unusual mix after SPLIT_NODES steps. */
bool split_fits(const uint32_t *sizes, uint32_t count, const struct ruleset_team *teams,
                uint32_t team_count);

/* The splits of smallest gap, best first, at most `max` (1..SPLIT_RESULTS; above
 * SPLIT_EXACT_ITEMS tickets at most one). Returns how many there are; 0: no split is possible. */
uint32_t split_find(const struct split_problem *p, struct split *out, uint32_t max);

/* The same, leaving out splits in which a team cannot have its roles, as far as casting.h knows and
 * all are enumerated. `roles` may be NULL. */
uint32_t split_find_cast(const struct split_problem *p, const struct split_roles *roles,
                         struct split *out, uint32_t max);

/* One split for who has many to find: of two teams without roles the first whose gap is at most
 * `enough`, or the evenest where there is none; else as split_find_cast. False: none is possible.
 */
bool split_find_soon(const struct split_problem *p, const struct split_roles *roles, double enough,
                     struct split *out);

#endif
