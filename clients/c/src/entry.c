/* entry.c - collects, sorts by index, hands on. */
#include "entry.h"

#include <stdlib.h>
#include <string.h>

bool muster_entry_add(struct entry *e, const char *topic, Muster__V1__EventBatch *batch) {
    char *name = strdup(topic);
    if (name == NULL) goto no_memory;
    if (e->batch_count == e->batch_capacity) {
        size_t capacity = e->batch_capacity ? e->batch_capacity * 2 : 8;
        struct entry_batch *grown = realloc(e->batches, capacity * sizeof *grown);
        if (grown == NULL) goto no_memory;
        e->batches = grown;
        e->batch_capacity = capacity;
    }
    e->at = (struct position){batch->epoch, batch->seq};
    e->wanted = batch->entry_events;
    e->event_count += batch->n_events;
    e->batches[e->batch_count++] = (struct entry_batch){name, batch};
    return true;
no_memory:
    free(name);
    muster__v1__event_batch__free_unpacked(batch, NULL);
    return false;
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
        free(e->batches[i].topic);
        muster__v1__event_batch__free_unpacked(e->batches[i].batch, NULL);
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
    clear(e);
    free(e->batches);
    *e = (struct entry){0};
}
