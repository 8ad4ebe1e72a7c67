/* sio_json_test.c - what is JSON, what is not, and what a string literal stands for. */
#include "socketio/sio_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#include <string.h>

static enum sio_json_kind check(const char *text) {
    return sio_json_check(str_of(text), 8, SIO_JSON_ANY_PLACEHOLDER);
}

static void valid_values_are_recognised_by_kind(void **state) {
    (void)state;
    assert_int_equal(check("{}"), SIO_JSON_OBJECT);
    assert_int_equal(check(" { \"a\" : [ 1 , 2 ] , \"b\" : { } } "), SIO_JSON_OBJECT);
    assert_int_equal(check("[]"), SIO_JSON_ARRAY);
    assert_int_equal(check("[1,\"x\",null,true,false,-0.5e+10]"), SIO_JSON_ARRAY);
    assert_int_equal(check("\"\\u00e9\\n\\/\""), SIO_JSON_STRING);
    assert_int_equal(check("-12.50E-3"), SIO_JSON_NUMBER);
    assert_int_equal(check("0"), SIO_JSON_NUMBER);
    assert_int_equal(check("null"), SIO_JSON_LITERAL);
}

static void malformed_text_is_invalid(void **state) {
    (void)state;
    static const char *const BAD[] = {"",
                                      " ",
                                      "[",
                                      "]",
                                      "[1,]",
                                      "[,1]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{a:1}",
                                      "01",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "-",
                                      "--1",
                                      "nul",
                                      "True",
                                      "\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\t\"",
                                      "[1 2]",
                                      "{\"a\":1,}",
                                      "[]x",
                                      "{} {}",
                                      "'a'",
                                      "[1}",
                                      "{\"a\":1]",
                                      "NaN",
                                      "\\",
                                      "{\"a\":1 \"b\":2}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (check(BAD[i]) != SIO_JSON_INVALID) fail_msg("%s", BAD[i]);
    assert_int_equal(sio_json_check((struct str){"[\"a\0\"]", 6}, 8, 0), SIO_JSON_INVALID);
}

static void every_prefix_of_a_value_is_invalid(void **state) {
    (void)state;
    static const char TEXT[] = "[{\"k\\u00e9y\":[1.5e-3,true,null,\"s\\n\"],\"z\":{}}]";
    for (size_t size = 0; size < sizeof TEXT - 1; size++) {
        char *exact = mem_text((struct str){TEXT, size}); /* so that ASan sees a read past it */
        assert_int_equal(sio_json_check((struct str){exact, size}, 8, 0), SIO_JSON_INVALID);
        mem_free(exact);
    }
    assert_int_equal(check(TEXT), SIO_JSON_ARRAY);
}

static void nesting_deeper_than_allowed_is_invalid(void **state) {
    (void)state;
    assert_int_equal(check("[[[[[[[[]]]]]]]]"), SIO_JSON_ARRAY);
    assert_int_equal(check("[[[[[[[[[]]]]]]]]]"), SIO_JSON_INVALID);
    assert_int_equal(check("[{\"a\":[{\"a\":[{\"a\":[{\"a\":[]}]}]}]}]"), SIO_JSON_INVALID);
}

static void placeholder_indexes_are_bounded_by_the_count(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } CASES[] = {{"[{\"_placeholder\":true,\"num\":1}]", true},
                 {"[{\"num\":0,\"_placeholder\":true}]", true},
                 {"[{\"_placeholder\":true,\"num\":2}]", false},
                 {"[{\"_placeholder\":true,\"num\":-1}]", false},
                 {"[{\"_placeholder\":true,\"num\":\"0\"}]", false},
                 {"[{\"_placeholder\":true}]", false},
                 {"[{\"_placeholder\":false,\"num\":9}]", true},
                 {"[{\"_placeholder\":true,\"num\":9,\"num\":1}]", true},
                 {"[{\"_placeholder\":true,\"num\":1,\"num\":9}]", false},
                 {"[{\"a\":[{\"_placeholder\" : true , \"num\" : 7 }]}]", false},
                 {"[{\"num\":99}]", true}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bool valid = sio_json_check(str_of(CASES[i].text), 8, 2) != SIO_JSON_INVALID;
        if (valid != CASES[i].valid) fail_msg("%s", CASES[i].text);
        assert_true(check(CASES[i].text) != SIO_JSON_INVALID);
    }
}

static void first_element_is_found_without_its_spaces(void **state) {
    (void)state;
    static const char *const CASES[][2] = {{"[]", ""},
                                           {" [ ] ", ""},
                                           {"[\"a\",1]", "\"a\""},
                                           {"[ \"a,]\" , 1]", "\"a,]\""},
                                           {"[ {\"x\":[1,2]} ]", "{\"x\":[1,2]}"},
                                           {"[12]", "12"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_true(str_equal(sio_json_first(str_of(CASES[i][0])), str_of(CASES[i][1])));
}

static void literals_stand_for_their_characters(void **state) {
    (void)state;
    static const char *const CASES[][2] = {{"\"plain\"", "plain"},
                                           {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
                                           {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
                                           {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
                                           {"\"\\ud83dx\"", "\xef\xbf\xbdx"},
                                           {"\"\\ude00\"", "\xef\xbf\xbd"},
                                           {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                                                  "A"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct strbuf out = {0};
        sio_json_unescape(&out, str_of(CASES[i][0]));
        if (!str_equal(strbuf_str(&out), str_of(CASES[i][1]))) fail_msg("%s", CASES[i][0]);
        strbuf_fini(&out);
    }
}

static void escaping_and_unescaping_are_inverse(void **state) {
    (void)state;
    struct strbuf literal = {0}, text = {0};
    char all[127];
    for (int c = 0; c < 127; c++)
        all[c] = (char)c;
    sio_json_escape(&literal, (struct str){all, sizeof all});
    assert_int_equal(sio_json_check(strbuf_str(&literal), 8, 0), SIO_JSON_STRING);
    sio_json_unescape(&text, strbuf_str(&literal));
    assert_int_equal(text.size, sizeof all);
    assert_memory_equal(text.at, all, sizeof all);
    strbuf_fini(&literal);
    strbuf_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_values_are_recognised_by_kind),
        cmocka_unit_test(malformed_text_is_invalid),
        cmocka_unit_test(every_prefix_of_a_value_is_invalid),
        cmocka_unit_test(nesting_deeper_than_allowed_is_invalid),
        cmocka_unit_test(placeholder_indexes_are_bounded_by_the_count),
        cmocka_unit_test(first_element_is_found_without_its_spaces),
        cmocka_unit_test(literals_stand_for_their_characters),
        cmocka_unit_test(escaping_and_unescaping_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
