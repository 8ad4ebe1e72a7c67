/* explain_codec.h - explanations (model/why.h) as muster.v1 messages.
 *
 * Cost: the size of what is written. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_EXPLAIN_CODEC_H
#define MUSTER_WIRE_EXPLAIN_CODEC_H

#include "base/str.h"
#include "model/why.h"

/* Adds one QueueExplanation to an ExplainTicketResponse. */
void explain_codec_write(const struct queue *q, const struct why *w, struct strbuf *out);

#endif
