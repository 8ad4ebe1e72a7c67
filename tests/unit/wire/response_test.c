/* response_test.c - responses as the protobuf-c library reads them. */
#include "wire/response.h"

#include "base/metrics.h"
#include "model/eta.h"
#include "muster/v1/matches.pb-c.h"
#include "muster/v1/queues.pb-c.h"
#include "muster/v1/system.pb-c.h"
#include "muster/v1/tickets.pb-c.h"
#include "support/wire_kit.h"
#include "wire/queue_json.h"

#include <math.h>

/* UNPACK(v1__x, b): the message in strbuf `b`, freed; fails the test when it is none. */
#define UNPACK(type, b) unpack(&muster__##type##__descriptor, (b))
static void *unpack(const ProtobufCMessageDescriptor *type, struct strbuf *b) {
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, NULL, b->size, (const uint8_t *)(b->at ? b->at : ""));
    if (!m) fail_msg("no %s", type->name);
    for (unsigned i = 0; i < m->n_unknown_fields; i++)
        fail_msg("%s has an unknown field %u", type->name, m->unknown_fields[i].tag);
    strbuf_fini(b);
    return m;
}

static void free_message(void *m) {
    protobuf_c_message_free_unpacked(m, NULL);
}

static void assert_id(const char *text, struct id id) {
    char expected[ID_TEXT_BYTES] = "";
    if (!id_is_none(id)) id_format(id, expected);
    assert_string_equal(text, expected);
}

static void assert_str(const char *text, struct str s) {
    wire_kit_same_text(str_of(text), s);
}

static void assert_match(const Muster__V1__Match *got, const struct match_spec *m) {
    assert_id(got->match_id, m->id);
    assert_int_equal(got->state, m->state);
    assert_str(got->queue, m->queue);
    assert_int_equal(got->queue_version, m->queue_version);
    assert_str(got->region, m->region);
    wire_kit_same_double(got->quality, m->quality);
    wire_kit_same_double(got->skill_spread, m->skill_spread);
    wire_kit_same_double(got->team_gap, m->team_gap);
    wire_kit_same_double(got->mean_latency_ms, m->mean_latency_ms);
    assert_true(got->longest_wait_ms == m->longest_wait_ms);
    assert_true(got->create_time_ms == m->created_ms);
    assert_true(got->expire_time_ms == m->until_ms);
    assert_true(got->end_time_ms == m->ended_ms);
    assert_str(got->reason, m->reason);
    assert_str(got->connection, m->connection);
    assert_true(got->result_due_time_ms == m->result_due_ms);
    assert_int_equal(got->holds_players, m->holds_players);
    assert_int_equal(got->n_results, m->result_count);
    assert_int_equal(got->n_ticket_ids, m->ticket_count);
    for (uint32_t i = 0; i < m->ticket_count; i++)
        assert_id(got->ticket_ids[i], m->ticket_ids[i]);
    assert_int_equal(got->n_teams, m->team_count);
    for (uint32_t t = 0; t < m->team_count; t++) {
        assert_str(got->teams[t]->name, m->teams[t].name);
        assert_int_equal(got->teams[t]->n_players, m->teams[t].member_count);
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            assert_str(got->teams[t]->players[i]->player_id, m->teams[t].members[i].player_id);
            assert_id(got->teams[t]->players[i]->ticket_id, m->teams[t].members[i].ticket_id);
            assert_int_equal(got->teams[t]->players[i]->answer, m->teams[t].members[i].answer);
        }
    }
}

static void assert_attribute(const Muster__V1__Player__AttributesEntry *got,
                             const struct attribute *a) {
    const Muster__V1__AttributeValue *v = got->value;
    assert_str(got->key, a->name);
    switch (a->kind) {
    case ATTRIBUTE_NUMBER:
        assert_int_equal(v->kind_case, MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER);
        wire_kit_same_double(v->number, a->number);
        break;
    case ATTRIBUTE_TEXT:
        assert_int_equal(v->kind_case, MUSTER__V1__ATTRIBUTE_VALUE__KIND_TEXT);
        assert_str(v->text, a->text);
        break;
    case ATTRIBUTE_LIST:
        assert_int_equal(v->list->n_values, a->item_count);
        for (uint32_t i = 0; i < a->item_count; i++)
            assert_str(v->list->values[i], a->items[i]);
        break;
    case ATTRIBUTE_MAP:
        assert_int_equal(v->map->n_values, a->item_count);
        for (uint32_t i = 0; i < a->item_count; i++) {
            assert_str(v->map->values[i]->key, a->items[i]);
            wire_kit_same_double(v->map->values[i]->value, a->numbers[i]);
        }
        break;
    }
}

