/* pick_test.c - which match a search finds: legal, oldest first, and never hidden by a neighbour.
 */
#include "support/model_kit.h"

#include "model/pick.h"
#include "model/realm_state.h"

enum {
    DUEL,
    FIVES,
    FIVES_LATENCY,
    WINDOW,
    FLAGGED,
    BOSS,
    SQUADS,
    OLDEST,
    GROWING,
    MODES,
    THREES,
    ALIKE
};

static const struct kit_rules rules[] = {
    [DUEL] = {.teams = 2,
              .players_min = 1,
              .players_max = 1,
              .spread = 100,
              .steps = {{20000, 200}, {60000, 400}}},
    [FIVES] = {.teams = 2, .players_min = 5, .players_max = 5, .spread = 100},
    [FIVES_LATENCY] =
        {.teams = 2, .players_min = 2, .players_max = 2, .spread = 1000, .latency_ms = 100},
    [WINDOW] = {.teams = 2, .players_min = 2, .players_max = 2, .spread = 100},
    [FLAGGED] = {.teams = 2,
                 .players_min = 1,
                 .players_max = 1,
                 .spread = 1000,
                 .extra = {{"max(flatten(teams[*].players.attributes[flag]))", 0}}},
    [BOSS] = {.teams = 2,
              .players_min = 2,
              .players_max = 2,
              .spread = 1000,
              .extra = {{"sum(teams[a].players.attributes[flag])", 1},
                        {"sum(teams[b].players.attributes[flag])", 1}}},
    [SQUADS] = {.teams = 2, .players_min = 2, .players_max = 4, .spread = 100},
    [OLDEST] = {.teams = 2,
                .players_min = 1,
                .players_max = 1,
                .spread = 100,
                .steps = {{20000, 200}},
                .age_is_oldest = true},
    [GROWING] = {.teams = 2,
                 .players_min = 3,
                 .players_max = 3,
                 .spread = 50,
                 .steps = {{10000, 100}, {30000, 300}}},
    [MODES] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .same_mode = true},
    [ALIKE] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .alike_first = true},
    [THREES] = {.teams = 3,
                .players_min = 1,
                .players_max = 2,
                .spread = 60,
                .extra = {{"max(count(teams[*].players))", 2}}},
};

static struct kit kit;

static int open_queue(void **state, unsigned index) {
    (void)state;
    kit_init(&kit, rules, 1);
    kit_put(&kit, "q", index);
    return 0;
}

static struct id solo_with(const char *id, double skill, double flag) {
    return kit_create(&kit, "q", &(struct kit_player){.id = id, .skill = skill, .flag = flag}, 1);
}

/* In the next millisecond, so that the queue's tick has come. */
static uint32_t search(void) {
    return kit_search_at(&kit, kit.now_ms + 1);
}

static void two_within_the_spread_match_at_once(void **state) {
    open_queue(state, DUEL);
    struct id a = kit_solo(&kit, "q", 1000), b = kit_solo(&kit, "q", 1100);
    assert_int_equal(search(), 1);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    kit_fini(&kit);
}

static void two_outside_the_spread_match_when_the_newest_reaches_the_step(void **state) {
    open_queue(state, DUEL);
    kit_solo(&kit, "q", 1000);
    kit_search_at(&kit, kit.now_ms + 15000);
    struct id b = kit_solo(&kit, "q", 1150);
    int64_t step_ms = kit.now_ms + 20000;
    assert_int_equal(search(), 0);
    assert_int_equal(kit_search_at(&kit, step_ms - 1), 0);
    assert_int_equal(kit_state(&kit, b), TICKET_QUEUED);
    assert_true(realm_next_due_ms(kit.realm) <= step_ms);
    assert_int_equal(kit_search_at(&kit, step_ms), 1);
    kit_fini(&kit);
}

static void where_the_oldest_decides_a_long_waiter_takes_a_newcomer(void **state) {
    open_queue(state, OLDEST);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 25000), 0);
    kit_solo(&kit, "q", 1150);
    assert_int_equal(search(), 1);
    kit_fini(&kit);
}

static void a_sort_rule_comes_before_age(void **state) {
    open_queue(state, ALIKE);
    struct id anchor = solo_with("anchor", 1000, 5), other = solo_with("other", 1000, 9);
    for (int i = 0; i < 30; i++)
        kit_solo(&kit, "q", 1000 + i); /* of flag 0 */
    struct id alike = solo_with("alike", 1040, 5);
    kit_solo(&kit, "q", 5000);
    search();
    struct id match = ticket_match_id(realm_ticket(kit.realm, anchor));
    assert_true(id_equal(match, ticket_match_id(realm_ticket(kit.realm, alike))));
    assert_false(id_equal(match, ticket_match_id(realm_ticket(kit.realm, other))));
    kit_fini(&kit);
}

