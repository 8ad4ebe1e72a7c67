/* blossom_test.c - the matching is perfect and as cheap as the best of all. */
#include "sim/blossom.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The cheapest perfect matching by trying all: the lowest free node with each other one. */
static int64_t best_of_all(const int64_t *costs, unsigned n, unsigned taken) {
    unsigned first = 0;
    int64_t best = INT64_MAX;
    while (first < n && taken >> first & 1)
        first++;
    if (first == n) return 0;
    for (unsigned other = first + 1; other < n; other++) {
        if (taken >> other & 1) continue;
        int64_t rest = best_of_all(costs, n, taken | 1u << first | 1u << other);
        if (costs[first * n + other] + rest < best) best = costs[first * n + other] + rest;
    }
    return best;
}

static void random_costs(struct rng *rng, unsigned n, uint64_t bound, int64_t *costs) {
    for (unsigned i = 0; i < n; i++) {
        costs[i * n + i] = 0;
        for (unsigned k = 0; k < i; k++)
            costs[i * n + k] = costs[k * n + i] = (int64_t)rng_below(rng, bound);
    }
}

static void small_graphs_agree_with_brute_force(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (int round = 0; round < 400; round++) {
        unsigned n = 2 + 2 * (unsigned)rng_below(&rng, 5);
        int64_t costs[100];
        uint32_t partner[10];
        random_costs(&rng, n, round % 2 ? 8 : 1000000, costs); /* many ties, none */
        int64_t sum = blossom_match(costs, n, partner);
        assert_int_equal(sum, best_of_all(costs, n, 0));
        for (unsigned i = 0; i < n; i++)
            assert_true(partner[i] != i && partner[partner[i]] == i);
    }
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* On the line neighbours are best. */
static void a_large_line_pairs_its_neighbours(void **state) {
    (void)state;
    enum { N = 200 };
    static int64_t at[N], costs[N * N];
    uint32_t partner[N];
    struct rng rng;
    int64_t neighbours = 0;
    rng_init(&rng, 5);
    for (int i = 0; i < N; i++)
        at[i] = (int64_t)rng_below(&rng, 100000);
    qsort(at, N, sizeof *at, by_value);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            costs[i * N + k] = llabs(at[i] - at[k]);
    for (int i = 0; i < N; i += 2)
        neighbours += at[i + 1] - at[i];
    assert_int_equal(blossom_match(costs, N, partner), neighbours);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_graphs_agree_with_brute_force),
        cmocka_unit_test(a_large_line_pairs_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
