/* gather.c - walks the bins outwards from one ticket, both ways at once. */
#include "model/gather.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the walk ---- */

struct walk {
    const struct gather_query *query;
    const struct bins *bins;
    double key;
    uint64_t regions;
    uint32_t up, down; /* the next bin of each side, BINS_NONE: that side is done */
    double up_distance, down_distance;
};

static double distance_to(const struct walk *w, uint32_t bin) {
    return bin == BINS_NONE ? 0 : bins_distance(w->bins, bin, w->key);
}

static struct walk start(const struct gather_query *q) {
    const struct bin_slot *s = pool_slot(q->x);
    struct walk w = {.query = q, .bins = &q->x->part->bins, .key = s->key};
    w.regions = pool_regions_within(q->pool, s, q->latency_ms_max);
    w.up = bins_at(w.bins, s->key); /* its own bin: it holds x at least */
    w.down = bins_previous(w.bins, w.up);
    w.down_distance = distance_to(&w, w.down);
    return w;
}

/* The nearer of the two sides' next bins; BINS_NONE outside the window. */
static uint32_t next_bin(struct walk *w) {
    if (w->up != BINS_NONE && w->up_distance > w->query->spread) w->up = BINS_NONE;
    if (w->down != BINS_NONE && w->down_distance > w->query->spread) w->down = BINS_NONE;
    bool is_down =
        w->down != BINS_NONE && (w->up == BINS_NONE || w->down_distance < w->up_distance);
    uint32_t bin = is_down ? w->down : w->up;
    if (bin == BINS_NONE) return bin;
    if (is_down) {
        w->down = bins_previous(w->bins, bin);
        w->down_distance = distance_to(w, w->down);
    } else {
        w->up = bins_next(w->bins, bin);
        w->up_distance = distance_to(w, w->up);
    }
    return bin;
}

static void consider(struct gathered *g, const struct walk *w, const struct bin_slot *s) {
    const struct gather_query *q = w->query;
    if (s->entry == q->x || s->players > q->players_max) return;
    double distance = s->key - w->key;
    if (distance > q->spread || -distance > q->spread) return;
    uint64_t regions = pool_regions_within(q->pool, s, q->latency_ms_max);
    if (regions & w->regions) g->options[g->count++] = (struct option){s, regions};
}

/* False once enough was seen. */
static bool visit_bin(struct gathered *g, const struct walk *w, uint32_t bin) {
    const struct gather_query *q = w->query;
    for (const struct bin_block *b = w->bins->bins[bin].first; b; b = b->next) {
        if (b->next) __builtin_prefetch(b->next->slots);
        for (uint32_t bits = b->used; bits; bits &= bits - 1) {
            if (g->count == q->want || g->visited == q->skip + q->visits) return false;
            if (g->visited++ < q->skip) continue;
            consider(g, w, &b->slots[__builtin_ctz(bits)]);
        }
    }
    return true;
}

void gather_run(struct gathered *g, const struct gather_query *q) {
    assert(q->want >= 1 && q->want <= GATHER_MAX);
    struct walk w = start(q);
    g->count = g->visited = 0;
    g->truncated = false;
    for (uint32_t bin; !g->truncated && (bin = next_bin(&w)) != BINS_NONE;)
        g->truncated = !visit_bin(g, &w, bin);
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

/* The bits of a double in an order that integers have. */
static uint64_t ordered(double key) {
    uint64_t bits;
    key += 0.0; /* -0 is 0 */
    memcpy(&bits, &key, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

void gather_sort_keys(struct gathered *g, double key) {
    struct gather_rank *ranks = g->scratch[0];
    g->below = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        double of = g->options[i].slot->key;
        ranks[i] = (struct gather_rank){ordered(of), 0, i};
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

static void sort_by_rules(struct gathered *g, const struct ruleset *r, const struct pool_entry *x,
                          int64_t age_ms) {
    struct ranked ranked[GATHER_MAX]; /* here: release builds clear 35 kB with it */
    for (uint32_t i = 0; i < g->count; i++) {
        ranked[i].size = ruleset_rank_size(r);
        ranked[i].place = i;
        ranked[i].option = g->in_order[i];
        ruleset_rank(r, age_ms, &x->ticket->spec, &g->in_order[i]->slot->entry->ticket->spec,
                     ranked[i].rank);
    }
    qsort(ranked, g->count, sizeof *ranked, by_rank);
    for (uint32_t i = 0; i < g->count; i++)
        g->in_order[i] = ranked[i].option;
}

void gather_sort(struct gathered *g, const struct ruleset *r, const struct pool_entry *x,
                 int64_t age_ms) {
    sort_by_age(g);
    if (ruleset_rank_size(r) > 0 && g->count > 1) sort_by_rules(g, r, x, age_ms);
}
