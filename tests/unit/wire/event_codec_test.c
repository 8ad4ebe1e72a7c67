/* event_codec_test.c - events by topic, in order, as the protobuf-c library reads them. */
#include "wire/event_codec.h"

#include "muster/v1/events.pb-c.h"
#include "support/wire_kit.h"
#include "wire/fields.h"
#include "wire/journal_codec.h"
#include "wire/match_codec.h"

static const struct position here = {7, 42}, before = {7, 40};

static struct record created(struct str queue, struct str player) {
    static struct player players[16];
    static struct str queues[16];
    static unsigned used;
    struct str *kept = &queues[used % 16];
    struct player *p = &players[used++ % 16];
    *kept = queue;
    *p = (struct player){.id = player};
    struct record r = {.kind = RECORD_TICKET_CREATED, .time_ms = 1000};
    r.ticket_created.id = (struct id){1, used};
    r.ticket_created.state = TICKET_QUEUED;
    r.ticket_created.spec = (struct ticket_spec){kept, p, 1, 1};
    r.ticket_created.created_ms = 1000;
    r.ticket_created.expires_ms = 5000;
    return r;
}

static struct record ended(struct str queue, enum ticket_state how) {
    static const struct str players[] = {{"p1", 2}, {"p2", 2}};
    static struct str queues[16];
    static unsigned used;
    struct str *kept = &queues[used++ % 16];
    *kept = queue;
    struct record r = {.kind = RECORD_TICKET_ENDED, .time_ms = 2000};
    r.ticket_ended.id = (struct id){1, 5};
    r.ticket_ended.state = how;
    r.ticket_ended.queues = kept;
    r.ticket_ended.queue_count = 1;
    r.ticket_ended.player_ids = players;
    r.ticket_ended.player_count = 2;
    r.ticket_ended.reason = STR("because");
    return r;
}

static struct record matched(struct str queue) {
    struct record r = {.kind = RECORD_MATCH_CREATED, .time_ms = 3000};
    r.match_created = (struct match_spec){
        .id = {9, 9}, .state = MATCH_CONFIRMED, .queue = queue, .queue_version = 3};
    return r;
}

static struct record queue_put(void) {
    struct record r = {.kind = RECORD_QUEUE_PUT, .time_ms = 500};
    r.queue_put.name = STR("duel");
    r.queue_put.json = STR(WIRE_KIT_QUEUE);
    r.queue_put.version = 2;
    return r;
}

static struct record queue_deleted(void) {
    struct record r = {.kind = RECORD_QUEUE_DELETED, .time_ms = 600};
    r.queue_deleted.name = STR("duel");
    r.queue_deleted.version = 2;
    return r;
}

static struct event_batch *batch_of(const struct record *records, size_t count) {
    struct strbuf entry = {0};
    for (size_t i = 0; i < count; i++)
        journal_encode(&records[i], &entry);
    struct event_batch *b;
    struct err_text why;
    if (event_batch_new(strbuf_str(&entry), here, STR("game"), &b, &why) != ERR_OK)
        fail_msg("%s", why.text);
    strbuf_fini(&entry); /* nothing of the batch is borrowed from it */
    return b;
}

/* The message of a topic, unpacked; its topic bytes must be the topic and a NUL. */
static Muster__V1__EventBatch *message_of(const struct event_batch *b, size_t index) {
    struct strbuf bytes = {0};
    event_batch_encode(b, index, before, &bytes);
    struct str topic = event_batch_topic(b, index);
    assert_true(bytes.size > topic.size);
    wire_kit_same_text((struct str){bytes.at, topic.size}, topic);
    assert_int_equal(bytes.at[topic.size], 0);
    Muster__V1__EventBatch *m = muster__v1__event_batch__unpack(
        NULL, bytes.size - topic.size - 1, (uint8_t *)bytes.at + topic.size + 1);
    assert_non_null(m);
    strbuf_fini(&bytes);
    return m;
}

