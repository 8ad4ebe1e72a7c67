/* ruleset_sort_test.c - sort rules and the algorithm section: who is tried first. */
#include "support/match_text.h"
#include "support/rules_text.h"

#include "model/split.h"

#include <math.h>

/* The places of the candidates in `tickets` (the first is the anchor), in the order they are tried:
 * "132" means the second-last, the last, the first candidate ... by rank, then as written. */
static void expect_order(const struct ruleset *r, const char *tickets, const char *order) {
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, tickets);
    double ranks[10][RULESET_SORTS_MAX];
    char found[10] = "";
    uint32_t placed[10], count = 0, size = ruleset_rank_size(r);
    assert_true(m.ticket_count <= 10);
    for (uint32_t i = 1; i < m.ticket_count; i++) {
        ruleset_rank(r, 0, &m.specs[0], &m.specs[i], ranks[i]);
        uint32_t k = count++;
        for (; k > 0; k--) {
            uint32_t other = placed[k - 1], s = 0;
            while (s < size && ranks[i][s] == ranks[other][s])
                s++;
            if (s == size || ranks[i][s] > ranks[other][s]) break;
            placed[k] = other;
        }
        placed[k] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        found[i] = (char)('0' + placed[i]);
    assert_string_equal(found, order);
    arena_free(arena);
}

#define SORT(type, direction, rest) \
    ONE_RULE("'type':'" type "','sortDirection':'" direction "'," rest)

static void absolute_sort_orders_by_the_candidates_value(void **state) {
    (void)state;
    const struct ruleset *r = rules(SORT("absoluteSort", "ascending", "'sortAttribute':'skill'"));
    expect_order(r, "skill=5 skill=30 skill=-1 a=1 skill=20", "2341"); /* the default is 10 */
    r = rules(SORT("absoluteSort", "descending", "'sortAttribute':'skill'"));
    expect_order(r, "skill=5 skill=30 skill=-1 a=1 skill=20", "1432");
    expect_order(r, "skill=5 skill=7 skill=7 skill=7", "123"); /* as old as before */
}

static void distance_sort_orders_by_the_distance_to_the_anchor(void **state) {
    (void)state;
    const struct ruleset *r = rules(SORT("distanceSort", "ascending", "'sortAttribute':'skill'"));
    expect_order(r, "skill=5 skill=30 skill=4 skill=7 skill=-2", "2341");
    r = rules(SORT("distanceSort", "descending", "'sortAttribute':'skill'"));
    expect_order(r, "skill=5 skill=30 skill=4 skill=7 skill=-2", "1432");
    expect_order(r, "skill=1e308 skill=-1e308 skill=1e308", "12"); /* an overflow is far */
}

static void parties_count_as_their_aggregate(void **state) {
    (void)state;
    static const char tickets[] = "skill=0 skill=1/skill=9 skill=4/skill=4 skill=6";
    expect_order(rules(SORT("absoluteSort", "ascending", "'sortAttribute':'skill'")), tickets,
                 "213");
    expect_order(rules(SORT("absoluteSort", "ascending",
                            "'sortAttribute':'skill','partyAggregation':'min'")),
                 tickets, "123");
    expect_order(rules(SORT("absoluteSort", "ascending",
                            "'sortAttribute':'skill','partyAggregation':'max'")),
                 tickets, "231");
}

static void a_map_is_sorted_under_the_anchors_best_key(void **state) {
    (void)state;
    static const char tickets[] =
        "maps=ice:9+sun:5 maps=ice:1+sun:70 maps=sun:9 maps=ice:8 maps=ice:2+sun:1";
    const struct ruleset *r =
        rules(SORT("absoluteSort", "descending", "'sortAttribute':'maps','mapKey':'maxValue'"));
    expect_order(r, tickets, "3412"); /* by ice; who has none comes last */
    r = rules(SORT("absoluteSort", "descending", "'sortAttribute':'maps','mapKey':'minValue'"));
    expect_order(r, tickets, "1243"); /* by sun */
    r = rules(SORT("distanceSort", "ascending", "'sortAttribute':'maps','mapKey':'minValue'"));
    expect_order(r, tickets, "2413");                       /* sun: 65, 4, none, 4 */
    expect_order(r, "skill=1 maps=sun:9 maps=ice:3", "12"); /* an anchor without keys */
}

static void sorts_apply_in_the_order_written(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS ",'rules':["
                         "{'name':'a','type':'absoluteSort','sortDirection':'descending',"
                         "'sortAttribute':'maps','mapKey':'maxValue'},"
                         "{'name':'b','type':'distanceSort','sortDirection':'ascending',"
                         "'sortAttribute':'skill'}]");
    assert_int_equal(ruleset_rank_size(r), 2);
    expect_order(r,
                 "skill=50,maps=ice:9 skill=90,maps=ice:5 skill=20,maps=ice:5 skill=1,maps=ice:7 "
                 "skill=50",
                 "3214");
    assert_true(match_text_legal(r, 0, "skill=0 | skill=99")); /* a sort refuses nobody */
}

static void sorted_batches_put_alike_players_first(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'algorithm':{'strategy':'exhaustiveSearch','batchingPreference':'sorted',"
              "'sortByAttributes':['mode','skill']}," ATTRIBUTES "," TWO_TEAMS);
    expect_order(r, "mode=a,skill=5 mode=b,skill=5 mode=a,skill=9 mode=a,skill=6", "321");
    expect_order(r, "mode=a,skill=5 mode=a,skill=5/mode=b,skill=5 mode=a,skill=9", "21");
}

#define BALANCED(preference)                                                               \
    "'algorithm':{'strategy':'balanced','balancedAttribute':'skill','batchingPreference':" \
    "'" preference "'}," ATTRIBUTES "," TWO_TEAMS

