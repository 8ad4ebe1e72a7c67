/* subscription_test.c - order, gaps, replays and resyncs of the C client's event stream. */
#include "support/fake_muster.h"

#include <muster/client.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define QUEUED "default/duel/ticket_queued"
#define FOUND "default/duel/match_found"
#define HEARTBEAT "default/-/heartbeat"

enum { JOURNAL_MAX = 64 };

/* A journal of one event per row, served to replays; what was delivered, as "seq.index " text. */
struct stream {
    struct fake_muster *fake;
    struct muster_client *client;
    struct muster_subscription *subscription;
    struct {
        uint64_t epoch, seq;
        uint32_t index;
        Muster__V1__Event__Type type;
    } journal[JOURNAL_MAX];
    int journal_count;
    atomic_int replays, replay_code;
    uint64_t first_seq;             /* older ones are trimmed */
    atomic_uint_fast64_t gone_from; /* a rollback took these of epoch 1; 0 = none */
    pthread_mutex_t mutex;
    char delivered[1024], resync[128];
    const char *expected;
    uint64_t expected_seq;
    atomic_int resyncs;
};

static int answer_replay(void *arg, const Muster__V1__Request *request,
                         ProtobufCMessage **response) {
    struct stream *s = arg;
    s->replays++;
    if (s->replay_code != 0) return s->replay_code;
    Muster__V1__ReplayEventsRequest *in = muster__v1__replay_events_request__unpack(
        NULL, request->payload.len, request->payload.data);
    uint64_t after = in->after_seq, epoch = in->epoch;
    bool known = strncmp(in->topic_prefix, "default/", 8) == 0;
    muster__v1__replay_events_request__free_unpacked(in, NULL);
    if (!known) return MUSTER_INVALID_ARGUMENT;
    if (after + 1 < s->first_seq) return MUSTER_OUT_OF_RANGE;
    if (s->gone_from && epoch == 1 && after >= s->gone_from) return MUSTER_OUT_OF_RANGE;
    Muster__V1__ReplayEventsResponse out = MUSTER__V1__REPLAY_EVENTS_RESPONSE__INIT;
    Muster__V1__Position position = MUSTER__V1__POSITION__INIT;
    Muster__V1__Event events[JOURNAL_MAX], *pointers[JOURNAL_MAX];
    position.epoch = epoch;
    position.seq = after;
    out.position = &position;
    out.events = pointers;
    pthread_mutex_lock(&s->mutex);
    for (int i = 0; i < s->journal_count; i++) {
        if (s->journal[i].epoch < epoch) continue;
        if (s->journal[i].epoch == epoch && s->journal[i].seq <= after) continue;
        if (out.n_events >= 4 && s->journal[i].seq != position.seq) {
            out.more = 1; /* small pages */
            break;
        }
        Muster__V1__Event *event = &events[out.n_events];
        *event = (Muster__V1__Event)MUSTER__V1__EVENT__INIT;
        event->epoch = position.epoch = s->journal[i].epoch;
        event->seq = position.seq = s->journal[i].seq;
        event->index = s->journal[i].index;
        event->type = s->journal[i].type;
        event->queue = (char *)"duel";
        pointers[out.n_events++] = event;
    }
    pthread_mutex_unlock(&s->mutex);
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static void on_event(void *arg, const Muster__V1__Event *event) {
    struct stream *s = arg;
    pthread_mutex_lock(&s->mutex);
    size_t size = strlen(s->delivered);
    snprintf(s->delivered + size, sizeof s->delivered - size, "%d.%u ", (int)event->seq,
             event->index);
    pthread_mutex_unlock(&s->mutex);
}

static void on_resync(void *arg, const char *reason) {
    struct stream *s = arg;
    pthread_mutex_lock(&s->mutex);
    s->resyncs++;
    snprintf(s->resync, sizeof s->resync, "%s", reason);
    pthread_mutex_unlock(&s->mutex);
}

static struct stream *start(uint64_t after_epoch, uint64_t after_seq) {
    struct stream *s = calloc(1, sizeof *s);
    pthread_mutex_init(&s->mutex, NULL);
    s->fake = fake_muster_new(answer_replay, s);
    struct muster_options options = {.api = fake_muster_api(s->fake), .timeout_ms = 1000};
    assert_int_equal(muster_open(&s->client, &options, NULL), MUSTER_OK);
    struct muster_subscribe_options subscribe = {.events = fake_muster_events(s->fake),
                                                 .after_epoch = after_epoch,
                                                 .after_seq = after_seq,
                                                 .on_event = on_event,
                                                 .on_resync = on_resync,
                                                 .arg = s};
    assert_int_equal(muster_subscribe(&s->subscription, s->client, &subscribe, NULL), MUSTER_OK);
    fake_muster_wait_subscriber(s->fake);
    return s;
}

static void stop(struct stream *s) {
    muster_unsubscribe(s->subscription);
    muster_close(s->client);
    fake_muster_free(s->fake);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void write_journal(struct stream *s, uint64_t seq, uint32_t index, const char *topic) {
    pthread_mutex_lock(&s->mutex);
    int at = s->journal_count++;
    s->journal[at].epoch = 1;
    s->journal[at].seq = seq;
    s->journal[at].index = index;
    s->journal[at].type = strcmp(topic, FOUND) == 0 ? MUSTER__V1__EVENT__TYPE__MATCH_FOUND
                                                    : MUSTER__V1__EVENT__TYPE__TICKET_QUEUED;
    pthread_mutex_unlock(&s->mutex);
}

/* The share of entry `seq` that one topic has: the events with these indexes. */
struct share {
    const char *topic;
    uint64_t previous, seq;
    uint32_t entry_events;
    const char *indexes;
};

static void publish_share(struct stream *s, const struct share *share) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    Muster__V1__Event events[8], *pointers[8];
    batch.epoch = batch.previous_epoch = 1;
    batch.seq = share->seq;
    batch.previous_seq = share->previous;
    batch.entry_events = share->entry_events;
    batch.events = pointers;
    for (const char *index = share->indexes; *index != '\0'; index++) {
        Muster__V1__Event *event = &events[batch.n_events];
        *event = (Muster__V1__Event)MUSTER__V1__EVENT__INIT;
        event->epoch = 1;
        event->seq = share->seq;
        event->index = (uint32_t)(*index - '0');
        event->queue = (char *)"duel";
        pointers[batch.n_events++] = event;
    }
    fake_muster_publish(s->fake, share->topic, &batch);
}

#define publish(s, ...) publish_share(s, &(struct share){__VA_ARGS__})

static void heartbeat(struct stream *s, uint64_t epoch, uint64_t seq, uint64_t queued,
                      uint64_t found) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    Muster__V1__TopicPosition positions[2] = {MUSTER__V1__TOPIC_POSITION__INIT,
                                              MUSTER__V1__TOPIC_POSITION__INIT};
    Muster__V1__TopicPosition *pointers[2] = {&positions[0], &positions[1]};
    batch.epoch = epoch;
    batch.seq = seq;
    batch.n_topics = 2;
    batch.topics = pointers;
    positions[0].topic = (char *)QUEUED;
    positions[1].topic = (char *)FOUND;
    positions[0].epoch = positions[1].epoch = epoch;
    positions[0].seq = queued;
    positions[1].seq = found;
    fake_muster_publish(s->fake, HEARTBEAT, &batch);
}

