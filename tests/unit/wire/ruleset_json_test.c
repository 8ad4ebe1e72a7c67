/* ruleset_json_test.c - each construct of the language, with matches it allows and near misses. */
#include "support/match_text.h"
#include "support/rules_text.h"

#include <math.h>
#include <stdio.h>

static void batch_distance_bounds_the_spread_of_the_tickets(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':100"));
    assert_true(match_text_legal(r, 0, "skill=900 | skill=1000"));
    assert_true(match_text_legal(r, 0, "skill=900 skill=950 | skill=1000"));
    struct verdict v = match_text_judge(r, 0, "skill=900 skill=950 | skill=1000.5");
    assert_false(v.legal);
    assert_int_equal(v.failed_rule, 0);
    assert_true(v.measured == 100.5 && v.bound == 100);
    assert_true(match_text_legal(r, 0, " | ") == false);
}

static void party_aggregation_makes_one_value_of_a_party(void **state) {
    (void)state;
    static const char party[] = "skill=0/skill=40 | skill=20";
    const struct ruleset *r =
        rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':0"));
    assert_true(match_text_legal(r, 0, party)); /* the average by default */
    r = rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':19,"
                       "'partyAggregation':'min'"));
    assert_false(match_text_legal(r, 0, party));
    assert_true(match_text_legal(r, 0, "skill=1/skill=40 | skill=20"));
    r = rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':19,"
                       "'partyAggregation':'max'"));
    assert_false(match_text_legal(r, 0, party));
    assert_true(match_text_legal(r, 0, "skill=0/skill=39 | skill=20"));
    r = rules(ONE_RULE("'type':'comparison','operation':'<','referenceValue':21,"
                       "'measurements':'flatten(teams[*].players.attributes[skill])'"));
    assert_true(match_text_legal(r, 0, party));
    assert_false(match_text_legal(r, 0, "skill=2/skill=40 | skill=20"));
}

static void batch_distance_on_a_string_wants_it_equal(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE("'type':'batchDistance','batchAttribute':'mode'"));
    assert_true(match_text_legal(r, 0, "mode=ctf | mode=ctf"));
    assert_true(match_text_legal(r, 0, "mode=duel | skill=1")); /* the default is duel */
    assert_false(match_text_legal(r, 0, "mode=ctf | mode=CTF"));
    assert_false(match_text_legal(r, 0, "mode=ctf/mode=ctf2 | mode=ctf"));
}

static void comparison_compares_each_value_with_the_reference(void **state) {
    (void)state;
    static const struct {
        const char *operation;
        bool less, equal, more;
    } cases[] = {
        {"=", false, true, false}, {"!=", true, false, true}, {"<", true, false, false},
        {"<=", true, true, false}, {">", false, false, true}, {">=", false, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       ONE_RULE("'type':'comparison','operation':'%s','referenceValue':5,"
                                "'measurements':['teams[red].players.attributes[skill]']"),
                       cases[i].operation);
        const struct ruleset *r = rules(text);
        assert_int_equal(match_text_legal(r, 0, "skill=4 | skill=5"), cases[i].less);
        assert_int_equal(match_text_legal(r, 0, "skill=5 | skill=99"), cases[i].equal);
        assert_int_equal(match_text_legal(r, 0, "skill=6 | skill=5"), cases[i].more);
    }
}

static void comparison_without_reference_compares_the_players_with_each_other(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ONE_RULE("'type':'comparison','operation':'=',"
                       "'measurements':['flatten(teams[*].players.attributes[mode])',"
                       "'flatten(teams[*].players.attributes[skill])']"));
    assert_true(match_text_legal(r, 0, "mode=a,skill=1 mode=a,skill=1 | mode=a,skill=1"));
    assert_false(match_text_legal(r, 0, "mode=a,skill=1 mode=a,skill=1 | mode=b,skill=1"));
    assert_false(match_text_legal(r, 0, "mode=a,skill=1 mode=a,skill=1 | mode=a,skill=2"));
    r = rules(ONE_RULE("'type':'comparison','operation':'!=',"
                       "'measurements':['teams[*].players.attributes[mode]']"));
    assert_true(match_text_legal(r, 0, "mode=a mode=b | mode=c"));
    assert_false(match_text_legal(r, 0, "mode=a mode=b | mode=a"));
}

