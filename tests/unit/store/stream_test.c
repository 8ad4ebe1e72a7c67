/* stream_test.c - the journal's commands, the lease and the checks against a real redis-server. */
#include "store/stream.h"

#include "base/clock.h"
#include "store/backoff.h"
#include "store/checks.h"
#include "store/lease.h"
#include "support/redis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct redis_fixture server;
    struct stream stream;
    struct redis *redis;
};

static struct redis *connect_to(const char *text) {
    struct address a;
    struct err_text why;
    struct redis *r;
    assert_int_equal(address_parse(&a, text, &why), ERR_OK);
    if (redis_open(&r, &a, 2000, &why)) fail_msg("%s", why.text);
    return r;
}

static void open_with(struct fixture *f, const char *const *extra) {
    redis_fixture_start(&f->server, extra);
    stream_init(&f->stream, "game");
    f->redis = connect_to(f->server.address);
}

static void shut(struct fixture *f) {
    redis_close(f->redis);
    redis_fixture_stop(&f->server);
}

static enum err add(struct fixture *f, uint64_t epoch, uint64_t seq, const char *bytes,
                    struct err_text *why) {
    struct stream_entry e = {{epoch, seq}, str_of(bytes), STR("me")};
    return stream_append(f->redis, &f->stream, &e, false, why);
}

static void refused(enum err got, enum err expected, const struct err_text *why, const char *says) {
    if (got != expected || !strstr(why->text, says))
        fail_msg("%s \"%s\", expected %s with \"%s\"", err_name(got), why->text, err_name(expected),
                 says);
}

static void entries_come_back_in_order_with_any_bytes(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    struct stream_entry e = {{7, 1}, {"a\0\r\n$9", 6}, STR("me")};
    assert_int_equal(stream_append(f.redis, &f.stream, &e, false, &why), ERR_OK);
    assert_int_equal(add(&f, 7, 2, "b", &why), ERR_OK);
    assert_int_equal(add(&f, UINT64_MAX, 9, "c", &why), ERR_OK);
    struct redisReply *reply;
    struct stream_span all = {{0, 0}, STREAM_END, 10};
    assert_int_equal(stream_range(f.redis, &f.stream, &all, &reply, &why), ERR_OK);
    assert_int_equal(redis_reply_count(reply), 3);
    struct stream_entry got;
    assert_int_equal(stream_entry_of(&f.stream, redis_reply_at(reply, 0), &got, &why), ERR_OK);
    assert_true(str_equal(got.bytes, (struct str){"a\0\r\n$9", 6}));
    assert_true(str_equal(got.owner, STR("me")));
    assert_int_equal(stream_entry_of(&f.stream, redis_reply_at(reply, 2), &got, &why), ERR_OK);
    assert_true(got.at.epoch == UINT64_MAX && got.at.seq == 9);
    redis_reply_free(reply);
    struct stream_top top;
    assert_int_equal(stream_top(f.redis, &f.stream, &top, &why), ERR_OK);
    assert_true(top.at.epoch == UINT64_MAX && top.at.seq == 9);
    assert_string_equal(top.owner, "me");
    shut(&f);
}

static void id_that_is_not_above_the_top_is_refused(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    assert_int_equal(add(&f, 9, 5, "a", &why), ERR_OK);
    assert_int_equal(add(&f, 9, 5, "b", &why), ERR_ALREADY_EXISTS);
    assert_int_equal(add(&f, 8, 99, "b", &why), ERR_ALREADY_EXISTS);
    assert_false(redis_broken(f.redis));
    assert_int_equal(add(&f, 9, 6, "b", &why), ERR_OK);
    shut(&f);
}

static void append_to_a_stream_that_must_exist_does_not_make_one(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    struct stream_entry e = {{9, 1}, STR("x"), STR("me")};
    assert_int_equal(stream_append(f.redis, &f.stream, &e, true, &why), ERR_NOT_FOUND);
    char count[32];
    redis_fixture_run(&f.server, count, sizeof count, "EXISTS", f.stream.key, NULL);
    assert_string_equal(count, "0");
    shut(&f);
}

