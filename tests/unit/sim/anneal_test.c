/* anneal_test.c - the annealed grouping beside what is known of small instances. */
#include "support/sim_kit.h"

#include "base/rng.h"
#include "sim/anneal.h"
#include "sim/optimum.h"

static void open_random(struct sim_kit *k, const char *workload, struct rng *rng, int count) {
    int64_t at_ms = 0;
    sim_kit_open(k, workload);
    for (int i = 0; i < count; i++) {
        at_ms += (int64_t)rng_below(rng, 1000);
        sim_kit_add(k, at_ms, 1500 + 350 * rng_normal(rng), 1);
    }
    field_init(&k->field, &k->trace, k->def->ruleset, false);
}

static void pairs_cost_what_the_exact_optimum_costs(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 6);
    for (int round = 0; round < 5; round++) {
        struct sim_kit k;
        open_random(&k, "W1", &rng, 40);
        double best = optimum_pairs(&k.field, 10), annealed = anneal_groups(&k.field, 10, 1);
        assert_true(annealed >= best - 1e-3);
        assert_true(annealed < best * 1.01);
        sim_kit_close(&k);
    }
}

static void groups_of_ten_cost_more_than_the_bound_whatever_the_seed(void **state) {
    (void)state;
    struct rng rng;
    struct sim_kit k;
    rng_init(&rng, 7);
    open_random(&k, "W2s", &rng, 60);
    double annealed = anneal_groups(&k.field, 10, 1);
    assert_true(annealed >= optimum_bound(&k.field, 10));
    assert_true(anneal_groups(&k.field, 10, 1) == annealed);
    double other = anneal_groups(&k.field, 10, 2);
    assert_true(fabs(other - annealed) < 0.02 * annealed);
    sim_kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_cost_what_the_exact_optimum_costs),
        cmocka_unit_test(groups_of_ten_cost_more_than_the_bound_whatever_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
