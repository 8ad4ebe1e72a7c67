/* gather.h - the candidates of one search: a ticket's neighbours by key, nearest bins first.
 *
 * Within a bin (a sixteenth of the spread that rules allow at first) older tickets come first.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_GATHER_H
#define MUSTER_MODEL_GATHER_H

#include "base/limits.h"
#include "model/pool.h"

#define GATHER_MAX (2 * LIMIT_MATCH_PLAYERS)

struct option { /* one candidate */
    const struct bin_slot *slot;
    uint64_t regions; /* those it reaches within the latency asked for */
};

struct gather_query {
    const struct pool *pool;
    const struct pool_entry *x;
    double spread;          /* |key - x.key| at most this */
    int32_t latency_ms_max; /* a common region within it is required; INT32_MAX: none */
    uint32_t players_max;   /* of the candidate */
    uint32_t want;          /* at most this many, 1..GATHER_MAX */
    uint32_t skip, visits;  /* slots passed over, then looked at, at most */
};

struct gather_rank { /* what an order sorts by: `first`, then `second`, smaller before larger */
    uint64_t first;
    uint32_t second, index;
};

struct gathered {
    struct option options[GATHER_MAX];
    uint32_t count;
    uint32_t visited;
    bool truncated;                            /* the window holds more than was looked at */
    const struct option *in_order[GATHER_MAX]; /* by gather_sort: as they are tried, oldest first */
    const struct option *by_key[GATHER_MAX];   /* by gather_sort_keys: ascending */
    uint32_t below;                            /* of by_key: those before x's place */
    struct gather_rank scratch[2][GATHER_MAX];
};

/* Fills `options`, whose content before is ignored. O(slots passed over and looked at). `g` borrows
 * from the pool: valid until its next change. */
void gather_run(struct gathered *g, const struct gather_query *q);

/* Fills `in_order`: as the ruleset's sorts want it around `x`, which is `age_ms` old; by age among
 * equals. */
void gather_sort(struct gathered *g, const struct ruleset *r, const struct pool_entry *x,
                 int64_t age_ms);
void gather_sort_keys(struct gathered *g, double key);

#endif
