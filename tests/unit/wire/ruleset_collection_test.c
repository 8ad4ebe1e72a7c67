/* ruleset_collection_test.c - collection rules: matches they allow, near misses, every mistake. */
#include "support/match_text.h"
#include "support/rules_text.h"

#define LIKES "'measurements':['flatten(teams[*].players.attributes[likes])']"
#define COLLECTION(rule) ONE_RULE("'type':'collection'," rule)

static void contains_counts_the_lists_that_hold_a_string(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(COLLECTION("'operation':'contains'," LIKES ",'referenceValue':'medic',"
                         "'minCount':1,'maxCount':2"));
    assert_true(match_text_legal(r, 0, "likes=medic+ likes=tank+ | likes=medic+tank"));
    assert_true(match_text_legal(r, 0, "likes=medic+medic | likes=tank+"));
    struct verdict v = match_text_judge(r, 0, "likes=medic+ likes=medic+ | likes=a+medic");
    assert_true(!v.legal && v.failed_rule == 0 && v.measured == 3 && v.bound == 2);
    v = match_text_judge(r, 0, "likes=Medic+ | skill=1"); /* bytes, and the default is [] */
    assert_true(!v.legal && v.measured == 0 && v.bound == 1);
}

static void contains_counts_single_strings_too(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(COLLECTION("'operation':'contains','referenceValue':'ctf','maxCount':1,"
                         "'measurements':'teams[*].players.attributes[mode]'"));
    assert_true(match_text_legal(r, 0, "mode=ctf mode=x | mode=y"));
    assert_false(match_text_legal(r, 0, "mode=ctf mode=x | mode=ctf"));
    r = rules(COLLECTION("'operation':'contains','referenceValue':'p2','minCount':1,"
                         "'measurements':'teams[red].players[playerId]'"));
    assert_true(match_text_legal(r, 0, "a=1 a=1 | a=1"));
    assert_false(match_text_legal(r, 0, "a=1 | a=1"));
}

static void contains_counts_each_player_unless_parties_are_merged(void **state) {
    (void)state;
    static const char party[] = "likes=m+/likes=m+/likes=t+ | likes=t+";
    const struct ruleset *r =
        rules(COLLECTION("'operation':'contains'," LIKES ",'referenceValue':'m','maxCount':1"));
    assert_false(match_text_legal(r, 0, party));
    r = rules(COLLECTION("'operation':'contains'," LIKES ",'referenceValue':'m','maxCount':1,"
                         "'minCount':1,'partyAggregation':'union'"));
    assert_true(match_text_legal(r, 0, party));
    r = rules(COLLECTION("'operation':'contains'," LIKES ",'referenceValue':'m','maxCount':0,"
                         "'partyAggregation':'intersection'"));
    assert_true(match_text_legal(r, 0, party)); /* not every one of the party has it */
    assert_false(match_text_legal(r, 0, "likes=m+/likes=m+x | likes=t+"));
}

static void contains_takes_an_expression_as_reference(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'likes','type':'string_list'}]," TWO_TEAMS
              ",'rules':[{'name':'r','type':'collection','operation':'contains','minCount':2," LIKES
              ",'referenceValue':'\\u0027avg(x)\\u0027'}]");
    assert_true(match_text_legal(r, 0, "likes=avg(x)+ | likes=avg(x)+b"));
    assert_false(match_text_legal(r, 0, "likes=avg(x)+ | likes=b+"));
}

static void intersection_counts_what_all_lists_share(void **state) {
    (void)state;
    const struct ruleset *r = rules(COLLECTION("'operation':'intersection'," LIKES ","
                                               "'minCount':2"));
    assert_true(match_text_legal(r, 0, "likes=a+b+c likes=b+a | likes=c+b+a"));
    struct verdict v = match_text_judge(r, 0, "likes=a+b+c likes=b+a | likes=c+b");
    assert_true(!v.legal && v.measured == 1 && v.bound == 2);
    assert_false(match_text_legal(r, 0, "likes=a+a | likes=a+a")); /* the same text counts once */
    r = rules(COLLECTION("'operation':'intersection'," LIKES ",'minCount':0,'maxCount':1"));
    assert_true(match_text_legal(r, 0, "likes=a+b | likes=b+c"));
    assert_false(match_text_legal(r, 0, "likes=a+b | likes=b+a"));
}

