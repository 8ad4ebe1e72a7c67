/* timers.c - buckets by the highest bit in which a due time differs from the last one taken. */
#include "base/timers.h"

#include "base/mem.h"

#include <assert.h>

static unsigned bucket_of(const struct timers *t, int64_t due) {
    uint64_t differing = (uint64_t)due ^ (uint64_t)t->last;
    return differing ? 64 - (unsigned)__builtin_clzll(differing) : 0;
}

static void append(struct timers *t, struct timer timer) {
    struct timers_bucket *b = &t->buckets[bucket_of(t, timer.due)];
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 16;
        b->items = mem_grow(b->items, b->capacity, sizeof *b->items);
    }
    if (b->count == 0 || timer.due < b->due) b->due = timer.due;
    b->items[b->count++] = timer;
}

void timers_add(struct timers *t, struct timer timer) {
    if (timer.due < t->last) timer.due = t->last;
    append(t, timer);
    t->count++;
}

static struct timers_bucket *first_bucket(const struct timers *t) {
    for (unsigned i = 0; t->count && i < 65; i++) {
        if (t->buckets[i].count) return (struct timers_bucket *)&t->buckets[i];
    }
    return NULL;
}

int64_t timers_due(const struct timers *t) {
    const struct timers_bucket *b = first_bucket(t);
    return b ? b->due : INT64_MAX;
}

/* Moves the bucket's timers to lower ones, now that its earliest is the last time. */
static void redistribute(struct timers *t, struct timers_bucket *b) {
    size_t count = b->count;
    t->last = b->due;
    b->count = 0;
    for (size_t i = 0; i < count; i++)
        append(t, b->items[i]); /* always to a lower bucket: never over what is still to move */
}

bool timers_take(struct timers *t, int64_t now, struct timer *out) {
    struct timers_bucket *b = first_bucket(t);
    if (!b || b->due > now) return false;
    if (b != &t->buckets[0]) {
        redistribute(t, b);
        b = &t->buckets[0];
    }
    assert(b->count > 0);
    *out = b->items[--b->count];
    t->count--;
    return true;
}

void timers_sweep(struct timers *t, timers_keep_fn keep) {
    t->count = 0;
    for (unsigned i = 0; i < 65; i++) {
        struct timers_bucket *b = &t->buckets[i];
        size_t kept = 0;
        for (size_t k = 0; k < b->count; k++) {
            if (!keep(&b->items[k])) continue;
            struct timer timer = b->items[k];
            if (kept == 0 || timer.due < b->due) b->due = timer.due;
            b->items[kept++] = timer;
        }
        b->count = kept;
        t->count += kept;
    }
}

void timers_fini(struct timers *t) {
    for (unsigned i = 0; i < 65; i++)
        mem_free(t->buckets[i].items);
    *t = (struct timers){0};
}
