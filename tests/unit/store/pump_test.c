/* pump_test.c - the store thread against a real redis-server: order, lost replies, crashes,
 * rollback, trim. */
#include "store/pump.h"

#include "base/log.h"
#include "base/metrics.h"
#include "support/cut_proxy.h"
#include "support/pump_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void batches_are_acknowledged_in_order_and_are_there(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    append(&w, 1);
    for (uint32_t n = 2; n <= 50; n++) { /* one in flight, one behind it */
        append(&w, n);
        while (w.acked_tag < n - 1)
            await(&w, PUMP_APPENDED);
    }
    while (w.acked_tag < 50)
        await(&w, PUMP_APPENDED);
    exactly_once(&f, 50);
    stop(&w);
    assert_int_equal(w.acks, 50);
    redis_fixture_stop(&f);
}

static void next_leader_replays_and_has_a_higher_epoch_and_no_earlier_time(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    uint64_t epoch = w.epoch;
    struct record r = {.kind = RECORD_QUEUE_DELETED, .time_ms = INT64_C(99999999999999)};
    r.queue_deleted.name = STR("q");
    r.queue_deleted.version = 1;
    struct strbuf batch = {0};
    journal_encode(&r, &batch);
    pump_append(w.pump, &batch, 1, 1);
    await(&w, PUMP_APPENDED);
    stop(&w);
    char count[32];
    redis_fixture_run(&f, count, sizeof count, "EXISTS", LEASE_KEY, NULL);
    assert_string_equal(count, "0"); /* handed back */
    start(&w, f.address, "b");
    await(&w, PUMP_LEADING);
    assert_true(w.epoch > epoch);
    assert_true(w.time_ms == INT64_C(99999999999999)); /* a clock that was ahead */
    stop(&w);
    redis_fixture_stop(&f);
}

static void cut_twenty_times(enum cut what) {
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    struct cut_proxy *proxy = cut_proxy_start(f.socket);
    start(&w, cut_proxy_address(proxy), "a");
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= 20; n++) {
        cut_proxy_arm(proxy, what);
        append_and_await(&w, n);
        assert_int_equal(cut_proxy_cuts(proxy), n);
    }
    assert_int_equal(w.losses, 0);
    exactly_once(&f, 20);
    stop(&w);
    cut_proxy_stop(proxy);
    redis_fixture_stop(&f);
}

static void lost_reply_is_found_out_and_not_sent_twice(void **state) {
    (void)state;
    cut_twenty_times(CUT_REPLY);
}

static void lost_request_is_sent_again(void **state) {
    (void)state;
    int64_t retries = metric_get(METRIC_journal_retries_total);
    cut_twenty_times(CUT_REQUEST);
    assert_true(metric_get(METRIC_journal_retries_total) > retries);
}

static void every_acknowledged_batch_survives_kills_of_redis(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    uint32_t n = 0;
    for (int kills = 0; kills < 5; kills++) {
        for (int i = 0; i < 20; i++)
            append_and_await(&w, ++n);
        append(&w, ++n); /* on its way while Redis dies */
        redis_fixture_kill(&f);
        redis_fixture_again(&f);
        while (w.acked_tag < n)
            await(&w, PUMP_APPENDED);
    }
    assert_int_equal(w.losses, 0);
    exactly_once(&f, n);
    stop(&w);
    redis_fixture_stop(&f);
}

static void stopped_redis_is_reported_and_the_batch_is_there_once_after(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    struct pump_options o = options(f.address, "a");
    o.operation_ms = 100;
    start_with(&w, &o);
    await(&w, PUMP_LEADING);
    assert_int_equal(kill(f.pid, SIGSTOP), 0);
    append(&w, 1);
    await_state(&w, "no answer within 100 ms");
    assert_int_equal(kill(f.pid, SIGCONT), 0);
    while (w.acked_tag < 1) {
        /* its lease may have run out meanwhile, but nobody took it */
        await(&w, PUMP_APPENDED);
    }
    await_state(&w, "");
    assert_int_equal(w.losses, 0);
    exactly_once(&f, 1);
    stop(&w);
    redis_fixture_stop(&f);
}

