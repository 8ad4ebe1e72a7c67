/* entry.h - the messages of one journal entry, put together until it is whole.
 *
 * An entry's events come in one message per topic, so events of different topics come out of
 * order; together they are handed on in order of index. Memory: each batch lives in a bump of its
 * own, which the entry takes over with it and keeps for later ones.
 */
#ifndef MUSTER_CLIENT_ENTRY_H
#define MUSTER_CLIENT_ENTRY_H

#include "bump.h"
#include "tracker.h"

#include <muster/v1/events.pb-c.h>

struct entry {
    struct position at;
    size_t event_count, wanted; /* wanted 0 = not told: whole with its first message */
    size_t batch_count, batch_capacity;
    struct entry_batch {
        const char *topic;
        const Muster__V1__EventBatch *batch;
        struct bump memory; /* of both; empty beyond batch_count */
    } * batches;
};

typedef void (*entry_event_fn)(void *arg, const char *topic, const Muster__V1__Event *event);

/* Takes over the batch with the memory it was unpacked into, and gives an empty one back, in any
 * case. False when out of memory: the message counts as lost. */
bool muster_entry_add(struct entry *e, const char *topic, const Muster__V1__EventBatch *batch,
                      struct bump *memory);
bool muster_entry_empty(const struct entry *e);
bool muster_entry_whole(const struct entry *e);
/* Hands the events on in order of index and empties the entry. */
void muster_entry_flush(struct entry *e, entry_event_fn each, void *arg);
void muster_entry_fini(struct entry *e);

#endif
