/* handlers_test.c - what each method answers, and whom it finds: a matcher on a real redis-server.
 */
#include "support/matcher_kit.h"

#include <muster/v1/backfills.pb-c.h>

#define KIT_PAIR(name, life)                                                            \
    "{\"name\":\"" name "\",\"tickMs\":1," life "\"ruleset\":{"                         \
    "\"ruleLanguageVersion\":\"1.0\",\"playerAttributes\":[{\"name\":\"skill\","        \
    "\"type\":\"number\",\"default\":1}],\"teams\":[{\"name\":\"team\",\"quantity\":2," \
    "\"minPlayers\":1,\"maxPlayers\":1}]}}"

/* The answer, unpacked; its status must be OK. */
static void *ask(struct kit *k, enum method_id method, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *type) {
    static unsigned serial;
    char id[16];
    (void)snprintf(id, sizeof id, "r%u", serial++);
    struct kit_answer *a = kit_send(k, method, request, id, KIT_TIMEOUT_MS);
    void *message = kit_unpack(a, type);
    kit_fini(a);
    return message;
}

static void refused(struct kit *k, enum method_id method, const ProtobufCMessage *request,
                    enum err code, const char *says) {
    kit_expect(kit_send(k, method, request, "refused", KIT_TIMEOUT_MS), code, says);
}

static void begin(struct kit *k, const char *queue) {
    kit_start(k);
    kit_put_queue(k, queue);
}

static struct kit_ticket_id create(struct kit *k, const char *player, double skill) {
    return kit_created(kit_create(k, player, skill, player, KIT_TIMEOUT_MS));
}

/* Two players are matched: the match. */
static struct kit_ticket_id play(struct kit *k) {
    struct kit_ticket_id a = create(k, "ann", 100), b = create(k, "bob", 101), match;
    struct kit_answer *w = kit_watch(k, b, MUSTER__V1__TICKET_STATE__QUEUED, 15000);
    (void)kit_watched(w);
    (void)kit_state(k, a, &match);
    return match;
}

#define ID_ABSENT "01ARZ3NDEKTSV4RRFFQ69G5FAV"

/* ---- tickets ---- */

static void a_ticket_is_found_by_its_id_and_by_its_player(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    Muster__V1__GetTicketRequest r = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
    r.player_id = (char *)"ann";
    Muster__V1__GetTicketResponse *got =
        ask(&k, METHOD_GET_TICKET, &r.base, &muster__v1__get_ticket_response__descriptor);
    assert_string_equal(got->ticket->ticket_id, id.text);
    kit_free(got);
    r.player_id = (char *)"bob";
    refused(&k, METHOD_GET_TICKET, &r.base, ERR_NOT_FOUND, "bob");
    r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    r.ticket_id = (char *)ID_ABSENT;
    refused(&k, METHOD_GET_TICKET, &r.base, ERR_NOT_FOUND, ID_ABSENT);
    kit_stop(&k);
}

static void tickets_are_listed_by_pages_oldest_first(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id ids[3] = {create(&k, "a", 0), create(&k, "b", 100), create(&k, "c", 200)};
    Muster__V1__ListTicketsRequest r = MUSTER__V1__LIST_TICKETS_REQUEST__INIT;
    r.queue = (char *)"duel";
    r.page_size = 2;
    Muster__V1__ListTicketsResponse *page =
        ask(&k, METHOD_LIST_TICKETS, &r.base, &muster__v1__list_tickets_response__descriptor);
    assert_int_equal(page->n_tickets, 2);
    assert_string_equal(page->tickets[0]->ticket_id, ids[0].text);
    assert_string_not_equal(page->next_page_token, "");
    r.page_token = page->next_page_token;
    Muster__V1__ListTicketsResponse *next =
        ask(&k, METHOD_LIST_TICKETS, &r.base, &muster__v1__list_tickets_response__descriptor);
    assert_int_equal(next->n_tickets, 1);
    assert_string_equal(next->tickets[0]->ticket_id, ids[2].text);
    assert_string_equal(next->next_page_token, "");
    kit_free(next);
    kit_free(page);
    r.page_token = (char *)"";
    r.queue = (char *)"nowhere";
    refused(&k, METHOD_LIST_TICKETS, &r.base, ERR_NOT_FOUND, "nowhere");
    kit_stop(&k);
}

