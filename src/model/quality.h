/* quality.h - how good a match is, in numbers for people.
 *
 *     cost    = (2 * mean |s_i - mean(s)| + team_gap) * 100 / base + soft
 *     quality = 100 * exp(-cost / 200)                       in 0..100
 *
 * s_i are the players' values of the ruleset's key attribute; base is the key spread the rules
 * allow at age 0, so that the unit of the attribute does not matter (100 where they allow any, or
 * none). `soft` is ruleset_soft_cost: second-choice roles, recent opponents, the rules' weights.
 * A 1v1 at the very bound of age 0 has 100/e = 37; without a key only soft costs count.
 * Source: the fairness and closeness cost of the patience-credit matcher, in rating points.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_QUALITY_H
#define MUSTER_MODEL_QUALITY_H

#include "model/ruleset.h"

struct quality {
    double score;    /* 0..100 */
    double spread;   /* largest minus smallest key of a player; 0 without a key */
    double team_gap; /* largest minus smallest mean key of a team with players */
};

/* The candidate is complete: every ticket has a team. `soft`: points, 0 or more.
 * O(players + teams). */
struct quality quality_measure(const struct ruleset *r, const struct candidate *c, double soft);

#endif
