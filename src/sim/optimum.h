/* optimum.h - what somebody who knows the future would have made of a trace.
 *
 * The cost of a trace is the mean over its players of mismatch + c * wait, c in points per second.
 * Matched groups are matched at their last arrival; nobody leaves.
 *
 *   optimum_pairs   exact, for matches of two single players: minimum-weight perfect matching
 *                   over 2 |s_i - s_j| + c |t_i - t_j|
 *   optimum_bound   a lower bound for matches of N single players: for any group G
 *                   sum |s_i - mean| >= sum of pairs |s_i - s_j| / (N - 1), the waits likewise,
 *                   so a player costs at least half his N - 1 nearest others, over N - 1
 *   optimum_group   the cheapest match that some waiting tickets can make now, by trying all
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_SIM_OPTIMUM_H
#define MUSTER_SIM_OPTIMUM_H

#include "sim/play.h"

#define OPTIMUM_PAIRS_MAX 1200 /* tickets */
#define OPTIMUM_GROUP_MAX 14   /* tickets */

/* The trace has single players of one region only, an even number, at most OPTIMUM_PAIRS_MAX.
 * O(n^3). */
double optimum_pairs(const struct field *f, double points_per_s);
/* Single players only. O(n^2 N). */
double optimum_bound(const struct field *f, double points_per_s);
/* The smallest Q (measure.h) of a legal match of some of the first `count` tickets; INFINITY: there
 * is none. O(2^count) splits. */
double optimum_group(const struct field *f, uint32_t count);
/* The same cost of what was played. All tickets must have been matched. */
double optimum_played(const struct play *p, double points_per_s);

#endif
