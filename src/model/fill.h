/* fill.h - the search for a backfill: which waiting tickets take the open places of a running
 * match.
 *
 *   fill_may(x)       cheap: could x, by its numbers, be one of them?
 *   fill_find(x, ..)  x first, or nobody in particular; then its neighbours by key, oldest first
 *
 * Those present stay in their teams; newcomers are placed greedily, a whole ticket at a time, in
 * the team that lacks players most and then where the teams become most even. While a team is below
 * its minimum nobody can be judged; from then on ruleset_evaluate judges everyone together after
 * each newcomer, and keeps only those with whom the match is legal, until no place is open. All at
 * the backfill's own age. With nobody in particular, others are tried as the first where that
 * fails. In a patient queue a newcomer's own credit and the backfill's waiting must cover what he
 * costs: his distance from the players' mean, and his ping.
 *
 * Bounded: FILL_TRIES evaluations, FILL_FIRSTS beginnings, FILL_OPTIONS candidates. `truncated`:
 * a bound was met; each retry looks at candidates farther away.
 * Deterministic: ties by age, then ticket id. Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_FILL_H
#define MUSTER_MODEL_FILL_H

#include "base/limits.h"
#include "model/backfill.h"
#include "model/pool.h"

#define FILL_TRIES 64
#define FILL_FIRSTS 8
#define FILL_OPTIONS 64
#define FILL_VISITS 512

struct fill; /* the search's buffers */

struct fill_ask {
    const struct pool *pool;
    const struct patience *patience;
    struct backfill *backfill; /* open, and fits its queue's rules */
    int64_t now_ms;
};

struct fill_result {
    bool found, truncated;
    uint64_t nodes; /* tickets placed, plus candidates / 64 */
    /* Those present, then the newcomers from `present` on: what was judged. */
    const struct ticket *tickets[LIMIT_MATCH_PLAYERS];
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    uint32_t present, ticket_count;
    int64_t age_ms;
    struct verdict verdict;
};

struct fill *fill_new(void);
void fill_free(struct fill *f); /* NULL is fine */

/* Whether numbers alone do not rule out that the entry joins: partition, places, key, latency. */
bool fill_may(const struct fill_ask *ask, const struct pool_entry *x);

/* `x` NULL: anybody. Sets backfill->skip. The result is borrowed until the next search. */
const struct fill_result *fill_find(struct fill *f, const struct fill_ask *ask,
                                    struct pool_entry *x);

/* When a backfill that found nobody is searched for again: at its next expansion step, or in
 * max(1 s when truncated, else 5 s; half its age), a minute at most. */
int64_t fill_retry_ms(const struct fill_ask *ask, const struct fill_result *result);

#endif
