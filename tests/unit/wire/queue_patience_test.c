/* queue_patience_test.c - what a queue definition says of patience, and what it may not say. */
#include "wire/queue_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct queue_def *def;
static struct strbuf notes;
static struct err_text why;

static enum err parse(const char *settings) {
    char json[1000];
    snprintf(json, sizeof json,
             "{\"name\":\"q\"%s,\"ruleset\":{\"ruleLanguageVersion\":\"1.0\","
             "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}],"
             "\"teams\":[{\"name\":\"a\",\"minPlayers\":1,\"maxPlayers\":1}],"
             "\"rules\":[{\"name\":\"r\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
             "\"maxDistance\":100}]}}",
             settings);
    queue_def_free(def);
    strbuf_clear(&notes);
    return queue_json_parse(str_of(json), false, &def, &notes, &why);
}

static int end(void **state) {
    (void)state;
    queue_def_free(def);
    def = NULL;
    strbuf_fini(&notes);
    return 0;
}

static void without_patience_the_first_legal_match_is_good_enough(void **state) {
    (void)state;
    assert_int_equal(parse(""), ERR_OK);
    assert_false(def->patience.is_on);
    assert_int_equal(parse(",\"patience\":0"), ERR_OK);
    assert_false(def->patience.is_on);
}

static void all_settings_of_patience_are_read(void **state) {
    (void)state;
    assert_int_equal(parse(",\"patience\":12.5,\"deadlineSeconds\":45.5,\"qualityScale\":200,"
                           "\"uncertaintyAttribute\":\"sigma\""),
                     ERR_OK);
    assert_true(def->patience.is_on && !def->patience.is_derived);
    assert_true(def->patience.points_per_s == 12.5);
    assert_int_equal(def->patience.deadline_ms, 45500);
    assert_true(def->patience.scale == 200);
    assert_true(str_equal(def->patience.uncertainty, STR("sigma")));
    assert_int_equal(parse(",\"patience\":\"auto\""), ERR_OK);
    assert_true(def->patience.is_on && def->patience.is_derived);
}

static void the_deadline_is_half_the_timeout(void **state) {
    (void)state;
    assert_int_equal(parse(",\"patience\":1"), ERR_OK);
    assert_int_equal(def->patience.deadline_ms, 300000);
    assert_int_equal(parse(",\"patience\":1,\"ticketTimeoutSeconds\":60"), ERR_OK);
    assert_int_equal(def->patience.deadline_ms, 30000);
}

static void a_deadline_behind_the_timeout_is_noted(void **state) {
    (void)state;
    assert_int_equal(parse(",\"patience\":1,\"ticketTimeoutSeconds\":60,\"deadlineSeconds\":90"),
                     ERR_OK);
    assert_non_null(strstr(notes.at, "deadlineSeconds 90 has no effect"));
}

static void what_is_no_patience_is_refused(void **state) {
    (void)state;
    const char *const wrong[] = {",\"patience\":\"much\"",        ",\"patience\":-1",
                                 ",\"patience\":10001",           ",\"patience\":true",
                                 ",\"deadlineSeconds\":0",        ",\"qualityScale\":0",
                                 ",\"uncertaintyAttribute\":\"\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parse(wrong[i]), ERR_INVALID_ARGUMENT);
    assert_int_equal(parse(",\"patience\":\"much\""), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "points per second or \"auto\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_patience_the_first_legal_match_is_good_enough, end),
        cmocka_unit_test_teardown(all_settings_of_patience_are_read, end),
        cmocka_unit_test_teardown(the_deadline_is_half_the_timeout, end),
        cmocka_unit_test_teardown(a_deadline_behind_the_timeout_is_noted, end),
        cmocka_unit_test_teardown(what_is_no_patience_is_refused, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