static void an_updated_ticket_matches_by_what_it_brings_now(void **state) {
    (void)state;
    struct kit k;
    struct kit_ticket t;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id far = create(&k, "ann", 500);
    (void)create(&k, "bob", 100);
    kit_fill(&t, "ann", 101, NULL);
    Muster__V1__UpdateTicketRequest r = MUSTER__V1__UPDATE_TICKET_REQUEST__INIT;
    r.ticket_id = far.text;
    r.n_players = 1;
    r.players = t.players;
    struct kit_answer *w = kit_watch(&k, far, MUSTER__V1__TICKET_STATE__QUEUED, 15000);
    Muster__V1__UpdateTicketResponse *got =
        ask(&k, METHOD_UPDATE_TICKET, &r.base, &muster__v1__update_ticket_response__descriptor);
    assert_string_equal(got->ticket->ticket_id, far.text);
    kit_free(got);
    assert_int_equal(kit_watched(w), MUSTER__V1__TICKET_STATE__MATCHED);
    refused(&k, METHOD_UPDATE_TICKET, &r.base, ERR_FAILED_PRECONDITION, "MATCHED");
    kit_stop(&k);
}

static void heartbeats_are_told_which_tickets_are_gone(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    char *ids[] = {id.text, (char *)ID_ABSENT};
    Muster__V1__HeartbeatTicketsRequest r = MUSTER__V1__HEARTBEAT_TICKETS_REQUEST__INIT;
    r.n_ticket_ids = 2;
    r.ticket_ids = ids;
    Muster__V1__HeartbeatTicketsResponse *got = ask(
        &k, METHOD_HEARTBEAT_TICKETS, &r.base, &muster__v1__heartbeat_tickets_response__descriptor);
    assert_int_equal(got->n_gone_ticket_ids, 1);
    assert_string_equal(got->gone_ticket_ids[0], ID_ABSENT);
    kit_free(got);
    kit_stop(&k);
}

/* ---- matches ---- */

static void a_match_is_read_assigned_and_completed(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id id = play(&k);
    Muster__V1__GetMatchRequest get = MUSTER__V1__GET_MATCH_REQUEST__INIT;
    get.match_id = id.text;
    get.with_tickets = true;
    Muster__V1__GetMatchResponse *got =
        ask(&k, METHOD_GET_MATCH, &get.base, &muster__v1__get_match_response__descriptor);
    assert_int_equal(got->match->state, MUSTER__V1__MATCH_STATE__MATCH_CONFIRMED);
    assert_int_equal(got->n_tickets, 2);
    kit_free(got);
    Muster__V1__AssignMatchRequest assign = MUSTER__V1__ASSIGN_MATCH_REQUEST__INIT;
    assign.match_id = id.text;
    assign.connection = (char *)"10.0.0.7:7777";
    Muster__V1__AssignMatchResponse *assigned =
        ask(&k, METHOD_ASSIGN_MATCH, &assign.base, &muster__v1__assign_match_response__descriptor);
    assert_string_equal(assigned->match->connection, "10.0.0.7:7777");
    kit_free(assigned);
    Muster__V1__CompleteMatchRequest complete = MUSTER__V1__COMPLETE_MATCH_REQUEST__INIT;
    complete.match_id = id.text;
    Muster__V1__CompleteMatchResponse *over = ask(&k, METHOD_COMPLETE_MATCH, &complete.base,
                                                  &muster__v1__complete_match_response__descriptor);
    assert_int_equal(over->match->state, MUSTER__V1__MATCH_STATE__MATCH_COMPLETED);
    kit_free(over);
    Muster__V1__CancelMatchRequest cancel = MUSTER__V1__CANCEL_MATCH_REQUEST__INIT;
    cancel.match_id = id.text;
    refused(&k, METHOD_CANCEL_MATCH, &cancel.base, ERR_FAILED_PRECONDITION, "MATCH_COMPLETED");
    get.match_id = (char *)ID_ABSENT;
    refused(&k, METHOD_GET_MATCH, &get.base, ERR_NOT_FOUND, ID_ABSENT);
    kit_stop(&k);
}

static void matches_are_listed_by_pages_newest_first(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id older = play(&k), newer;
    (void)create(&k, "cat", 500);
    struct kit_ticket_id last = create(&k, "dan", 501);
    (void)kit_watched(kit_watch(&k, last, MUSTER__V1__TICKET_STATE__QUEUED, 15000));
    (void)kit_state(&k, last, &newer);
    Muster__V1__ListMatchesRequest r = MUSTER__V1__LIST_MATCHES_REQUEST__INIT;
    r.page_size = 1;
    Muster__V1__ListMatchesResponse *page =
        ask(&k, METHOD_LIST_MATCHES, &r.base, &muster__v1__list_matches_response__descriptor);
    assert_string_equal(page->matches[0]->match_id, newer.text);
    r.page_token = page->next_page_token;
    Muster__V1__ListMatchesResponse *next =
        ask(&k, METHOD_LIST_MATCHES, &r.base, &muster__v1__list_matches_response__descriptor);
    assert_string_equal(next->matches[0]->match_id, older.text);
    kit_free(next);
    kit_free(page);
    r.page_token = (char *)ID_ABSENT;
    refused(&k, METHOD_LIST_MATCHES, &r.base, ERR_OUT_OF_RANGE, "start again");
    kit_stop(&k);
}

