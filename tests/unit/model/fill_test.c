/* fill_test.c - who joins a running match that looks for players, and in which order. */
#include "support/backfill_kit.h"

/* ---- filling ---- */

static void waiting_ticket_takes_the_open_place_of_a_running_match(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct id ticket = join("eve", 1010);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 0); /* no new match */
    assert_true(is_in("eve"));
    assert_int_equal(match_player_count(spec()), 4);
    assert_int_equal(kit_state(&kit, ticket), TICKET_MATCHED);
    assert_true(id_equal(ticket_match_id(realm_ticket(kit.realm, ticket)), match));
    assert_int_equal(spec()->ticket_count, 3);
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    assert_null(realm_backfill_of(kit.realm, match));
    const struct record *r = last_of(RECORD_ROSTER_CHANGED);
    assert_int_equal(r->roster_changed.joined_count, 1);
    assert_int_equal(r->roster_changed.ticket_count, 1);
    assert_true(spec()->skill_spread == 10);
    kit_fini(&kit);
}

static void backfill_finds_who_waits_already(void **state) {
    (void)state;
    play(LOOSE, 2);
    kit_party(&kit, "q", 5000, 2);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    join("eve", 1010);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 0); /* nobody is near */
    assert_true(player_waits("eve"));
    assert_int_equal(look(), ERR_OK);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    kit_fini(&kit);
}

static void whoever_breaks_a_rule_beside_those_present_waits_on(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    join("far", 1101);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("far"));
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    kit_fini(&kit);
}

static void party_that_has_no_room_together_waits_on(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct kit_player both[] = {{.id = "eve", .skill = 1000}, {.id = "eva", .skill = 1000}};
    kit_create(&kit, "q", both, 2);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("eve"));
    assert_int_equal(kit_leave(&kit, match, "p1"), ERR_OK); /* now a team is empty */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_true(is_in("eva"));
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    kit_fini(&kit);
}

static void places_that_must_be_filled_together_are(void **state) {
    (void)state;
    play(FULL, 3);
    assert_int_equal(kit_leave(&kit, match, "p0 p3"), ERR_OK);
    assert_int_equal(look(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("eve")); /* five would break the minimum */
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_true(is_in("eva"));
    assert_int_equal(match_player_count(spec()), 6);
    kit_fini(&kit);
}

static void backfill_goes_on_until_no_place_is_open(void **state) {
    (void)state;
    play(LOOSE, 2);
    assert_int_equal(kit_leave(&kit, match, "p0 p2"), ERR_OK);
    assert_int_equal(look(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    assert_int_equal(looking()->party_count, 3);
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eva"));
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    kit_fini(&kit);
}

static void player_who_is_in_the_match_does_not_fill_it(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    join("p3", 1000); /* the queue does not hold its players */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("p3"));
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    kit_fini(&kit);
}

static void who_left_may_come_back(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    assert_int_equal(spec()->left_count, 1);
    join("p0", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("p0"));
    assert_int_equal(spec()->left_count, 0);
    kit_fini(&kit);
}

static void other_partition_does_not_fill_it(void **state) {
    (void)state;
    open_realm(MODES);
    struct kit_player p[] = {{.id = "a", .mode = "koth"},
                             {.id = "b", .mode = "koth"},
                             {.id = "c", .mode = "koth"},
                             {.id = "d", .mode = "ctf"},
                             {.id = "e", .mode = "koth"}};
    kit_create(&kit, "q", &p[0], 2);
    kit_create(&kit, "q", &p[2], 1);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(look(), ERR_OK);
    kit_create(&kit, "q", &p[3], 1);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("d"));
    kit_create(&kit, "q", &p[4], 1);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("e"));
    kit_fini(&kit);
}

static void newcomers_reach_the_region_that_the_match_is_in(void **state) {
    (void)state;
    open_realm(ABROAD);
    struct kit_player p[] = {
        {.id = "a", .regions = {"eu", "us"}, .latencies = {20, 90}},
        {.id = "b", .regions = {"eu", "us"}, .latencies = {20, 90}},
        {.id = "c", .regions = {"eu", "us"}, .latencies = {20, 90}},
        {.id = "d", .regions = {"us"}, .latencies = {20}},
        {.id = "e", .regions = {"eu", "us"}, .latencies = {60, 20}},
    };
    kit_create(&kit, "q", &p[0], 2);
    kit_create(&kit, "q", &p[2], 1);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_true(str_equal(spec()->region, STR("eu")));
    assert_int_equal(look(), ERR_OK);
    kit_create(&kit, "q", &p[3], 1);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("d"));
    kit_cancel(&kit, realm_player_ticket(kit.realm, STR("d"))->id);
    kit_create(&kit, "q", &p[4], 1);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("e"));
    assert_true(str_equal(spec()->region, STR("eu")));
    assert_int_equal(spec()->worst_latency_ms, 60);
    kit_fini(&kit);
}

static void patient_queue_gives_the_place_to_who_is_worth_it(void **state) {
    (void)state;
    play_and_look(PATIENT, 2);
    join("far", 1099); /* legal */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("far"));
    kit_search_at(&kit, kit.now_ms + 60000); /* the match has waited until the deadline */
    assert_true(is_in("far"));
    kit_fini(&kit);
}