static void each_kind_of_event_has_its_topic_and_its_body(void **state) {
    (void)state;
    const struct record records[] = {
        queue_put(),
        created(STR("duel"), STR("p1")),
        ended(STR("duel"), TICKET_CANCELLED),
        ended(STR("duel"), TICKET_EXPIRED),
        matched(STR("duel")),
        queue_deleted(),
    };
    static const char *const topics[] = {
        "game/duel/queue_updated",  "game/duel/ticket_queued", "game/duel/ticket_cancelled",
        "game/duel/ticket_expired", "game/duel/match_found",   "game/duel/queue_deleted",
    };
    struct event_batch *b = batch_of(records, 6);
    assert_int_equal(event_batch_topics(b), 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_text(event_batch_topic(b, i), topics[i]);
        assert_int_equal(event_batch_count(b, i), 1);
        Muster__V1__EventBatch *m = message_of(b, i);
        assert_true(m->epoch == 7 && m->seq == 42);
        assert_true(m->previous_epoch == 7 && m->previous_seq == 40);
        assert_int_equal(m->entry_events, 6);
        assert_int_equal(m->n_events, 1);
        const Muster__V1__Event *e = m->events[0];
        assert_true(e->epoch == 7 && e->seq == 42 && e->index == i);
        assert_string_equal(e->realm, "game");
        assert_string_equal(e->queue, "duel");
        assert_true(e->time_ms == records[i].time_ms);
        /* The topic's last part is the type's name in lower case. */
        const ProtobufCEnumValue *name = protobuf_c_enum_descriptor_get_value(
            &muster__v1__event__type__descriptor, (int)e->type);
        char lower[32];
        size_t n = 0;
        for (; name->name[n]; n++)
            lower[n] = name->name[n] == '_' ? '_' : (char)(name->name[n] | 0x20);
        lower[n] = '\0';
        assert_string_equal(strrchr(topics[i], '/') + 1, lower);
        muster__v1__event_batch__free_unpacked(m, NULL);
    }
    event_batch_free(b);
}

static void a_proposal_is_told_from_its_beginning_to_its_end(void **state) {
    (void)state;
    const struct str ann = {"ann", 3}, bob = {"bob", 3}, queue = {"duel", 4};
    const struct ticket_fate fates[] = {
        {{1, 1}, TICKET_QUEUED, STR_EMPTY, &queue, &ann, 1, 1, 500},
        {{1, 2}, TICKET_CANCELLED, {"slept", 5}, &queue, &bob, 1, 1, 600},
    };
    struct record records[] = {matched(queue), matched(queue), matched(queue), matched(queue)};
    records[0].match_created.state = MATCH_PROPOSED;
    struct match_spec spec = records[1].match_created;
    records[1] = (struct record){.kind = RECORD_MATCH_ACCEPTED};
    records[1].match_accepted.id = spec.id;
    records[1].match_accepted.queue = queue;
    records[1].match_accepted.accepted = &ann;
    records[1].match_accepted.accepted_count = 1;
    records[1].match_accepted.waiting = &bob;
    records[1].match_accepted.waiting_count = 1;
    records[1].match_accepted.until_ms = 900;
    for (int i = 2; i < 4; i++) {
        spec.state = i == 2 ? MATCH_CONFIRMED : MATCH_CANCELLED;
        records[i] = (struct record){.kind = RECORD_MATCH_UPDATED, .time_ms = 4000};
        records[i].match_updated.spec = spec;
    }
    records[3].match_updated.fates = fates;
    records[3].match_updated.fate_count = 2;
    static const char *const topics[] = {
        "game/duel/match_proposed",  "game/duel/match_acceptance", "game/duel/match_found",
        "game/duel/match_cancelled", "game/duel/ticket_returned",  "game/duel/ticket_cancelled",
    };
    struct event_batch *b = batch_of(records, 4);
    assert_int_equal(event_batch_topics(b), 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_text(event_batch_topic(b, i), topics[i]);
        Muster__V1__EventBatch *m = message_of(b, i);
        const Muster__V1__Event *e = m->events[0];
        assert_int_equal(e->index, i);
        if (i == 1) {
            assert_string_equal(e->acceptance->accepted_player_ids[0], "ann");
            assert_string_equal(e->acceptance->waiting_player_ids[0], "bob");
            assert_true(e->acceptance->expire_time_ms == 900);
        }
        if (i == 3) assert_int_equal(e->match->state, MUSTER__V1__MATCH_STATE__MATCH_CANCELLED);
        if (i == 4) {
            assert_int_equal(e->ticket->state, MUSTER__V1__TICKET_STATE__QUEUED);
            assert_true(e->ticket->create_time_ms == 500 && e->ticket->end_time_ms == 0);
        }
        if (i == 5) {
            assert_string_equal(e->ticket->reason, "slept");
            assert_string_equal(e->ticket->players[0]->player_id, "bob");
            assert_true(e->ticket->end_time_ms == 4000);
        }
        muster__v1__event_batch__free_unpacked(m, NULL);
    }
    event_batch_free(b);
}