static bool delivered_as_expected(void *arg) {
    struct stream *s = arg;
    pthread_mutex_lock(&s->mutex);
    bool same = strcmp(s->delivered, s->expected) == 0;
    pthread_mutex_unlock(&s->mutex);
    return same;
}

static void expect(struct stream *s, const char *delivered) {
    s->expected = delivered;
    fake_wait_until(delivered_as_expected, s, delivered);
}

static bool is_at_position(void *arg) {
    struct stream *s = arg;
    uint64_t epoch, seq;
    muster_subscription_position(s->subscription, &epoch, &seq);
    return seq == s->expected_seq;
}

static void expect_position(struct stream *s, uint64_t wanted) {
    s->expected_seq = wanted;
    fake_wait_until(is_at_position, s, "the position");
}

static bool has_resynced(void *arg) {
    return ((struct stream *)arg)->resyncs > 0;
}

static bool has_replayed(void *arg) {
    return ((struct stream *)arg)->replays > 0;
}

static bool has_replayed_twice(void *arg) {
    return ((struct stream *)arg)->replays > 1;
}

static void events_come_in_order_and_once(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    publish(s, QUEUED, 3, 10, 1, "0");
    publish(s, QUEUED, 10, 11, 2, "01");
    publish(s, QUEUED, 10, 11, 2, "01"); /* a second publisher of the same realm */
    publish(s, FOUND, 7, 12, 1, "0");    /* its last message is older than the subscription */
    expect(s, "10.0 11.0 11.1 12.0 ");
    assert_int_equal(s->replays, 0);
    assert_int_equal(muster_subscription_gaps(s->subscription), 0);
    assert_true(muster_subscription_live(s->subscription));
    stop(s);
}

