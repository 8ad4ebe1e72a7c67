/* id_test.c - ULIDs: order, text form, refusal of what is none. */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void text_form_is_the_one_of_the_ulid_specification(void **state) {
    (void)state;
    char text[ID_TEXT_BYTES];
    id_format((struct id){UINT64_MAX, UINT64_MAX}, text);
    assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    id_format((struct id){(uint64_t)1469918176385 << 16, 1}, text);
    assert_string_equal(text, "01ARYZ6S410000000000000001"); /* the specification's time */
}

static void what_is_written_reads_back_in_either_case(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 1000; i++) {
        struct id id = id_new(&rng, 1700000000000 + i), back;
        char text[ID_TEXT_BYTES];
        id_format(id, text);
        assert_true(id_parse(str_of(text), &back));
        assert_true(id_equal(id, back));
        for (char *p = text; *p; p++)
            if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
        assert_true(id_parse(str_of(text), &back));
        assert_true(id_equal(id, back));
    }
}

static void later_id_sorts_after_an_earlier_one_in_both_forms(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    struct id early = id_new(&rng, 1000), late = id_new(&rng, 1001);
    char early_text[ID_TEXT_BYTES], late_text[ID_TEXT_BYTES];
    id_format(early, early_text);
    id_format(late, late_text);
    assert_true(id_compare(early, late) < 0);
    assert_true(id_compare(late, early) > 0);
    assert_int_equal(id_compare(late, late), 0);
    assert_true(strcmp(early_text, late_text) < 0);
    assert_true(id_hash(early) != id_hash(late));
}

static void text_that_is_no_ulid_is_refused(void **state) {
    (void)state;
    struct id id = {5, 6};
    const struct str bad[] = {STR(""),
                              STR("01ARYZ6S41TSV4RRFFQ69G5FA"),
                              STR("01ARYZ6S41TSV4RRFFQ69G5FAVX"),
                              STR("81ARYZ6S41TSV4RRFFQ69G5FAV"),
                              STR("01ARYZ6S41TSV4RRFFQ69G5FAI"),
                              STR("01ARYZ6S41TSV4RRFFQ69G5FAU"),
                              STR("01ARYZ6S41TSV4RRFFQ69G5F-V"),
                              STR("00000000000000000000000000")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(id_parse(bad[i], &id));
    assert_true(id.hi == 5 && id.lo == 6);
    assert_true(id_is_none((struct id){0, 0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_form_is_the_one_of_the_ulid_specification),
        cmocka_unit_test(what_is_written_reads_back_in_either_case),
        cmocka_unit_test(later_id_sorts_after_an_earlier_one_in_both_forms),
        cmocka_unit_test(text_that_is_no_ulid_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
