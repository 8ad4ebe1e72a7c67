/* json_diff_test.c - differences between two documents, in words. */
#include "wire/json_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_diff(const char *before, const char *after, const char *lines) {
    struct strbuf out = {0};
    assert_int_equal(json_diff(str_of(before), str_of(after), &out), 0);
    assert_string_equal(out.at ? out.at : "", lines);
    strbuf_fini(&out);
}

static void changed_value_is_told_with_its_path(void **state) {
    (void)state;
    assert_diff("{\"a\":{\"b\":[1,2]},\"c\":true}", "{\"a\":{\"b\":[1,3]},\"c\":true}",
                "a.b[1]: 2 -> 3\n");
}

static void items_with_a_name_are_found_wherever_they_stand(void **state) {
    (void)state;
    assert_diff("{\"rules\":[{\"name\":\"A\",\"max\":1},{\"name\":\"B\",\"max\":2}]}",
                "{\"rules\":[{\"name\":\"B\",\"max\":5},{\"name\":\"A\",\"max\":1}]}",
                "rules[B].max: 2 -> 5\n");
    assert_diff("{\"e\":[{\"target\":\"t\",\"steps\":[1]}]}",
                "{\"e\":[{\"target\":\"t\",\"steps\":[1,4]}]}", "e[t].steps[1]: added 4\n");
}

static void what_comes_and_goes_is_told(void **state) {
    (void)state;
    assert_diff("{\"tickMs\":50}", "{\"heartbeatSeconds\":30}",
                "tickMs: was 50, removed\nheartbeatSeconds: added 30\n");
}

static void comments_and_order_are_no_difference(void **state) {
    (void)state;
    assert_diff("{\"a\":1, // one\n \"b\":2}", "{\"b\":2,\"a\":1}", "");
}

static void long_values_are_cut_between_characters(void **state) {
    (void)state;
    char after[600] = "{\"a\":\"";
    for (int i = 0; i < 200; i++)
        strcat(after, "\xc3\xa9");
    strcat(after, "\"}");
    struct strbuf out = {0};
    assert_int_equal(json_diff(STR("{\"a\":1}"), str_of(after), &out), 0);
    assert_true(str_utf8_valid(strbuf_str(&out)));
    assert_true(out.size < 2 * JSON_DIFF_VALUE_BYTES);
    strbuf_fini(&out);
}

static void many_differences_are_counted_beyond_the_limit(void **state) {
    (void)state;
    struct strbuf before = {0}, after = {0}, out = {0};
    strbuf_add_char(&before, '[');
    strbuf_add_char(&after, '[');
    for (int i = 0; i < JSON_DIFF_LINES_MAX + 7; i++) {
        strbuf_printf(&before, "%s%d", i ? "," : "", i);
        strbuf_printf(&after, "%s%d", i ? "," : "", i + 1);
    }
    strbuf_add_char(&before, ']');
    strbuf_add_char(&after, ']');
    assert_int_equal(json_diff(strbuf_str(&before), strbuf_str(&after), &out), 7);
    strbuf_fini(&before);
    strbuf_fini(&after);
    strbuf_fini(&out);
}

static void a_name_with_line_ends_stays_on_its_line(void **state) {
    (void)state;
    assert_diff("[{\"name\":\"a\\nb\",\"x\":1}]", "[{\"name\":\"a\\nb\",\"x\":2}]",
                "[a b].x: 1 -> 2\n");
}

static void no_json_differs_from_nothing(void **state) {
    (void)state;
    assert_diff("{", "{}", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_value_is_told_with_its_path),
        cmocka_unit_test(items_with_a_name_are_found_wherever_they_stand),
        cmocka_unit_test(what_comes_and_goes_is_told),
        cmocka_unit_test(comments_and_order_are_no_difference),
        cmocka_unit_test(long_values_are_cut_between_characters),
        cmocka_unit_test(many_differences_are_counted_beyond_the_limit),
        cmocka_unit_test(a_name_with_line_ends_stays_on_its_line),
        cmocka_unit_test(no_json_differs_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
