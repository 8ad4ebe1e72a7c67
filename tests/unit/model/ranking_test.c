/* ranking_test.c - the best is taken first, whatever the values are. */
#include "support/model_kit.h"

#include "model/ranking.h"

#include <math.h>

static struct ranking ranking;

static void close_with(const double *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        ranking_put(&ranking, i, isnan(values[i]) ? 0 : ranking_bits(values[i]));
    ranking_close(&ranking, count);
}

static void all_are_taken_in_order_of_value_then_number(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < 300; round++) {
        double values[RANKING_MAX];
        uint32_t count = (uint32_t)rng_below(&rng, RANKING_MAX + 1), taken = 0;
        for (uint32_t i = 0; i < count; i++)
            values[i] = ((double)rng_below(&rng, 40) - 20) * (rng_below(&rng, 9) ? 1 : 1e12);
        close_with(values, count);
        uint32_t last = RANKING_NONE;
        for (uint32_t i; (i = ranking_take(&ranking)) != RANKING_NONE; last = i, taken++) {
            if (last == RANKING_NONE) continue;
            assert_true(values[i] < values[last] || (values[i] == values[last] && i > last));
        }
        assert_int_equal(taken, count);
    }
}

static void what_is_absent_is_never_taken(void **state) {
    (void)state;
    const double values[] = {NAN, -INFINITY, NAN, 3, NAN, -0.0, 0, NAN, NAN, 1e300};
    close_with(values, 10);
    const uint32_t order[] = {9, 3, 5, 6, 1, RANKING_NONE, RANKING_NONE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_int_equal(ranking_take(&ranking), order[i]);
}

static void of_none_none_is_taken(void **state) {
    (void)state;
    close_with(NULL, 0);
    assert_int_equal(ranking_take(&ranking), RANKING_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_taken_in_order_of_value_then_number),
        cmocka_unit_test(what_is_absent_is_never_taken),
        cmocka_unit_test(of_none_none_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
