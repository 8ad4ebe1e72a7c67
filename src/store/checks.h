/* checks.h - is this Redis fit to hold a journal? Asked once per connection.
 *
 * Refuses what cannot work (older than 5.0, a replica); warns, once per finding and process part,
 * of what can lose acknowledged tickets (no append-only file, weaker fsync, eviction) or, with
 * `wants_replica`, of what keeps them from being acknowledged (no replica).
 */
#ifndef MUSTER_STORE_CHECKS_H
#define MUSTER_STORE_CHECKS_H

#include "store/redis.h"

struct checks {
    unsigned warned;     /* bits of findings already logged */
    bool wants_fsync;    /* durability "fsync" or "replicated"; else "everysec" */
    bool wants_replica;  /* durability "replicated" */
    bool has_nomkstream; /* out: Redis 6.2 or newer */
};

/* FAILED_PRECONDITION: version or role; the text says which and what to do. */
enum err checks_run(struct checks *c, struct redis *r, struct err_text *why) ERR_CHECKED;

#endif
