/* topics.c - positions by topic. */
#include "events/topics.h"

#include "base/limits.h"
#include "base/mem.h"

void topics_fini(struct topics *t) {
    for (size_t i = 0; i < t->count; i++)
        mem_free((char *)t->at[i].topic.at);
    mem_free(t->at);
    *t = (struct topics){0};
}

void topics_reset(struct topics *t, struct position start) {
    topics_fini(t);
    t->start = t->last = start;
}

/* Sorted by topic: the place where it is or belongs. */
static size_t place_of(const struct topics *t, struct str topic) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(t->at[middle].topic, topic) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct topics *t, size_t place, struct topic_position added) {
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 16;
        t->at = mem_grow(t->at, t->capacity, sizeof *t->at);
    }
    for (size_t i = t->count++; i > place; i--)
        t->at[i] = t->at[i - 1];
    t->at[place] = added;
}

struct position topics_advance(struct topics *t, struct str topic, struct position at) {
    size_t place = place_of(t, topic);
    if (place < t->count && str_equal(t->at[place].topic, topic)) {
        struct position previous = t->at[place].at;
        t->at[place].at = t->last = at;
        return previous;
    }
    if (t->count == LIMIT_TOPICS) {
        topics_reset(t, t->last);
        place = 0;
    }
    insert(t, place, (struct topic_position){{mem_text(topic), topic.size}, at});
    t->last = at;
    return t->start;
}
