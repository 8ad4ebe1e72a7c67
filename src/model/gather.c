/* gather.c - walks a key index outwards from one ticket, both ways at once. */
#include "model/gather.h"

#include <assert.h>
#include <stdlib.h>

/* The side below x goes through runs of equal keys: descending keys, but oldest first in a run. */
struct walk {
    const struct key_index *index;
    struct key_cursor up;
    struct key_cursor down, run_end, run_start;
    const struct key_slot *next_up, *next_down; /* NULL: that side is done */
};

static void enter_run_below(struct walk *w) {
    struct key_cursor c = w->run_start;
    w->next_down = NULL;
    if (!key_index_previous(w->index, &c)) return;
    double key = key_index_at(w->index, c)->key;
    struct key_cursor before = c;
    bool alone =
        !key_index_previous(w->index, &before) || key_index_at(w->index, before)->key < key;
    w->run_end = w->run_start;
    w->run_start = w->down = alone ? c : key_index_lower(w->index, key);
    w->next_down = key_index_at(w->index, w->down);
}

static void step_down(struct walk *w) {
    w->down = key_index_next(w->index, w->down);
    if (key_cursor_equal(w->down, w->run_end))
        enter_run_below(w);
    else
        w->next_down = key_index_at(w->index, w->down);
}

static void step_up(struct walk *w) {
    w->up = key_index_next(w->index, w->up);
    w->next_up = key_index_at(w->index, w->up);
}

static void step(struct walk *w, bool is_down) {
    if (is_down)
        step_down(w);
    else
        step_up(w);
}

static struct walk start_at(const struct key_index *index, double key) {
    struct walk w = {.index = index, .up = key_index_lower(index, key)};
    w.run_start = w.up;
    w.next_up = key_index_at(index, w.up);
    enter_run_below(&w);
    return w;
}

/* The nearer of the two sides' next slots, the older at equal distance; NULL outside the window. */
static const struct key_slot *nearest(const struct walk *w, const struct gather_query *q,
                                      bool *is_down) {
    double up = w->next_up ? w->next_up->key - q->x->key : 0;
    double down = w->next_down ? q->x->key - w->next_down->key : 0;
    bool has_up = w->next_up && up <= q->spread;
    bool has_down = w->next_down && down <= q->spread;
    if (!has_up && !has_down) return NULL;
    *is_down = has_down && (!has_up || down < up ||
                            (down == up && w->next_down->created_ms < w->next_up->created_ms));
    return *is_down ? w->next_down : w->next_up;
}

static bool option_from(const struct gather_query *q, uint64_t wanted_regions,
                        const struct key_slot *s, struct option *out) {
    struct pool_entry *e = s->entry;
    if (e == q->x || e->players > q->players_max) return false;
    uint64_t regions = pool_regions_within(e, q->latency_ms_max);
    if (!(regions & wanted_regions)) return false;
    *out = (struct option){e, s->key, s->created_ms, regions, e->players};
    return true;
}

static int by_age(const void *a, const void *b) {
    const struct option *x = *(const struct option *const *)a;
    const struct option *y = *(const struct option *const *)b;
    return pool_is_older(x->entry, y->entry) ? -1 : pool_is_older(y->entry, x->entry) ? 1 : 0;
}

void gather_run(struct gathered *g, const struct gather_query *q) {
    assert(q->want >= 1 && q->want <= GATHER_MAX);
    uint64_t wanted = pool_regions_within(q->x, q->latency_ms_max);
    struct walk w = start_at(&q->x->part->index, q->x->key);
    uint32_t low = GATHER_MAX, high = GATHER_MAX, seen = 0;
    const struct key_slot *s;
    bool is_down;
    g->truncated = false;
    while ((s = nearest(&w, q, &is_down))) {
        if (high - low == q->want || seen == q->skip + q->visits) {
            g->truncated = true;
            break;
        }
        struct option o;
        if (seen++ >= q->skip && option_from(q, wanted, s, &o)) {
            if (is_down)
                g->slots[--low] = o;
            else
                g->slots[high++] = o;
        }
        step(&w, is_down);
    }
    g->by_key = &g->slots[low];
    g->count = high - low;
    g->below = GATHER_MAX - low;
    g->visited = seen;
    for (uint32_t i = 0; i < g->count; i++)
        g->in_order[i] = &g->by_key[i];
    if (g->count > 1) qsort(g->in_order, g->count, sizeof *g->in_order, by_age);
}

struct ranked {
    double rank[RULESET_SORTS_MAX];
    uint32_t size, place; /* in the order of age */
    const struct option *option;
};

static int by_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    for (uint32_t i = 0; i < x->size; i++) {
        if (x->rank[i] != y->rank[i]) return x->rank[i] < y->rank[i] ? -1 : 1;
    }
    return (x->place > y->place) - (x->place < y->place);
}

void gather_rank(struct gathered *g, const struct ruleset *r, const struct pool_entry *x) {
    uint32_t size = ruleset_rank_size(r);
    if (size == 0 || g->count < 2) return;
    struct ranked ranked[GATHER_MAX]; /* here: release builds clear 35 kB with it */
    for (uint32_t i = 0; i < g->count; i++) {
        ranked[i].size = size;
        ranked[i].place = i;
        ranked[i].option = g->in_order[i];
        ruleset_rank(r, &x->ticket->spec, &g->in_order[i]->entry->ticket->spec, ranked[i].rank);
    }
    qsort(ranked, g->count, sizeof *ranked, by_rank);
    for (uint32_t i = 0; i < g->count; i++)
        g->in_order[i] = ranked[i].option;
}
