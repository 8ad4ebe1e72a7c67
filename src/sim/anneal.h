/* anneal.h - the best grouping known of a trace of single players into matches of N, found by
 * simulated annealing with the future known: an upper bound of the clairvoyant optimum, where
 * optimum_pairs is exact but for matches of two.
 *
 * The cost is that of optimum.h. It starts from matches of players who are near in time, sorted by
 * skill, and swaps players of two matches. Not proven to be the best: on instances small enough to
 * try everything it is (anneal_test).
 * Source: Kirkpatrick, Gelatt, Vecchi, "Optimization by simulated annealing" (1983).
 * Thread safety: all functions.
 */
#ifndef MUSTER_SIM_ANNEAL_H
#define MUSTER_SIM_ANNEAL_H

#include "sim/field.h"

/* The mean over players of mismatch + c * wait. The trace has single players of one region only,
 * whose number match_players divides. Deterministic by seed. O(steps * match_players), where steps
 * are 60,000 for each ticket: seconds. */
double anneal_groups(const struct field *f, double points_per_s, uint64_t seed);

#endif
