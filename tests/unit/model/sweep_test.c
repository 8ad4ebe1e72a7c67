/* sweep_test.c - a pass over a crowd: what it plans is legal, whole, old ones first, the same each
 * time; and a realm gets through it in small turns while tickets come and go. */
#include "support/model_kit.h"

#include "model/sweep.h"

enum { TICKETS = 6000, RULES = 10, NOW_MS = 1000000 };

static const struct role_def roles[] = {
    {STR("tank"), 1, 1, NULL, 0}, {STR("damage"), 2, 2, NULL, 0}, {STR("support"), 2, 2, NULL, 0}};

static const struct kit_rules rules[RULES] = {
    {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .steps = {{20000, 300}}},
    {.teams = 2, .players_min = 1, .players_max = 1, .spread = 3000, .scale = 100, .patience = 10},
    {.teams = 2, .players_min = 2, .players_max = 3, .spread = 400, .latency_ms = 90},
    {.teams = 3, .players_min = 1, .players_max = 2, .spread = 300, .same_mode = true},
    {.teams = 2,
     .players_min = 3,
     .players_max = 3,
     .spread = 200,
     .steps = {{5000, 400}, {30000, 900}},
     .latency_ms = 120,
     .age_is_oldest = true},
    {.teams = 1, .players_min = 4, .players_max = 10, .spread = 300},
    {.teams = 2, .players_min = 5, .players_max = 5, .spread = 100, .latency_ms = 110},
    {.teams = 2,
     .players_min = 5,
     .players_max = 5,
     .spread = 3000,
     .scale = 100,
     .patience = 10,
     .latency_ms = 110},
    {.teams = 2,
     .players_min = 5,
     .players_max = 5,
     .spread = 300,
     .roles = roles,
     .role_count = 3},
    {.teams = 2, .players_min = 1, .players_max = 1, .latency_ms = 80, .same_mode = true},
};

static struct rng rng;

static struct player random_player(struct arena *a, const struct kit_rules *k, const char *mode,
                                   double skill) {
    static const char *const regions[] = {"as", "eu", "us"};
    struct kit_player of = {.id = "p", .skill = skill, .mode = mode};
    for (int r = 0, n = 0; r < 3; r++) {
        if (rng_below(&rng, 4) == 0) continue;
        of.regions[n] = regions[r];
        of.latencies[n++] = 20 + (int)rng_below(&rng, 110);
    }
    struct player p = kit_player(a, &of);
    if (!k->roles) return p;
    struct attribute *with = arena_alloc(a, 4 * sizeof *with);
    struct str *wish = arena_alloc(a, sizeof *wish);
    *wish = roles[rng_below(&rng, 3)].name;
    with[0] = p.attributes[0];
    with[1] = (struct attribute){
        .name = STR("roles"), .kind = ATTRIBUTE_LIST, .item_count = 1, .items = wish};
    with[2] = p.attributes[1];
    p.attributes = with;
    p.attribute_count = 3;
    return p;
}

static struct ticket *random_ticket(struct arena *a, const struct kit_rules *k, int64_t age_ms) {
    uint32_t count = 1, most = k->players_max < 3 ? k->players_max : 3;
    if (rng_below(&rng, 3) == 0) count += (uint32_t)rng_below(&rng, most);
    if (k->roles) count = 1;
    double skill = 1500 + 350 * rng_normal(&rng);
    const char *mode = rng_below(&rng, 8) ? "ice" : "sand";
    struct player players[3];
    for (uint32_t i = 0; i < count; i++)
        players[i] = random_player(a, k, mode, skill + 40 * rng_normal(&rng));
    struct ticket_spec spec = {KIT_QUEUE("q"), players, 1, count};
    struct ticket *t = ticket_new(id_new(&rng, NOW_MS - age_ms), &spec, NULL);
    t->created_ms = NOW_MS - age_ms;
    return t;
}

struct crowd {
    struct arena *arena;
    struct ruleset *ruleset;
    struct pool *pool;
    struct ticket *tickets[TICKETS];
};

