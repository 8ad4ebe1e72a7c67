/* takeover_test.c - who leads a realm, and how it passes on: fence, lease, standbys, clocks. */
#include "store/takeover.h"

#include "support/pump_kit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stale_owner_is_refused_and_steps_down(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    append_and_await(&w, 1);
    /* another owner fenced us off; the lease still says us */
    struct record r = {.kind = RECORD_EPOCH_STARTED, .time_ms = 5};
    r.epoch_started.owner = STR("other");
    struct strbuf fence = {0};
    journal_encode(&r, &fence);
    struct address a;
    struct err_text why;
    struct redis *redis;
    struct stream s;
    stream_init(&s, "game");
    assert_int_equal(address_parse(&a, f.address, &why), ERR_OK);
    assert_int_equal(redis_open(&redis, &a, 1000, &why), ERR_OK);
    struct stream_entry e = {{w.epoch + 7, 1}, strbuf_str(&fence), STR("other")};
    assert_int_equal(stream_append(redis, &s, &e, true, &why), ERR_OK);
    redis_close(redis);
    strbuf_fini(&fence);
    uint64_t epoch = w.epoch;
    append(&w, 2);
    await(&w, PUMP_LOST);
    assert_non_null(strstr(w.lost, "another process (other) took over"));
    await(&w, PUMP_LEADING); /* the lease is still ours: it leads again, above the other */
    assert_true(w.epoch > epoch + 7);
    exactly_once(&f, 1);
    append_and_await(&w, 2);
    exactly_once(&f, 2);
    stop(&w);
    redis_fixture_stop(&f);
}

static void leader_steps_down_when_another_holds_the_lease(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    redis_fixture_run(&f, NULL, 0, "SET", LEASE_KEY, "other", "PX", "800", NULL);
    await(&w, PUMP_LOST);
    assert_non_null(strstr(w.lost, "another process (other) holds the realm's lease"));
    await_state(&w, "another process (other) leads this realm");
    await(&w, PUMP_LEADING);
    await_state(&w, "");
    assert_int_equal(w.leads, 2);
    stop(&w);
    redis_fixture_stop(&f);
}

static void standby_takes_over_when_the_leader_stops(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner a, b;
    redis_fixture_start(&f, NULL);
    start(&a, f.address, "a");
    await(&a, PUMP_LEADING);
    start(&b, f.address, "b");
    await_state(&b, "another process (a) leads this realm; this one stands by");
    append_and_await(&a, 1);
    stop(&a);
    await(&b, PUMP_LEADING);
    assert_true(b.epoch > a.epoch);
    append_and_await(&b, 2);
    exactly_once(&f, 2);
    stop(&b);
    redis_fixture_stop(&f);
}

static void standby_takes_over_from_a_killed_process_within_the_lease(void **state) {
    (void)state;
    struct redis_fixture f;
    int ready[2];
    char byte;
    redis_fixture_start(&f, NULL);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct owner w;
        start(&w, f.address, "doomed");
        await(&w, PUMP_LEADING);
        append_and_await(&w, 1);
        if (write(ready[1], "y", 1) != 1) _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct owner w;
    start(&w, f.address, "b");
    await_state(&w, "another process (doomed) leads");
    int64_t killed_us = clock_mono_us();
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    await(&w, PUMP_LEADING);
    int64_t took_ms = (clock_mono_us() - killed_us) / 1000;
    if (took_ms > LEASE_MS + 2000) fail_msg("took %lld ms", (long long)took_ms);
    exactly_once(&f, 1);
    stop(&w);
    (void)close(ready[0]);
    (void)close(ready[1]);
    redis_fixture_stop(&f);
}

/* A leader in a process of its own, which appends numbers from 1 for ever. */
static pid_t fork_leader(const char *redis, const char *name) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct owner w;
        start(&w, redis, name);
        await(&w, PUMP_LEADING);
        for (uint32_t n = 1; w.losses == 0; n++) {
            append(&w, n);
            while (w.acked_tag < n && w.losses == 0)
                (void)step(&w, 50);
            if (n == 10 && write(ready[1], "y", 1) != 1) _exit(1);
        }
        stop(&w);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void paused_leader_is_replaced_in_time_and_harms_nothing_on_waking(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    char length[2][32];
    int status;
    redis_fixture_start(&f, NULL);
    pid_t paused = fork_leader(f.address, "paused");
    start(&w, f.address, "b");
    await_state(&w, "another process (paused) leads");
    int64_t paused_us = clock_mono_us();
    (void)kill(paused, SIGSTOP);
    await(&w, PUMP_LEADING);
    int64_t took_ms = (clock_mono_us() - paused_us) / 1000;
    print_message("took over from a paused leader in %lld ms\n", (long long)took_ms);
    if (took_ms > LEASE_MS + 1000) fail_msg("took %lld ms", (long long)took_ms);
    append_and_await(&w, 1);
    redis_fixture_run(&f, length[0], 32, "XLEN", KEY, NULL);
    (void)kill(paused, SIGCONT);
    assert_int_equal(waitpid(paused, &status, 0), paused); /* it steps down by itself */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    redis_fixture_run(&f, length[1], 32, "XLEN", KEY, NULL);
    assert_string_equal(length[0], length[1]);
    append_and_await(&w, 2);
    assert_int_equal(w.losses, 0);
    stop(&w);
    redis_fixture_stop(&f);
}

