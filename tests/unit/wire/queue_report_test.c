/* queue_report_test.c - every problem of a definition is told, with its place in the file. */
#include "wire/queue_report.h"

#include "wire/queue_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct queue_report report(const char *text) {
    struct strbuf json = {0};
    struct queue_report r;
    for (; *text; text++)
        strbuf_add_char(&json, *text == '\'' ? '"' : *text);
    queue_report_make(strbuf_str(&json), false, &r);
    strbuf_fini(&json);
    return r;
}

/* "line:column text" of each, a line each. */
static void expect(const char *json, const char *problems) {
    struct queue_report r = report(json);
    struct strbuf found = {0};
    for (size_t i = 0; i < r.problems.count; i++) {
        const struct problem *p = &r.problems.at[i];
        strbuf_printf(&found, "%u:%u %s\n", p->line, p->column, p->what.text);
    }
    assert_false(r.ok);
    assert_string_equal(found.at, problems);
    strbuf_fini(&found);
    queue_report_fini(&r);
}

static void all_that_cannot_be_read_is_told_with_its_place(void **state) {
    (void)state;
    expect("{'name': 'a queue', // no blanks\n"
           " 'tickMs': 'often', 'tickms': 5,\n"
           " 'ruleset': {'ruleLanguageVersion': '2.0',\n"
           "  'teams': [{'name': 'red', 'minPlayers': -1, 'maxPlayers': true},\n"
           "    {'name': 'blue',\n"
           "     'maxPlayers' : 5, 'extra': [{}, ']', '\\\"}']}],\n"
           "  'rules': [{'name': 'r'}, {'name': 's', 'type': 'distanze'}]}}",
           "2:12 tickMs is the string \"often\"; must be a whole number 1..60000\n"
           "2:31 queue definition has no field \"tickms\"; did you mean \"tickMs\"?\n"
           "3:37 ruleLanguageVersion is the string \"2.0\"; must be the string \"1.0\"\n"
           "4:43 teams[0].minPlayers is -1; must be a whole number 0..200\n"
           "4:61 teams[0].maxPlayers is true; must be a whole number 1..200\n"
           "5:5 teams[1].minPlayers is missing\n"
           "6:33 teams[1] has no field \"extra\"; known: name, minPlayers, maxPlayers, quantity\n"
           "7:13 rules[0].type is missing\n"
           "7:50 rules[1].type \"distanze\" is not known; did you mean \"distance\"? Supported: "
           "absoluteSort, batchDistance, collection, comparison, compound, distance, distanceSort, "
           "latency\n");
}

static void all_that_has_no_meaning_is_told_with_its_place(void **state) {
    (void)state;
    expect(
        "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',\n"
        "'playerAttributes':[{'name':'skill','type':'number'},{'name':'skill','type':'string'}],\n"
        "'teams':[{'name':'red','minPlayers':3,'maxPlayers':2}],\n"
        "'rules':[\n"
        "{'name':'a','type':'batchDistance','batchAttribute':'skil','maxDistance':5},\n"
        "{'name':'b','type':'comparison','operation':'=','measurements':'avg(teams[blue].players)'}"
        ",\n"
        "{'name':'c','type':'compound','statement':'and(b,x)'},\n"
        "{'name':'d','type':'batchDistance','batchAttribute':'skill','maxDistance':5}],\n"
        "'expansions':[\n"
        "{'target':'rules[a].maxDistance','steps':[{'waitTimeSeconds':1,'value':9}]},\n"
        "{'target':'rules[d].minDistance','steps':[{'waitTimeSeconds':1,'value':9}]},\n"
        "{'target':'rules[d].maxDistance','steps':[{'waitTimeSeconds':9,'value':4},\n"
        "  {'waitTimeSeconds':9,'value':3}]}]}}",
        "2:62 playerAttributes[1].name \"skill\" is the name of playerAttributes[0] already\n"
        "3:37 teams[0].minPlayers is 3, above maxPlayers 2\n"
        "5:53 rules[0].batchAttribute \"skil\" is not declared in playerAttributes; did you mean "
        "\"skill\"?\n"
        "6:64 rules[1].measurements[0] \"avg(teams[blue].players)\": no team has the name "
        "\"blue\" at character 11; there is red\n"
        "7:43 rules[2].statement \"and(b,x)\": no rule has the name \"x\" at character 7; there "
        "are a, b, c, d\n"
        "11:11 expansions[1].target \"rules[d].minDistance\": can expand maxDistance there; not "
        "\"minDistance\"\n"
        "12:72 expansions[2].steps[0].value is 4, narrower than the 5 before it: "
        "\"rules[d].maxDistance\" would shrink after 9 s; put it with allow_shrinking if that is "
        "meant\n"
        "13:22 expansions[2].steps[1].waitTimeSeconds is 9, not after the step before it (9); "
        "steps go up in time\n");
}

