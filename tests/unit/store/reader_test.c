/* reader_test.c - following and looking back in a real stream. */
#include "store/reader.h"

#include "base/clock.h"
#include "support/redis_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "muster:{game}:journal"
#define FROM_END ((struct position){0, 0})

struct fixture {
    struct redis_fixture server;
    struct reader *reader;
};

static size_t *room(size_t *count, size_t max) {
    *count = max;
    return count;
}

static void open_both(struct fixture *f) {
    redis_fixture_start(&f->server, NULL);
    struct reader_options o = {.redis = f->server.address, .realm = "game", .operation_ms = 1000};
    struct err_text why;
    assert_int_equal(reader_new(&f->reader, &o, &why), ERR_OK);
}

static void shut(struct fixture *f) {
    reader_free(f->reader);
    redis_fixture_stop(&f->server);
}

static void add(struct fixture *f, uint64_t epoch, uint64_t seq) {
    char id[64], bytes[80];
    (void)snprintf(id, sizeof id, "%llu-%llu", (unsigned long long)epoch, (unsigned long long)seq);
    (void)snprintf(bytes, sizeof bytes, "entry %s", id);
    redis_fixture_run(&f->server, NULL, 0, "XADD", KEY, id, "b", bytes, "o", "me", NULL);
}

static void wait_turn(struct reader *r) {
    struct pollfd fd = {.fd = reader_fd(r), .events = POLLIN};
    int64_t due_ms = reader_due_ms(r);
    (void)poll(&fd, 1, due_ms < 0 || due_ms > 100 ? 100 : (int)due_ms);
}

/* Reads until `count` entries came; returns whether a rollback was told meanwhile. */
static bool read_entries(struct reader *r, struct position *out, size_t count) {
    bool any_rollback = false;
    int64_t until_us = clock_mono_us() + 10000000;
    for (size_t got = 0; got < count;) {
        struct reader_entry entries[3];
        bool jumped;
        size_t n = reader_next(r, entries, count - got < 3 ? count - got : 3, &jumped);
        any_rollback |= jumped;
        for (size_t i = 0; i < n; i++) {
            char expected[64];
            (void)snprintf(expected, sizeof expected, "entry %llu-%llu",
                           (unsigned long long)entries[i].at.epoch,
                           (unsigned long long)entries[i].at.seq);
            assert_true(str_equal(entries[i].bytes, str_of(expected)));
            out[got++] = entries[i].at;
        }
        if (clock_mono_us() > until_us) fail_msg("%zu of %zu entries", got, count);
        if (n == 0) wait_turn(r);
    }
    return any_rollback;
}

/* Lets it connect. */
static void settle(struct reader *r) {
    int64_t until_us = clock_mono_us() + 10000000;
    while (reader_fd(r) < 0) {
        struct reader_entry entry;
        bool jumped;
        assert_int_equal(reader_next(r, &entry, 1, &jumped), 0);
        if (clock_mono_us() > until_us) fail_msg("does not connect");
        if (reader_fd(r) < 0) wait_turn(r);
    }
}

static void follower_gets_every_entry_once_in_order(void **state) {
    (void)state;
    struct fixture f;
    open_both(&f);
    for (uint64_t i = 1; i <= 200; i++)
        add(&f, 5, i);
    reader_follow(f.reader, (struct position){5, 1});
    struct position got[200];
    assert_false(read_entries(f.reader, got, 199));
    for (uint64_t i = 0; i < 199; i++)
        assert_true(got[i].seq == i + 2);
    add(&f, 6, 1); /* the blocked XREAD wakes */
    assert_false(read_entries(f.reader, got, 1));
    assert_true(got[0].epoch == 6);
    assert_true(reader_last(f.reader).epoch == 6 && reader_last(f.reader).seq == 1);
    shut(&f);
}

static void follower_from_the_end_gets_only_what_comes_after(void **state) {
    (void)state;
    struct fixture f;
    open_both(&f);
    add(&f, 5, 1);
    reader_follow(f.reader, FROM_END);
    settle(f.reader);
    assert_true(reader_last(f.reader).seq == 1);
    add(&f, 5, 2);
    struct position got;
    assert_false(read_entries(f.reader, &got, 1));
    assert_true(got.seq == 2);
    shut(&f);
}

static void follower_waits_for_a_stream_that_is_not_there_yet(void **state) {
    (void)state;
    struct fixture f;
    open_both(&f);
    reader_follow(f.reader, FROM_END);
    settle(f.reader);
    add(&f, 9, 1);
    struct position got;
    assert_false(read_entries(f.reader, &got, 1));
    assert_true(got.epoch == 9);
    shut(&f);
}

