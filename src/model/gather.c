/* gather.c - walks the bins outwards from one key, both ways at once. */
#include "model/gather.h"

#include "base/mem.h"
#include "model/ranking.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one class ---- */

struct walk {
    const struct bins *bins;
    uint32_t up, down;                 /* the next bin of each side */
    double up_distance, down_distance; /* INFINITY: that side is done */
    uint32_t found, least, most; /* options of the class: so far, wanted whatever others give */
};

struct search {
    const struct gather_query *query;
    struct walk walks[POOL_CLASSES];
    uint32_t walk_count;
};

static double distance_to(const struct walk *w, uint32_t bin, const struct search *s) {
    if (bin == BINS_NONE) return INFINITY;
    double distance = bins_distance(w->bins, bin, s->query->key);
    return distance <= s->query->spread ? distance : INFINITY;
}

static void set_up(struct walk *w, uint32_t bin, const struct search *s) {
    w->up = bin;
    w->up_distance = distance_to(w, bin, s);
}

static void set_down(struct walk *w, uint32_t bin, const struct search *s) {
    w->down = bin;
    w->down_distance = distance_to(w, bin, s);
}

static double distance_of(const struct walk *w) {
    return w->up_distance <= w->down_distance ? w->up_distance : w->down_distance;
}

/* The nearer of the two sides' next bins. One of them is not done. */
static uint32_t take_bin(struct walk *w, const struct search *s) {
    uint32_t up = w->up, down = w->down;
    if (w->down_distance < w->up_distance) {
        set_down(w, bins_previous(w->bins, down), s);
        return down;
    }
    set_up(w, bins_next(w->bins, up), s);
    return up;
}

static void consider(struct gathered *g, const struct search *x, const struct bin_slot *s) {
    const struct gather_query *q = x->query;
    if (s->entry == q->x || s->players > q->players_max) return;
    double distance = s->key - q->key;
    if (distance > q->spread || -distance > q->spread) return;
    uint64_t regions = pool_regions_within(q->pool, s, q->latency_ms_max);
    if (regions & q->regions) g->options[g->count++] = (struct option){s, regions};
}

/* False once enough was seen of the class. */
static bool visit_bin(struct gathered *g, const struct search *s, struct walk *w, uint32_t bin) {
    const struct gather_query *q = s->query;
    size_t slot_bytes = q->pool->blocks.slot_bytes;
    for (const struct bin_block *b = w->bins->bins[bin].first; b; b = b->next) {
        if (b->next) __builtin_prefetch(b->next);
        for (uint64_t bits = b->used; bits; bits &= bits - 1) {
            bool enough = g->count >= q->want && w->found >= w->least;
            if (enough || w->found >= w->most || g->count == GATHER_MAX) return false;
            if (g->visited == q->skip + q->visits) return false;
            if (g->visited++ < q->skip) continue;
            uint32_t before = g->count;
            consider(g, s, bin_seat(b, (uint32_t)__builtin_ctzll(bits), slot_bytes));
            w->found += g->count - before;
        }
    }
    return true;
}

/* ---- all classes ---- */

static void start_walk(struct search *s, uint32_t class, uint32_t class_count) {
    enum { LEAST = 4 };
    struct walk *w = &s->walks[s->walk_count++];
    uint32_t want = s->query->want;
    *w = (struct walk){.bins = &s->query->part->classes[class]};
    w->least = class_count == 1 ? 0 : LEAST;
    w->most = class_count == 1 ? want : (want + 1) / 2 + LEAST;
    uint32_t centre = bins_at(w->bins, s->query->key);
    bool held = w->bins->bins[centre].count > 0;
    set_up(w, held ? centre : bins_next(w->bins, centre), s);
    set_down(w, bins_previous(w->bins, centre), s);
}

static void start(struct search *s, const struct gather_query *q) {
    uint32_t occupied = q->part->occupied;
    s->query = q;
    s->walk_count = 0;
    for (uint32_t bits = occupied; bits; bits &= bits - 1) {
        uint32_t class = (uint32_t)__builtin_ctz(bits);
        if (pool_class_players(class) > q->players_max) occupied &= ~(1u << class);
    }
    for (uint32_t bits = occupied; bits; bits &= bits - 1)
        start_walk(s, (uint32_t)__builtin_ctz(bits), (uint32_t)__builtin_popcount(occupied));
}

