/* ruleset_additions_test.c - the section `muster`: roles, avoid lists, soft costs, regions. */
#include "base/rng.h"
#include "model/quality.h"
#include "support/match_text.h"
#include "support/rules_text.h"

#include <math.h>
#include <stdio.h>

#define LISTS                                                                                  \
    "'playerAttributes':[{'name':'skill','type':'number','default':10},"                       \
    "{'name':'plays','type':'string_list','default':[]},{'name':'avoid','type':'string_list'," \
    "'default':[]},{'name':'met','type':'string_list','default':[]}]"
#define TRIOS                                                \
    "'teams':[{'name':'red','minPlayers':0,'maxPlayers':3}," \
    "{'name':'blue','minPlayers':0,'maxPlayers':3}]"
#define MUSTER(section) LISTS "," TRIOS ",'muster':{" section "}"
#define ROLES                                                                         \
    "'roles':{'attribute':'plays','cost':10,'perTeam':["                              \
    "{'name':'tank','minPlayers':1,'maxPlayers':1},{'name':'healer','maxPlayers':1}," \
    "{'name':'dps'}]}"

struct judged {
    struct verdict verdict;
    struct str roles[MATCH_TEXT_MAX];
    double cost, quality;
};

static struct judged judge(const struct ruleset *r, int64_t age_ms, const char *match) {
    struct judged j = {0};
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, match);
    struct candidate c = {m.specs, m.team_of, m.ticket_count, age_ms};
    j.verdict = ruleset_evaluate(r, &c, arena);
    ruleset_assign_roles(r, &c, j.roles, arena);
    j.cost = ruleset_soft_cost(r, &c, j.verdict.region, arena);
    j.quality = quality_measure(r, &(struct patience){0}, &c, j.cost).score;
    arena_free(arena);
    return j;
}

static void expect_roles(const struct ruleset *r, const char *match, const char *roles,
                         double cost) {
    struct judged j = judge(r, 0, match);
    struct strbuf got = {0};
    for (uint32_t i = 0; j.roles[i].size; i++)
        strbuf_printf(&got, "%s%.*s", i ? " " : "", STR_PRINT(j.roles[i]));
    if (!j.verdict.legal) fail_msg("%s is refused", match);
    if (!str_equal(strbuf_str(&got), str_of(roles))) fail_msg("%s: %s", match, got.at);
    if (fabs(j.cost - cost) > 1e-9) fail_msg("%s costs %g", match, j.cost);
    strbuf_fini(&got);
}

static void every_player_gets_a_role_of_his_list_the_best_that_all_can_have(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER(ROLES));
    assert_true(ruleset_has_roles(r) && ruleset_has_soft_cost(r));
    expect_roles(r, "plays=tank+ plays=healer+ plays=dps+ | -", "tank healer dps", 0);
    expect_roles(r, "plays=dps+tank plays=dps+ plays=dps+ | -", "tank dps dps", 10.0 / 3);
    expect_roles(r, "plays=tank+dps plays=tank+healer plays=healer+ | -", "dps tank healer",
                 10.0 / 3);
    expect_roles(r, "plays=tank+healer+dps | plays=tank+dps", "tank tank", 0);
    expect_roles(r, "plays=healer+tank | plays=dps+healer+tank", "tank tank", 15);
    expect_roles(r, "a=1 a=1 a=1 | -", "tank healer dps", 0);
}

static void a_team_without_its_roles_is_refused(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER(ROLES));
    static const struct {
        const char *match;
        double lacking;
    } cases[] = {
        {"plays=dps+healer | plays=tank+", 1},         /* no tank */
        {"plays=tank+ plays=tank+ | -", 1},            /* two tanks */
        {"plays=tank+ | plays=dps+ plays=healer+", 1}, /* blue has none */
        {"plays=healer+ plays=healer+ | plays=healer+", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judged j = judge(r, 0, cases[i].match);
        assert_false(j.verdict.legal);
        assert_true(str_equal(ruleset_rule_name(r, j.verdict.failed_rule), STR("muster.roles")));
        if (j.verdict.measured != cases[i].lacking)
            fail_msg("%s: %g", cases[i].match, j.verdict.measured);
        assert_int_equal(j.roles[0].size && j.roles[1].size && j.roles[2].size, 0);
    }
}