static void standby_follows_and_takes_over_with_what_it_has(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner a, b;
    redis_fixture_start(&f, NULL);
    start(&a, f.address, "a");
    await(&a, PUMP_LEADING);
    start(&b, f.address, "b");
    for (uint32_t n = 1; n <= 300; n++)
        append_and_await(&a, n);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (b.standing_seq < a.acked_seq) {
        await(&b, PUMP_STANDING);
        assert_true(clock_mono_us() < until_us);
    }
    await(&b, PUMP_STANDING);
    assert_int_equal(b.behind, 0);
    stop(&a);
    await(&b, PUMP_LEADING);
    stop(&b);
    redis_fixture_stop(&f);
}

static void realms_clock_goes_on_where_the_last_leader_told_it(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    /* a leader whose clock is far from this host's, and which dies */
    redis_fixture_run(&f, NULL, 0, "SET", LEASE_KEY, "other 600 1 1000000000000", "PX", "600",
                      NULL);
    int64_t set_us = clock_mono_us();
    start(&w, f.address, "b");
    await_state(&w, "another process (other) leads");
    await(&w, PUMP_LEADING);
    int64_t elapsed_ms = (clock_mono_us() - set_us) / 1000;
    assert_in_range(w.time_ms - 1000000000000, 400, elapsed_ms);
    stop(&w);
    redis_fixture_stop(&f);
}

static void clock_of_redis_may_jump_by_an_hour_under_a_leader(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    uint32_t n = 0;
    for (int jump = 0; jump < 4; jump++) {
        redis_fixture_shift_clock(&f, jump % 2 ? -3600 : 3600);
        int64_t until_us = clock_mono_us() + LEASE_MS * 1000;
        while (clock_mono_us() < until_us) {
            append_and_await(&w, ++n);
            redis_fixture_nap();
        }
    }
    assert_int_equal(w.losses, 0);
    exactly_once(&f, n);
    stop(&w);
    redis_fixture_stop(&f);
}

static void dead_leader_is_replaced_though_the_clock_of_redis_jumps(void **state) {
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        struct redis_fixture f;
        struct owner w;
        redis_fixture_start(&f, NULL);
        pid_t leader = fork_leader(f.address, "doomed");
        start(&w, f.address, "b");
        await_state(&w, "another process (doomed) leads");
        (void)kill(leader, SIGKILL);
        (void)waitpid(leader, NULL, 0);
        int64_t killed_us = clock_mono_us();
        redis_fixture_shift_clock(&f, ahead ? 3600 : -3600);
        await(&w, PUMP_LEADING);
        int64_t took_ms = (clock_mono_us() - killed_us) / 1000;
        print_message("clock %s an hour: took over in %lld ms\n", ahead ? "ahead" : "back",
                      (long long)took_ms);
        if (took_ms > 2 * LEASE_MS + 1000) fail_msg("took %lld ms", (long long)took_ms);
        stop(&w);
        redis_fixture_stop(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_owner_is_refused_and_steps_down),
        cmocka_unit_test(leader_steps_down_when_another_holds_the_lease),
        cmocka_unit_test(standby_takes_over_when_the_leader_stops),
        cmocka_unit_test(standby_takes_over_from_a_killed_process_within_the_lease),
        cmocka_unit_test(paused_leader_is_replaced_in_time_and_harms_nothing_on_waking),
        cmocka_unit_test(standby_follows_and_takes_over_with_what_it_has),
        cmocka_unit_test(realms_clock_goes_on_where_the_last_leader_told_it),
        cmocka_unit_test(clock_of_redis_may_jump_by_an_hour_under_a_leader),
        cmocka_unit_test(dead_leader_is_replaced_though_the_clock_of_redis_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