static void assert_players(Muster__V1__Player *const *got, const struct ticket_spec *spec) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct player *p = &spec->players[i];
        assert_str(got[i]->player_id, p->id);
        assert_int_equal(got[i]->n_attributes, p->attribute_count);
        assert_int_equal(got[i]->n_latencies_ms, p->latency_count);
        for (uint32_t n = 0; n < p->attribute_count; n++)
            assert_attribute(got[i]->attributes[n], &p->attributes[n]);
        for (uint32_t n = 0; n < p->latency_count; n++) {
            assert_str(got[i]->latencies_ms[n]->key, p->latencies[n].region);
            assert_int_equal(got[i]->latencies_ms[n]->value, p->latencies[n].ms);
        }
    }
}

static void any_ticket_and_its_match_are_told_whole(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 100; i++) {
        struct ticket *t = wire_kit_ticket(&k, TICKET_QUEUED + wire_kit_below(&k, 5));
        struct match m = {.spec = wire_kit_match(&k)};
        struct strbuf b = {0};
        struct ticket_wait wait = {(int32_t)wire_kit_below(&k, 9000), i % 3 ? 43200000 : 0};
        response_ticket(t, wait, i % 2 ? &m : NULL, &b);
        Muster__V1__GetTicketResponse *r = UNPACK(v1__get_ticket_response, &b);
        assert_id(r->ticket->ticket_id, t->id);
        assert_int_equal(r->ticket->state, t->state);
        struct ticket_spec spec = ticket_spec(t, k.arena);
        assert_int_equal(r->ticket->n_queues, spec.queue_count);
        for (uint32_t q = 0; q < spec.queue_count; q++)
            assert_str(r->ticket->queues[q], spec.queues[q]);
        assert_int_equal(r->ticket->n_players, spec.player_count);
        assert_players(r->ticket->players, &spec);
        assert_true(r->ticket->create_time_ms == t->created_ms);
        assert_true(r->ticket->expire_time_ms == ticket_expires_ms(t));
        assert_true(r->ticket->end_time_ms == ticket_ended_ms(t));
        assert_id(r->ticket->match_id, ticket_match_id(t));
        assert_str(r->ticket->reason, ticket_reason(t));
        assert_int_equal(r->ticket->eta_p50_ms, wait.p50_ms);
        assert_int_equal(r->ticket->eta_p90_ms, wait.p90_ms);
        assert_int_equal(r->match != NULL, i % 2);
        if (r->match) assert_match(r->match, &m.spec);
        free_message(r);
        ticket_free(t);
        arena_reset(k.arena);
    }
    wire_kit_free(&k);
}

static void a_batch_is_answered_in_order_with_its_failures(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct err_text why = {"no queue x here", "", 0},
                    named = {"tickets[2].queues is bad", "tickets[2].queues", 0};
    struct response_created items[] = {
        {wire_kit_id(&k), ERR_OK, NULL},
        {{0, 0}, ERR_NOT_FOUND, &why},
        {{0, 0}, ERR_INVALID_ARGUMENT, &named},
    };
    struct strbuf b = {0};
    response_created(items, 3, &b);
    Muster__V1__CreateTicketsResponse *r = UNPACK(v1__create_tickets_response, &b);
    assert_int_equal(r->n_ticket_ids, 3);
    for (int i = 0; i < 3; i++)
        assert_id(r->ticket_ids[i], items[i].ticket_id);
    assert_int_equal(r->n_failures, 2);
    assert_int_equal(r->failures[0]->index, 1);
    assert_int_equal(r->failures[0]->status->code, ERR_NOT_FOUND);
    assert_string_equal(r->failures[0]->status->message, why.text);
    assert_int_equal(r->failures[0]->status->n_details, 0);
    assert_int_equal(r->failures[1]->index, 2);
    assert_string_equal(r->failures[1]->status->details[0]->field, named.field);
    assert_string_equal(r->failures[1]->status->details[0]->message, named.text);
    free_message(r);
    wire_kit_free(&k);
}

