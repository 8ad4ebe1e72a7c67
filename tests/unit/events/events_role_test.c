/* events_role_test.c - the relay between a real redis-server and real nng sockets. */
#include "events/events_role.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "bus/close.h"
#include "rt/call.h"
#include "store/stream.h"
#include "support/redis_fixture.h"
#include "wire/journal_codec.h"
#include "wire/request.h"

#include <muster/v1/events.pb-c.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 20000, MEBIBYTE = 1048576 };

struct world {
    struct redis_fixture redis;
    struct events *events;
    nng_socket sub;
    int64_t operation_ms;
};

static void start_relay(struct world *w) {
    struct err_text why;
    struct events_options o = {.redis = w->redis.address,
                               .realm = "game",
                               .operation_ms = w->operation_ms,
                               .publish = "tcp://127.0.0.1:0"};
    if (events_start(&w->events, &o, &why)) fail_msg("%s", why.text);
    assert_int_equal(nng_sub0_open(&w->sub), 0);
    assert_int_equal(nng_socket_set(w->sub, NNG_OPT_SUB_SUBSCRIBE, "", 0), 0);
    assert_int_equal(nng_socket_set_int(w->sub, NNG_OPT_RECVBUF, 1000), 0);
    assert_int_equal(nng_socket_set_ms(w->sub, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_dial(w->sub, events_addresses(w->events), NULL, 0), 0);
}

static void stop_relay(struct world *w) {
    (void)close_socket(w->sub);
    events_stop(w->events);
    events_free(w->events);
    assert_int_equal(call_open_count(), 0);
}

static void start(struct world *w) {
    *w = (struct world){.operation_ms = 300};
    redis_fixture_start(&w->redis, NULL);
}

static void stop(struct world *w) {
    stop_relay(w);
    redis_fixture_stop(&w->redis);
}

/* ---- writing the journal ---- */

/* `text`: "q" a queue deleted, "e" a ticket expired, "c" one cancelled, "C" a carried ticket; each
 * of queue duel. `pad`: bytes of the cancellations' reasons. */
static void add_record(struct strbuf *out, char what, size_t pad) {
    struct record r = {.time_ms = 1000};
    static const struct str player_id = {"ann", 3}, queue = {"duel", 4};
    struct player player = {.id = player_id};
    char *reason = mem_alloc(pad + 1);
    memset(reason, 'x', pad);
    if (what == 'q') {
        r.kind = RECORD_QUEUE_DELETED;
        r.queue_deleted.name = STR("duel");
        r.queue_deleted.version = 1;
    } else if (what == 'C') {
        r.kind = RECORD_TICKET_CREATED;
        r.carried = true;
        r.ticket_created.id = (struct id){1, 2};
        r.ticket_created.spec.queues = &queue;
        r.ticket_created.spec.queue_count = 1;
        r.ticket_created.spec.players = &player;
        r.ticket_created.spec.player_count = 1;
        r.ticket_created.state = TICKET_QUEUED;
    } else {
        r.kind = RECORD_TICKET_ENDED;
        r.ticket_ended.id = (struct id){1, 2};
        r.ticket_ended.state = what == 'e' ? TICKET_EXPIRED : TICKET_CANCELLED;
        r.ticket_ended.queues = &queue;
        r.ticket_ended.queue_count = 1;
        r.ticket_ended.player_ids = &player_id;
        r.ticket_ended.player_count = 1;
        r.ticket_ended.reason = (struct str){reason, pad};
    }
    journal_encode(&r, out);
    mem_free(reason);
}

static void append_padded(struct world *w, struct position at, const char *records, size_t pad) {
    struct address a;
    struct err_text why;
    struct redis *r;
    struct stream s;
    struct strbuf bytes = {0};
    stream_init(&s, "game");
    assert_int_equal(address_parse(&a, w->redis.address, &why), ERR_OK);
    if (redis_open(&r, &a, 5000, &why)) fail_msg("%s", why.text);
    for (; *records; records++)
        add_record(&bytes, *records, pad);
    struct stream_entry entry = {at, strbuf_str(&bytes), STR("owner")};
    if (stream_append(r, &s, &entry, false, &why)) fail_msg("%s", why.text);
    strbuf_fini(&bytes);
    redis_close(r);
}

static void append(struct world *w, uint64_t epoch, uint64_t seq, const char *records) {
    append_padded(w, (struct position){epoch, seq}, records, 3);
}

/* ---- hearing ---- */

struct heard {
    char topic[128];
    Muster__V1__EventBatch *batch;
};

static void heard_fini(struct heard *h) {
    muster__v1__event_batch__free_unpacked(h->batch, NULL);
}

static struct heard hear_any(struct world *w) {
    struct heard h = {0};
    nng_msg *m;
    int failure = nng_recvmsg(w->sub, &m, 0);
    if (failure) fail_msg("%s", nng_strerror(failure));
    const char *body = nng_msg_body(m);
    size_t head = strnlen(body, nng_msg_len(m)) + 1;
    assert_in_range(head, 1, nng_msg_len(m));
    (void)snprintf(h.topic, sizeof h.topic, "%s", body);
    h.batch =
        muster__v1__event_batch__unpack(NULL, nng_msg_len(m) - head, (const uint8_t *)body + head);
    assert_non_null(h.batch);
    nng_msg_free(m);
    return h;
}

/* The next message that is, or is not, a heartbeat. */
static struct heard hear(struct world *w, bool heartbeat) {
    for (;;) {
        struct heard h = hear_any(w);
        if ((strcmp(h.topic, "game/-/heartbeat") == 0) == heartbeat) return h;
        heard_fini(&h);
    }
}

static void hear_batch(struct world *w, const char *topic, struct position at,
                       struct position previous) {
    struct heard h = hear(w, false);
    assert_string_equal(h.topic, topic);
    assert_true(h.batch->epoch == at.epoch && h.batch->seq == at.seq);
    if (h.batch->previous_epoch != previous.epoch || h.batch->previous_seq != previous.seq)
        fail_msg("%s at %lu-%lu follows %lu-%lu, not %lu-%lu", topic, at.epoch, at.seq,
                 h.batch->previous_epoch, h.batch->previous_seq, previous.epoch, previous.seq);
    heard_fini(&h);
}

/* Waits until the relay has read the journal up to there; the heartbeat that says so. */
static struct heard hear_position(struct world *w, uint64_t epoch, uint64_t seq) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    for (;;) {
        struct heard h = hear(w, true);
        if (h.batch->epoch == epoch && h.batch->seq == seq) return h;
        heard_fini(&h);
        assert_true(clock_mono_us() < until_us);
    }
}