static void traces_stand_in_the_order_of_the_matchs_tickets(void **state) {
    (void)state;
    const char *text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const struct str ann = {"ann", 3}, bob = {"bob", 3}, queue = {"duel", 4};
    const struct id tickets[] = {{1, 1}, {1, 2}};
    const struct ticket_fate fates[] = {
        {{1, 2}, TICKET_CANCELLED, {"slept", 5}, &queue, &bob, 1, 1, 600},
        {{1, 1}, TICKET_QUEUED, STR_EMPTY, &queue, &ann, 1, 1, 500},
    };
    struct traceparent traces[2] = {0};
    assert_true(traceparent_parse(str_of(text), &traces[1]));
    struct record record = {.kind = RECORD_MATCH_UPDATED, .traces = traces, .trace_count = 2};
    record.match_updated.spec = matched(queue).match_created;
    record.match_updated.spec.state = MATCH_CANCELLED;
    record.match_updated.spec.ticket_ids = tickets;
    record.match_updated.spec.ticket_count = 2;
    record.match_updated.fates = fates;
    record.match_updated.fate_count = 2;
    struct event_batch *b = batch_of(&record, 1);
    static const size_t counts[] = {2, 1, 0}; /* the match, bob's ticket, ann's */
    for (uint32_t i = 0; i < 3; i++) {
        Muster__V1__EventBatch *m = message_of(b, i);
        const Muster__V1__Event *e = m->events[0];
        assert_int_equal(e->n_traceparents, counts[i]);
        if (i == 0) assert_string_equal(e->traceparents[0], "");
        if (i < 2) assert_string_equal(e->traceparents[counts[i] - 1], text);
        muster__v1__event_batch__free_unpacked(m, NULL);
    }
    size_t logged;
    const struct event_trace *log = event_batch_traces(b, &logged);
    assert_int_equal(logged, 2);
    assert_true(id_equal(log[1].id, tickets[1]));
    event_batch_free(b);
}

static void players_who_left_a_match_are_told_beside_it(void **state) {
    (void)state;
    const struct str ann = {"ann", 3};
    struct record record = {.kind = RECORD_ROSTER_CHANGED, .time_ms = 4000};
    record.roster_changed.spec = matched(STR("duel")).match_created;
    record.roster_changed.left = &ann;
    record.roster_changed.left_count = 1;
    struct event_batch *b = batch_of(&record, 1);
    assert_int_equal(event_batch_topics(b), 1);
    assert_text(event_batch_topic(b, 0), "game/duel/match_updated");
    Muster__V1__EventBatch *m = message_of(b, 0);
    const Muster__V1__MatchUpdate *update = m->events[0]->match_update;
    assert_int_equal(m->events[0]->body_case, MUSTER__V1__EVENT__BODY_MATCH_UPDATE);
    assert_int_equal(update->match->queue_version, 3);
    assert_int_equal(update->n_left_player_ids, 1);
    assert_string_equal(update->left_player_ids[0], "ann");
    muster__v1__event_batch__free_unpacked(m, NULL);
    event_batch_free(b);
}

