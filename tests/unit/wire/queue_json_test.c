/* queue_json_test.c - the forms of a definition, files cut into definitions, and every mistake. */
#include "wire/queue_json.h"

#include "base/limits.h"
#include "support/match_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct strbuf read_sample(const char *name) {
    struct strbuf path = {0}, text = {0};
    strbuf_printf(&path, "%s/deploy/queues/%s", TEST_ROOT, name);
    FILE *f = fopen(path.at, "rb");
    if (!f) fail_msg("cannot open %s", path.at);
    for (int c; (c = fgetc(f)) != EOF;)
        strbuf_add_char(&text, (char)c);
    (void)fclose(f);
    strbuf_fini(&path);
    return text;
}

/* A copy with ' as ", so that JSON is readable here. */
static struct strbuf quoted(const char *text) {
    struct strbuf json = {0};
    for (; *text; text++)
        strbuf_add_char(&json, *text == '\'' ? '"' : *text);
    return json;
}

struct parsed {
    enum err code;
    struct queue_def *def;
    struct strbuf notes;
    struct err_text why;
};

static struct parsed parse_with(const char *text, bool allow_shrinking) {
    struct parsed p = {0};
    struct strbuf json = quoted(text);
    p.code = queue_json_parse(strbuf_str(&json), allow_shrinking, &p.def, &p.notes, &p.why);
    strbuf_fini(&json);
    return p;
}

static struct parsed parse(const char *text) {
    return parse_with(text, false);
}

static void parsed_fini(struct parsed *p) {
    queue_def_free(p->def);
    strbuf_fini(&p->notes);
}

static void definition_keeps_its_settings_and_its_bytes(void **state) {
    (void)state;
    static const char text[] =
        "{\"name\":\"duel\",\"description\":\"x\",\"ticketTimeoutSeconds\":30.5,\"tickMs\":7,"
        "\"ruleset\":{\"ruleLanguageVersion\":\"1.0\",\"teams\":[{\"name\":\"a\",\"minPlayers\":1,"
        "\"maxPlayers\":2}]}} // end";
    struct parsed p = parse(text);
    assert_int_equal(p.code, ERR_OK);
    assert_true(str_equal(p.def->name, STR("duel")));
    assert_true(str_equal(p.def->json, str_of(text)));
    assert_true(p.def->ticket_timeout_ms == 30500 && p.def->tick_ms == 7);
    assert_false(p.def->allow_shrinking);
    assert_string_equal(p.notes.at, "comments (//) were read as blanks\n");
    assert_true(match_text_legal(p.def->ruleset, 0, "a=1 a=1"));
    assert_false(match_text_legal(p.def->ruleset, 0, "a=1 a=1 a=1"));
    parsed_fini(&p);
    p = parse("{'name':'d','ruleset':{'ruleLanguageVersion':'1.0',"
              "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}");
    assert_true(p.def->ticket_timeout_ms == 600000 && p.def->tick_ms == 50);
    assert_int_equal(p.notes.size, 0);
    parsed_fini(&p);
}

static int64_t timeout_of(const char *beside, const char *inside) {
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "{'name':'q',%s'ruleset':{'ruleLanguageVersion':'1.0',%s"
                  "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}",
                  beside, inside);
    struct parsed p = parse(text.at);
    int64_t ms = p.def ? p.def->ticket_timeout_ms : -1;
    if (!p.def) assert_non_null(strstr(p.why.text, "; give one of them"));
    parsed_fini(&p);
    strbuf_fini(&text);
    return ms;
}

static void the_request_timeout_is_the_tickets_wherever_it_stands(void **state) {
    (void)state;
    assert_int_equal(timeout_of("'requestTimeoutSeconds':30,", ""), 30000);
    assert_int_equal(timeout_of("", "'requestTimeoutSeconds':'45',"), 45000);
    assert_int_equal(timeout_of("'ticketTimeoutSeconds':45,", "'requestTimeoutSeconds':45,"),
                     45000);
    assert_int_equal(timeout_of("'ticketTimeoutSeconds':45,", "'requestTimeoutSeconds':46,"), -1);
    assert_int_equal(timeout_of("'requestTimeoutSeconds':45,", "'requestTimeoutSeconds':46,"), -1);
    assert_int_equal(timeout_of("'ticketTimeoutSeconds':45,'requestTimeoutSeconds':46,", ""), -1);
}

static void acceptance_is_read_where_it_is_off(void **state) {
    (void)state;
    struct parsed p = parse("{'name':'q','acceptanceRequired':false,'ruleset':{"
                            "'ruleLanguageVersion':'1.0','acceptanceRequired':false,"
                            "'acceptanceTimeoutSeconds':30,"
                            "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}");
    assert_int_equal(p.code, ERR_OK);
    assert_string_equal(p.notes.at, "acceptanceTimeoutSeconds has no effect: a match is made "
                                    "without asking its players\n");
    parsed_fini(&p);
    p = parse("{'name':'q','acceptanceRequired':true,'ruleset':{}}");
    assert_string_equal(p.why.text,
                        "acceptanceRequired true is not supported by this version of Muster: a "
                        "match is made without asking its players; supported: false");
    parsed_fini(&p);
}

