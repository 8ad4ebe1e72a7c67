/* refusal_test.c - what searches that found nothing are put down to, and expansions in force. */
#include "support/model_kit.h"

#include "model/refusal.h"

enum { DUEL, MODES, TRIOS, PATIENT, FLAGGED, ROLES };

static const struct role_def roles[] = {
    {.name = {"tank", 4}, .players_min = 1, .players_max = 1},
    {.name = {"healer", 6}, .players_min = 1, .players_max = 1}};

static const struct kit_rules table[] = {
    [DUEL] = {.teams = 2,
              .players_min = 1,
              .players_max = 1,
              .spread = 100,
              .steps = {{20000, 200}, {60000, 400}}},
    [MODES] = {.teams = 2, .players_min = 1, .players_max = 1, .same_mode = true},
    [TRIOS] = {.teams = 2, .players_min = 3, .players_max = 3, .spread = 100},
    [PATIENT] = {.teams = 2,
                 .players_min = 1,
                 .players_max = 1,
                 .spread = 400,
                 .patience = 10,
                 .deadline_ms = 60000},
    [FLAGGED] = {.teams = 2,
                 .players_min = 1,
                 .players_max = 1,
                 .extra = {{"avg(flatten(teams[*].players.attributes[flag]))", 1}}},
    [ROLES] = {.teams = 2, .players_min = 2, .players_max = 2, .roles = roles, .role_count = 2},
};

static struct kit kit;

static const struct queue_search_stats *open_queue(unsigned rules) {
    kit_init(&kit, table, 5);
    kit_put(&kit, "q", rules);
    return &realm_queue(kit.realm, STR("q"))->stats.search;
}

static uint32_t rule(const char *name) {
    const struct ruleset *r = realm_queue(kit.realm, STR("q"))->def->ruleset;
    uint32_t i = 0;
    while (!str_equal(ruleset_rule_name(r, i), str_of(name)))
        i++;
    return i;
}

static void player(const char *id, const char *mode, double flag) {
    kit_create(&kit, "q", &(struct kit_player){.id = id, .mode = mode, .flag = flag}, 1);
}

static void rule_that_keeps_the_nearest_apart_is_counted(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(DUEL);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1500);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(s->refused[rule("skill")], 2);
    assert_int_equal(s->refused_few + s->refused_patience, 0);
    kit_fini(&kit);
}

static void rule_that_divides_is_counted_when_nobody_waits_on_ones_side(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(MODES);
    player("ann", "ranked", 0);
    player("bob", "casual", 0);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(s->refused[rule("mode")], 2);
    kit_fini(&kit);
}

static void too_few_are_counted_where_all_fit(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(TRIOS);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search(&kit), 0);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 100), 0);
    assert_true(s->refused_few >= 2);
    assert_int_equal(s->refused[rule("skill")], 0);
    kit_fini(&kit);
}

static void patience_is_counted_where_a_match_is_not_worth_it_yet(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(PATIENT);
    for (int i = 0; i < 400; i++) { /* a crowd: partners as good as equal are to be expected */
        kit_solo(&kit, "q", 2000);
        kit.now_ms += 100;
        kit_search(&kit);
    }
    uint64_t before = s->refused_patience;
    kit_solo(&kit, "q", 2000);
    kit_solo(&kit, "q", 2390);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 100), 0);
    assert_true(s->refused_patience > before);
    kit_fini(&kit);
}

static void rule_that_whole_groups_fail_is_counted(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(FLAGGED);
    player("ann", NULL, 5);
    player("bob", NULL, 5);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(s->refused[rule("extra_0")], 2);
    kit_fini(&kit);
}

static void role_that_nobody_plays_is_counted(void **state) {
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d"};
    const struct queue_search_stats *s = open_queue(ROLES);
    for (int i = 0; i < 4; i++) {
        struct attribute plays = {.name = STR("roles"),
                                  .kind = ATTRIBUTE_LIST,
                                  .items = KIT_QUEUE("tank"),
                                  .item_count = 1};
        struct player p = {.id = str_of(names[i]), .attributes = &plays, .attribute_count = 1};
        struct outcome out;
        struct command c = {.kind = COMMAND_CREATE_TICKET};
        c.create_ticket.spec = (struct ticket_spec){KIT_QUEUE("q"), &p, 1, 1};
        if (kit_do(&kit, c, &out) != ERR_OK) fail_msg("%s", kit.why.text);
    }
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(s->refused[rule("muster.roles")], 4);
    kit_fini(&kit);
}

static void refusals_looked_into_are_few_in_a_while(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(DUEL);
    for (int i = 0; i < 50; i++)
        kit_solo(&kit, "q", 1000 * i);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(s->refused[rule("skill")], 4);
    kit_fini(&kit);
}

static void expansions_in_force_are_counted_per_match(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(DUEL);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1050);
    assert_int_equal(kit_search(&kit), 1);
    assert_int_equal(s->expanded[0], 0);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1150);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1000), 0);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 20000), 1);
    assert_int_equal(s->expanded[0], 1);
    assert_true(
        str_equal(ruleset_expansion(realm_queue(kit.realm, STR("q"))->def->ruleset, 0).target,
                  STR("rules[skill].maxDistance")));
    kit_fini(&kit);
}

static void new_version_counts_anew(void **state) {
    (void)state;
    const struct queue_search_stats *s = open_queue(DUEL);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1500);
    kit_search(&kit);
    kit_put(&kit, "q", TRIOS);
    assert_int_equal(s->refused[0], 0);
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_that_keeps_the_nearest_apart_is_counted),
        cmocka_unit_test(rule_that_divides_is_counted_when_nobody_waits_on_ones_side),
        cmocka_unit_test(too_few_are_counted_where_all_fit),
        cmocka_unit_test(patience_is_counted_where_a_match_is_not_worth_it_yet),
        cmocka_unit_test(rule_that_whole_groups_fail_is_counted),
        cmocka_unit_test(role_that_nobody_plays_is_counted),
        cmocka_unit_test(refusals_looked_into_are_few_in_a_while),
        cmocka_unit_test(expansions_in_force_are_counted_per_match),
        cmocka_unit_test(new_version_counts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
