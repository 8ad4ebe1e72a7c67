/* queue_history.h - who put which definition of a queue, when, and those before the present one.
 *
 * The past is ascending by number: the newest LIMIT_QUEUE_VERSIONS of together at most
 * LIMIT_VERSIONS_BYTES; older ones are forgotten. Those before the
 * first held may be added later, the newest first: a journal that was cut has them carried.
 * Memory: texts are copied. Thread safety: none.
 */
#ifndef MUSTER_MODEL_QUEUE_HISTORY_H
#define MUSTER_MODEL_QUEUE_HISTORY_H

#include "base/str.h"

#include <stdint.h>

struct queue_version {
    uint32_t number; /* counts from 1 */
    int64_t put_ms;  /* wall clock of the leader */
    bool allow_shrinking;
    struct str json;            /* as it was put */
    struct str author, comment; /* as its author said; may be empty */
};

struct queue_history {
    struct queue_version *past; /* owned, and their texts */
    uint32_t count;
    size_t bytes; /* of their texts */
};

/* Adds a version that is not there. Returns how many were forgotten for it, itself included. */
uint32_t queue_history_add(struct queue_history *h, const struct queue_version *v);
const struct queue_version *queue_history_find(const struct queue_history *h,
                                               uint32_t number); /* or NULL */
void queue_history_fini(struct queue_history *h);                /* zeroed memory is fine */

#endif
