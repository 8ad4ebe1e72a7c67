/* candidate_report_test.c - a candidate match in numbers, for programs. */
#include "wire/candidate_report.h"

#include "support/rules_text.h"
#include "wire/candidate_json.h"

#include "muster/v1/tickets.pb-c.h"

#define RULES                                                                           \
    "'playerAttributes':[{'name':'skill','type':'number'},"                             \
    "{'name':'roles','type':'string_list','default':[]}],'teams':["                     \
    "{'name':'red','minPlayers':1,'maxPlayers':2},"                                     \
    "{'name':'blue','minPlayers':1,'maxPlayers':2}],'rules':["                          \
    "{'name':'near','type':'batchDistance','batchAttribute':'skill','maxDistance':50}," \
    "{'name':'fast','type':'latency','maxLatency':60},"                                 \
    "{'name':'first','type':'absoluteSort','sortDirection':'ascending',"                \
    "'sortAttribute':'skill'}],'muster':{'roles':{'attribute':'roles','perTeam':["      \
    "{'name':'tank','maxPlayers':1},{'name':'healer','maxPlayers':1}]}}"

static void expect_report(const char *tickets, const char *line) {
    struct strbuf json = {0}, wanted = {0}, out = {0};
    struct arena *arena = arena_new(0);
    struct candidate c;
    struct err_text why;
    for (const char *at = tickets; *at; at++)
        strbuf_add_char(&json, *at == '\'' ? '"' : *at);
    for (const char *at = line; *at; at++)
        strbuf_add_char(&wanted, *at == '\'' ? '"' : *at);
    const struct ruleset *r = rules(RULES);
    struct candidate_source source = {strbuf_str(&json),
                                      &muster__v1__create_ticket_request__descriptor};
    if (candidate_json_read(&source, r, arena, &c, &why)) fail_msg("%s", why.text);
    candidate_report_json(r, &c, STR("q"), &out);
    assert_string_equal(out.at, wanted.at);
    strbuf_fini(&json);
    strbuf_fini(&wanted);
    strbuf_fini(&out);
    arena_free(arena);
}

#define PLAYER(id, skill, eu, role)                                 \
    "{'players':[{'playerId':'" id "','attributes':{'skill':" skill \
    ",'roles':{'list':{'values':['" role "']}}},'latenciesMs':{'eu':" eu "}}],"

static void a_legal_match_has_all_its_numbers(void **state) {
    (void)state;
    expect_report(
        "[" PLAYER("a", "10", "20", "tank") "'team':'red'}," PLAYER(
            "b", "50", "30", "healer") "'team':'blue','ageSeconds':2.5}]",
        "{'legal':true,'ageSeconds':0.0,'region':'eu','meanLatencyMs':25.0,'teams':["
        "{'name':'red','players':1,'minPlayers':1,'maxPlayers':2,'ok':true,'playerIds':['a']},"
        "{'name':'blue','players':1,'minPlayers':1,'maxPlayers':2,'ok':true,'playerIds':['b']}],"
        "'rules':["
        "{'name':'near','type':'batchDistance','outcome':'holds','measured':40.0,'bound':50.0},"
        "{'name':'fast','type':'latency','outcome':'holds','measured':30.0,'bound':60.0},"
        "{'name':'first','type':'absoluteSort','outcome':'orders'},"
        "{'name':'muster.roles','type':'roles','outcome':'holds','measured':0.0,'bound':0.0}],"
        "'queue':'q','roles':{'a':'tank','b':'healer'},'softCost':0.0}\n");
}

static void what_is_wrong_stands_where_it_is(void **state) {
    (void)state;
    expect_report(
        "[" PLAYER("a", "10", "20", "tank") "'team':'red'}," PLAYER("b", "90", "30",
                                                                    "healer") "'team':'red'}]",
        "{'legal':false,'ageSeconds':0.0,'teams':["
        "{'name':'red','players':2,'minPlayers':1,'maxPlayers':2,'ok':true,'playerIds':['a','b']},"
        "{'name':'blue','players':0,'minPlayers':1,'maxPlayers':2,'ok':false,'playerIds':[]}],"
        "'rules':["
        "{'name':'near','type':'batchDistance','outcome':'fails','measured':80.0,'bound':50.0},"
        "{'name':'fast','type':'latency','outcome':'holds','measured':30.0,'bound':60.0},"
        "{'name':'first','type':'absoluteSort','outcome':'orders'},"
        "{'name':'muster.roles','type':'roles','outcome':'holds','measured':0.0,'bound':0.0}],"
        "'queue':'q','roles':{'a':'tank','b':'healer'}}\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_legal_match_has_all_its_numbers),
        cmocka_unit_test(what_is_wrong_stands_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
