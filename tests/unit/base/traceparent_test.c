/* traceparent_test.c - traceparent, by the examples and rules of W3C Trace Context. */
#include "base/traceparent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void assert_read(const char *text, const char *as) {
    struct traceparent t;
    char out[TRACEPARENT_TEXT_BYTES];
    assert_true(traceparent_parse(str_of(text), &t));
    traceparent_format(&t, out);
    assert_string_equal(out, as);
}

static void traceparent_is_read_and_written(void **state) {
    (void)state;
    assert_read(GOOD, GOOD);
    assert_read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe");
}

static void later_versions_are_read_as_this_one(void **state) {
    (void)state;
    assert_read("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", GOOD);
    assert_read("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future", GOOD);
}

static void anything_else_is_ignored(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct traceparent t;
        if (traceparent_parse(str_of(bad[i]), &t)) fail_msg("taken: %s", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traceparent_is_read_and_written),
        cmocka_unit_test(later_versions_are_read_as_this_one),
        cmocka_unit_test(anything_else_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