static void a_proposal_is_answered_by_its_players(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_PAIR("duel", "\"acceptanceRequired\":true,\"acceptanceTimeoutSeconds\":60,"));
    struct kit_ticket_id id = play(&k);
    char *players[] = {(char *)"ann"};
    Muster__V1__AcceptMatchRequest yes = MUSTER__V1__ACCEPT_MATCH_REQUEST__INIT;
    yes.match_id = id.text;
    yes.n_player_ids = 1;
    yes.player_ids = players;
    Muster__V1__AcceptMatchResponse *asked =
        ask(&k, METHOD_ACCEPT_MATCH, &yes.base, &muster__v1__accept_match_response__descriptor);
    assert_int_equal(asked->match->state, MUSTER__V1__MATCH_STATE__MATCH_PROPOSED);
    kit_free(asked);
    players[0] = (char *)"bob";
    Muster__V1__DeclineMatchRequest no = MUSTER__V1__DECLINE_MATCH_REQUEST__INIT;
    no.match_id = id.text;
    no.n_player_ids = 1;
    no.player_ids = players;
    Muster__V1__DeclineMatchResponse *failed =
        ask(&k, METHOD_DECLINE_MATCH, &no.base, &muster__v1__decline_match_response__descriptor);
    assert_int_equal(failed->match->state, MUSTER__V1__MATCH_STATE__MATCH_CANCELLED);
    kit_free(failed);
    refused(&k, METHOD_ACCEPT_MATCH, &yes.base, ERR_FAILED_PRECONDITION, "a player declined");
    kit_stop(&k);
}

/* ---- backfills ---- */

static struct kit_ticket_id look(struct kit *k, struct kit_ticket_id match) {
    struct kit_ticket_id id;
    Muster__V1__CreateBackfillRequest r = MUSTER__V1__CREATE_BACKFILL_REQUEST__INIT;
    r.match_id = match.text;
    Muster__V1__CreateBackfillResponse *got =
        ask(k, METHOD_CREATE_BACKFILL, &r.base, &muster__v1__create_backfill_response__descriptor);
    assert_string_equal(got->match->match_id, match.text);
    (void)snprintf(id.text, sizeof id.text, "%s", got->backfill->backfill_id);
    kit_free(got);
    return id;
}

static void a_match_that_a_player_left_looks_for_another_until_it_is_told_not_to(void **state) {
    (void)state;
    struct kit k;
    char *ann = (char *)"ann";
    begin(&k, KIT_PAIR("duel", ""));
    struct kit_ticket_id match = play(&k);
    Muster__V1__LeaveMatchRequest leave = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
    leave.match_id = match.text;
    leave.n_player_ids = 1;
    leave.player_ids = &ann;
    Muster__V1__LeaveMatchResponse *left =
        ask(&k, METHOD_LEAVE_MATCH, &leave.base, &muster__v1__leave_match_response__descriptor);
    assert_string_equal(left->match->left_player_ids[0], "ann");
    kit_free(left);
    Muster__V1__GetBackfillRequest get = MUSTER__V1__GET_BACKFILL_REQUEST__INIT;
    get.key_case = MUSTER__V1__GET_BACKFILL_REQUEST__KEY_MATCH_ID;
    get.match_id = match.text;
    refused(&k, METHOD_GET_BACKFILL, &get.base, ERR_NOT_FOUND, "active backfill of match");
    struct kit_ticket_id id = look(&k, match);
    Muster__V1__GetBackfillResponse *got =
        ask(&k, METHOD_GET_BACKFILL, &get.base, &muster__v1__get_backfill_response__descriptor);
    assert_string_equal(got->backfill->backfill_id, id.text);
    assert_string_equal(got->match->match_id, match.text);
    Muster__V1__UpdateBackfillRequest say = MUSTER__V1__UPDATE_BACKFILL_REQUEST__INIT;
    say.backfill_id = id.text;
    say.parties = got->backfill->parties;
    say.n_parties = got->backfill->n_parties;
    Muster__V1__UpdateBackfillResponse *said = ask(
        &k, METHOD_UPDATE_BACKFILL, &say.base, &muster__v1__update_backfill_response__descriptor);
    assert_int_equal(said->backfill->state, MUSTER__V1__BACKFILL_STATE__BACKFILL_OPEN);
    kit_free(said);
    kit_free(got);
    Muster__V1__CancelBackfillRequest stop = MUSTER__V1__CANCEL_BACKFILL_REQUEST__INIT;
    stop.backfill_id = id.text;
    Muster__V1__CancelBackfillResponse *stopped = ask(
        &k, METHOD_CANCEL_BACKFILL, &stop.base, &muster__v1__cancel_backfill_response__descriptor);
    assert_string_equal(stopped->backfill->reason, "cancelled by request");
    kit_free(stopped);
    get.key_case = MUSTER__V1__GET_BACKFILL_REQUEST__KEY_BACKFILL_ID;
    get.backfill_id = (char *)ID_ABSENT;
    refused(&k, METHOD_GET_BACKFILL, &get.base, ERR_NOT_FOUND, "backfill " ID_ABSENT);
    kit_stop(&k);
}

