/* quality.h - how good a match is, in numbers for people.
 *
 *     cost    = (2 * mean |s_i - mean(s)| + team_gap) * 100 / base + soft
 *     quality = 100 * exp(-cost / 200)                       in 0..100
 *
 *     win gap = |Phi((mean_A - mean_B) (n / 2) / sqrt(n beta^2 + sum sigma_i^2)) - 1/2|
 *
 * s_i are the players' values of the ruleset's key attribute; base is the key spread the rules
 * allow at age 0, so that the unit of the attribute does not matter (100 where they allow any, or
 * none). `soft` is ruleset_soft_cost: second-choice roles, recent opponents, the rules' weights.
 * A 1v1 at the very bound of age 0 has 100/e = 37; without a key only soft costs count.
 * The win gap is between the strongest and the weakest team, of n players together: the chance that
 * A beats B when a player's performance varies by beta around his key, which itself is known to
 * sigma_i. With teams of one size the argument is the difference of the sums. beta is 2 base, 200
 * points: one player who is 100 points ahead of another wins 64 of 100.
 * A queue may give base itself (patience.scale).
 * Source: the fairness and closeness cost of the patience-credit matcher, in rating points.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_QUALITY_H
#define MUSTER_MODEL_QUALITY_H

#include "model/queue.h"

struct quality {
    double score;    /* 0..100 */
    double spread;   /* largest minus smallest key of a player; 0 without a key */
    double team_gap; /* largest minus smallest mean key of a team with players */
    double win_gap;  /* 0..0.5 */
};

/* Points (100 / base) per unit of the key: what everything is weighed in. */
double quality_points_per_unit(const struct ruleset *r, const struct patience *p);

/* The candidate is complete: every ticket has a team. `soft`: points, 0 or more.
 * O(players + teams). */
struct quality quality_measure(const struct ruleset *r, const struct patience *p,
                               const struct candidate *c, double soft);

/* The player's deviation of his key by the queue's uncertainty attribute; 0: none, or certain. */
double quality_sigma(const struct patience *p, const struct player *player);

#endif
