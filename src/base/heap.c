/* heap.c - a binary heap that keeps each node's place in the node, so that stop is O(log n). */
#include "base/heap.h"

#include "base/mem.h"

#include <assert.h>

enum { CAPACITY_FIRST = 64 };

static bool earlier(const struct heap_node *a, const struct heap_node *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put_at(struct heap *h, size_t place, struct heap_node *n) {
    h->nodes[place] = n;
    n->index = place + 1;
}

static void sift_up(struct heap *h, size_t place, struct heap_node *n) {
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!earlier(n, h->nodes[parent])) break;
        put_at(h, place, h->nodes[parent]);
        place = parent;
    }
    put_at(h, place, n);
}

static void sift_down(struct heap *h, size_t place, struct heap_node *n) {
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && earlier(h->nodes[child + 1], h->nodes[child])) child++;
        if (!earlier(h->nodes[child], n)) break;
        put_at(h, place, h->nodes[child]);
        place = child;
    }
    put_at(h, place, n);
}

void heap_start(struct heap *h, struct heap_node *n, int64_t due) {
    heap_stop(h, n);
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? h->capacity * 2 : CAPACITY_FIRST;
        h->nodes = mem_grow(h->nodes, h->capacity, sizeof(struct heap_node *));
    }
    n->due = due;
    n->order = h->order_next++;
    if (h->count == 0 || due >= h->due_max) { /* as when timers of one length start in turn */
        h->due_max = due;
        put_at(h, h->count++, n);
        return;
    }
    sift_up(h, h->count++, n);
}

void heap_stop(struct heap *h, struct heap_node *n) {
    if (!heap_started(n)) return;
    size_t place = n->index - 1;
    assert(place < h->count && h->nodes[place] == n);
    n->index = 0;
    struct heap_node *last = h->nodes[--h->count];
    if (last == n) return;
    if (place > 0 && earlier(last, h->nodes[(place - 1) / 2]))
        sift_up(h, place, last);
    else
        sift_down(h, place, last);
}

bool heap_started(const struct heap_node *n) {
    return n->index != 0;
}

struct heap_node *heap_first(const struct heap *h) {
    return h->count ? h->nodes[0] : NULL;
}

struct heap_node *heap_take_due(struct heap *h, int64_t now) {
    struct heap_node *first = heap_first(h);
    if (!first || first->due > now) return NULL;
    heap_stop(h, first);
    return first;
}

void heap_stop_all(struct heap *h) {
    for (size_t i = 0; i < h->count; i++)
        h->nodes[i]->index = 0;
    h->count = 0;
}

void heap_fini(struct heap *h) {
    mem_free(h->nodes);
    *h = (struct heap){0};
}