static void epoch_is_above_all_that_ever_was_even_after_trim_and_delete(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    uint64_t first, second, third;
    open_with(&f, NULL);
    assert_int_equal(stream_next_epoch(f.redis, &f.stream, &first, &why), ERR_OK);
    assert_true(first > 1600000000000000ull); /* microseconds since 1970 */
    /* an epoch from a clock that was far ahead; then everything is trimmed away */
    assert_int_equal(add(&f, first + 1000000000000ull, 1, "x", &why), ERR_OK);
    redis_fixture_run(&f.server, NULL, 0, "XTRIM", f.stream.key, "MAXLEN", "0", NULL);
    assert_int_equal(stream_next_epoch(f.redis, &f.stream, &second, &why), ERR_OK);
    assert_true(second == first + 1000000000001ull);
    redis_fixture_run(&f.server, NULL, 0, "DEL", f.stream.key, NULL);
    assert_int_equal(stream_next_epoch(f.redis, &f.stream, &third, &why), ERR_OK);
    assert_true(third > first);
    shut(&f);
}

static void trim_drops_what_is_below_and_keeps_the_rest(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(add(&f, 3, i, "x", &why), ERR_OK);
    assert_int_equal(stream_trim(f.redis, &f.stream, (struct position){3, 4}, &why), ERR_OK);
    char count[32];
    redis_fixture_run(&f.server, count, sizeof count, "XLEN", f.stream.key, NULL);
    assert_string_equal(count, "2");
    shut(&f);
}

static void foreign_keys_and_streams_are_named(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    struct stream_top top;
    open_with(&f, NULL);
    redis_fixture_run(&f.server, NULL, 0, "SET", f.stream.key, "x", NULL);
    refused(stream_top(f.redis, &f.stream, &top, &why), ERR_FAILED_PRECONDITION, &why,
            "something else than a stream");
    redis_fixture_run(&f.server, NULL, 0, "DEL", f.stream.key, NULL);
    redis_fixture_run(&f.server, NULL, 0, "XADD", f.stream.key, "5-5", "user", "1", NULL);
    refused(stream_top(f.redis, &f.stream, &top, &why), ERR_FAILED_PRECONDITION, &why,
            "entry 5-5, which is none of Muster's");
    shut(&f);
}

static enum lease_state take(struct fixture *f, struct lease *l) {
    enum lease_state state;
    struct err_text why;
    if (lease_take(f->redis, &f->stream, l, &state, &why)) fail_msg("%s", why.text);
    return state;
}

static void lease_has_one_holder_until_it_is_handed_back(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    struct lease a = {.owner = STR("a"), .lease_ms = 60000};
    struct lease b = {.owner = STR("b"), .lease_ms = 60000};
    assert_int_equal(take(&f, &a), LEASE_TAKEN);
    assert_int_equal(take(&f, &b), LEASE_FOREIGN);
    assert_string_equal(b.holder, "a");
    assert_int_equal(take(&f, &a), LEASE_HELD);
    assert_int_equal(lease_release(f.redis, &f.stream, &b, &why), ERR_OK); /* not b's: kept */
    assert_int_equal(take(&f, &a), LEASE_HELD);
    assert_int_equal(lease_release(f.redis, &f.stream, &a, &why), ERR_OK);
    assert_int_equal(take(&f, &b), LEASE_TAKEN);
    shut(&f);
}

/* Takes until `l` holds it or the deadline passes; returns how long that took. */
static int64_t take_by_patience(struct fixture *f, struct lease *l) {
    int64_t start_us = clock_mono_us();
    while (take(f, l) == LEASE_FOREIGN) {
        if (clock_mono_us() - start_us > 10000000) fail_msg("still %s's", l->holder);
        redis_fixture_nap();
    }
    return (clock_mono_us() - start_us) / 1000;
}

static void dead_owners_lease_runs_out(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease dead = {.owner = STR("dead"), .lease_ms = 500};
    struct lease b = {.owner = STR("b"), .lease_ms = 500};
    assert_int_equal(take(&f, &dead), LEASE_TAKEN);
    int64_t waited_ms = take_by_patience(&f, &b);
    assert_true(waited_ms >= 300);
    shut(&f);
}

