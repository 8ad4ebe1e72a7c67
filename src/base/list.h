/* list.h - doubly linked lists whose nodes are embedded in what they link.
 *
 * A head names its members: struct list waiting; (ticket.link). An unlinked node is zeroed.
 * All operations O(1). Thread safety: none.
 */
#ifndef MUSTER_BASE_LIST_H
#define MUSTER_BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next, *previous; /* NULL when unlinked */
};

struct list {
    struct list_node head; /* circular through the head */
    size_t count;
};

#define LIST_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Safe against removal of the current node. */
#define LIST_EACH(list, node)                                                   \
    for (struct list_node *node = (list)->head.next, *node##_next = node->next; \
         node != &(list)->head; node = node##_next, node##_next = node->next)

static inline void list_init(struct list *l) {
    l->head.next = l->head.previous = &l->head;
    l->count = 0;
}

static inline bool list_linked(const struct list_node *n) {
    return n->next != NULL;
}

static inline void list_append(struct list *l, struct list_node *n) {
    assert(!list_linked(n));
    n->previous = l->head.previous;
    n->next = &l->head;
    l->head.previous->next = n;
    l->head.previous = n;
    l->count++;
}

/* Behind `place`, which is in the list or its head. */
static inline void list_insert(struct list *l, struct list_node *place, struct list_node *n) {
    assert(!list_linked(n));
    n->previous = place;
    n->next = place->next;
    place->next->previous = n;
    place->next = n;
    l->count++;
}

static inline void list_remove(struct list *l, struct list_node *n) {
    assert(list_linked(n) && l->count > 0);
    n->previous->next = n->next;
    n->next->previous = n->previous;
    n->next = n->previous = NULL;
    l->count--;
}

static inline struct list_node *list_first(const struct list *l) {
    return l->count ? l->head.next : NULL;
}

#endif
