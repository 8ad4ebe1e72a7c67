/* metrics_test.c - rows of the table count what they are told, and print as Prometheus reads them.
 */
#include "base/metrics.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
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
        assert_null(strpbrk(metric_help((enum metric)m), "\\\n"));
    }
}

static void series_of_the_same_labels_is_the_same(void **state) {
    (void)state;
    struct str a[] = {STR("Tickets/CreateTicket"), STR("OK")};
    struct str b[] = {STR("Tickets/CreateTicket"), STR("NOT_FOUND")};
    struct metric_series *first = metric_series(METRIC_rpc_calls_total, a);
    assert_ptr_equal(first, metric_series(METRIC_rpc_calls_total, a));
    assert_ptr_not_equal(first, metric_series(METRIC_rpc_calls_total, b));
    metric_series_add(first, 3);
    metric_series_add(first, 1);
    assert_int_equal(metric_series_get(first), 4);
}

static void assert_has_line(const struct strbuf *text, const char *line) {
    char whole[300];
    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(text->at, whole)) fail_msg("no line \"%s\" in:\n%s", line, text->at);
}

static void text_has_types_labels_and_cumulative_buckets(void **state) {
    (void)state;
    struct str labels[] = {STR("a \"b\"\\\n"), STR("CANCELLED")};
    metric_series_set(metric_series(METRIC_rpc_calls_total, labels), 9);
    struct str method[] = {STR("System/Check")};
    struct metric_series *h = metric_series(METRIC_rpc_duration_seconds, method);
    metric_observe(h, 0.0001); /* on a bound: within it */
    metric_observe(h, 0.0015);
    metric_observe_many(h, 60, 2);
    struct strbuf text = {0};
    metrics_text(&text);
    assert_has_line(&text, "# TYPE muster_rpc_calls_total counter");
    assert_has_line(&text,
                    "muster_rpc_calls_total{method=\"a \\\"b\\\"\\\\\\n\",code=\"CANCELLED\"} 9");
    assert_has_line(&text, "# TYPE muster_rpc_duration_seconds histogram");
    assert_has_line(&text,
                    "muster_rpc_duration_seconds_bucket{method=\"System/Check\",le=\"0.0001\"} 1");
    assert_has_line(&text,
                    "muster_rpc_duration_seconds_bucket{method=\"System/Check\",le=\"0.002\"} 2");
    assert_has_line(&text,
                    "muster_rpc_duration_seconds_bucket{method=\"System/Check\",le=\"10\"} 2");
    assert_has_line(&text,
                    "muster_rpc_duration_seconds_bucket{method=\"System/Check\",le=\"+Inf\"} 4");
    assert_has_line(&text, "muster_rpc_duration_seconds_count{method=\"System/Check\"} 4");
    strbuf_fini(&text);
}

static void labels_above_the_limit_share_a_series(void **state) {
    (void)state;
    int64_t refused = metric_get(METRIC_metric_series_refused_total);
    struct metric_series *s = NULL;
    char name[32];
    for (int i = 0; i <= LIMIT_METRIC_SERIES; i++) {
        (void)snprintf(name, sizeof name, "method-%d", i);
        s = metric_series(METRIC_rpc_duration_seconds, (struct str[]){str_of(name)});
    }
    assert_true(metric_get(METRIC_metric_series_refused_total) > refused);
    struct str one_more[] = {STR("one more")};
    assert_ptr_equal(s, metric_series(METRIC_rpc_duration_seconds, one_more));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_adds_up_and_gauge_keeps_the_last_value),
        cmocka_unit_test(every_row_is_named_as_prometheus_wants_it),
        cmocka_unit_test(series_of_the_same_labels_is_the_same),
        cmocka_unit_test(text_has_types_labels_and_cumulative_buckets),
        cmocka_unit_test(labels_above_the_limit_share_a_series), /* last: it fills the table */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
