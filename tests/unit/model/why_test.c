/* why_test.c - explanations of waiting tickets, and the words for them. */
#include "support/model_kit.h"

#include "model/why.h"

static const struct kit_rules table[] = {
    /* 0 */ {.teams = 2,
             .players_min = 1,
             .players_max = 1,
             .spread = 100,
             .steps = {{20000, 200}, {60000, 400}}},
    /* 1 */ {.teams = 2, .players_min = 3, .players_max = 3, .spread = 100},
    /* 2 */ {.teams = 2, .players_min = 1, .players_max = 1, .latency_ms = 100},
    /* 3 */ {.teams = 2, .players_min = 1, .players_max = 1, .same_mode = true},
    /* 4 */
    {.teams = 2,
     .players_min = 1,
     .players_max = 1,
     .extra = {{"max(flatten(teams[*].players.attributes[flag]))", 1}}},
    /* 5 */ {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .tick_ms = 60000},
    /* 6 */
    {.teams = 2,
     .players_min = 1,
     .players_max = 1,
     .spread = 100,
     .steps = {{20000, 200}, {60000, 400}},
     .age_is_oldest = true},
    /* 7 */
    {.teams = 2,
     .players_min = 1,
     .players_max = 1,
     .spread = 400,
     .patience = 10,
     .deadline_ms = 60000},
};

struct asked {
    struct kit kit;
    struct strbuf text;
    struct why why;
};

static void begin(struct asked *a, unsigned rules) {
    *a = (struct asked){0};
    kit_init(&a->kit, table, 1);
    kit_put(&a->kit, "q", rules);
}

static void end(struct asked *a) {
    strbuf_fini(&a->text);
    kit_fini(&a->kit);
}

static const struct why *ask(struct asked *a, struct id id) {
    const struct ticket *t = realm_ticket(a->kit.realm, id);
    why_explain(t, 0, a->kit.now_ms, a->kit.arena, &a->why);
    strbuf_clear(&a->text);
    why_text(&a->why, &a->text);
    return &a->why;
}

static void says(const struct asked *a, const char *sentence) {
    if (!strstr(a->text.at, sentence)) fail_msg("no \"%s\" in:\n%s", sentence, a->text.at);
}

static struct id join(struct asked *a, const struct kit_player *p) {
    struct id id = kit_create(&a->kit, "q", p, 1);
    kit_search_at(&a->kit, a->kit.now_ms + 1); /* the next tick */
    return id;
}

static void a_lone_ticket_is_told_that_nobody_else_waits(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 0);
    struct id id = join(&a, &(struct kit_player){.id = "ann", .skill = 50});
    const struct why *w = ask(&a, id);
    assert_int_equal(w->reason, WHY_ALONE);
    assert_int_equal(w->position, 1);
    assert_int_equal(w->tickets_queued, 1);
    assert_int_equal(w->missing, 1);
    assert_null(w->miss.ticket);
    says(&a, "the only one in the queue");
    says(&a, "Nobody else is waiting; a match needs 1 more.");
    says(&a, "not known yet");
    end(&a);
}

static void one_too_far_away_is_told_with_the_rule_the_value_and_the_time(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 0);
    struct id ann = join(&a, &(struct kit_player){.id = "ann", .skill = 100});
    struct id bob = join(&a, &(struct kit_player){.id = "bob", .skill = 260});
    join(&a, &(struct kit_player){.id = "cy", .skill = 900});
    a.kit.now_ms += 8000;
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->reason, WHY_RULES);
    assert_int_equal(w->near, 2);
    assert_true(w->near_is_all);
    assert_int_equal(w->fitting, 0);
    assert_int_equal(w->rules[0].rejected, 2);
    assert_int_equal(w->rules[0].rejected_alone, 2);
    assert_true(id_equal(w->miss.ticket->id, bob));
    assert_int_equal(w->miss.rule, 0);
    assert_true(w->miss.measured == 160 && w->miss.bound == 100 && w->miss.distance == 160);
    assert_in_range(w->miss.admitted_in_ms, 11990, 12010);
    assert_true(w->miss.admitting == 200);
    assert_in_range(w->next_step_in_ms, 11990, 12010);
    assert_int_equal(w->rules[0].number_count, 1);
    assert_string_equal(w->rules[0].numbers[0].name, "maxDistance");
    assert_true(w->rules[0].numbers[0].now == 100 && w->rules[0].numbers[0].next == 200);
    assert_int_equal(w->rules[0].numbers[0].next_ms, 20000);
    says(&a, "You have waited 8 s and are number 1 of 3 in the queue.");
    says(&a, "The nearest other is 160 away in skill; allowed are 100.");
    says(&a, "In 12 s the limit becomes 200, which admits that one.");
    assert_null(strstr(a.text.at, "bob"));
    end(&a);
}