static void tolerance_is_two_sided_and_holds_between_all_members(void **state) {
    open_queue(state, WINDOW);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1090);
    kit_solo(&kit, "q", 910); /* each within 100 of the first, not of each other */
    kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 0);
    kit_solo(&kit, "q", 1050);
    assert_int_equal(search(), 1);
    assert_int_equal(realm_tickets_open(kit.realm), 1);
    kit_fini(&kit);
}

static void a_narrow_group_is_found_behind_older_wide_ones(void **state) {
    open_queue(state, WINDOW);
    for (int i = 0; i < 3; i++)
        kit_solo(&kit, "q", 900 + i); /* older, at the window's far end */
    kit_search_at(&kit, kit.now_ms + 1000);
    kit_solo(&kit, "q", 1080);
    kit_solo(&kit, "q", 1090);
    kit_search_at(&kit, kit.now_ms + 1000);
    kit_solo(&kit, "q", 1010);
    assert_int_equal(search(), 0);
    struct id last = kit_solo(&kit, "q", 1000);
    search(); /* 1000 and 900..902, or 1000..1090: one of them must come */
    assert_int_equal(kit_state(&kit, last), TICKET_MATCHED);
    kit_fini(&kit);
}

static void among_equals_the_oldest_are_matched_first(void **state) {
    open_queue(state, FIVES);
    struct id ids[25];
    for (int i = 0; i < 25; i++) {
        kit.now_ms++;
        ids[i] = kit_solo(&kit, "q", 1000);
    }
    assert_int_equal(search(), 2);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(kit_state(&kit, ids[i]), i < 20 ? TICKET_MATCHED : TICKET_QUEUED);
    }
    kit_fini(&kit);
}

static void an_unmatchable_head_starves_nobody(void **state) {
    open_queue(state, FLAGGED);
    struct id head = solo_with("outcast", 1000, 1); /* a rule that the search does not know */
    for (int i = 0; i < 100; i++) {
        kit.now_ms++;
        kit_solo(&kit, "q", 1000);
    }
    assert_int_equal(search(), 50);
    assert_int_equal(kit_state(&kit, head), TICKET_QUEUED);
    kit_fini(&kit);
}

static void many_unmatchable_elders_starve_nobody(void **state) {
    open_queue(state, FLAGGED);
    for (int i = 0; i < 100; i++) {
        char id[24];
        snprintf(id, sizeof id, "outcast%d", i);
        solo_with(id, 1000, 1);
    }
    assert_int_equal(search(), 0);
    kit.now_ms += 5000;
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 1);
    kit_fini(&kit);
}

static void a_crowd_that_hides_a_partner_is_seen_through_by_retries(void **state) {
    open_queue(state, FLAGGED);
    for (int i = 0; i < 400; i++) { /* nearer than the partner, and unmatchable */
        char id[24];
        snprintf(id, sizeof id, "outcast%d", i);
        solo_with(id, 1000, 1);
    }
    search();
    kit.now_ms += 10;
    struct id far = kit_solo(&kit, "q", 1900), seeker = kit_solo(&kit, "q", 950);
    assert_int_equal(search(), 0);
    int64_t end_ms = kit.now_ms + 120000;
    while (kit_state(&kit, seeker) == TICKET_QUEUED && kit.now_ms < end_ms) {
        kit_search_at(&kit, kit.now_ms + 500);
    }
    assert_int_equal(kit_state(&kit, far), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, seeker), TICKET_MATCHED);
    kit_fini(&kit);
}

static void a_rule_about_named_teams_chooses_the_split(void **state) {
    open_queue(state,
               BOSS); /* one flagged player in each team; the evenest split has both in one */
    solo_with("boss_1", 900, 1);
    solo_with("boss_2", 100, 1);
    solo_with("plain_1", 500, 0);
    solo_with("plain_2", 500, 0);
    assert_int_equal(search(), 1);
    kit_fini(&kit);
}

static void rare_members_are_found_among_many_others(void **state) {
    open_queue(state, BOSS);
    for (int i = 0; i < 60; i++)
        kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 0);
    kit.now_ms += 100;
    solo_with("boss_1", 1000, 1);
    assert_int_equal(search(), 0);
    kit.now_ms += 100;
    solo_with("boss_2", 1000, 1);
    for (int second = 0; second < 5 && kit.match_count == 0; second++) {
        kit_search_at(&kit, kit.now_ms + 1000);
    }
    assert_int_equal(kit.match_count, 1);
    kit_fini(&kit);
}

