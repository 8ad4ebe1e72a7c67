/* ruleset_property_test.c - random rulesets over random matches: what must hold for all of them.
 *
 *  - a legal match is inside all limits that a search prunes by
 *  - the verdict does not depend on the order of the tickets
 *  - explaining agrees with judging: every rule holds where the match is legal, and one does not
 *    where it is not and the teams have their sizes
 *  - printing what was printed gives the same text and the same meaning
 *  - what can be judged on pairs holds for every pair of a legal match
 */
#include "base/rng.h"
#include "support/match_text.h"
#include "support/rules_text.h"

#include <math.h>

static const char *pick(struct rng *rng, const char *const *from, uint64_t count) {
    return from[rng_below(rng, count)];
}

static void add_expression(struct rng *rng, struct strbuf *out) {
    static const char *const expressions[] = {
        "avg(teams[*].players.attributes[skill])",
        "flatten(teams[*].players.attributes[skill])",
        "players.attributes[skill]",
        "max(count(teams[*].players))",
        "stddev(players.attributes[skill])",
        "median(teams[blue].players.attributes[skill])",
        "sum(players.attributes[maps][a])",
        "count(set_intersection(players.attributes[likes]))",
    };
    strbuf_printf(out, "%s", pick(rng, expressions, 8));
}

/* One rule of a random kind. */
static void add_rule(struct rng *rng, struct strbuf *out, unsigned index) {
    static const char *const operations[] = {"=", "!=", "<", "<=", ">", ">="};
    static const char *const parties[] = {"avg", "min", "max"};
    static const char *const lists[] = {"contains", "reference_intersection_count"};
    const char *party = pick(rng, parties, 3);
    int number = (int)rng_below(rng, 30);
    strbuf_printf(out, ",{'name':'r%u','type':", index);
    switch (index < 3 ? 1 + rng_below(rng, 7)
                      : rng_below(rng, 8)) { /* no batchDistance in a compound */
    case 0:
        if (number % 3 == 0)
            strbuf_printf(out, "'batchDistance','batchAttribute':'mode','maxDistance':%d}",
                          number / 3 % 3);
        else
            strbuf_printf(out,
                          "'batchDistance','batchAttribute':'skill','maxDistance':%d,"
                          "'partyAggregation':'%s'}",
                          number, party);
        break;
    case 1:
        strbuf_printf(out, "'comparison','operation':'=',"
                           "'measurements':'flatten(teams[*].players.attributes[mode])'}");
        break;
    case 2:
        strbuf_printf(out, "'latency','maxLatency':%d,'partyAggregation':'%s'}", 20 + 2 * number,
                      party);
        break;
    case 3:
        strbuf_printf(out, "'latency','maxDistance':%d,'distanceReference':'%s'}", number,
                      rng_below(rng, 2) ? "min" : "avg");
        break;
    case 4:
        strbuf_printf(out,
                      "'collection','operation':'%s','measurements':"
                      "'flatten(teams[*].players.attributes[likes])',%s'maxCount':%d}",
                      lists[0], "'referenceValue':'a','minCount':0,", number % 4);
        break;
    case 5:
        strbuf_printf(out,
                      "'collection','operation':'%s','measurements':"
                      "'players.attributes[likes]','referenceValue':['a','b'],"
                      "'minCount':%d,'partyAggregation':'intersection'}",
                      lists[1], number % 2);
        break;
    case 6:
        strbuf_printf(out, "'distance','maxDistance':%d,'partyAggregation':'%s','measurements':'",
                      number, party);
        add_expression(rng, out);
        strbuf_printf(out, "','referenceValue':'avg(players.attributes[skill])'}");
        break;
    default:
        strbuf_printf(out, "'comparison','operation':'%s','referenceValue':%d,'measurements':'",
                      pick(rng, operations, 6), number);
        add_expression(rng, out);
        strbuf_printf(out, "'}");
    }
}

