/* gather.h - the candidates of one search: a ticket's neighbours by key, nearest first.
 *
 * Among equal distances older tickets come first. Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_GATHER_H
#define MUSTER_MODEL_GATHER_H

#include "base/limits.h"
#include "model/pool.h"

#define GATHER_MAX (2 * LIMIT_MATCH_PLAYERS)

struct option { /* one candidate */
    struct pool_entry *entry;
    double key;
    int64_t created_ms;
    uint64_t regions; /* those it reaches within the latency asked for */
    uint32_t players;
};

struct gather_query {
    const struct pool_entry *x;
    double spread;          /* |key - x.key| at most this */
    int32_t latency_ms_max; /* a common region within it is required; INT32_MAX: none */
    uint32_t players_max;   /* of the candidate */
    uint32_t want;          /* at most this many, 1..GATHER_MAX */
    uint32_t skip, visits;  /* slots passed over, then looked at, at most */
};

struct gathered {
    struct option slots[2 * GATHER_MAX]; /* below x grow down from the middle, others up */
    const struct option *by_key;         /* ascending; `below` of them before x's place */
    uint32_t count, below;
    const struct option *in_order[GATHER_MAX]; /* as they are tried: oldest first */
    uint32_t visited;
    bool truncated; /* the window holds more than was looked at */
};

/* Fills `g`, whose content before is ignored. O(slots passed over and looked at). `g` borrows from
 * the pool: valid until its next change. */
void gather_run(struct gathered *g, const struct gather_query *q);

/* Puts `in_order` into the order that the ruleset's sorts want around `x`, by age among equals. */
void gather_rank(struct gathered *g, const struct ruleset *r, const struct pool_entry *x);

#endif
