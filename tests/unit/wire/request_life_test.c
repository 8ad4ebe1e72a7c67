/* request_life_test.c - requests about the life of tickets and matches: what is accepted, and why
 * not.
 */
#include "support/request_kit.h"
#include "support/wire_kit.h"
#include "wire/fields.h"
#include "wire/player_codec.h"

static struct strbuf of_match(void) {
    struct strbuf b = {0};
    pb_put_text(&b, AssignMatchRequest_match_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    return b;
}

static void an_assignment_says_where_to_play(void **state) {
    (void)state;
    struct strbuf b = of_match(), none = of_match(), bad = of_match();
    pb_put_text(&b, AssignMatchRequest_connection, STR("10.0.0.7:7777"));
    struct decoded d = decode(METHOD_ASSIGN_MATCH, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.command.kind, COMMAND_ASSIGN_MATCH);
    assert_true(str_equal(d.r.command.assign_match.connection, STR("10.0.0.7:7777")));
    decoded_free(&d);
    strbuf_fini(&b);
    assert_refused(METHOD_ASSIGN_MATCH, &none, "connection",
                   "connection is empty; say where to play");
    pb_put_text(&bad, AssignMatchRequest_connection, STR("\xFF"));
    assert_refused(METHOD_ASSIGN_MATCH, &bad, "connection",
                   "connection is no UTF-8 of at most 1024 bytes");
}

static void add_result(struct strbuf *b, struct str team, uint64_t rank) {
    size_t at = pb_open(b, CompleteMatchRequest_results);
    pb_put_text(b, TeamResult_team, team);
    pb_put_uint(b, TeamResult_rank, rank);
    pb_put_double(b, TeamResult_score, 2.5);
    pb_close(b, at);
}

static void results_name_each_team_once_with_a_rank(void **state) {
    (void)state;
    struct strbuf b = of_match(), twice = of_match(), bad = of_match();
    add_result(&b, STR("red"), 2);
    add_result(&b, STR("blue"), 1);
    struct decoded d = decode(METHOD_COMPLETE_MATCH, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.command.complete_match.result_count, 2);
    assert_int_equal(d.r.command.complete_match.results[0].rank, 2);
    assert_true(d.r.command.complete_match.results[1].score == 2.5);
    decoded_free(&d);
    strbuf_fini(&b);
    add_result(&twice, STR("red"), 1);
    add_result(&twice, STR("red"), 2);
    assert_refused(METHOD_COMPLETE_MATCH, &twice, "results[1]", "results[1] names its team again");
    add_result(&bad, STR("red"), 0);
    assert_refused(METHOD_COMPLETE_MATCH, &bad, "results[0]",
                   "results[0] is not a team's name, a rank of 1..200 and a finite score");
}

static void a_match_is_cancelled_with_words(void **state) {
    (void)state;
    struct strbuf b = of_match(), bad = of_match();
    pb_put_text(&b, CancelMatchRequest_reason, STR("no server"));
    pb_put_uint(&b, CancelMatchRequest_requeue, 1);
    struct decoded d = decode(METHOD_CANCEL_MATCH, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_true(d.r.command.cancel_match.requeue);
    assert_true(str_equal(d.r.command.cancel_match.reason, STR("no server")));
    decoded_free(&d);
    strbuf_fini(&b);
    pb_put_text(&bad, CancelMatchRequest_reason, STR("\xC0"));
    assert_refused(METHOD_CANCEL_MATCH, &bad, "reason", "reason is no UTF-8 of at most 200 bytes");
}

static void an_update_has_a_ticket_and_its_players(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct ticket_spec spec = wire_kit_spec(&k);
    struct strbuf b = {0}, none = {0};
    pb_put_text(&b, UpdateTicketRequest_ticket_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    pb_put_text(&none, UpdateTicketRequest_ticket_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    player_codec_write(&spec, UpdateTicketRequest_players, &b);
    struct decoded d = decode(METHOD_UPDATE_TICKET, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.command.kind, COMMAND_UPDATE_TICKET);
    assert_int_equal(d.r.command.update_ticket.player_count, spec.player_count);
    assert_true(str_equal(d.r.command.update_ticket.players[0].id, spec.players[0].id));
    decoded_free(&d);
    strbuf_fini(&b);
    assert_refused(METHOD_UPDATE_TICKET, &none, "players",
                   "players has 0 players; allowed are 1..200");
    wire_kit_free(&k);
}

static void heartbeats_come_in_batches_of_1_to_1000(void **state) {
    (void)state;
    struct strbuf b = {0}, none = {0}, bad = {0};
    for (int i = 0; i < 3; i++)
        pb_add_text(&b, HeartbeatTicketsRequest_ticket_ids, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    struct decoded d = decode(METHOD_HEARTBEAT_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.heartbeat.count, 3);
    assert_false(id_is_none(d.r.heartbeat.ticket_ids[2]));
    decoded_free(&d);
    strbuf_fini(&b);
    assert_refused(METHOD_HEARTBEAT_TICKETS, &none, "ticket_ids",
                   "ticket_ids has 0 entries; allowed are 1..1000");
    pb_add_text(&bad, HeartbeatTicketsRequest_ticket_ids, STR("x"));
    assert_refused(METHOD_HEARTBEAT_TICKETS, &bad, "ticket_ids",
                   "ticket_ids is \"x\"; allowed is a ULID of 26 characters");
}

static void an_answer_names_a_match_and_its_players(void **state) {
    (void)state;
    static const enum method_id methods[] = {METHOD_ACCEPT_MATCH, METHOD_DECLINE_MATCH,
                                             METHOD_LEAVE_MATCH};
    static const enum command_kind kinds[] = {COMMAND_ACCEPT_MATCH, COMMAND_DECLINE_MATCH,
                                              COMMAND_LEAVE_MATCH};
    for (int i = 0; i < 3; i++) {
        struct strbuf b = {0}, none = {0}, bad = {0};
        pb_put_text(&b, AcceptMatchRequest_match_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        strbuf_add_str(&none, strbuf_str(&b));
        pb_put_text(&b, AcceptMatchRequest_player_ids, STR("ann"));
        pb_put_text(&b, AcceptMatchRequest_player_ids, STR("bob"));
        struct decoded d = decode(methods[i], &b);
        assert_int_equal(d.code, ERR_OK);
        const struct command *c = &d.r.command;
        assert_int_equal(c->kind, kinds[i]);
        assert_false(id_is_none(c->answer_match.match_id));
        assert_int_equal(c->answer_match.player_count, 2);
        assert_true(str_equal(c->answer_match.player_ids[1], STR("bob")));
        decoded_free(&d);
        strbuf_fini(&b);
        assert_refused(methods[i], &none, "player_ids",
                       "player_ids has 0 names; allowed are 1..200");
        pb_put_text(&bad, AcceptMatchRequest_player_ids, STR("ann"));
        assert_refused(methods[i], &bad, "match_id",
                       "match_id is \"\"; allowed is a ULID of 26 characters");
    }
}

/* A BackfillParty of one player. */
static void put_party(struct strbuf *b, uint32_t key, const char *team, const char *name) {
    size_t party = pb_open(b, key);
    pb_put_text(b, BackfillParty_team, str_of(team));
    size_t player = pb_open(b, BackfillParty_players);
    pb_put_text(b, Player_player_id, str_of(name));
    pb_close(b, player);
    pb_close(b, party);
}

static void a_backfill_is_asked_for_by_match_or_by_who_is_in_it(void **state) {
    (void)state;
    struct strbuf b = {0}, bad = {0}, late = {0};
    pb_put_text(&b, CreateBackfillRequest_match_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    struct decoded d = decode(METHOD_CREATE_BACKFILL, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.command.kind, COMMAND_CREATE_BACKFILL);
    assert_int_equal(d.r.command.create_backfill.party_count, 0);
    assert_false(id_is_none(d.r.command.create_backfill.request_key));
    decoded_free(&d);
    put_party(&b, CreateBackfillRequest_parties, "red", "ann");
    put_party(&b, CreateBackfillRequest_parties, "blue", "bob");
    pb_put_uint(&b, CreateBackfillRequest_timeout_ms, 5000);
    d = decode(METHOD_CREATE_BACKFILL, &b);
    assert_int_equal(d.code, ERR_OK);
    const struct command *c = &d.r.command;
    assert_int_equal(c->create_backfill.party_count, 2);
    assert_true(str_equal(c->create_backfill.parties[1].team, STR("blue")));
    assert_true(str_equal(c->create_backfill.parties[1].players[0].id, STR("bob")));
    assert_int_equal(c->create_backfill.timeout_ms, 5000);
    decoded_free(&d);
    strbuf_fini(&b);
    put_party(&bad, CreateBackfillRequest_parties, "red", "ann");
    put_party(&bad, CreateBackfillRequest_parties, "red", "a b");
    assert_refused(METHOD_CREATE_BACKFILL, &bad, "parties[1].players[0].player_id",
                   "parties[1].players[0].player_id is \"a b\"; allowed are 1..64 of "
                   "[A-Za-z0-9_.-]");
    pb_put_uint(&late, CreateBackfillRequest_waited_ms, 43200001);
    assert_refused(METHOD_CREATE_BACKFILL, &late, "waited_ms",
                   "waited_ms is 43200001; allowed are 0..43200000");
}

static void an_update_says_who_is_in_the_match(void **state) {
    (void)state;
    struct strbuf b = {0};
    pb_put_text(&b, UpdateBackfillRequest_backfill_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    assert_refused(METHOD_UPDATE_BACKFILL, &b, "parties",
                   "parties is empty; say who is in the match, or cancel it");
}

static void a_backfill_is_got_by_itself_or_by_its_match(void **state) {
    (void)state;
    struct strbuf b = {0}, none = {0};
    pb_put_text(&b, GetBackfillRequest_match_id, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    struct decoded d = decode(METHOD_GET_BACKFILL, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_true(id_is_none(d.r.get_backfill.backfill_id));
    assert_false(id_is_none(d.r.get_backfill.match_id));
    decoded_free(&d);
    strbuf_fini(&b);
    assert_refused(METHOD_GET_BACKFILL, &none, "backfill_id",
                   "backfill_id is \"\"; allowed is a ULID of 26 characters");
    assert_refused(METHOD_CANCEL_BACKFILL, &none, "backfill_id",
                   "backfill_id is \"\"; allowed is a ULID of 26 characters");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_says_where_to_play),
        cmocka_unit_test(results_name_each_team_once_with_a_rank),
        cmocka_unit_test(a_match_is_cancelled_with_words),
        cmocka_unit_test(an_update_has_a_ticket_and_its_players),
        cmocka_unit_test(heartbeats_come_in_batches_of_1_to_1000),
        cmocka_unit_test(an_answer_names_a_match_and_its_players),
        cmocka_unit_test(a_backfill_is_asked_for_by_match_or_by_who_is_in_it),
        cmocka_unit_test(an_update_says_who_is_in_the_match),
        cmocka_unit_test(a_backfill_is_got_by_itself_or_by_its_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
