/* ruleset_compound_test.c - compound and latency rules: what they allow, near misses, mistakes. */
#include "support/match_text.h"
#include "support/rules_text.h"

#include <math.h>
#include <stdio.h>

/* Rules a, b and c hold where teams red, blue and both have a player of skill 1. */
#define HAS(name, list)                                                           \
    "{'name':'" name "','type':'comparison','operation':'>=','referenceValue':1," \
    "'measurements':'max(" list ".players.attributes[skill])'}"
#define ABC HAS("a", "teams[red]") "," HAS("b", "teams[blue]") "," HAS("c", "teams[pink]")
#define THREE_TEAMS                                          \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':3}," \
    "{'name':'blue','minPlayers':1,'maxPlayers':3},"         \
    "{'name':'pink','minPlayers':1,'maxPlayers':3}]"

static const struct ruleset *with_statement(const char *statement) {
    char text[2048];
    (void)snprintf(text, sizeof text,
                   ATTRIBUTES "," THREE_TEAMS ",'rules':[" ABC
                              ",{'name':'x','type':'compound','statement':'%s'}]",
                   statement);
    return rules(text);
}

/* Bit i of `truth`: the verdict where bit 0, 1, 2 of i are a, b, c. */
static void expect_truth(const char *statement, unsigned truth) {
    const struct ruleset *r = with_statement(statement);
    for (unsigned i = 0; i < 8; i++) {
        char match[64];
        (void)snprintf(match, sizeof match, "skill=%u | skill=%u | skill=%u", i & 1, i >> 1 & 1,
                       i >> 2 & 1);
        struct verdict v = match_text_judge(r, 0, match);
        if (v.legal != (truth >> i & 1)) fail_msg("%s for %s", statement, match);
        if (v.legal) continue;
        bool named = str_equal(ruleset_rule_name(r, v.failed_rule), STR("x"));
        assert_true(named && v.measured == 0 && v.bound == 0);
    }
}

static void statements_have_the_truth_tables_of_logic(void **state) {
    (void)state;
    expect_truth("and(a,b,c)", 0x80);
    expect_truth("or(a,b,c)", 0xFE);
    expect_truth("xor(a,b,c)", 0x16); /* exactly one */
    expect_truth("and(xor(a,b),c)", 0x60);
    expect_truth("and(not(a),or(b,c))", 0x54);
    expect_truth(" or( and( a , b ) , not(c) ) ", 0x8F);
    expect_truth("and(or(a,not(a)),or(b,not(b)),or(c,not(c)))", 0xFF);
}

static void a_governed_rule_need_not_hold_by_itself(void **state) {
    (void)state;
    const struct ruleset *r = with_statement("or(a,b)");
    assert_true(match_text_legal(r, 0, "skill=1 | skill=0 | skill=1"));
    struct verdict v = match_text_judge(r, 0, "skill=1 | skill=0 | skill=0"); /* c stands alone */
    assert_true(!v.legal && v.failed_rule == 2 && v.measured == 0 && v.bound == 1);
}

static void several_compounds_must_all_hold_and_may_share_rules(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," THREE_TEAMS ",'rules':["
                         "{'name':'x','type':'compound','statement':'or(a,b)'},"
                         "{'name':'y','type':'compound','statement':'not(and(a,c))'}," ABC "]");
    assert_true(match_text_legal(r, 0, "skill=1 | skill=0 | skill=0"));
    assert_int_equal(match_text_judge(r, 0, "skill=0 | skill=0 | skill=1").failed_rule, 0);
    assert_int_equal(match_text_judge(r, 0, "skill=1 | skill=0 | skill=1").failed_rule, 1);
}

static void rules_of_a_compound_expand(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," THREE_TEAMS ",'rules':[" ABC
                         ",{'name':'x','type':'compound','statement':'and(a,b,c)'}],'expansions':["
                         "{'target':'rules[a].referenceValue','steps':["
                         "{'waitTimeSeconds':5,'value':0}]}]");
    assert_false(match_text_legal(r, 4999, "skill=0 | skill=1 | skill=1"));
    assert_true(match_text_legal(r, 5000, "skill=0 | skill=1 | skill=1"));
}

