/* chunked_test.c - chunks in pieces of every size, and what is none. */
#include "bridge/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum chunked_state take(const char *text, size_t piece, size_t max, struct strbuf *out) {
    struct chunked c = {0};
    struct str rest = str_of(text);
    strbuf_clear(out);
    while (rest.size) {
        size_t size = rest.size < piece ? rest.size : piece;
        (void)chunked_take(&c, (struct str){rest.at, size}, out, max);
        rest = (struct str){rest.at + size, rest.size - size};
    }
    return c.state;
}

static void body_is_the_same_however_it_is_cut(void **state) {
    (void)state;
    static const char text[] = "4\r\nabcd\r\n"
                               "A;name=value\r\n0123456789\r\n"
                               "1 \r\n\r\r\n"
                               "0;last\r\nTrailer: x\r\n\r\n";
    struct strbuf out = {0};
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        assert_int_equal(take(text, piece, 100, &out), CHUNKED_DONE);
        assert_true(str_equal(strbuf_str(&out), STR("abcd0123456789\r")));
    }
    strbuf_fini(&out);
}

static void body_may_have_exactly_the_limit(void **state) {
    (void)state;
    struct strbuf out = {0};
    assert_int_equal(take("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 3, 4, &out), CHUNKED_DONE);
    assert_int_equal(take("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", 3, 4, &out), CHUNKED_TOO_LARGE);
    assert_int_equal(take("fffffffff\r\n", 99, 4, &out), CHUNKED_TOO_LARGE);
    strbuf_fini(&out);
}

static void what_is_no_chunk_is_malformed(void **state) {
    (void)state;
    static const char *const texts[] = {"\r\n",        "x\r\n",      "1\n",        "1\r\r\n",
                                        "1\r\nab\r\n", "1\r\na\n\n", "0\r\na\n\n", "-1\r\n"};
    struct strbuf out = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t piece = 1; piece < 4; piece++)
            assert_int_equal(take(texts[i], piece, 100, &out), CHUNKED_MALFORMED);
    strbuf_fini(&out);
}

static void line_and_number_of_trailers_are_bounded(void **state) {
    (void)state;
    struct strbuf out = {0}, text = {0};
    strbuf_add_str(&text, STR("1;"));
    for (int i = 0; i < 300; i++)
        strbuf_add_char(&text, 'x');
    assert_int_equal(take(text.at, 50, 100, &out), CHUNKED_MALFORMED);
    strbuf_clear(&text);
    strbuf_add_str(&text, STR("0\r\n"));
    for (int i = 0; i < 20; i++)
        strbuf_add_str(&text, STR("a: b\r\n"));
    assert_int_equal(take(text.at, 50, 100, &out), CHUNKED_MALFORMED);
    strbuf_fini(&text);
    strbuf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_the_same_however_it_is_cut),
        cmocka_unit_test(body_may_have_exactly_the_limit),
        cmocka_unit_test(what_is_no_chunk_is_malformed),
        cmocka_unit_test(line_and_number_of_trailers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