static void newcomers_of_a_running_match_have_an_event_of_their_own(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    const struct str eve = {"eve", 3};
    const struct id ticket = {1, 7};
    struct record record = {.kind = RECORD_ROSTER_CHANGED, .time_ms = 4000};
    record.roster_changed.spec = matched(STR("duel")).match_created;
    record.roster_changed.joined = &eve;
    record.roster_changed.joined_count = 1;
    record.roster_changed.ticket_ids = &ticket;
    record.roster_changed.ticket_count = 1;
    record.roster_changed.backfill = wire_kit_backfill(&k);
    static const char *const topics[] = {"game/duel/match_updated", "game/duel/match_joined",
                                         "game/duel/backfill_updated"};
    struct event_batch *b = batch_of(&record, 1);
    assert_int_equal(event_batch_topics(b), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_text(event_batch_topic(b, i), topics[i]);
        Muster__V1__EventBatch *m = message_of(b, i);
        const Muster__V1__Event *e = m->events[0];
        if (i < 2) assert_string_equal(e->match_update->joined_player_ids[0], "eve");
        if (i < 2) assert_int_equal(strlen(e->match_update->backfill_id), 26);
        if (i == 2) assert_int_equal(e->backfill->state, (int)record.roster_changed.backfill.state);
        muster__v1__event_batch__free_unpacked(m, NULL);
    }
    event_batch_free(b);
    wire_kit_free(&k);
}

static void a_ticket_of_two_queues_is_told_of_on_both_topics(void **state) {
    (void)state;
    const struct str queues[] = {{"duel", 4}, {"arena", 5}};
    struct record records[] = {created(STR("duel"), STR("p1")),
                               ended(STR("duel"), TICKET_CANCELLED)};
    records[0].ticket_created.spec.queues = records[1].ticket_ended.queues = queues;
    records[0].ticket_created.spec.queue_count = records[1].ticket_ended.queue_count = 2;
    static const char *const topics[] = {"game/duel/ticket_queued", "game/arena/ticket_queued",
                                         "game/duel/ticket_cancelled",
                                         "game/arena/ticket_cancelled"};
    struct event_batch *b = batch_of(records, 2);
    assert_int_equal(event_batch_topics(b), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_text(event_batch_topic(b, i), topics[i]);
        Muster__V1__EventBatch *m = message_of(b, i);
        assert_int_equal(m->n_events, 1);
        assert_int_equal(m->events[0]->index, i);
        assert_string_equal(m->events[0]->queue, i % 2 ? "arena" : "duel");
        assert_int_equal(m->events[0]->ticket->n_queues, 2);
        assert_string_equal(m->events[0]->ticket->queues[1], "arena");
        muster__v1__event_batch__free_unpacked(m, NULL);
    }
    event_batch_free(b);
}

static void a_ticket_is_passed_on_with_the_fields_of_a_newer_version(void **state) {
    (void)state;
    enum { FROM_THE_FUTURE = PB_KEY(99, PB_VARINT) };
    struct record r = created(STR("duel"), STR("p1"));
    struct ticket_view view = {
        .id = r.ticket_created.id, .state = TICKET_QUEUED, .spec = r.ticket_created.spec};
    struct strbuf field = {0}, entry = {0};
    ticket_codec_write(&view, TicketCreated_ticket, &field);
    struct pb_reader reader = pb_reader(strbuf_str(&field));
    struct pb_field ticket;
    assert_true(pb_next(&reader, &ticket));
    struct strbuf newer = {0};
    strbuf_add_str(&newer, ticket.bytes);
    pb_put_uint(&newer, FROM_THE_FUTURE, 5);
    size_t record = pb_open(&entry, Entry_records);
    size_t body = pb_open(&entry, Record_ticket_created);
    pb_add_text(&entry, TicketCreated_ticket, strbuf_str(&newer));
    pb_close(&entry, body);
    pb_close(&entry, record);
    struct event_batch *b;
    assert_int_equal(event_batch_new(strbuf_str(&entry), here, STR("game"), &b, NULL), ERR_OK);
    Muster__V1__EventBatch *m = message_of(b, 0);
    const Muster__V1__Ticket *t = m->events[0]->ticket;
    assert_string_equal(t->players[0]->player_id, "p1");
    assert_int_equal(t->base.n_unknown_fields, 1);
    assert_int_equal(t->base.unknown_fields[0].tag, 99);
    muster__v1__event_batch__free_unpacked(m, NULL);
    event_batch_free(b);
    strbuf_fini(&field);
    strbuf_fini(&newer);
    strbuf_fini(&entry);
}

