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

/* The acceptance time of a definition, -1 when it is refused. */
static int64_t acceptance_of(const char *outer, const char *inner) {
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "{'name':'q',%s'ruleset':{%s'ruleLanguageVersion':'1.0',"
                  "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}",
                  outer, inner);
    struct parsed p = parse(text.at);
    int64_t ms = p.code == ERR_OK ? p.def->life.acceptance_ms : -1;
    parsed_fini(&p);
    strbuf_fini(&text);
    return ms;
}

static void acceptance_is_read_in_the_ruleset_and_beside_it(void **state) {
    (void)state;
    assert_int_equal(acceptance_of("", ""), 0);
    assert_int_equal(acceptance_of("'acceptanceRequired':true,", ""), 30000);
    assert_int_equal(acceptance_of("", "'acceptanceRequired':true,"), 30000);
    assert_int_equal(acceptance_of("'acceptanceRequired':true,", "'acceptanceTimeoutSeconds':7,"),
                     7000);
    assert_int_equal(acceptance_of("'acceptanceTimeoutSeconds':'8',", "'acceptanceRequired':true,"),
                     8000);
    assert_int_equal(acceptance_of("'acceptanceRequired':false,'acceptanceTimeoutSeconds':7,", ""),
                     0);
    assert_int_equal(acceptance_of("'acceptanceRequired':true,", "'acceptanceRequired':false,"),
                     -1);
    assert_int_equal(acceptance_of("'acceptanceRequired':true,'acceptanceTimeoutSeconds':7,",
                                   "'acceptanceTimeoutSeconds':8,"),
                     -1);
    struct parsed p = parse("{'name':'q','acceptanceTimeoutSeconds':30,'ruleset':{"
                            "'ruleLanguageVersion':'1.0',"
                            "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}");
    assert_string_equal(p.notes.at,
                        "acceptanceTimeoutSeconds has no effect: acceptanceRequired is not true\n");
    parsed_fini(&p);
}

static struct queue_life life_of(const char *settings) {
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "{'name':'q',%s'ruleset':{'ruleLanguageVersion':'1.0',"
                  "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}",
                  settings);
    struct parsed p = parse(text.at);
    if (p.code != ERR_OK) fail_msg("%s", p.why.text);
    struct queue_life life = p.def->life;
    parsed_fini(&p);
    strbuf_fini(&text);
    return life;
}

static void life_of_tickets_and_matches_is_timed_where_asked_for(void **state) {
    (void)state;
    struct queue_life life = life_of("");
    assert_int_equal(life.heartbeat_ms + life.assign_ms + life.match_ms, 0);
    assert_false(life.holds_players);
    life = life_of("'heartbeatSeconds':30,'assignTimeoutSeconds':10,'matchTimeoutSeconds':3600,");
    assert_int_equal(life.heartbeat_ms, 30000);
    assert_int_equal(life.assign_ms, 10000);
    assert_int_equal(life.match_ms, 3600000);
    life = life_of("'holdPlayers':true,"); /* not for ever */
    assert_true(life.holds_players);
    assert_int_equal(life.match_ms, 14400000);
    assert_false(life.backfills);
    assert_false(life_of("'backfillMode':'MANUAL',").backfills);
    life = life_of("'backfillMode':'AUTOMATIC',");
    assert_true(life.backfills);
    assert_int_equal(life.match_ms, 14400000);
}

