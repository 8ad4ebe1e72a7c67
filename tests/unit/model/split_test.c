/* split_test.c - teams are whole, within their sizes, and as even as can be. */
#include "base/rng.h"
#include "model/split.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct split results[SPLIT_RESULTS];

static uint32_t run(const struct split_item *items, uint32_t count,
                    const struct ruleset_team *teams, uint32_t team_count) {
    struct split_problem p = {items, count, teams, team_count, false};
    return split_find(&p, results, 1);
}

static double gap_of(const struct split_problem *p, const uint32_t *team_of) {
    double low = INFINITY, high = -INFINITY;
    for (uint32_t t = 0; t < p->team_count; t++) {
        double sum = 0;
        uint32_t players = 0;
        for (uint32_t i = 0; i < p->item_count; i++) {
            if (team_of[i] != t) continue;
            sum += p->items[i].sum;
            players += p->items[i].players;
        }
        if (players < p->teams[t].players_min || players > p->teams[t].players_max) return -1;
        if (players == 0) continue;
        low = fmin(low, sum / players);
        high = fmax(high, sum / players);
    }
    return high - low;
}

/* The smallest gap by trying all team_count^item_count ways; -1 when none is legal. */
static double brute_force(const struct split_problem *p) {
    uint64_t ways = 1;
    for (uint32_t i = 0; i < p->item_count; i++)
        ways *= p->team_count;
    double best = -1;
    for (uint64_t way = 0; way < ways; way++) {
        uint32_t team_of[16];
        uint64_t rest = way;
        for (uint32_t i = 0; i < p->item_count; i++, rest /= p->team_count) {
            team_of[i] = (uint32_t)(rest % p->team_count);
        }
        double gap = gap_of(p, team_of);
        if (gap >= 0 && (best < 0 || gap < best)) best = gap;
    }
    return best;
}

static void seed_example_of_two_against_two_is_even(void **state) {
    (void)state;
    const struct split_item items[] = {{1, 300}, {1, 50}, {1, 50}, {1, 50}};
    const struct ruleset_team teams[] = {{STR("a"), 2, 2}, {STR("b"), 2, 2}};
    assert_int_equal(run(items, 4, teams, 2), 1);
    int in_a = 0;
    for (int i = 0; i < 4; i++)
        in_a += results[0].team_of[i] == 0;
    assert_int_equal(in_a, 2);
    assert_float_equal(results[0].gap, 125, 1e-9);
}

static void parties_that_cannot_be_packed_have_no_split(void **state) {
    (void)state;
    const struct split_item items[] = {{3, 3}, {3, 3}, {3, 3}, {1, 1}};
    const struct ruleset_team teams[] = {{STR("a"), 5, 5}, {STR("b"), 5, 5}};
    const uint32_t sizes[] = {3, 3, 3, 1};
    assert_int_equal(run(items, 4, teams, 2), 0);
    assert_false(split_fits(sizes, 4, teams, 2));
}

static bool any_packing(const uint32_t *sizes, uint32_t count, uint32_t *room, uint32_t teams) {
    if (count == 0) return true;
    bool found = false;
    for (uint32_t t = 0; t < teams && !found; t++) {
        if (room[t] < sizes[count - 1]) continue;
        room[t] -= sizes[count - 1];
        found = any_packing(sizes, count - 1, room, teams);
        room[t] += sizes[count - 1];
    }
    return found;
}

static void packing_agrees_with_trying_every_way(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 23);
    uint32_t refused = 0;
    for (int round = 0; round < 20000; round++) {
        struct ruleset_team teams[5];
        uint32_t room[5], sizes[12], capacity = 0, count = 0;
        uint32_t team_count = 1 + (uint32_t)rng_below(&rng, 5),
                 equal = 2 + (uint32_t)rng_below(&rng, 6);
        bool are_equal = rng_below(&rng, 2) == 0;
        for (uint32_t t = 0; t < team_count; t++) {
            room[t] = are_equal ? equal : 1 + (uint32_t)rng_below(&rng, 8);
            teams[t] = (struct ruleset_team){STR("t"), 0, room[t]};
            capacity += room[t];
        }
        while (count < 12 && capacity > 0) {
            uint32_t size = 1 + (uint32_t)rng_below(&rng, 5);
            if (size > capacity) size = capacity;
            sizes[count++] = size;
            capacity -= size;
        }
        bool fits = any_packing(sizes, count, room, team_count);
        assert_true(split_fits(sizes, count, teams, team_count) == fits);
        refused += !fits;
    }
    assert_true(refused > 2000);
}

static void packing_finds_what_best_fit_misses(void **state) {
    (void)state;
    /* Best fit puts 6 + 4 into the team of 10 and strands the 5s. */
    const struct ruleset_team teams[] = {{STR("a"), 0, 10}, {STR("b"), 0, 13}};
    const uint32_t sizes[] = {6, 5, 5, 4, 3};
    assert_true(split_fits(sizes, 5, teams, 2));
}