static void roles_may_belong_to_some_teams_and_expand(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER("'roles':{'attribute':'plays','perTeam':[{'name':'boss',"
                                           "'minPlayers':1,'maxPlayers':1,"
                                           "'teams':['red']},{'name':'minion','minPlayers':1,'"
                                           "teams':['red']}]}") ",'expansions':["
                                                                "{'target':'muster.roles[minion]."
                                                                "minPlayers','steps':[{'"
                                                                "waitTimeSeconds':5,'value':0}]}]");
    struct judged j = judge(r, 0, "plays=boss+ plays=minion+ | plays=boss+ a=1");
    assert_true(j.verdict.legal && j.roles[2].size == 0 && j.roles[3].size == 0);
    assert_false(judge(r, 4999, "plays=boss+ | a=1").verdict.legal);
    assert_true(judge(r, 5000, "plays=boss+ | a=1").verdict.legal);
    assert_false(judge(r, 5000, "plays=minion+ | a=1").verdict.legal);
    assert_true(judge(r, 0, "- | a=1 a=1").verdict.legal); /* who is not there plays no role */
}

/* The cheapest assignment of one team by trying all; UINT32_MAX: there is none. */
static uint32_t cheapest(uint32_t count, uint32_t roles, uint8_t rank[][4], const uint32_t *least,
                         const uint32_t *most) {
    uint32_t best = UINT32_MAX, combinations = 1;
    for (uint32_t i = 0; i < count; i++)
        combinations *= roles;
    for (uint32_t k = 0; k < combinations; k++) {
        uint32_t cost = 0, have[4] = {0}, code = k;
        bool possible = true;
        for (uint32_t i = 0; i < count; i++, code /= roles) {
            possible = possible && rank[i][code % roles] != 255;
            cost += rank[i][code % roles];
            have[code % roles]++;
        }
        for (uint32_t n = 0; n < roles; n++)
            possible = possible && have[n] >= least[n] && have[n] <= most[n];
        if (possible && cost < best) best = cost;
    }
    return best;
}

static void random_wish(struct rng *rng, uint32_t roles, uint8_t *rank, struct strbuf *match) {
    uint32_t order[4] = {0, 1, 2, 3}, wanted = (uint32_t)rng_below(rng, roles + 1);
    for (uint32_t i = 0; i < roles; i++) {
        uint32_t j = i + (uint32_t)rng_below(rng, roles - i), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
        rank[i] = 255;
    }
    strbuf_printf(match, "plays=");
    for (uint32_t i = 0; i < wanted; i++) {
        rank[order[i]] = (uint8_t)i;
        strbuf_printf(match, "r%u+", order[i]);
    }
    for (uint32_t i = 0; wanted == 0 && i < roles; i++)
        rank[i] = 0;
    strbuf_printf(match, wanted ? " " : "+ ");
}

static void assignments_are_as_good_as_trying_them_all(void **state) {
    (void)state;
    const uint64_t seed = 20261129;
    struct rng rng;
    struct strbuf text = {0}, match = {0};
    unsigned legal = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    for (int round = 0; round < 400; round++) {
        uint32_t count = 1 + (uint32_t)rng_below(&rng, 6), roles = 1 + (uint32_t)rng_below(&rng, 4);
        uint32_t least[4], most[4];
        uint8_t rank[6][4];
        strbuf_clear(&text);
        strbuf_printf(&text, LISTS ",'teams':[{'name':'red','minPlayers':1,'maxPlayers':6}],"
                                   "'muster':{'roles':{'attribute':'plays','cost':1,'perTeam':[");
        for (uint32_t i = 0; i < roles; i++) {
            least[i] = (uint32_t)rng_below(&rng, 2);
            most[i] = least[i] + 1 + (uint32_t)rng_below(&rng, 2);
            strbuf_printf(&text, "%s{'name':'r%u','minPlayers':%u,'maxPlayers':%u}", i ? "," : "",
                          i, least[i], most[i]);
        }
        strbuf_printf(&text, "]}}");
        const struct ruleset *r = rules(text.at);
        for (int k = 0; k < 10; k++) {
            strbuf_clear(&match);
            for (uint32_t i = 0; i < count; i++)
                random_wish(&rng, roles, rank[i], &match);
            match.at[--match.size] = '\0';
            struct judged j = judge(r, 0, match.at);
            uint32_t best = cheapest(count, roles, rank, least, most);
            if (j.verdict.legal != (best != UINT32_MAX)) fail_msg("%s\n%s", text.at, match.at);
            if (j.verdict.legal && fabs(j.cost * count - best) > 1e-6)
                fail_msg("%s\n%s: %g is not %u", text.at, match.at, j.cost * count, best);
            legal += j.verdict.legal;
        }
    }
    print_message("%u of 4000 legal\n", legal);
    assert_true(legal > 400 && legal < 3600); /* both were really tried */
    strbuf_fini(&text);
    strbuf_fini(&match);
}

