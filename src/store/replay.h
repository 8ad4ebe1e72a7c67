/* replay.h - a realm from its journal, or on with it: XRANGE in chunks, decoded, applied.
 *
 * Chunks adapt to about 128 KiB. An entry that cannot be decoded ends the replay with DATA_LOSS: to
 * lead without it could put a player into two matches. Thread safety: one thread.
 */
#ifndef MUSTER_STORE_REPLAY_H
#define MUSTER_STORE_REPLAY_H

#include "model/realm.h"
#include "store/stream.h"

struct replay {
    struct redis *redis;
    const struct stream *stream;
    struct position after; /* applied before: the realm is at this entry; {0,0}: it is empty */
    struct position end;   /* replay up to this entry, which must be there */
    /* Called after each chunk: keeps the lease, looks for a stop. An error ends the replay. */
    enum err (*proceed)(void *arg, struct err_text *why);
    void *arg;
    int64_t time_ms;                  /* in, out: the latest time of any record */
    uint64_t entry_count, byte_count; /* in, out */
};

/* Applies what is behind `after` up to `end`. DATA_LOSS: undecodable entry, or the stream ends
 * before `end`; OUT_OF_RANGE: `after` is not there any more (trimmed, or the journal went back);
 * FAILED_PRECONDITION: foreign entry; others from redis_run or proceed. After an error the realm
 * is of no use but to be freed. */
enum err replay_run(struct replay *p, struct realm *realm, struct err_text *why) ERR_CHECKED;

#endif
