/* reader.h - reads a realm's journal: follow it as it grows, or look back.
 *
 * With `replicated` an entry is held back until a replica has it (the look-back connection finds
 * it, and WAITs), so that nobody hears of what a failover undoes.
 * Two connections: one blocks in XREAD and is polled through reader_fd; one serves look-backs.
 * Both reconnect by themselves with back-off; after a reconnect the follower goes on after the
 * last entry it gave. Thread safety: one thread per reader.
 */
#ifndef MUSTER_STORE_READER_H
#define MUSTER_STORE_READER_H

#include "base/err.h"
#include "base/mem.h"
#include "wire/event_codec.h"

struct reader;

struct reader_options {
    const char *redis; /* as pump_options.redis; NULL = the embedded server's socket */
    const char *state_folder;
    const char *realm;
    int64_t operation_ms;
    bool replicated; /* gives only what a replica has too: nothing that a failover takes back */
};

struct reader_entry {
    struct position at;
    struct str bytes, owner; /* borrowed until the next call on this reader */
};

enum err reader_new(struct reader **out, const struct reader_options *o,
                    struct err_text *why) ERR_CHECKED;
void reader_free(struct reader *r);

/* Where following starts: after this position; {0,0} = from the stream's end as it is then. */
void reader_follow(struct reader *r, struct position after);
/* To poll for reading; -1 while disconnected (then call reader_next at reader_due_ms). */
int reader_fd(const struct reader *r);
int64_t reader_due_ms(const struct reader *r); /* ms until it wants a call regardless; -1 = none */
/* Takes what has arrived, without blocking longer than the connect timeout: up to `max` entries.
 * Returns how many. *jumped = true, once, with the first entry that came: it does not follow what
 * was given before. Either the stream's end fell below that (a rollback; told with what came behind
 * the new end, a new leader's first entry: who asks for a state then, asks one that has noticed),
 * or entries between the two were trimmed before they were read. */
size_t reader_next(struct reader *r, struct reader_entry *entries, size_t max, bool *jumped);
struct position reader_last(const struct reader *r); /* last entry given, or where it started */

/* Entries after `after`, oldest first, into `entries` (borrowed until the next look-back).
 * `*count`: room for so many, then how many there are. OUT_OF_RANGE: that position is not in the
 * stream (trimmed or rolled back), unless it is {0,0} or the stream's trim edge; UNAVAILABLE: Redis
 * is away, or a rollback is not told yet. Blocks up to operation_ms. */
enum err reader_range(struct reader *r, struct position after, struct reader_entry *entries,
                      size_t *count, struct err_text *why) ERR_CHECKED;
/* The same, beginning with the entry `at` itself, which is not {0,0}. */
enum err reader_range_from(struct reader *r, struct position at, struct reader_entry *entries,
                           size_t *count, struct err_text *why) ERR_CHECKED;

#endif