static void an_ended_ticket_tells_its_players_and_why(void **state) {
    (void)state;
    struct record r = ended(STR("duel"), TICKET_EXPIRED);
    struct event_batch *b = batch_of(&r, 1);
    Muster__V1__EventBatch *m = message_of(b, 0);
    const Muster__V1__Ticket *t = m->events[0]->ticket;
    assert_int_equal(m->events[0]->body_case, MUSTER__V1__EVENT__BODY_TICKET);
    assert_int_equal(t->state, MUSTER__V1__TICKET_STATE__EXPIRED);
    assert_string_equal(t->queues[0], "duel");
    assert_int_equal(t->n_players, 2);
    assert_string_equal(t->players[1]->player_id, "p2");
    assert_string_equal(t->reason, "because");
    assert_true(t->end_time_ms == 2000);
    muster__v1__event_batch__free_unpacked(m, NULL);
    event_batch_free(b);
}

static void queue_events_tell_the_version_and_what_was_put(void **state) {
    (void)state;
    const struct record records[] = {queue_put(), queue_deleted()};
    struct event_batch *b = batch_of(records, 2);
    Muster__V1__EventBatch *put = message_of(b, 0), *deleted = message_of(b, 1);
    assert_string_equal(put->events[0]->queue_info->definition_json, WIRE_KIT_QUEUE);
    assert_int_equal(put->events[0]->queue_info->version, 2);
    assert_true(put->events[0]->queue_info->update_time_ms == 500);
    assert_string_equal(deleted->events[0]->queue_info->name, "duel");
    assert_string_equal(deleted->events[0]->queue_info->definition_json, "");
    muster__v1__event_batch__free_unpacked(put, NULL);
    muster__v1__event_batch__free_unpacked(deleted, NULL);
    event_batch_free(b);
}

static void carried_and_epoch_records_are_no_news(void **state) {
    (void)state;
    struct record records[] = {created(STR("duel"), STR("p1")),
                               matched(STR("duel")),
                               queue_put(),
                               {.kind = RECORD_EPOCH_STARTED, .epoch_started = {STR("node")}}};
    for (int i = 0; i < 3; i++)
        records[i].carried = true;
    struct event_batch *b = batch_of(records, 4);
    assert_int_equal(event_batch_topics(b), 0);
    event_batch_free(b);
}

static void events_of_a_topic_share_a_message_in_entry_order(void **state) {
    (void)state;
    const struct record records[] = {
        created(STR("duel"), STR("a")), created(STR("arena"), STR("b")),
        created(STR("duel"), STR("c")), matched(STR("arena")),
        created(STR("duel"), STR("d")),
    };
    struct event_batch *b = batch_of(records, 5);
    assert_int_equal(event_batch_topics(b), 3);
    assert_text(event_batch_topic(b, 0), "game/duel/ticket_queued");
    assert_int_equal(event_batch_count(b, 0), 3);
    Muster__V1__EventBatch *m = message_of(b, 0);
    assert_int_equal(m->n_events, 3);
    assert_int_equal(m->entry_events, 5);
    static const uint32_t indexes[] = {0, 2, 4};
    static const char *const players[] = {"a", "c", "d"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(m->events[i]->index, indexes[i]);
        assert_string_equal(m->events[i]->ticket->players[0]->player_id, players[i]);
    }
    muster__v1__event_batch__free_unpacked(m, NULL);
    event_batch_free(b);
}

