/* wheel.h - timers by the tens of thousands: a hierarchical timing wheel of embedded nodes.
 *
 * Seven levels of 64 slots, a slot of level n being 64^n ms wide. A timer stands in the slot where
 * its due time first differs from now, and moves down as that slot's time comes. Times are
 * microseconds of one clock that does not run backwards; a timer fires at most 1 ms late, never
 * early. Start, stop and finding what is due next: O(1). Each timer is moved at most six times.
 * Memory: 12 KiB, none later. Thread safety: none.
 *
 *     wheel_init -> wheel_start / wheel_stop / wheel_take, in any order; no end is needed
 *
 * Source: Varghese and Lauck 1987, scheme 7.
 */
#ifndef MUSTER_BASE_WHEEL_H
#define MUSTER_BASE_WHEEL_H

#include "base/list.h"

#include <stdint.h>

#define WHEEL_SLOTS 64 /* a level's occupied slots are the bits of one word */
#define WHEEL_LEVELS 7 /* 2^42 ms: longer than any machine is up */

struct wheel_node;
typedef void (*wheel_fire_fn)(struct wheel_node *n);

struct wheel_node {
    struct list_node link;
    int64_t due_ms;
    wheel_fire_fn fire; /* the owner's: for whoever takes it */
};

struct wheel {
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* wheel_node.link */
    uint64_t occupied[WHEEL_LEVELS];
    struct list due; /* wheel_node.link: time has come, not taken yet */
    int64_t now_ms;
};

void wheel_init(struct wheel *w, int64_t now_us);
/* Starts, or starts anew. A time that has passed is due at once. */
void wheel_start(struct wheel *w, struct wheel_node *n, int64_t due_us);
void wheel_stop(struct wheel *w, struct wheel_node *n); /* harmless when not started */
/* When to call wheel_take again: at or before the first due time; INT64_MAX when none is started.
 */
int64_t wheel_due_us(const struct wheel *w);
/* One timer that is due, stopped; NULL when there is none. Those of the same millisecond come in no
 * certain order. */
struct wheel_node *wheel_take(struct wheel *w, int64_t now_us);

#endif
