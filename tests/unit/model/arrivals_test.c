/* arrivals_test.c - how many come, how fast that is noticed, and where they are. */
#include "base/rng.h"
#include "model/arrivals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arrivals arrivals;
static struct rng rng;
static int64_t now_ms;

static int start(void **state) {
    (void)state;
    arrivals = (struct arrivals){.width = 50};
    rng_init(&rng, 31);
    now_ms = 1700000000000;
    return 0;
}

static void come(double per_second, double seconds, uint64_t regions) {
    int64_t end_ms = now_ms + (int64_t)(seconds * 1000);
    double at = (double)now_ms;
    while ((at -= log(1 - rng_unit(&rng)) * 1000 / per_second) < (double)end_ms) {
        struct arrival of = {1000 + 1000 * rng_unit(&rng), 1, regions, 0, 0, (int64_t)at};
        arrivals_note(&arrivals, &of);
    }
    now_ms = end_ms;
}

/* Players a second whose key is within `distance`. */
static double come_near(const struct arrivals *a, double key, double distance, uint64_t regions) {
    return arrivals_there(a, regions) * arrivals_share(a, key, distance);
}

static void assert_near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance * expected))
        fail_msg("%g is not within %g%% of %g", value, tolerance * 100, expected);
}

static void a_steady_rate_is_known(void **state) {
    (void)state;
    come(20, 300, 0);
    assert_near(arrivals_rate(&arrivals), 20, 0.5);
    come(0.5, 3000, 0);
    assert_near(arrivals_rate(&arrivals), 0.5, 0.5);
}

static void a_flash_crowd_shows_within_a_tenth_of_a_second(void **state) {
    (void)state;
    come(5, 100, 0);
    come(10000, 0.1, 0);
    assert_true(arrivals_rate(&arrivals) > 500);
    come(10000, 2, 0);
    assert_near(arrivals_rate(&arrivals), 10000, 0.3);
}

static void the_first_to_come_is_known_to_be_alone(void **state) {
    (void)state;
    struct arrival of = {1500, 1, 0, 0, 0, now_ms};
    arrivals_note(&arrivals, &of);
    of.time_ms += 60000;
    arrivals_note(&arrivals, &of);
    assert_true(arrivals_rate(&arrivals) < 0.1);
}

static void those_nearby_are_a_share_of_all(void **state) {
    (void)state;
    come(50, 400, 0); /* keys even in 1000..2000 */
    assert_near(come_near(&arrivals, 1500, 100, 0), arrivals_rate(&arrivals) * 0.2, 0.1);
    assert_near(come_near(&arrivals, 1000, 100, 0), arrivals_rate(&arrivals) * 0.1, 0.15);
    assert_true(come_near(&arrivals, 5000, 100, 0) == 0);
    assert_near(come_near(&arrivals, 5000, 1e6, 0), arrivals_rate(&arrivals), 0.01);
    assert_near(arrivals_density(&arrivals), arrivals_rate(&arrivals) / 1000, 0.1);
}

static void a_rare_region_has_few(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        come(50, 1, 1);
        come(5, 1, 2);
    }
    double common = come_near(&arrivals, 1500, 200, 1);
    assert_near(come_near(&arrivals, 1500, 200, 2), common / 10, 0.3);
    assert_true(come_near(&arrivals, 1500, 200, 3) == common); /* the best of his regions */
}

static void those_of_one_role_only_are_known_after_a_while(void **state) {
    (void)state;
    enum { TANK = 1, HEALER = 2 };
    for (int i = 0; i < 200; i++) {
        struct arrival of = {1500, 1, 0, TANK | HEALER, 0, now_ms += 10};
        if (i % 4 == 0) of.roles = of.only = TANK;
        if (i % 4 == 1) of.roles = of.only = HEALER;
        if (i == 40) assert_true(arrivals_only_share(&arrivals, 0) == 0);
        arrivals_note(&arrivals, &of);
    }
    assert_near(arrivals_only_share(&arrivals, 0), 0.25, 0.01);
    assert_near(arrivals_role_share(&arrivals, 0), 0.75, 0.01);
}

static void keys_of_any_size_keep_it_finite(void **state) {
    (void)state;
    const double keys[] = {0, 1e308, -1e308, 1e-300, 5e15, 1500};
    for (int i = 0; i < 600; i++) {
        struct arrival of = {keys[i % 6], 3, 0, 0, 0, now_ms += 10};
        arrivals_note(&arrivals, &of);
        double near = come_near(&arrivals, keys[(i + 1) % 6], 1e300, 0);
        assert_true(near >= 0 && isfinite(near));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_steady_rate_is_known, start),
        cmocka_unit_test_setup(a_flash_crowd_shows_within_a_tenth_of_a_second, start),
        cmocka_unit_test_setup(the_first_to_come_is_known_to_be_alone, start),
        cmocka_unit_test_setup(those_nearby_are_a_share_of_all, start),
        cmocka_unit_test_setup(a_rare_region_has_few, start),
        cmocka_unit_test_setup(those_of_one_role_only_are_known_after_a_while, start),
        cmocka_unit_test_setup(keys_of_any_size_keep_it_finite, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
