/* lease.h - who may lead a realm: SET muster:{realm}:lease <owner> NX PX.
 *
 * Only for liveness: it keeps contenders from fencing a healthy owner off. Correctness rests on the
 * stream's ids. All calls block up to the connection's time limit.
 */
#ifndef MUSTER_STORE_LEASE_H
#define MUSTER_STORE_LEASE_H

#include "store/stream.h"

enum lease_state {
    LEASE_HELD,    /* ours, and was before */
    LEASE_TAKEN,   /* ours from now on */
    LEASE_FOREIGN, /* another's */
};

struct lease {
    struct str owner; /* borrowed: unique per process start */
    int64_t lease_ms;
    char holder[96];        /* LEASE_FOREIGN: who */
    int64_t stuck_since_us; /* clock_mono_us since when the holder's time to live is impossible */
};

/* Takes it when free, makes it longer when ours. A foreign one whose time to live no living owner
 * can have set (none, or more than 60 s: Redis' clock jumped back) for two lease times is removed.
 * Errors: of redis_run; nothing is known then. */
enum err lease_take(struct redis *r, const struct stream *s, struct lease *l,
                    enum lease_state *state, struct err_text *why) ERR_CHECKED;
/* Removes it, whoever holds it: for when nobody can be alive who does. */
enum err lease_clear(struct redis *r, const struct stream *s, struct err_text *why) ERR_CHECKED;
/* Hands it back when it is ours. */
enum err lease_release(struct redis *r, const struct stream *s, const struct lease *l,
                       struct err_text *why) ERR_CHECKED;

#endif
