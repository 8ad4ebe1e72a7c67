/* eta_test.c - estimates of waits: the estimator, what is learnt and forgotten, and whether what
 * tickets are told comes true in the real realm under random arrivals. */
#include "support/model_kit.h"

#include "model/eta.h"
#include "model/eta_curve.h"

#include <math.h>

/* ---- the estimator ---- */

static void waits_of(struct eta_curve *c, int64_t from_ms, int64_t to_ms, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        int64_t wait = from_ms + (to_ms - from_ms) * i / count;
        c->matched[queue_wait_bucket(wait)]++;
    }
}

static double rest(const struct eta_curve *c, int64_t age_ms, int32_t ms[2]) {
    return eta_curve_rest(c, (struct eta_open){0}, 1, age_ms, ms);
}

static void curve_of_no_waits_knows_nothing(void **state) {
    (void)state;
    struct eta_curve c = {0};
    int32_t ms[2];
    assert_true(rest(&c, 0, ms) == 0);
}

static void curve_gives_the_quantiles_of_even_waits(void **state) {
    (void)state;
    struct eta_curve c = {0};
    int32_t ms[2];
    waits_of(&c, 0, 100000, 10000);
    assert_true(rest(&c, 0, ms) == 10000);
    assert_in_range(ms[0], 49000, 51000);
    assert_in_range(ms[1], 89000, 91000);
    /* Who has waited 60 s has 40 s at most before him. */
    assert_in_range(rest(&c, 60000, ms), 3990, 4500);
    assert_in_range(ms[0], 19000, 21000);
    assert_in_range(ms[1], 35000, 42000); /* the last bucket goes beyond 100 s */
}

static void few_waits_give_a_cautious_answer(void **state) {
    (void)state;
    struct eta_curve few = {0}, many = {0};
    int32_t of_few[2], of_many[2];
    waits_of(&few, 0, 100000, 20);
    waits_of(&many, 0, 100000, 20000);
    rest(&few, 0, of_few);
    rest(&many, 0, of_many);
    assert_true(of_few[1] > of_many[1]);
}

static void waits_cut_short_make_the_estimate_longer(void **state) {
    (void)state;
    struct eta_curve c = {0};
    int32_t before[2], after[2];
    waits_of(&c, 0, 10000, 1000);
    rest(&c, 0, before);
    c.cut[queue_wait_bucket(5000)] = 500;
    rest(&c, 0, after);
    assert_true(after[0] > before[0]);
    c.cut[queue_wait_bucket(20000)] = 5000; /* most give up: nine in ten are never matched */
    rest(&c, 0, after);
    assert_int_equal(after[1], ETA_BEYOND);
}

static void who_is_still_open_counts_as_longer_than_he_has_waited(void **state) {
    (void)state;
    struct eta_curve c = {0};
    int32_t alone[2], beside[2];
    waits_of(&c, 0, 1000, 100);
    rest(&c, 0, alone);
    eta_curve_rest(&c, (struct eta_open){100, 60000}, 1, 0, beside);
    assert_in_range(alone[1], 850, 1000);
    assert_int_equal(beside[1], ETA_BEYOND);
}

static void no_wait_as_long_as_the_one_asked_for_is_no_answer(void **state) {
    (void)state;
    struct eta_curve c = {0};
    int32_t ms[2];
    waits_of(&c, 0, 1000, 100);
    assert_true(rest(&c, 50000, ms) == 0);
}

/* ---- what is learnt ---- */

static const struct kit_rules duel = {
    .teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .age_is_oldest = true};
static const struct kit_rules regional = {
    .teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .latency_ms = 100};

static const struct role_def tank_and_dps[] = {{STR("tank"), 1, 1, NULL, 0},
                                               {STR("dps"), 1, 1, NULL, 0}};
static const struct kit_rules cast = {.teams = 2,
                                      .players_min = 2,
                                      .players_max = 2,
                                      .spread = 1000,
                                      .roles = tank_and_dps,
                                      .role_count = 2,
                                      .timeout_ms = 120000,
                                      .tick_ms = 50};