static void a_party_accepts_what_one_of_it_or_all_of_it_accept(void **state) {
    (void)state;
    static const char party[] = "likes=a+/likes=b+ | likes=b+";
    const struct ruleset *r = rules(COLLECTION("'operation':'intersection'," LIKES));
    assert_string_equal(rules_notes.at, "rules[0] has no minCount or maxCount: at least 1 is "
                                        "wanted\n");
    assert_true(match_text_legal(r, 0, party)); /* union is the default */
    r = rules(COLLECTION("'operation':'intersection'," LIKES ",'minCount':1,"
                         "'partyAggregation':'intersection'"));
    assert_false(match_text_legal(r, 0, party));
    assert_true(match_text_legal(r, 0, "likes=a+b/likes=b+ | likes=b+"));
}

static void reference_intersection_compares_each_list_with_the_reference(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(COLLECTION("'operation':'reference_intersection_count'," LIKES ","
                         "'referenceValue':['x','y','z'],'minCount':1,'maxCount':2"));
    assert_true(match_text_legal(r, 0, "likes=x+a likes=y+z | likes=z+"));
    struct verdict v = match_text_judge(r, 0, "likes=x+a likes=y+z | likes=a+b");
    assert_true(!v.legal && v.measured == 0 && v.bound == 1);
    v = match_text_judge(r, 0, "likes=x+y+z | likes=x+");
    assert_true(!v.legal && v.measured == 3 && v.bound == 2);
}

static void a_set_intersection_is_one_list(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        COLLECTION("'operation':'reference_intersection_count','minCount':1,'measurements':"
                   "'set_intersection(teams[*].players.attributes[likes])',"
                   "'referenceValue':'set_intersection(teams[red].players.attributes[likes])'"));
    assert_true(match_text_legal(r, 0, "likes=a+b likes=b+c | likes=b+d likes=b+e"));
    assert_false(match_text_legal(r, 0, "likes=a+b likes=b+c | likes=a+d likes=a+e"));
}

static void expansions_change_counts_and_references(void **state) {
    (void)state;
    const struct ruleset *r =
        rules(ATTRIBUTES "," TWO_TEAMS
                         ",'rules':[{'name':'few','type':'collection','operation':'contains',"
                         "'referenceValue':'medic','maxCount':0," LIKES "},"
                         "{'name':'share','type':'collection','operation':'intersection',"
                         "'minCount':2," LIKES "},{'name':'one','type':'collection','operation':"
                         "'reference_intersection_count','minCount':1,'referenceValue':['a']," LIKES
                         "},{'name':'m','type':'comparison','operation':'=',"
                         "'referenceValue':'duel',"
                         "'measurements':'players.attributes[mode]'}],'expansions':["
                         "{'target':'rules[few].maxCount','steps':[{'waitTimeSeconds':5,"
                         "'value':1}]},"
                         "{'target':'rules[share].minCount','steps':["
                         "{'waitTimeSeconds':10,'value':'1'}]},"
                         "{'target':'rules[one].referenceValue','steps':["
                         "{'waitTimeSeconds':15,'value':['a','b']}]},"
                         "{'target':'rules[m].referenceValue','steps':["
                         "{'waitTimeSeconds':20,'value':'ctf'}]}]");
    static const char medic[] = "likes=a+b+medic | likes=a+b";
    assert_int_equal(match_text_judge(r, 4999, medic).failed_rule, 0);
    assert_true(match_text_legal(r, 5000, medic));
    assert_int_equal(match_text_judge(r, 9999, "likes=a+b | likes=a+c").failed_rule, 1);
    assert_true(match_text_legal(r, 10000, "likes=a+b | likes=a+c"));
    assert_int_equal(match_text_judge(r, 14999, "likes=b+ | likes=b+c").failed_rule, 2);
    assert_true(match_text_legal(r, 15000, "likes=b+ | likes=b+c"));
    assert_int_equal(match_text_judge(r, 20000, "likes=b+ | likes=b+").failed_rule, 3);
    assert_true(match_text_legal(r, 20000, "mode=ctf,likes=b+ | mode=ctf,likes=b+"));
}

