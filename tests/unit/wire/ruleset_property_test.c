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
#include "support/random_rules.h"

#include <math.h>

static void reverse(struct match_text *m) {
    for (uint32_t i = 0; i < m->ticket_count / 2; i++) {
        uint32_t j = m->ticket_count - 1 - i, team = m->team_of[i];
        struct ticket_spec spec = m->specs[i];
        m->specs[i] = m->specs[j];
        m->team_of[i] = m->team_of[j];
        m->specs[j] = spec;
        m->team_of[j] = team;
    }
}

static void check_limits(const struct ruleset *r, const struct match_text *m, int64_t age_ms,
                         const struct verdict *v) {
    const struct ruleset_limits *l = ruleset_limits_at(r, age_ms);
    double least = INFINITY, most = -INFINITY;
    for (uint32_t t = 0; t < m->ticket_count; t++) {
        const struct ticket_spec *s = &m->specs[t];
        least = fmin(least, ruleset_key(r, s));
        most = fmax(most, ruleset_key(r, s));
        assert_true(ruleset_partition(r, s) == ruleset_partition(r, &m->specs[0]));
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
    const struct ticket_spec specs[2] = {c->specs[i], c->specs[j]};
    uint32_t team_of[2] = {0, 1};
    struct candidate pair = {specs, team_of, 2, c->age_ms};
    struct rule_report reports[16];
    bool solo = specs[0].player_count == 1 && specs[1].player_count == 1;
    enum rule_scope least = solo ? RULE_OF_SOLO_PAIRS : RULE_OF_PAIRS;
    ruleset_explain_part(r, &pair, least, reports, arena);
    for (uint32_t k = 0; k < ruleset_rule_count(r); k++) {
        bool judged = ruleset_rule_scope(r, k) >= least && !reports[k].governed;
        if (judged && reports[k].outcome == RULE_FAILS)
            fail_msg("rule %u fails for a pair of a legal match", k);
    }
}

/* Soft costs are numbers, and in a legal match roles are whole teams': all of it or nobody. */
static void check_additions(const struct ruleset *r, const struct match_text *m,
                            const struct candidate *c, const struct verdict *v) {
    struct str roles[MATCH_TEXT_MAX];
    struct arena *arena = arena_new(0);
    double cost = ruleset_soft_cost(r, c, v->region, arena);
    assert_true(cost >= 0 && cost < 1e6);
    assert_true(cost == 0 || ruleset_has_soft_cost(r));
    ruleset_assign_roles(r, c, roles, arena);
    for (uint32_t t = 0, n = 0; t < m->ticket_count; t++) {
        for (uint32_t i = 0; i < m->specs[t].player_count; i++, n++) {
            bool has = roles[n].size > 0;
            assert_true(!has || ruleset_has_roles(r));
            bool all = m->team_of[t] == 0 || !strstr(rules_built->json.at, "\"teams\":[\"red\"]");
            assert_true(!v->legal || !ruleset_has_roles(r) || has || !all);
        }
    }
    arena_free(arena);
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
        random_rules_write(&rng, &text);
        const struct ruleset *r = rules(text.at);
        check_print();
        for (int k = 0; k < 25; k++) {
            random_rules_match(&rng, &match);
            int64_t age = (int64_t)rng_below(&rng, 20000);
            struct match_text m = match_text_read(arena, match.at);
            struct candidate c = {m.specs, m.team_of, m.ticket_count, age};
            struct verdict v = ruleset_evaluate(r, &c, arena);
            if (v.legal) check_limits(r, &m, age, &v);
            for (uint32_t i = 0; v.legal && i + 1 < m.ticket_count; i++)
                check_pair(r, &c, i, m.ticket_count - 1, arena);
            check_reports(r, &c, &v, arena);
            check_additions(r, &m, &c, &v);
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