static void a_search_does_not_prune_by_governed_rules(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS ",'rules':["
                         "{'name':'near','type':'distance','maxDistance':1,'referenceValue':0,"
                         "'measurements':'flatten(teams[*].players.attributes[skill])'},"
                         "{'name':'same','type':'comparison','operation':'=',"
                         "'measurements':'flatten(teams[*].players.attributes[mode])'},"
                         "{'name':'fast','type':'latency','maxLatency':50},"
                         "{'name':'x','type':'compound','statement':'or(near,same,fast)'}]");
    struct arena *arena = arena_new(0);
    struct ticket_spec spec = match_text_read(arena, "skill=5").specs[0];
    struct err_text why;
    assert_int_equal(ruleset_admit(r, &spec, &why), ERR_OK); /* no latencies needed */
    assert_false(ruleset_has_key(r));
    assert_true(ruleset_partition(r, &spec) == 0);
    assert_int_equal(ruleset_limits_at(r, 0)->latency_ms_max, INT32_MAX);
    assert_true(match_text_legal(r, 0, "skill=5,mode=a | skill=9,mode=a"));
    assert_true(match_text_legal(r, 0, "skill=1,mode=a | skill=0,mode=b"));
    assert_false(match_text_legal(r, 0, "skill=5,mode=a,@eu=60 | skill=9,mode=b,@eu=20"));
    arena_free(arena);
}

static void one_region_must_suit_every_rule_that_asks_for_one(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS ",'rules':["
                         "{'name':'fast','type':'latency','maxLatency':50},"
                         "{'name':'same','type':'comparison','operation':'=',"
                         "'measurements':'flatten(teams[*].players.attributes[mode])'},"
                         "{'name':'x','type':'compound','statement':'or(fast,same)'},"
                         "{'name':'usable','type':'latency','maxLatency':100}]");
    struct verdict v = match_text_judge(r, 0, "mode=a,@eu=1,@us=50 | mode=a,@eu=60,@us=50");
    assert_true(v.legal && str_equal(v.region, STR("eu"))); /* smallest mean, 30.5 */
    v = match_text_judge(r, 0, "mode=a,@eu=1,@us=50 | mode=b,@eu=60,@us=50");
    assert_true(v.legal && str_equal(v.region, STR("us")) && v.measured == 0);
    v = match_text_judge(r, 0, "mode=a,@eu=1,@us=50 | mode=b,@eu=60,@us=51");
    assert_true(!v.legal && v.failed_rule == 2 && v.region.size == 0);
    v = match_text_judge(r, 0, "mode=a,@eu=1,@us=50 | mode=a,@eu=130,@us=120");
    assert_true(!v.legal && v.failed_rule == 3 && v.measured == 120 && v.bound == 100);
    v = match_text_judge(r, 0, "mode=a,@eu=1 | mode=a,@us=1");
    assert_true(!v.legal && v.failed_rule == 3 && v.measured == INFINITY);
}

static void a_negated_latency_means_a_region_where_it_fails(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS ",'rules':["
                         "{'name':'fast','type':'latency','maxLatency':50},"
                         "{'name':'x','type':'compound','statement':'not(fast)'}]");
    struct verdict v = match_text_judge(r, 0, "@eu=10,@us=90 | @eu=10,@us=90");
    assert_true(v.legal && str_equal(v.region, STR("us")));
    assert_false(match_text_legal(r, 0, "@eu=10 | @eu=10"));
    v = match_text_judge(r, 0, "skill=1 | skill=1");
    assert_true(v.legal && v.region.size == 0);
}

#define LATENCY(members) ONE_RULE("'type':'latency'," members)
#define LATENCY_EXPANDS(property, wait, value)                                           \
    LATENCY("'maxDistance':40,'distanceReference':'min'")                                \
    ",'expansions':[{'target':'rules[r]." property "','steps':[{'waitTimeSeconds':" wait \
    ",'value':" value "}]}]"