static void random_ruleset(struct rng *rng, struct strbuf *out) {
    static const char *const statements[] = {"or(r0,r1)", "and(r0,not(r1))", "xor(r0,r1,r2)",
                                             "or(and(r0,r1),not(and(r1,r2)))"};
    unsigned count = 3 + (unsigned)rng_below(rng, 3);
    strbuf_clear(out);
    strbuf_printf(out, "%s",
                  ATTRIBUTES ",'teams':[{'name':'red','minPlayers':1,'maxPlayers':4},"
                             "{'name':'blue','minPlayers':0,'maxPlayers':4}],'rules':["
                             "{'name':'s','type':'distanceSort','sortDirection':'ascending',"
                             "'sortAttribute':'skill'}");
    for (unsigned i = 0; i < count; i++)
        add_rule(rng, out, i);
    if (rng_below(rng, 2)) {
        strbuf_printf(out, ",{'name':'c','type':'compound','statement':'%s'}",
                      pick(rng, statements, 4));
    }
    strbuf_printf(out, "],'expansions':[{'target':'teams[blue].maxPlayers','steps':["
                       "{'waitTimeSeconds':10,'value':5}]}]");
}

static void add_player(struct rng *rng, struct strbuf *out) {
    static const char *const modes[] = {"x", "x", "x", "y"};
    static const char *const likes[] = {"a+", "b+", "a+b", "c+"};
    static const char *const skills[] = {"0", "5", "9.5", "20", "-0", "1e308", "-3", "10"};
    strbuf_printf(out, "skill=%s,mode=%s,likes=%s,@eu=%d", pick(rng, skills, 8),
                  pick(rng, modes, 4), pick(rng, likes, 4), 1 + (int)rng_below(rng, 80));
    if (rng_below(rng, 4)) strbuf_printf(out, ",@us=%d", 1 + (int)rng_below(rng, 80));
    if (rng_below(rng, 2)) strbuf_printf(out, ",maps=a:%d", (int)rng_below(rng, 9));
}

static void random_match(struct rng *rng, struct strbuf *out) {
    uint64_t tickets = 1 + rng_below(rng, 4), teams = 0;
    strbuf_clear(out);
    for (uint64_t i = 0; i < tickets; i++) {
        bool cut = teams == 0 && i > 0 && rng_below(rng, 2);
        strbuf_printf(out, "%s ", cut ? " |" : "");
        teams += cut;
        add_player(rng, out);
        for (uint64_t k = rng_below(rng, 3); k > 1; k--) {
            strbuf_add_char(out, '/');
            add_player(rng, out);
        }
    }
}

static void reverse(struct match_text *m) {
    for (uint32_t i = 0; i < m->ticket_count / 2; i++) {
        uint32_t j = m->ticket_count - 1 - i, team = m->team_of[i];
        const struct ticket *t = m->tickets[i];
        m->tickets[i] = m->tickets[j];
        m->team_of[i] = m->team_of[j];
        m->tickets[j] = t;
        m->team_of[j] = team;
    }
}

static void check_limits(const struct ruleset *r, const struct match_text *m, int64_t age_ms,
                         const struct verdict *v) {
    const struct ruleset_limits *l = ruleset_limits_at(r, age_ms);
    double least = INFINITY, most = -INFINITY;
    for (uint32_t t = 0; t < m->ticket_count; t++) {
        const struct ticket_spec *s = &m->tickets[t]->spec;
        least = fmin(least, ruleset_key(r, s));
        most = fmax(most, ruleset_key(r, s));
        assert_true(ruleset_partition(r, s) == ruleset_partition(r, &m->tickets[0]->spec));
        for (uint32_t i = 0; i < s->player_count && l->latency_ms_max != INT32_MAX; i++) {
            int32_t ms = player_latency_ms(&s->players[i], v->region);
            assert_true(ms > 0 && ms <= l->latency_ms_max);
        }
    }
    assert_true(most - least <= l->key_spread_max);
    assert_true(m->player_count >= l->players_min && m->player_count <= l->players_max);
}