struct teacher { /* feeds an eta by hand */
    struct eta *eta;
    struct ruleset *rules;
    struct arena *arena;
    int64_t now_ms;
};

static struct teacher teach(const struct kit_rules *rules) {
    return (struct teacher){eta_new(), kit_ruleset(rules), arena_new(0), 1000000};
}

static void dismiss(struct teacher *t) {
    eta_free(t->eta);
    ruleset_free(t->rules);
    arena_free(t->arena);
}

static struct ticket_spec one(struct teacher *t, double skill, const char *region) {
    struct player *p = arena_alloc(t->arena, sizeof *p);
    *p = kit_player(
        t->arena,
        &(struct kit_player){.id = "p", .skill = skill, .regions = {region}, .latencies = {30}});
    return (struct ticket_spec){.players = p, .player_count = 1};
}

static struct ticket_spec of_roles(struct teacher *t, double skill, const char *first,
                                   const char *second) {
    struct player *p = arena_alloc(t->arena, sizeof *p);
    *p = kit_player(t->arena,
                    &(struct kit_player){.id = "p", .skill = skill, .roles = {first, second}});
    return (struct ticket_spec){.players = p, .player_count = 1};
}

/* `count` tickets, a second apart, wait `wait_ms` each and end so. */
static void lesson(struct teacher *t, struct ticket_spec spec, unsigned count, int64_t wait_ms,
                   enum eta_end end) {
    for (unsigned i = 0; i < count; i++) {
        t->now_ms += 1000;
        uint16_t kind = eta_arrive(t->eta, t->rules, &spec, t->now_ms - wait_ms);
        eta_leave(t->eta, kind, t->now_ms - wait_ms, t->now_ms, end);
    }
}

static struct eta_wait ask(struct teacher *t, struct ticket_spec spec, int64_t age_ms) {
    struct eta_ask a = {t->now_ms, age_ms, 600000};
    return eta_at(t->eta, eta_kind_of(t->eta, t->rules, &spec), &a);
}

static void nothing_is_known_before_twenty_waits_have_ended(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    assert_int_equal(ask(&t, one(&t, 0, NULL), 0).basis, ETA_UNKNOWN);
    lesson(&t, one(&t, 0, NULL), ETA_KNOWN_MIN - 1, 5000, ETA_MATCHED);
    assert_int_equal(ask(&t, one(&t, 0, NULL), 0).rest.p90_ms, 0);
    lesson(&t, one(&t, 0, NULL), 1, 5000, ETA_MATCHED);
    struct eta_wait w = ask(&t, one(&t, 0, NULL), 0);
    assert_int_equal(w.basis, ETA_NARROW);
    assert_in_range(w.rest.p90_ms, 4871, 5800);
    dismiss(&t);
}

static void cancelled_waits_teach_nothing_of_how_long_the_others_are(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    lesson(&t, one(&t, 0, NULL), 1000, 10, ETA_CUT);
    assert_int_equal(ask(&t, one(&t, 0, NULL), 0).basis, ETA_UNKNOWN);
    lesson(&t, one(&t, 0, NULL), 100, 60000, ETA_MATCHED);
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 55000, 66000);
    dismiss(&t);
}

static void what_lies_beyond_the_tickets_end_is_not_told(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    for (int i = 0; i < 100; i++) { /* one in five gives up */
        lesson(&t, one(&t, 0, NULL), 4, 1000, ETA_MATCHED);
        lesson(&t, one(&t, 0, NULL), 1, 600000, ETA_EXPIRED);
    }
    struct eta_wait w = ask(&t, one(&t, 0, NULL), 0);
    assert_in_range(w.rest.p50_ms, 800, 1100);
    assert_int_equal(w.rest.p90_ms, 0);
    lesson(&t, one(&t, 0, NULL), 400, 600000, ETA_EXPIRED); /* and now nearly all */
    w = ask(&t, one(&t, 0, NULL), 0);
    assert_true(w.basis != ETA_UNKNOWN && w.samples > 0);
    assert_true(w.rest.p50_ms == 0 && w.rest.p90_ms == 0);
    dismiss(&t);
}