static void latency_distance_is_from_the_lowest_or_the_average(void **state) {
    (void)state;
    const struct ruleset *r = rules(LATENCY("'maxDistance':40,'distanceReference':'min'"));
    assert_true(match_text_legal(r, 0, "@eu=10 | @eu=50"));
    struct verdict v = match_text_judge(r, 0, "@eu=10 | @eu=51");
    assert_true(!v.legal && v.measured == 41 && v.bound == 40);
    v = match_text_judge(r, 0, "@eu=10,@us=200 | @eu=51,@us=230"); /* a fairer region */
    assert_true(v.legal && str_equal(v.region, STR("us")));
    r = rules(LATENCY("'maxDistance':40,'distanceReference':'avg'"));
    assert_true(match_text_legal(r, 0, "@eu=10 | @eu=90"));
    assert_false(match_text_legal(r, 0, "@eu=10 @eu=10 | @eu=90"));
    r = rules(LATENCY("'maxLatency':80,'maxDistance':40,'distanceReference':'avg'"));
    v = match_text_judge(r, 0, "@eu=10 | @eu=90");
    assert_true(!v.legal && v.measured == 90 && v.bound == 80);
    assert_true(match_text_legal(r, 0, "@eu=10 | @eu=80"));
}

static void a_party_may_count_by_its_average_or_best_latency(void **state) {
    (void)state;
    static const char party[] = "@eu=20/@eu=100 | @eu=60";
    assert_false(match_text_legal(rules(LATENCY("'maxLatency':60")), 0, party));
    const struct ruleset *r = rules(LATENCY("'maxLatency':60,'partyAggregation':'avg'"));
    assert_true(match_text_legal(r, 0, party));
    assert_false(match_text_legal(r, 0, "@eu=22/@eu=100 | @eu=60"));
    assert_int_equal(ruleset_limits_at(r, 0)->latency_ms_max, INT32_MAX); /* nothing to prune by */
    r = rules(LATENCY("'maxLatency':60,'partyAggregation':'min'"));
    assert_true(match_text_legal(r, 0, "@eu=60/@eu=1000 | @eu=60"));
    assert_false(match_text_legal(r, 0, "@eu=61/@eu=1000 | @eu=60"));
    r = rules(LATENCY("'maxDistance':1,'distanceReference':'avg','partyAggregation':'avg'"));
    assert_true(match_text_legal(r, 0, "@eu=20/@eu=100 | @eu=60"));
    assert_false(match_text_legal(r, 0, "@eu=20/@eu=94 | @eu=60")); /* 57 and 60: mean 58 */
}

static void latency_distance_expands(void **state) {
    (void)state;
    const struct ruleset *r = rules(LATENCY_EXPANDS("maxDistance", "5", "50"));
    assert_false(match_text_legal(r, 4999, "@eu=10 | @eu=60"));
    assert_true(match_text_legal(r, 5000, "@eu=10 | @eu=60"));
    struct err_text why;
    assert_int_equal(rules_try(LATENCY_EXPANDS("maxLatency", "9", "55"), &why),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text,
                        "expansions[0].steps[0].value is 55, narrower than no bound before it: "
                        "\"rules[r].maxLatency\" would shrink after 9 s; put it with "
                        "allow_shrinking if that is meant");
}

static void compounds_and_latencies_explain_themselves(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS ",'rules':["
                         "{'name':'l','type':'latency','maxDistance':9,'distanceReference':'avg',"
                         "'partyAggregation':'avg'},"
                         "{'name':'m','type':'latency','maxLatency':50,'maxDistance':9,"
                         "'distanceReference':'min'},"
                         "{'name':'x','type':'compound','statement':'or(l, m)'}]");
    struct strbuf out = {0};
    ruleset_describe(r, &out);
    assert_non_null(
        strstr(out.at, "rule \"l\" (where a compound names it): every party reaches one common "
                       "region (avg of its players) within 9 ms of the average\n"
                       "rule \"m\" (where a compound names it): every player reaches one common "
                       "region within 50 ms, and within 9 ms of the lowest\n"
                       "rule \"x\": or(l, m)\n"));
    strbuf_fini(&out);
}