static void matches_come_in_pages(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct match all[3];
    const struct match *page[3];
    for (int i = 0; i < 3; i++) {
        all[i].spec = wire_kit_match(&k);
        page[i] = &all[i];
    }
    struct strbuf b = {0}, last = {0}, one = {0};
    response_matches(page, 3, all[2].spec.id, &b);
    Muster__V1__ListMatchesResponse *r = UNPACK(v1__list_matches_response, &b);
    assert_int_equal(r->n_matches, 3);
    for (int i = 0; i < 3; i++)
        assert_match(r->matches[i], &all[i].spec);
    assert_id(r->next_page_token, all[2].spec.id);
    free_message(r);
    response_matches(page, 0, (struct id){0, 0}, &last);
    assert_int_equal(last.size, 0);
    response_match(page[1], &one);
    Muster__V1__GetMatchResponse *single = UNPACK(v1__get_match_response, &one);
    assert_match(single->match, &all[1].spec);
    free_message(single);
    wire_kit_free(&k);
}

static void tickets_come_with_their_match_and_in_pages(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct ticket *a = wire_kit_ticket(&k, TICKET_QUEUED), *b = wire_kit_ticket(&k, TICKET_MATCHED);
    struct match m = {.spec = wire_kit_match(&k)};
    struct ticket_wait wait = {7, 9};
    struct strbuf out = {0};
    response_match(&m, &out);
    response_match_ticket(a, wait, &out);
    response_match_ticket(b, wait, &out);
    Muster__V1__GetMatchResponse *got = UNPACK(v1__get_match_response, &out);
    assert_match(got->match, &m.spec);
    assert_int_equal(got->n_tickets, 2);
    assert_id(got->tickets[1]->ticket_id, b->id);
    struct ticket_spec spec = ticket_spec(b, k.arena);
    assert_players(got->tickets[1]->players, &spec);
    free_message(got);
    struct strbuf page = {0};
    response_listed_ticket(a, wait, &page);
    response_listed_next(UINT64_C(1234567890123), &page);
    Muster__V1__ListTicketsResponse *list = UNPACK(v1__list_tickets_response, &page);
    assert_int_equal(list->n_tickets, 1);
    assert_id(list->tickets[0]->ticket_id, a->id);
    assert_int_equal(list->tickets[0]->eta_p90_ms, 9);
    assert_string_equal(list->next_page_token, "1234567890123");
    free_message(list);
    ticket_free(a);
    ticket_free(b);
    wire_kit_free(&k);
}

static struct queue_def *parse_queue(void) {
    struct queue_def *def;
    struct err_text why;
    if (queue_json_parse(STR(WIRE_KIT_QUEUE), false, &def, NULL, &why) != ERR_OK)
        fail_msg("%s", why.text);
    return def;
}

static void queues_are_told_with_their_notes_a_line_each(void **state) {
    (void)state;
    struct queue q = {.def = parse_queue(), .version = 7, .updated_ms = 1700000000000};
    struct strbuf b = {0}, got = {0}, list = {0};
    response_queue(&q, true, STR("one\n\ntwo\nthree"), &b);
    Muster__V1__PutQueueResponse *r = UNPACK(v1__put_queue_response, &b);
    assert_string_equal(r->queue->name, "duel");
    assert_int_equal(r->queue->version, 7);
    assert_string_equal(r->queue->definition_json, WIRE_KIT_QUEUE);
    assert_true(r->queue->update_time_ms == 1700000000000);
    assert_true(r->changed);
    assert_int_equal(r->n_notes, 3);
    assert_string_equal(r->notes[1], "two");
    assert_string_equal(r->notes[2], "three");
    free_message(r);
    struct queue_version now = queue_version_now(&q);
    response_queue_version(q.def->name, &now, &got);
    Muster__V1__GetQueueResponse *one = UNPACK(v1__get_queue_response, &got);
    assert_string_equal(one->queue->name, "duel");
    free_message(one);
    const struct queue *const both[] = {&q, &q};
    response_queues(both, 2, &list);
    Muster__V1__ListQueuesResponse *all = UNPACK(v1__list_queues_response, &list);
    assert_int_equal(all->n_queues, 2);
    free_message(all);
    queue_def_free(q.def);
}