static void crowd_init(struct crowd *c, const struct kit_rules *k, uint64_t seed) {
    rng_init(&rng, seed);
    c->arena = arena_new(0);
    c->ruleset = kit_ruleset(k);
    c->pool = pool_new(c->ruleset);
    struct patience patience = {k->patience > 0, false, k->patience, 120000, {0}, k->scale};
    pool_set_patience(c->pool, &patience);
    for (int i = 0; i < TICKETS; i++) {
        while (!kit_admits(c->ruleset, c->tickets[i] = random_ticket(c->arena, k, 60000 - 10 * i)))
            ticket_free(c->tickets[i]);
        (void)pool_add(c->pool, c->tickets[i], 0);
    }
}

static void crowd_fini(struct crowd *c) {
    pool_free(c->pool);
    for (int i = 0; i < TICKETS; i++)
        ticket_free(c->tickets[i]);
    ruleset_free(c->ruleset);
    arena_free(c->arena);
}

struct outcome_of_sweep {
    uint64_t matched, digest;
    struct sweep_counts counts;
};

/* Sweeps to the end, `tickets` of a class at a time; each match is judged once more. */
static struct outcome_of_sweep sweep_all(struct crowd *c, uint64_t tickets) {
    struct outcome_of_sweep o = {0, 0, {0, 0}};
    struct sweep *s = sweep_new();
    struct arena *scratch = arena_new(0);
    for (int plans = 0; sweep_is_due(c->pool); plans++) {
        assert_true(plans < 100000);
        sweep_plan(s, c->pool, NOW_MS, (struct sweep_plan){false, tickets});
        for (const struct pick_result *m; (m = sweep_take(s));) {
            struct candidate candidate = {ticket_specs(m->tickets, m->ticket_count, scratch),
                                          m->team_of, m->ticket_count, m->age_ms};
            assert_true(ruleset_evaluate(c->ruleset, &candidate, scratch).legal);
            for (uint32_t i = 0; i < m->ticket_count; i++) {
                o.digest = (o.digest ^ m->tickets[i]->id.lo) * 1099511628211u + m->team_of[i];
                pool_remove(c->pool, m->tickets[i]->places[0].entry); /* asserts that it is there */
            }
            o.matched += m->ticket_count;
            arena_reset(scratch);
        }
    }
    o.counts = sweep_counted(s);
    arena_free(scratch);
    sweep_free(s);
    return o;
}

static void every_planned_group_is_legal_by_the_evaluator(void **state) {
    (void)state;
    static struct crowd c;
    for (uint64_t i = 0; i < 3 * (uint64_t)RULES; i++) {
        crowd_init(&c, &rules[i % RULES], i);
        struct outcome_of_sweep o = sweep_all(&c, i % 2 ? 100 : SWEEP_TICKETS);
        if (o.counts.refused > 0 || o.matched < TICKETS / 4) {
            fail_msg("rules %d, seed %d: %d groups taken, %d refused, %d tickets matched",
                     (int)(i % RULES), (int)i, (int)o.counts.taken, (int)o.counts.refused,
                     (int)o.matched);
        }
        assert_int_equal(pool_count(c.pool), TICKETS - o.matched);
        uint64_t left = 0;
        while (pool_take(c.pool))
            left++;
        assert_int_equal(left, TICKETS - o.matched); /* all of them are still to be searched */
        crowd_fini(&c);
    }
}

static void the_same_crowd_gives_the_same_matches(void **state) {
    (void)state;
    static struct crowd a, b;
    for (int i = 0; i < RULES; i++) {
        crowd_init(&a, &rules[i], 7);
        crowd_init(&b, &rules[i], 7);
        struct outcome_of_sweep first = sweep_all(&a, 500), second = sweep_all(&b, 500);
        assert_true(first.digest == second.digest);
        crowd_fini(&a);
        crowd_fini(&b);
    }
}

