/* heap.h - timers: a heap of embedded nodes by due time; ties fire in start order.
 *
 * start is stop + set + insert, so restarting is free. O(log n). Thread safety: none.
 * A due node is taken by heap_take_due one by one; the caller collects first and runs after.
 * What is compared stands in the heap's array, not in the nodes: with a million of them each look
 * at a node is a cache miss.
 */
#ifndef MUSTER_BASE_HEAP_H
#define MUSTER_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint32_t index; /* place + 1; 0 = not in a heap */
};

struct heap_slot {
    int64_t due;    /* the caller's unit */
    uint64_t order; /* start order: breaks ties */
    struct heap_node *node;
};

struct heap {
    struct heap_slot *slots;
    size_t count, capacity;
    int64_t due_max; /* no node is due after it */
    uint64_t order_next;
};

#define HEAP_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void heap_start(struct heap *h, struct heap_node *n, int64_t due);
void heap_stop(struct heap *h, struct heap_node *n); /* harmless when not started */
bool heap_started(const struct heap_node *n);
struct heap_node *heap_first(const struct heap *h); /* NULL when empty */
int64_t heap_due(const struct heap *h);             /* of the first; INT64_MAX when empty */
int64_t heap_due_of(const struct heap *h, const struct heap_node *n); /* n is started in h */
/* Walks in no certain order: `i` < h->count. No change of the heap meanwhile. */
struct heap_node *heap_nth(const struct heap *h, size_t i);
struct heap_node *heap_take_due(struct heap *h, int64_t now); /* NULL when none is due */
void heap_stop_all(struct heap *h); /* O(n), far cheaper than stopping one by one */
void heap_fini(struct heap *h);

#endif