static void teams_of_different_sizes_get_their_sizes(void **state) {
    (void)state;
    const struct split_item items[] = {{1, 10}, {1, 20}, {1, 30}, {1, 40}, {1, 50}, {1, 60}};
    const struct ruleset_team teams[] = {{STR("monster"), 1, 1}, {STR("hunters"), 5, 5}};
    assert_int_equal(run(items, 6, teams, 2), 1);
    int monsters = 0;
    for (int i = 0; i < 6; i++)
        monsters += results[0].team_of[i] == 0;
    assert_int_equal(monsters, 1);
}

static void a_team_below_its_minimum_is_no_split(void **state) {
    (void)state;
    const struct split_item items[] = {{2, 20}, {1, 10}};
    const struct ruleset_team teams[] = {{STR("a"), 2, 4}, {STR("b"), 2, 4}};
    assert_int_equal(run(items, 2, teams, 2), 0);
}

static void named_teams_give_the_mirrored_splits_too(void **state) {
    (void)state;
    const struct split_item items[] = {{1, 10}, {1, 20}};
    const struct ruleset_team teams[] = {{STR("a"), 1, 1}, {STR("b"), 1, 1}};
    struct split_problem p = {items, 2, teams, 2, true};
    assert_int_equal(split_find(&p, results, SPLIT_RESULTS), 2);
    assert_int_not_equal(results[0].team_of[0], results[1].team_of[0]);
    p.names_matter = false;
    assert_int_equal(split_find(&p, results, SPLIT_RESULTS), 1);
}

static void small_splits_are_as_even_as_brute_force(void **state) {
    (void)state;
    const uint64_t seed = 20261123;
    struct rng rng;
    rng_init(&rng, seed);
    for (int round = 0; round < 400; round++) {
        struct split_item items[8];
        struct ruleset_team teams[3];
        struct split_problem p = {items, 2 + (uint32_t)rng_below(&rng, 7), teams,
                                  2 + (uint32_t)rng_below(&rng, 2), rng_below(&rng, 2)};
        for (uint32_t i = 0; i < p.item_count; i++) {
            items[i].players = 1 + (uint32_t)rng_below(&rng, 3);
            items[i].sum = items[i].players * (double)rng_below(&rng, 1000);
        }
        for (uint32_t t = 0; t < p.team_count; t++) {
            teams[t].players_min = (uint32_t)rng_below(&rng, 4);
            teams[t].players_max = teams[t].players_min + (uint32_t)rng_below(&rng, 5);
        }
        double best = brute_force(&p);
        uint32_t found = split_find(&p, results, 1);
        if ((best < 0) != (found == 0) || (found && fabs(results[0].gap - best) > 1e-6)) {
            fail_msg("seed %llu round %d: gap %f, best is %f", (unsigned long long)seed, round,
                     found ? results[0].gap : -1, best);
        }
        if (found) assert_float_equal(gap_of(&p, results[0].team_of), results[0].gap, 1e-6);
        struct split soon;
        const double enough = 50;
        assert_true(split_find_soon(&p, NULL, enough, &soon) == (found > 0));
        if (found) assert_float_equal(gap_of(&p, soon.team_of), soon.gap, 1e-6);
        if (found) assert_true(soon.gap <= fmax(best, enough) + 1e-6);
    }
}

static void a_hundred_against_a_hundred_is_nearly_even(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    struct split_item items[200];
    for (int i = 0; i < 200; i++)
        items[i] = (struct split_item){1, 1500 + 300 * rng_normal(&rng)};
    const struct ruleset_team teams[] = {{STR("a"), 100, 100}, {STR("b"), 100, 100}};
    assert_int_equal(run(items, 200, teams, 2), 1);
    struct split_problem p = {items, 200, teams, 2, false};
    assert_float_equal(gap_of(&p, results[0].team_of), results[0].gap, 1e-6);
    assert_true(results[0].gap < 1);
}

static void large_parties_are_packed_even_when_levelling_fails(void **state) {
    (void)state;
    /* 5 + 5 and 4 + 3 + 3 only; ten solos make it more than the exact method takes. */
    const struct split_item items[] = {{5, 5}, {5, 5}, {4, 4}, {3, 3}, {3, 3},
                                       {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1},
                                       {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    const struct ruleset_team teams[] = {
        {STR("a"), 10, 10}, {STR("b"), 10, 10}, {STR("c"), 10, 10}};
    assert_int_equal(run(items, 15, teams, 3), 1);
    struct split_problem p = {items, 15, teams, 3, false};
    assert_true(gap_of(&p, results[0].team_of) >= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_example_of_two_against_two_is_even),
        cmocka_unit_test(parties_that_cannot_be_packed_have_no_split),
        cmocka_unit_test(packing_agrees_with_trying_every_way),
        cmocka_unit_test(packing_finds_what_best_fit_misses),
        cmocka_unit_test(teams_of_different_sizes_get_their_sizes),
        cmocka_unit_test(a_team_below_its_minimum_is_no_split),
        cmocka_unit_test(named_teams_give_the_mirrored_splits_too),
        cmocka_unit_test(small_splits_are_as_even_as_brute_force),
        cmocka_unit_test(a_hundred_against_a_hundred_is_nearly_even),
        cmocka_unit_test(large_parties_are_packed_even_when_levelling_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