static const struct {
    const char *statement, *text;
} mistakes[] = {
    {"and(a,b", "\"and(a,b\": ')' is missing before the end"},
    {"and(a,)", "\"and(a,)\": a rule's name is missing before \")\" at character 7"},
    {"and()", "\"and()\": a rule's name is missing before \")\" at character 5"},
    {"not(a,b)", "\"not(a,b)\": not takes one argument; there are more before the end"},
    {"nand(a,b)", "\"nand(a,b)\": no function has the name \"nand\" at character 1; there are and, "
                  "or, not, xor"},
    {"AND(a,b)",
     "\"AND(a,b)\": no function has the name \"AND\" at character 1; there are and, or, not, xor"},
    {"or(a,slow)",
     "\"or(a,slow)\": no rule has the name \"slow\" at character 6; there are a, b, c, x, skill"},
    {"or(a,skll)",
     "\"or(a,skll)\": no rule has the name \"skll\" at character 6; did you mean \"skill\"?"},
    {"or(a,b) c", "\"or(a,b) c\": nothing may follow, but there is \"c\" at character 9"},
    {"or(a,skill)", "\"or(a,skill)\": may not name the rule \"skill\" at character 6; a compound "
                    "names collection, "
                    "comparison, distance and latency rules, no batchDistance"},
    {"or(a,x)", "\"or(a,x)\": may not name the rule \"x\" at character 6; a compound names "
                "collection, comparison, distance and latency rules, no compound"},
};

static void every_wrong_statement_is_told_where_and_what(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct strbuf text = {0}, expected = {0};
        struct err_text why = {0};
        strbuf_printf(&text,
                      ATTRIBUTES "," THREE_TEAMS ",'rules':[" ABC
                                 ",{'name':'x','type':'compound','statement':'%s'},{'name':"
                                 "'skill','type':'batchDistance','batchAttribute':'skill',"
                                 "'maxDistance':1}]",
                      mistakes[i].statement);
        strbuf_printf(&expected, "rules[3].statement %s", mistakes[i].text);
        assert_int_equal(rules_try(text.at, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.text, expected.at);
        strbuf_fini(&text);
        strbuf_fini(&expected);
    }
}

static void nesting_and_expanding_a_compound_are_bounded(void **state) {
    (void)state;
    struct strbuf text = {0};
    struct err_text why = {0};
    strbuf_printf(&text, ATTRIBUTES "," THREE_TEAMS ",'rules':[" ABC
                                    ",{'name':'x','type':'compound','statement':'");
    for (int i = 0; i < 900; i++)
        strbuf_printf(&text, "not(");
    strbuf_printf(&text, "'}]");
    assert_int_equal(rules_try(text.at, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "nests too deep at \"not(not("));
    strbuf_fini(&text);
    assert_int_equal(rules_try(ATTRIBUTES "," THREE_TEAMS ",'rules':[" ABC
                                          ",{'name':'x','type':'compound','statement':'or(a,b)'}],"
                                          "'expansions':[{'target':'rules[x].statement','steps':["
                                          "{'waitTimeSeconds':5,'value':1}]}]",
                               &why),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text,
                        "expansions[0].target \"rules[x].statement\": a compound has nothing to "
                        "expand, but the rules it names have; not \"statement\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_have_the_truth_tables_of_logic),
        cmocka_unit_test(a_governed_rule_need_not_hold_by_itself),
        cmocka_unit_test(several_compounds_must_all_hold_and_may_share_rules),
        cmocka_unit_test(rules_of_a_compound_expand),
        cmocka_unit_test(a_search_does_not_prune_by_governed_rules),
        cmocka_unit_test(one_region_must_suit_every_rule_that_asks_for_one),
        cmocka_unit_test(a_negated_latency_means_a_region_where_it_fails),
        cmocka_unit_test(latency_distance_is_from_the_lowest_or_the_average),
        cmocka_unit_test(a_party_may_count_by_its_average_or_best_latency),
        cmocka_unit_test(latency_distance_expands),
        cmocka_unit_test(compounds_and_latencies_explain_themselves),
        cmocka_unit_test(every_wrong_statement_is_told_where_and_what),
        cmocka_unit_test(nesting_and_expanding_a_compound_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
