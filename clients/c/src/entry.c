/* entry.c - collects, sorts by index, hands on. */
#include "entry.h"

#include <stdlib.h>
#include <string.h>

/* Memory kept for later batches: an entry seldom has more topics. */
enum { BATCHES_FIRST = 8, MEMORIES_KEPT = 8 };

static bool make_room(struct entry *e) {
    if (e->batch_count < e->batch_capacity) return true;
    size_t capacity = e->batch_capacity ? e->batch_capacity * 2 : BATCHES_FIRST;
    struct entry_batch *grown = realloc(e->batches, capacity * sizeof *grown);
    if (grown == NULL) return false;
    memset(grown + e->batch_capacity, 0, (capacity - e->batch_capacity) * sizeof *grown);
    e->batches = grown;
    e->batch_capacity = capacity;
    return true;
}

bool muster_entry_add(struct entry *e, const char *topic, const Muster__V1__EventBatch *batch,
                      struct bump *memory) {
    size_t topic_bytes = strlen(topic) + 1;
    char *name = muster_bump_alloc(memory, topic_bytes);
    if (name == NULL || !make_room(e)) {
        muster_bump_reset(memory);
        return false;
    }
    memcpy(name, topic, topic_bytes);
    e->at = (struct position){batch->epoch, batch->seq};
    e->wanted = batch->entry_events;
    e->event_count += batch->n_events;
    struct entry_batch *place = &e->batches[e->batch_count++];
    struct bump empty = place->memory;
    *place = (struct entry_batch){name, batch, *memory};
    *memory = empty;
    return true;
}

bool muster_entry_empty(const struct entry *e) {
    return e->batch_count == 0;
}

bool muster_entry_whole(const struct entry *e) {
    return e->batch_count > 0 && e->event_count >= e->wanted;
}

struct ordered {
    const char *topic;
    const Muster__V1__Event *event;
};

static int by_index(const void *a, const void *b) {
    uint32_t left = ((const struct ordered *)a)->event->index;
    uint32_t right = ((const struct ordered *)b)->event->index;
    return (left > right) - (left < right);
}

static void clear(struct entry *e) {
    for (size_t i = 0; i < e->batch_count; i++) {
        if (i < MEMORIES_KEPT)
            muster_bump_reset(&e->batches[i].memory);
        else
            muster_bump_fini(&e->batches[i].memory);
    }
    e->batch_count = e->event_count = e->wanted = 0;
}

void muster_entry_flush(struct entry *e, entry_event_fn each, void *arg) {
    struct ordered *events = NULL;
    if (e->batch_count > 1) events = malloc((e->event_count + 1) * sizeof *events);
    size_t count = 0;
    for (size_t i = 0; i < e->batch_count; i++)
        for (size_t k = 0; k < e->batches[i].batch->n_events; k++) {
            struct ordered next = {e->batches[i].topic, e->batches[i].batch->events[k]};
            /* One message is in order already; so is the best that can be done without memory. */
            if (events == NULL)
                each(arg, next.topic, next.event);
            else
                events[count++] = next;
        }
    if (events != NULL) qsort(events, count, sizeof *events, by_index);
    for (size_t i = 0; i < count; i++)
        each(arg, events[i].topic, events[i].event);
    free(events);
    clear(e);
}

void muster_entry_fini(struct entry *e) {
    for (size_t i = 0; i < e->batch_capacity; i++)
        muster_bump_fini(&e->batches[i].memory);
    free(e->batches);
    *e = (struct entry){0};
}