static void what_no_expansion_admits_is_said_to_stay(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 0);
    struct id ann = join(&a, &(struct kit_player){.id = "ann", .skill = 100});
    join(&a, &(struct kit_player){.id = "bob", .skill = 1000});
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->miss.admitted_in_ms, INT64_MAX);
    says(&a, "In 20 s the limit of 100 becomes 200.");
    a.kit.now_ms += 70000;
    w = ask(&a, ann);
    assert_true(w->miss.bound == 400);
    assert_int_equal(w->next_step_in_ms, INT64_MAX);
    assert_int_equal(w->rules[0].numbers[0].next_ms, INT64_MAX);
    end(&a);
}

static void a_pair_has_the_age_that_the_rules_select(void **state) {
    (void)state;
    for (unsigned rules = 0; rules <= 6; rules += 6) {
        struct asked a;
        begin(&a, rules);
        struct id ann = join(&a, &(struct kit_player){.id = "ann", .skill = 0});
        a.kit.now_ms += 30000;
        struct id bob = join(&a, &(struct kit_player){.id = "bob", .skill = 250});
        bool oldest = rules == 6;
        assert_true(ask(&a, ann)->miss.bound == (oldest ? 200 : 100));
        int64_t then_ms = oldest ? 30000 : 60000;
        assert_in_range(a.why.miss.admitted_in_ms, then_ms - 10, then_ms);
        assert_true(ask(&a, bob)->miss.bound == (oldest ? 200 : 100));
        end(&a);
    }
}

static void too_few_players_are_counted_by_team(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 1);
    struct id id = kit_party(&a.kit, "q", 50, 2);
    kit_party(&a.kit, "q", 60, 2);
    kit_solo(&a.kit, "q", 70);
    kit_search(&a.kit);
    const struct why *w = ask(&a, id);
    assert_int_equal(w->reason, WHY_TOO_FEW);
    assert_int_equal(w->players_queued, 5);
    assert_int_equal(w->fitting, 2);
    assert_int_equal(w->fitting_players, 3);
    assert_int_equal(w->players, 5);
    assert_int_equal(w->missing, 1);
    assert_int_equal(w->team_count, 2);
    assert_int_equal(w->teams[0].players + w->teams[1].players, 5);
    assert_int_equal(w->teams[0].players_min, 3);
    says(&a, "3 other players who fit you are waiting; a match needs 1 more.");
    end(&a);
}

static void who_fits_the_ticket_but_not_each_other_makes_no_group(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 1);
    struct id id = kit_solo(&a.kit, "q", 0);
    for (int i = 0; i < 3; i++) {
        kit_solo(&a.kit, "q", 90);
        kit_solo(&a.kit, "q", -90);
    }
    kit_search(&a.kit);
    const struct why *w = ask(&a, id);
    assert_int_equal(w->fitting_players, 6);
    assert_int_equal(w->players, 4);
    assert_int_equal(w->missing, 2);
    says(&a, "6 other players who fit you are waiting, but not all fit each other; "
             "a match needs 2 more.");
    end(&a);
}

static void a_ticket_far_from_every_region_is_told_so(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 2);
    struct id far = join(
        &a, &(struct kit_player){.id = "ann", .regions = {"eu", "us"}, .latencies = {180, 220}});
    join(&a, &(struct kit_player){.id = "bob", .regions = {"eu"}, .latencies = {20}});
    const struct why *w = ask(&a, far);
    assert_int_equal(w->reason, WHY_OWN_VALUES);
    assert_true(w->rules[w->rule].own_failure);
    says(&a, "No region is near enough to you: the best has 180 ms, allowed are 100.");
    end(&a);
}

