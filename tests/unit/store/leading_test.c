/* leading_test.c - durability "replicated" against a real primary and its replica. */
#include "store/leading.h"

#include "base/metrics.h"
#include "support/pump_kit.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { BEFORE = 100, AFTER = 20 };

static void start_replicated(struct owner *w, const char *redis, const char *name) {
    struct pump_options o = options(redis, name);
    o.durability = "replicated";
    start_with(w, &o);
}

static void batch_is_acknowledged_when_a_replica_has_it_and_not_before(void **state) {
    (void)state;
    struct redis_pair p;
    struct owner w;
    redis_pair_start(&p);
    start_replicated(&w, p.primary.address, "a");
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= BEFORE; n++)
        append_and_await(&w, n);
    redis_pair_cut(&p);
    append(&w, BEFORE + 1);
    append(&w, BEFORE + 2);
    await_state(&w, "no replica of Redis");
    exactly_once(&p.primary, BEFORE + 1); /* written, and only once however long it waits */
    int64_t until_us = clock_mono_us() + 1000000;
    while (clock_mono_us() < until_us)
        (void)step(&w, 50);
    assert_int_equal(w.acked_tag, BEFORE);
    assert_true(metric_get(METRIC_journal_unreplicated_total) > 0);
    exactly_once(&p.primary, BEFORE + 1);
    assert_int_equal(w.losses, 0); /* it still renews its lease */
    redis_pair_heal(&p);
    while (w.acked_tag < BEFORE + 2)
        await(&w, PUMP_APPENDED);
    await_state(&w, "");
    exactly_once(&p.replica, BEFORE + 2);
    stop(&w);
    redis_pair_stop(&p);
}

static void stop_does_not_wait_for_a_replica_for_ever(void **state) {
    (void)state;
    struct redis_pair p;
    struct owner w;
    redis_pair_start(&p);
    start_replicated(&w, p.primary.address, "a");
    await(&w, PUMP_LEADING);
    redis_pair_cut(&p);
    append(&w, 1);
    await_state(&w, "no replica of Redis");
    int64_t begin_us = clock_mono_us();
    stop(&w);
    assert_in_range(clock_mono_us() - begin_us, 0, 4000000);
    redis_pair_stop(&p);
}

/* The address that operators move by hand, a name or a virtual IP: here a link to a socket. */
static void point_at(const char *name, const struct redis_fixture *f) {
    char fresh[128];
    (void)snprintf(fresh, sizeof fresh, "%s.new", name);
    (void)unlink(fresh);
    assert_int_equal(symlink(f->socket, fresh), 0);
    assert_int_equal(rename(fresh, name), 0);
}

static void await_length(struct redis_fixture *f, long entries) {
    char length[32];
    for (int64_t until_us = clock_mono_us() + WAIT_MS * 1000;;) {
        redis_fixture_run(f, length, sizeof length, "XLEN", KEY, NULL);
        if (strtol(length, NULL, 10) == entries) return;
        if (clock_mono_us() > until_us) fail_msg("%s entries, not %ld", length, entries);
        redis_fixture_nap();
    }
}

static void what_was_acknowledged_is_there_after_a_failover_with_the_link_cut(void **state) {
    (void)state;
    struct redis_pair p;
    struct owner w;
    char name[96], address[128];
    redis_pair_start(&p);
    (void)snprintf(name, sizeof name, "%s/current", p.primary.folder);
    (void)snprintf(address, sizeof address, "unix:%s", name);
    point_at(name, &p.primary);
    start_replicated(&w, address, "a");
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= BEFORE; n++)
        append_and_await(&w, n);
    redis_pair_cut(&p);
    append(&w, BEFORE + 1); /* only the primary has it */
    await_state(&w, "no replica of Redis");
    redis_fixture_kill(&p.primary);
    redis_fixture_run(&p.replica, NULL, 0, "REPLICAOF", "NO", "ONE", NULL);
    point_at(name, &p.replica);
    await_length(&p.replica, 1 + BEFORE + 1); /* the unacknowledged one was written again */
    await_state(&w, "no replica of Redis");   /* the new primary has none yet */
    exactly_once(&p.replica, BEFORE + 1);
    assert_int_equal(w.acked_tag, BEFORE);
    assert_int_equal(w.losses, 0);
    stop(&w);
    start(&w, address, "b"); /* the operator has no second machine: level fsync */
    await(&w, PUMP_LEADING);
    exactly_once(&p.replica, BEFORE + 1);
    stop(&w);
    redis_pair_stop(&p);
}

/* Level fsync in the same failover: acknowledged batches are gone, and that is noticed. */
static void failover_that_takes_acknowledged_batches_back_is_noticed_at_level_fsync(void **state) {
    (void)state;
    struct redis_pair p;
    struct owner w;
    char name[96], address[128];
    redis_pair_start(&p);
    (void)snprintf(name, sizeof name, "%s/current", p.primary.folder);
    (void)snprintf(address, sizeof address, "unix:%s", name);
    point_at(name, &p.primary);
    start(&w, address, "a");
    await(&w, PUMP_LEADING);
    for (uint32_t n = 1; n <= BEFORE; n++)
        append_and_await(&w, n);
    redis_pair_cut(&p);
    for (uint32_t n = BEFORE + 1; n <= BEFORE + AFTER; n++)
        append_and_await(&w, n);
    uint64_t epoch = w.epoch;
    redis_fixture_kill(&p.primary);
    redis_fixture_run(&p.replica, NULL, 0, "REPLICAOF", "NO", "ONE", NULL);
    point_at(name, &p.replica);
    await(&w, PUMP_LOST);
    assert_non_null(strstr(w.lost, "Redis lost acknowledged writes"));
    await(&w, PUMP_LEADING);
    assert_true(w.epoch > epoch);
    stop(&w);
    redis_pair_stop(&p);
}

/* A primary that was paused wakes after its replica took its place: nothing it is told counts. */
static void old_primary_that_wakes_acknowledges_nothing(void **state) {
    (void)state;
    struct redis_pair p;
    struct owner a, b;
    redis_pair_start(&p);
    start_replicated(&a, p.primary.address, "a");
    await(&a, PUMP_LEADING);
    append_and_await(&a, 1);
    (void)kill(p.primary.pid, SIGSTOP);
    redis_fixture_run(&p.replica, NULL, 0, "REPLICAOF", "NO", "ONE", NULL);
    start(&b, p.replica.address, "b");
    await(&b, PUMP_LEADING);
    append_and_await(&b, 2);
    (void)kill(p.primary.pid, SIGCONT);
    append(&a, 3);
    int64_t until_us = clock_mono_us() + 1500000;
    while (clock_mono_us() < until_us)
        (void)step(&a, 50);
    assert_int_equal(a.acked_tag, 1);
    exactly_once(&p.replica, 2);
    stop(&a);
    stop(&b);
    redis_pair_stop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_is_acknowledged_when_a_replica_has_it_and_not_before),
        cmocka_unit_test(stop_does_not_wait_for_a_replica_for_ever),
        cmocka_unit_test(what_was_acknowledged_is_there_after_a_failover_with_the_link_cut),
        cmocka_unit_test(failover_that_takes_acknowledged_batches_back_is_noticed_at_level_fsync),
        cmocka_unit_test(old_primary_that_wakes_acknowledges_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
