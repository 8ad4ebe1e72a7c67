/* worth_test.c - what a ticket puts up with, and when a group becomes worth taking. */
#include "support/model_kit.h"

#include "model/worth.h"

#include <math.h>

static const struct kit_rules duel = {
    .teams = 2, .players_min = 1, .players_max = 1, .spread = 1000, .scale = 100};
static const struct patience ten = {true, false, 10, 60000, {0}, 100};

static const struct worth_prospect pair = {2, 1, 0};

static struct arrivals even_arrivals(double per_second) {
    struct arrivals a = {.width = 50};
    for (int i = 0; i < 20000; i++) {
        struct arrival of = {
            1000 + i * 7919 % 1000, 1, 0, 0, 0, 1000000 + (int64_t)(i * 1000 / per_second)};
        arrivals_note(&a, &of);
    }
    return a;
}

static void a_fresh_ticket_puts_up_with_the_distance_at_which_partners_come(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    for (double rate = 5; rate <= 500; rate *= 10) {
        struct arrivals a = even_arrivals(rate);
        struct worth w = worth_of(&ten, r, &a, a.last_ms);
        struct arrival of = {1500, 1, 0, 0, 0, a.last_ms};
        double start = worth_start(&w, &a, &of, &pair);
        double target = 2 * 0.1 * 2 * 10; /* 2 A N c */
        double reached = start * arrivals_rate(&a) * arrivals_share(&a, 1500, start / w.unit);
        assert_true(fabs(reached - target) < 0.1 * target);
        of.key = 1950; /* near the edge there are fewer */
        assert_true(worth_start(&w, &a, &of, &pair) >= start * 0.99);
        double uncertain = worth_start(&w, &a, &of, &(struct worth_prospect){2, 1, 300});
        assert_true(uncertain >= 300);
    }
    ruleset_free(r);
}

static void where_nobody_comes_any_distance_will_do(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    struct arrivals a = {.width = 50};
    struct arrival of = {1500, 1, 0, 0, 0, 1000000};
    arrivals_note(&a, &of);
    struct worth w = worth_of(&ten, r, &a, of.time_ms);
    of.key = 90000;
    assert_true(worth_start(&w, &a, &of, &pair) >= 1000);
    ruleset_free(r);
}

static void credit_grows_until_the_deadline_and_is_unlimited_from_then_on(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    struct arrivals a = even_arrivals(50);
    struct bin_slot s = {.created_ms = 1000000, .start = 20, .players = 1};
    double before = 0;
    for (int64_t age = 0; age < 60000; age += 500) {
        struct worth w = worth_of(&ten, r, &a, 1000000 + age);
        double credit = worth_credit(&w, &s);
        assert_true(credit > before && credit < 1000);
        before = credit;
    }
    struct worth late = worth_of(&ten, r, &a, 1060000);
    assert_true(worth_credit(&late, &s) >= WORTH_URGENT);
    ruleset_free(r);
}

static void one_of_a_crowded_role_is_never_urgent(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    struct arrivals a = even_arrivals(50);
    struct bin_slot s = {.created_ms = 1000000, .start = 20, .players = 1, .crowded = 1};
    struct worth at = worth_of(&ten, r, &a, 1060000), late = worth_of(&ten, r, &a, 9000000);
    assert_true(worth_credit(&at, &s) < WORTH_URGENT);
    assert_true(worth_credit(&at, &s) == worth_credit(&late, &s));
    const struct bin_slot *list[] = {&s};
    struct worth_group g = {list, 1, 1, 1e6};
    at = worth_of(&ten, r, &a, 1000000);
    assert_true(worth_affordable_ms(&at, &g) == INT64_MAX);
    ruleset_free(r);
}

static bool covers(const struct patience *p, const struct ruleset *r, const struct arrivals *a,
                   const struct worth_group *g, int64_t at_ms) {
    struct worth w = worth_of(p, r, a, at_ms);
    double sum = 0;
    for (uint32_t i = 0; i < g->count; i++)
        sum += worth_credit(&w, g->slots[i]) * g->slots[i]->players;
    return sum >= g->cost * g->players;
}

