/* compaction.h - keeps the journal short: living things are re-recorded, then the old part goes.
 *
 *   IDLE --the oldest mark is older than keep--> CARRYING --all decided--> CARRIED
 *        <------------------- all of it durable: trim to the mark -----------'
 *
 * A mark is a position and a time: no entry before it holds a later record. Marks are set while
 * appending, an eighth of the retention apart, so a ticket that waits long is re-recorded about
 * once per retention. Thread safety: none (the matcher's thread).
 */
#ifndef MUSTER_MATCHER_COMPACTION_H
#define MUSTER_MATCHER_COMPACTION_H

#include <stdbool.h>
#include <stdint.h>

struct matcher;

enum { COMPACTION_MARKS = 16 };

struct compaction_mark {
    int64_t time_ms;
    uint64_t epoch, seq;
};

enum compaction_phase { COMPACTION_IDLE, COMPACTION_CARRYING, COMPACTION_CARRIED };

struct compaction {
    struct compaction_mark marks[COMPACTION_MARKS]; /* oldest first */
    unsigned mark_count;
    enum compaction_phase phase;
    uint64_t cursor;      /* CARRYING: realm_carry's */
    uint64_t carried_tag; /* CARRIED: the batch after which nothing living is left behind */
};

/* A leadership begins at this place: everything before it is at most that old. */
void compaction_begin(struct compaction *c, struct compaction_mark at);
/* An entry became durable. */
void compaction_note(struct compaction *c, struct compaction_mark at, int64_t keep_ms);
/* Does a bounded slice of what is due; true when more is left at once. */
bool compaction_work(struct matcher *m);

#endif
