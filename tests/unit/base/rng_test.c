/* rng_test.c - the generator is the published one, and its shapes are right. */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static void first_outputs_are_those_of_the_reference_implementation(void **state) {
    (void)state;
    /* xoshiro256** of prng.di.unimi.it with state 1, 2, 3, 4. */
    struct rng r = {{1, 2, 3, 4}};
    const uint64_t expected[] = {11520u, 0u, 1509978240u, 1215971899390074240u};
    for (int i = 0; i < 4; i++)
        assert_true(rng_next(&r) == expected[i]);
}

static void same_seed_gives_the_same_numbers(void **state) {
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&c, 8);
    uint64_t first = rng_next(&a);
    assert_true(first == rng_next(&b));
    assert_true(first != rng_next(&c));
}

static void below_reaches_every_value_evenly_and_no_other(void **state) {
    (void)state;
    struct rng r;
    int counts[7] = {0};
    rng_init(&r, 1);
    for (int i = 0; i < 70000; i++) {
        uint64_t value = rng_below(&r, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500); /* 5 standard deviations */
    assert_true(rng_below(&r, 1) == 0);
    assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void normal_has_mean_0_and_deviation_1(void **state) {
    (void)state;
    struct rng r;
    double sum = 0, squares = 0;
    enum { COUNT = 100000 };
    rng_init(&r, 2);
    for (int i = 0; i < COUNT; i++) {
        double value = rng_normal(&r);
        sum += value;
        squares += value * value;
        double unit = rng_unit(&r);
        assert_true(unit >= 0 && unit < 1);
    }
    assert_true(fabs(sum / COUNT) < 0.02);
    assert_true(fabs(sqrt(squares / COUNT) - 1) < 0.02);
}

static void secrets_fill_the_whole_buffer_and_differ(void **state) {
    (void)state;
    unsigned char a[300], b[300];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    rng_secret(a, sizeof a);
    rng_secret(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    unsigned char tail = 0;
    for (size_t i = 280; i < 300; i++)
        tail |= a[i];
    assert_int_not_equal(tail, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_outputs_are_those_of_the_reference_implementation),
        cmocka_unit_test(same_seed_gives_the_same_numbers),
        cmocka_unit_test(below_reaches_every_value_evenly_and_no_other),
        cmocka_unit_test(normal_has_mean_0_and_deviation_1),
        cmocka_unit_test(secrets_fill_the_whole_buffer_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