static void check_reports(const struct ruleset *r, const struct candidate *c,
                          const struct verdict *v, struct arena *arena) {
    struct rule_report reports[16];
    struct verdict again = ruleset_explain(r, c, reports, arena);
    unsigned failing = 0;
    assert_int_equal(again.legal, v->legal);
    assert_int_equal(again.failed_rule, v->failed_rule);
    for (uint32_t i = 0; i < ruleset_rule_count(r); i++)
        failing += reports[i].outcome == RULE_FAILS && !reports[i].governed;
    assert_true(!v->legal || failing == 0);
    assert_true(v->failed_rule == RULESET_NONE || failing > 0);
}

/* The ruleset that was built last is printed, read and printed the same, and means the same. */
static void check_print(void) {
    struct strbuf once = {0}, twice = {0}, words = {0}, again = {0};
    struct err_text why = {0};
    struct queue_def *def = NULL;
    struct str json = rules_built->json;
    if (queue_json_print(json, false, &once, &why)) fail_msg("%s", why.text);
    if (queue_json_print(strbuf_str(&once), false, &twice, &why)) fail_msg("%s", why.text);
    assert_string_equal(once.at, twice.at);
    if (queue_json_parse(strbuf_str(&once), false, &def, NULL, &why)) fail_msg("%s", why.text);
    ruleset_describe(rules_built->ruleset, &words);
    ruleset_describe(def->ruleset, &again);
    assert_string_equal(words.at, again.at);
    queue_def_free(def);
    strbuf_fini(&once);
    strbuf_fini(&twice);
    strbuf_fini(&words);
    strbuf_fini(&again);
}

static void check_pair(const struct ruleset *r, const struct candidate *c, uint32_t i, uint32_t j,
                       struct arena *arena) {
    const struct ticket *tickets[2] = {c->tickets[i], c->tickets[j]};
    uint32_t team_of[2] = {0, 1};
    struct candidate pair = {tickets, team_of, 2, c->age_ms};
    struct rule_report reports[16];
    bool solo = tickets[0]->spec.player_count == 1 && tickets[1]->spec.player_count == 1;
    enum rule_scope least = solo ? RULE_OF_SOLO_PAIRS : RULE_OF_PAIRS;
    ruleset_explain_part(r, &pair, least, reports, arena);
    for (uint32_t k = 0; k < ruleset_rule_count(r); k++) {
        bool judged = ruleset_rule_scope(r, k) >= least && !reports[k].governed;
        if (judged && reports[k].outcome == RULE_FAILS)
            fail_msg("rule %u fails for a pair of a legal match", k);
    }
}

static void what_holds_for_all_rulesets_and_matches(void **state) {
    (void)state;
    const uint64_t seed = 20250301;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct rng rng;
    struct strbuf text = {0}, match = {0};
    struct arena *arena = arena_new(0);
    unsigned legal = 0, judged = 0;
    rng_init(&rng, seed);
    for (int round = 0; round < 400; round++) {
        random_ruleset(&rng, &text);
        const struct ruleset *r = rules(text.at);
        check_print();
        for (int k = 0; k < 25; k++) {
            random_match(&rng, &match);
            int64_t age = (int64_t)rng_below(&rng, 20000);
            struct match_text m = match_text_read(arena, match.at);
            struct candidate c = {m.tickets, m.team_of, m.ticket_count, age};
            struct verdict v = ruleset_evaluate(r, &c, arena);
            if (v.legal) check_limits(r, &m, age, &v);
            for (uint32_t i = 0; v.legal && i + 1 < m.ticket_count; i++)
                check_pair(r, &c, i, m.ticket_count - 1, arena);
            check_reports(r, &c, &v, arena);
            reverse(&m);
            struct verdict reversed = ruleset_evaluate(r, &c, arena);
            assert_int_equal(reversed.legal, v.legal);
            assert_int_equal(reversed.failed_rule, v.failed_rule);
            assert_true(str_equal(reversed.region, v.region));
            legal += v.legal;
            judged++;
            arena_reset(arena);
        }
    }
    print_message("%u of %u legal\n", legal, judged);
    assert_true(legal > judged / 50 && legal < judged / 2); /* both were really tried */
    arena_free(arena);
    strbuf_fini(&text);
    strbuf_fini(&match);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_for_all_rulesets_and_matches),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