static void tickets_without_a_common_region_are_told_so(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 2);
    struct id ann =
        join(&a, &(struct kit_player){.id = "ann", .regions = {"eu"}, .latencies = {20}});
    join(&a, &(struct kit_player){.id = "bob", .regions = {"us"}, .latencies = {20}});
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->reason, WHY_RULES);
    assert_false(w->miss.has_numbers);
    says(&a, "The nearest other shares no region with you.");
    struct id cy =
        join(&a, &(struct kit_player){.id = "cy", .regions = {"eu", "us"}, .latencies = {150, 90}});
    assert_true(kit_state(&a.kit, cy) == TICKET_MATCHED);
    struct id dan =
        join(&a, &(struct kit_player){.id = "dan", .regions = {"eu", "x"}, .latencies = {150, 90}});
    assert_true(kit_state(&a.kit, dan) == TICKET_QUEUED);
    ask(&a, ann);
    says(&a, "The nearest other has 150 ms in the best region that you share; allowed are 100.");
    end(&a);
}

static void others_of_another_mode_are_elsewhere(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 3);
    struct id ann = join(&a, &(struct kit_player){.id = "ann", .mode = "koth"});
    join(&a, &(struct kit_player){.id = "bob", .mode = "ctf"});
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->reason, WHY_ALONE);
    assert_int_equal(w->tickets_elsewhere, 1);
    assert_int_equal(w->rules[0].elsewhere, 1);
    says(&a, "All others who wait differ from you in what a match must share (mode)");
    end(&a);
}

static void a_rule_of_whole_matches_is_named_when_enough_fit(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 4);
    struct id ann = join(&a, &(struct kit_player){.id = "ann", .flag = 3});
    join(&a, &(struct kit_player){.id = "bob", .flag = 2});
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->reason, WHY_WHOLE_MATCH);
    assert_int_equal(w->rules[0].scope, RULE_OF_MATCHES);
    assert_true(w->rules[0].group_fails);
    assert_int_equal(w->rules[0].rejected, 0);
    says(&a, "together they do not meet rule \"extra_0\" (it measures 3, the limit is 1)");
    end(&a);
}

static void between_two_ticks_a_match_is_being_looked_for(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 5);
    join(&a, &(struct kit_player){.id = "ann", .skill = 1});
    struct id bob = join(&a, &(struct kit_player){.id = "bob", .skill = 2});
    assert_int_equal(ask(&a, bob)->reason, WHY_SEARCHING);
    assert_int_equal(a.why.position, 2);
    says(&a, "a match is being looked for");
    end(&a);
}

static void a_patient_queue_says_until_when_it_waits_for_better(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 7);
    for (int i = 0; i < 200; i++) { /* a crowd: partners as good as equal are to be expected */
        join(&a, &(struct kit_player){.id = "x", .skill = 2000});
        join(&a, &(struct kit_player){.id = "y", .skill = 2000});
    }
    struct id ann = join(&a, &(struct kit_player){.id = "ann", .skill = 2000});
    struct id bob = join(&a, &(struct kit_player){.id = "bob", .skill = 2390});
    assert_true(kit_state(&a.kit, bob) == TICKET_QUEUED);
    const struct why *w = ask(&a, ann);
    assert_int_equal(w->reason, WHY_PATIENCE);
    assert_in_range(w->any_match_in_ms, 59000, 60000);
    says(&a, "In 60 s at the latest any match that the rules allow will do.");
    end(&a);
}

static void the_wait_left_is_told_in_words(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 0);
    for (int i = 0; i < 100; i++) {
        kit_solo(&a.kit, "q", 100);
        a.kit.now_ms += 700;
        kit_search(&a.kit);
    }
    struct id id = kit_solo(&a.kit, "q", 5000);
    assert_true(ask(&a, id)->wait.rest.p90_ms > 0);
    says(&a, "Half of the players like you are matched within 1 s from now, nine in ten within");
    end(&a);
}

static void who_will_hardly_be_matched_is_told_so(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 0);
    (void)ask(&a, join(&a, &(struct kit_player){.id = "ann", .skill = 50}));
    a.why.wait = (struct eta_wait){{0, 0}, ETA_NARROW, 40};
    strbuf_clear(&a.text);
    why_text(&a.why, &a.text);
    says(&a, "Most players like you are not matched before they have to leave.");
    a.why.wait.rest.p50_ms = 2000;
    strbuf_clear(&a.text);
    why_text(&a.why, &a.text);
    says(&a, "matched within 2 s from now, nine in ten not before they have to leave.");
    end(&a);
}

