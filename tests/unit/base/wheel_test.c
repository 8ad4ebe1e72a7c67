/* wheel_test.c - timers fire once, in order, never early and at most a millisecond late. */
#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

enum { NODES = 300 };

static void fire(struct wheel_node *n) {
    (void)n;
}

/* The least due time of those started, for comparison: INT64_MAX when none is. */
static int64_t least(const int64_t due_us[NODES]) {
    int64_t first = INT64_MAX;
    for (int i = 0; i < NODES; i++)
        if (due_us[i] < first) first = due_us[i];
    return first;
}

/* Takes all that is due at `now_us`; each must be due, and none that is may be left. */
static void take_all(struct wheel *w, struct wheel_node nodes[NODES], int64_t due_us[NODES],
                     int64_t now_us) {
    for (struct wheel_node *n; (n = wheel_take(w, now_us));) {
        int64_t *due = &due_us[n - nodes];
        assert_true(*due <= now_us);
        *due = INT64_MAX;
    }
    assert_true(least(due_us) > now_us - 1000);
}

static void timers_fire_once_never_early_and_at_most_a_millisecond_late(void **state) {
    (void)state;
    struct wheel *w = malloc(sizeof *w);
    struct wheel_node nodes[NODES] = {0};
    int64_t due_us[NODES], now_us = 123456789;
    struct rng rng;
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    wheel_init(w, now_us);
    for (int i = 0; i < NODES; i++) {
        nodes[i].fire = fire;
        due_us[i] = INT64_MAX;
    }
    for (int round = 0; round < 20000; round++) {
        size_t i = rng_below(&rng, NODES);
        if (rng_below(&rng, 4) == 0) {
            wheel_stop(w, &nodes[i]);
            due_us[i] = INT64_MAX;
        } else { /* from now to days away: every level is used */
            due_us[i] = now_us + (int64_t)rng_below(&rng, 1ull << (10 + rng_below(&rng, 30)));
            wheel_start(w, &nodes[i], due_us[i]);
        }
        assert_true(least(due_us) == INT64_MAX || wheel_due_us(w) <= least(due_us) + 999);
        now_us += (int64_t)rng_below(&rng, 1ull << rng_below(&rng, 28));
        take_all(w, nodes, due_us, now_us);
    }
    /* Following wheel_due_us to the end reaches everybody, in few steps each. */
    int steps = 0;
    for (int64_t next; (next = wheel_due_us(w)) != INT64_MAX; steps++) {
        if (next > now_us) now_us = next;
        take_all(w, nodes, due_us, now_us);
    }
    assert_int_equal(least(due_us), INT64_MAX);
    assert_true(steps <= NODES * WHEEL_LEVELS);
    free(w);
}

static void timer_started_anew_fires_at_the_later_time_only(void **state) {
    (void)state;
    struct wheel *w = malloc(sizeof *w);
    struct wheel_node n = {.fire = fire};
    wheel_init(w, 0);
    assert_true(wheel_due_us(w) == INT64_MAX);
    wheel_start(w, &n, 5000);
    wheel_start(w, &n, 90000000);
    assert_null(wheel_take(w, 89999999));
    assert_ptr_equal(wheel_take(w, 90000000), &n);
    assert_null(wheel_take(w, INT64_MAX / 2));
    wheel_stop(w, &n);
    free(w);
}

static void timer_of_the_past_is_due_at_once_and_can_be_stopped(void **state) {
    (void)state;
    struct wheel *w = malloc(sizeof *w);
    struct wheel_node a = {.fire = fire}, b = {.fire = fire};
    wheel_init(w, 1000000);
    wheel_start(w, &a, 1);
    wheel_start(w, &b, 2);
    assert_int_equal(wheel_due_us(w), 1000000);
    wheel_stop(w, &a);
    assert_ptr_equal(wheel_take(w, 1000000), &b);
    assert_null(wheel_take(w, 1000000));
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_never_early_and_at_most_a_millisecond_late),
        cmocka_unit_test(timer_started_anew_fires_at_the_later_time_only),
        cmocka_unit_test(timer_of_the_past_is_due_at_once_and_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