static void versions_are_told_newest_first_with_what_each_changed(void **state) {
    (void)state;
    struct queue q = {.def = parse_queue(), .version = 3, .updated_ms = 3000};
    q.author = STR("ann");
    struct queue_version first = {.number = 1, .put_ms = 1000, .json = STR("{\"tickMs\":1}")},
                         second = {.number = 2,
                                   .put_ms = 2000,
                                   .json = STR("{\"tickMs\":2}"),
                                   .author = STR("bob"),
                                   .comment = STR("slower")};
    queue_history_add(&q.history, &first);
    queue_history_add(&q.history, &second);
    struct strbuf b = {0};
    response_queue_versions(&q, &b);
    Muster__V1__ListQueueVersionsResponse *r = UNPACK(v1__list_queue_versions_response, &b);
    assert_int_equal(r->n_versions, 3);
    assert_int_equal(r->versions[0]->queue->version, 3);
    assert_string_equal(r->versions[0]->queue->author, "ann");
    assert_string_equal(r->versions[0]->queue->definition_json, "");
    assert_true(r->versions[0]->n_changes > 1);
    assert_string_equal(r->versions[1]->queue->comment, "slower");
    assert_string_equal(r->versions[1]->queue->name, "duel");
    assert_int_equal(r->versions[1]->n_changes, 1);
    assert_string_equal(r->versions[1]->changes[0], "tickMs: 1 -> 2");
    assert_int_equal(r->versions[2]->n_changes, 0);
    free_message(r);
    queue_history_fini(&q.history);
    queue_def_free(q.def);
}

static void rejections_and_expansions_are_told_the_most_frequent_first(void **state) {
    (void)state;
    static const char duel[] =
        "{\"name\":\"duel\",\"ruleset\":{\"name\":\"duel\",\"ruleLanguageVersion\":\"1.0\","
        "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\",\"default\":1}],"
        "\"teams\":[{\"name\":\"red\",\"minPlayers\":1,\"maxPlayers\":1}],"
        "\"rules\":[{\"name\":\"Fair\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
        "\"maxDistance\":10}],\"expansions\":[{\"target\":\"rules[Fair].maxDistance\",\"steps\":"
        "[{\"waitTimeSeconds\":9,\"value\":20}]}]}}";
    struct queue q = {.tickets_queued = 3, .tickets_open = 5};
    struct err_text why;
    if (queue_json_parse(STR(duel), false, &q.def, NULL, &why) != ERR_OK) fail_msg("%s", why.text);
    q.stats.search.expanded[0] = 6;
    q.stats.proposals = 4;
    q.stats.proposals_failed = 1;
    q.stats.search.refused[0] = 5;
    q.stats.search.refused_patience = 7;
    q.stats.search.refused_few = 2;
    struct strbuf b = {0};
    response_queue_stats(&q, 3, 0, &b);
    Muster__V1__GetQueueStatsResponse *r = UNPACK(v1__get_queue_stats_response, &b);
    assert_int_equal(r->tickets_proposed, 2);
    assert_int_equal(r->proposals_total, 4);
    assert_int_equal(r->proposals_failed_total, 1);
    assert_int_equal(r->n_rejections, 3);
    assert_string_equal(r->rejections[0]->name, "muster.patience");
    assert_int_equal(r->rejections[0]->count, 7);
    assert_string_equal(r->rejections[1]->name, "Fair");
    assert_string_equal(r->rejections[2]->name, "muster.players");
    assert_int_equal(r->n_expansions, 1);
    assert_string_equal(r->expansions[0]->name, "rules[Fair].maxDistance");
    assert_int_equal(r->expansions[0]->count, 6);
    free_message(r);
    queue_def_free(q.def);
}