static void clock_of_redis_that_jumps_back_does_not_keep_a_dead_owners_lease(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease dead = {.owner = STR("dead"), .lease_ms = 500};
    struct lease b = {.owner = STR("b"), .lease_ms = 500};
    assert_int_equal(take(&f, &dead), LEASE_TAKEN);
    redis_fixture_shift_clock(&f.server, -3600);
    int64_t waited_ms = take_by_patience(&f, &b);
    assert_in_range(waited_ms, 1000, 3000);
    assert_int_equal(take(&f, &dead), LEASE_FOREIGN);
    shut(&f);
}

static void
clock_of_redis_that_jumps_ahead_frees_the_lease_and_the_owner_hears_of_it(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease a = {.owner = STR("a"), .lease_ms = 60000};
    struct lease b = {.owner = STR("b"), .lease_ms = 60000};
    assert_int_equal(take(&f, &a), LEASE_TAKEN);
    redis_fixture_shift_clock(&f.server, 3600);
    assert_int_equal(take(&f, &b), LEASE_TAKEN);
    assert_int_equal(take(&f, &a), LEASE_FOREIGN);
    assert_string_equal(a.holder, "b");
    shut(&f);
}

static void owner_who_renews_is_never_taken_for_dead(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease a = {.owner = STR("a"), .lease_ms = 500};
    struct lease b = {.owner = STR("b"), .lease_ms = 500};
    assert_int_equal(take(&f, &a), LEASE_TAKEN);
    redis_fixture_shift_clock(&f.server, -3600); /* only observation is left to b */
    for (int64_t until_us = clock_mono_us() + 2500000; clock_mono_us() < until_us;) {
        assert_int_equal(take(&f, &a), LEASE_HELD);
        assert_int_equal(take(&f, &b), LEASE_FOREIGN);
        redis_fixture_nap();
    }
    shut(&f);
}

/* A contender with a short lease does not rush an owner whose lease is long. */
static void owners_longer_lease_is_respected(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease a = {.owner = STR("a"), .lease_ms = 1500};
    struct lease b = {.owner = STR("b"), .lease_ms = 500};
    assert_int_equal(take(&f, &a), LEASE_TAKEN);
    redis_fixture_shift_clock(&f.server, -3600);
    assert_in_range(take_by_patience(&f, &b), 3000, 6000);
    shut(&f);
}

static void lease_tells_the_clock_of_the_realm(void **state) {
    (void)state;
    struct fixture f;
    open_with(&f, NULL);
    struct lease a = {.owner = STR("a"), .lease_ms = 5000, .clock_ms = 1234567890123};
    struct lease b = {.owner = STR("b"), .lease_ms = 5000};
    assert_int_equal(take(&f, &a), LEASE_TAKEN);
    assert_int_equal(take(&f, &b), LEASE_FOREIGN);
    assert_int_equal(b.told_clock_ms, 1234567890123);
    assert_in_range(clock_mono_us() - b.seen_us, 0, 10000000);
    shut(&f);
}

static void fitting_redis_passes_without_a_warning(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    struct checks c = {.wants_fsync = true};
    assert_int_equal(checks_run(&c, f.redis, &why), ERR_OK);
    assert_int_equal(c.warned, 0);
    assert_true(c.has_nomkstream);
    shut(&f);
}

static void redis_that_can_lose_writes_is_warned_of_once_per_finding(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, (const char *const[]){"--appendfsync", "everysec", "--maxmemory-policy",
                                        "allkeys-lru", NULL});
    struct checks c = {.wants_fsync = true};
    assert_int_equal(checks_run(&c, f.redis, &why), ERR_OK);
    unsigned weaker = c.warned;
    assert_int_equal(__builtin_popcount(weaker), 2);
    redis_fixture_run(&f.server, NULL, 0, "CONFIG", "SET", "appendonly", "no", NULL);
    assert_int_equal(checks_run(&c, f.redis, &why), ERR_OK);
    assert_int_equal(__builtin_popcount(c.warned), 3);
    shut(&f);
}