static void each_set_of_roles_is_told_its_own_wait(void **state) {
    (void)state;
    struct teacher t = teach(&cast);
    for (int i = 0; i < 60; i++) {
        lesson(&t, of_roles(&t, i, "tank", NULL), 1, 1000, ETA_MATCHED);
        lesson(&t, of_roles(&t, i, "dps", NULL), 1, 60000, ETA_MATCHED);
    }
    assert_in_range(ask(&t, of_roles(&t, 30, "tank", NULL), 0).rest.p90_ms, 861, 1100);
    assert_in_range(ask(&t, of_roles(&t, 30, "dps", NULL), 0).rest.p50_ms, 55000, 66000);
    /* Of a skill that no band knows, the role is known still; of both roles, the queue. */
    struct eta_wait far = ask(&t, of_roles(&t, 99999, "tank", NULL), 0);
    assert_in_range(far.rest.p90_ms, 861, 1200);
    assert_int_equal(ask(&t, of_roles(&t, 30, "dps", "tank"), 0).basis, ETA_QUEUE);
    dismiss(&t);
}

/* 100 come a second apart and one leaves in two: who comes last waits for all before him. */
static void in_a_crowd_that_grows_a_newcomer_is_told_longer(void **state) {
    (void)state;
    struct teacher t = teach(&cast);
    struct ticket_spec dps = of_roles(&t, 0, "dps", NULL);
    int64_t came_ms[1000];
    uint16_t kinds[1000];
    size_t left = 0;
    for (size_t i = 0; i < 1000; i++) {
        came_ms[i] = t.now_ms += 100;
        kinds[i] = eta_arrive(t.eta, t.rules, &dps, t.now_ms);
        if (i % 2) eta_leave(t.eta, kinds[left], came_ms[left], t.now_ms, ETA_MATCHED), left++;
    }
    /* 500 wait, 5 leave a second: 100 s, where the last who left had waited 50. */
    struct eta_wait w = ask(&t, dps, 0);
    assert_in_range(w.rest.p50_ms, 75000, 140000);
    assert_true(ask(&t, dps, 50000).rest.p50_ms < w.rest.p50_ms);
    struct eta_ask brief = {t.now_ms, 0, 60000};
    assert_int_equal(eta_at(t.eta, eta_kind_of(t.eta, t.rules, &dps), &brief).rest.p90_ms, 0);
    dismiss(&t);
}

static void a_lone_region_is_told_its_own_wait_and_a_new_one_the_queues(void **state) {
    (void)state;
    struct teacher t = teach(&regional);
    for (int i = 0; i < 40; i++) {
        lesson(&t, one(&t, i, "eu"), 4, 1000, ETA_MATCHED);
        lesson(&t, one(&t, i, "au"), 1, 100000, ETA_MATCHED);
    }
    assert_in_range(ask(&t, one(&t, 20, "eu"), 0).rest.p90_ms, 861, 1100);
    struct eta_wait lone = ask(&t, one(&t, 20, "au"), 0);
    assert_true(lone.basis >= ETA_WIDE || lone.basis == ETA_QUEUE);
    assert_in_range(lone.rest.p50_ms, 92000, 111000);
    struct eta_wait new = ask(&t, one(&t, 20, "br"), 0);
    assert_int_equal(new.basis, ETA_QUEUE);
    assert_in_range(new.rest.p50_ms, 861, 2000);
    dismiss(&t);
}