static void queue_stats_hold_totals_waits_and_the_mean_quality(void **state) {
    (void)state;
    struct queue q = {.def = parse_queue(),
                      .version = 2,
                      .players_queued = 6,
                      .tickets_queued = 3,
                      .tickets_open = 5};
    q.stats = (struct queue_stats){.created = 10,
                                   .matched = 4,
                                   .cancelled = 2,
                                   .expired = 1,
                                   .matches = 2,
                                   .quality_sum = 150};
    q.stats.waits[queue_wait_bucket(1000)] = 4;
    struct strbuf b = {0};
    response_queue_stats(&q, 3, 1234, &b);
    Muster__V1__GetQueueStatsResponse *r = UNPACK(v1__get_queue_stats_response, &b);
    assert_string_equal(r->name, "duel");
    assert_int_equal(r->version, 2);
    assert_int_equal(r->tickets_queued, 3);
    assert_int_equal(r->players_queued, 6);
    assert_int_equal(r->tickets_created_total, 10);
    assert_int_equal(r->tickets_matched_total, 4);
    assert_int_equal(r->tickets_cancelled_total, 2);
    assert_int_equal(r->tickets_expired_total, 1);
    assert_int_equal(r->matches_total, 2);
    assert_int_equal(r->oldest_wait_ms, 1234);
    int64_t wait = queue_wait_quantile_ms(&q.stats, 0.5);
    assert_true(r->wait_p50_ms == wait && r->wait_p90_ms == wait && r->wait_p99_ms == wait);
    assert_true(r->quality_mean == 75);
    assert_int_equal(r->tickets_proposed, 2);
    assert_int_equal(r->n_waits, 1);
    assert_int_equal(r->waits[0]->up_to_ms, wait);
    assert_int_equal(r->waits[0]->players, 4);
    free_message(r);
    q.stats = (struct queue_stats){0};
    response_queue_stats(&q, 0, 0, &b);
    r = UNPACK(v1__get_queue_stats_response, &b);
    assert_true(r->quality_mean == 0); /* of no match */
    free_message(r);
    queue_def_free(q.def);
}

static void queue_stats_tell_what_new_tickets_wait(void **state) {
    (void)state;
    struct queue q = {.def = parse_queue(), .eta = eta_new()};
    struct wire_kit k = wire_kit_new();
    struct ticket_spec spec = wire_kit_spec(&k);
    spec.player_count = 1;
    struct strbuf b = {0};
    response_queue_waits(&q, 1000, &b);
    Muster__V1__GetQueueStatsResponse *r = UNPACK(v1__get_queue_stats_response, &b);
    assert_true(r->eta == NULL && r->n_eta_by_band == 0 && r->n_eta_by_party == 0);
    free_message(r);
    for (int i = 0; i < 40; i++) {
        uint16_t kind = eta_arrive(q.eta, q.def->ruleset, &spec, 1000);
        eta_leave(q.eta, kind, 1000, 6000 + i, ETA_MATCHED);
    }
    q.stats.estimated = 10;
    q.stats.kept = 9;
    response_queue_waits(&q, 6000, &b);
    r = UNPACK(v1__get_queue_stats_response, &b);
    assert_in_range(r->eta->p50_ms, 4871, 5793);
    assert_in_range(r->eta->p90_ms, r->eta->p50_ms, 5793);
    assert_int_equal(r->eta->samples, 40);
    assert_int_equal(r->n_eta_by_band, 1);
    assert_int_equal(r->n_eta_by_region, 1);
    assert_int_equal(r->n_eta_by_party, 1);
    assert_int_equal(r->eta_by_party[0]->players_max, 1);
    assert_true(r->eta_told_total == 10 && r->eta_kept_total == 9);
    free_message(r);
    eta_free(q.eta);
    queue_def_free(q.def);
    wire_kit_free(&k);
}

struct told {
    const Muster__V1__GetStatusResponse *status;
    size_t *at;
};

static void expect_metric(void *arg, const struct metric_sample *sample) {
    const struct told *t = arg;
    assert_true(*t->at < t->status->n_metrics);
    assert_string_equal(t->status->metrics[(*t->at)++]->name, sample->name);
}

struct parts { /* what an explanation points to */
    struct ruleset_number number;
    struct why_rule rule;
    struct why_team team;
    struct why_role role;
    struct ticket other;
};