static void game_mode_means_what_it_says(void **state) {
    (void)state;
    struct parsed p = parse("{'2v2':{'description':'pairs','teamSize':2,'numTeams':2,"
                            "'minQueueSizeForMatch':9,'skillTolerance':100,'expandSearchSteps':["
                            "{'afterSeconds':30,'newTolerance':200}],'maxLatency':150}}");
    assert_int_equal(p.code, ERR_OK);
    assert_string_equal(p.notes.at, "2v2.minQueueSizeForMatch 9 has no effect: a match is made as "
                                    "soon as its 4 players are there\n");
    const struct ruleset *r = p.def->ruleset;
    const struct ruleset_limits *l = ruleset_limits_at(r, 0);
    assert_true(str_equal(p.def->name, STR("2v2")));
    assert_int_equal(l->team_count, 2);
    assert_true(str_equal(l->teams[0].name, STR("team_1")));
    assert_true(l->teams[1].players_min == 2 && l->teams[1].players_max == 2);
    assert_true(l->latency_ms_max == 150 && l->key_spread_max == 100);
    assert_false(ruleset_age_is_newest(r));
    static const char match[] = "skill=0,@eu=150/skill=400,@eu=1 | skill=400,@eu=1/skill=400,@eu=1";
    assert_false(match_text_legal(r, 29999, match)); /* averages 200 and 400 */
    assert_true(match_text_legal(r, 30000, match));
    assert_false(match_text_legal(r, 30000,
                                  "skill=0,@eu=151/skill=400,@eu=1 | "
                                  "skill=400,@eu=1/skill=400,@eu=1"));
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, "@eu=5");
    struct err_text why;
    assert_int_equal(ruleset_admit(r, &m.tickets[0]->spec, &why), ERR_INVALID_ARGUMENT);
    arena_free(arena);
    parsed_fini(&p);
    p = parse("{'solo':{'teamSize':2,'numTeams':1,'skillTolerance':1}}");
    l = ruleset_limits_at(p.def->ruleset, 0);
    assert_true(str_equal(l->teams[0].name, STR("team_1")));
    assert_true(l->latency_ms_max == INT32_MAX);
    parsed_fini(&p);
}

static void numeric_strings_are_read_with_a_note(void **state) {
    (void)state;
    struct parsed p =
        parse("{'name':'q','ticketTimeoutSeconds':60,'ruleset':{"
              "'ruleLanguageVersion':'1.0','playerAttributes':[{'name':'s','type':'number'}],"
              "'teams':[{'name':'a','minPlayers':1,'maxPlayers':'2'}],'rules':["
              "{'name':'r','type':'batchDistance','batchAttribute':'s','maxDistance':'500'},"
              "{'name':'c','type':'comparison','measurements':'avg(players.attributes[s])',"
              "'operation':'>','referenceValue':'10'}],'expansions':["
              "{'target':'rules[c].referenceValue','steps':[{'waitTimeSeconds':60,'value':5}]}]}}");
    assert_int_equal(p.code, ERR_OK);
    assert_string_equal(p.notes.at,
                        "teams[0].maxPlayers \"2\" was read as the number 2\n"
                        "rules[0].maxDistance \"500\" was read as the number 500\n"
                        "the expansion at 60 s never comes: a ticket expires after 60 s\n");
    assert_true(match_text_legal(p.def->ruleset, 0, "s=11 s=500"));
    assert_false(match_text_legal(p.def->ruleset, 0, "s=5"));
    assert_true(match_text_legal(p.def->ruleset, 60000, "s=6"));
    parsed_fini(&p);
}

static void a_literal_reference_is_told(void **state) {
    (void)state;
    struct parsed p =
        parse("{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',"
              "'playerAttributes':[{'name':'m','type':'string'}],"
              "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}],'rules':["
              "{'name':'c','type':'comparison','measurements':'players.attributes[m]',"
              "'operation':'=','referenceValue':'duel (ranked)'}]}}");
    assert_int_equal(p.code, ERR_OK);
    assert_string_equal(p.notes.at,
                        "rules[0].referenceValue \"duel (ranked)\" was read as a text\n");
    assert_true(match_text_legal(p.def->ruleset, 0, "a=1,m=duel") == false);
    parsed_fini(&p);
}

static void shrinking_is_accepted_only_when_asked_for(void **state) {
    (void)state;
    static const char mode[] = "{'1v1_duel':{'teamSize':1,'numTeams':2,'skillTolerance':75,"
                               "'expandSearchSteps':[{'afterSeconds':20,'newTolerance':150},"
                               "{'afterSeconds':40,'newTolerance':30}]}}";
    struct parsed p = parse(mode);
    assert_int_equal(p.code, ERR_INVALID_ARGUMENT);
    assert_string_equal(p.why.text,
                        "1v1_duel.expandSearchSteps[1].newTolerance is 30, narrower than the 150 "
                        "before it: the tolerance would shrink after 40 s; put it with "
                        "allow_shrinking if that is meant");
    parsed_fini(&p);
    p = parse_with(mode, true);
    assert_int_equal(p.code, ERR_OK);
    assert_true(p.def->allow_shrinking);
    assert_true(match_text_legal(p.def->ruleset, 39999, "skill=0 | skill=150"));
    assert_false(match_text_legal(p.def->ruleset, 40000, "skill=0 | skill=31"));
    parsed_fini(&p);
}

/* Wrong rulesets: members beside ruleLanguageVersion, and what is said of them. */
#define TEAMS                                                \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':2}," \
    "{'name':'blue','minPlayers':1,'maxPlayers':2}]"
#define SKILL                                                                \
    "'playerAttributes':[{'name':'skill','type':'number'},"                  \
    "{'name':'mode','type':'string'},{'name':'likes','type':'string_list'}," \
    "{'name':'maps','type':'string_number_map'}]"