static void a_collection_explains_itself(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        ATTRIBUTES "," TWO_TEAMS ",'rules':[{'name':'a','type':'collection','operation':'contains',"
                   "'referenceValue':'medic','minCount':1,'maxCount':5,"
                   "'measurements':'players.attributes[likes]'},"
                   "{'name':'b','type':'collection','operation':'intersection','minCount':1,"
                   "'measurements':'players.attributes[likes]'},"
                   "{'name':'c','type':'collection',"
                   "'operation':'reference_intersection_count',"
                   "'maxCount':0,'referenceValue':['x','y'],"
                   "'measurements':'players.attributes[likes]'}],'expansions':["
                   "{'target':'rules[c].referenceValue','steps':["
                   "{'waitTimeSeconds':9,'value':['x']}]}]");
    struct strbuf out = {0};
    ruleset_describe(r, &out);
    assert_non_null(strstr(out.at, "rule \"a\": \"medic\" is in at least 1 and at most 5 of the "
                                   "lists players.attributes[likes]\n"));
    assert_non_null(
        strstr(out.at, "rule \"b\": all lists players.attributes[likes] share at least 1\n"));
    assert_non_null(strstr(out.at, "rule \"c\": each list of players.attributes[likes] shares at "
                                   "most 0 with [\"x\", \"y\"], after 9 s [\"x\"]\n"));
    strbuf_fini(&out);
}

static const struct {
    const char *rule, *text;
} mistakes[] = {
    {"'operation':'includes'," LIKES,
     "rules[0].operation \"includes\" is not known; supported: contains, intersection, "
     "reference_intersection_count"},
    {"'operation':'contains'," LIKES,
     "rules[0].referenceValue is missing; contains needs the string to look for"},
    {"'operation':'reference_intersection_count'," LIKES,
     "rules[0].referenceValue is missing; reference_intersection_count needs the list to compare "
     "with"},
    {"'operation':'intersection','referenceValue':'x'," LIKES,
     "rules[0].referenceValue has no meaning: intersection counts what the lists share with each "
     "other; reference_intersection_count takes a reference"},
    {"'operation':'contains','referenceValue':5," LIKES,
     "rules[0].referenceValue is a number; the measurements give strings"},
    {"'operation':'contains','referenceValue':['x']," LIKES,
     "rules[0].referenceValue \"[\"x\"]\" gives a list; it must be one value"},
    {"'operation':'contains','referenceValue':[5]," LIKES,
     "rules[0].referenceValue[0] is 5; must be a string of 0 to 100 bytes"},
    {"'operation':'contains','referenceValue':{}," LIKES,
     "rules[0].referenceValue is an object; must be a number, a string or an expression"},
    {"'operation':'reference_intersection_count','referenceValue':'x'," LIKES,
     "rules[0].referenceValue \"x\" gives one string; reference_intersection_count compares with a "
     "list: write [\"...\"] or an expression"},
    {"'operation':'reference_intersection_count','referenceValue':'players.attributes[likes]',"
     "" LIKES,
     "rules[0].referenceValue \"players.attributes[likes]\" gives a list of lists; take its "
     "flatten "
     "or its set_intersection"},
    {"'operation':'reference_intersection_count','referenceValue':'count(players)'," LIKES,
     "rules[0].referenceValue \"count(players)\" gives a number; the measurements give strings"},
    {"'operation':'intersection','measurements':'players.attributes[skill]'",
     "rules[0].measurements[0] \"players.attributes[skill]\" gives numbers; a collection rule "
     "measures lists of strings"},
    {"'operation':'intersection','measurements':'\\u0027x\\u0027'",
     "rules[0].measurements[0] \"'x'\" gives one string; a collection rule measures lists of "
     "strings"},
    {"'operation':'intersection','minCount':3,'maxCount':2," LIKES,
     "rules[0] has minCount 3 above maxCount 2"},
    {"'operation':'intersection','minCount':1.5," LIKES,
     "rules[0].minCount is 1.5; must be a whole number 0..20000"},
    {"'operation':'intersection','maxCount':-1," LIKES,
     "rules[0].maxCount is -1; must be a whole number 0..20000"},
    {"'operation':'intersection','maxcount':1," LIKES,
     "rules[0] has no field \"maxcount\"; did you mean \"maxCount\"?"},
    {"'operation':'intersection','partyAggregation':'avg'," LIKES,
     "rules[0].partyAggregation \"avg\" is not known; supported: union, intersection"},
};