static void dodge_penalty_grows_by_its_steps(void **state) {
    (void)state;
    static const char rest[] = "'ruleset':{'ruleLanguageVersion':'1.0',"
                               "'teams':[{'name':'a','minPlayers':1,'maxPlayers':2}]}}";
    struct strbuf text = {0};
    strbuf_printf(
        &text, "{'name':'q','dodgePenaltySeconds':[60,300,300],'dodgeDecaySeconds':3600,%s", rest);
    struct parsed p = parse(text.at);
    assert_int_equal(p.code, ERR_OK);
    assert_int_equal(p.def->life.dodge.step_count, 3);
    assert_int_equal(p.def->life.dodge.steps_ms[0], 60000);
    assert_int_equal(p.def->life.dodge.steps_ms[2], 300000);
    assert_int_equal(p.def->life.dodge.decay_ms, 3600000);
    parsed_fini(&p);
    strbuf_clear(&text);
    strbuf_printf(&text, "{'name':'q','dodgePenaltySeconds':[60,30],%s", rest);
    p = parse(text.at);
    assert_string_equal(p.why.text, "dodgePenaltySeconds falls from 60 to 30; each step must be as "
                                    "long as the one before, or longer");
    parsed_fini(&p);
    strbuf_fini(&text);
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
    assert_int_equal(ruleset_admit(r, &m.specs[0], &why), ERR_INVALID_ARGUMENT);
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
                        "expansions[0].steps[0] never comes: it is at 60 s, and a ticket "
                        "expires after 60 s\n");
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

#define TEAMS                                                \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':2}," \
    "{'name':'blue','minPlayers':1,'maxPlayers':2}]"

#define SKILL "'playerAttributes':[{'name':'skill','type':'number'}]"

struct mistake {
    const char *text, *told;
};

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
        struct problem fault;
        assert_int_equal(queue_json_split(texts[i], &cut, &fault), ERR_INVALID_ARGUMENT);
    }
}

static void comments_are_blank_outside_strings_and_keep_the_lines(void **state) {
    (void)state;
    struct parsed p = parse("// a file\n{'1v1//x':{'teamSize':1}} // end");
    assert_string_equal(p.why.text, "game mode \"1v1//x\" is no queue name; allowed are 1 to 64 of "
                                    "A-Z a-z 0-9 _ . -");
    parsed_fini(&p);
    p = parse("{ // one\n // two\n 'a'; // three\n}");
    assert_string_equal(p.why.text,
                        "line 3, column 5: ':' is missing between a name and its value, "
                        "before ;");
    parsed_fini(&p);
}

/* Splits `text`, and compares the pieces with the expected ones, NULL at the end. */
static void expect_split(const char *text, const char *const *pieces) {
    struct strbuf json = quoted(text);
    struct queue_texts texts;
    struct problem fault;
    if (queue_json_split(strbuf_str(&json), &texts, &fault)) fail_msg("%s", fault.what.text);
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
        {"{'1v1':{},'1v1':{}}",
         "line 1, column 11: 1v1 stands twice in its object; the first is at "
         "line 1, column 2"},
        {"[{]", "line 1, column 3: a name in double quotes must stand here, not ]"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct strbuf json = quoted(mistakes[i].text);
        struct queue_texts texts;
        struct err_text why = {0};
        struct problem fault;
        assert_int_equal(queue_json_split(strbuf_str(&json), &texts, &fault), ERR_INVALID_ARGUMENT);
        problem_text(&fault, &why);
        assert_string_equal(why.text, mistakes[i].told);
        assert_int_equal(texts.count, 0);
        strbuf_fini(&json);
    }
}

/* Name and description of every queue in a sample file. */
static struct strbuf describe_sample(const char *name) {
    struct strbuf file = read_sample(name), out = {0};
    struct queue_texts texts;
    struct err_text why = {0};
    struct problem fault;
    if (queue_json_split(strbuf_str(&file), &texts, &fault))
        fail_msg("%s: %s", name, fault.what.text);
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
        cmocka_unit_test(acceptance_is_read_in_the_ruleset_and_beside_it),
        cmocka_unit_test(life_of_tickets_and_matches_is_timed_where_asked_for),
        cmocka_unit_test(dodge_penalty_grows_by_its_steps),
        cmocka_unit_test(game_mode_means_what_it_says),
        cmocka_unit_test(numeric_strings_are_read_with_a_note),
        cmocka_unit_test(a_literal_reference_is_told),
        cmocka_unit_test(shrinking_is_accepted_only_when_asked_for),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused_even_in_comments),
        cmocka_unit_test(comments_are_blank_outside_strings_and_keep_the_lines),
        cmocka_unit_test(files_are_cut_into_their_definitions),
        cmocka_unit_test(files_of_no_form_are_refused),
        cmocka_unit_test(samples_parse_without_notes_and_both_forms_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