#define RULE(members) SKILL "," TEAMS ",'rules':[{'name':'r'," members "}]"
#define COMPARE(expression) \
    RULE("'type':'comparison','operation':'=','referenceValue':1,'measurements':'" expression "'")
#define EXPAND(target, steps)                                                                  \
    SKILL "," TEAMS ",'rules':[{'name':'r','type':'batchDistance','batchAttribute':'skill',"   \
          "'maxDistance':50},{'name':'l','type':'latency','maxLatency':50},{'name':'c',"       \
          "'type':'comparison','operation':'>=','referenceValue':5,'measurements':"            \
          "'players.attributes[skill]'}],'expansions':[{'target':'" target "','steps':[" steps \
          "]}]"

static const struct mistake {
    const char *members, *text;
} ruleset_mistakes[] = {
    {"'team':[]", "ruleset has no field \"team\"; did you mean \"teams\"?"},
    {"'matchmaking':1",
     "ruleset has no field \"matchmaking\"; known: name, ruleLanguageVersion, playerAttributes, "
     "algorithm, teams, rules, expansions, muster, acceptanceRequired, acceptanceTimeoutSeconds, "
     "requestTimeoutSeconds"},
    {"'rules':[]", "teams is missing"},
    {"'teams':[]", "teams is empty; needs 1 or more"},
    {"'teams':{}", "teams is an object; must be a list"},
    {"'teams':[5]", "teams[0] is 5; must be an object"},
    {"'teams':[{'name':'a','minPlayers':1}]", "teams[0].maxPlayers is missing"},
    {"'teams':[{'name':'a','minplayers':1,'maxPlayers':2}]",
     "teams[0] has no field \"minplayers\"; did you mean \"minPlayers\"?"},
    {"'teams':[{'name':'a','minPlayers':true,'maxPlayers':2}]",
     "teams[0].minPlayers is true; must be a whole number 0..200"},
    {"'teams':[{'name':'a','minPlayers':-1,'maxPlayers':2}]",
     "teams[0].minPlayers is -1; must be a whole number 0..200"},
    {"'teams':[{'name':'a','minPlayers':1.5,'maxPlayers':2}]",
     "teams[0].minPlayers is 1.5; must be a whole number 0..200"},
    {"'teams':[{'name':'a','minPlayers':1,'maxPlayers':0}]",
     "teams[0].maxPlayers is 0; must be a whole number 1..200"},
    {"'teams':[{'name':'a','minPlayers':3,'maxPlayers':2}]",
     "teams[0].minPlayers is 3, above maxPlayers 2"},
    {"'teams':[{'name':'a','minPlayers':1,'maxPlayers':101,'quantity':2}]",
     "teams hold 202 players together after 0 s; at most 200"},
    {"'teams':[{'name':'a','minPlayers':0,'maxPlayers':1,'quantity':200},"
     "{'name':'b','minPlayers':0,'maxPlayers':1}]",
     "teams make 201 teams; at most 200"},
    {"'teams':[{'name':'a','minPlayers':1,'maxPlayers':1},{'name':'a','minPlayers':1,'maxPlayers':"
     "1}]",
     "teams[1].name \"a\" is the name of teams[0] already"},
    {"'teams':[{'name':'a_2','minPlayers':1,'maxPlayers':1},{'name':'a','minPlayers':1,'maxPlayers'"
     ":1,"
     "'quantity':2}]",
     "teams[0].name \"a_2\" is also what teams[1] with quantity 2 generates"},
    {"'teams':[{'name':'a[1]','minPlayers':1,'maxPlayers':1}]",
     "teams[0].name is \"a[1]\"; must be 1 to 64 bytes without control characters, quotes, commas, "
     "brackets or outer spaces"},
    {"'teams':[{'name':'','minPlayers':1,'maxPlayers':1}]",
     "teams[0].name is the string \"\"; must be a string of 1 to 64 bytes"},
    {TEAMS ",'playerAttributes':[{'name':'s','type':'int'}]",
     "playerAttributes[0].type \"int\" is not known; supported: number, string, string_list, "
     "string_number_map"},
    {TEAMS ",'playerAttributes':[{'name':'s','type':'strng'}]",
     "playerAttributes[0].type \"strng\" is not known; did you mean \"string\"? Supported: number, "
     "string, string_list, string_number_map"},
    {TEAMS ",'playerAttributes':[{'name':'s','type':'number','default':'high'}]",
     "playerAttributes[0].default is the string \"high\"; must be a number"},
    {TEAMS ",'playerAttributes':[{'name':'s','type':'string_list','default':['a',7]}]",
     "playerAttributes[0].default[1] is 7; must be a string of 0 to 100 bytes"},
    {TEAMS ",'playerAttributes':[{'name':'s','type':'string_number_map','default':{'ice':null}}]",
     "playerAttributes[0].default.ice is null; must be a number"},
    {TEAMS ",'algorithm':{'strategy':'balanced'}",
     "algorithm.balancedAttribute is missing; strategy balanced needs it"},
    {TEAMS ",'algorithm':{'strategy':'fair'}",
     "algorithm.strategy \"fair\" is not known; supported: exhaustiveSearch, balanced"},
    {SKILL "," TEAMS ",'algorithm':{'balancedAttribute':'skill'}",
     "algorithm.balancedAttribute has no meaning without strategy balanced"},
    {SKILL "," TEAMS ",'algorithm':{'strategy':'balanced','balancedAttribute':'mode'}",
     "algorithm.balancedAttribute \"mode\" is a string; must be a number"},
    {SKILL "," TEAMS ",'algorithm':{'strategy':'balanced','balancedAttribute':'skil'}",
     "algorithm.balancedAttribute \"skil\" is not declared in playerAttributes; did you mean "
     "\"skill\"?"},
    {SKILL "," TEAMS ",'algorithm':{'strategy':'balanced','balancedAttribute':'skill',"
           "'batchingPreference':'random'}",
     "algorithm.batchingPreference \"random\" does not go with strategy balanced, which takes "
     "largestPopulation, fastestRegion"},
    {TEAMS ",'algorithm':{'batchingPreference':'fastestRegion'}",
     "algorithm.batchingPreference \"fastestRegion\" does not go with strategy exhaustiveSearch, "
     "which takes random, sorted"},
    {TEAMS ",'algorithm':{'batchingPreference':'sorted'}",
     "algorithm.sortByAttributes is missing; batchingPreference sorted needs it"},
    {SKILL "," TEAMS ",'algorithm':{'sortByAttributes':['skill']}",
     "algorithm.sortByAttributes has no meaning without batchingPreference sorted"},
    {SKILL "," TEAMS
           ",'algorithm':{'batchingPreference':'sorted','sortByAttributes':['skill','x']}",
     "algorithm.sortByAttributes[1] \"x\" is not declared in playerAttributes"},
    {SKILL "," TEAMS ",'algorithm':{'batchingPreference':'sorted','sortByAttributes':['likes']}",
     "algorithm.sortByAttributes[0] \"likes\" is a string_list; must be a number or a string"},
    {TEAMS ",'algorithm':{'backfillPriority':'hi'}",
     "algorithm.backfillPriority \"hi\" is not known; did you mean \"high\"? Supported: normal, "
     "high, low"},
    {TEAMS ",'algorithm':{'expansionAgeSelection':3}",
     "algorithm.expansionAgeSelection is 3; must be one of: newest, oldest"},
    {TEAMS ",'acceptanceRequired':true",
     "acceptanceRequired true is not supported by this version of Muster: a match is made without "
     "asking its players; supported: false"},
    {TEAMS ",'acceptanceRequired':'no'",
     "acceptanceRequired is the string \"no\"; must be true or false"},
    {TEAMS ",'acceptanceTimeoutSeconds':601",
     "acceptanceTimeoutSeconds is 601; must be a number of seconds 1..600"},
    {TEAMS ",'requestTimeoutSeconds':0",
     "requestTimeoutSeconds is 0; must be a number of seconds 1..43200"},
    {RULE("'type':'collection','operation':'contains'"), "rules[0].measurements is missing"},
    {RULE("'type':'absoluteSort'"), "rules[0].sortDirection is missing"},
    {RULE("'type':'distanceSort','sortDirection':'down','sortAttribute':'skill'"),
     "rules[0].sortDirection \"down\" is not known; supported: ascending, descending"},
    {RULE("'type':'distanceSort','sortDirection':'ascending','sortAttribute':'skil'"),
     "rules[0].sortAttribute \"skil\" is not declared in playerAttributes; did you mean "
     "\"skill\"?"},
    {RULE("'type':'absoluteSort','sortDirection':'ascending','sortAttribute':'mode'"),
     "rules[0].sortAttribute \"mode\" is a string; a sort takes a number or a string_number_map"},
    {RULE("'type':'absoluteSort','sortDirection':'ascending','sortAttribute':'maps'"),
     "rules[0].mapKey is missing; a sort by a string_number_map needs it: minValue or maxValue"},
    {RULE("'type':'absoluteSort','sortDirection':'ascending','sortAttribute':'skill','mapKey':"
          "'maxValue'"),
     "rules[0].mapKey has no meaning for the number \"skill\""},
    {RULE("'type':'absoluteSort','sortDirection':'ascending','sortAttribute':'maps','mapKey':"
          "'biggest'"),
     "rules[0].mapKey \"biggest\" is not known; supported: minValue, maxValue"},
    {RULE("'type':'compound','statement':'and(a,b)'"),
     "rules[0].statement \"and(a,b)\": no rule has the name \"a\" at character 5"},
    {RULE("'type':'distanc'"),
     "rules[0].type \"distanc\" is not known; did you mean \"distance\"? Supported: absoluteSort, "
     "batchDistance, collection, comparison, compound, distance, distanceSort, latency"},
    {RULE("'description':'x'"), "rules[0].type is missing"},
    {RULE("'type':'latency','maxLatency':50,'maxDistance':10"),
     "rules[0].distanceReference is missing; maxDistance needs it: min or avg"},
    {RULE("'type':'latency','maxLatency':50,'distanceReference':'avg'"),
     "rules[0].distanceReference has no meaning without maxDistance"},
    {RULE("'type':'latency','maxDistance':50,'distanceReference':'max'"),
     "rules[0].distanceReference \"max\" is not known; did you mean \"min\"? Supported: min, avg"},
    {RULE("'type':'latency'"),
     "rules[0] is a latency rule without maxLatency or maxDistance; needs one or both"},
    {RULE("'type':'latency','maxLatency':50,'partyAggregation':'union'"),
     "rules[0].partyAggregation \"union\" is not known; supported: avg, min, max"},
    {RULE("'type':'latency','maxLatency':0"),
     "rules[0].maxLatency is 0; must be a number 1..60000"},
    {RULE("'type':'batchDistance','batchAttribute':'skil','maxDistance':5"),
     "rules[0].batchAttribute \"skil\" is not declared in playerAttributes; did you mean "
     "\"skill\"?"},
    {RULE("'type':'batchDistance','batchAttribute':'skill'"),
     "rules[0].maxDistance is missing; a batchDistance on a number needs it"},
    {RULE("'type':'batchDistance','batchAttribute':'likes','maxDistance':1"),
     "rules[0].batchAttribute \"likes\" is a string_list; batchDistance compares a number or a "
     "string"},
    {RULE("'type':'batchDistance','batchAttribute':'skill','maxDistance':'close'"),
     "rules[0].maxDistance is the string \"close\"; must be a number, at least 0"},
    {RULE("'type':'distance','measurements':['avg(players.attributes[skill])'],'referenceValue':1"),
     "rules[0] is a distance rule without maxDistance or minDistance; needs one or both"},
    {RULE("'type':'distance','measurements':['players.attributes[mode]'],'referenceValue':1,"
          "'maxDistance':1"),
     "rules[0].measurements[0] \"players.attributes[mode]\" gives strings; a distance measures "
     "numbers"},
    {RULE("'type':'comparison','operation':'<','measurements':['players.attributes[skill]']"),
     "rules[0].operation \"<\" needs a referenceValue; without one only = and != compare"},
    {RULE("'type':'comparison','operation':'<','referenceValue':'x','measurements':"
          "['players.attributes[mode]']"),
     "rules[0].operation \"<\" does not compare strings; only = and != do"},
    {RULE("'type':'comparison','operation':'==','measurements':['players.attributes[mode]']"),
     "rules[0].operation \"==\" is not known; did you mean \"=\"? Supported: =, !=, <, <=, >, >="},
    {RULE("'type':'comparison','operation':'=','measurements':[]"),
     "rules[0].measurements is empty; needs 1 or more"},
    {RULE("'type':'comparison','operation':'=','referenceValue':'players.attributes[skill]',"
          "'measurements':'players.attributes[skill]'"),
     "rules[0].referenceValue \"players.attributes[skill]\" gives a list; it must be one value"},
    {RULE("'type':'comparison','operation':'=','referenceValue':'avg(players.attributes[skil])',"
          "'measurements':'players.attributes[mode]'"),
     "rules[0].referenceValue \"avg(players.attributes[skil])\": playerAttributes does not declare "
     "\"skil\" at character 24"},
    {COMPARE("avg(teams[*].players.attributes[skill]"),
     "rules[0].measurements[0] \"avg(teams[*].players.attributes[skill]\": ')' is missing before "
     "\"\" at character 39"},
    {COMPARE("avrg(teams[*].players.attributes[skill])"),
     "rules[0].measurements[0] \"avrg(teams[*].players.attributes[skill])\": unknown word \"avrg\" "
     "at character 1; did you mean avg?"},
    {COMPARE("avg(teams[green].players.attributes[skill])"),
     "rules[0].measurements[0] \"avg(teams[green].players.attributes[skill])\": no team has the "
     "name \"green\" at character 11"},
    {COMPARE("avg(teams[red].players.attributes[mode])"),
     "rules[0].measurements[0] \"avg(teams[red].players.attributes[mode])\": strings cannot be "
     "aggregated by \"avg\" at character 41"},
    {COMPARE("avg(avg(teams[red].players.attributes[skill]))"),
     "rules[0].measurements[0] \"avg(avg(teams[red].players.attributes[skill]))\": one value has "
     "nothing to aggregate in \"avg\" at character 47"},
    {COMPARE("flatten(teams[red].players.attributes[skill])"),
     "rules[0].measurements[0] \"flatten(teams[red].players.attributes[skill])\": a plain list is "
     "not a list of lists for \"flatten\" at character 46"},
    {COMPARE("max(players.attributes[maps])"),
     "rules[0].measurements[0] \"max(players.attributes[maps])\": a string_number_map needs a "
     "[key] "
     "after \"maps\" at character 29"},
    {COMPARE("players.attributes[likes]"),
     "rules[0].measurements[0] \"players.attributes[likes]\" gives collections of strings; a "
     "comparison measures single values (count or flatten them)"},
    {EXPAND("rules[x].maxDistance", "{'waitTimeSeconds':5,'value':60}"),
     "expansions[0].target \"rules[x].maxDistance\": no rule has the name \"x\""},
    {EXPAND("rules[r].maxLatency", "{'waitTimeSeconds':5,'value':60}"),
     "expansions[0].target \"rules[r].maxLatency\": can expand maxDistance there; not "
     "\"maxLatency\""},
    {EXPAND("teams[green].minPlayers", "{'waitTimeSeconds':5,'value':60}"),
     "expansions[0].target \"teams[green].minPlayers\": no team is defined with the name "
     "\"green\""},
    {EXPAND("algorithm.strategy", "{'waitTimeSeconds':5,'value':60}"),
     "expansions[0].steps[0].value is a number; must be one of: exhaustiveSearch, balanced"},
    {EXPAND("algorithm.stratgy", "{'waitTimeSeconds':5,'value':'balanced'}"),
     "expansions[0].target \"algorithm.stratgy\": the algorithm has strategy, batchingPreference, "
     "balancedAttribute, sortByAttributes and backfillPriority to expand; did you mean "
     "\"algorithm.strategy\"?"},
    {EXPAND("algorithm.expansionAgeSelection", "{'waitTimeSeconds':5,'value':'oldest'}"),
     "expansions[0].target \"algorithm.expansionAgeSelection\" cannot expand: it says whose age "
     "decides about the steps, so it cannot wait for one"},
    {EXPAND("algorithm.strategy", "{'waitTimeSeconds':5,'value':'balanced'}"),
     "algorithm.balancedAttribute is missing; strategy balanced needs it, after 5 s"},
    {EXPAND("maxDistance", "{'waitTimeSeconds':5,'value':60}"),
     "expansions[0].target \"maxDistance\" must be of the form rules[name].property, "
     "teams[name].property, algorithm.property or muster.roles[name].property"},
    {EXPAND("rules[r].maxDistance", ""), "expansions[0].steps is empty; needs 1 or more"},
    {EXPAND("rules[r].maxDistance",
            "{'waitTimeSeconds':9,'value':60},{'waitTimeSeconds':9,'value':70}"),
     "expansions[0].steps[1].waitTimeSeconds is 9, not after the step before it (9); steps go up "
     "in "
     "time"},
    {EXPAND("rules[r].maxDistance", "{'waitTimeSeconds':5,'value':40}"),
     "expansions[0].steps[0].value is 40, narrower than the 50 before it: \"rules[r].maxDistance\" "
     "would shrink after 5 s; put it with allow_shrinking if that is meant"},
    {EXPAND("rules[l].maxLatency",
            "{'waitTimeSeconds':5,'value':90},{'waitTimeSeconds':6,'value':80}"),
     "expansions[0].steps[1].value is 80, narrower than the 90 before it: \"rules[l].maxLatency\" "
     "would shrink after 6 s; put it with allow_shrinking if that is meant"},
    {EXPAND("rules[c].referenceValue", "{'waitTimeSeconds':5,'value':6}"),
     "expansions[0].steps[0].value is 6, narrower than the 5 before it: "
     "\"rules[c].referenceValue\" "
     "would shrink after 5 s; put it with allow_shrinking if that is meant"},
    {EXPAND("teams[red].minPlayers", "{'waitTimeSeconds':5,'value':2}"),
     "expansions[0].steps[0].value is 2, narrower than the 1 before it: \"teams[red].minPlayers\" "
     "would shrink after 5 s; put it with allow_shrinking if that is meant"},
    {EXPAND("teams[red].maxPlayers", "{'waitTimeSeconds':5,'value':2.5}"),
     "expansions[0].steps[0].value is 2.5; maxPlayers must be a whole number 1..200"},
    {EXPAND("teams[red,red].maxPlayers", "{'waitTimeSeconds':5,'value':3}"),
     "expansions[0].target \"teams[red,red].maxPlayers\" is the target of expansions[0] already"},
    {EXPAND("rules[r].maxDistance", "{'waitTimeSeconds':5}"),
     "expansions[0].steps[0].value is missing"},
    {EXPAND("rules[r].maxDistance", "{'waitTimeSeconds':50000,'value':1}"),
     "expansions[0].steps[0].waitTimeSeconds is 50000; must be a number of seconds 0..43200"},
};

