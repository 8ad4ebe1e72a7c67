/* anneal.c - swaps between groups, ever more choosy. */
#include "sim/anneal.h"

#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    STEPS_PER_TICKET = 60000, /* a tenth leaves 7 to 12 % more cost */
    BLOCK_GROUPS = 4, /* of a block of as many groups' arrivals the first grouping is by skill */
    NEAR_GROUPS = 8,  /* partners of a swap are at most so many groups' arrivals apart */
    COOLING_STEPS = 200,
};

static const double HOTTEST = 200, COLDEST = 0.2; /* points, of all players of two matches */

struct anneal {
    const struct field *f;
    double points_per_s;
    uint32_t group_size, count;
    uint32_t *members;  /* group by group; indexes of the trace, which is in order of arrival */
    uint32_t *place_of; /* of a ticket in members */
    double *costs;      /* of a group, over its players */
    struct rng rng;
};

static double group_cost(const struct anneal *a, uint32_t group) {
    const uint32_t *m = a->members + (size_t)group * a->group_size;
    double sum = 0, apart = 0;
    int64_t last_ms = 0, waits_ms = 0;
    for (uint32_t i = 0; i < a->group_size; i++) {
        int64_t at_ms = a->f->trace->tickets[m[i]].at_ms;
        sum += a->f->tickets[m[i]].skill;
        if (at_ms > last_ms) last_ms = at_ms;
    }
    for (uint32_t i = 0; i < a->group_size; i++) {
        apart += fabs(a->f->tickets[m[i]].skill - sum / a->group_size);
        waits_ms += last_ms - a->f->trace->tickets[m[i]].at_ms;
    }
    return 2 * apart + a->points_per_s * (double)waits_ms / 1000;
}

static void swap(struct anneal *a, uint32_t p, uint32_t q) {
    uint32_t moved = a->members[p];
    a->members[p] = a->members[q];
    a->members[q] = moved;
    a->place_of[a->members[p]] = p;
    a->place_of[a->members[q]] = q;
}

/* Each block of arrivals is sorted by skill and cut into groups. */
static void begin(struct anneal *a) {
    uint32_t block = a->group_size * BLOCK_GROUPS;
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t k = i, first = i / block * block;
        double skill = a->f->tickets[i].skill;
        for (; k > first && a->f->tickets[a->members[k - 1]].skill > skill; k--)
            a->members[k] = a->members[k - 1];
        a->members[k] = i;
    }
    for (uint32_t p = 0; p < a->count; p++)
        a->place_of[a->members[p]] = p;
    for (uint32_t g = 0; g < a->count / a->group_size; g++)
        a->costs[g] = group_cost(a, g);
}

static void step(struct anneal *a, double heat) {
    uint32_t reach = a->group_size * NEAR_GROUPS, t = (uint32_t)rng_below(&a->rng, a->count);
    uint32_t low = t > reach ? t - reach : 0;
    uint32_t high = t + reach < a->count ? t + reach : a->count - 1;
    uint32_t u = low + (uint32_t)rng_below(&a->rng, high - low + 1);
    uint32_t p = a->place_of[t], q = a->place_of[u];
    uint32_t g = p / a->group_size, h = q / a->group_size;
    if (g == h) return;
    swap(a, p, q);
    double at_g = group_cost(a, g), at_h = group_cost(a, h);
    double more = at_g + at_h - a->costs[g] - a->costs[h];
    if (more <= 0 || rng_unit(&a->rng) < exp(-more / heat)) {
        a->costs[g] = at_g;
        a->costs[h] = at_h;
    } else {
        swap(a, p, q);
    }
}

double anneal_groups(const struct field *f, double points_per_s, uint64_t seed) {
    struct anneal a = {.f = f,
                       .points_per_s = points_per_s,
                       .group_size = f->match_players,
                       .count = (uint32_t)f->trace->count};
    assert(a.count > 0 && a.count % a.group_size == 0);
    a.members = mem_array(a.count, sizeof *a.members);
    a.place_of = mem_array(a.count, sizeof *a.place_of);
    a.costs = mem_array(a.count / a.group_size, sizeof *a.costs);
    rng_init(&a.rng, seed);
    begin(&a);
    for (int cooled = 0; cooled <= COOLING_STEPS; cooled++) {
        double heat = HOTTEST * pow(COLDEST / HOTTEST, (double)cooled / COOLING_STEPS);
        for (uint64_t i = 0; i < (uint64_t)a.count * STEPS_PER_TICKET / COOLING_STEPS; i++)
            step(&a, heat);
    }
    double sum = 0;
    for (uint32_t g = 0; g < a.count / a.group_size; g++)
        sum += a.costs[g];
    mem_free(a.members);
    mem_free(a.place_of);
    mem_free(a.costs);
    return sum / a.count;
}
