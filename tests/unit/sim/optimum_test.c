/* optimum_test.c - clairvoyant costs of instances small enough to try everything. */
#include "support/sim_kit.h"

#include "base/rng.h"
#include "sim/optimum.h"

static void add_random(struct sim_kit *k, struct rng *rng, int count, int64_t span_ms) {
    int64_t at_ms = 0;
    for (int i = 0; i < count; i++) {
        at_ms += (int64_t)rng_below(rng, (uint64_t)span_ms);
        sim_kit_add(k, at_ms, 1500 + 350 * rng_normal(rng), 1);
    }
    field_init(&k->field, &k->trace, k->def->ruleset, false);
}

static double pair_cost(const struct sim_kit *k, unsigned a, unsigned b, double c) {
    double dt = fabs((double)(k->trace.tickets[a].at_ms - k->trace.tickets[b].at_ms)) / 1000;
    return 2 * fabs(k->field.tickets[a].skill - k->field.tickets[b].skill) + c * dt;
}

static double best_pairs(const struct sim_kit *k, unsigned taken, double c) {
    unsigned n = (unsigned)k->trace.count, first = 0;
    double best = INFINITY;
    while (first < n && taken >> first & 1)
        first++;
    if (first == n) return 0;
    for (unsigned b = first + 1; b < n; b++)
        if (!(taken >> b & 1))
            best = fmin(best, pair_cost(k, first, b, c) +
                                  best_pairs(k, taken | 1u << first | 1u << b, c));
    return best;
}

static void pairs_are_as_cheap_as_the_best_and_not_below_the_bound(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int round = 0; round < 20; round++) {
        struct sim_kit k;
        sim_kit_open(&k, "W1");
        add_random(&k, &rng, 10, 4000);
        double optimum = optimum_pairs(&k.field, 10), best = best_pairs(&k, 0, 10) / 10;
        assert_true(fabs(optimum - best) < 0.01);
        assert_true(optimum_bound(&k.field, 10) <= optimum + 1e-9);
        sim_kit_close(&k);
    }
}

/* No matcher that does not know the future can be better. */
static void nobody_beats_the_optimum(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    struct sim_kit k;
    sim_kit_open(&k, "W1");
    add_random(&k, &rng, 100, 1000);
    for (size_t i = 0; i < k.trace.count; i++)
        k.trace.tickets[i].leave_ms = k.trace.tickets[i].at_ms + 600000;
    double optimum = optimum_pairs(&k.field, 10);
    for (size_t i = 0; i < matcher_count(); i++) {
        sim_kit_play(&k, matcher_at(i), (const double[]){400, NAN, NAN, NAN});
        if (k.play.match_count == 50) assert_true(optimum_played(&k.play, 10) >= optimum);
    }
    sim_kit_close(&k);
}

/* Twelve at once: what Muster matches first against the cheapest match there is. */
static void a_single_assembly_is_near_the_cheapest_of_all(void **state) {
    (void)state;
    enum { POOLS = 20 };
    struct rng rng;
    double ratios = 0;
    rng_init(&rng, 5);
    for (int i = 0; i < POOLS; i++) {
        struct sim_kit k;
        uint32_t tickets[LIMIT_MATCH_PLAYERS];
        struct field_match first;
        sim_kit_open(&k, "W2s");
        add_random(&k, &rng, 12, 1);
        sim_kit_play(&k, &muster_matcher, (const double[]){5, 1000, NAN, NAN});
        assert_true(k.play.match_count > 0);
        play_read_match(&k.play, 0, tickets, &first);
        double best = optimum_group(&k.field, 12), ratio = measure_match(&k.field, &first) / best;
        assert_true(ratio > 1 - 1e-9);
        ratios += ratio;
        sim_kit_close(&k);
    }
    print_message("cost of the first match over the cheapest: %.3f\n", ratios / POOLS);
    assert_true(ratios / POOLS < 1.25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_as_cheap_as_the_best_and_not_below_the_bound),
        cmocka_unit_test(nobody_beats_the_optimum),
        cmocka_unit_test(a_single_assembly_is_near_the_cheapest_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