static struct why any_why(struct wire_kit *k, struct parts *p) {
    p->number = (struct ruleset_number){"maxDistance", 50, INFINITY, 20000};
    p->rule = (struct why_rule){.name = STR("near"),
                                .type = "batchDistance",
                                .attribute = STR("skill"),
                                .scope = RULE_OF_PAIRS,
                                .numbers = &p->number,
                                .number_count = 1,
                                .rejected = (uint32_t)wire_kit_below(k, 100),
                                .rejected_alone = (uint32_t)wire_kit_below(k, 100)};
    p->team = (struct why_team){STR("red"), 1, 5, (uint32_t)wire_kit_below(k, 6)};
    p->role = (struct why_role){STR("tank"), 1, 2, 3, 1};
    p->other = (struct ticket){.id = wire_kit_id(k)};
    return (struct why){.reason = WHY_RULES,
                        .position = 1 + wire_kit_below(k, 9),
                        .tickets_queued = 10 + wire_kit_below(k, 1000000),
                        .players_queued = 7,
                        .tickets_elsewhere = 3,
                        .age_ms = 12000,
                        .next_step_in_ms = 8000,
                        .any_match_in_ms = 9000,
                        .near = 12,
                        .near_players = 13,
                        .near_is_all = true,
                        .fitting = 2,
                        .fitting_players = 4,
                        .rules = &p->rule,
                        .rule_count = 1,
                        .miss = {.ticket = &p->other,
                                 .failing = 1,
                                 .distance = 160,
                                 .has_numbers = true,
                                 .measured = 160,
                                 .bound = 50,
                                 .admitted_in_ms = 8000,
                                 .admitting = 200},
                        .teams = &p->team,
                        .team_count = 1,
                        .roles = &p->role,
                        .role_count = 1,
                        .players_min = 2,
                        .players_max = 10,
                        .own_players = 1,
                        .players = 5,
                        .missing = 1,
                        .wait = {{1000, 9000}, ETA_NARROW, 44}};
}

static void assert_why(const Muster__V1__QueueExplanation *got, const struct why *w) {
    assert_int_equal(got->reason, w->reason);
    assert_string_equal(got->rule, "near");
    assert_true(got->position == w->position && got->tickets_queued == w->tickets_queued);
    assert_true(got->players_queued == 7 && got->tickets_elsewhere == 3);
    assert_true(got->age_ms == 12000 && got->next_expansion_in_ms == 8000);
    assert_int_equal(got->any_match_in_ms, 9000);
    assert_true(got->near_tickets == 12 && got->near_players == 13 && got->near_is_all);
    assert_true(got->fitting_tickets == 2 && got->fitting_players == 4);
    assert_true(got->players_min == 2 && got->players_max == 10);
    assert_true(got->group_players == 5 && got->missing_players == 1);
    assert_int_equal(got->n_rules, 1);
    assert_int_equal(got->rules[0]->rejected_tickets, w->rules[0].rejected);
    assert_int_equal(got->rules[0]->rejected_alone_tickets, w->rules[0].rejected_alone);
    assert_true(got->rules[0]->of_pairs && !got->rules[0]->fails);
    assert_true(got->rules[0]->numbers[0]->now == 50 && isinf(got->rules[0]->numbers[0]->next));
    assert_int_equal(got->rules[0]->numbers[0]->next_in_ms, 8000);
    assert_id(got->nearest_miss->ticket_id, w->miss.ticket->id);
    assert_string_equal(got->nearest_miss->rule, "near");
    assert_true(got->nearest_miss->measured == 160 && got->nearest_miss->bound == 50);
    assert_true(got->nearest_miss->will_be_admitted && got->nearest_miss->admitting_bound == 200);
    assert_int_equal(got->nearest_miss->admitted_in_ms, 8000);
    assert_int_equal(got->teams[0]->players, w->teams[0].players);
    assert_int_equal(got->roles[0]->fitting_players, 3);
    assert_true(got->eta_p50_ms == 1000 && got->eta_p90_ms == 9000 && got->eta_samples == 44);
}

static void an_explanation_is_told_whole_queue_by_queue(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct queue q = {.def = parse_queue(), .version = 3};
    for (int i = 0; i < 50; i++) {
        struct ticket *t = wire_kit_ticket(&k, TICKET_QUEUED);
        struct parts parts;
        struct response_explained two[2] = {{&q, any_why(&k, &parts)}};
        two[1] = two[0];
        struct strbuf b = {0};
        response_explain(t, (struct ticket_wait){1000, 9000}, two, 2, &b);
        Muster__V1__ExplainTicketResponse *r = UNPACK(v1__explain_ticket_response, &b);
        assert_id(r->ticket->ticket_id, t->id);
        assert_int_equal(r->ticket->eta_p90_ms, 9000);
        assert_int_equal(r->n_queues, 2);
        assert_string_equal(r->queues[1]->queue, "duel");
        assert_int_equal(r->queues[1]->queue_version, 3);
        for (int n = 0; n < 2; n++)
            assert_why(r->queues[n], &two[n].why);
        assert_string_equal(r->sentences[0], "In queue duel:");
        free_message(r);
        ticket_free(t);
        arena_reset(k.arena);
    }
    queue_def_free(q.def);
    wire_kit_free(&k);
}

