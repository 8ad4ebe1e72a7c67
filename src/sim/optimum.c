/* optimum.c - clairvoyant costs of small instances. */
#include "sim/optimum.h"

#include "base/mem.h"
#include "sim/assembly.h"
#include "sim/blossom.h"
#include "sim/measure.h"

#include <assert.h>
#include <math.h>

#define WHOLE 1000 /* units of a point in whole numbers */

/* 2 |ds| + c |dt| */
static double distance(const struct field *f, size_t a, size_t b, double points_per_s) {
    const struct trace_ticket *t = f->trace->tickets;
    double s = fabs((double)(t[a].at_ms - t[b].at_ms)) / 1000;
    return 2 * fabs(f->tickets[a].skill - f->tickets[b].skill) + points_per_s * s;
}

double optimum_pairs(const struct field *f, double points_per_s) {
    size_t n = f->trace->count;
    assert(f->match_players == 2 && n <= OPTIMUM_PAIRS_MAX);
    int64_t *costs = mem_array(n * n, sizeof *costs);
    uint32_t *partner = mem_array(n, sizeof *partner);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            costs[a * n + b] = llround(distance(f, a, b, points_per_s) * WHOLE);
    double sum = (double)blossom_match(costs, n, partner) / WHOLE;
    mem_free(costs);
    mem_free(partner);
    return sum / (double)n;
}

double optimum_bound(const struct field *f, double points_per_s) {
    size_t n = f->trace->count, others = f->match_players - 1;
    double *nearest = mem_array(others + 1, sizeof *nearest), sum = 0;
    for (size_t a = 0; a < n; a++) {
        size_t kept = 0;
        for (size_t b = 0; b < n; b++) {
            double d = distance(f, a, b, points_per_s);
            if (b == a || (kept == others && d >= nearest[kept - 1])) continue;
            size_t at = kept < others ? kept++ : kept - 1;
            for (; at > 0 && nearest[at - 1] > d; at--)
                nearest[at] = nearest[at - 1];
            nearest[at] = d;
        }
        for (size_t i = 0; i < kept; i++)
            sum += nearest[i];
    }
    mem_free(nearest);
    return sum / 2 / (double)others / (double)n;
}

double optimum_group(const struct field *f, uint32_t count) {
    struct arena *scratch = arena_new(0);
    double best = INFINITY;
    assert(count <= OPTIMUM_GROUP_MAX);
    for (uint32_t set = 1; set < (uint32_t)1 << count; set++) {
        struct assembly a;
        struct field_match m;
        bool fits = true;
        assembly_begin(&a, f);
        for (uint32_t i = 0; i < count && fits; i++)
            if (set >> i & 1) fits = assembly_add(&a, i);
        if (!fits || !assembly_full(&a) || !assembly_finish(&a, 0, &m, scratch)) continue;
        best = fmin(best, measure_match(f, &m));
    }
    arena_free(scratch);
    return best;
}

double optimum_played(const struct play *p, double points_per_s) {
    struct measure_player *players;
    size_t count = measure_players(p, &players);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += players[i].mismatch + points_per_s * players[i].wait_s;
    mem_free(players);
    return count ? sum / (double)count : 0;
}
