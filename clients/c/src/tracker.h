/* tracker.h - what a subscriber knows of the journal: what it has seen, and what it has missed.
 *
 * Legal order: muster_tracker_start once (and again after a resync), then for each message
 * muster_tracker_gap before muster_tracker_saw, and muster_tracker_fresh for each event before it
 * is handed on. No I/O.
 *
 * known: every event up to this position was handed on; it is a journal entry, so that a replay
 *        can begin there. floor: events up to here are older than the subscription.
 * Memory: one entry per topic seen, at most TRACKER_TOPICS; past that and out of memory, a topic
 * counts as seen up to `known` only: it costs needless replays, never an event.
 * Source: the gap rule of muster/v1/events.proto. Thread safety: none.
 */
#ifndef MUSTER_CLIENT_TRACKER_H
#define MUSTER_CLIENT_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACKER_TOPICS 65536

struct position {
    uint64_t epoch, seq;
};

struct tracked_topic {
    char *name;
    struct position seen;      /* of its last message */
    struct position delivered; /* of its last event handed on */
    int64_t delivered_index;   /* -1 = none */
};

struct tracker {
    bool started;
    struct position known, floor;
    struct tracked_topic *topics; /* open addressing by name */
    size_t topic_count, capacity;
};

int muster_tracker_order(struct position a, struct position b); /* <0, 0, >0 */

void muster_tracker_start(struct tracker *t, struct position known, struct position floor);
void muster_tracker_fini(struct tracker *t);
/* Whether a message that follows `previous` on its topic was preceded by one not seen. */
bool muster_tracker_gap(const struct tracker *t, const char *topic, struct position previous);
void muster_tracker_saw(struct tracker *t, const char *topic, struct position at);
/* True once per event: it is to be handed on now. */
bool muster_tracker_fresh(struct tracker *t, const char *topic, struct position at, uint32_t index);
/* Everything up to `at`, a journal entry, was handed on. Never goes back. */
void muster_tracker_known(struct tracker *t, struct position at);

#endif