static void comparison_of_strings_takes_a_literal_or_an_expression(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE("'type':'comparison','operation':'=',"
                                             "'measurements':'teams[red].players.attributes[mode]',"
                                             "'referenceValue':'10'"));
    assert_false(match_text_legal(r, 0, "mode=10x | mode=y"));
    r = rules(ONE_RULE("'type':'comparison','operation':'!=','referenceValue':'coop',"
                       "'measurements':'teams[red,blue].players.attributes[mode]'"));
    assert_true(match_text_legal(r, 0, "mode=duel | mode=co"));
    assert_false(match_text_legal(r, 0, "mode=duel | mode=coop"));
}

static void distance_holds_teams_near_the_match_average(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE(
        "'type':'distance','measurements':['avg(teams[*].players.attributes[skill])'],"
        "'referenceValue':'avg(flatten(teams[*].players.attributes[skill]))','maxDistance':10"));
    assert_true(match_text_legal(r, 0, "skill=10 skill=30 | skill=40 skill=40")); /* 20, 40: 30 */
    struct verdict v = match_text_judge(r, 0, "skill=10 skill=30 | skill=42 skill=40");
    assert_false(v.legal);
    assert_true(v.measured == 10.5 && v.bound == 10);
    assert_true(match_text_legal(r, 0, "skill=20/skill=20 | skill=40/skill=40"));
}

static void distance_takes_a_minimum_too(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        ONE_RULE("'type':'distance','measurements':['max(teams[red].players.attributes[skill])'],"
                 "'referenceValue':'max(teams[blue].players.attributes[skill])','minDistance':5,"
                 "'maxDistance':9"));
    assert_true(match_text_legal(r, 0, "skill=15 | skill=10"));
    assert_true(match_text_legal(r, 0, "skill=1 | skill=10"));
    assert_false(match_text_legal(r, 0, "skill=14 | skill=10"));
    assert_false(match_text_legal(r, 0, "skill=20 | skill=10"));
}

static void latency_needs_one_region_good_for_every_player(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE("'type':'latency','maxLatency':100"));
    struct verdict v = match_text_judge(r, 0, "@eu=100,@us=20/@eu=90,@us=60 | @eu=10,@us=101");
    assert_true(v.legal);
    assert_true(str_equal(v.region, STR("eu")));
    assert_true(v.mean_latency_ms == 200.0 / 3);
    v = match_text_judge(r, 0, "@eu=101,@us=20/@eu=90,@us=60 | @eu=10,@us=105");
    assert_false(v.legal);
    assert_int_equal(v.failed_rule, 0);
    assert_true(v.measured == 101 && v.bound == 100);
    assert_int_equal(v.region.size, 0);
    assert_false(match_text_legal(r, 0, "@eu=1 | @us=1"));         /* no common region */
    assert_false(match_text_legal(r, 0, "@eu=1 skill=1 | @eu=1")); /* one gave none */
}

static void best_region_has_the_smallest_mean_and_then_the_first_name(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE("'type':'latency','maxLatency':100"));
    struct verdict v = match_text_judge(r, 0, "@us=10,@eu=30,@asia=50 | @us=50,@asia=10,@eu=30");
    assert_true(str_equal(v.region, STR("asia")));
    v = match_text_judge(r, 0, "@us=10,@eu=30 | @us=49,@eu=30");
    assert_true(str_equal(v.region, STR("us")));
    r = rules(TWO_TEAMS); /* with no latency rule, the same choice where all gave latencies */
    v = match_text_judge(r, 0, "@us=1000,@eu=3000 | @us=4900,@eu=30");
    assert_true(v.legal && str_equal(v.region, STR("eu")));
    v = match_text_judge(r, 0, "@us=10 | skill=1");
    assert_true(v.legal && v.region.size == 0 && v.mean_latency_ms == 0);
}

