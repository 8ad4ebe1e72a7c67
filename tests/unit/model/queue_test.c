/* queue_test.c - the histogram of waits. */
#include "model/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_wait_lies_within_its_bucket(void **state) {
    (void)state;
    for (int64_t wait = 0; wait <= 43200000; wait += 1 + wait / 50) {
        unsigned b = queue_wait_bucket(wait);
        assert_true(wait <= queue_wait_bucket_ms(b));
        if (b > 0) assert_true(wait > queue_wait_bucket_ms(b - 1));
    }
    assert_int_equal(queue_wait_bucket(INT64_MAX), QUEUE_WAIT_BUCKETS - 1);
}

static void buckets_are_a_quarter_octave_wide(void **state) {
    (void)state;
    assert_int_equal(queue_wait_bucket_ms(0), 8);
    assert_int_equal(queue_wait_bucket_ms(4), 16);
    assert_int_equal(queue_wait_bucket_ms(40), 8192);
}

static void quantile_of_no_matches_is_zero(void **state) {
    (void)state;
    struct queue_stats s = {0};
    assert_int_equal(queue_wait_quantile_ms(&s, 0.99), 0);
}

static void quantiles_are_not_exceeded_by_that_share(void **state) {
    (void)state;
    struct queue_stats s = {0};
    for (int i = 0; i < 90; i++)
        s.waits[queue_wait_bucket(100)]++;
    for (int i = 0; i < 10; i++)
        s.waits[queue_wait_bucket(60000)]++;
    assert_int_equal(queue_wait_quantile_ms(&s, 0.5), queue_wait_bucket_ms(queue_wait_bucket(100)));
    assert_int_equal(queue_wait_quantile_ms(&s, 0.9), queue_wait_bucket_ms(queue_wait_bucket(100)));
    assert_true(queue_wait_quantile_ms(&s, 0.91) >= 60000);
    assert_true(queue_wait_quantile_ms(&s, 1) < 60000 * 1.2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wait_lies_within_its_bucket),
        cmocka_unit_test(buckets_are_a_quarter_octave_wide),
        cmocka_unit_test(quantile_of_no_matches_is_zero),
        cmocka_unit_test(quantiles_are_not_exceeded_by_that_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
