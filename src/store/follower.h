/* follower.h - a realm kept up with its journal: what makes a takeover warm.
 *
 *     follower_init -> follower_advance ... -> follower_take | follower_drop
 *
 * The first advance replays the journal from its beginning (1 us per record), the next ones only
 * what came since. A journal that went back, or was trimmed beyond the place reached, makes it
 * begin anew. Its realm is at every position what the leader's is (realm_digest), but for what has
 * ended, which each forgets in its own time.
 * Thread safety: one thread.
 */
#ifndef MUSTER_STORE_FOLLOWER_H
#define MUSTER_STORE_FOLLOWER_H

#include "store/replay.h"

struct follower {
    const struct stream *stream;
    int64_t keep_ms;
    struct realm *realm; /* NULL: nothing applied yet */
    struct position at;  /* the last entry applied */
    int64_t time_ms;     /* the latest time of any record */
    uint64_t entry_count, byte_count;
};

/* Between chunks of an advance: an error ends it (a stop, a lost lease). May use the connection. */
struct follower_guard {
    enum err (*proceed)(void *arg, struct err_text *why);
    void *arg;
};

void follower_init(struct follower *f, const struct stream *stream, int64_t keep_ms);
void follower_drop(struct follower *f); /* forgets the realm: the next advance begins anew */

/* Applies what is there up to the entry `end`. Errors as replay_run; the realm is dropped then. A
 * place that was lost is no error: it begins anew. */
enum err follower_advance(struct follower *f, struct redis *r, struct position end,
                          const struct follower_guard *guard, struct err_text *why) ERR_CHECKED;
struct realm *follower_take(struct follower *f); /* the caller's from now on; NULL when none */

#endif