static void follower_goes_on_after_redis_was_killed(void **state) {
    (void)state;
    struct fixture f;
    struct position got[2];
    open_both(&f);
    add(&f, 5, 1);
    reader_follow(f.reader, FROM_END);
    settle(f.reader);
    add(&f, 5, 2);
    assert_false(read_entries(f.reader, got, 1));
    redis_fixture_kill(&f.server);
    struct reader_entry entry;
    bool jumped;
    int64_t until_us = clock_mono_us() + 10000000;
    while (reader_fd(f.reader) >= 0) { /* it notices */
        assert_int_equal(reader_next(f.reader, &entry, 1, &jumped), 0);
        assert_true(clock_mono_us() < until_us);
        wait_turn(f.reader);
    }
    assert_true(reader_due_ms(f.reader) >= 0);
    redis_fixture_again(&f.server);
    add(&f, 5, 3);
    add(&f, 5, 4);
    assert_false(read_entries(f.reader, got, 2));
    assert_true(got[0].seq == 3 && got[1].seq == 4);
    shut(&f);
}

/* Who hears of a rollback asks for the state it left. Until somebody leads what is left, the old
 * leader may answer him from its memory. */
static void rollback_is_told_once_with_the_first_entry_behind_the_new_end(void **state) {
    (void)state;
    struct fixture f;
    struct position got;
    struct err_text why;
    struct reader_entry entry;
    size_t count;
    const struct position lost = {5, 9}; /* as given before Redis lost 3..9 */
    bool jumped;
    open_both(&f);
    add(&f, 5, 1);
    add(&f, 5, 2);
    reader_follow(f.reader, lost);
    settle(f.reader);
    assert_int_equal(reader_next(f.reader, &entry, 1, &jumped), 0);
    assert_false(jumped);
    assert_int_equal(position_compare(reader_last(f.reader), lost), 0);
    assert_int_equal(reader_range(f.reader, lost, &entry, room(&count, 1), &why), ERR_UNAVAILABLE);
    add(&f, 6, 1);
    assert_true(read_entries(f.reader, &got, 1));
    assert_true(got.epoch == 6 && got.seq == 1);
    assert_int_equal(reader_range(f.reader, lost, &entry, room(&count, 1), &why), ERR_OUT_OF_RANGE);
    add(&f, 6, 2);
    assert_false(read_entries(f.reader, &got, 1));
    shut(&f);
}

/* Redis lost everything, and its clock went back as well. */
static void rollback_into_an_older_epoch_is_told_too(void **state) {
    (void)state;
    struct fixture f;
    struct position got;
    open_both(&f);
    reader_follow(f.reader, (struct position){5, 9});
    settle(f.reader);
    add(&f, 4, 1);
    assert_true(read_entries(f.reader, &got, 1));
    assert_true(got.epoch == 4 && got.seq == 1);
    shut(&f);
}

static void what_no_replica_has_is_held_back(void **state) {
    (void)state;
    struct redis_pair p;
    struct position got[3];
    struct err_text why;
    struct reader_entry entries[8];
    bool jumped;
    size_t count;
    redis_pair_start(&p);
    struct fixture f = {.server = p.primary};
    struct reader_options o = {p.primary.address, NULL, "game", 1000, .replicated = true};
    assert_int_equal(reader_new(&f.reader, &o, &why), ERR_OK);
    add(&f, 5, 1);
    reader_follow(f.reader, (struct position){5, 0});
    (void)read_entries(f.reader, got, 1);
    redis_pair_cut(&p);
    add(&f, 5, 2);
    for (int64_t until_us = clock_mono_us() + 1000000; clock_mono_us() < until_us;) {
        assert_int_equal(reader_next(f.reader, entries, 8, &jumped), 0);
        assert_int_equal(
            reader_range(f.reader, (struct position){0, 0}, entries, room(&count, 8), &why),
            ERR_OK);
        assert_int_equal(count, 1); /* nor can it be looked up */
        wait_turn(f.reader);
    }
    redis_pair_heal(&p);
    (void)read_entries(f.reader, &got[1], 1);
    assert_int_equal(got[1].seq, 2);
    assert_int_equal(
        reader_range(f.reader, (struct position){0, 0}, entries, room(&count, 8), &why), ERR_OK);
    assert_int_equal(count, 2);
    reader_free(f.reader);
    redis_pair_stop(&p);
}

