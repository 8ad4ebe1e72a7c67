/* log_test.c - lines as they arrive on stderr; the clock is this file. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int64_t mono_us = 1000000;

/* Takes the place of base/clock.c at link time. */
int64_t clock_mono_us(void) {
    return mono_us;
}

int64_t clock_wall_ms(void) {
    return 1795403779042; /* 2026-11-23T03:16:19.042Z */
}

static int real_stderr, captured;
static char text[65536];

static void capture(void) {
    (void)fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    captured = memfd_create("log", MFD_CLOEXEC);
    assert_true(captured >= 0 && dup2(captured, STDERR_FILENO) >= 0);
}

static const char *release(void) {
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    ssize_t size = pread(captured, text, sizeof text - 1, 0);
    (void)close(captured);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static int count_of(const char *in, const char *what) {
    int count = 0;
    for (; (in = strstr(in, what)) != NULL; in++)
        count++;
    return count;
}

static void logfmt_line_has_time_level_id_and_pairs(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture();
    LOG_INFO("queue-put", "queue=%s version=%u", "ranked", 3u);
    assert_string_equal(release(), "time=2026-11-23T03:16:19.042Z level=info id=queue-put "
                                   "queue=ranked version=3\n");
}

static void json_line_has_a_member_per_pair(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture();
    LOG_INFO("queue-put", "queue=%s why=%s raw=a\"b\\ loose words", "ranked",
             log_quote(STR("no \"such\" thing\n")));
    assert_string_equal(
        release(), "{\"time\":\"2026-11-23T03:16:19.042Z\",\"level\":\"info\",\"id\":\"queue-put\","
                   "\"queue\":\"ranked\",\"why\":\"no \\\"such\\\" thing\\n\","
                   "\"raw\":\"a\\\"b\\\\ loose words\"}\n");
}

static void words_without_a_key_become_the_text_member(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture();
    LOG_INFO("started", "all roles up port=%d", 7350);
    assert_non_null(strstr(release(), ",\"port\":\"7350\",\"text\":\"all roles up\"}\n"));
}

static void line_breaks_and_bad_bytes_cannot_forge_a_line(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture();
    LOG_INFO("x", "player=%s", "a\nlevel=error \x1b[31m\xff");
    const char *line = release();
    assert_int_equal(count_of(line, "\n"), 1);
    assert_null(strchr(line, '\x1b'));
    assert_null(strchr(line, '\xff'));
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture();
    LOG_INFO("x", "player=%s", "a\"\n\xff");
    assert_non_null(strstr(release(), "\"player\":\"a\\\"\\n\xEF\xBF\xBD\""));
}

static void long_line_is_cut_but_stays_one_closed_line(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture();
    LOG_INFO("long", "a=%05000d b=2", 1);
    const char *line = release();
    size_t size = strlen(line);
    assert_in_range(size, 2000, 4096);
    assert_string_equal(line + size - 3, "\"}\n");
}

static void quote_escapes_and_cuts_between_characters(void **state) {
    (void)state;
    assert_string_equal(log_quote(STR("a \"b\"\\\n\x01")), "\"a \\\"b\\\"\\\\\\n\\u0001\"");
    assert_string_equal(log_quote(STR_EMPTY), "\"\"");
    char long_text[300];
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text + 254, "€", 3); /* its last byte would be the 257th */
    const char *quoted = log_quote((struct str){long_text, sizeof long_text});
    assert_int_equal(strlen(quoted), 254 + 2);
    const char *first = log_quote(STR("first"));
    for (int i = 0; i < 7; i++)
        (void)log_quote(STR("other"));
    assert_string_equal(first, "\"first\"");
}

static void level_below_the_setting_is_not_written(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    capture();
    LOG_INFO("a", "x=1");
    LOG_DEBUG("a", "x=1");
    LOG_WARN("level-test", "x=1");
    assert_int_equal(count_of(release(), "\n"), 1);
    assert_false(log_enabled(LOG_LEVEL_INFO));
    assert_true(log_enabled(LOG_LEVEL_ERROR));
}

static void repeats_are_limited_per_id_and_counted(void **state) {
    (void)state;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture();
    for (int i = 0; i < 30; i++) {
        LOG_WARN("redis-lost", "n=%d", i);
        LOG_INFO("unlimited", "n=%d", i);
    }
    LOG_ERROR("other-id", "n=1");
    mono_us += 1000000;
    LOG_WARN("redis-lost", "n=30");
    LOG_WARN("redis-lost", "n=31");
    const char *lines = release();
    assert_int_equal(count_of(lines, "id=redis-lost"), 12);
    assert_int_equal(count_of(lines, "id=unlimited"), 30);
    assert_int_equal(count_of(lines, "id=other-id"), 1);
    assert_int_equal(count_of(lines, "id=log-repeats-left-out of=redis-lost count=20\n"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_line_has_time_level_id_and_pairs),
        cmocka_unit_test(json_line_has_a_member_per_pair),
        cmocka_unit_test(words_without_a_key_become_the_text_member),
        cmocka_unit_test(line_breaks_and_bad_bytes_cannot_forge_a_line),
        cmocka_unit_test(long_line_is_cut_but_stays_one_closed_line),
        cmocka_unit_test(quote_escapes_and_cuts_between_characters),
        cmocka_unit_test(level_below_the_setting_is_not_written),
        cmocka_unit_test(repeats_are_limited_per_id_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