static void the_place_in_the_queue_is_by_age(void **state) {
    (void)state;
    struct asked a;
    struct id ids[50];
    begin(&a, 0);
    for (int i = 0; i < 50; i++) {
        ids[i] = kit_solo(&a.kit, "q", i * 1000);
        a.kit.now_ms += 3;
    }
    for (int i = 0; i < 50; i += 7)
        assert_int_equal(ask(&a, ids[i])->position, i + 1);
    assert_int_equal(kit_cancel(&a.kit, ids[3]), ERR_OK);
    assert_int_equal(ask(&a, ids[10])->position, 10);
    end(&a);
}

static void a_crowd_is_judged_by_its_nearest_only(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 1);
    struct id id = kit_solo(&a.kit, "q", 0);
    for (int i = 1; i <= 2000; i++)
        kit_solo(&a.kit, "q", i * 90);
    const struct why *w = ask(&a, id);
    assert_int_equal(w->tickets_queued, 2001);
    assert_in_range(w->near, WHY_NEAR / 2, WHY_NEAR);
    assert_false(w->near_is_all);
    assert_int_equal(w->fitting, 1);
    says(&a, "1 other player who fits you is waiting near you; a match needs 4 more.");
    says(&a, "The nearest other is 180 away in skill; allowed are 100.");
    end(&a);
}

static void an_explanation_changes_nothing(void **state) {
    (void)state;
    struct asked a;
    begin(&a, 1);
    struct id id = kit_solo(&a.kit, "q", 0);
    for (int i = 1; i <= 20; i++)
        kit_solo(&a.kit, "q", i * 10);
    uint64_t before = realm_digest(a.kit.realm);
    ask(&a, id);
    assert_true(realm_digest(a.kit.realm) == before);
    assert_true(kit_search(&a.kit) > 0);
    end(&a);
}

static void a_ticket_that_has_ended_says_how(void **state) {
    (void)state;
    static const struct {
        enum ticket_state state;
        const char *reason, *words;
    } cases[] = {
        {TICKET_PROPOSED, "", "A match was found; it waits for its players to accept.\n"},
        {TICKET_MATCHED, "", "You were matched after 12 s.\n"},
        {TICKET_CANCELLED, "by hand", "You left the queue after 12 s: by hand.\n"},
        {TICKET_EXPIRED, "", "The wait ended without a match after 12 s.\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ticket *t = ticket_new((struct id){1, 1}, &(struct ticket_spec){0}, NULL);
        t->created_ms = 1000;
        ticket_move(t, cases[i].state);
        if (!ticket_is_open(t)) {
            ticket_end(t)->ended_ms = 13000;
            ticket_set_reason(t, str_of(cases[i].reason));
        }
        struct strbuf text = {0};
        why_text_ended(t, &text);
        ticket_free(t);
        assert_string_equal(text.at, cases[i].words);
        strbuf_fini(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_ticket_is_told_that_nobody_else_waits),
        cmocka_unit_test(one_too_far_away_is_told_with_the_rule_the_value_and_the_time),
        cmocka_unit_test(what_no_expansion_admits_is_said_to_stay),
        cmocka_unit_test(a_pair_has_the_age_that_the_rules_select),
        cmocka_unit_test(too_few_players_are_counted_by_team),
        cmocka_unit_test(who_fits_the_ticket_but_not_each_other_makes_no_group),
        cmocka_unit_test(a_ticket_far_from_every_region_is_told_so),
        cmocka_unit_test(tickets_without_a_common_region_are_told_so),
        cmocka_unit_test(others_of_another_mode_are_elsewhere),
        cmocka_unit_test(a_rule_of_whole_matches_is_named_when_enough_fit),
        cmocka_unit_test(between_two_ticks_a_match_is_being_looked_for),
        cmocka_unit_test(a_patient_queue_says_until_when_it_waits_for_better),
        cmocka_unit_test(the_wait_left_is_told_in_words),
        cmocka_unit_test(who_will_hardly_be_matched_is_told_so),
        cmocka_unit_test(the_place_in_the_queue_is_by_age),
        cmocka_unit_test(a_crowd_is_judged_by_its_nearest_only),
        cmocka_unit_test(an_explanation_changes_nothing),
        cmocka_unit_test(a_ticket_that_has_ended_says_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
