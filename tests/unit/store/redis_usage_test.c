/* redis_usage_test.c - what a benchmark reads of a real redis-server. */
#include "store/redis_usage.h"

#include "support/redis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct redis_usage read_usage(struct redis_fixture *f) {
    struct redis_usage u;
    struct err_text why;
    if (redis_usage_read(&u, f->address, "game", &why) != ERR_OK) fail_msg("%s", why.text);
    return u;
}

static void a_journal_s_growth_is_seen_in_memory_file_and_entries(void **state) {
    (void)state;
    struct redis_fixture f;
    char bytes[2001] = {0};
    memset(bytes, 'x', 2000);
    redis_fixture_start(&f, NULL);
    struct redis_usage before = read_usage(&f);
    assert_int_equal(before.journal_entries, 0);
    assert_int_equal(before.journal_bytes, 0);
    assert_int_equal(before.version[1], '.');
    for (int i = 0; i < 50; i++)
        redis_fixture_run(&f, NULL, 0, "XADD", "muster:{game}:journal", "*", "b", bytes, NULL);
    struct redis_usage after = read_usage(&f);
    assert_int_equal(after.journal_entries, 50);
    assert_true(after.journal_bytes > 50 * 2000);
    assert_true(after.file_bytes - before.file_bytes > 50 * 2000);
    assert_true(after.memory_bytes > before.memory_bytes);
    assert_true(after.cpu_s >= before.cpu_s && after.cpu_s > 0);
    redis_fixture_stop(&f);
}

static void a_redis_that_is_away_or_malformed_is_told(void **state) {
    (void)state;
    struct redis_usage u;
    struct err_text why;
    assert_int_equal(redis_usage_read(&u, "unix:/nowhere/redis.sock", "game", &why),
                     ERR_UNAVAILABLE);
    assert_int_equal(redis_usage_read(&u, "gopher://x", "game", &why), ERR_INVALID_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_s_growth_is_seen_in_memory_file_and_entries),
        cmocka_unit_test(a_redis_that_is_away_or_malformed_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