static void cut_file(const char *path, off_t size) {
    if (truncate(path, size)) fail_msg("cannot cut %s", path);
}

/* At once, though it has nothing to write and its next renewal is 20 s away. */
static void rollback_of_acknowledged_batches_is_detected(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    char path[160];
    struct stat s;
    redis_fixture_start(&f, NULL);
    (void)snprintf(path, sizeof path, "%s/appendonlydir/appendonly.aof.1.incr.aof", f.folder);
    struct pump_options o = options(f.address, "a");
    o.lease_ms = 60000;
    start_with(&w, &o);
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= 5; n++)
        append_and_await(&w, n);
    assert_int_equal(stat(path, &s), 0);
    for (uint32_t n = 6; n <= 9; n++)
        append_and_await(&w, n);
    uint64_t epoch = w.epoch;
    redis_fixture_kill(&f);
    cut_file(path, s.st_size); /* as a power cut does without fsync */
    redis_fixture_again(&f);
    await(&w, PUMP_LOST); /* without any batch in hand */
    assert_non_null(strstr(w.lost, "journal went back from"));
    assert_non_null(strstr(w.lost, "Redis lost acknowledged writes"));
    assert_true(metric_get(METRIC_journal_rollbacks_total) > 0);
    await(&w, PUMP_LEADING);
    assert_true(w.epoch > epoch);
    exactly_once(&f, 5);
    stop(&w);
    redis_fixture_stop(&f);
}

static void deleted_stream_is_noticed_and_no_epoch_comes_twice(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    uint64_t epoch = w.epoch;
    append_and_await(&w, 1);
    redis_fixture_run(&f, NULL, 0, "DEL", KEY, NULL);
    append(&w, 2);
    await(&w, PUMP_LOST);
    assert_non_null(strstr(w.lost, "journal went back"));
    await(&w, PUMP_LEADING);
    assert_true(w.epoch > epoch);
    epoch = w.epoch;
    redis_fixture_run(&f, NULL, 0, "FLUSHALL", NULL);
    await(&w, PUMP_LOST); /* idle: the lease is gone too, so the renewal notices */
    await(&w, PUMP_LEADING);
    assert_true(w.epoch > epoch);
    exactly_once(&f, 0);
    stop(&w);
    redis_fixture_stop(&f);
}

static void batch_for_a_lost_leadership_is_never_written(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    append_and_await(&w, 1);
    redis_fixture_run(&f, NULL, 0, "FLUSHALL", NULL);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (inbox_count(&w.inbox) == 0) { /* PUMP_LOST is there, but not looked at */
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
    append(&w, 2); /* decided on the old state */
    await(&w, PUMP_LOST);
    await(&w, PUMP_LEADING);
    append_and_await(&w, 3);
    static struct census c;
    take_census(&f, &c);
    assert_int_equal(c.count[2], 0);
    assert_int_equal(c.count[3], 1);
    stop(&w);
    redis_fixture_stop(&f);
}

static void trim_drops_old_entries_and_is_confirmed(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    start(&w, f.address, "a");
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= 6; n++)
        append_and_await(&w, n);
    pump_trim(w.pump, w.epoch, w.acked_seq - 1);
    await(&w, PUMP_TRIMMED);
    char count[32];
    redis_fixture_run(&f, count, sizeof count, "XLEN", KEY, NULL);
    assert_string_equal(count, "2");
    append_and_await(&w, 7);
    stop(&w);
    redis_fixture_stop(&f);
}

static void refuses_to_lead_with(const char *says, const char *const *extra,
                                 void (*prepare)(struct redis_fixture *)) {
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, extra);
    if (prepare) prepare(&f);
    start(&w, f.address, "a");
    await_state(&w, says);
    stop(&w);
    assert_int_equal(w.leads, 0);
    redis_fixture_stop(&f);
}

static void put_text(struct redis_fixture *f) {
    redis_fixture_run(f, NULL, 0, "SET", KEY, "x", NULL);
}

static void put_foreign_entry(struct redis_fixture *f) {
    redis_fixture_run(f, NULL, 0, "XADD", KEY, "*", "user", "1", NULL);
}