static void the_moment_at_which_credit_covers_cost_is_exact(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    struct arrivals a = even_arrivals(50);
    struct rng rng;
    rng_init(&rng, 33);
    for (int i = 0; i < 3000; i++) {
        struct bin_slot slots[4];
        const struct bin_slot *list[4];
        struct worth_group g = {list, 1 + (uint32_t)rng_below(&rng, 4), 0, 600 * rng_unit(&rng)};
        int64_t now_ms = 2000000;
        for (uint32_t k = 0; k < g.count; k++) {
            slots[k] = (struct bin_slot){.created_ms = now_ms - (int64_t)rng_below(&rng, 59000),
                                         .start = (float)(50 * rng_unit(&rng)),
                                         .players = (uint16_t)(1 + rng_below(&rng, 5)),
                                         .crowded = rng_below(&rng, 3) == 0};
            list[k] = &slots[k];
            g.players += slots[k].players;
        }
        struct worth w = worth_of(&ten, r, &a, now_ms);
        int64_t at_ms = worth_affordable_ms(&w, &g);
        if (at_ms == INT64_MAX) assert_false(covers(&ten, r, &a, &g, now_ms + 1000000));
        if (at_ms == INT64_MAX) continue;
        assert_true(covers(&ten, r, &a, &g, at_ms));
        assert_true(at_ms == now_ms || !covers(&ten, r, &a, &g, at_ms - 1));
    }
    ruleset_free(r);
}

static void derived_patience_is_stricter_the_more_come(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&duel);
    struct patience derived = {true, true, 0, 60000, {0}, 100};
    double before = INFINITY;
    for (double rate = 0.5; rate <= 500; rate *= 10) {
        struct arrivals a = even_arrivals(rate);
        struct worth w = worth_of(&derived, r, &a, a.last_ms);
        struct arrival of = {1500, 1, 0, 0, 0, a.last_ms};
        double start = worth_start(&w, &a, &of, &pair);
        assert_true(isfinite(start) && start <= before * 1.05);
        assert_true(start >= 5); /* nobody can tell 10 points, and it grows */
        before = start;
    }
    ruleset_free(r);
}

static void pings_within_the_best_or_40_ms_are_free(void **state) {
    (void)state;
    assert_true(worth_ping(40, 12) == 0);
    assert_true(worth_ping(60, 60) == 0);
    assert_true(worth_ping(150, 150) == 0);
    assert_true(worth_ping(60, 30) == 40);
    assert_true(worth_ping(120, 30) > worth_ping(110, 30) + 30);
}

static void uneven_teams_and_parties_cost(void **state) {
    (void)state;
    struct worth w = {.unit = 1};
    const struct split_item items[] = {{2, 200}, {1, 90}, {1, 100}};
    struct split s = {.gap = 5, .team_of = {0, 1, 1}};
    assert_true(worth_uneven(&w, items, &s, 3) == 5 + 10);
    const struct split_item duelists[] = {{1, 200}, {1, 90}};
    struct split duelling = {.gap = 110, .team_of = {0, 1}};
    assert_true(worth_uneven(&w, duelists, &duelling, 2) == 0); /* it is the mismatch */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_ticket_puts_up_with_the_distance_at_which_partners_come),
        cmocka_unit_test(where_nobody_comes_any_distance_will_do),
        cmocka_unit_test(credit_grows_until_the_deadline_and_is_unlimited_from_then_on),
        cmocka_unit_test(one_of_a_crowded_role_is_never_urgent),
        cmocka_unit_test(the_moment_at_which_credit_covers_cost_is_exact),
        cmocka_unit_test(derived_patience_is_stricter_the_more_come),
        cmocka_unit_test(pings_within_the_best_or_40_ms_are_free),
        cmocka_unit_test(uneven_teams_and_parties_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
