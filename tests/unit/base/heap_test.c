/* heap_test.c - timers fire in order of due time, ties in start order. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

enum { NODES = 500 };

static void nodes_come_out_by_due_time_and_ties_in_start_order(void **state) {
    (void)state;
    struct heap h = {0};
    struct heap_node nodes[NODES] = {0};
    int64_t due[NODES] = {0};
    int started_in[NODES] = {0};
    struct rng rng;
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    for (int round = 0; round < 5000; round++) {
        size_t i = rng_below(&rng, NODES);
        if (rng_below(&rng, 3) == 0) {
            heap_stop(&h, &nodes[i]);
            continue;
        }
        due[i] = (int64_t)rng_below(&rng, 50) - 25;
        started_in[i] = round;
        heap_start(&h, &nodes[i], due[i]);
    }
    for (int i = 0; i < NODES; i++)
        if (heap_started(&nodes[i])) assert_int_equal(heap_due_of(&h, &nodes[i]), due[i]);
    for (size_t i = 0; i < h.count; i++)
        assert_true(heap_started(heap_nth(&h, i)));
    size_t started = 0;
    for (int i = 0; i < NODES; i++)
        started += heap_started(&nodes[i]);
    assert_int_equal(started, h.count);
    struct heap_node *before = NULL;
    for (struct heap_node *n; (n = heap_first(&h)) != NULL; before = n, started--) {
        size_t at = (size_t)(n - nodes);
        assert_int_equal(heap_due(&h), due[at]);
        assert_ptr_equal(heap_take_due(&h, 100), n);
        assert_false(heap_started(n));
        if (!before) continue;
        size_t last = (size_t)(before - nodes);
        assert_true(due[last] < due[at] ||
                    (due[last] == due[at] && started_in[last] < started_in[at]));
    }
    assert_int_equal(heap_due(&h), INT64_MAX);
    assert_int_equal(started, 0);
    heap_fini(&h);
}

static void node_is_not_taken_before_it_is_due(void **state) {
    (void)state;
    struct heap h = {0};
    struct heap_node a = {0}, b = {0};
    heap_start(&h, &a, 20);
    heap_start(&h, &b, 10);
    assert_null(heap_take_due(&h, 9));
    assert_ptr_equal(heap_first(&h), &b);
    assert_ptr_equal(heap_take_due(&h, 10), &b);
    assert_null(heap_take_due(&h, 10));
    heap_fini(&h);
}

static void restart_moves_a_node_behind_its_equals(void **state) {
    (void)state;
    struct heap h = {0};
    struct heap_node a = {0}, b = {0};
    heap_start(&h, &a, 5);
    heap_start(&h, &b, 5);
    heap_start(&h, &a, 5);
    assert_int_equal(h.count, 2);
    assert_ptr_equal(heap_take_due(&h, 5), &b);
    assert_ptr_equal(heap_take_due(&h, 5), &a);
    heap_fini(&h);
}

static void stopping_all_leaves_every_node_free_to_start_again(void **state) {
    (void)state;
    struct heap h = {0};
    struct heap_node nodes[100] = {0};
    for (int i = 0; i < 100; i++)
        heap_start(&h, &nodes[i], i * 37 % 100);
    heap_stop_all(&h);
    assert_null(heap_first(&h));
    for (int i = 0; i < 100; i++)
        assert_false(heap_started(&nodes[i]));
    heap_start(&h, &nodes[7], 1);
    assert_ptr_equal(heap_take_due(&h, 1), &nodes[7]);
    heap_fini(&h);
}

static void stopping_a_node_that_never_started_is_harmless(void **state) {
    (void)state;
    struct heap h = {0};
    struct heap_node a = {0};
    heap_stop(&h, &a);
    assert_null(heap_first(&h));
    heap_fini(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_by_due_time_and_ties_in_start_order),
        cmocka_unit_test(node_is_not_taken_before_it_is_due),
        cmocka_unit_test(restart_moves_a_node_behind_its_equals),
        cmocka_unit_test(stopping_all_leaves_every_node_free_to_start_again),
        cmocka_unit_test(stopping_a_node_that_never_started_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