static void a_ticket_that_has_ended_is_explained_by_its_end(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct ticket *t = wire_kit_ticket(&k, TICKET_QUEUED);
    ticket_move(t, TICKET_EXPIRED);
    struct strbuf b = {0};
    response_explain(t, (struct ticket_wait){0, 0}, NULL, 0, &b);
    Muster__V1__ExplainTicketResponse *r = UNPACK(v1__explain_ticket_response, &b);
    assert_int_equal(r->n_queues, 0);
    assert_int_equal(r->n_sentences, 1);
    assert_int_equal(r->ticket->state, MUSTER__V1__TICKET_STATE__EXPIRED);
    free_message(r);
    ticket_free(t);
    wire_kit_free(&k);
}

static void status_tells_every_metric(void **state) {
    (void)state;
    static const char *const roles[] = {"api", "matcher"};
    struct response_status s = {
        .version = "1.2.3",
        .realm = "game",
        .roles = roles,
        .role_count = 2,
        .leading = true,
        .epoch = UINT64_MAX,
        .seq = 5,
        .uptime_ms = 77,
        .tickets_queued = 8,
        .matches_kept = 9,
        .queue_count = 3,
    };
    struct strbuf b = {0};
    response_status(&s, &b);
    Muster__V1__GetStatusResponse *r = UNPACK(v1__get_status_response, &b);
    assert_string_equal(r->version, "1.2.3");
    assert_string_equal(r->realm, "game");
    assert_int_equal(r->n_roles, 2);
    assert_string_equal(r->roles[1], "matcher");
    assert_true(r->leading);
    assert_true(r->epoch == UINT64_MAX && r->seq == 5 && r->uptime_ms == 77);
    assert_true(r->tickets_queued == 8 && r->matches_kept == 9 && r->queue_count == 3);
    size_t at = 0;
    metrics_each(expect_metric, (struct told[]){{r, &at}});
    assert_int_equal(r->n_metrics, at);
    free_message(r);
}

static void a_check_that_fails_is_an_empty_message(void **state) {
    (void)state;
    struct strbuf b = {0};
    response_check(false, &b);
    assert_int_equal(b.size, 0);
    response_check(true, &b);
    Muster__V1__CheckResponse *r = UNPACK(v1__check_response, &b);
    assert_true(r->serving);
    free_message(r);
    struct queue_report report;
    queue_report_make(STR("{\"name\":\"q\"}"), false, &report);
    response_report(&report, &b);
    queue_report_fini(&report);
    Muster__V1__ValidateRulesetResponse *told = UNPACK(v1__validate_ruleset_response, &b);
    assert_true(!told->ok && told->n_notes == 0 && told->n_problems == 1);
    assert_string_equal(told->problems[0]->message, "ruleset is missing");
    assert_string_equal(told->problems[0]->field, "ruleset");
    assert_true(told->problems[0]->line == 1 && told->problems[0]->column == 1);
    free_message(told);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_ticket_and_its_match_are_told_whole),
        cmocka_unit_test(a_batch_is_answered_in_order_with_its_failures),
        cmocka_unit_test(matches_come_in_pages),
        cmocka_unit_test(tickets_come_with_their_match_and_in_pages),
        cmocka_unit_test(queues_are_told_with_their_notes_a_line_each),
        cmocka_unit_test(versions_are_told_newest_first_with_what_each_changed),
        cmocka_unit_test(rejections_and_expansions_are_told_the_most_frequent_first),
        cmocka_unit_test(queue_stats_hold_totals_waits_and_the_mean_quality),
        cmocka_unit_test(queue_stats_tell_what_new_tickets_wait),
        cmocka_unit_test(an_explanation_is_told_whole_queue_by_queue),
        cmocka_unit_test(a_ticket_that_has_ended_is_explained_by_its_end),
        cmocka_unit_test(status_tells_every_metric),
        cmocka_unit_test(a_check_that_fails_is_an_empty_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