/* ---- replays ---- */

struct answer {
    atomic_bool done;
    enum err code;
    struct err_text why;
    struct strbuf payload;
};

static void answered(void *transport, enum err code, const struct err_text *why,
                     struct str payload) {
    struct answer *a = transport;
    a->code = code;
    if (why) a->why = *why;
    strbuf_add_str(&a->payload, payload);
    atomic_store(&a->done, true);
}

static void ask(struct world *w, struct answer *a, struct position after, uint32_t max,
                const char *prefix) {
    struct call *c = call_new(0, answered, a);
    struct request *r = arena_alloc(c->arena, sizeof *r);
    *a = (struct answer){0};
    c->method = method_row(METHOD_REPLAY_EVENTS);
    c->deadline_us = clock_mono_us() + WAIT_MS * 1000;
    r->method = METHOD_REPLAY_EVENTS;
    r->replay.epoch = after.epoch;
    r->replay.after_seq = after.seq;
    r->replay.max_entries = max;
    r->replay.topic_prefix = arena_str(c->arena, str_of(prefix));
    c->command = r;
    assert_int_equal(inbox_push(events_inbox(w->events), &c->message), ERR_OK);
}

static void await(struct answer *a) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (!atomic_load(&a->done)) {
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
}

static Muster__V1__ReplayEventsResponse *replay(struct world *w, struct position after,
                                                uint32_t max, const char *prefix) {
    struct answer a;
    ask(w, &a, after, max, prefix);
    await(&a);
    if (a.code) fail_msg("%s: %s", err_name(a.code), a.why.text);
    assert_in_range(a.payload.size, 0, LIMIT_MESSAGE_BYTES);
    Muster__V1__ReplayEventsResponse *r = muster__v1__replay_events_response__unpack(
        NULL, a.payload.size, (const uint8_t *)a.payload.at);
    assert_non_null(r);
    strbuf_fini(&a.payload);
    return r;
}

static void expect_replay(struct world *w, struct position after, enum err code, const char *says) {
    struct answer a;
    ask(w, &a, after, 100, "");
    await(&a);
    if (a.code != code || !strstr(a.why.text, says))
        fail_msg("%s: \"%s\"", err_name(a.code), a.why.text);
    strbuf_fini(&a.payload);
}

/* ---- tests ---- */

static const struct position none = {0, 0};