static void every_wrong_ruleset_is_told_where_and_what(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ruleset_mistakes / sizeof ruleset_mistakes[0]; i++) {
        struct strbuf text = {0};
        strbuf_printf(&text, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',%s}}",
                      ruleset_mistakes[i].members);
        struct parsed p = parse(text.at);
        assert_string_equal(p.why.text, ruleset_mistakes[i].text);
        assert_int_equal(p.code, ERR_INVALID_ARGUMENT);
        assert_null(p.def);
        bool named = str_starts(str_of(p.why.text), str_of(p.why.field));
        assert_true(named); /* the text begins with the field that the error carries */
        parsed_fini(&p);
        strbuf_fini(&text);
    }
}

/* Wrong whole definitions. */
static const struct mistake definition_mistakes[] = {
    {"", "line 1, column 1: '[' or '{' expected near end of file"},
    {"{\n  'name': 'q',\n  'ruleset' {}\n}", "line 3, column 13: ':' expected near '{'"},
    {"{'name':'q'} {}", "line 1, column 14: end of file expected near '{'"},
    {"{'a':1,'b':2,'a':3}", "line 1, column 16: duplicate object key near '\"a\"'"},
    {"{'a': 1e999}", "line 1, column 11: real number overflow near '1e999'"},
    {"{'a': NaN}", "line 1, column 9: invalid token near 'NaN'"},
    {"[]", "a queue definition is one object; this is a list, put its queues one by one"},
    {"{}",
     "a queue definition has \"name\" and \"ruleset\", or is one game mode {\"name\": {...}}; "
     "this object has 0 members and neither"},
    {"{'queues':[]}", "this is a file of several queues; put its queues one by one"},
    {"{'ruleLanguageVersion':'1.0','teams':[]}",
     "this is a ruleset without a queue; write {\"name\": \"...\", \"ruleset\": {...}} around it"},
    {"{'name':'q'}", "ruleset is missing"},
    {"{'ruleset':{}}", "name is missing"},
    {"{'name':'q','ruleset':{}}", "ruleLanguageVersion is missing"},
    {"{'name':'q','ruleset':{'ruleLanguageVersion':1.0}}",
     "ruleLanguageVersion is 1; must be \"1.0\""},
    {"{'name':'q','ruleset':7}", "ruleset is 7; must be an object"},
    {"{'name':'my queue','ruleset':{}}",
     "name \"my queue\" is no queue name; allowed are 1 to 64 of A-Z a-z 0-9 _ . -"},
    {"{'name':'q','ruleset':{},'tickms':5}",
     "queue definition has no field \"tickms\"; did you mean \"tickMs\"?"},
    {"{'name':'q','ruleset':{},'tickMs':0}", "tickMs is 0; must be a whole number 1..60000"},
    {"{'name':'q','ruleset':{},'ticketTimeoutSeconds':99999}",
     "ticketTimeoutSeconds is 99999; must be a number of seconds 1..43200"},
    {"{'a b':{}}", "game mode \"a b\" is no queue name; allowed are 1 to 64 of A-Z a-z 0-9 _ . -"},
    {"{'duel':5}", "duel is 5; must be an object"},
    {"{'duel':{'teamSize':1}}", "duel.numTeams is missing"},
    {"{'duel':{'teamSize':1,'numTeams':2,'skillTolerance':-1}}",
     "duel.skillTolerance is -1; must be a number, at least 0"},
    {"{'duel':{'teamSize':1,'numTeams':2,'skillTolerence':1}}",
     "duel has no field \"skillTolerence\"; did you mean \"skillTolerance\"?"},
    {"{'duel':{'teamSize':50,'numTeams':5,'skillTolerance':1}}",
     "duel has teamSize 50 x numTeams 5 = 250 players; at most 200"},
    {"{'duel':{'teamSize':1,'numTeams':2,'skillTolerance':1,'expandSearchSteps':["
     "{'afterSeconds':5,'newTolerance':2},{'afterSeconds':5,'newTolerance':3}]}}",
     "duel.expandSearchSteps[1].afterSeconds is 5, not after the step before it, which is at 5"},
    {"{'duel':{'teamSize':1,'numTeams':2,'skillTolerance':1,'maxLatency':0}}",
     "duel.maxLatency is 0; must be a whole number 1..60000"},
};