static void parties_of_one_to_five_fill_teams_of_five(void **state) {
    open_queue(state, FIVES);
    const uint32_t sizes[] = {4, 3, 2, 1};
    for (int i = 0; i < 4; i++)
        kit_party(&kit, "q", 1000 + 10 * i, sizes[i]);
    assert_int_equal(search(), 1);
    kit_party(&kit, "q", 1000, 5);
    assert_int_equal(search(), 0);
    kit_party(&kit, "q", 1020, 5);
    assert_int_equal(search(), 1);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void parties_that_do_not_pack_wait(void **state) {
    open_queue(state, FIVES);
    for (int i = 0; i < 12; i++)
        kit_party(&kit, "q", 1000, 4);
    assert_int_equal(search(), 0);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 0);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 1);
    kit_fini(&kit);
}

static void teams_are_filled_towards_their_maximum(void **state) {
    open_queue(state, SQUADS);
    for (int i = 0; i < 8; i++)
        kit_solo(&kit, "q", 1000);
    assert_int_equal(search(), 1);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    for (int i = 0; i < 5; i++)
        kit_solo(&kit, "q", 1000); /* more than the minimum of 4 */
    kit_search_at(&kit, kit.now_ms + 10);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void tickets_of_disjoint_regions_never_match(void **state) {
    open_queue(state, FIVES_LATENCY);
    char name[16];
    for (int i = 0; i < 6; i++) { /* three that reach eu only, three that reach us only */
        snprintf(name, sizeof name, "p%d", i);
        kit_create(&kit, "q",
                   &(struct kit_player){.id = name,
                                        .skill = 1000,
                                        .regions = {"eu", "us"},
                                        .latencies = {i % 2 ? 30 : 150, i % 2 ? 150 : 30}},
                   1);
    }
    assert_int_equal(search(), 0);
    kit_create(&kit, "q",
               &(struct kit_player){
                   .id = "both", .skill = 1000, .regions = {"eu", "us"}, .latencies = {99, 98}},
               1);
    assert_int_equal(search(), 1);
    const struct match *m = realm_next_match(kit.realm, NULL);
    assert_true(str_equal(m->spec.region, STR("eu")) || str_equal(m->spec.region, STR("us")));
    kit_fini(&kit);
}

static void pairs_without_a_region_do_not_block_the_rest(void **state) {
    open_queue(state, FIVES_LATENCY);
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "p%d", i);
        bool lonely = i < 2;
        kit_create(&kit, "q",
                   &(struct kit_player){.id = name,
                                        .skill = i < 2 ? 0 : 500,
                                        .regions = {i == 0   ? "mars"
                                                    : i == 1 ? "moon"
                                                             : "eu"},
                                        .latencies = {lonely ? 20 : 50}},
                   1);
    }
    assert_int_equal(search(), 24);
    assert_int_equal(realm_tickets_open(kit.realm), 4);
    kit_fini(&kit);
}

static void modes_do_not_mix(void **state) {
    open_queue(state, MODES);
    kit_create(&kit, "q", &(struct kit_player){.id = "a", .skill = 1, .mode = "sand"}, 1);
    kit_create(&kit, "q", &(struct kit_player){.id = "b", .skill = 1, .mode = "ice"}, 1);
    assert_int_equal(search(), 0);
    kit_create(&kit, "q", &(struct kit_player){.id = "c", .skill = 1, .mode = "ice"}, 1);
    assert_int_equal(search(), 1);
    assert_non_null(realm_player_ticket(kit.realm, STR("a")));
    kit_fini(&kit);
}

static void a_thousand_duels_leave_nobody_behind(void **state) {
    open_queue(state, DUEL);
    for (int i = 0; i < 1000; i++)
        kit_solo(&kit, "q", 1000 + (double)rng_below(&kit.rng, 50));
    assert_int_equal(search(), 500);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void a_search_that_saw_everything_sleeps_until_its_next_step(void **state) {
    open_queue(state, DUEL);
    kit_solo(&kit, "q", 1000);
    kit_search(&kit);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 20000);
    kit_search_at(&kit, kit.now_ms + 20000);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 40000);
    kit_search_at(&kit, kit.now_ms + 40000);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 540000); /* its expiry */
    kit_fini(&kit);
}

/* ---- completeness: no legal group may be left waiting ---- */

static bool some_split_is_legal(const struct ruleset *r, const struct ticket **group,
                                uint32_t count, struct arena *scratch) {
    const struct ruleset_limits *l = ruleset_limits_at(r, 0);
    uint32_t ways = 1, team_of[8];
    for (uint32_t i = 0; i < count; i++)
        ways *= l->team_count;
    int64_t newest_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (group[i]->created_ms > newest_ms) newest_ms = group[i]->created_ms;
    }
    for (uint32_t way = 0; way < ways; way++) {
        for (uint32_t i = 0, rest = way; i < count; i++, rest /= l->team_count) {
            team_of[i] = rest % l->team_count;
        }
        struct candidate c = {ticket_specs(group, count, scratch), team_of, count,
                              kit.now_ms - newest_ms};
        bool legal = ruleset_evaluate(r, &c, scratch).legal;
        arena_reset(scratch);
        if (legal) return true;
    }
    return false;
}

