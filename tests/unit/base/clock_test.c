/* clock_test.c - the two clocks move forward in their units. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

static void monotonic_clock_never_goes_back_and_counts_microseconds(void **state) {
    (void)state;
    int64_t before = clock_mono_us();
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    int64_t middle = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    int64_t after = clock_mono_us();
    assert_true(before <= middle && middle <= after);
}

static void wall_clock_counts_milliseconds_since_1970(void **state) {
    (void)state;
    int64_t before = (int64_t)time(NULL) * 1000 - 1000; /* time() may lag by a tick */
    int64_t now = clock_wall_ms();
    assert_true(before <= now && now <= ((int64_t)time(NULL) + 2) * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_clock_never_goes_back_and_counts_microseconds),
        cmocka_unit_test(wall_clock_counts_milliseconds_since_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
