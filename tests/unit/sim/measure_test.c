/* measure_test.c - waits and costs of matches that can be checked by hand. */
#include "support/sim_kit.h"

static void assert_close(double value, double wanted) {
    if (fabs(value - wanted) > 1e-6 * fmax(1, fabs(wanted)))
        fail_msg("%.9g is not %.9g", value, wanted);
}

static void a_pair_costs_its_difference_and_its_wait(void **state) {
    (void)state;
    struct sim_kit k;
    struct measure m;
    sim_kit_open(&k, "W1");
    sim_kit_add(&k, 0, 1500, 1);
    sim_kit_add(&k, 500, 1600, 1);
    sim_kit_add(&k, 500, 2500, 1);
    sim_kit_play(&k, &open_match_matcher, NULL);
    measure_play(&m, &k.play);
    assert_close(m.mismatch, 100);
    assert_close(m.imbalance, 100);
    assert_close(m.ping_cost, 0);
    assert_close(m.quality_cost, 200);
    assert_close(m.win_gap, 0.5 - 0.5 * erfc(100 / (200 * sqrt(2)) / sqrt(2)));
    assert_int_equal(m.waits.players, 3);
    assert_int_equal(m.waits.expired, 1);
    assert_close(m.waits.p50, 1);
    assert_close(m.waits.max, 300); /* expired: with the whole time it waited */
    assert_close(m.waits.mean, (1 + 0.5 + 300) / 3);
    assert_close(m.bands[MEASURE_BANDS - 1].players, 1);
    assert_int_equal(m.invalid, 0);
    sim_kit_close(&k);
}

static void ping_costs_more_above_a_hundred(void **state) {
    (void)state;
    assert_close(field_ping_cost(35, 20), 0);
    assert_close(field_ping_cost(90, 30), 50);
    assert_close(field_ping_cost(150, 30), 60 + 3 * 50);
    assert_close(field_ping_cost(150, 120), 3 * 30);
    assert_close(field_ping_cost(120, 120), 0);
}

static void quantiles_are_of_the_sorted_values(void **state) {
    (void)state;
    double values[] = {5, 1, 4, 2, 3};
    assert_close(measure_quantile(values, 5, 0.5), 3);
    assert_close(measure_quantile(values, 5, 0.95), 5);
    assert_close(measure_quantile(values, 5, 0), 1);
    assert_close(measure_quantile(values, 0, 0.5), 0);
}

static void roles_are_given_so_that_most_play_their_first(void **state) {
    (void)state;
    struct sim_kit k;
    struct measure m;
    sim_kit_draw(&k, "W3", 20, 60);
    sim_kit_play(&k, &open_match_matcher, (const double[]){400, NAN, NAN, NAN});
    measure_play(&m, &k.play);
    assert_true(m.has_roles);
    assert_close(m.role_share[2], 0); /* nobody plays what he does not accept */
    assert_close(m.role_share[0] + m.role_share[1], 1);
    assert_true(m.role_share[0] > 0.7);
    sim_kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_costs_its_difference_and_its_wait),
        cmocka_unit_test(ping_costs_more_above_a_hundred),
        cmocka_unit_test(quantiles_are_of_the_sorted_values),
        cmocka_unit_test(roles_are_given_so_that_most_play_their_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
