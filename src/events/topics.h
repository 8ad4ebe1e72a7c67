/* topics.h - the last position published on each topic: what makes gaps visible.
 *
 * At most LIMIT_QUEUES x 6 topics live at a time; one of a deleted queue stays. At LIMIT_TOPICS all
 * are forgotten, as if the relay began anew after what it published last: subscribers may replay
 * what they have, none misses a gap. O(n) for a new topic, O(log n) else. Thread safety: none.
 */
#ifndef MUSTER_EVENTS_TOPICS_H
#define MUSTER_EVENTS_TOPICS_H

#include "wire/event_codec.h"

struct topics {
    struct topic_position *at; /* texts owned */
    size_t count, capacity;
    struct position start; /* where the relay began: before it nothing was sent */
    struct position last;  /* of all topics; `start` when there is none */
};

void topics_reset(struct topics *t, struct position start);
void topics_fini(struct topics *t); /* zeroed memory is fine */
/* The position before this one on the topic, and from now on this one. */
struct position topics_advance(struct topics *t, struct str topic, struct position at);

#endif