static void outer_bands_of_skill_are_told_apart_from_the_middle(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    for (int i = 0; i < 4000; i++) {
        double skill = (i * 37) % 1000;
        int64_t wait_ms = skill > 985 ? 120000 : 2000;
        lesson(&t, one(&t, skill, NULL), 1, wait_ms, ETA_MATCHED);
    }
    assert_in_range(ask(&t, one(&t, 500, NULL), 0).rest.p90_ms, 1700, 2100);
    assert_in_range(ask(&t, one(&t, 999, NULL), 0).rest.p50_ms, 100000, 132000);
    dismiss(&t);
}

static void new_waits_displace_the_old_ones(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    lesson(&t, one(&t, 0, NULL), 5000, 1000, ETA_MATCHED);
    lesson(&t, one(&t, 0, NULL), 1000, 60000, ETA_MATCHED);
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 55000, 66000);
    dismiss(&t);
}

static void a_night_without_tickets_does_not_make_a_queue_forget(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    lesson(&t, one(&t, 0, NULL), 500, 1000, ETA_MATCHED);
    t.now_ms += 8 * 3600000;
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 861, 1024);
    lesson(&t, one(&t, 0, NULL), 200, 60000, ETA_MATCHED); /* and in the morning it learns soon */
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 55000, 66000);
    dismiss(&t);
}

static void new_rules_are_learnt_sooner_than_new_habits(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    lesson(&t, one(&t, 0, NULL), 500, 1000, ETA_MATCHED);
    eta_doubt(t.eta);
    assert_true(ask(&t, one(&t, 0, NULL), 0).basis != ETA_UNKNOWN);
    lesson(&t, one(&t, 0, NULL), 60, 60000, ETA_MATCHED);
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 55000, 66000);
    dismiss(&t);
}

static void an_estimate_is_for_the_rest_of_the_wait(void **state) {
    (void)state;
    struct teacher t = teach(&duel);
    for (int i = 0; i < 400; i++)
        lesson(&t, one(&t, 0, NULL), 1, i % 4 == 0 ? 90000 : 1000, ETA_MATCHED);
    assert_in_range(ask(&t, one(&t, 0, NULL), 0).rest.p50_ms, 861, 1024);
    struct eta_wait late = ask(&t, one(&t, 0, NULL), 30000); /* he is one of the slow ones */
    assert_in_range(late.rest.p50_ms, 40000, 63000);
    assert_int_equal(ask(&t, one(&t, 0, NULL), 3600000).basis, ETA_UNKNOWN);
    dismiss(&t);
}

static void estimates_are_the_same_for_the_same_history(void **state) {
    (void)state;
    struct teacher a = teach(&duel), b = teach(&duel);
    for (int i = 0; i < 2000; i++) {
        lesson(&a, one(&a, i % 70, NULL), 1, i % 977, ETA_MATCHED);
        lesson(&b, one(&b, i % 70, NULL), 1, i % 977, ETA_MATCHED);
        struct eta_wait x = ask(&a, one(&a, i % 50, NULL), 0),
                        y = ask(&b, one(&b, i % 50, NULL), 0);
        assert_memory_equal(&x, &y, sizeof x);
    }
    dismiss(&a);
    dismiss(&b);
}

static void kinds_beyond_the_limit_are_estimated_by_wider_ones(void **state) {
    (void)state;
    struct teacher t = teach(&regional);
    char region[16];
    for (int i = 0; i < 3000; i++) {
        snprintf(region, sizeof region, "r%d", i % 20);
        const char *kept = arena_str(t.arena, str_of(region)).at;
        lesson(&t, one(&t, i % 1000, kept), 1, 1000, ETA_MATCHED);
        assert_true(i < 100 || ask(&t, one(&t, i % 1000, kept), 0).basis != ETA_UNKNOWN);
    }
    dismiss(&t);
}

