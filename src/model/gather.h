/* gather.h - the candidates of one search: the neighbours of a key, nearest bins first.
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
    const struct pool_part *part;
    const struct pool_entry *x; /* left out; NULL: nobody is */
    double key;
    double spread;          /* |candidate's key - key| at most this */
    uint64_t regions;       /* one of these must be the candidate's, */
    int32_t latency_ms_max; /* within so much; INT32_MAX: any */
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

/* Around a ticket that waits in the pool; spread, players, want, skip and visits are to be set. */
struct gather_query gather_query_of(const struct pool *pool, const struct pool_entry *x,
                                    int32_t latency_ms_max);

/* Fills `options`, whose content before is ignored. O(slots passed over and looked at). `g` borrows
 * from the pool: valid until its next change. */
void gather_run(struct gathered *g, const struct gather_query *q);

/* Fills `in_order`: as the pool's ruleset wants it around `anchor`, which is `age_ms` old; by age
 * among equals. */
void gather_sort(struct gathered *g, const struct pool *pool, const struct ticket *anchor,
                 int64_t age_ms);
void gather_sort_keys(struct gathered *g, double key);

#endif
