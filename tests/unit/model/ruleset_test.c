/* ruleset_test.c - the builder's contract, and that a search may trust what a ruleset tells it. */
#include "model/ruleset_def.h"

#include "base/limits.h"
#include "base/rng.h"
#include "support/match_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

static struct attribute_def attributes[] = {
    {.value = {.name = {"skill", 5}, .kind = ATTRIBUTE_NUMBER, .number = 50}, .has_default = true},
    {.value = {.name = {"mode", 4}, .kind = ATTRIBUTE_TEXT, .text = {"a", 1}}, .has_default = true},
};
static struct team_def teams[] = {
    {.name = {"team", 4}, .players_min = 1, .players_max = 3, .quantity = 2},
};
static struct str all_skills = {"flatten(teams[*].players.attributes[skill])", 43};
static struct rule_def rules[] = {
    {.name = {"near", 4},
     .kind = RULE_DISTANCE,
     .measurements = &all_skills,
     .measurement_count = 1,
     .has_max = true,
     .max = 30,
     .reference = {.kind = REFERENCE_TEXT, .text = {"avg(players.attributes[skill])", 30}}},
    {.name = {"mode", 4}, .kind = RULE_BATCH_DISTANCE, .attribute = {"mode", 4}},
    {.name = {"lag", 3}, .kind = RULE_LATENCY, .party = PARTY_MAX, .has_max = true, .max = 60},
};
static struct step_def skill_steps[] = {{.wait_ms = 3000, .value = 40},
                                        {.wait_ms = 9000, .value = 60}};
static struct step_def lag_steps[] = {{.wait_ms = 6000, .value = 80}};
static struct expansion_def expansions[] = {
    {{"rules[near].maxDistance", 23}, skill_steps, 2},
    {{"rules[lag].maxLatency", 21}, lag_steps, 1},
};

static struct ruleset_def sample(void) {
    return (struct ruleset_def){.attributes = attributes,
                                .teams = teams,
                                .rules = rules,
                                .expansions = expansions,
                                .attribute_count = 2,
                                .team_count = 1,
                                .rule_count = 3,
                                .expansion_count = 2};
}

static struct ruleset *build_sample(void) {
    struct ruleset_def def = sample();
    struct ruleset *r;
    struct err_text why = {0};
    enum err code = ruleset_build(arena_new(0), &def, &r, NULL, &why);
    if (code) fail_msg("%s", why.text);
    return r;
}

static void a_refused_definition_leaves_the_arena_to_the_caller(void **state) {
    (void)state;
    struct arena *arena = arena_new(0);
    struct ruleset_def def = sample();
    def.team_count = 0;
    struct ruleset *r = (struct ruleset *)&def;
    struct err_text why;
    assert_int_equal(ruleset_build(arena, &def, &r, NULL, &why), ERR_INVALID_ARGUMENT);
    assert_null(r);
    assert_string_equal(why.field, "teams");
    assert_int_equal(ruleset_build(arena, &def, &r, NULL, NULL), ERR_INVALID_ARGUMENT);
    arena_free(arena);
    ruleset_free(NULL);
}