/* Else a relay that slept past the trimming would go on as if nothing had been lost. */
static void entries_trimmed_before_they_were_read_are_told_of(void **state) {
    (void)state;
    struct fixture f;
    struct position got[3];
    open_both(&f);
    for (uint64_t i = 1; i <= 6; i++)
        add(&f, 5, i);
    redis_fixture_run(&f.server, NULL, 0, "XTRIM", KEY, "MINID", "5-4", NULL);
    reader_follow(f.reader, (struct position){5, 3}); /* the next one is there */
    assert_false(read_entries(f.reader, got, 3));
    reader_follow(f.reader, (struct position){5, 2});
    assert_true(read_entries(f.reader, got, 3));
    add(&f, 6, 1);
    reader_follow(f.reader,
                  (struct position){5, 6}); /* an epoch ends, and its last entry is there */
    assert_false(read_entries(f.reader, got, 1));
    redis_fixture_run(&f.server, NULL, 0, "XTRIM", KEY, "MINID", "6-1", NULL);
    reader_follow(f.reader, (struct position){5, 6}); /* or is not: more may have been behind it */
    assert_true(read_entries(f.reader, got, 1));
    shut(&f);
}

static void look_back_gives_what_follows_a_known_position(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    struct reader_entry entries[10];
    size_t count;
    open_both(&f);
    for (uint64_t i = 1; i <= 6; i++)
        add(&f, 5, i);
    assert_int_equal(
        reader_range(f.reader, (struct position){5, 2}, entries, room(&count, 3), &why), ERR_OK);
    assert_int_equal(count, 3);
    assert_true(entries[0].at.seq == 3 && entries[2].at.seq == 5);
    assert_true(str_equal(entries[0].bytes, STR("entry 5-3")));
    assert_int_equal(
        reader_range(f.reader, (struct position){5, 6}, entries, room(&count, 10), &why), ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(reader_range(f.reader, FROM_END, entries, room(&count, 10), &why), ERR_OK);
    assert_int_equal(count, 6);
    struct position from = {5, 5};
    assert_int_equal(reader_range_from(f.reader, from, entries, room(&count, 10), &why), ERR_OK);
    assert_true(count == 2 && entries[0].at.seq == 5 && entries[1].at.seq == 6);
    from.seq = 9;
    assert_int_equal(reader_range_from(f.reader, from, entries, room(&count, 10), &why),
                     ERR_OUT_OF_RANGE);
    shut(&f);
}

static void look_back_from_a_trimmed_or_unknown_position_is_out_of_range(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    struct reader_entry entries[10];
    size_t count;
    open_both(&f);
    for (uint64_t i = 1; i <= 6; i++)
        add(&f, 5, i);
    redis_fixture_run(&f.server, NULL, 0, "XTRIM", KEY, "MINID", "5-4", NULL);
    const struct position lost[] = {{5, 3}, {5, 7}, {4, 1}, {6, 1}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(reader_range(f.reader, lost[i], entries, room(&count, 10), &why),
                         ERR_OUT_OF_RANGE);
    assert_int_equal(
        reader_range(f.reader, (struct position){5, 4}, entries, room(&count, 10), &why), ERR_OK);
    assert_int_equal(count, 2);
    shut(&f);
}

static void look_back_survives_a_cut_connection_and_reports_an_absent_redis(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    struct reader_entry entries[10];
    size_t count;
    open_both(&f);
    add(&f, 5, 1);
    assert_int_equal(reader_range(f.reader, FROM_END, entries, room(&count, 10), &why), ERR_OK);
    redis_fixture_run(&f.server, NULL, 0, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes",
                      NULL);
    assert_int_equal(reader_range(f.reader, FROM_END, entries, room(&count, 10), &why), ERR_OK);
    assert_int_equal(count, 1);
    redis_fixture_kill(&f.server);
    assert_int_equal(reader_range(f.reader, FROM_END, entries, room(&count, 10), &why),
                     ERR_UNAVAILABLE);
    redis_fixture_again(&f.server);
    assert_int_equal(reader_range(f.reader, FROM_END, entries, room(&count, 10), &why), ERR_OK);
    shut(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follower_gets_every_entry_once_in_order),
        cmocka_unit_test(follower_from_the_end_gets_only_what_comes_after),
        cmocka_unit_test(follower_waits_for_a_stream_that_is_not_there_yet),
        cmocka_unit_test(follower_goes_on_after_redis_was_killed),
        cmocka_unit_test(rollback_is_told_once_with_the_first_entry_behind_the_new_end),
        cmocka_unit_test(rollback_into_an_older_epoch_is_told_too),
        cmocka_unit_test(what_no_replica_has_is_held_back),
        cmocka_unit_test(entries_trimmed_before_they_were_read_are_told_of),
        cmocka_unit_test(look_back_gives_what_follows_a_known_position),
        cmocka_unit_test(look_back_from_a_trimmed_or_unknown_position_is_out_of_range),
        cmocka_unit_test(look_back_survives_a_cut_connection_and_reports_an_absent_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