/* ---- queues ---- */

static void a_queues_versions_are_kept_and_told(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_PAIR("duel", ""));
    Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
    put.definition_json = (char *)KIT_PAIR("duel", "\"ticketTimeoutSeconds\":60,");
    put.author = (char *)"ann@studio";
    Muster__V1__PutQueueResponse *second =
        ask(&k, METHOD_PUT_QUEUE, &put.base, &muster__v1__put_queue_response__descriptor);
    assert_true(second->changed);
    kit_free(second);
    Muster__V1__GetQueueRequest get = MUSTER__V1__GET_QUEUE_REQUEST__INIT;
    get.name = (char *)"duel";
    for (uint32_t version = 0; version < 3; version++) {
        get.version = version;
        Muster__V1__GetQueueResponse *got =
            ask(&k, METHOD_GET_QUEUE, &get.base, &muster__v1__get_queue_response__descriptor);
        assert_int_equal(got->queue->version, version ? version : 2);
        kit_free(got);
    }
    get.version = 3;
    refused(&k, METHOD_GET_QUEUE, &get.base, ERR_NOT_FOUND, "the present one is 2");
    Muster__V1__ListQueueVersionsRequest list = MUSTER__V1__LIST_QUEUE_VERSIONS_REQUEST__INIT;
    list.name = (char *)"duel";
    Muster__V1__ListQueueVersionsResponse *all =
        ask(&k, METHOD_LIST_QUEUE_VERSIONS, &list.base,
            &muster__v1__list_queue_versions_response__descriptor);
    assert_int_equal(all->n_versions, 2);
    kit_free(all);
    list.name = (char *)"nowhere";
    refused(&k, METHOD_LIST_QUEUE_VERSIONS, &list.base, ERR_NOT_FOUND, "nowhere");
    kit_stop(&k);
}

static void a_queue_is_deleted_only_with_its_tickets(void **state) {
    (void)state;
    struct kit k;
    begin(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    Muster__V1__DeleteQueueRequest r = MUSTER__V1__DELETE_QUEUE_REQUEST__INIT;
    r.name = (char *)"duel";
    refused(&k, METHOD_DELETE_QUEUE, &r.base, ERR_FAILED_PRECONDITION, "ticket");
    r.cancel_tickets = true;
    kit_free(ask(&k, METHOD_DELETE_QUEUE, &r.base, &muster__v1__delete_queue_response__descriptor));
    assert_int_equal(kit_state(&k, id, NULL), MUSTER__V1__TICKET_STATE__CANCELLED);
    Muster__V1__GetQueueStatsRequest stats = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    stats.name = (char *)"duel";
    refused(&k, METHOD_GET_QUEUE_STATS, &stats.base, ERR_NOT_FOUND, "duel");
    kit_stop(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_found_by_its_id_and_by_its_player),
        cmocka_unit_test(tickets_are_listed_by_pages_oldest_first),
        cmocka_unit_test(an_updated_ticket_matches_by_what_it_brings_now),
        cmocka_unit_test(heartbeats_are_told_which_tickets_are_gone),
        cmocka_unit_test(a_match_is_read_assigned_and_completed),
        cmocka_unit_test(matches_are_listed_by_pages_newest_first),
        cmocka_unit_test(a_proposal_is_answered_by_its_players),
        cmocka_unit_test(a_match_that_a_player_left_looks_for_another_until_it_is_told_not_to),
        cmocka_unit_test(a_queues_versions_are_kept_and_told),
        cmocka_unit_test(a_queue_is_deleted_only_with_its_tickets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
