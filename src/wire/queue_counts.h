/* queue_counts.h - what searches of a queue met, as the fields of GetQueueStatsResponse.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_QUEUE_COUNTS_H
#define MUSTER_WIRE_QUEUE_COUNTS_H

#include "model/queue.h"

/* What is counted beside rules. */
#define QUEUE_COUNTS_PATIENCE "muster.patience"
#define QUEUE_COUNTS_PLAYERS "muster.players"

void queue_counts_write(const struct queue *q, struct strbuf *out);

#endif