static void a_replay_has_the_entry_s_order_and_only_its_topics(void **state) {
    (void)state;
    const struct record records[] = {
        created(STR("duel"), STR("a")),
        created(STR("arena"), STR("b")),
        matched(STR("duel")),
        created(STR("duel"), STR("c")),
    };
    struct event_batch *b = batch_of(records, 4);
    static const struct {
        const char *prefix;
        size_t count;
        uint32_t indexes[4];
    } cases[] = {
        {"", 4, {0, 1, 2, 3}},
        {"game/", 4, {0, 1, 2, 3}},
        {"game/duel/", 3, {0, 2, 3}},
        {"game/duel/ticket_queued", 2, {0, 3}},
        {"game/duel/ticket_queuedx", 0, {0}},
        {"other/", 0, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf bytes = {0};
        event_replay_add(b, str_of(cases[i].prefix), &bytes);
        event_replay_finish((struct position){7, 99}, i % 2, &bytes);
        Muster__V1__ReplayEventsResponse *r =
            muster__v1__replay_events_response__unpack(NULL, bytes.size, (uint8_t *)bytes.at);
        assert_int_equal(r->n_events, cases[i].count);
        for (size_t n = 0; n < r->n_events; n++)
            assert_int_equal(r->events[n]->index, cases[i].indexes[n]);
        assert_true(r->position->epoch == 7 && r->position->seq == 99);
        assert_int_equal(r->more, i % 2);
        muster__v1__replay_events_response__free_unpacked(r, NULL);
        strbuf_fini(&bytes);
    }
    event_batch_free(b);
}

static void a_heartbeat_tells_the_last_position_of_each_topic(void **state) {
    (void)state;
    const struct topic_position topics[] = {{STR("game/a/match_found"), {7, 1}},
                                            {STR("game/b/match_found"), {7, 9}}};
    struct strbuf bytes = {0};
    const struct event_heartbeat h = {.last = {7, 9}, .start = {6, 3}, topics, 2};
    event_encode_heartbeat(STR("game"), &h, &bytes);
    static const char topic[] = "game/-/heartbeat";
    assert_memory_equal(bytes.at, topic, sizeof topic);
    Muster__V1__EventBatch *m = muster__v1__event_batch__unpack(NULL, bytes.size - sizeof topic,
                                                                (uint8_t *)bytes.at + sizeof topic);
    assert_int_equal(m->n_events, 0);
    assert_true(m->epoch == 7 && m->seq == 9);
    assert_true(m->previous_epoch == 6 && m->previous_seq == 3); /* where the relay began */
    assert_int_equal(m->n_topics, 2);
    assert_string_equal(m->topics[1]->topic, "game/b/match_found");
    assert_true(m->topics[0]->epoch == 7 && m->topics[0]->seq == 1);
    muster__v1__event_batch__free_unpacked(m, NULL);
    strbuf_fini(&bytes);
}

static void bytes_that_are_no_entry_are_lost_and_nothing_is_owned(void **state) {
    (void)state;
    struct event_batch *b;
    struct err_text why;
    struct strbuf entry = {0};
    struct record r = created(STR("duel"), STR("a"));
    journal_encode(&r, &entry);
    strbuf_add_str(&entry, STR("\xFF"));
    assert_int_equal(event_batch_new(strbuf_str(&entry), here, STR("game"), &b, &why),
                     ERR_DATA_LOSS);
    assert_null(b);
    strbuf_fini(&entry);
}

static void positions_are_ordered_by_epoch_then_seq(void **state) {
    (void)state;
    const struct position rising[] = {{0, 0}, {0, 5}, {1, 0}, {1, UINT64_MAX}, {UINT64_MAX, 0}};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            assert_int_equal(position_compare(rising[i], rising[k]), (i > k) - (i < k));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_event_has_its_topic_and_its_body),
        cmocka_unit_test(a_proposal_is_told_from_its_beginning_to_its_end),
        cmocka_unit_test(players_who_left_a_match_are_told_beside_it),
        cmocka_unit_test(newcomers_of_a_running_match_have_an_event_of_their_own),
        cmocka_unit_test(a_ticket_of_two_queues_is_told_of_on_both_topics),
        cmocka_unit_test(a_ticket_is_passed_on_with_the_fields_of_a_newer_version),
        cmocka_unit_test(an_ended_ticket_tells_its_players_and_why),
        cmocka_unit_test(queue_events_tell_the_version_and_what_was_put),
        cmocka_unit_test(carried_and_epoch_records_are_no_news),
        cmocka_unit_test(events_of_a_topic_share_a_message_in_entry_order),
        cmocka_unit_test(a_replay_has_the_entry_s_order_and_only_its_topics),
        cmocka_unit_test(a_heartbeat_tells_the_last_position_of_each_topic),
        cmocka_unit_test(bytes_that_are_no_entry_are_lost_and_nothing_is_owned),
        cmocka_unit_test(traces_stand_in_the_order_of_the_matchs_tickets),
        cmocka_unit_test(positions_are_ordered_by_epoch_then_seq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
