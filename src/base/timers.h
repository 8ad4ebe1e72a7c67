/* timers.h - due times that only ever grow, forgotten rather than removed: a radix heap.
 *
 * For many timers of which most never fire. Nothing is removed: whoever owns a timer numbers it,
 * and ignores one that comes with an old number. All memory is touched in sequence: timers_add
 * O(1), timers_take O(1) amortised over the bits of the waiting time.
 * Source: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem" (1990).
 * Thread safety: none.
 */
#ifndef MUSTER_BASE_TIMERS_H
#define MUSTER_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due;
    void *what;
    uint64_t number;
};

struct timers_bucket {
    struct timer *items;
    size_t count, capacity;
    int64_t due; /* of its earliest */
};

struct timers { /* zeroed memory is an empty one */
    struct timers_bucket buckets[65];
    int64_t last; /* no timer is due before it */
    size_t count; /* those that were forgotten included */
};

/* Whether the timer is still meant. */
typedef bool (*timers_keep_fn)(const struct timer *t);

void timers_add(struct timers *t, struct timer timer); /* due in the past: due at once */
/* The earliest, forgotten or not; INT64_MAX when there is none. */
int64_t timers_due(const struct timers *t);
/* Takes one that is due; false when none is. Equal times come in no certain, but always the same
 * order. `now` never goes back. */
bool timers_take(struct timers *t, int64_t now, struct timer *out);
/* Drops all that `keep` denies. O(n). */
void timers_sweep(struct timers *t, timers_keep_fn keep);
void timers_fini(struct timers *t);

#endif