static void events_of_one_entry_are_put_in_order_over_topics(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    publish(s, FOUND, 9, 10, 4, "13");
    publish(s, QUEUED, 9, 10, 4, "02");
    expect(s, "10.0 10.1 10.2 10.3 ");
    stop(s);
}

static void share_of_an_entry_is_handed_on_when_the_rest_is_not_ours(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    publish(s, FOUND, 9, 10, 4, "13");
    expect(s, "10.1 10.3 ");
    stop(s);
}

static void lost_message_is_replayed_before_later_ones(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    for (uint64_t seq = 10; seq <= 20; seq++)
        write_journal(s, seq, 0, QUEUED);
    publish(s, QUEUED, 9, 10, 1, "0");
    publish(s, QUEUED, 19, 20, 1, "0");
    publish(s, QUEUED, 20, 21, 1, "0");
    expect(s, "10.0 11.0 12.0 13.0 14.0 15.0 16.0 17.0 18.0 19.0 20.0 21.0 ");
    assert_int_equal(muster_subscription_gaps(s->subscription), 1);
    stop(s);
}

static void lost_tail_shows_with_the_heartbeat(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    write_journal(s, 10, 0, QUEUED);
    write_journal(s, 11, 0, FOUND);
    publish(s, QUEUED, 9, 10, 1, "0");
    heartbeat(s, 1, 11, 10, 11);
    expect(s, "10.0 11.0 ");
    expect_position(s, 11);
    heartbeat(s, 1, 11, 10, 11);
    publish(s, QUEUED, 10, 12, 1, "0"); /* once it is here, so was the heartbeat */
    expect(s, "10.0 11.0 12.0 ");
    assert_int_equal(muster_subscription_gaps(s->subscription), 1);
    stop(s);
}

static void restarted_relay_says_what_it_did_not_see(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    write_journal(s, 10, 0, QUEUED);
    write_journal(s, 11, 0, FOUND);
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    batch.epoch = batch.previous_epoch = 1;
    batch.seq = batch.previous_seq = 11; /* began at 11, has sent nothing */
    fake_muster_publish(s->fake, HEARTBEAT, &batch);
    expect(s, "10.0 11.0 ");
    expect_position(s, 11);
    fake_muster_publish(s->fake, HEARTBEAT, &batch);
    heartbeat(s, 1, 11, 0, 0);
    publish(s, QUEUED, 11, 12, 1, "0"); /* once it is here, so were the heartbeats */
    expect(s, "10.0 11.0 12.0 ");
    assert_int_equal(muster_subscription_gaps(s->subscription), 1);
    stop(s);
}

static void event_of_a_lost_topic_is_not_dropped_for_later_ones_of_others(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    write_journal(s, 10, 0, FOUND);
    write_journal(s, 11, 0, QUEUED);
    publish(s, QUEUED, 9, 11, 1, "0");
    heartbeat(s, 1, 11, 11, 10);
    expect(s, "11.0 10.0 ");
    stop(s);
}

static void start_after_a_position_catches_up_first(void **state) {
    (void)state;
    struct stream *s = start(1, 5);
    /* The first replay may run before the journal is written: then the heartbeat tells. */
    write_journal(s, 6, 0, QUEUED);
    write_journal(s, 7, 0, FOUND);
    heartbeat(s, 1, 7, 6, 7);
    expect(s, "6.0 7.0 ");
    assert_true(s->replays >= 1);
    stop(s);
}