static void a_text_that_is_no_json_is_one_problem(void **state) {
    (void)state;
    expect("{\n'name' 'q'}", "2:8 ':' is missing between a name and its value, before \"q\"\n");
    expect("[]",
           "1:1 a queue definition is one object; this is a list, put its queues one by one\n");
    expect("{'duel':\n{'teamSize':0,'numTeams':2,\n'maxLatency':[]}}",
           "2:1 duel.skillTolerance is missing\n"
           "2:13 duel.teamSize is 0; must be a whole number 1..200\n"
           "3:14 duel.maxLatency is a list; must be a whole number 1..60000\n");
}

static void problems_beyond_the_limit_are_counted(void **state) {
    (void)state;
    struct strbuf json = {0};
    strbuf_printf(&json, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0','teams':[");
    for (int i = 0; i < 120; i++)
        strbuf_printf(&json, "%s{'name':'t%d','minPlayers':1}", i ? "," : "", i);
    strbuf_printf(&json, "]}}");
    struct queue_report r = report(json.at);
    assert_int_equal(r.problems.count, PROBLEMS_MAX);
    assert_int_equal(r.problems.left_out, 20);
    strbuf_clear(&json);
    queue_report_json(&r, &json);
    assert_non_null(strstr(json.at, "\"problemsLeftOut\":20}"));
    queue_report_fini(&r);
    strbuf_fini(&json);
}

static void a_report_says_which_rules_only_the_evaluator_knows(void **state) {
    (void)state;
    struct queue_report r =
        report("{'name':'q','patience':10,'ruleset':{'ruleLanguageVersion':'1.0',"
               "'playerAttributes':[{'name':'skill','type':'number'},{'name':'x','type':'number'}],"
               "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}],'rules':["
               "{'name':'near','type':'batchDistance','batchAttribute':'skill','maxDistance':9},"
               "{'name':'other','type':'comparison','measurements':'max(players.attributes[x])',"
               "'operation':'<','referenceValue':5}]}}");
    assert_true(r.ok);
    assert_non_null(strstr(r.summary.at, "the evaluator has to try groups: \"other\" is an"));
    assert_null(strstr(r.summary.at, "\"near\" "));
    assert_non_null(strstr(r.summary.at, "patience 10 points a second; from 300 s on any legal"));
    queue_report_fini(&r);
}

static void a_report_is_a_line_of_json(void **state) {
    (void)state;
    struct strbuf line = {0};
    struct queue_report r = report("{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',"
                                   "'teams':[{'name':'a','minPlayers':1,'maxPlayers':'2'}]}}");
    assert_true(r.ok);
    queue_report_json(&r, &line);
    assert_string_equal(
        line.at, "{\"ok\":true,\"queue\":\"q\",\"summary\":[\"team \\\"a\\\": 1 to 2 players\","
                 "\"search: fast, every rule is a number, a bit or a count\","
                 "\"the first legal match is taken\"],"
                 "\"notes\":[{\"line\":1,\"column\":101,\"field\":\"teams[0].maxPlayers\","
                 "\"message\":\"teams[0].maxPlayers \\\"2\\\" was read as the number 2\"}]}\n");
    queue_report_fini(&r);
    strbuf_clear(&line);
    r = report("{'name':'q','ruleset':{'ruleLanguageVersion':'1.0','teams':[]}}");
    queue_report_json(&r, &line);
    assert_string_equal(line.at,
                        "{\"ok\":false,\"problems\":[{\"line\":1,\"column\":60,\"field\":\"teams\","
                        "\"message\":\"teams is empty; needs 1 or more\"}]}\n");
    queue_report_fini(&r);
    strbuf_fini(&line);
}

static void a_cut_file_says_where_each_definition_began(void **state) {
    (void)state;
    static const struct {
        const char *file;
        unsigned line, column; /* of the second */
    } cases[] = {
        {"[{\"name\":\"a\"},\n  {\"name\":\"b\"}]", 2, 3},
        {"{\"queues\":[5, // x\n\n 6]}", 3, 2},
        {"{\"1v1\":{},\n \"2v2\":{}}", 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct queue_texts texts;
        struct problem fault;
        assert_int_equal(queue_json_split(str_of(cases[i].file), &texts, &fault), ERR_OK);
        assert_int_equal(texts.count, 2);
        assert_int_equal(texts.starts[1].line, cases[i].line);
        assert_int_equal(texts.starts[1].column, cases[i].column);
        queue_texts_fini(&texts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_cannot_be_read_is_told_with_its_place),
        cmocka_unit_test(all_that_has_no_meaning_is_told_with_its_place),
        cmocka_unit_test(a_text_that_is_no_json_is_one_problem),
        cmocka_unit_test(problems_beyond_the_limit_are_counted),
        cmocka_unit_test(a_report_is_a_line_of_json),
        cmocka_unit_test(a_report_says_which_rules_only_the_evaluator_knows),
        cmocka_unit_test(a_cut_file_says_where_each_definition_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