static void expansions_replace_numbers_at_their_very_millisecond(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        ATTRIBUTES
        "," TWO_TEAMS
        ",'rules':[{'name':'s','type':'batchDistance','batchAttribute':'skill','maxDistance':10},"
        "{'name':'l','type':'latency','maxLatency':50},"
        "{'name':'c','type':'comparison','operation':'>=','referenceValue':7,"
        "'measurements':'flatten(teams[*].players.attributes[skill])'}],"
        "'expansions':[{'target':'rules[s].maxDistance','steps':["
        "{'waitTimeSeconds':5,'value':20},{'waitTimeSeconds':10,'value':40}]},"
        "{'target':'rules[l].maxLatency','steps':[{'waitTimeSeconds':2.5,'value':60}]},"
        "{'target':'rules[c].referenceValue','steps':[{'waitTimeSeconds':20,'value':1}]},"
        "{'target':'teams[red,blue].minPlayers','steps':[{'waitTimeSeconds':30,'value':0}]},"
        "{'target':'teams[red].maxPlayers','steps':[{'waitTimeSeconds':30,'value':4}]}]");
    assert_false(match_text_legal(r, 4999, "skill=10,@e=9 | skill=30,@e=9"));
    assert_true(match_text_legal(r, 5000, "skill=10,@e=9 | skill=30,@e=9"));
    assert_false(match_text_legal(r, 2499, "@e=60 | @e=60"));
    assert_true(match_text_legal(r, 2500, "@e=60 | @e=60"));
    assert_false(match_text_legal(r, 19999, "skill=6,@e=9 | @e=9"));
    assert_true(match_text_legal(r, 20000, "skill=6,@e=9 | @e=9"));
    assert_false(match_text_legal(r, 29999, "@e=9 | -"));
    assert_true(match_text_legal(r, 30000, "@e=9 | -"));
    assert_true(ruleset_limits_at(r, 0)->key_spread_max == 10);
    assert_true(ruleset_limits_at(r, INT64_MAX)->key_spread_max == 40);
    assert_int_equal(ruleset_limits_at(r, 30000)->teams[0].players_max, 4);
    assert_int_equal(ruleset_limits_at(r, 30000)->teams[1].players_max, 3);
    assert_int_equal(ruleset_limits_at(r, 30000)->players_max, 7);
    assert_int_equal(ruleset_limits_at(r, 30000)->players_min, 1);
    assert_int_equal(ruleset_limits_at(r, 2500)->latency_ms_max, 60);
    static const int64_t steps[] = {2500, 5000, 10000, 20000, 30000, INT64_MAX};
    int64_t age = 0;
    for (size_t i = 0; i < 6; i++) {
        age = ruleset_next_step_ms(r, age);
        assert_true(age == steps[i]);
    }
    assert_true(ruleset_next_step_ms(r, 4999) == 5000);
}

static void every_aggregate_has_its_textbook_value(void **state) {
    (void)state;
    static const struct {
        const char *expression;
        double value;
    } cases[] = {
        {"min(teams[red].players.attributes[skill])", 2},
        {"max(flatten(teams[*].players.attributes[skill]))", 9},
        {"max(max(teams[*].players.attributes[skill]))", 9},
        {"avg(teams[red].players.attributes[skill])", 4},
        {"max(avg(teams[*].players.attributes[skill]))", 8},
        {"min(avg(teams[ red , blue ].players.attributes[skill]))", 4},
        {"sum(players.attributes[skill])", 28},
        {"median(players.attributes[skill])", 6},
        {"median(teams[red].players.attributes[skill])", 4},
        {"stddev(teams[blue].players.attributes[skill])", 1},
        {"count(teams[red].players)", 3},
        {"count(teams[red].players[playerId])", 3},
        {"count(flatten(teams[*].players[PLAYERID]))", 5},
        {"max(count(teams[*].players))", 3},
        {"min( count( teams[*].players ) )", 2},
        {"count(count(teams[*].players))", 2},
        {"sum(count(flatten(teams[*].players.attributes[likes])))", 8},
        {"count(flatten(flatten(teams[*].players.attributes[likes])))", 8},
        {"count(set_intersection(flatten(teams[*].players.attributes[likes])))", 1},
        {"max(count(set_intersection(teams[*].players.attributes[likes])))", 2},
        {"max(flatten(teams[*].players.attributes[maps][ice]))", 7},
        {"count(flatten(teams[*].players.attributes[maps][ice]))", 2},
        {"max(team[red].players.attributes[skill])", 6}, /* a published misspelling */
        {"-1.5e1", -15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int off = 0; off < 2; off++) {
            char text[1024];
            (void)snprintf(text, sizeof text,
                           ONE_RULE("'type':'comparison','operation':'=',"
                                    "'measurements':'%s','referenceValue':%g"),
                           cases[i].expression, cases[i].value + off);
            bool legal = match_text_legal(
                rules(text), 0,
                "skill=2,likes=a+b+ skill=4,likes=a+b+,maps=ice:7 skill=6,likes=b+a+,maps=ice:3 "
                "| skill=7,likes=a+ skill=9,likes=a+");
            if (legal == (off == 0)) continue;
            fail_msg("%s is not %g", cases[i].expression, cases[i].value);
        }
    }
}