static struct player with_role(const char *name, const char *role) {
    struct attribute *a = arena_alloc(kit.arena, sizeof *a);
    struct str *items = arena_alloc(kit.arena, 2 * sizeof *items);
    items[0] = str_of(role);
    items[1] = STR("healer");
    *a = (struct attribute){.name = STR("roles"), .kind = ATTRIBUTE_LIST, .item_count = 2};
    if (strcmp(role, "healer") == 0) a->item_count = 1;
    a->items = items;
    return (struct player){.id = str_of(name), .attributes = a, .attribute_count = 1};
}

static void create_with_role(const char *name, const char *role) {
    struct outcome out;
    struct str queue = STR("q");
    struct player p = with_role(name, role);
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){&queue, &p, 1, 1};
    if (kit_do(&kit, c, &out) != ERR_OK) fail_msg("%s", kit.why.text);
}

static void those_present_keep_the_roles_they_play(void **state) {
    (void)state;
    open_realm(ROLES);
    create_with_role("t1", "tank"); /* they would heal, too */
    create_with_role("t2", "tank");
    create_with_role("h1", "healer");
    create_with_role("h2", "healer");
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_leave(&kit, match, "t1"), ERR_OK);
    assert_int_equal(look(), ERR_OK);
    create_with_role("h3", "healer"); /* no tank */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("h3"));
    create_with_role("t3", "tank");
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("t3"));
    assert_true(str_equal(match_member(spec(), STR("t3"))->role, STR("tank")));
    assert_true(str_equal(match_member(spec(), STR("t2"))->role, STR("tank")));
    kit_fini(&kit);
}

/* ---- order ---- */

static bool fills_before_a_new_match(unsigned rule, bool ticket_is_older) {
    play(rule, 2);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    kit.now_ms += 10;
    if (ticket_is_older) join("eve", 1000);
    kit.now_ms += 10;
    assert_int_equal(look(), ERR_OK);
    kit.now_ms += 10;
    if (!ticket_is_older) join("eve", 1000);
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    bool filled = is_in("eve");
    kit_fini(&kit);
    return filled;
}

static void backfill_priority_says_whether_new_matches_come_first(void **state) {
    (void)state;
    assert_true(fills_before_a_new_match(FIRST, true));
    assert_true(fills_before_a_new_match(FIRST, false));
    assert_false(fills_before_a_new_match(LOOSE, true)); /* normal: whoever is older */
    assert_true(fills_before_a_new_match(LOOSE, false));
    assert_false(fills_before_a_new_match(LAST, true));
    assert_false(fills_before_a_new_match(LAST, false));
}

static void oldest_backfill_is_filled_first(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct id older = match;
    kit.now_ms += 5;
    kit_party(&kit, "q", 1000, 2);
    kit_search_at(&kit, kit.now_ms + 1);
    kit_party(&kit, "q", 1000, 2);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_leave(&kit, match, "p4"), ERR_OK);
    assert_int_equal(look(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_false(is_in("eve"));
    match = older;
    assert_true(is_in("eve"));
    kit_fini(&kit);
}

/* ---- age ---- */

static void backfill_is_as_old_as_its_match_was_and_grows_older(void **state) {
    (void)state;
    open_realm(WIDENING);
    kit_party(&kit, "q", 1000, 2);
    kit_party(&kit, "q", 1250, 1);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 0);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 10000), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(look(), ERR_OK); /* those present fit the rules of that age */
    join("eve", 1100);                /* and she is new */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    kit_fini(&kit);
    play_and_look(WIDENING, 2);
    join("far", 1250);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("far"));
    int64_t due_ms = looking()->created_ms + 10000 - looking()->waited_ms;
    while (kit.now_ms < due_ms - 1)
        kit_search_at(&kit, kit.now_ms + 1000 < due_ms ? kit.now_ms + 1000 : due_ms - 1);
    assert_true(player_waits("far"));
    kit_search_at(&kit, due_ms);
    assert_true(is_in("far"));
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_ticket_takes_the_open_place_of_a_running_match),
        cmocka_unit_test(backfill_finds_who_waits_already),
        cmocka_unit_test(whoever_breaks_a_rule_beside_those_present_waits_on),
        cmocka_unit_test(party_that_has_no_room_together_waits_on),
        cmocka_unit_test(places_that_must_be_filled_together_are),
        cmocka_unit_test(backfill_goes_on_until_no_place_is_open),
        cmocka_unit_test(player_who_is_in_the_match_does_not_fill_it),
        cmocka_unit_test(who_left_may_come_back),
        cmocka_unit_test(other_partition_does_not_fill_it),
        cmocka_unit_test(newcomers_reach_the_region_that_the_match_is_in),
        cmocka_unit_test(patient_queue_gives_the_place_to_who_is_worth_it),
        cmocka_unit_test(those_present_keep_the_roles_they_play),
        cmocka_unit_test(backfill_priority_says_whether_new_matches_come_first),
        cmocka_unit_test(oldest_backfill_is_filled_first),
        cmocka_unit_test(backfill_is_as_old_as_its_match_was_and_grows_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
