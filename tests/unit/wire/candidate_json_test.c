/* candidate_json_test.c - tickets from JSON, placed into teams and explained rule by rule. */
#include "wire/candidate_json.h"

#include "model/explain.h"
#include "support/rules_text.h"

#include "muster/v1/tickets.pb-c.h"

#include <string.h>

#define RULES                                                                               \
    "'playerAttributes':[{'name':'skill','type':'number','default':10},"                    \
    "{'name':'mode','type':'string','default':'duel'}],"                                    \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':2},"                                \
    "{'name':'blue','minPlayers':1,'maxPlayers':2}],'rules':["                              \
    "{'name':'near','type':'batchDistance','batchAttribute':'skill','maxDistance':50},"     \
    "{'name':'mode','type':'batchDistance','batchAttribute':'mode'},"                       \
    "{'name':'fast','type':'latency','maxLatency':60},"                                     \
    "{'name':'big','type':'comparison','operation':'>=','referenceValue':3,"                \
    "'measurements':'count(players)'},"                                                     \
    "{'name':'any','type':'compound','statement':'or(big,not(big))'},"                      \
    "{'name':'first','type':'absoluteSort','sortDirection':'ascending',"                    \
    "'sortAttribute':'skill'}],'expansions':[{'target':'rules[near].maxDistance','steps':[" \
    "{'waitTimeSeconds':30,'value':200}]}]"

struct reading {
    struct arena *arena;
    struct candidate c;
    struct err_text why;
    enum err code;
};

static struct reading read_tickets(const struct ruleset *r, const char *text) {
    struct reading x = {.arena = arena_new(0)};
    struct strbuf json = {0};
    for (; *text; text++)
        strbuf_add_char(&json, *text == '\'' ? '"' : *text);
    struct candidate_source source = {strbuf_str(&json),
                                      &muster__v1__create_ticket_request__descriptor};
    x.code = candidate_json_read(&source, r, x.arena, &x.c, &x.why);
    strbuf_fini(&json);
    return x;
}

static void expect_text(const struct ruleset *r, const char *tickets, const char *text) {
    struct reading x = read_tickets(r, tickets);
    struct strbuf out = {0};
    if (x.code) fail_msg("%s", x.why.text);
    explain_text(r, &x.c, &out);
    assert_string_equal(out.at, text);
    strbuf_fini(&out);
    arena_free(x.arena);
}

#define PLAYER(id, skill, eu) \
    "{'playerId':'" id "','attributes':{'skill':" skill "},'latenciesMs':{'eu':" eu "}}"

static void a_legal_match_is_explained_with_the_nearest_miss_of_each_rule(void **state) {
    (void)state;
    expect_text(rules(RULES),
                "[{'players':[" PLAYER(
                    "a", "10", "20") "],'team':'red'},"
                                     "{'players':[" PLAYER("b", "50", "60") "," PLAYER(
                                         "c", "30", "40") "],'team':'blue','ageSeconds':2.5}]",
                "a legal match at the age of 0 s, in region \"eu\" with a mean latency of 40 ms\n"
                "team \"red\": 1 players of 1 to 2: ok\n"
                "team \"blue\": 2 players of 1 to 2: ok\n"
                "rule \"near\" (batchDistance): measured 30, bound 50: holds\n"
                "rule \"mode\" (batchDistance): holds\n"
                "rule \"fast\" (latency): measured 60, bound 60: holds\n"
                "rule \"big\" (comparison, in a compound): measured 3, bound 3: holds\n"
                "rule \"any\" (compound): holds\n"
                "rule \"first\" (absoluteSort): orders candidates\n");
}

static void a_near_miss_says_what_failed_and_by_how_much(void **state) {
    (void)state;
    expect_text(rules(RULES),
                "{'tickets':[{'players':[" PLAYER(
                    "a", "10", "20") "],'team':'red','ageSeconds':29.999},"
                                     "{'players':[" PLAYER(
                                         "b", "100", "70") "],'team':'red','ageSeconds':60}]}",
                "NOT a legal match at the age of 29.999 s\n"
                "team \"red\": 2 players of 1 to 2: ok\n"
                "team \"blue\": 0 players of 1 to 2: too few\n"
                "rule \"near\" (batchDistance): measured 90, bound 50: FAILS\n"
                "rule \"mode\" (batchDistance): holds\n"
                "rule \"fast\" (latency): measured 70, bound 60: FAILS\n"
                "rule \"big\" (comparison, in a compound): measured 2, bound 3: FAILS\n"
                "rule \"any\" (compound): holds\n"
                "rule \"first\" (absoluteSort): orders candidates\n");
}

