/* packing_test.c - the table says what the search says. */
#include "sim/packing.h"

#include "base/mem.h"
#include "model/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct ruleset_team teams[25];

static struct ruleset_limits limits_of(uint32_t team_count, uint32_t each) {
    for (uint32_t t = 0; t < team_count; t++)
        teams[t] = (struct ruleset_team){.players_min = each, .players_max = each};
    return (struct ruleset_limits){.teams = teams,
                                   .team_count = team_count,
                                   .players_min = team_count * each,
                                   .players_max = team_count * each};
}

/* Every number of parties of two to five players. */
static void two_teams_of_five_take_what_the_search_packs(void **state) {
    (void)state;
    struct ruleset_limits l = limits_of(2, 5);
    struct packing p;
    packing_init(&p, &l, 5);
    assert_non_null(p.fits);
    for (uint32_t mix = 0; mix < 6 * 4 * 3 * 3; mix++) {
        const uint32_t of[] = {mix % 6, mix / 6 % 4, mix / 24 % 3, mix / 72};
        uint32_t sizes[LIMIT_MATCH_PLAYERS], count = 0, at = 0;
        for (uint32_t s = 0; s < 4; s++) {
            at += of[s] * p.steps[s + 2];
            for (uint32_t i = 0; i < of[s]; i++)
                sizes[count++] = s + 2;
        }
        assert_int_equal(p.fits[at], split_fits(sizes, count, l.teams, l.team_count));
    }
    packing_fini(&p);
}

static void squads_of_four_take_no_party_of_five(void **state) {
    (void)state;
    struct ruleset_limits l = limits_of(25, 4);
    struct packing p;
    packing_init(&p, &l, 4);
    assert_true(p.fits[25 * p.steps[4]]);                   /* all full */
    assert_true(p.fits[25 * p.steps[3]]);                   /* a place left in each */
    assert_false(p.fits[24 * p.steps[3] + 3 * p.steps[2]]); /* 78 of 100, but no two left */
    assert_true(p.fits[50 * p.steps[2]] && !p.fits[49 * p.steps[2] + p.steps[4]]);
    packing_fini(&p);
}

static void what_is_too_large_for_a_table_has_none(void **state) {
    (void)state;
    struct ruleset_limits l = limits_of(20, 10);
    struct packing p;
    packing_init(&p, &l, 5);
    assert_null(p.fits);
    packing_init(&p, &l, 6);
    assert_null(p.fits);
    packing_fini(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_teams_of_five_take_what_the_search_packs),
        cmocka_unit_test(squads_of_four_take_no_party_of_five),
        cmocka_unit_test(what_is_too_large_for_a_table_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
