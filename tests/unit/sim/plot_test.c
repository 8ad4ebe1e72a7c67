/* plot_test.c - charts are SVG with a mark for each point that has a place. */
#include "sim/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned count_of(const char *text, const char *what) {
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void every_point_is_drawn_once_and_labels_are_escaped(void **state) {
    (void)state;
    const double x[] = {1, 10, 100}, y[] = {3, 0, 5};
    struct plot p = {.title = "a < b & c",
                     .x_label = "x",
                     .y_label = "y",
                     .x_log = true,
                     .y_log = true,
                     .series = {{"one", x, y, 3, true}},
                     .series_count = 1};
    struct strbuf svg = {0};
    plot_write(&p, &svg);
    assert_non_null(strstr(svg.at, "a &lt; b &amp; c"));
    assert_int_equal(count_of(svg.at, "r=\"3.5\""), 2); /* a logarithm of 0 has no place */
    assert_int_equal(count_of(svg.at, "<svg"), 1);
    assert_int_equal(count_of(svg.at, "</svg>"), 1);
    assert_null(strstr(svg.at, "nan"));
    strbuf_fini(&svg);
}

static void a_chart_of_nothing_is_still_a_chart(void **state) {
    (void)state;
    struct plot p = {.title = "t", .x_label = "x", .y_label = "y"};
    struct strbuf svg = {0};
    plot_write(&p, &svg);
    assert_null(strstr(svg.at, "nan"));
    assert_null(strstr(svg.at, "inf"));
    strbuf_fini(&svg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_is_drawn_once_and_labels_are_escaped),
        cmocka_unit_test(a_chart_of_nothing_is_still_a_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