static enum err admit(const struct ruleset *r, const char *ticket, struct err_text *why) {
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, ticket);
    enum err code = ruleset_admit(r, &m.specs[0], why);
    arena_free(arena);
    return code;
}

static void a_ticket_that_can_never_have_its_roles_is_refused_at_once(void **state) {
    (void)state;
    struct err_text why;
    const struct ruleset *r = rules(MUSTER(ROLES));
    assert_int_equal(admit(r, "plays=tank+/plays=healer+tank/plays=dps+", &why), ERR_OK);
    assert_int_equal(admit(r, "plays=bard+tank", &why), ERR_OK); /* a role of another queue */
    assert_int_equal(admit(r, "plays=bard+", &why), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, "player \"p1\" plays none of this queue's roles by his "
                                  "\"plays\"; they are tank, healer, dps");
    assert_int_equal(admit(r, "plays=tank+/plays=tank+", &why), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text,
                        "the ticket's players want more places of some role than a team of this "
                        "queue has; its roles are tank, healer, dps");
}

static void who_avoids_somebody_is_not_in_his_match(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER("'avoid':{'attribute':'avoid'}"));
    struct judged j = judge(r, 0, "a=1 a=1 | avoid=p1+p9 a=1");
    assert_false(j.verdict.legal);
    assert_true(j.verdict.measured == 1 && j.verdict.bound == 0);
    assert_true(str_equal(ruleset_rule_name(r, j.verdict.failed_rule), STR("muster.avoid")));
    assert_true(judge(r, 0, "avoid=p1+ a=1 | avoid=p9+ a=1").verdict.legal); /* himself */
    j = judge(r, 0, "avoid=p3+p2 avoid=p1+ | avoid=p1+");
    assert_true(j.verdict.measured == 2); /* pairs, not mentions */
    r = rules(MUSTER("'avoid':{'attribute':'avoid','scope':'team'}"));
    assert_true(judge(r, 0, "a=1 a=1 | avoid=p1+p2 a=1").verdict.legal);
    assert_false(judge(r, 0, "a=1 a=1 | avoid=p1+p4 a=1").verdict.legal);
    struct err_text why;
    assert_int_equal(admit(r, "a=1/avoid=p1+", &why), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, "player \"p2\" avoids \"p1\" by his \"avoid\"; they cannot be "
                                  "on one ticket");
}

static bool apart(const struct ruleset *r, const char *match) {
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, match);
    bool a = ruleset_keeps_apart(r, &m.specs[0], &m.specs[1]);
    bool b = ruleset_keeps_apart(r, &m.specs[1], &m.specs[0]);
    assert_int_equal(a, b);
    arena_free(arena);
    return a;
}

static void two_tickets_are_kept_apart_by_either_ones_list(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER("'avoid':{'attribute':'avoid'}"));
    assert_true(apart(r, "a=1/avoid=p3+ a=1"));
    assert_true(apart(r, "a=1/a=1 avoid=p9+p2"));
    assert_false(apart(r, "avoid=p9+ a=1"));
    assert_false(
        apart(rules(MUSTER("'avoid':{'attribute':'avoid','scope':'team'}")), "avoid=p2+ a=1"));
    assert_false(apart(rules(LISTS "," TRIOS), "avoid=p2+ a=1"));
}

static void recent_opponents_cost_and_team_mates_do_not(void **state) {
    (void)state;
    const struct ruleset *r = rules(MUSTER("'recent':{'attribute':'met','cost':30}"));
    assert_true(judge(r, 0, "met=p2+ | met=p1+").cost == 30); /* one pair of a duel, whole */
    assert_true(judge(r, 0, "a=1 met=p1+ | a=1 a=1").cost == 0);
    assert_true(judge(r, 0, "a=1 a=1 | met=p1+p2 a=1").cost == 30);
    assert_true(judge(r, 0, "a=1 a=1 | met=p1+ a=1").cost == 15);
    assert_true(judge(r, 0, "met=p2+ | a=1").quality < judge(r, 0, "a=1 | a=1").quality);
    assert_true(judge(r, 0, "a=1 | a=1").quality == 100);
    assert_true(judge(r, 0, "met=p2+ | a=1").verdict.legal); /* soft: it refuses nobody */
}

