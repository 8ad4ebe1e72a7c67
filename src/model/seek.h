/* seek.h - the best group around one ticket, by contribution: credit less what it costs.
 *
 * For a region and a centre every candidate contributes credit - phi(|s - centre|) - ping, whoever
 * else is in the group; the group takes them best first as far as known rules allow (where that
 * makes no group, the largest parties first): around the ticket in each region up to one where it
 * is affordable, then around the mean of the best of these where that is elsewhere. Groups are
 * compared by slack, mean credit less cost (worth.h), before the teams are split. O(regions *
 * candidates * members / 8). Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_SEEK_H
#define MUSTER_MODEL_SEEK_H

#include "model/group.h"
#include "model/ranking.h"
#include "model/worth.h"

#define SEEK_REGIONS 2 /* the ticket's nearest, or more until one has a group; all once urgent */

struct seek_place { /* where a group is sought */
    uint32_t region;
    double centre;      /* key */
    bool largest_first; /* large parties before small ones, whatever they contribute */
};

struct seek {
    double keys[GATHER_MAX], credits[GATHER_MAX]; /* of the candidates */
    double offers[GATHER_MAX]; /* credit less ping, in one region; -INFINITY: not there */
    struct ranking ranking;    /* of contributions, per player */
    const struct option *best[LIMIT_MATCH_PLAYERS];
    uint32_t best_depth;
    double slack, best_slack;  /* of the last group, of the best */
    struct seek_place best_at; /* its region and mean */
    uint32_t groups;           /* built by the last call */
};

/* Leaves the best group in `g`, which was initialised; false: none has enough players. */
bool seek_best(struct seek *s, struct group *g, const struct gathered *near, const struct worth *w);

/* What the group costs but for teams and soft costs, in its best common region. */
double seek_cost(const struct group *g, const struct worth *w);

struct seek_payers { /* whose credit has to cover the cost */
    const struct bin_slot *slots[LIMIT_MATCH_PLAYERS];
    uint32_t count, players;
    double credit; /* mean over players */
};

/* The credit of the whole group or, where there are roles, that of those who play one role only
 * and have least: the patience of a crowd that waits for the rare role must not buy that role a
 * poor match as soon as it comes. */
double seek_credit(const struct group *g, const struct worth *w, struct seek_payers *out);

#endif