static void put_unreadable_entry(struct redis_fixture *f) {
    redis_fixture_run(f, NULL, 0, "XADD", KEY, "5-1", "b", "\x0a\x7fzz", "o", "x", NULL);
}

static void unfit_redis_or_journal_is_explained_and_never_led(void **state) {
    (void)state;
    refuses_to_lead_with("something else than a stream", NULL, put_text);
    refuses_to_lead_with("none of Muster's", NULL, put_foreign_entry);
    refuses_to_lead_with("journal entry 5-1 of " KEY " cannot be read", NULL, put_unreadable_entry);
    refuses_to_lead_with("read-only replica",
                         (const char *const[]){"--replicaof", "127.0.0.1", "1", NULL}, NULL);
    refuses_to_lead_with("wants a password", (const char *const[]){"--requirepass", "secret", NULL},
                         NULL);
}

static void absent_redis_is_explained_and_waited_for(void **state) {
    (void)state;
    struct redis_fixture f;
    struct owner w;
    redis_fixture_start(&f, NULL);
    redis_fixture_kill(&f);
    start(&w, f.address, "a");
    await_state(&w, "cannot reach Redis at unix:");
    redis_fixture_again(&f);
    await(&w, PUMP_LEADING);
    assert_string_equal(w.state, "");
    stop(&w);
    redis_fixture_stop(&f);
}

static void malformed_address_is_refused_at_start(void **state) {
    (void)state;
    struct inbox inbox;
    inbox_init(&inbox, 8, NULL, NULL);
    struct pump *p;
    struct err_text why;
    struct pump_options o = options("rediss://h", "a");
    assert_int_equal(pump_start(&p, &o, &inbox, &why), ERR_INVALID_ARGUMENT);
    assert_null(p);
    inbox_fini(&inbox);
}

static int embedded_pid(const char *folder) {
    char path[96];
    int pid = 0;
    (void)snprintf(path, sizeof path, "%s/redis.pid", folder);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    if (fscanf(f, "%d", &pid) != 1) pid = 0;
    (void)fclose(f);
    return pid;
}

static void embedded_redis_heals_by_itself_when_killed(void **state) {
    (void)state;
    char folder[64];
    redis_fixture_folder(folder);
    struct owner w;
    struct pump_options o = options(NULL, "a");
    o.state_folder = folder;
    start_with(&w, &o);
    await(&w, PUMP_LEADING);
    assert_string_equal(w.state, "");
    for (uint32_t n = 1; n <= 3; n++) {
        append_and_await(&w, 2 * n - 1);
        int pid = embedded_pid(folder);
        assert_true(pid > 1);
        assert_int_equal(kill(pid, SIGKILL), 0);
        append_and_await(&w, 2 * n);
        assert_int_not_equal(embedded_pid(folder), pid);
    }
    assert_int_equal(w.losses, 0);
    assert_int_equal(w.leads, 1);
    stop(&w);
    assert_int_equal(embedded_pid(folder), 0); /* stopped and tidied up */
    start_with(&w, &o);
    await(&w, PUMP_LEADING);
    stop(&w);
    redis_fixture_remove(folder);
}

int main(void) {
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_acknowledged_in_order_and_are_there),
        cmocka_unit_test(next_leader_replays_and_has_a_higher_epoch_and_no_earlier_time),
        cmocka_unit_test(lost_reply_is_found_out_and_not_sent_twice),
        cmocka_unit_test(lost_request_is_sent_again),
        cmocka_unit_test(every_acknowledged_batch_survives_kills_of_redis),
        cmocka_unit_test(stopped_redis_is_reported_and_the_batch_is_there_once_after),
        cmocka_unit_test(rollback_of_acknowledged_batches_is_detected),
        cmocka_unit_test(deleted_stream_is_noticed_and_no_epoch_comes_twice),
        cmocka_unit_test(batch_for_a_lost_leadership_is_never_written),
        cmocka_unit_test(trim_drops_old_entries_and_is_confirmed),
        cmocka_unit_test(unfit_redis_or_journal_is_explained_and_never_led),
        cmocka_unit_test(absent_redis_is_explained_and_waited_for),
        cmocka_unit_test(malformed_address_is_refused_at_start),
        cmocka_unit_test(embedded_redis_heals_by_itself_when_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
