/* heap.c - four children to a parent: half the levels of a binary heap, two cache lines each. */
#include "base/heap.h"

#include "base/mem.h"

#include <assert.h>

enum { CAPACITY_FIRST = 64, CHILDREN = 4 };

static bool earlier(const struct heap_slot *a, const struct heap_slot *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put_at(struct heap *h, size_t place, struct heap_slot s) {
    h->slots[place] = s;
    s.node->index = (uint32_t)(place + 1);
}

static size_t parent_of(size_t place) {
    return (place - 1) / CHILDREN;
}

static void sift_up(struct heap *h, size_t place, struct heap_slot s) {
    while (place > 0) {
        size_t parent = parent_of(place);
        if (!earlier(&s, &h->slots[parent])) break;
        put_at(h, place, h->slots[parent]);
        place = parent;
    }
    put_at(h, place, s);
}

/* CHILDREN * place + 1 < h->count */
static size_t earliest_child(const struct heap *h, size_t place) {
    size_t first = CHILDREN * place + 1, best = first;
    size_t end = first + CHILDREN < h->count ? first + CHILDREN : h->count;
    for (size_t child = first + 1; child < end; child++)
        if (earlier(&h->slots[child], &h->slots[best])) best = child;
    return best;
}

static void sift_down(struct heap *h, size_t place, struct heap_slot s) {
    while (CHILDREN * place + 1 < h->count) {
        size_t child = earliest_child(h, place);
        if (!earlier(&h->slots[child], &s)) break;
        put_at(h, place, h->slots[child]);
        place = child;
    }
    put_at(h, place, s);
}

void heap_start(struct heap *h, struct heap_node *n, int64_t due) {
    heap_stop(h, n);
    assert(h->count < UINT32_MAX);
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? h->capacity * 2 : CAPACITY_FIRST;
        h->slots = mem_grow(h->slots, h->capacity, sizeof *h->slots);
    }
    struct heap_slot s = {due, h->order_next++, n};
    if (h->count == 0 || due >= h->due_max) { /* as when timers of one length start in turn */
        h->due_max = due;
        put_at(h, h->count++, s);
        return;
    }
    h->count++;
    sift_up(h, h->count - 1, s);
}

void heap_stop(struct heap *h, struct heap_node *n) {
    if (!heap_started(n)) return;
    size_t place = n->index - 1;
    assert(place < h->count && h->slots[place].node == n);
    n->index = 0;
    struct heap_slot last = h->slots[--h->count];
    if (last.node == n) return;
    if (place > 0 && earlier(&last, &h->slots[parent_of(place)]))
        sift_up(h, place, last);
    else
        sift_down(h, place, last);
}

bool heap_started(const struct heap_node *n) {
    return n->index != 0;
}

struct heap_node *heap_first(const struct heap *h) {
    return h->count ? h->slots[0].node : NULL;
}

int64_t heap_due(const struct heap *h) {
    return h->count ? h->slots[0].due : INT64_MAX;
}

int64_t heap_due_of(const struct heap *h, const struct heap_node *n) {
    assert(heap_started(n) && h->slots[n->index - 1].node == n);
    return h->slots[n->index - 1].due;
}

struct heap_node *heap_nth(const struct heap *h, size_t i) {
    assert(i < h->count);
    return h->slots[i].node;
}

struct heap_node *heap_take_due(struct heap *h, int64_t now) {
    struct heap_node *first = heap_first(h);
    if (!first || h->slots[0].due > now) return NULL;
    heap_stop(h, first);
    return first;
}

void heap_stop_all(struct heap *h) {
    for (size_t i = 0; i < h->count; i++)
        h->slots[i].node->index = 0;
    h->count = 0;
}

void heap_fini(struct heap *h) {
    mem_free(h->slots);
    *h = (struct heap){0};
}
