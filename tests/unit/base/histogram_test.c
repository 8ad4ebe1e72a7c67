/* histogram_test.c - quantiles are those of the sorted values, within a 128th. */
#include "base/histogram.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

static struct histogram h; /* 35 kB */

static int setup(void **state) {
    (void)state;
    h = (struct histogram){0};
    return 0;
}

static void an_empty_histogram_answers_zero(void **state) {
    (void)state;
    assert_int_equal(histogram_count(&h), 0);
    assert_int_equal(histogram_quantile(&h, 0.5), 0);
    assert_int_equal(histogram_max(&h), 0);
    assert_true(histogram_mean(&h) == 0);
}

static void small_values_are_exact(void **state) {
    (void)state;
    for (int i = 1; i <= 100; i++)
        histogram_record(&h, i);
    assert_int_equal(histogram_quantile(&h, 0), 1);
    assert_int_equal(histogram_quantile(&h, 0.50), 50);
    assert_int_equal(histogram_quantile(&h, 0.99), 99);
    assert_int_equal(histogram_quantile(&h, 1), 100);
    assert_true(histogram_mean(&h) == 50.5);
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_those_of_the_sorted_values_within_a_128th(void **state) {
    (void)state;
    enum { VALUES = 20000 };
    static int64_t values[VALUES];
    struct rng rng;
    rng_init(&rng, 11);
    for (int i = 0; i < VALUES; i++) {
        values[i] = (int64_t)exp(rng_unit(&rng) * 24); /* 1 .. 2.6e10, even in the logarithm */
        histogram_record(&h, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (int permille = 1; permille <= 1000; permille++) {
        int64_t exact = values[(VALUES * permille + 999) / 1000 - 1];
        int64_t told = histogram_quantile(&h, permille / 1000.0);
        assert_true(told >= exact);
        assert_true((double)told <= (double)exact * (1 + 1.0 / 128));
    }
    assert_int_equal(histogram_max(&h), values[VALUES - 1]);
}

static void values_out_of_range_count_as_the_nearest(void **state) {
    (void)state;
    histogram_record(&h, -5);
    histogram_record(&h, INT64_MAX);
    assert_int_equal(histogram_count(&h), 2);
    assert_int_equal(histogram_quantile(&h, 0.5), 0);
    assert_int_equal(histogram_quantile(&h, 1), (INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_histogram_answers_zero, setup),
        cmocka_unit_test_setup(small_values_are_exact, setup),
        cmocka_unit_test_setup(quantiles_are_those_of_the_sorted_values_within_a_128th, setup),
        cmocka_unit_test_setup(values_out_of_range_count_as_the_nearest, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
