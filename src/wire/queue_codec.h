/* queue_codec.h - a queue's version as the fields of message Queue, but for the queue's name.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_QUEUE_CODEC_H
#define MUSTER_WIRE_QUEUE_CODEC_H

#include "model/queue_history.h"

#include <stdbool.h>

void queue_codec_write(const struct queue_version *v, struct strbuf *out);
/* Texts are borrowed from `bytes`. False: they are malformed, or not from queue_codec_write. */
bool queue_codec_read(struct str bytes, struct queue_version *out);

#endif