static void trimmed_position_leads_to_a_resync_and_goes_on_from_now(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    s->first_seq = 50;
    publish(s, QUEUED, 59, 60, 1, "0");
    publish(s, QUEUED, 60, 61, 1, "0");
    expect(s, "60.0 61.0 ");
    assert_int_equal(s->resyncs, 1);
    assert_string_equal(s->resync, "the fake says so");
    stop(s);
}

static void new_epoch_is_checked_against_the_journal(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    s->replay_code = MUSTER_OUT_OF_RANGE; /* the journal went back: 1-9 is not in it any more */
    heartbeat(s, 2, 1, 0, 0);
    fake_wait_until(has_resynced, s, "a resync");
    assert_int_equal(s->resyncs, 1);
    stop(s);
}

/* The last heartbeat came before what is gone: a replay from there alone would find no fault. */
static void what_was_handed_on_and_is_gone_from_the_journal_is_told(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    publish(s, QUEUED, 9, 10, 1, "0");
    expect(s, "10.0 ");
    s->gone_from = 10;
    heartbeat(s, 2, 1, 0, 0);
    fake_wait_until(has_resynced, s, "a resync");
    assert_int_equal(s->resyncs, 1);
    stop(s);
}

static void nothing_later_is_handed_on_while_a_replay_fails(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    s->replay_code = MUSTER_INTERNAL;
    write_journal(s, 10, 0, QUEUED);
    publish(s, QUEUED, 10, 11, 1, "0");
    fake_wait_until(has_replayed_twice, s, "a second replay");
    expect(s, "");
    s->replay_code = 0;
    expect(s, "10.0 11.0 ");
    stop(s);
}

static void unsubscribing_does_not_wait_for_a_silent_server(void **state) {
    (void)state;
    struct stream *s = start(0, 0);
    heartbeat(s, 1, 9, 0, 0);
    expect_position(s, 9);
    s->replay_code = FAKE_NO_ANSWER;
    publish(s, QUEUED, 10, 11, 1, "0");
    fake_wait_until(has_replayed, s, "a replay");
    stop(s);
}

static void malformed_subscriptions_are_refused(void **state) {
    (void)state;
    struct muster_client *client;
    struct muster_options options = {.api = "ipc:///nonexistent/muster.sock"};
    assert_int_equal(muster_open(&client, &options, NULL), MUSTER_OK);
    const struct muster_subscribe_options wrong[] = {
        {.events = "nonsense", .on_event = on_event, .on_resync = on_resync},
        {.events = NULL, .on_event = on_event, .on_resync = on_resync},
        {.events = "ipc:///x", .realm = "a/b", .on_event = on_event, .on_resync = on_resync},
        {.events = "ipc:///x", .on_event = on_event}};
    for (size_t i = 0; i < 4; i++) {
        struct muster_subscription *subscription;
        struct muster_status status;
        assert_int_equal(muster_subscribe(&subscription, client, &wrong[i], &status),
                         MUSTER_INVALID_ARGUMENT);
        assert_null(subscription);
    }
    muster_close(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order_and_once),
        cmocka_unit_test(events_of_one_entry_are_put_in_order_over_topics),
        cmocka_unit_test(share_of_an_entry_is_handed_on_when_the_rest_is_not_ours),
        cmocka_unit_test(lost_message_is_replayed_before_later_ones),
        cmocka_unit_test(lost_tail_shows_with_the_heartbeat),
        cmocka_unit_test(restarted_relay_says_what_it_did_not_see),
        cmocka_unit_test(event_of_a_lost_topic_is_not_dropped_for_later_ones_of_others),
        cmocka_unit_test(start_after_a_position_catches_up_first),
        cmocka_unit_test(trimmed_position_leads_to_a_resync_and_goes_on_from_now),
        cmocka_unit_test(new_epoch_is_checked_against_the_journal),
        cmocka_unit_test(what_was_handed_on_and_is_gone_from_the_journal_is_told),
        cmocka_unit_test(nothing_later_is_handed_on_while_a_replay_fails),
        cmocka_unit_test(unsubscribing_does_not_wait_for_a_silent_server),
        cmocka_unit_test(malformed_subscriptions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