static void every_wrong_collection_is_told_where_and_what(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct strbuf text = {0};
        struct err_text why = {0};
        strbuf_printf(&text, COLLECTION("%s"), mistakes[i].rule);
        assert_int_equal(rules_try(text.at, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.text, mistakes[i].text);
        strbuf_fini(&text);
    }
}

static void bounds_that_cross_after_a_while_are_told(void **state) {
    (void)state;
    struct err_text why;
    assert_int_equal(rules_try(COLLECTION("'operation':'contains','referenceValue':'m','maxCount':"
                                          "3," LIKES) ",'expansions':[{'target':'rules[r].minCount'"
                                                      ",'steps':["
                                                      "{'waitTimeSeconds':5,'value':4}]}]",
                               &why),
                     ERR_INVALID_ARGUMENT); /* also narrower than no bound, which is told first */
    assert_non_null(strstr(why.text, "narrower than no bound before it"));
    struct strbuf json = {0};
    strbuf_printf(
        &json, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',%s}}",
        COLLECTION(
            "'operation':'contains','referenceValue':'m','maxCount':3," LIKES) ",'expansions':[{'"
                                                                               "target':'rules[r]."
                                                                               "minCount','steps':["
                                                                               "{'waitTimeSeconds':"
                                                                               "5,'value':4}]}]");
    for (size_t i = 0; i < json.size; i++) {
        if (json.at[i] == '\'') json.at[i] = '"';
    }
    struct queue_def *def;
    assert_int_equal(queue_json_parse(strbuf_str(&json), true, &def, NULL, &why),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, "rules[0] has minCount 4 above maxCount 3, after 5 s");
    strbuf_fini(&json);
}

static void wrong_expansions_of_collections_are_told(void **state) {
    (void)state;
    static const struct {
        const char *target, *value, *text;
    } cases[] = {
        {"minCount", "'many'",
         "expansions[0].steps[0].value is the string \"many\"; minCount must be a number"},
        {"maxCount", "[]", "expansions[0].steps[0].value is a list; maxCount must be a number"},
        {"minCount", "2",
         "expansions[0].steps[0].value is 2, narrower than the 1 before it: \"rules[r].minCount\" "
         "would shrink after 5 s; put it with allow_shrinking if that is meant"},
        {"referenceValue", "7",
         "expansions[0].steps[0].value is a number; the measurements give strings"},
        {"operation", "7",
         "expansions[0].target \"rules[r].operation\": can expand minCount, maxCount, "
         "referenceValue there; not \"operation\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf text = {0};
        struct err_text why = {0};
        strbuf_printf(
            &text,
            COLLECTION(
                "'operation':'contains','referenceValue':'m','minCount':1," LIKES) ",'expansions':["
                                                                                   "{'target':'"
                                                                                   "rules[r].%s','"
                                                                                   "steps':[{'"
                                                                                   "waitTimeSeconds"
                                                                                   "':5,"
                                                                                   "'value':%s}]}]",
            cases[i].target, cases[i].value);
        assert_int_equal(rules_try(text.at, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.text, cases[i].text);
        strbuf_fini(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contains_counts_the_lists_that_hold_a_string),
        cmocka_unit_test(contains_counts_single_strings_too),
        cmocka_unit_test(contains_counts_each_player_unless_parties_are_merged),
        cmocka_unit_test(contains_takes_an_expression_as_reference),
        cmocka_unit_test(intersection_counts_what_all_lists_share),
        cmocka_unit_test(a_party_accepts_what_one_of_it_or_all_of_it_accept),
        cmocka_unit_test(reference_intersection_compares_each_list_with_the_reference),
        cmocka_unit_test(a_set_intersection_is_one_list),
        cmocka_unit_test(expansions_change_counts_and_references),
        cmocka_unit_test(a_collection_explains_itself),
        cmocka_unit_test(every_wrong_collection_is_told_where_and_what),
        cmocka_unit_test(bounds_that_cross_after_a_while_are_told),
        cmocka_unit_test(wrong_expansions_of_collections_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
