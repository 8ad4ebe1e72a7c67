/* roster_test.c - players leave a match that goes on. */
#include "support/model_kit.h"

#include "model/realm_state.h"

enum { PLAIN, HELD, ASKED };

#define TRIO .teams = 2, .players_min = 1, .players_max = 3, .spread = 100

static const struct kit_rules rules[] = {
    [PLAIN] = {TRIO},
    [HELD] = {TRIO, .life = {.match_ms = 60000, .holds_players = true}},
    [ASKED] = {TRIO, .life = {.acceptance_ms = 20000}},
};

static struct kit kit;
static struct id party, trio, match;

/* Tickets of p0 and p1, and of p2, p3 and p4, are in a match. */
static void play(unsigned rule) {
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", rule);
    party = kit_party(&kit, "q", 1000, 2);
    trio = kit_party(&kit, "q", 1000, 3);
    assert_int_equal(kit_search(&kit), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
}

static const struct match_spec *spec(void) {
    return &realm_match(kit.realm, match)->spec;
}

static enum err join(const char *player) {
    struct outcome out;
    struct kit_player p = {.id = player, .skill = 1000};
    return kit_try_create(&kit, "q", &p, 1, &out);
}

static const struct record *last_record(void) {
    return kit.journal[kit.record_count - 1];
}

static void players_who_leave_are_out_and_the_match_goes_on(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_assign(&kit, match, "here"), ERR_OK);
    assert_int_equal(kit_leave(&kit, match, "p0 p3"), ERR_OK);
    assert_int_equal(spec()->state, MATCH_ASSIGNED);
    assert_true(str_equal(spec()->connection, STR("here")));
    assert_int_equal(match_player_count(spec()), 3);
    assert_null(match_member(spec(), STR("p0")));
    assert_non_null(match_member(spec(), STR("p1")));
    assert_int_equal(spec()->left_count, 2);
    assert_int_equal(spec()->ticket_count, 2);
    assert_int_equal(last_record()->kind, RECORD_ROSTER_CHANGED);
    assert_int_equal(last_record()->roster_changed.left_count, 2);
    kit_fini(&kit);
}

static void ticket_whose_players_have_all_left_is_the_matchs_no_more(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_leave(&kit, match, "p0 p1"), ERR_OK);
    assert_int_equal(spec()->ticket_count, 1);
    assert_true(id_equal(spec()->ticket_ids[0], trio));
    kit_fini(&kit);
}

static void leaving_again_changes_nothing(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    size_t records = kit.record_count;
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit.record_count, records);
    assert_int_equal(kit_leave(&kit, match, "p0 p1"), ERR_OK); /* the news is p1 */
    assert_int_equal(last_record()->roster_changed.left_count, 1);
    kit_fini(&kit);
}

static void only_its_players_leave_a_running_match(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_leave(&kit, match, "nobody"), ERR_INVALID_ARGUMENT);
    assert_string_equal(kit.why.field, "player_ids");
    assert_int_equal(kit_leave(&kit, (struct id){1, 1}, "p0"), ERR_NOT_FOUND);
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_FAILED_PRECONDITION);
    kit_fini(&kit);
    play(ASKED);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_FAILED_PRECONDITION);
    kit_fini(&kit);
}

static void match_that_everybody_left_is_cancelled(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_leave(&kit, match, "p0 p1 p2 p3"), ERR_OK);
    assert_int_equal(kit_leave(&kit, match, "p4"), ERR_OK);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_true(str_equal(spec()->reason, STR("all players left")));
    assert_int_equal(spec()->left_count, 5);
    kit_fini(&kit);
}

static void who_has_left_may_join_again_though_the_queue_holds_players(void **state) {
    (void)state;
    play(HELD);
    assert_int_equal(join("p0"), ERR_ALREADY_EXISTS);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(join("p0"), ERR_OK);
    assert_int_equal(join("p1"), ERR_ALREADY_EXISTS);
    assert_int_equal(kit.realm->holders.count, 4);
    kit_fini(&kit);
}

static void cancelled_match_queues_no_ticket_again_of_which_somebody_left(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_cancel_match(&kit, match, true), ERR_OK);
    assert_null(realm_player_ticket(kit.realm, STR("p0")));
    assert_null(realm_player_ticket(kit.realm, STR("p1")));
    assert_non_null(realm_player_ticket(kit.realm, STR("p2")));
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(players_who_leave_are_out_and_the_match_goes_on),
        cmocka_unit_test(ticket_whose_players_have_all_left_is_the_matchs_no_more),
        cmocka_unit_test(leaving_again_changes_nothing),
        cmocka_unit_test(only_its_players_leave_a_running_match),
        cmocka_unit_test(match_that_everybody_left_is_cancelled),
        cmocka_unit_test(who_has_left_may_join_again_though_the_queue_holds_players),
        cmocka_unit_test(cancelled_match_queues_no_ticket_again_of_which_somebody_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