static void among_equals_the_youngest_is_left(void **state) {
    (void)state;
    static struct crowd c;
    struct kit_rules equal = {.teams = 2, .players_min = 2, .players_max = 2, .spread = 1e9};
    crowd_init(&c, &equal, 3); /* one bin: its width is a sixteenth of the spread */
    (void)sweep_all(&c, SWEEP_TICKETS);
    int64_t oldest_left_ms = INT64_MAX;
    uint64_t at = 0;
    for (struct pool_entry *e; (e = pool_next(c.pool, &at));) {
        if (pool_created_ms(e) < oldest_left_ms) oldest_left_ms = pool_created_ms(e);
    }
    assert_true(pool_count(c.pool) < 4);
    if (pool_count(c.pool) > 0) assert_true(oldest_left_ms > NOW_MS - 60000 + 10 * (TICKETS - 50));
    crowd_fini(&c);
}

static void a_sweep_begins_again_only_when_many_more_have_come(void **state) {
    (void)state;
    static struct crowd c;
    struct kit_rules far = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 1e-9};
    crowd_init(&c, &far, 4);
    assert_true(sweep_is_due(c.pool));
    assert_int_equal(sweep_all(&c, SWEEP_TICKETS).matched, 0);
    assert_false(sweep_is_due(c.pool));
    static struct ticket *tickets[SWEEP_MIN];
    for (int i = 0; i < SWEEP_MIN; i++) {
        assert_false(sweep_is_due(c.pool));
        tickets[i] = random_ticket(c.arena, &far, 0);
        (void)pool_add(c.pool, tickets[i], 0);
    }
    assert_true(sweep_is_due(c.pool));
    for (int i = 0; i < SWEEP_MIN; i++)
        pool_remove(c.pool, tickets[i]->places[0].entry);
    for (int i = 0; i < SWEEP_MIN; i++)
        ticket_free(tickets[i]);
    crowd_fini(&c);
}

static const struct kit_rules realm_rules[] = {
    {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100},
    {.teams = 2,
     .players_min = 1,
     .players_max = 1,
     .spread = 100,
     .extra = {{"sum(teams[a].players.attributes[flag])",
                1}}}, /* never: only the evaluator knows */
};

static struct kit kit;

static void a_realm_sweeps_in_small_turns_while_tickets_leave(void **state) {
    (void)state;
    enum { CROWD = 5000 };
    static struct id ids[CROWD];
    kit_init(&kit, realm_rules, 5);
    kit_put(&kit, "q", 0);
    for (int i = 0; i < CROWD; i++)
        ids[i] = kit_solo(&kit, "q", 1000 + 300 * rng_normal(&kit.rng));
    struct decision d = kit_decision(&kit);
    uint32_t cancelled = 0, turns = 0, most = 0;
    for (bool more = true; more; turns++) {
        uint32_t before = kit.match_count;
        more = realm_search(kit.realm, &d, 100);
        if (kit.match_count - before > most) most = kit.match_count - before;
        uint64_t open = realm_tickets_open(kit.realm);
        (void)!kit_cancel(&kit, ids[rng_below(&kit.rng, CROWD)]);
        cancelled += (uint32_t)(open - realm_tickets_open(kit.realm));
    }
    assert_true(turns > CROWD / 2 * 9 / 100 / 2);
    assert_true(most <= 12); /* nine nodes for each */
    uint64_t left = realm_tickets_open(kit.realm);
    assert_true(left < 10);
    assert_int_equal(2 * kit.match_count + cancelled + left, CROWD);
    kit_fini(&kit);
}

static void a_sweep_that_the_evaluator_refuses_ends(void **state) {
    (void)state;
    kit_init(&kit, realm_rules, 6);
    kit_put(&kit, "q", 1);
    for (int i = 0; i < 2 * SWEEP_MIN; i++)
        (void)kit_solo(&kit, "q", 1000000.0 * i);
    for (int i = 0; i < 100; i++)
        (void)kit_solo(&kit, "q", -1);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(realm_tickets_open(kit.realm), 2 * SWEEP_MIN + 100);
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planned_group_is_legal_by_the_evaluator),
        cmocka_unit_test(the_same_crowd_gives_the_same_matches),
        cmocka_unit_test(among_equals_the_youngest_is_left),
        cmocka_unit_test(a_sweep_begins_again_only_when_many_more_have_come),
        cmocka_unit_test(a_realm_sweeps_in_small_turns_while_tickets_leave),
        cmocka_unit_test(a_sweep_that_the_evaluator_refuses_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
