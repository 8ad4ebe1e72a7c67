/* stream.h - a realm's journal as a Redis stream: read its top, append, read a range, trim.
 *
 * Entry: XADD muster:{realm}:journal <epoch>-<seq> b <bytes> o <owner>. Redis refuses an id that is
 * not above everything the stream ever held: that is the fence between owners.
 * Replies hold the entries' bytes; free them with redis_reply_free when done.
 * Thread safety: as the connection passed in.
 */
#ifndef MUSTER_STORE_STREAM_H
#define MUSTER_STORE_STREAM_H

#include "store/redis.h"
#include "wire/event_codec.h"

struct stream {
    char key[96];       /* muster:{realm}:journal */
    char lease_key[96]; /* muster:{realm}:lease: same cluster slot */
};

struct stream_entry {
    struct position at;
    struct str bytes, owner; /* borrowed from the reply */
};

struct stream_top {
    struct position at; /* {0,0}: empty or no stream */
    char owner[96];     /* of the top entry */
};

enum { STREAM_CHUNK_MAX = 1000 };

struct stream_span {
    struct position from, to; /* both inclusive */
    size_t count;             /* at most so many: 1..STREAM_CHUNK_MAX */
};

#define STREAM_ID_BYTES 48 /* two u64, a dash and a NUL */

void stream_init(struct stream *s, const char *realm); /* a valid name */
void stream_format_id(struct position at, char out[STREAM_ID_BYTES]);

/* FAILED_PRECONDITION when the entry is none of ours: the text says which and what to do. */
enum err stream_entry_of(const struct stream *s, const struct redisReply *entry,
                         struct stream_entry *out, struct err_text *why) ERR_CHECKED;
/* The highest entry. FAILED_PRECONDITION: the key or the top entry is foreign. */
enum err stream_top(struct redis *r, const struct stream *s, struct stream_top *out,
                    struct err_text *why) ERR_CHECKED;
/* An epoch above every id the stream ever had, which also cannot repeat after the stream was
 * deleted or rolled back: max(last generated id's epoch + 1, Redis' TIME in microseconds). */
enum err stream_next_epoch(struct redis *r, const struct stream *s, uint64_t *epoch,
                           struct err_text *why) ERR_CHECKED;
/* ALREADY_EXISTS: the id is not above the top: somebody wrote there. NOT_FOUND: `must_exist` and
 * the stream is gone. Others: not appended, or (redis_broken) unknown. */
enum err stream_append(struct redis *r, const struct stream *s, const struct stream_entry *entry,
                       bool must_exist, struct err_text *why) ERR_CHECKED;
/* The span's entries, oldest first. */
enum err stream_range(struct redis *r, const struct stream *s, const struct stream_span *span,
                      struct redisReply **reply, struct err_text *why) ERR_CHECKED;
/* stream_range in two halves (redis_ask, redis_answer). */
enum err stream_ask_range(struct redis *r, const struct stream *s, const struct stream_span *span,
                          struct err_text *why) ERR_CHECKED;
/* Whether at least one replica has everything that this connection's last command could have seen
 * (Redis' WAIT counts from there): `*yes` is false when none says so within `patience_ms`, which
 * must be shorter than the connection's time limit. */
enum err stream_replicated(struct redis *r, int64_t patience_ms, bool *yes,
                           struct err_text *why) ERR_CHECKED;
/* Drops everything below `from`. */
enum err stream_trim(struct redis *r, const struct stream *s, struct position from,
                     struct err_text *why) ERR_CHECKED;
struct position stream_after(struct position at); /* the next possible id */
#define STREAM_END ((struct position){UINT64_MAX, UINT64_MAX})

#endif