static void replica_is_refused(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, (const char *const[]){"--replicaof", "127.0.0.1", "1", NULL});
    struct checks c = {.wants_fsync = true};
    refused(checks_run(&c, f.redis, &why), ERR_FAILED_PRECONDITION, &why, "read-only replica");
    refused(add(&f, 1, 1, "x", &why), ERR_FAILED_PRECONDITION, &why, "read-only replica");
    shut(&f);
}

static void password_problems_are_told_apart(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    struct address a;
    struct redis *r;
    open_with(&f, (const char *const[]){"--requirepass", "right", NULL});
    struct checks c = {0};
    refused(checks_run(&c, f.redis, &why), ERR_UNAUTHENTICATED, &why, "wants a password");
    assert_int_equal(address_parse(&a, f.server.address, &why), ERR_OK);
    strcpy(a.password, "wrong");
    refused(redis_open(&r, &a, 1000, &why), ERR_UNAUTHENTICATED, &why, "is wrong");
    assert_null(strstr(why.text, "right"));
    strcpy(a.password, "right");
    assert_int_equal(redis_open(&r, &a, 1000, &why), ERR_OK);
    redis_close(r);
    shut(&f);
}

static void unreachable_redis_is_named_with_its_address_and_reason(void **state) {
    (void)state;
    struct address a;
    struct err_text why;
    struct redis *r;
    assert_int_equal(address_parse(&a, "unix:/tmp/muster-test-none/redis.sock", &why), ERR_OK);
    refused(redis_open(&r, &a, 1000, &why), ERR_UNAVAILABLE, &why,
            "cannot reach Redis at unix:/tmp/muster-test-none/redis.sock: No such file");
    assert_null(r);
}

static void full_memory_is_named(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    open_with(&f, NULL);
    redis_fixture_run(&f.server, NULL, 0, "CONFIG", "SET", "maxmemory", "1", NULL);
    refused(add(&f, 1, 1, "x", &why), ERR_RESOURCE_EXHAUSTED, &why, "maxmemory");
    assert_false(redis_broken(f.redis));
    shut(&f);
}

static void waits_grow_to_a_second_and_start_over(void **state) {
    (void)state;
    struct backoff b;
    backoff_init(&b);
    int64_t sum = 0;
    for (int i = 0; i < 20; i++) {
        int64_t ms = backoff_next_ms(&b);
        assert_true(ms >= 5 && ms <= 1000);
        if (i == 0) assert_true(ms <= 10);
        if (i > 8) assert_true(ms >= 500);
        sum += ms;
    }
    assert_true(sum > 5000);
    backoff_reset(&b);
    assert_true(backoff_next_ms(&b) <= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_in_order_with_any_bytes),
        cmocka_unit_test(id_that_is_not_above_the_top_is_refused),
        cmocka_unit_test(append_to_a_stream_that_must_exist_does_not_make_one),
        cmocka_unit_test(epoch_is_above_all_that_ever_was_even_after_trim_and_delete),
        cmocka_unit_test(trim_drops_what_is_below_and_keeps_the_rest),
        cmocka_unit_test(foreign_keys_and_streams_are_named),
        cmocka_unit_test(lease_has_one_holder_until_it_is_handed_back),
        cmocka_unit_test(dead_owners_lease_runs_out),
        cmocka_unit_test(clock_of_redis_that_jumps_back_does_not_keep_a_dead_owners_lease),
        cmocka_unit_test(clock_of_redis_that_jumps_ahead_frees_the_lease_and_the_owner_hears_of_it),
        cmocka_unit_test(owner_who_renews_is_never_taken_for_dead),
        cmocka_unit_test(owners_longer_lease_is_respected),
        cmocka_unit_test(lease_tells_the_clock_of_the_realm),
        cmocka_unit_test(fitting_redis_passes_without_a_warning),
        cmocka_unit_test(redis_that_can_lose_writes_is_warned_of_once_per_finding),
        cmocka_unit_test(replica_is_refused),
        cmocka_unit_test(password_problems_are_told_apart),
        cmocka_unit_test(unreachable_redis_is_named_with_its_address_and_reason),
        cmocka_unit_test(full_memory_is_named),
        cmocka_unit_test(waits_grow_to_a_second_and_start_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
