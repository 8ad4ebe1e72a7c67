/* timers_test.c - timers come in order of their time, and those forgotten can be swept away. */
#include "base/rng.h"
#include "base/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TIMERS = 5000 };

static int64_t dues[TIMERS];
static bool forgotten[TIMERS], came[TIMERS];

static bool is_meant(const struct timer *t) {
    return !forgotten[t->number];
}

static int64_t earliest(int count) {
    int64_t due = INT64_MAX;
    for (int i = 0; i < count; i++) {
        if (!came[i] && dues[i] < due) due = dues[i];
    }
    return due;
}

static void timers_come_in_order_of_their_time(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 21);
    struct timers t = {0};
    int64_t now = 1700000000000;
    for (int i = 0; i < TIMERS; i++)
        came[i] = forgotten[i] = false;
    assert_true(timers_due(&t) == INT64_MAX);
    for (int i = 0; i < TIMERS; i++) {
        dues[i] = now + (int64_t)rng_below(&rng, UINT64_C(1) << rng_below(&rng, 24));
        timers_add(&t, (struct timer){dues[i], NULL, (uint64_t)i});
        now += (int64_t)rng_below(&rng, 40);
        struct timer out;
        while (timers_take(&t, now, &out)) {
            assert_int_equal(out.due, dues[out.number]);
            assert_int_equal(out.due, earliest(i + 1));
            came[out.number] = true;
        }
        assert_true(timers_due(&t) == earliest(i + 1));
        assert_true(timers_due(&t) > now);
    }
    timers_fini(&t);
}

static void swept_timers_never_come(void **state) {
    (void)state;
    struct timers t = {0};
    for (int i = 0; i < TIMERS; i++) {
        forgotten[i] = i % 3 != 0;
        timers_add(&t, (struct timer){1000 + i * 7 % 5003, NULL, (uint64_t)i});
    }
    timers_sweep(&t, is_meant);
    assert_int_equal(t.count, (TIMERS + 2) / 3);
    struct timer out;
    int64_t last = 0;
    size_t taken = 0;
    while (timers_take(&t, INT64_MAX - 1, &out)) {
        assert_false(forgotten[out.number]);
        assert_true(out.due >= last);
        last = out.due;
        taken++;
    }
    assert_int_equal(taken, (TIMERS + 2) / 3);
    timers_fini(&t);
}

static void a_time_that_has_passed_is_due_at_once(void **state) {
    (void)state;
    struct timers t = {0};
    struct timer out;
    timers_add(&t, (struct timer){500, NULL, 1});
    assert_true(timers_take(&t, 600, &out));
    timers_add(&t, (struct timer){100, NULL, 2});
    assert_true(timers_due(&t) <= 600);
    assert_true(timers_take(&t, 600, &out));
    assert_int_equal(out.number, 2);
    timers_fini(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_order_of_their_time),
        cmocka_unit_test(swept_timers_never_come),
        cmocka_unit_test(a_time_that_has_passed_is_due_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
