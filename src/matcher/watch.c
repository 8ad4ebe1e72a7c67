/* watch.c - held long polls by ticket and by deadline. */
#include "matcher/watch.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"

#include <assert.h>

enum { MARGIN_US = 100000 }; /* an unchanged answer leaves this long before the deadline */

struct watch {
    struct id ticket_id;
    struct watch *next; /* of the same ticket */
    struct heap_node deadline;
    struct call *call;
};

static bool of_ticket(const void *value, const void *key) {
    return id_equal(((const struct watch *)value)->ticket_id, *(const struct id *)key);
}

static struct watch *first_of(const struct watches *w, struct id ticket_id) {
    return map_get(&w->by_ticket, id_hash(ticket_id), of_ticket, &ticket_id);
}

void watch_fini(struct watches *w) {
    assert(w->count == 0);
    map_fini(&w->by_ticket);
    heap_fini(&w->deadlines);
    mem_free(w->changed);
}

bool watch_add(struct watches *w, struct id ticket_id, struct call *c) {
    if (w->count >= LIMIT_WATCHERS) {
        metric_add(METRIC_watchers_refused_total, 1);
        return false;
    }
    struct watch *first = first_of(w, ticket_id), *watch = mem_alloc(sizeof *watch);
    watch->ticket_id = ticket_id;
    watch->call = c;
    if (first) { /* behind the first: the map's value stays */
        watch->next = first->next;
        first->next = watch;
    } else {
        map_put(&w->by_ticket, id_hash(ticket_id), watch);
    }
    heap_start(&w->deadlines, &watch->deadline, c->deadline_us - MARGIN_US);
    w->count++;
    return true;
}

static struct call *take(struct watches *w, struct watch *watch) {
    struct watch *first = first_of(w, watch->ticket_id);
    if (first == watch) {
        map_remove(&w->by_ticket, id_hash(watch->ticket_id), watch);
        if (watch->next) map_put(&w->by_ticket, id_hash(watch->ticket_id), watch->next);
    } else {
        while (first->next != watch)
            first = first->next;
        first->next = watch->next;
    }
    heap_stop(&w->deadlines, &watch->deadline);
    struct call *c = watch->call;
    w->count--;
    mem_free(watch);
    return c;
}

void watch_note(struct watches *w, struct id ticket_id) {
    if (w->count == 0) return;
    if (w->changed_count == w->changed_capacity) {
        w->changed_capacity = w->changed_capacity ? 2 * w->changed_capacity : 64;
        w->changed = mem_grow(w->changed, w->changed_capacity, sizeof *w->changed);
    }
    w->changed[w->changed_count++] = ticket_id;
}

struct call *watch_take_changed(struct watches *w, struct id *ticket_id) {
    for (; w->changed_count > 0; w->changed_count--) {
        *ticket_id = w->changed[w->changed_count - 1];
        struct watch *first = first_of(w, *ticket_id);
        if (first) return take(w, first);
    }
    return NULL;
}

struct call *watch_take_due(struct watches *w, int64_t now_us, struct id *ticket_id) {
    struct heap_node *first = heap_first(&w->deadlines);
    if (!first || heap_due(&w->deadlines) > now_us) return NULL;
    struct watch *watch = HEAP_OF(first, struct watch, deadline);
    *ticket_id = watch->ticket_id;
    return take(w, watch);
}

int64_t watch_due_us(const struct watches *w) {
    return heap_due(&w->deadlines);
}