static void a_summary_has_a_row_for_each_band_region_and_party_size(void **state) {
    (void)state;
    struct teacher t = teach(&regional);
    struct eta_row row;
    struct eta_ask a = {t.now_ms, 0, 600000};
    assert_false(eta_summary(t.eta, ETA_BY_QUEUE, 0, &a, &row));
    for (int i = 0; i < 8000; i++)
        lesson(&t, one(&t, i % 100, i % 2 ? "eu" : "us"), 1, i % 2 ? 1000 : 4000, ETA_MATCHED);
    a.now_ms = t.now_ms;
    assert_true(eta_summary(t.eta, ETA_BY_QUEUE, 0, &a, &row));
    assert_in_range(row.wait.rest.p90_ms, 3444, 4096);
    double before = -INFINITY;
    for (uint32_t i = 0; i < ETA_BANDS; i++) {
        assert_true(eta_summary(t.eta, ETA_BY_BAND, i, &a, &row));
        assert_true(row.key_low >= before && row.key_high >= row.key_low);
        before = row.key_high;
    }
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(eta_summary(t.eta, ETA_BY_SEGMENT, i, &a, &row));
        bool eu = str_equal(row.region, STR("eu"));
        assert_in_range(row.wait.rest.p50_ms, eu ? 861 : 3444, eu ? 1024 : 4096);
    }
    assert_true(eta_summary(t.eta, ETA_BY_PARTY, 0, &a, &row));
    assert_int_equal(row.players_max, 1);
    assert_false(eta_summary(t.eta, ETA_BY_PARTY, 1, &a, &row));
    dismiss(&t);
}

/* ---- the real realm in virtual time ---- */

struct stream { /* arrivals of a Poisson process */
    const struct kit_rules *rules;
    double rate; /* tickets a second */
    int64_t seconds;
    uint32_t party_max; /* half of the tickets are solo, the others of any size up to it */
    bool regions;       /* nine in ten are near eu, the tenth near us */
    double dps;         /* share of solo players who play dps, the others tank; 0: no roles */
    double told;        /* at least so much of the matched were told; 0: 0.9 */
};

static double exponential(struct rng *rng, double mean) {
    return -mean * log(1 - rng_unit(rng));
}

static void arrive(struct kit *k, const struct stream *s) {
    bool lone = s->regions && rng_below(&k->rng, 10) == 0;
    uint32_t size = rng_below(&k->rng, 2) ? 1 : 1 + (uint32_t)rng_below(&k->rng, s->party_max);
    struct kit_player players[5] = {0};
    char names[5][16];
    double skill = 1500 + 350 * rng_normal(&k->rng);
    for (uint32_t i = 0; i < size; i++) {
        snprintf(names[i], sizeof names[i], "p%u", k->players_named++);
        players[i] = (struct kit_player){.id = names[i], .skill = skill};
        if (s->dps > 0) players[i].roles[0] = rng_unit(&k->rng) < s->dps ? "dps" : "tank";
        if (!s->regions) continue;
        players[i].regions[0] = "eu";
        players[i].regions[1] = "us";
        players[i].latencies[0] = lone ? 180 : 30;
        players[i].latencies[1] = lone ? 20 : 180;
    }
    kit_create(k, "q", players, size);
}

static void run_to(struct kit *k, int64_t until_ms) {
    int64_t due;
    while ((due = realm_next_due_ms(k->realm)) <= until_ms) {
        if (due > k->now_ms) k->now_ms = due;
        struct decision d = kit_decision(k);
        realm_expire(k->realm, &d, 1000);
        kit_search(k);
    }
    k->now_ms = until_ms;
}

/* The part of the matched tickets whose wait was within the p90 that they were told at creation. */
static double coverage(const struct stream *s, uint64_t seed) {
    struct kit k;
    kit_init(&k, s->rules, seed);
    kit_put(&k, "q", 0);
    double next_ms = (double)k.now_ms;
    int64_t end_ms = k.now_ms + s->seconds * 1000;
    while ((next_ms += exponential(&k.rng, 1000 / s->rate)) < (double)end_ms) {
        run_to(&k, (int64_t)next_ms);
        arrive(&k, s);
    }
    run_to(&k, end_ms);
    const struct queue_stats *stats = &realm_queue(k.realm, STR("q"))->stats;
    double told = (double)stats->estimated, kept = (double)stats->kept / told;
    print_message("seed %llu: %.0f of %llu tickets were told, %.1f %% of the p90s were kept\n",
                  (unsigned long long)seed, told, (unsigned long long)stats->matched, 100 * kept);
    assert_true(told > (s->told > 0 ? s->told : 0.9) * (double)stats->matched);
    kit_fini(&k);
    return kept;
}