static void entries_come_by_topic_with_the_position_before(void **state) {
    (void)state;
    struct world w;
    start(&w);
    append(&w, 7, 1, "q");
    start_relay(&w);
    struct heard h = hear_position(&w, 7, 1);
    assert_int_equal(h.batch->n_topics, 0);
    heard_fini(&h);
    struct position p1 = {7, 1}, p2 = {7, 2}, p3 = {7, 3};
    append(&w, 7, 2, "ece");
    h = hear(&w, false);
    assert_string_equal(h.topic, "game/duel/ticket_expired");
    assert_true(h.batch->previous_epoch == 7 && h.batch->previous_seq == 1);
    assert_int_equal(h.batch->n_events, 2);
    assert_int_equal(h.batch->entry_events, 3);
    assert_int_equal(h.batch->events[0]->index, 0);
    assert_int_equal(h.batch->events[1]->index, 2);
    heard_fini(&h);
    hear_batch(&w, "game/duel/ticket_cancelled", p2, p1);
    append(&w, 7, 3, "Ce");
    hear_batch(&w, "game/duel/ticket_expired", p3, p2);
    append(&w, 7, 4, "C"); /* carried: no news */
    h = hear_position(&w, 7, 4);
    assert_int_equal(h.batch->n_topics, 2);
    assert_string_equal(h.batch->topics[0]->topic, "game/duel/ticket_cancelled");
    assert_int_equal(h.batch->topics[0]->seq, 2);
    assert_int_equal(h.batch->topics[1]->seq, 3);
    heard_fini(&h);
    stop(&w);
}

static void restarted_relay_says_where_it_began(void **state) {
    (void)state;
    struct world w;
    start(&w);
    append(&w, 7, 1, "q");
    start_relay(&w);
    struct heard h = hear_position(&w, 7, 1);
    heard_fini(&h);
    stop_relay(&w);
    append(&w, 7, 2, "e");
    append(&w, 7, 3, "e");
    start_relay(&w);
    h = hear_position(&w, 7, 3);
    assert_true(h.batch->previous_epoch == 7 && h.batch->previous_seq == 3);
    heard_fini(&h);
    append(&w, 7, 4, "e");
    hear_batch(&w, "game/duel/ticket_expired", (struct position){7, 4}, (struct position){7, 3});
    h = hear_position(&w, 7, 4);
    assert_true(h.batch->previous_epoch == 7 && h.batch->previous_seq == 3);
    heard_fini(&h);
    stop(&w);
}

static void replay_gives_what_came_after_by_topic_and_in_pages(void **state) {
    (void)state;
    struct world w;
    start(&w);
    for (uint64_t seq = 1; seq <= 50; seq++)
        append(&w, 7, seq, seq % 2 ? "eC" : "ce");
    start_relay(&w);
    struct position at = {7, 1};
    uint64_t expected = 1;
    for (unsigned pages = 0;; pages++) {
        Muster__V1__ReplayEventsResponse *r = replay(&w, at, 20, "game/duel/ticket_expired");
        for (size_t i = 0; i < r->n_events; i++) {
            assert_int_equal(r->events[i]->seq, ++expected);
            assert_int_equal(r->events[i]->type, MUSTER__V1__EVENT__TYPE__TICKET_EXPIRED);
            assert_int_equal(r->events[i]->index, expected % 2 ? 0 : 1);
        }
        at = (struct position){r->position->epoch, r->position->seq};
        bool more = r->more;
        muster__v1__replay_events_response__free_unpacked(r, NULL);
        if (!more) break;
        assert_in_range(pages, 0, 3);
    }
    assert_int_equal(expected, 50);
    assert_true(at.epoch == 7 && at.seq == 50);
    Muster__V1__ReplayEventsResponse *r = replay(&w, none, 1000, "game/other/");
    assert_int_equal(r->n_events, 0);
    assert_false(r->more);
    assert_int_equal(r->position->seq, 50); /* looked at all the same */
    muster__v1__replay_events_response__free_unpacked(r, NULL);
    stop(&w);
}

static void replay_of_large_entries_is_cut_into_answers_that_pass(void **state) {
    (void)state;
    enum { ENTRIES = 9 };
    struct world w;
    start(&w);
    for (uint64_t seq = 1; seq <= ENTRIES; seq++)
        append_padded(&w, (struct position){7, seq}, "cccccc", 100000);
    start_relay(&w);
    struct position at = none;
    uint64_t events = 0;
    for (bool more = true; more;) {
        Muster__V1__ReplayEventsResponse *r = replay(&w, at, 1000, "");
        assert_in_range(r->n_events, 0, 6); /* one entry: two are above a MiB */
        for (size_t i = 0; i < r->n_events; i++, events++) {
            assert_int_equal(r->events[i]->seq, events / 6 + 1);
            assert_int_equal(r->events[i]->index, events % 6);
        }
        at = (struct position){r->position->epoch, r->position->seq};
        more = r->more;
        muster__v1__replay_events_response__free_unpacked(r, NULL);
    }
    assert_int_equal(events, 6 * ENTRIES);
    stop(&w);
}