static void what_is_absent_is_skipped(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES
              "," MAYBE_TEAMS ",'rules':[{'name':'r',"
              "'type':'distance','measurements':'avg(teams[blue].players.attributes[skill])',"
              "'referenceValue':'avg(teams[red].players.attributes[skill])','maxDistance':1}]");
    assert_true(match_text_legal(r, 0, "skill=5 | -"));
    assert_false(match_text_legal(r, 0, "skill=5 | skill=7"));
    r = rules(ATTRIBUTES
              "," MAYBE_TEAMS ",'rules':[{'name':'r','type':'comparison',"
              "'operation':'<','measurements':'max(avg(teams[*].players.attributes[skill]))',"
              "'referenceValue':'min(teams[blue].players.attributes[skill])'}]");
    assert_true(match_text_legal(r, 0, "skill=5 | -")); /* no reference */
    assert_false(match_text_legal(r, 0, "skill=5 | skill=5"));
    r = rules(ATTRIBUTES
              "," MAYBE_TEAMS ",'rules':[{'name':'r','type':'comparison',"
              "'operation':'=','measurements':'count(teams[blue].players)','referenceValue':2}]");
    assert_false(match_text_legal(r, 0, "skill=5 | -")); /* a count of nobody is 0, not absent */
}

static void extreme_numbers_are_judged_and_never_pass_by_overflow(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':1e308"));
    assert_true(match_text_legal(r, 0, "skill=1e308 | skill=0"));
    assert_false(match_text_legal(r, 0, "skill=1e308 | skill=-1e308"));
    assert_true(match_text_legal(r, 0, "skill=1.7e308/skill=1.7e308 | skill=1.7e308"));
    r = rules(ONE_RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':-0.0"));
    assert_true(match_text_legal(r, 0, "skill=-0 | skill=0"));
    assert_false(match_text_legal(r, 0, "skill=0 | skill=5e-324"));
    r = rules(ONE_RULE("'type':'distance','maxDistance':1,"
                       "'measurements':'stddev(players.attributes[skill])',"
                       "'referenceValue':'sum(players.attributes[skill])'"));
    assert_false(match_text_legal(r, 0, "skill=1.7e308 | skill=1.7e308")); /* inf - inf */
    r = rules(ONE_RULE("'type':'comparison','operation':'!=','referenceValue':3,"
                       "'measurements':'sum(players.attributes[skill])'"));
    assert_true(match_text_legal(r, 0, "skill=1.7e308 | skill=1.7e308"));
}

static void team_sizes_come_before_the_rules(void **state) {
    (void)state;
    const struct ruleset *r = rules(ONE_RULE("'type':'latency','maxLatency':100"));
    struct verdict v = match_text_judge(r, 0, "skill=1 | -");
    assert_false(v.legal);
    assert_true(v.failed_rule == RULESET_NONE && v.measured == 0 && v.bound == 1);
    v = match_text_judge(r, 0, "@e=1/@e=1/@e=1 @e=1 | @e=1");
    assert_true(!v.legal && v.failed_rule == RULESET_NONE && v.measured == 4 && v.bound == 3);
}

static void a_quantity_makes_numbered_teams(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES ",'teams':[{'name':'trio','minPlayers':1,'maxPlayers':3,'quantity':3},"
                         "{'name':'boss','minPlayers':1,'maxPlayers':1}],'rules':["
                         "{'name':'a','type':'comparison','operation':'=','referenceValue':2,"
                         "'measurements':'count(teams[trio_2].players)'},"
                         "{'name':'b','type':'comparison','operation':'<=','referenceValue':5,"
                         "'measurements':'count(flatten(teams[trio].players))'}]");
    const struct ruleset_limits *l = ruleset_limits_at(r, 0);
    assert_int_equal(l->team_count, 4);
    assert_true(str_equal(l->teams[0].name, STR("trio_1")));
    assert_true(str_equal(l->teams[2].name, STR("trio_3")));
    assert_true(str_equal(l->teams[3].name, STR("boss")));
    assert_true(match_text_legal(r, 0, "skill=1 | skill=1/skill=1 | skill=1 | skill=9"));
    assert_int_equal(match_text_judge(r, 0, "a=1 | a=1 | a=1 | a=9").failed_rule, 0);
    assert_int_equal(match_text_judge(r, 0, "a=1 a=1 | a=1 a=1 | a=1 a=1 | a=9").failed_rule, 1);
}

