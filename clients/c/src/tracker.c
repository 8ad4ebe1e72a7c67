/* tracker.c - positions per topic in a small hash table. */
#include "tracker.h"

#include <stdlib.h>
#include <string.h>

int muster_tracker_order(struct position a, struct position b) {
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

static struct position later(struct position a, struct position b) {
    return muster_tracker_order(a, b) >= 0 ? a : b;
}

/* FNV-1a, 64 bit. Topics are the server's queues, not strangers' text. */
static size_t hash_name(const char *name) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return (size_t)hash;
}

/* Where the topic is, or the free place for it. capacity > topic_count. */
static struct tracked_topic *place_of(struct tracked_topic *topics, size_t capacity,
                                      const char *name) {
    size_t at = hash_name(name) & (capacity - 1);
    while (topics[at].name != NULL && strcmp(topics[at].name, name) != 0)
        at = (at + 1) & (capacity - 1);
    return &topics[at];
}

static const struct tracked_topic *find(const struct tracker *t, const char *name) {
    if (t->capacity == 0) return NULL;
    const struct tracked_topic *topic = place_of(t->topics, t->capacity, name);
    return topic->name != NULL ? topic : NULL;
}

static bool grow(struct tracker *t) {
    size_t capacity = t->capacity ? t->capacity * 2 : 64;
    struct tracked_topic *topics = calloc(capacity, sizeof *topics);
    if (topics == NULL) return false;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->topics[i].name != NULL)
            *place_of(topics, capacity, t->topics[i].name) = t->topics[i];
    free(t->topics);
    t->topics = topics;
    t->capacity = capacity;
    return true;
}

/* NULL when there is no room. */
static struct tracked_topic *find_or_add(struct tracker *t, const char *name) {
    if (t->topic_count * 2 >= t->capacity && !grow(t)) return NULL;
    struct tracked_topic *topic = place_of(t->topics, t->capacity, name);
    if (topic->name != NULL) return topic;
    if (t->topic_count == TRACKER_TOPICS) return NULL;
    topic->name = strdup(name);
    if (topic->name == NULL) return NULL;
    topic->delivered_index = -1;
    t->topic_count++;
    return topic;
}

void muster_tracker_start(struct tracker *t, struct position known, struct position floor) {
    muster_tracker_fini(t);
    t->started = true;
    t->known = known;
    t->floor = floor;
}

void muster_tracker_fini(struct tracker *t) {
    for (size_t i = 0; i < t->capacity; i++)
        free(t->topics[i].name);
    free(t->topics);
    *t = (struct tracker){0};
}

bool muster_tracker_gap(const struct tracker *t, const char *topic, struct position previous) {
    struct position seen = later(t->known, t->floor);
    const struct tracked_topic *tracked = find(t, topic);
    if (tracked != NULL) seen = later(seen, tracked->seen);
    return muster_tracker_order(previous, seen) > 0;
}

void muster_tracker_saw(struct tracker *t, const char *topic, struct position at) {
    struct tracked_topic *tracked = find_or_add(t, topic);
    if (tracked != NULL) tracked->seen = later(tracked->seen, at);
}

bool muster_tracker_fresh(struct tracker *t, const char *topic, struct position at,
                          uint32_t index) {
    if (muster_tracker_order(at, later(t->known, t->floor)) <= 0) return false;
    struct tracked_topic *tracked = find_or_add(t, topic);
    if (tracked == NULL) return true;
    int order = muster_tracker_order(at, tracked->delivered);
    if (tracked->delivered_index >= 0 &&
        (order < 0 || (order == 0 && (int64_t)index <= tracked->delivered_index)))
        return false;
    tracked->delivered = at;
    tracked->delivered_index = index;
    return true;
}

void muster_tracker_known(struct tracker *t, struct position at) {
    t->known = later(t->known, at);
}
