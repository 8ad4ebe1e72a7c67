/* metrics_test.c - rows of the table count what they are told. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

static void counter_adds_up_and_gauge_keeps_the_last_value(void **state) {
    (void)state;
    metric_add(METRIC_matches_total, 2);
    metric_add(METRIC_matches_total, 3);
    assert_int_equal(metric_get(METRIC_matches_total), 5);
    metric_set(METRIC_tickets_queued, 7);
    metric_set(METRIC_tickets_queued, 4);
    metric_add(METRIC_tickets_queued, -1);
    assert_int_equal(metric_get(METRIC_tickets_queued), 3);
}

static void every_row_is_named_as_prometheus_wants_it(void **state) {
    (void)state;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const char *name = metric_name((enum metric)m);
        size_t size = strlen(name);
        bool total = size > 6 && strcmp(name + size - 6, "_total") == 0;
        assert_int_equal(strncmp(name, "muster_", 7), 0);
        assert_int_equal(total, metric_kind((enum metric)m) == METRIC_COUNTER);
        assert_true(strlen(metric_help((enum metric)m)) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_adds_up_and_gauge_keeps_the_last_value),
        cmocka_unit_test(every_row_is_named_as_prometheus_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