/* ---- the published examples that this version understands ---- */

static void aliens_and_cowboys_are_of_one_size_and_skill(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        "'name':'aliens_vs_cowboys',"
        "'playerAttributes':[{'name':'skill','type':'number','default':10}],"
        "'teams':[{'name':'cowboys','maxPlayers':8,'minPlayers':4},"
        "{'name':'aliens','maxPlayers':8,'minPlayers':4}],"
        "'rules':[{'name':'FairTeamSkill','description':'d','type':'distance',"
        "'measurements':['avg(teams[*].players.attributes[skill])'],"
        "'referenceValue':'avg(flatten(teams[*].players.attributes[skill]))','maxDistance':10},"
        "{'name':'EqualTeamSizes','type':'comparison',"
        "'measurements':['count(teams[cowboys].players)'],"
        "'referenceValue':'count(teams[aliens].players)','operation':'='}],"
        "'expansions':[{'target':'rules[FairTeamSkill].maxDistance','steps':["
        "{'waitTimeSeconds':5,'value':50},{'waitTimeSeconds':15,'value':100}]}]");
    assert_true(match_text_legal(r, 0, "a=1 a=1 a=1 a=1 | a=1/a=1/a=1/a=1"));
    assert_int_equal(match_text_judge(r, 0, "a=1 a=1 a=1 a=1 | a=1 a=1 a=1 a=1 a=1").failed_rule,
                     1);
    static const char uneven[] =
        "skill=0 skill=0 skill=0 skill=0 | skill=80/skill=80/skill=80/skill=80";
    assert_int_equal(match_text_judge(r, 4999, uneven).failed_rule, 0);
    assert_true(match_text_legal(r, 5000, uneven));
}

static void the_monster_wants_to_be_one_and_is_strong_enough(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'skill','type':'number','default':10},"
              "{'name':'desiredSkillOfMonster','type':'number','default':10},"
              "{'name':'wantsToBeMonster','type':'number','default':0}],"
              "'teams':[{'name':'players','maxPlayers':5,'minPlayers':5},"
              "{'name':'monster','maxPlayers':1,'minPlayers':1}],"
              "'rules':[{'name':'MonsterSelection','type':'comparison','operation':'=',"
              "'measurements':['teams[monster].players.attributes[wantsToBeMonster]'],'"
              "referenceValue':1},"
              "{'name':'PlayerSelection','type':'comparison','operation':'=',"
              "'measurements':['teams[players].players.attributes[wantsToBeMonster]'],'"
              "referenceValue':0},"
              "{'name':'MonsterSkill','type':'comparison','operation':'>=',"
              "'measurements':['avg(teams[monster].players.attributes[skill])'],"
              "'referenceValue':'max(teams[players].players.attributes[desiredSkillOfMonster])'}],"
              "'expansions':[{'target':'teams[players].minPlayers','steps':["
              "{'waitTimeSeconds':30,'value':4},{'waitTimeSeconds':60,'value':3}]}]");
    static const char five[] = "a=1 a=1 a=1 a=1 a=1 | wantsToBeMonster=1";
    assert_true(match_text_legal(r, 0, five));
    assert_int_equal(match_text_judge(r, 0, "a=1 a=1 a=1 a=1 a=1 | a=1").failed_rule, 0);
    assert_int_equal(
        match_text_judge(r, 0, "a=1 a=1 a=1 a=1 wantsToBeMonster=1 | wantsToBeMonster=1")
            .failed_rule,
        1);
    assert_int_equal(
        match_text_judge(r, 0, "desiredSkillOfMonster=11 a=1 a=1 a=1 a=1 | wantsToBeMonster=1")
            .failed_rule,
        2);
    assert_false(match_text_legal(r, 59999, "a=1 a=1 a=1 | wantsToBeMonster=1"));
    assert_true(match_text_legal(r, 60000, "a=1 a=1 a=1 | wantsToBeMonster=1"));
}

