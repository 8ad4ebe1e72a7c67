/* counts.h - what operators see of each queue: the realm's own figures, shown as metrics.
 *
 *   counts_begin (leading) -> counts_match per match, counts_publish now and then -> counts_end
 *
 * The realm counts as it applies, replayed records too; counts_begin takes that as zero, so that
 * metrics count what happened since this process leads. Cost: counts_publish O(queues), the rest
 * O(1). Thread safety: none (the matcher's thread).
 */
#ifndef MUSTER_MATCHER_COUNTS_H
#define MUSTER_MATCHER_COUNTS_H

#include "base/map.h"
#include "model/realm.h"

#define COUNTS_EVERY_MS 500

struct counts {
    struct map queues;         /* struct queue_counts by name */
    struct realm_counts realm; /* as far as it is published */
    int64_t due_ms;
};

void counts_begin(struct counts *c, const struct realm *r);
void counts_match(struct counts *c, const struct match_spec *m);
/* Does nothing until COUNTS_EVERY_MS after the last time. */
void counts_publish(struct counts *c, const struct realm *r, int64_t now_ms);
/* Nothing waits here any more: gauges go to zero. Frees. Zeroed memory is fine. */
void counts_end(struct counts *c);

#endif
