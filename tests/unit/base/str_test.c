/* str_test.c - checking and parsing of text from outside. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

static void prefix_sorts_before_the_longer_text(void **state) {
    (void)state;
    assert_true(str_compare(STR("ab"), STR("abc")) < 0);
    assert_true(str_compare(STR("b"), STR("abc")) > 0);
    assert_int_equal(str_compare(STR_EMPTY, STR("")), 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
    assert_true(str_equal(STR_EMPTY, str_of(NULL)));
    assert_true(str_starts(STR("abc"), STR_EMPTY));
    assert_false(str_starts(STR("ab"), STR("abc")));
}

static void hash_depends_on_every_byte_and_is_stable_in_a_process(void **state) {
    (void)state;
    assert_true(str_hash(STR("player-1")) == str_hash(STR("player-1")));
    assert_true(str_hash(STR("player-1")) != str_hash(STR("player-2")));
    assert_true(str_hash(STR_EMPTY) == str_hash(STR("")));
}

static void malformed_utf8_is_refused(void **state) {
    (void)state;
    assert_true(str_utf8_valid(STR_EMPTY));
    assert_true(str_utf8_valid(STR("aé€😀\xF4\x8F\xBF\xBF")));
    const struct str bad[] = {
        STR("a\0b"),
        STR("\x80"),
        STR("\xC0\xAF"),
        STR("\xC1\xBF"),
        STR("\xC3"),
        STR("\xE0\x9F\xBF"),
        STR("\xED\xA0\x80"),
        STR("\xE2\x82"),
        STR("\xF0\x8F\xBF\xBF"),
        STR("\xF4\x90\x80\x80"),
        STR("\xF5\x80\x80\x80"),
        STR("\xFF"),
        STR("\xE2\x28\xA1"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_utf8_valid(bad[i]));
}

static void name_has_1_to_64_bytes_of_the_name_alphabet(void **state) {
    (void)state;
    char longest[65];
    memset(longest, 'x', sizeof longest);
    assert_true(str_name_valid((struct str){longest, 64}));
    assert_false(str_name_valid((struct str){longest, 65}));
    assert_true(str_name_valid(STR("A-z_0.9")));
    assert_false(str_name_valid(STR("")));
    assert_false(str_name_valid(STR("a b")));
    assert_false(str_name_valid(STR("a/b")));
    assert_false(str_name_valid(STR("\xC3\xA9")));
}

static void integer_is_the_whole_text_and_inside_64_bits(void **state) {
    (void)state;
    int64_t value = 1;
    assert_true(str_to_int64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_int64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_int64(STR("-0"), &value) && value == 0);
    value = 42;
    const struct str bad[] = {STR(""),
                              STR("-"),
                              STR("+1"),
                              STR(" 1"),
                              STR("1 "),
                              STR("0x1"),
                              STR("1.0"),
                              STR("9223372036854775808"),
                              STR("-9223372036854775809"),
                              STR("99999999999999999999")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_to_int64(bad[i], &value));
    assert_int_equal(value, 42);
}

static void number_is_finite_and_reads_the_same_in_every_locale(void **state) {
    (void)state;
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed, its point is a comma */
    double value;
    assert_true(str_to_double(STR("-12.5e1"), &value));
    assert_true(value == -125);
    const struct str bad[] = {STR(""),      STR("nan"), STR("inf"),  STR("0x10"),
                              STR("1e999"), STR("1,5"), STR(" 1"),   STR("+1"),
                              STR("1\0"),   STR("e"),   STR("1.5.2")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_to_double(bad[i], &value));
    (void)setlocale(LC_ALL, "C");
}

static void nearest_is_the_candidate_with_the_fewest_edits(void **state) {
    (void)state;
    const char *const names[] = {"api-listen", "events-listen", "redis", "roles"};
    assert_string_equal(str_nearest(STR("api-lisen"), names, 4), "api-listen");
    assert_string_equal(str_nearest(STR("eventslistne"), names, 4), "events-listen");
    assert_string_equal(str_nearest(STR("rols"), names, 4), "roles");
    assert_null(str_nearest(STR("unrelated-word"), names, 4));
    assert_null(str_nearest(STR("x"), names, 0));
    assert_null(str_nearest(STR("x"), (const char *const[]){"r", "no"}, 2));
}

static void buffer_grows_and_keeps_a_nul_behind_its_text(void **state) {
    (void)state;
    struct strbuf b = {0};
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&b, "%03d,", i % 1000);
    assert_int_equal(b.size, 4000);
    assert_int_equal(b.at[b.size], '\0');
    assert_memory_equal(b.at + 3996, "999,", 5);
    strbuf_clear(&b);
    assert_int_equal(strbuf_str(&b).size, 0);
    strbuf_add_char(&b, 'x');
    strbuf_add_str(&b, STR_EMPTY);
    strbuf_add(&b, "yz", 2);
    assert_string_equal(b.at, "xyz");
    memcpy(strbuf_reserve(&b, 5000), "!", 1);
    assert_int_equal(b.size, 3);
    strbuf_fini(&b);
    strbuf_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_sorts_before_the_longer_text),
        cmocka_unit_test(hash_depends_on_every_byte_and_is_stable_in_a_process),
        cmocka_unit_test(malformed_utf8_is_refused),
        cmocka_unit_test(name_has_1_to_64_bytes_of_the_name_alphabet),
        cmocka_unit_test(integer_is_the_whole_text_and_inside_64_bits),
        cmocka_unit_test(number_is_finite_and_reads_the_same_in_every_locale),
        cmocka_unit_test(nearest_is_the_candidate_with_the_fewest_edits),
        cmocka_unit_test(buffer_grows_and_keeps_a_nul_behind_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
