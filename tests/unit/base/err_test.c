/* err_test.c - the error table and its texts. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void code_from_the_wire_that_is_none_becomes_unknown(void **state) {
    (void)state;
    assert_int_equal(err_from_code(5), ERR_NOT_FOUND);
    assert_int_equal(err_from_code(16), ERR_UNAUTHENTICATED);
    assert_int_equal(err_from_code(17), ERR_UNKNOWN);
    assert_int_equal(err_from_code(4294967295u), ERR_UNKNOWN);
}

static void name_is_the_one_grpc_uses(void **state) {
    (void)state;
    assert_string_equal(err_name(ERR_OK), "OK");
    assert_string_equal(err_name(ERR_FAILED_PRECONDITION), "FAILED_PRECONDITION");
    assert_string_equal(err_name((enum err)99), "UNKNOWN");
}

static void only_passing_troubles_are_retryable(void **state) {
    (void)state;
    assert_true(err_retryable(ERR_UNAVAILABLE));
    assert_true(err_retryable(ERR_ABORTED));
    assert_true(err_retryable(ERR_RESOURCE_EXHAUSTED));
    assert_false(err_retryable(ERR_INVALID_ARGUMENT));
    assert_false(err_retryable(ERR_OK));
}

static void set_writes_the_text_and_empties_an_earlier_field(void **state) {
    (void)state;
    struct err_text why;
    assert_int_equal(err_set_field(&why, ERR_OUT_OF_RANGE, "players[2].rating", "is %d", 7),
                     ERR_OUT_OF_RANGE);
    assert_string_equal(why.text, "is 7");
    assert_string_equal(why.field, "players[2].rating");
    assert_int_equal(err_set(&why, ERR_NOT_FOUND, "no ticket %s", "T1"), ERR_NOT_FOUND);
    assert_string_equal(why.text, "no ticket T1");
    assert_string_equal(why.field, "");
}

static void too_long_a_text_is_cut_and_ends_in_nul(void **state) {
    (void)state;
    struct err_text why;
    err_set_field(&why, ERR_INTERNAL, "abcdefghijklmnopqrstuvwxyz", "%0600d", 1);
    assert_int_equal(strlen(why.text), ERR_TEXT_BYTES - 1);
}

static void without_a_text_the_code_still_comes_back(void **state) {
    (void)state;
    assert_int_equal(err_set(NULL, ERR_ABORTED, "x"), ERR_ABORTED);
    assert_int_equal(err_set_field(NULL, ERR_ABORTED, "f", "x"), ERR_ABORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_from_the_wire_that_is_none_becomes_unknown),
        cmocka_unit_test(name_is_the_one_grpc_uses),
        cmocka_unit_test(only_passing_troubles_are_retryable),
        cmocka_unit_test(set_writes_the_text_and_empties_an_earlier_field),
        cmocka_unit_test(too_long_a_text_is_cut_and_ends_in_nul),
        cmocka_unit_test(without_a_text_the_code_still_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