static void tickets_without_teams_are_placed_where_they_are_legal(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'playerAttributes':[{'name':'skill','type':'number'}],'teams':["
              "{'name':'hunters','minPlayers':2,'maxPlayers':2},"
              "{'name':'monster','minPlayers':1,'maxPlayers':1}],'rules':["
              "{'name':'strong','type':'comparison','operation':'>','referenceValue':90,"
              "'measurements':'teams[monster].players.attributes[skill]'}]");
    struct reading x = read_tickets(r, "[{'players':[{'playerId':'m','attributes':{'skill':99}}]},"
                                       "{'players':[{'playerId':'a','attributes':{'skill':9}}]},"
                                       "{'players':[{'playerId':'b','attributes':{'skill':9}}]}]");
    assert_int_equal(x.code, ERR_OK);
    assert_true(x.c.team_of[0] == 1 && x.c.team_of[1] == 0 && x.c.team_of[2] == 0);
    assert_true(ruleset_evaluate(r, &x.c, x.arena).legal);
    arena_free(x.arena);
    x = read_tickets(r, "[{'players':[{'playerId':'m','attributes':{'skill':9}}]},"
                        "{'players':[{'playerId':'a','attributes':{'skill':9}},"
                        "{'playerId':'b','attributes':{'skill':9}}]}]");
    assert_int_equal(x.code, ERR_OK); /* not legal, but placed */
    assert_true(x.c.team_of[0] == 1 && x.c.team_of[1] == 0);
    assert_int_equal(ruleset_evaluate(r, &x.c, x.arena).failed_rule, 0);
    arena_free(x.arena);
}

static void the_oldest_ticket_sets_the_age_where_the_rules_say_so(void **state) {
    (void)state;
    const struct ruleset *r = rules("'algorithm':{'expansionAgeSelection':'oldest'},'teams':["
                                    "{'name':'t','minPlayers':1,'maxPlayers':2}]");
    struct reading x = read_tickets(r, "[{'players':[{'playerId':'a'}],'ageSeconds':3},"
                                       "{'players':[{'playerId':'b'}],'ageSeconds':7}]");
    assert_int_equal(x.code, ERR_OK);
    assert_true(x.c.age_ms == 7000);
    arena_free(x.arena);
}

static void wrong_tickets_are_told_where_and_what(void **state) {
    (void)state;
    static const struct {
        const char *tickets, *text;
    } cases[] = {
        {"{}", "tickets must be a list, or an object with \"tickets\""},
        {"[]", "tickets is empty; needs 1 or more"},
        {"[{'player':[]}]", "tickets[0] has no field \"player\"; did you mean \"players\"?"},
        {"[{'players':[]}]",
         "tickets[0] would be refused: players has 0 players; allowed are 1..200"},
        {"[{'players':[{'playerId':'a','latenciesMs':{'eu':9}}],'team':'rde'},"
         "{'players':[{'playerId':'b','latenciesMs':{'eu':9}}],'team':'blue'}]",
         "tickets[0].team \"rde\" is no team; did you mean \"red\"?"},
        {"[{'players':[{'playerId':'a','latenciesMs':{'eu':9}}],'team':'red'},"
         "{'players':[{'playerId':'b','latenciesMs':{'eu':9}}]}]",
         "tickets name a team for some and not for others: 1 of 2"},
        {"[{'players':[{'playerId':'a'}]}]", "tickets[0] would be refused: player \"a\" has no "
                                             "latencies; this queue has a latency rule "
                                             "and needs at least one region's latency in ms"},
        {"[{'players':[{'playerId':'a','latenciesMs':{'eu':9}}]}]",
         "tickets do not fit into the teams after 0 s; name their teams to see how the rules judge "
         "them"},
        {"[{'players':[],'ageSeconds':-1}]",
         "tickets[0].ageSeconds is -1; must be a number of seconds 0..43200"},
        {"[", "line 1, column 2: the text ends inside the list that begins at line 1, column 1; is "
              "a closing ']' missing?"},
    };
    const struct ruleset *r = rules(RULES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reading x = read_tickets(r, cases[i].tickets);
        assert_int_equal(x.code, ERR_INVALID_ARGUMENT);
        assert_string_equal(x.why.text, cases[i].text);
        arena_free(x.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_legal_match_is_explained_with_the_nearest_miss_of_each_rule),
        cmocka_unit_test(a_near_miss_says_what_failed_and_by_how_much),
        cmocka_unit_test(tickets_without_teams_are_placed_where_they_are_legal),
        cmocka_unit_test(the_oldest_ticket_sets_the_age_where_the_rules_say_so),
        cmocka_unit_test(wrong_tickets_are_told_where_and_what),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