/* The class whose next bin is nearest; NULL: all are done. */
static struct walk *nearest(struct search *s) {
    struct walk *best = NULL;
    double least = INFINITY;
    for (uint32_t i = 0; i < s->walk_count; i++) {
        double distance = distance_of(&s->walks[i]);
        if (distance >= least) continue;
        least = distance;
        best = &s->walks[i];
    }
    return best;
}

struct gather_query gather_query_of(const struct pool *pool, const struct pool_entry *x,
                                    int32_t latency_ms_max) {
    const struct bin_slot *s = pool_slot(x);
    return (struct gather_query){.pool = pool,
                                 .part = x->part,
                                 .x = x,
                                 .key = s->key,
                                 .regions = pool_regions_within(pool, s, latency_ms_max),
                                 .latency_ms_max = latency_ms_max};
}

void gather_run(struct gathered *g, const struct gather_query *q) {
    assert(q->want >= 1 && q->want <= GATHER_MAX);
    MEM_UNCLEARED struct search s;
    start(&s, q);
    g->count = g->visited = 0;
    g->truncated = false;
    for (struct walk *w; (w = nearest(&s));) {
        if (visit_bin(g, &s, w, take_bin(w, &s))) continue;
        g->truncated = true;
        w->up_distance = w->down_distance = INFINITY;
    }
}

/* ---- orders ---- */

static bool ranks_before(const struct gather_rank *a, const struct gather_rank *b) {
    return a->first != b->first ? a->first < b->first : a->second < b->second;
}

/* Merges runs of growing size; `other` has as much room. Stable. */
static const struct gather_rank *sort(struct gather_rank *ranks, struct gather_rank *other,
                                      uint32_t count) {
    for (uint32_t size = 1; size < count; size *= 2) {
        for (uint32_t low = 0; low < count; low += 2 * size) {
            uint32_t middle = low + size < count ? low + size : count;
            uint32_t high = middle + size < count ? middle + size : count;
            uint32_t a = low, b = middle;
            for (uint32_t k = low; k < high; k++) {
                bool second = a == middle || (b < high && ranks_before(&ranks[b], &ranks[a]));
                other[k] = ranks[second ? b++ : a++];
            }
        }
        struct gather_rank *swapped = ranks;
        ranks = other;
        other = swapped;
    }
    return ranks;
}

static void sort_by_age(struct gathered *g) {
    struct gather_rank *ranks = g->scratch[0];
    for (uint32_t i = 0; i < g->count; i++) {
        const struct bin_slot *s = g->options[i].slot;
        ranks[i] = (struct gather_rank){(uint64_t)s->created_ms, s->tie, i};
    }
    const struct gather_rank *sorted = sort(ranks, g->scratch[1], g->count);
    for (uint32_t i = 0; i < g->count; i++)
        g->in_order[i] = &g->options[sorted[i].index];
}

void gather_sort_keys(struct gathered *g, double key) {
    struct gather_rank *ranks = g->scratch[0];
    g->below = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        double of = g->options[i].slot->key;
        ranks[i] = (struct gather_rank){ranking_bits(of), 0, i};
        g->below += of < key;
    }
    const struct gather_rank *sorted = sort(ranks, g->scratch[1], g->count);
    for (uint32_t i = 0; i < g->count; i++)
        g->by_key[i] = &g->options[sorted[i].index];
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

static void sort_by_rules(struct gathered *g, const struct pool *pool, const struct ticket *anchor,
                          int64_t age_ms) {
    const struct ruleset *r = pool->ruleset;
    struct ticket_spec own = ticket_spec(anchor, pool->scratch);
    struct ranked ranked[GATHER_MAX]; /* here: release builds clear 35 kB with it */
    for (uint32_t i = 0; i < g->count; i++) {
        ranked[i].size = ruleset_rank_size(r);
        ranked[i].place = i;
        ranked[i].option = g->in_order[i];
        const struct ticket *t = g->in_order[i]->slot->entry->ticket;
        struct ticket_spec spec = ticket_spec(t, pool->scratch);
        ruleset_rank(r, age_ms, &own, &spec, ranked[i].rank);
    }
    arena_reset(pool->scratch);
    qsort(ranked, g->count, sizeof *ranked, by_rank);
    for (uint32_t i = 0; i < g->count; i++)
        g->in_order[i] = ranked[i].option;
}

void gather_sort(struct gathered *g, const struct pool *pool, const struct ticket *anchor,
                 int64_t age_ms) {
    sort_by_age(g);
    if (ruleset_rank_size(pool->ruleset) > 0 && g->count > 1)
        sort_by_rules(g, pool, anchor, age_ms);
}