static void turn_based_players_share_mode_and_map_but_no_character(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        "'name':'','playerAttributes':[{'name':'gameMode','type':'string','default':'turn-based'},"
        "{'name':'gameMap','type':'number','default':1},{'name':'character','type':'number'}],"
        "'teams':[{'name':'player','minPlayers':1,'maxPlayers':1,'quantity':2}],"
        "'rules':[{'name':'SameGameMode','type':'comparison','operation':'=',"
        "'measurements':['flatten(teams[*].players.attributes[gameMode])']},"
        "{'name':'SameGameMap','type':'comparison','operation':'=',"
        "'measurements':['flatten(teams[*].players.attributes[gameMap])']},"
        "{'name':'DifferentCharacter','type':'comparison','operation':'!=',"
        "'measurements':['flatten(teams[*].players.attributes[character])']}]");
    assert_true(match_text_legal(r, 0, "character=1 | character=2"));
    assert_int_equal(match_text_judge(r, 0, "character=1 | character=1").failed_rule, 2);
    assert_int_equal(match_text_judge(r, 0, "character=1,gameMap=2 | character=2").failed_rule, 1);
    assert_int_equal(match_text_judge(r, 0, "character=1,gameMode=x | character=2").failed_rule, 0);
}

/* ---- what a search gets to know ---- */

static struct ticket_spec spec_of(struct arena *arena, const char *text) {
    return match_text_read(arena, text).specs[0];
}

static void the_key_is_the_tightest_number_rule_by_its_party_value(void **state) {
    (void)state;
    struct arena *arena = arena_new(0);
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'a','type':'number'},"
              "{'name':'b','type':'number','default':3}]," TWO_TEAMS ",'rules':["
              "{'name':'x','type':'batchDistance','batchAttribute':'a','maxDistance':9},"
              "{'name':'y','type':'batchDistance','batchAttribute':'b','maxDistance':2,"
              "'partyAggregation':'max'}]");
    struct ticket_spec spec = spec_of(arena, "a=1,b=5/a=2");
    assert_true(ruleset_has_key(r));
    assert_true(ruleset_key(r, &spec) == 5);
    assert_true(ruleset_player_key(r, &spec.players[1]) == 3);
    assert_true(ruleset_limits_at(r, 0)->key_spread_max == 2);
    r = rules(ATTRIBUTES
              "," TWO_TEAMS ",'rules':[{'name':'x','type':'distance','maxDistance':4,"
              "'measurements':'flatten(teams[*].players.attributes[skill])','referenceValue':50}]");
    double spread = ruleset_limits_at(r, 0)->key_spread_max;
    assert_true(ruleset_has_key(r) && spread >= 8 && spread < 8.001);
    r = rules(ATTRIBUTES
              "," TWO_TEAMS ",'rules':[{'name':'x','type':'distance','maxDistance':4,"
              "'measurements':'avg(teams[*].players.attributes[skill])','referenceValue':50}]");
    assert_false(ruleset_has_key(r));
    assert_true(ruleset_key(r, &spec) == 0 && ruleset_limits_at(r, 0)->key_spread_max == INFINITY);
    arena_free(arena);
}

static void partitions_part_what_string_rules_keep_apart(void **state) {
    (void)state;
    struct arena *arena = arena_new(0);
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'mode','type':'string'},"
              "{'name':'map','type':'string','default':'ice'}]," TWO_TEAMS ",'rules':["
              "{'name':'x','type':'batchDistance','batchAttribute':'mode'},"
              "{'name':'y','type':'comparison','operation':'=',"
              "'measurements':'flatten(teams[*].players.attributes[map])'}]");
    struct ticket_spec a = spec_of(arena, "mode=x,map=ice"), b = spec_of(arena, "mode=x");
    struct ticket_spec c = spec_of(arena, "mode=y"), d = spec_of(arena, "mode=x,map=sun");
    struct ticket_spec e = spec_of(arena, "mode=ice,map=x");
    assert_true(ruleset_partition(r, &a) == ruleset_partition(r, &b));
    assert_true(ruleset_partition(r, &a) != ruleset_partition(r, &c));
    assert_true(ruleset_partition(r, &a) != ruleset_partition(r, &d));
    assert_true(ruleset_partition(r, &a) != ruleset_partition(r, &e));
    assert_true(ruleset_partition(r, &a) != 0);
    r = rules(ONE_RULE("'type':'comparison','operation':'=','referenceValue':'x',"
                       "'measurements':'flatten(teams[*].players.attributes[mode])'"));
    assert_true(ruleset_partition(r, &a) == 0);
    arena_free(arena);
}