static void replay_from_a_trimmed_or_unknown_place_is_out_of_range(void **state) {
    (void)state;
    struct world w;
    start(&w);
    for (uint64_t seq = 1; seq <= 5; seq++)
        append(&w, 7, seq, "e");
    redis_fixture_run(&w.redis, NULL, 0, "XTRIM", "muster:{game}:journal", "MINID", "7-4", NULL);
    start_relay(&w);
    expect_replay(&w, (struct position){7, 2}, ERR_OUT_OF_RANGE, "7-2");
    expect_replay(&w, (struct position){7, 9}, ERR_OUT_OF_RANGE, "7-9");
    expect_replay(&w, (struct position){7, 4}, ERR_OK, "");
    stop(&w);
}

static void what_came_while_redis_was_cut_off_is_relayed_after(void **state) {
    (void)state;
    struct world w;
    start(&w);
    append(&w, 7, 1, "q");
    start_relay(&w);
    struct heard h = hear_position(&w, 7, 1);
    heard_fini(&h);
    append(&w, 7, 2, "e");
    hear_batch(&w, "game/duel/ticket_expired", (struct position){7, 2}, (struct position){7, 1});
    for (uint64_t seq = 3; seq <= 6; seq++) {
        redis_fixture_kill(&w.redis);
        expect_replay(&w, none, ERR_UNAVAILABLE, "");
        redis_fixture_again(&w.redis);
        append(&w, 7, seq, "e");
        hear_batch(&w, "game/duel/ticket_expired", (struct position){7, seq},
                   (struct position){7, seq - 1});
    }
    stop(&w);
}

static void relay_goes_on_behind_a_journal_that_went_back(void **state) {
    (void)state;
    struct world w;
    start(&w);
    append(&w, 7, 1, "q");
    start_relay(&w);
    struct heard h = hear_position(&w, 7, 1);
    heard_fini(&h);
    append(&w, 7, 2, "e");
    hear_batch(&w, "game/duel/ticket_expired", (struct position){7, 2}, (struct position){7, 1});
    redis_fixture_kill(&w.redis);
    char files[96];
    (void)snprintf(files, sizeof files, "%s/appendonlydir", w.redis.folder);
    redis_fixture_remove(files);
    redis_fixture_again(&w.redis);
    h = hear_position(&w, 7, 2); /* nobody leads what is left yet: nothing is told */
    heard_fini(&h);
    expect_replay(&w, (struct position){7, 2}, ERR_UNAVAILABLE, "");
    append(&w, 8, 1, "e");
    /* "Behind itself": nobody takes the lost 7-2 for the one before it, and whoever had it asks. */
    hear_batch(&w, "game/duel/ticket_expired", (struct position){8, 1}, (struct position){8, 1});
    expect_replay(&w, (struct position){7, 2}, ERR_OUT_OF_RANGE, "7-2");
    stop(&w);
}

static void stop_answers_replays_that_wait_for_a_hanging_redis(void **state) {
    (void)state;
    enum { REPLAYS = 50 };
    static struct answer answers[REPLAYS];
    struct world w;
    start(&w);
    append(&w, 7, 1, "q");
    start_relay(&w);
    struct heard h = hear_position(&w, 7, 1);
    heard_fini(&h);
    assert_int_equal(kill(w.redis.pid, SIGSTOP), 0);
    for (int i = 0; i < REPLAYS; i++)
        ask(&w, &answers[i], none, 10, "");
    int64_t begin_us = clock_mono_us();
    events_stop(w.events);
    assert_in_range(clock_mono_us() - begin_us, 0, 2000000);
    events_free(w.events);
    (void)close_socket(w.sub);
    for (int i = 0; i < REPLAYS; i++) {
        assert_true(atomic_load(&answers[i].done));
        assert_int_equal(answers[i].code, ERR_UNAVAILABLE);
    }
    assert_int_equal(call_open_count(), 0);
    redis_fixture_stop(&w.redis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_by_topic_with_the_position_before),
        cmocka_unit_test(restarted_relay_says_where_it_began),
        cmocka_unit_test(replay_gives_what_came_after_by_topic_and_in_pages),
        cmocka_unit_test(replay_of_large_entries_is_cut_into_answers_that_pass),
        cmocka_unit_test(replay_from_a_trimmed_or_unknown_place_is_out_of_range),
        cmocka_unit_test(what_came_while_redis_was_cut_off_is_relayed_after),
        cmocka_unit_test(relay_goes_on_behind_a_journal_that_went_back),
        cmocka_unit_test(stop_answers_replays_that_wait_for_a_hanging_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