static void check_coverage(const struct stream *s) {
    for (uint64_t seed = 1; seed <= 3; seed++) {
        double kept = coverage(s, seed);
        assert_true(kept >= 0.85 && kept <= 0.95);
    }
}

static void nine_in_ten_duels_come_within_the_p90_told(void **state) {
    (void)state;
    static const struct kit_rules rules = {.teams = 2,
                                           .players_min = 1,
                                           .players_max = 1,
                                           .spread = 100,
                                           .steps = {{20000, 200}, {60000, 400}},
                                           .tick_ms = 50,
                                           .age_is_oldest = true};
    check_coverage(&(struct stream){&rules, 0.2, 4 * 3600, 1, false, 0, 0});
    check_coverage(&(struct stream){&rules, 2, 1800, 1, false, 0, 0});
    check_coverage(&(struct stream){&rules, 30, 120, 1, false, 0, 0});
}

static void nine_in_ten_parties_come_within_the_p90_told(void **state) {
    (void)state;
    static const struct kit_rules rules = {.teams = 2,
                                           .players_min = 3,
                                           .players_max = 3,
                                           .spread = 150,
                                           .steps = {{20000, 300}, {60000, 600}},
                                           .tick_ms = 50};
    check_coverage(&(struct stream){&rules, 1, 7200, 3, false, 0, 0});
}

static void nine_in_ten_of_each_region_come_within_the_p90_told(void **state) {
    (void)state;
    static const struct kit_rules rules = {.teams = 2,
                                           .players_min = 2,
                                           .players_max = 2,
                                           .spread = 200,
                                           .steps = {{20000, 300}, {60000, 600}},
                                           .latency_ms = 100,
                                           .tick_ms = 50};
    check_coverage(&(struct stream){&rules, 2, 3600, 2, true, 0, 0});
}

/* Seven dps come for three tanks: the crowd grows until dps expire, then half of them do and are
 * told no p90. */
static void nine_in_ten_of_a_crowded_role_come_within_the_p90_told(void **state) {
    (void)state;
    check_coverage(&(struct stream){&cast, 4, 600, 1, false, 0.7, 0.4});
    check_coverage(&(struct stream){&cast, 4, 600, 1, false, 0.5, 0.9});
}

/* ---- in the realm ---- */

static void a_ticket_keeps_what_it_was_told_and_a_replay_knows_the_same(void **state) {
    (void)state;
    struct kit k;
    kit_init(&k, &duel, 5);
    kit_put(&k, "q", 0);
    for (int i = 0; i < 200; i++) {
        kit_solo(&k, "q", 100);
        k.now_ms += 700;
        kit_search(&k);
    }
    struct id id = kit_solo(&k, "q", 100);
    const struct ticket *t = realm_ticket(k.realm, id);
    assert_true(t->promised.p50_ms > 0 && t->promised.p90_ms >= t->promised.p50_ms);
    struct realm *again = realm_new(3600000);
    kit_replay(&k, again, 0, k.record_count);
    const struct ticket *copy = realm_ticket(again, id);
    assert_memory_equal(&copy->promised, &t->promised, sizeof t->promised);
    for (int64_t later = 0; later < 2000; later += 400) {
        struct ticket_wait a = realm_wait(k.realm, t, k.now_ms + later);
        struct ticket_wait b = realm_wait(again, copy, k.now_ms + later);
        assert_memory_equal(&a, &b, sizeof a);
    }
    realm_free(again);
    kit_fini(&k);
}