static void admission_refuses_a_ticket_that_could_never_match(void **state) {
    (void)state;
    static const struct {
        const char *ticket, *text, *field;
    } cases[] = {
        {"skill=1,mode=x,@eu=5/skill=2,mode=x,@eu=5", NULL, NULL},
        {"skill=1,mode=x,other=7,@eu=5", NULL, NULL},
        {"mode=x,@eu=5",
         "player \"p1\" has no attribute \"skill\"; this queue needs it (a number) and has no "
         "default for it",
         "players[0].attributes"},
        {"skill=1,@eu=5/skill=high,@eu=5",
         "player \"p2\" has attribute \"skill\" as a string; this queue needs a number",
         "players[1].attributes"},
        {"skill=1",
         "player \"p1\" has no latencies; this queue has a latency rule and needs at least one "
         "region's latency in ms",
         "players[0].latencies_ms"},
        {"skill=1,@e=1/skill=1,@e=1/skill=1,@e=1/skill=1,@e=1",
         "the ticket has 4 players; the largest team of this queue holds 3", "players"},
        {"skill=1,mode=x,@eu=5/skill=2,mode=y,@eu=5",
         "players \"p1\" and \"p2\" differ in \"mode\", which this queue wants equal within a "
         "match",
         "players[1].attributes"},
    };
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'skill','type':'number'},"
              "{'name':'mode','type':'string','default':'x'}]," TWO_TEAMS ",'rules':["
              "{'name':'m','type':'batchDistance','batchAttribute':'mode'},"
              "{'name':'l','type':'latency','maxLatency':50}]");
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err_text why = {0};
        struct ticket_spec spec = spec_of(arena, cases[i].ticket);
        enum err code = ruleset_admit(r, &spec, &why);
        assert_int_equal(code, cases[i].text ? ERR_INVALID_ARGUMENT : ERR_OK);
        if (!cases[i].text) continue;
        assert_string_equal(why.text, cases[i].text);
        assert_string_equal(why.field, cases[i].field);
    }
    arena_free(arena);
}

static void a_ruleset_explains_itself_in_plain_words(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES
              ",'teams':[{'name':'duo','minPlayers':2,'maxPlayers':2,'quantity':2},"
              "{'name':'solo','minPlayers':1,'maxPlayers':3}],'rules':["
              "{'name':'s','type':'batchDistance','batchAttribute':'skill','maxDistance':100},"
              "{'name':'m','type':'batchDistance','batchAttribute':'mode'},"
              "{'name':'c','type':'comparison','operation':'>=','measurements':'count(players)',"
              "'referenceValue':5},"
              "{'name':'d','type':'distance','measurements':['avg(teams[solo].players.attributes["
              "skill])'],"
              "'referenceValue':10,'maxDistance':4,'minDistance':1},"
              "{'name':'l','type':'latency','maxLatency':80}],"
              "'expansions':[{'target':'rules[s].maxDistance','steps':["
              "{'waitTimeSeconds':30,'value':200},{'waitTimeSeconds':60,'value':400}]},"
              "{'target':'teams[solo].minPlayers','steps':[{'waitTimeSeconds':7.5,'value':0}]}]");
    struct strbuf out = {0};
    ruleset_describe(r, &out);
    assert_string_equal(
        out.at,
        "2 teams \"duo_1\" to \"duo_2\", each: 2 players\n"
        "team \"solo\": 1 to 3, after 7.5 s 0 to 3 players\n"
        "rule \"s\": the tickets' skill (avg of a party) lie within 100, after 30 s 200, after 60 "
        "s "
        "400\n"
        "rule \"m\": all players have the same mode\n"
        "rule \"c\": count(players) >= 5\n"
        "rule \"d\": avg(teams[solo].players.attributes[skill]) from 10: at most 4: at least 1\n"
        "rule \"l\": every player reaches one common region within 80 ms\n"
        "the newest ticket of a match sets its time\n");
    strbuf_fini(&out);
}