static void assert_no_legal_group_waits(uint64_t seed) {
    const struct queue *q = realm_queue(kit.realm, STR("q"));
    uint32_t n = (uint32_t)pool_count(q->pool);
    struct arena *scratch = arena_new(0);
    const struct ticket *waiting[10], *group[10];
    assert_true(n <= 10);
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        waiting[i] = pool_next(q->pool, &at)->ticket;
    for (uint32_t set = 1; set < 1u << n; set++) {
        uint32_t count = 0, players = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (!(set >> i & 1)) continue;
            group[count++] = waiting[i];
            players += waiting[i]->player_count;
        }
        if (players < 3 || players > 6 || count > 6) continue;
        if (some_split_is_legal(q->def->ruleset, group, count, scratch)) {
            fail_msg("seed %llu: a legal group of %u tickets waits at %lld ms",
                     (unsigned long long)seed, count, (long long)kit.now_ms);
        }
    }
    arena_free(scratch);
}

static void no_legal_group_waits(unsigned index, unsigned skills, uint64_t seed) {
    open_queue(NULL, index);
    rng_init(&kit.rng, seed);
    for (int i = 0; i < 40; i++) {
        const struct queue *q = realm_queue(kit.realm, STR("q"));
        if (pool_count(q->pool) < 9) {
            kit_party(&kit, "q", (double)rng_below(&kit.rng, skills),
                      1 + (uint32_t)rng_below(&kit.rng, index == THREES ? 2 : 3));
        } else {
            (void)!kit_cancel(&kit, pool_oldest(q->pool)->ticket->id);
        }
        kit_search_at(&kit, kit.now_ms + 1 + (int64_t)rng_below(&kit.rng, 6000));
        assert_no_legal_group_waits(seed);
    }
    kit_fini(&kit);
}

static void no_legal_group_is_left_waiting_while_tolerances_grow(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++)
        no_legal_group_waits(GROWING, 500, seed);
}

static void no_legal_group_is_left_waiting_with_team_sizes_to_choose(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        no_legal_group_waits(THREES, 400, seed);
}

static void search_depends_on_nothing_but_its_input(void **state) {
    uint64_t digests[2];
    size_t records[2];
    for (int run = 0; run < 2; run++) {
        open_queue(state, FIVES);
        for (int i = 0; i < 300; i++) {
            kit_party(&kit, "q", 1000 + 100 * rng_normal(&kit.rng),
                      1 + (uint32_t)rng_below(&kit.rng, 5));
            if (i % 7 == 0) kit_search_at(&kit, kit.now_ms + 50);
        }
        digests[run] = realm_digest(kit.realm);
        records[run] = kit.record_count;
        kit_fini(&kit);
    }
    assert_true(digests[0] == digests[1]);
    assert_int_equal(records[0], records[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_within_the_spread_match_at_once),
        cmocka_unit_test(two_outside_the_spread_match_when_the_newest_reaches_the_step),
        cmocka_unit_test(where_the_oldest_decides_a_long_waiter_takes_a_newcomer),
        cmocka_unit_test(a_sort_rule_comes_before_age),
        cmocka_unit_test(tolerance_is_two_sided_and_holds_between_all_members),
        cmocka_unit_test(a_narrow_group_is_found_behind_older_wide_ones),
        cmocka_unit_test(among_equals_the_oldest_are_matched_first),
        cmocka_unit_test(an_unmatchable_head_starves_nobody),
        cmocka_unit_test(many_unmatchable_elders_starve_nobody),
        cmocka_unit_test(a_crowd_that_hides_a_partner_is_seen_through_by_retries),
        cmocka_unit_test(a_rule_about_named_teams_chooses_the_split),
        cmocka_unit_test(rare_members_are_found_among_many_others),
        cmocka_unit_test(parties_of_one_to_five_fill_teams_of_five),
        cmocka_unit_test(parties_that_do_not_pack_wait),
        cmocka_unit_test(teams_are_filled_towards_their_maximum),
        cmocka_unit_test(tickets_of_disjoint_regions_never_match),
        cmocka_unit_test(pairs_without_a_region_do_not_block_the_rest),
        cmocka_unit_test(modes_do_not_mix),
        cmocka_unit_test(a_thousand_duels_leave_nobody_behind),
        cmocka_unit_test(a_search_that_saw_everything_sleeps_until_its_next_step),
        cmocka_unit_test(no_legal_group_is_left_waiting_while_tolerances_grow),
        cmocka_unit_test(no_legal_group_is_left_waiting_with_team_sizes_to_choose),
        cmocka_unit_test(search_depends_on_nothing_but_its_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
