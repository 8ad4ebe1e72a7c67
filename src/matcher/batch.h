/* batch.h - decided records on their way to the journal, and the replies that wait for them.
 *
 *   open batch --seal--> sealed ones --pump, one at a time--> durable
 *
 * A reply is given the tag of the youngest record it could have seen, and leaves when that tag is
 * durable; at once when nothing is on its way and this process is certain to lead. A reply whose
 * deadline comes first is answered UNAVAILABLE, outcome unknown, while its records stay on their
 * way. Thread safety: none (the matcher's thread).
 */
#ifndef MUSTER_MATCHER_BATCH_H
#define MUSTER_MATCHER_BATCH_H

#include "base/heap.h"
#include "base/list.h"
#include "model/record.h"
#include "rt/call.h"

struct pump;

struct batch_tally { /* what becomes true when a batch is durable */
    uint32_t records, created, matched, cancelled, expired, matches, proposals, proposals_failed;
};

struct batch {
    struct strbuf open;
    struct batch_tally tally; /* of the open batch */
    uint64_t open_tag;        /* of the open batch; counts from 1 */
    uint64_t durable_tag;
    struct list sealed; /* sealed.link, oldest first; the first may be in flight */
    bool in_flight;
    bool certain; /* the owner's: nobody else leads, and nothing is lost; else a reply that waits
                   * for no disk is refused */
    size_t pending_bytes;  /* open, sealed and in flight */
    struct list waiting;   /* waiting.link: replies by tag */
    struct heap deadlines; /* waiting.deadline, us */
};

void batch_init(struct batch *b);
void batch_fini(struct batch *b); /* nothing waits any more: batch_abandon first */

/* Encodes one record into the open batch; seals it when it is full. */
void batch_add(struct batch *b, const struct record *r);
/* Answers the call when everything decided so far is durable. */
void batch_reply(struct batch *b, struct call *c, enum err code, const struct err_text *why,
                 struct str payload);
/* Hands the oldest batch to the pump when it has none in hand. */
void batch_flush(struct batch *b, struct pump *p);
/* When this tag is durable, so is everything decided so far. */
uint64_t batch_tag(const struct batch *b);
/* The batch in flight is durable: counts it, sends the replies that waited for it. */
void batch_durable(struct batch *b, uint64_t tag);
/* Answers those whose deadline has come. `why`: what keeps the store from writing, or empty. */
void batch_expire(struct batch *b, int64_t now_us, const struct err_text *why);
int64_t batch_due_us(const struct batch *b); /* next deadline; INT64_MAX */
bool batch_idle(const struct batch *b);      /* everything decided is durable */
/* Drops all records and answers all who wait UNAVAILABLE: the leadership is lost. */
void batch_abandon(struct batch *b, const struct err_text *why);

#endif