static void the_step_in_force_is_the_last_one_reached(void **state) {
    (void)state;
    struct ruleset *r = build_sample();
    static const struct {
        int64_t age_ms, next_ms;
        int32_t latency_ms;
    } cases[] = {
        {0, 3000, 60},    {2999, 3000, 60},      {3000, 6000, 60},           {5999, 6000, 60},
        {6000, 9000, 80}, {9000, INT64_MAX, 80}, {INT64_MAX, INT64_MAX, 80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ruleset_limits *l = ruleset_limits_at(r, cases[i].age_ms);
        assert_int_equal(l->latency_ms_max, cases[i].latency_ms);
        assert_true(ruleset_next_step_ms(r, cases[i].age_ms) == cases[i].next_ms);
        assert_ptr_equal(l, ruleset_limits_at(r, cases[i].age_ms)); /* lives with the ruleset */
    }
    assert_int_equal(ruleset_rule_count(r), 3);
    assert_true(str_equal(ruleset_rule_name(r, 2), STR("lag")));
    ruleset_free(r);
}

static void random_ticket(struct rng *rng, struct strbuf *out) {
    uint64_t players = 1 + rng_below(rng, 2);
    uint64_t mode = rng_below(rng, 20);
    for (uint64_t i = 0; i < players; i++) {
        strbuf_printf(out, "%sskill=%d,mode=%s,@eu=%d,@us=%d", i ? "/" : "",
                      (int)rng_below(rng, 120), mode == 0 ? "b" : "a", 1 + (int)rng_below(rng, 90),
                      1 + (int)rng_below(rng, 90));
    }
}

/* Whether some region is within the bound for all players, by the definition. */
static bool region_exists(const struct match_text *m, int32_t bound) {
    for (int region = 0; region < 2; region++) {
        bool all = true;
        for (uint32_t t = 0; t < m->ticket_count; t++) {
            const struct ticket_spec *s = &m->specs[t];
            for (uint32_t i = 0; i < s->player_count; i++) {
                all = all && s->players[i].latencies[region].ms <= bound;
            }
        }
        if (all) return true;
    }
    return false;
}

static void no_legal_match_is_outside_the_limits_a_search_prunes_by(void **state) {
    (void)state;
    const uint64_t seed = 20240611;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct rng rng;
    rng_init(&rng, seed);
    struct ruleset *r = build_sample();
    struct arena *arena = arena_new(0);
    unsigned legal = 0, illegal = 0;
    for (int round = 0; round < 3000; round++) {
        struct strbuf text = {0};
        uint64_t count = 2 + rng_below(&rng, 2);
        for (uint64_t i = 0; i < count; i++) {
            if (i) strbuf_printf(&text, i == 1 ? " | " : " ");
            random_ticket(&rng, &text);
        }
        int64_t age = (int64_t)rng_below(&rng, 12000);
        struct match_text m = match_text_read(arena, text.at);
        struct candidate c = {m.specs, m.team_of, m.ticket_count, age};
        struct verdict v = ruleset_evaluate(r, &c, arena);
        const struct ruleset_limits *l = ruleset_limits_at(r, age);
        assert_true(!v.legal || region_exists(&m, l->latency_ms_max));
        double least = INFINITY, most = -INFINITY;
        for (uint32_t t = 0; t < m.ticket_count; t++) {
            struct err_text why;
            assert_int_equal(ruleset_admit(r, &m.specs[t], &why), ERR_OK);
            least = fmin(least, ruleset_key(r, &m.specs[t]));
            most = fmax(most, ruleset_key(r, &m.specs[t]));
            uint64_t partition = ruleset_partition(r, &m.specs[t]);
            assert_true(!v.legal || partition == ruleset_partition(r, &m.specs[0]));
        }
        assert_true(!v.legal || most - least <= l->key_spread_max);
        if (v.legal)
            legal++;
        else
            illegal++;
        strbuf_fini(&text);
        arena_reset(arena);
    }
    assert_true(legal > 200 && illegal > 200); /* both were really tried */
    arena_free(arena);
    ruleset_free(r);
}

static void a_verdict_does_not_depend_on_the_order_of_tickets(void **state) {
    (void)state;
    struct ruleset *r = build_sample();
    struct verdict a = match_text_judge(r, 0, "skill=10,@eu=10,@us=5 skill=60,@eu=20 | @eu=40");
    struct verdict b = match_text_judge(r, 0, "skill=60,@eu=20 skill=10,@eu=10,@us=5 | @eu=40");
    assert_true(a.legal && b.legal);
    assert_true(str_equal(a.region, STR("eu")) && str_equal(b.region, STR("eu")));
    assert_true(a.mean_latency_ms == b.mean_latency_ms);
    ruleset_free(r);
}

static void a_match_of_two_hundred_players_is_judged(void **state) {
    (void)state;
    struct team_def large[] = {{.name = {"all", 3},
                                .players_min = 200,
                                .players_max = LIMIT_MATCH_PLAYERS,
                                .quantity = 1}};
    struct ruleset_def def = sample();
    def.teams = large;
    struct ruleset *r;
    struct err_text why;
    assert_int_equal(ruleset_build(arena_new(0), &def, &r, NULL, &why), ERR_OK);
    struct strbuf text = {0};
    for (int i = 0; i < 199; i++)
        strbuf_printf(&text, "@eu=%d ", 1 + i % 60);
    assert_int_equal(match_text_judge(r, 0, text.at).failed_rule, RULESET_NONE);
    strbuf_printf(&text, "@eu=61");
    struct verdict v = match_text_judge(r, 0, text.at);
    assert_true(!v.legal && v.failed_rule == 2 && v.measured == 61 && v.bound == 60);
    assert_true(match_text_legal(r, 6000, text.at));
    strbuf_fini(&text);
    ruleset_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_definition_leaves_the_arena_to_the_caller),
        cmocka_unit_test(the_step_in_force_is_the_last_one_reached),
        cmocka_unit_test(no_legal_match_is_outside_the_limits_a_search_prunes_by),
        cmocka_unit_test(a_verdict_does_not_depend_on_the_order_of_tickets),
        cmocka_unit_test(a_match_of_two_hundred_players_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
