/* sweep.h - one pass over a crowd: neighbours by key become matches, without a search for each.
 *
 * When most of a large pool was never searched (a restart, a new ruleset, a flash crowd), nearly
 * every ticket has its partners right beside it. A sweep goes over each partition's bins once, from
 * the least key on, a stretch at a time:
 *
 *   sweep_plan --> groups on the flat slots alone --> sweep_take, sweep_take, ... --> sweep_plan
 * ... |            large parties first, the oldest      the evaluator judges each |            that
 * fit of each class, cost covered
 *      +--> false: it is over; whom it left is dirty still, and is searched for one by one
 *
 * Within a plan the pool loses what was taken and does not change otherwise. A plan that is not
 * taken to its end is forgotten: the next call of sweep_plan looks at that stretch again. Cost:
 * plan O(tickets of the stretch x members), at most SWEEP_TICKETS of each class. Deterministic.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_SWEEP_H
#define MUSTER_MODEL_SWEEP_H

#include "model/pick.h"

#define SWEEP_MIN 2048     /* tickets never searched, and at least half of all, start a sweep */
#define SWEEP_TICKETS 4096 /* of a class in one plan: a plan takes a fraction of a millisecond */
#define SWEEP_PARTS 64     /* with more partitions there is none: each is small */

struct sweep; /* buffers */

struct sweep *sweep_new(void);
void sweep_free(struct sweep *s); /* NULL is fine */

/* Whether sweep_plan has something to do. */
bool sweep_is_due(const struct pool *p);

struct sweep_plan {
    bool shrinking;   /* as for pick_find */
    uint64_t tickets; /* to look at of each class, about: 1..SWEEP_TICKETS, or what is nearest */
};

/* Plans the groups of the next stretch, maybe none. */
void sweep_plan(struct sweep *s, struct pool *p, int64_t now_ms, struct sweep_plan wanted);

/* The next planned group that is legal; NULL: no more. The caller takes its tickets out of the pool
 * before the next call. Borrowed until then. */
const struct pick_result *sweep_take(struct sweep *s);

/* Planned groups that the evaluator found legal, and that it did not, since sweep_new. Refusals
 * come of rules that only the evaluator knows. */
struct sweep_counts {
    uint64_t taken, refused;
};
struct sweep_counts sweep_counted(const struct sweep *s);

#endif