static void rules_that_can_hold_for_no_match_are_noted(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        bool noted;
    } cases[] = {
        {"'type':'comparison','operation':'=','referenceValue':3,"
         "'measurements':'count(teams[red].players)'",
         false},
        {"'type':'comparison','operation':'=','referenceValue':4,"
         "'measurements':'count(teams[red].players)'",
         true},
        {"'type':'comparison','operation':'=','referenceValue':2.5,"
         "'measurements':'count(players)'",
         true},
        {"'type':'comparison','operation':'>=','referenceValue':6,'measurements':'count(players)'",
         false},
        {"'type':'comparison','operation':'>','referenceValue':6,'measurements':'count(players)'",
         true},
        {"'type':'comparison','operation':'<','referenceValue':2,'measurements':'count(players)'",
         true},
        {"'type':'comparison','operation':'<=','referenceValue':2,'measurements':'count(players)'",
         false},
        {"'type':'comparison','operation':'!=','referenceValue':3,'measurements':'count(players)'",
         false},
        {"'type':'collection','operation':'contains','referenceValue':'x','minCount':6,"
         "'measurements':'players.attributes[likes]'",
         false},
        {"'type':'collection','operation':'contains','referenceValue':'x','minCount':7,"
         "'measurements':'players.attributes[likes]'",
         true},
        {"'type':'collection','operation':'reference_intersection_count','minCount':2,"
         "'referenceValue':['a','b'],'measurements':'players.attributes[likes]'",
         false},
        {"'type':'collection','operation':'reference_intersection_count','minCount':3,"
         "'referenceValue':['a','b'],'measurements':'players.attributes[likes]'",
         true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, ONE_RULE("%s"), cases[i].rule);
        rules(text);
        bool noted = rules_notes.size > 0 &&
                     strstr(rules_notes.at, "rules[0] \"r\" can hold for no match of these teams, "
                                            "at any age\n") != NULL;
        if (noted != cases[i].noted) fail_msg("%s", cases[i].rule);
    }
    rules(ONE_RULE(
        "'type':'comparison','operation':'=','referenceValue':4,"
        "'measurements':'count(teams[red].players)'") ",'expansions':[{'target':'teams[red]."
                                                      "maxPlayers','steps':["
                                                      "{'waitTimeSeconds':5,'value':4}]}]");
    assert_int_equal(rules_notes.size, 0); /* it can, later */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_distance_bounds_the_spread_of_the_tickets),
        cmocka_unit_test(party_aggregation_makes_one_value_of_a_party),
        cmocka_unit_test(batch_distance_on_a_string_wants_it_equal),
        cmocka_unit_test(comparison_compares_each_value_with_the_reference),
        cmocka_unit_test(comparison_without_reference_compares_the_players_with_each_other),
        cmocka_unit_test(comparison_of_strings_takes_a_literal_or_an_expression),
        cmocka_unit_test(distance_holds_teams_near_the_match_average),
        cmocka_unit_test(distance_takes_a_minimum_too),
        cmocka_unit_test(latency_needs_one_region_good_for_every_player),
        cmocka_unit_test(best_region_has_the_smallest_mean_and_then_the_first_name),
        cmocka_unit_test(expansions_replace_numbers_at_their_very_millisecond),
        cmocka_unit_test(every_aggregate_has_its_textbook_value),
        cmocka_unit_test(what_is_absent_is_skipped),
        cmocka_unit_test(extreme_numbers_are_judged_and_never_pass_by_overflow),
        cmocka_unit_test(team_sizes_come_before_the_rules),
        cmocka_unit_test(a_quantity_makes_numbered_teams),
        cmocka_unit_test(aliens_and_cowboys_are_of_one_size_and_skill),
        cmocka_unit_test(the_monster_wants_to_be_one_and_is_strong_enough),
        cmocka_unit_test(turn_based_players_share_mode_and_map_but_no_character),
        cmocka_unit_test(the_key_is_the_tightest_number_rule_by_its_party_value),
        cmocka_unit_test(partitions_part_what_string_rules_keep_apart),
        cmocka_unit_test(admission_refuses_a_ticket_that_could_never_match),
        cmocka_unit_test(a_ruleset_explains_itself_in_plain_words),
        cmocka_unit_test(rules_that_can_hold_for_no_match_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
