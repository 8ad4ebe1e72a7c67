/* wheel.c - seven levels of lists, and a word of occupied slots for each. */
#include "base/wheel.h"

#define SLOT_BITS 6
#define US_PER_MS 1000

void wheel_init(struct wheel *w, int64_t now_us) {
    *w = (struct wheel){.now_ms = now_us / US_PER_MS};
    list_init(&w->due);
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
}

/* The highest digit in which the two differ. It stays the same until `now` reaches the slot. */
static int level_of(int64_t now_ms, int64_t due_ms) {
    return (63 - __builtin_clzll((uint64_t)(now_ms ^ due_ms))) / SLOT_BITS;
}

static int slot_of(int64_t due_ms, int level) {
    return (int)(due_ms >> (level * SLOT_BITS)) & (WHEEL_SLOTS - 1);
}

static void place(struct wheel *w, struct wheel_node *n) {
    if (n->due_ms <= w->now_ms) {
        list_append(&w->due, &n->link);
        return;
    }
    int level = level_of(w->now_ms, n->due_ms), slot = slot_of(n->due_ms, level);
    assert(level < WHEEL_LEVELS);
    list_append(&w->slots[level][slot], &n->link);
    w->occupied[level] |= (uint64_t)1 << slot;
}

void wheel_start(struct wheel *w, struct wheel_node *n, int64_t due_us) {
    assert(n->fire);
    wheel_stop(w, n);
    n->due_ms = (due_us + US_PER_MS - 1) / US_PER_MS;
    place(w, n);
}

void wheel_stop(struct wheel *w, struct wheel_node *n) {
    if (!list_linked(&n->link)) return;
    if (n->due_ms <= w->now_ms) {
        list_remove(&w->due, &n->link);
        return;
    }
    int level = level_of(w->now_ms, n->due_ms), slot = slot_of(n->due_ms, level);
    list_remove(&w->slots[level][slot], &n->link);
    if (w->slots[level][slot].count == 0) w->occupied[level] &= ~((uint64_t)1 << slot);
}

/* The first occupied slot: its level, and the time at which it begins. False: there is none.
 * Lower levels come first, since all of a level lies within one slot of the next. */
static bool first_slot(const struct wheel *w, int *level, int64_t *begin_ms) {
    for (*level = 0; *level < WHEEL_LEVELS; ++*level) {
        if (!w->occupied[*level]) continue;
        int shift = *level * SLOT_BITS, slot = __builtin_ctzll(w->occupied[*level]);
        *begin_ms =
            (w->now_ms >> (shift + SLOT_BITS) << (shift + SLOT_BITS)) + ((int64_t)slot << shift);
        return true;
    }
    return false;
}

int64_t wheel_due_us(const struct wheel *w) {
    int level;
    int64_t begin_ms;
    if (w->due.count > 0) return w->now_ms * US_PER_MS;
    return first_slot(w, &level, &begin_ms) ? begin_ms * US_PER_MS : INT64_MAX;
}

/* Goes to the slot's time: what is in it is due, or moves to a lower level. */
static void enter_slot(struct wheel *w, int level, int64_t begin_ms) {
    int slot = slot_of(begin_ms, level);
    struct list *list = &w->slots[level][slot];
    w->now_ms = begin_ms;
    w->occupied[level] &= ~((uint64_t)1 << slot);
    for (struct list_node *node; (node = list_first(list));) {
        list_remove(list, node);
        place(w, LIST_OF(node, struct wheel_node, link));
    }
}

struct wheel_node *wheel_take(struct wheel *w, int64_t now_us) {
    int64_t now_ms = now_us / US_PER_MS, begin_ms;
    int level;
    while (w->due.count == 0) {
        if (!first_slot(w, &level, &begin_ms) || begin_ms > now_ms) {
            if (now_ms > w->now_ms) w->now_ms = now_ms;
            return NULL;
        }
        enter_slot(w, level, begin_ms);
    }
    struct list_node *node = list_first(&w->due);
    list_remove(&w->due, node);
    return LIST_OF(node, struct wheel_node, link);
}
