/* replay.h - rebuilds a realm from its journal: XRANGE in chunks, decoded, applied.
 *
 * Chunks adapt to about 4 MiB. An entry that cannot be decoded ends the replay with DATA_LOSS: to
 * lead without it could put a player into two matches. Thread safety: one thread.
 */
#ifndef MUSTER_STORE_REPLAY_H
#define MUSTER_STORE_REPLAY_H

#include "model/realm.h"
#include "store/stream.h"

struct replay {
    struct redis *redis;
    const struct stream *stream;
    struct position end; /* replay up to this entry, which must be there */
    /* Called after each chunk: keeps the lease, looks for a stop. An error ends the replay. */
    enum err (*proceed)(void *arg, struct err_text *why);
    void *arg;
    int64_t time_ms;                  /* out: the latest time of any record */
    uint64_t entry_count, byte_count; /* out */
};

/* Applies everything up to `end` to the empty `realm`. DATA_LOSS: undecodable entry, or the stream
 * ends before `end`; FAILED_PRECONDITION: foreign entry; others from redis_run or proceed. */
enum err replay_run(struct replay *p, struct realm *realm, struct err_text *why) ERR_CHECKED;

#endif