static void every_wrong_definition_is_told_where_and_what(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof definition_mistakes / sizeof definition_mistakes[0]; i++) {
        struct parsed p = parse(definition_mistakes[i].members);
        assert_string_equal(p.why.text, definition_mistakes[i].text);
        assert_int_equal(p.code, ERR_INVALID_ARGUMENT);
        assert_null(p.def);
        parsed_fini(&p);
    }
}

static void depth_and_size_are_bounded(void **state) {
    (void)state;
    struct strbuf text = {0};
    for (int i = 0; i < 65; i++)
        strbuf_add_char(&text, '[');
    struct parsed p = parse(text.at);
    assert_string_equal(p.why.text, "line 1, column 65: nested deeper than 64 levels");
    parsed_fini(&p);
    strbuf_clear(&text);
    while (text.size <= LIMIT_RULESET_BYTES)
        strbuf_add_char(&text, ' ');
    p = parse(text.at);
    assert_string_equal(p.why.text, "the definition has 65536 bytes; at most 65535");
    parsed_fini(&p);
    strbuf_clear(&text);
    strbuf_printf(&text, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0'," TEAMS
                         ",'rules':[{'name':'r','type':'comparison','operation':'=',"
                         "'referenceValue':1,'measurements':'");
    for (int i = 0; i < 200; i++)
        strbuf_printf(&text, "min(");
    strbuf_printf(&text, "'}]}}");
    p = parse(text.at);
    assert_non_null(strstr(p.why.text, "nests too deep at \"min\" at character 68"));
    parsed_fini(&p);
    strbuf_clear(&text);
    strbuf_printf(&text, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0'," SKILL "," TEAMS
                         ",'rules':[");
    for (int i = 0; i < 5; i++) {
        strbuf_printf(&text,
                      "%s{'name':'r%d','type':'batchDistance','batchAttribute':'skill',"
                      "'maxDistance':1}",
                      i ? "," : "", i);
    }
    strbuf_printf(&text, "],'expansions':[");
    for (int i = 0; i < 5; i++) {
        strbuf_printf(&text, "%s{'target':'rules[r%d].maxDistance','steps':[", i ? "," : "", i);
        for (int s = 0; s < 60; s++) {
            strbuf_printf(&text, "%s{'waitTimeSeconds':%d,'value':%d}", s ? "," : "", 1 + s * 5 + i,
                          s + 2);
        }
        strbuf_printf(&text, "]}");
    }
    strbuf_printf(&text, "]}}");
    p = parse(text.at);
    assert_string_equal(p.why.text, "expansions have 301 different times; at most 256");
    parsed_fini(&p);
    strbuf_fini(&text);
}