static void balanced_takes_alike_players_and_makes_teams_even_in_the_attribute(void **state) {
    (void)state;
    const struct ruleset *r = rules(BALANCED("largestPopulation"));
    assert_string_equal(rules_notes.at,
                        "algorithm.strategy balanced is meant for matches of more than 40 players; "
                        "this one has at most 6 and is balanced all the same\n");
    expect_order(r, "skill=5,@eu=9,@us=1 skill=9,@us=1 skill=6,@eu=1 skill=-1,@us=1", "213");
    struct arena *arena = arena_new(0);
    struct ticket_spec spec = match_text_read(arena, "skill=7/skill=9").specs[0];
    assert_true(ruleset_has_key(r) && ruleset_key(r, &spec) == 8);
    assert_true(ruleset_limits_at(r, 0)->key_spread_max == INFINITY);
    r = rules("'algorithm':{'strategy':'balanced','balancedAttribute':'skill'},"
              "'playerAttributes':[{'name':'skill','type':'number'},"
              "{'name':'league','type':'number'}]," TWO_TEAMS ",'rules':[{'name':'l','type':"
              "'batchDistance','batchAttribute':'league','maxDistance':2}]");
    spec = match_text_read(arena, "skill=7,league=3").specs[0];
    assert_true(ruleset_key(r, &spec) == 3); /* the search goes by what is bounded */
    assert_true(ruleset_player_key(r, &spec.players[0]) == 7); /* teams are even in skill */
    arena_free(arena);
}

static void fastest_region_comes_before_alike_players(void **state) {
    (void)state;
    const struct ruleset *r = rules(BALANCED("fastestRegion"));
    expect_order(r,
                 "skill=5,@eu=9,@us=1 skill=5,@eu=1 skill=99,@us=80 skill=5,@us=80,@eu=20,@asia=90 "
                 "skill=50,@us=80,@eu=90",
                 "4231"); /* us is first for 2 and 4, second for 3, unknown to 1 */
}

/* The published worked example of how large teams fill. */
static void large_teams_fill_below_the_minimum_first_and_then_by_open_slots(void **state) {
    (void)state;
    static const struct ruleset_team teams[] = {
        {{"red", 3}, 5, 10}, {{"blue", 4}, 5, 10}, {{"green", 5}, 2, 3}};
    static const struct {
        uint32_t players, sizes[3];
    } cases[] = {{20, {9, 9, 2}}, {23, {10, 10, 3}}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct split_item items[23];
        struct split found;
        uint32_t sizes[3] = {0};
        for (uint32_t i = 0; i < cases[c].players; i++)
            items[i] = (struct split_item){1, i};
        struct split_problem p = {items, cases[c].players, teams, 3, true};
        assert_int_equal(split_find(&p, &found, 1), 1);
        for (uint32_t i = 0; i < cases[c].players; i++)
            sizes[found.team_of[i]]++;
        for (int t = 0; t < 3; t++)
            assert_int_equal(sizes[t], cases[c].sizes[t]);
    }
}

static void sorts_and_algorithms_explain_themselves(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'algorithm':{'batchingPreference':'sorted','sortByAttributes':['mode','skill']},"
              "" ATTRIBUTES "," TWO_TEAMS ",'rules':["
              "{'name':'a','type':'absoluteSort','sortDirection':'descending',"
              "'sortAttribute':'maps','mapKey':'maxValue'},"
              "{'name':'b','type':'distanceSort','sortDirection':'ascending',"
              "'sortAttribute':'skill'}]");
    struct strbuf out = {0};
    ruleset_describe(r, &out);
    assert_non_null(
        strstr(out.at, "rule \"a\": candidates of largest maps (under the key that is largest for "
                       "the searching ticket) are tried first\n"
                       "rule \"b\": candidates whose skill is nearest to the searching ticket's "
                       "are tried first\n"
                       "candidates alike in mode, skill are tried first\n"));
    strbuf_clear(&out);
    ruleset_describe(rules(BALANCED("fastestRegion")), &out);
    assert_non_null(strstr(out.at,
                           "candidates with the searching ticket's fastest region are tried first\n"
                           "players alike in skill meet, and teams are made even in it\n"));
    strbuf_fini(&out);
}

static void at_most_eight_sorts_are_accepted(void **state) {
    (void)state;
    struct strbuf text = {0};
    struct err_text why = {0};
    strbuf_printf(&text, ATTRIBUTES "," TWO_TEAMS ",'rules':[");
    for (int i = 0; i < 9; i++) {
        strbuf_printf(&text,
                      "%s{'name':'%d','type':'distanceSort','sortDirection':'ascending',"
                      "'sortAttribute':'skill'}",
                      i ? "," : "", i);
    }
    strbuf_printf(&text, "]");
    assert_int_equal(rules_try(text.at, &why), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, "rules[8] is one sort too many; at most 8");
    strbuf_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute_sort_orders_by_the_candidates_value),
        cmocka_unit_test(distance_sort_orders_by_the_distance_to_the_anchor),
        cmocka_unit_test(parties_count_as_their_aggregate),
        cmocka_unit_test(a_map_is_sorted_under_the_anchors_best_key),
        cmocka_unit_test(sorts_apply_in_the_order_written),
        cmocka_unit_test(sorted_batches_put_alike_players_first),
        cmocka_unit_test(balanced_takes_alike_players_and_makes_teams_even_in_the_attribute),
        cmocka_unit_test(fastest_region_comes_before_alike_players),
        cmocka_unit_test(large_teams_fill_below_the_minimum_first_and_then_by_open_slots),
        cmocka_unit_test(sorts_and_algorithms_explain_themselves),
        cmocka_unit_test(at_most_eight_sorts_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
