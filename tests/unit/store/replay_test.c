/* replay_test.c - journals of several chunks: replayed whole, or given up cleanly. */
#include "store/replay.h"

#include "base/mem.h"
#include "support/redis_fixture.h"
#include "wire/journal_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENTRIES = 700, TICKETS_EACH = 3 }; /* the first chunk is of 100 entries */

static struct redis_fixture server;
static struct redis *connection;
static struct stream stream;
static struct err_text why;
static unsigned proceeded, refuse_at;

static const char queue_json[] =
    "{\"name\":\"duel\",\"ruleset\":{\"name\":\"duel\",\"ruleLanguageVersion\":\"1.0\","
    "\"teams\":[{\"name\":\"red\",\"minPlayers\":1,\"maxPlayers\":1},"
    "{\"name\":\"blue\",\"minPlayers\":1,\"maxPlayers\":1}]}}";

static void append(struct position at, struct str bytes) {
    struct stream_entry entry = {at, bytes, STR("test")};
    if (stream_append(connection, &stream, &entry, false, &why)) fail_msg("%s", why.text);
}

static struct record ticket_created(struct rng *rng, const struct player *player, uint64_t seq) {
    static const struct str queue = {"duel", 4};
    struct record r = {.kind = RECORD_TICKET_CREATED, .time_ms = (int64_t)seq};
    r.ticket_created.id = id_new(rng, (int64_t)seq);
    r.ticket_created.spec = (struct ticket_spec){&queue, player, 1, 1};
    r.ticket_created.state = TICKET_QUEUED;
    r.ticket_created.created_ms = (int64_t)seq;
    r.ticket_created.expires_ms = (int64_t)seq + 1000;
    return r;
}

static void apply(void *realm, struct record *record) {
    realm_apply(realm, record);
    journal_record_fini(record);
}

/* Queue and tickets into the stream, and into `beside` record by record. */
static struct position write_journal(struct realm *beside) {
    struct rng rng;
    rng_init(&rng, 1);
    struct position at = {5, 0};
    for (at.seq = 1; at.seq <= ENTRIES; at.seq++) {
        struct strbuf bytes = {0};
        struct arena *arena = arena_new(0);
        if (at.seq == 1) {
            struct record r = {.kind = RECORD_QUEUE_PUT, .time_ms = 1};
            r.queue_put.name = STR("duel");
            r.queue_put.json = str_of(queue_json);
            r.queue_put.version = 1;
            journal_encode(&r, &bytes);
        }
        for (int i = 0; i < TICKETS_EACH; i++) {
            struct player player = {
                .id = arena_printf(arena, "p%llu-%d", (unsigned long long)at.seq, i)};
            struct record r = ticket_created(&rng, &player, at.seq);
            journal_encode(&r, &bytes);
        }
        append(at, strbuf_str(&bytes));
        if (journal_decode(strbuf_str(&bytes), arena, apply, beside, NULL, &why))
            fail_msg("%s", why.text);
        strbuf_fini(&bytes);
        arena_free(arena);
    }
    at.seq--;
    return at;
}

/* Uses the connection as the lease's renewal does. */
static enum err proceed(void *arg, struct err_text *text) {
    (void)arg;
    struct stream_top top;
    proceeded++;
    if (stream_top(connection, &stream, &top, text)) fail_msg("%s", text->text);
    assert_int_equal(top.at.epoch, 5);
    return proceeded == refuse_at ? err_set(text, ERR_CANCELLED, "stopping") : ERR_OK;
}

static enum err replay_to(struct position end, struct realm *realm, struct replay *out) {
    *out = (struct replay){.redis = connection, .stream = &stream, .end = end, .proceed = proceed};
    return replay_run(out, realm, &why);
}

static int start(void **state) {
    (void)state;
    struct address address;
    redis_fixture_start(&server, NULL);
    if (address_parse(&address, server.address, &why)) fail_msg("%s", why.text);
    if (redis_open(&connection, &address, 5000, &why)) fail_msg("%s", why.text);
    stream_init(&stream, "game");
    proceeded = refuse_at = 0;
    return 0;
}

static int stop(void **state) {
    (void)state;
    redis_close(connection);
    redis_fixture_stop(&server);
    return 0;
}

static void assert_connection_in_step(void) {
    struct stream_top top;
    assert_int_equal(stream_top(connection, &stream, &top, &why), ERR_OK);
    assert_int_equal(top.at.epoch, 5);
}

static void journal_of_many_chunks_replays_to_the_state_of_its_records(void **state) {
    (void)state;
    struct realm *beside = realm_new(0), *realm = realm_new(0);
    struct position end = write_journal(beside);
    struct replay p;
    if (replay_to(end, realm, &p)) fail_msg("%s", why.text);
    assert_true(realm_digest(realm) == realm_digest(beside));
    assert_int_equal(realm_tickets_open(realm), ENTRIES * TICKETS_EACH);
    assert_int_equal(p.entry_count, ENTRIES);
    assert_int_equal(p.time_ms, ENTRIES);
    assert_true(proceeded > 1);
    assert_connection_in_step();
    realm_free(realm);
    realm_free(beside);
}

static void replay_ends_where_it_is_told_to(void **state) {
    (void)state;
    struct realm *beside = realm_new(0), *realm = realm_new(0);
    write_journal(beside);
    struct replay p;
    if (replay_to((struct position){5, 150}, realm, &p)) fail_msg("%s", why.text);
    assert_int_equal(realm_tickets_open(realm), 150 * TICKETS_EACH);
    assert_connection_in_step();
    realm_free(realm);
    realm_free(beside);
}

static void unreadable_entry_ends_the_replay_and_leaves_the_connection_usable(void **state) {
    (void)state;
    append((struct position){5, 1}, STR("\xff\xff\xff"));
    for (uint64_t seq = 2; seq <= 300; seq++) /* so that another chunk is on its way */
        append((struct position){5, seq}, STR(""));
    struct realm *realm = realm_new(0);
    struct replay p;
    assert_int_equal(replay_to((struct position){5, 300}, realm, &p), ERR_DATA_LOSS);
    assert_non_null(strstr(why.text, "journal entry 5-1"));
    assert_connection_in_step();
    realm_free(realm);
}

static void replay_stops_when_asked_between_chunks(void **state) {
    (void)state;
    struct realm *beside = realm_new(0), *realm = realm_new(0);
    struct position end = write_journal(beside);
    struct replay p;
    refuse_at = 2;
    assert_int_equal(replay_to(end, realm, &p), ERR_CANCELLED);
    assert_int_equal(proceeded, 2);
    assert_connection_in_step();
    realm_free(realm);
    realm_free(beside);
}

static void journal_without_its_end_is_data_loss(void **state) {
    (void)state;
    struct realm *beside = realm_new(0), *realm = realm_new(0);
    struct position end = write_journal(beside);
    end.seq += 10;
    struct replay p;
    assert_int_equal(replay_to(end, realm, &p), ERR_DATA_LOSS);
    assert_non_null(strstr(why.text, "lost its end"));
    assert_connection_in_step();
    realm_free(realm);
    realm_free(beside);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(journal_of_many_chunks_replays_to_the_state_of_its_records,
                                        start, stop),
        cmocka_unit_test_setup_teardown(replay_ends_where_it_is_told_to, start, stop),
        cmocka_unit_test_setup_teardown(
            unreadable_entry_ends_the_replay_and_leaves_the_connection_usable, start, stop),
        cmocka_unit_test_setup_teardown(replay_stops_when_asked_between_chunks, start, stop),
        cmocka_unit_test_setup_teardown(journal_without_its_end_is_data_loss, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
