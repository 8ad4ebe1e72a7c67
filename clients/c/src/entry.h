/* entry.h - the messages of one journal entry, put together until it is whole.
 *
 * An entry's events come in one message per topic, so events of different topics come out of
 * order; together they are handed on in order of index. Memory: owns the batches added.
 */
#ifndef MUSTER_CLIENT_ENTRY_H
#define MUSTER_CLIENT_ENTRY_H

#include "tracker.h"

#include <muster/v1/events.pb-c.h>

struct entry {
    struct position at;
    size_t event_count, wanted; /* wanted 0 = not told: whole with its first message */
    size_t batch_count, batch_capacity;
    struct entry_batch {
        char *topic;
        Muster__V1__EventBatch *batch;
    } * batches;
};

typedef void (*entry_event_fn)(void *arg, const char *topic, const Muster__V1__Event *event);

/* Takes the batch over in any case. False when out of memory: the message counts as lost. */
bool muster_entry_add(struct entry *e, const char *topic, Muster__V1__EventBatch *batch);
bool muster_entry_empty(const struct entry *e);
bool muster_entry_whole(const struct entry *e);
/* Hands the events on in order of index and empties the entry. */
void muster_entry_flush(struct entry *e, entry_event_fn each, void *arg);
void muster_entry_fini(struct entry *e);

#endif