static void bytes_that_are_no_utf8_are_refused_even_in_comments(void **state) {
    (void)state;
    static const struct str texts[] = {{"{} // \xff", 7}, {"{}\0", 3}, {"{\"\xc0\xaf\":1}", 8}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct queue_def *def;
        struct queue_texts cut;
        struct err_text why = {0};
        assert_int_equal(queue_json_parse(texts[i], false, &def, NULL, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.text, "the text is not valid UTF-8 or has a NUL byte");
        assert_int_equal(queue_json_split(texts[i], &cut, &why), ERR_INVALID_ARGUMENT);
    }
}

static void comments_are_blank_outside_strings_and_keep_the_lines(void **state) {
    (void)state;
    struct parsed p = parse("// a file\n{'1v1//x':{'teamSize':1}} // end");
    assert_string_equal(p.why.text, "game mode \"1v1//x\" is no queue name; allowed are 1 to 64 of "
                                    "A-Z a-z 0-9 _ . -");
    parsed_fini(&p);
    p = parse("{ // one\n // two\n 'a'; // three\n}");
    assert_string_equal(p.why.text, "line 3, column 5: ':' expected near ';'");
    parsed_fini(&p);
}

/* Splits `text`, and compares the pieces with the expected ones, NULL at the end. */
static void expect_split(const char *text, const char *const *pieces) {
    struct strbuf json = quoted(text);
    struct queue_texts texts;
    struct err_text why = {0};
    if (queue_json_split(strbuf_str(&json), &texts, &why)) fail_msg("%s", why.text);
    size_t i = 0;
    for (; pieces[i]; i++) {
        struct strbuf piece = quoted(pieces[i]);
        assert_true(i < texts.count);
        assert_string_equal(texts.at[i].at, piece.at);
        strbuf_fini(&piece);
    }
    assert_int_equal(texts.count, i);
    queue_texts_fini(&texts);
    strbuf_fini(&json);
}

static void files_are_cut_into_their_definitions(void **state) {
    (void)state;
    expect_split("{'name':'a', 'ruleset':{}}",
                 (const char *[]){"{'name':'a', 'ruleset':{}}", NULL});
    expect_split(" [ {'name':'a]\\\\'} , {'b':{ }}] ",
                 (const char *[]){"{'name':'a]\\\\'}", "{'b':{ }}", NULL});
    expect_split("{'queues' : [{'x':[1,{}]}, 5, 'q']}",
                 (const char *[]){"{'x':[1,{}]}", "5", "'q'", NULL});
    expect_split(
        "{'1v1':{'teamSize':1}, // first\n'2v2' : {'teamSize':2 // two\n}}",
        (const char *[]){"{'1v1': {'teamSize':1}}", "{'2v2': {'teamSize':2 // two\n}}", NULL});
}

static void files_of_no_form_are_refused(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"{}", "the file has 0 queues; must be 1..1000"},
        {"[]", "the file has 0 queues; must be 1..1000"},
        {"{'queues':[],'more':1}", "a file with \"queues\" has nothing else beside it"},
        {"[{]", "line 1, column 3: string or '}' expected near ']'"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct strbuf json = quoted(mistakes[i].members);
        struct queue_texts texts;
        struct err_text why = {0};
        assert_int_equal(queue_json_split(strbuf_str(&json), &texts, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.text, mistakes[i].text);
        assert_int_equal(texts.count, 0);
        strbuf_fini(&json);
    }
}

/* Name and description of every queue in a sample file. */
static struct strbuf describe_sample(const char *name) {
    struct strbuf file = read_sample(name), out = {0};
    struct queue_texts texts;
    struct err_text why = {0};
    if (queue_json_split(strbuf_str(&file), &texts, &why)) fail_msg("%s: %s", name, why.text);
    for (size_t i = 0; i < texts.count; i++) {
        struct queue_def *def;
        struct strbuf notes = {0};
        enum err code = queue_json_parse(texts.at[i], false, &def, &notes, &why);
        if (code) fail_msg("%s: %s", name, why.text);
        if (notes.size) fail_msg("%s: %s", name, notes.at);
        strbuf_add_str(&out, def->name);
        strbuf_add_char(&out, '\n');
        ruleset_describe(def->ruleset, &out);
        queue_def_free(def);
        strbuf_fini(&notes);
    }
    queue_texts_fini(&texts);
    strbuf_fini(&file);
    return out;
}

static void samples_parse_without_notes_and_both_forms_mean_the_same(void **state) {
    (void)state;
    struct strbuf new_form = describe_sample("default.json");
    struct strbuf old_form = describe_sample("gamemodes.json");
    struct strbuf ranked = describe_sample("ranked_5v5.json");
    assert_string_equal(new_form.at, old_form.at);
    static const char arena[] =
        "5v5_arena\n"
        "2 teams \"team_1\" to \"team_2\", each: 5 players\n"
        "rule \"skillTolerance\": the tickets' skill (avg of a party) lie within 100, after 30 s "
        "200, after 60 s 400\n"
        "rule \"maxLatency\": every player reaches one common region within 150 ms\n"
        "the oldest ticket of a match sets its time\n";
    assert_non_null(strstr(new_form.at, arena));
    assert_non_null(strstr(new_form.at, "1v1_duel\n2 teams \"team_1\" to \"team_2\", each: 1 "));
    assert_non_null(strstr(ranked.at, "within 80, after 30 s 120, after 90 s 200 ms\n"));
    strbuf_fini(&new_form);
    strbuf_fini(&old_form);
    strbuf_fini(&ranked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition_keeps_its_settings_and_its_bytes),
        cmocka_unit_test(the_request_timeout_is_the_tickets_wherever_it_stands),
        cmocka_unit_test(acceptance_is_read_where_it_is_off),
        cmocka_unit_test(game_mode_means_what_it_says),
        cmocka_unit_test(numeric_strings_are_read_with_a_note),
        cmocka_unit_test(a_literal_reference_is_told),
        cmocka_unit_test(shrinking_is_accepted_only_when_asked_for),
        cmocka_unit_test(every_wrong_ruleset_is_told_where_and_what),
        cmocka_unit_test(every_wrong_definition_is_told_where_and_what),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused_even_in_comments),
        cmocka_unit_test(comments_are_blank_outside_strings_and_keep_the_lines),
        cmocka_unit_test(files_are_cut_into_their_definitions),
        cmocka_unit_test(files_of_no_form_are_refused),
        cmocka_unit_test(samples_parse_without_notes_and_both_forms_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
