/* json_write_test.c - JSON written member by member. */
#include "wire/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void members_and_lists_are_separated_by_commas(void **state) {
    (void)state;
    struct strbuf out = {0};
    struct json_write w = json_write_to(&out);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "name", STR("a \"b\""));
    json_write_open(&w, "points", '[');
    json_write_number(&w, NULL, 0.5);
    json_write_number(&w, NULL, INFINITY);
    json_write_open(&w, NULL, '{');
    json_write_close(&w);
    json_write_close(&w);
    json_write_int(&w, "count", -7);
    json_write_bool(&w, "good", true);
    json_write_close(&w);
    assert_string_equal(out.at, "{\"name\":\"a \\\"b\\\"\",\"points\":[0.5,null,{}],\"count\":-7,"
                                "\"good\":true}");
    strbuf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_lists_are_separated_by_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
