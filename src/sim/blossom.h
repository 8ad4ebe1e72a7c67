/* blossom.h - minimum-weight perfect matching of a general graph, exact.
 *
 * Primal-dual with blossoms in O(n^3), about 50 n^2 bytes. Deterministic.
 * Source: Edmonds, "Maximum matching and a polyhedron with 0,1-vertices", 1965; Galil, "Efficient
 * algorithms for finding maximum matching in graphs", 1986.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_SIM_BLOSSOM_H
#define MUSTER_SIM_BLOSSOM_H

#include <stddef.h>
#include <stdint.h>

#define BLOSSOM_NODES_MAX 1200

/* `costs`: [n][n], symmetric, 0..2^40; n even, 2..BLOSSOM_NODES_MAX. Writes each node's partner and
 * returns the sum of the costs of the pairs. */
int64_t blossom_match(const int64_t *costs, size_t n, uint32_t *partner);

#endif
