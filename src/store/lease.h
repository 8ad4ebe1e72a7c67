/* lease.h - who leads a realm: SET muster:{realm}:lease "<owner> <lease ms> <renewals> <clock ms>".
 *
 * Only for liveness: it keeps contenders from fencing a healthy owner off. Correctness rests on the
 * stream's ids. Every renewal changes the value, and every change is a compare-and-set (WATCH), so
 * that a contender needs no clock but his own: a value that stays the same for two lease times is a
 * dead owner's, whatever Redis' clock makes of its time to live.
 * The owner also tells the realm's clock, so that who takes over goes on with it instead of his
 * host's. All calls block up to the connection's time limit.
 */
#ifndef MUSTER_STORE_LEASE_H
#define MUSTER_STORE_LEASE_H

#include "store/stream.h"

enum lease_state {
    LEASE_HELD,    /* ours, and was before */
    LEASE_TAKEN,   /* ours from now on */
    LEASE_FOREIGN, /* another's */
};

#define LEASE_VALUE_BYTES 192

struct lease {
    struct str owner; /* borrowed: unique per process start, at most 95 bytes without blanks */
    int64_t lease_ms;
    int64_t clock_ms; /* the realm's clock now, told with a renewal; 0 = not known */

    char holder[96];              /* LEASE_FOREIGN: who; empty when he came in between */
    char seen[LEASE_VALUE_BYTES]; /* the last value looked at, */
    int64_t seen_us;              /* and since when it is that: clock_mono_us */
    int64_t told_clock_ms;        /* the clock in it; 0 = none */
    uint64_t renewals;            /* of ours */
    int64_t held_us;              /* when the last of them was asked for: clock_mono_us */
};

/* Takes it when free or dead, makes it longer when ours.
 * Errors: of redis_run; nothing is known then, and the connection must be closed. */
enum err lease_take(struct redis *r, const struct stream *s, struct lease *l,
                    enum lease_state *state, struct err_text *why) ERR_CHECKED;
/* Removes it, whoever holds it: for when nobody can be alive who does. */
enum err lease_clear(struct redis *r, const struct stream *s, struct err_text *why) ERR_CHECKED;
/* Hands it back when it is ours. */
enum err lease_release(struct redis *r, const struct stream *s, const struct lease *l,
                       struct err_text *why) ERR_CHECKED;

#endif