static void a_ticket_that_has_ended_waits_no_more(void **state) {
    (void)state;
    struct kit k;
    kit_init(&k, &duel, 6);
    kit_put(&k, "q", 0);
    for (int i = 0; i < 100; i++) {
        kit_solo(&k, "q", 100);
        k.now_ms += 700;
        kit_search(&k);
    }
    struct id id = kit_solo(&k, "q", 5000);
    assert_true(realm_wait(k.realm, realm_ticket(k.realm, id), k.now_ms).p90_ms > 0);
    assert_int_equal(kit_cancel(&k, id), ERR_OK);
    assert_int_equal(realm_wait(k.realm, realm_ticket(k.realm, id), k.now_ms).p90_ms, 0);
    kit_fini(&k);
}

static void nothing_is_told_where_nobody_is_matched_in_time(void **state) {
    (void)state;
    static const struct kit_rules brief = {
        .teams = 2, .players_min = 1, .players_max = 1, .spread = 1, .timeout_ms = 3000};
    struct kit k;
    kit_init(&k, &brief, 7);
    kit_put(&k, "q", 0);
    for (int i = 0; i < 100; i++) {
        kit_solo(&k, "q", i * 100);
        run_to(&k, k.now_ms + 1000);
    }
    struct id id = kit_solo(&k, "q", -50);
    assert_int_equal(realm_ticket(k.realm, id)->promised.p90_ms, 0);
    assert_int_equal(realm_wait(k.realm, realm_ticket(k.realm, id), k.now_ms + 1000).p90_ms, 0);
    assert_int_equal(realm_queue(k.realm, STR("q"))->stats.estimated, 0);
    kit_fini(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_of_no_waits_knows_nothing),
        cmocka_unit_test(curve_gives_the_quantiles_of_even_waits),
        cmocka_unit_test(few_waits_give_a_cautious_answer),
        cmocka_unit_test(waits_cut_short_make_the_estimate_longer),
        cmocka_unit_test(who_is_still_open_counts_as_longer_than_he_has_waited),
        cmocka_unit_test(no_wait_as_long_as_the_one_asked_for_is_no_answer),
        cmocka_unit_test(nothing_is_known_before_twenty_waits_have_ended),
        cmocka_unit_test(cancelled_waits_teach_nothing_of_how_long_the_others_are),
        cmocka_unit_test(what_lies_beyond_the_tickets_end_is_not_told),
        cmocka_unit_test(each_set_of_roles_is_told_its_own_wait),
        cmocka_unit_test(in_a_crowd_that_grows_a_newcomer_is_told_longer),
        cmocka_unit_test(a_lone_region_is_told_its_own_wait_and_a_new_one_the_queues),
        cmocka_unit_test(outer_bands_of_skill_are_told_apart_from_the_middle),
        cmocka_unit_test(new_waits_displace_the_old_ones),
        cmocka_unit_test(a_night_without_tickets_does_not_make_a_queue_forget),
        cmocka_unit_test(new_rules_are_learnt_sooner_than_new_habits),
        cmocka_unit_test(an_estimate_is_for_the_rest_of_the_wait),
        cmocka_unit_test(estimates_are_the_same_for_the_same_history),
        cmocka_unit_test(kinds_beyond_the_limit_are_estimated_by_wider_ones),
        cmocka_unit_test(a_summary_has_a_row_for_each_band_region_and_party_size),
        cmocka_unit_test(nine_in_ten_duels_come_within_the_p90_told),
        cmocka_unit_test(nine_in_ten_parties_come_within_the_p90_told),
        cmocka_unit_test(nine_in_ten_of_each_region_come_within_the_p90_told),
        cmocka_unit_test(nine_in_ten_of_a_crowded_role_come_within_the_p90_told),
        cmocka_unit_test(a_ticket_keeps_what_it_was_told_and_a_replay_knows_the_same),
        cmocka_unit_test(a_ticket_that_has_ended_waits_no_more),
        cmocka_unit_test(nothing_is_told_where_nobody_is_matched_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