static void weights_cost_what_a_rule_is_strained(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        LISTS "," TRIOS ",'rules':[{'name':'skill','type':'batchDistance','batchAttribute':'skill',"
              "'maxDistance':10},{'name':'ping','type':'latency','maxLatency':100},"
              "{'name':'even','type':'distance','maxDistance':8,"
              "'measurements':'avg(teams[*].players.attributes[skill])',"
              "'referenceValue':'avg(flatten(teams[*].players.attributes[skill]))'},"
              "{'name':'two','type':'comparison','operation':'=','referenceValue':2,"
              "'measurements':'count(players)'},"
              "{'name':'alone','type':'compound','statement':'or(two,not(two))'}],"
              "'expansions':[{'target':'rules[skill].maxDistance','steps':["
              "{'waitTimeSeconds':5,'value':1000}]}],"
              "'muster':{'weights':{'skill':20,'ping':10,'even':0,'two':7,'alone':3}}");
    assert_true(judge(r, 0, "skill=0,@e=50 | skill=5,@e=20").cost == 20 * 0.5 + 10 * 0.5);
    assert_true(judge(r, 0, "skill=0,@e=50 | skill=0,@e=50").cost == 5);
    assert_true(judge(r, 0, "@e=100 @e=1 | @e=1").cost == 10 + 7); /* `two` need not hold */
    /* expansions do not make a strain smaller, and it ends at ten times the bound */
    assert_true(judge(r, 5000, "skill=0,@e=100 | skill=30,@e=1").cost == 20 * 3 + 10);
    assert_true(judge(r, 5000, "skill=0,@e=100 | skill=900,@e=1").cost == 20 * 10 + 10);
    r = rules(LISTS "," TRIOS ",'rules':[{'name':'even','type':'distance','maxDistance':8,"
                    "'measurements':'teams[*].players.attributes[skill]','referenceValue':10}],"
                    "'muster':{'weights':{'even':16}}");
    assert_true(judge(r, 0, "skill=11 | skill=14").cost == 8); /* the worst of all values */
    assert_true(judge(r, 0, "skill=14 | skill=11").cost == 8);
}

static void only_the_listed_regions_count(void **state) {
    (void)state;
    const struct ruleset *r = rules(LISTS "," TRIOS ",'rules':[{'name':'ping','type':'latency',"
                                          "'maxLatency':100}],'muster':{'regions':['eu','us']}");
    struct judged j = judge(r, 0, "@asia=1,@us=90 | @asia=1,@us=80");
    assert_true(j.verdict.legal && str_equal(j.verdict.region, STR("us")));
    assert_false(judge(r, 0, "@asia=1,@us=101 | @asia=1,@us=80").verdict.legal);
    struct err_text why;
    assert_int_equal(admit(r, "@asia=1", &why), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, "player \"p1\" has a latency to none of this queue's regions; "
                                  "the first of them is \"eu\"");
    assert_true(ruleset_plays_in(r, STR("us")) && !ruleset_plays_in(r, STR("asia")));
    r = rules(LISTS "," TRIOS ",'muster':{'regions':['eu']}");
    assert_true(judge(r, 0, "@asia=1 | @asia=1").verdict.region.size == 0);
    assert_true(ruleset_plays_in(rules(TRIOS), STR("mars")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_player_gets_a_role_of_his_list_the_best_that_all_can_have),
        cmocka_unit_test(a_team_without_its_roles_is_refused),
        cmocka_unit_test(roles_may_belong_to_some_teams_and_expand),
        cmocka_unit_test(assignments_are_as_good_as_trying_them_all),
        cmocka_unit_test(a_ticket_that_can_never_have_its_roles_is_refused_at_once),
        cmocka_unit_test(who_avoids_somebody_is_not_in_his_match),
        cmocka_unit_test(two_tickets_are_kept_apart_by_either_ones_list),
        cmocka_unit_test(recent_opponents_cost_and_team_mates_do_not),
        cmocka_unit_test(weights_cost_what_a_rule_is_strained),
        cmocka_unit_test(only_the_listed_regions_count),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
