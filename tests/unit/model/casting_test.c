/* casting_test.c - counting who can play what agrees with trying every assignment. */
#include "support/model_kit.h"

#include "model/casting.h"
#include "model/split.h"

static const struct role_def roles[3] = {
    {STR("tank"), 1, 1, NULL, 0}, {STR("damage"), 1, 3, NULL, 0}, {STR("support"), 1, 2, NULL, 0}};
static const struct kit_rules team_of_five = {
    .teams = 2, .players_min = 5, .players_max = 5, .roles = roles, .role_count = 3};

static bool can_place(const uint32_t *plays, uint32_t count, uint32_t *left) {
    if (count == 0) return true;
    for (uint32_t role = 0; role < 3; role++) {
        if (!(plays[count - 1] >> role & 1) || left[role] == 0) continue;
        left[role]--;
        bool placed = can_place(plays, count - 1, left);
        left[role]++;
        if (placed) return true;
    }
    return false;
}

static bool all_placed(const uint32_t *plays, uint32_t count, uint32_t *have) {
    if (count == 0) {
        for (uint32_t role = 0; role < 3; role++) {
            if (have[role] < roles[role].players_min || have[role] > roles[role].players_max)
                return false;
        }
        return true;
    }
    for (uint32_t role = 0; role < 3; role++) {
        if (!(plays[count - 1] >> role & 1)) continue;
        have[role]++;
        bool placed = all_placed(plays, count - 1, have);
        have[role]--;
        if (placed) return true;
    }
    return false;
}

static void counts_agree_with_trying_every_assignment(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&team_of_five);
    struct casting *c = casting_new(r);
    struct rng rng;
    rng_init(&rng, 51);
    uint32_t full = 0;
    for (int i = 0; i < 20000; i++) {
        struct casting_counts counts = {{0}};
        uint32_t plays[5], count = 1 + (uint32_t)rng_below(&rng, 5);
        for (uint32_t k = 0; k < count; k++) {
            plays[k] = 1 + (uint32_t)rng_below(&rng, 7);
            casting_add(c, &counts, plays[k], 1);
        }
        bool fits = casting_fits(c, &counts, &c->teams[0]);
        uint32_t most[3] = {1, 3, 2}, have[3] = {0};
        if (count == 5) {
            assert_true(fits == all_placed(plays, count, have));
            full += fits;
        } else if (fits) {
            assert_true(can_place(plays, count, most));
        }
        for (uint32_t k = 0; k < count; k++)
            casting_take(c, &counts, plays[k], 1);
        for (uint32_t set = 0; set < 1 << CASTING_ROLES; set++)
            assert_int_equal(counts.within[set], 0);
    }
    assert_true(full > 100);
    mem_free(c);
    ruleset_free(r);
}

static void a_crowd_without_the_rare_role_does_not_suffice(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&team_of_five);
    struct casting *c = casting_new(r);
    struct casting_crowd crowd = {{0}, 0};
    for (int i = 0; i < 100; i++)
        casting_crowd_add(&crowd, 2, 1);
    assert_false(casting_crowd_suffices(&crowd, c));
    casting_crowd_add(&crowd, 1 | 4 << CASTING_ROLES, 2); /* a tank and a support */
    assert_false(casting_crowd_suffices(&crowd, c));
    casting_crowd_add(&crowd, 5 | 5 << CASTING_ROLES, 2); /* two of either */
    assert_true(casting_crowd_suffices(&crowd, c));
    casting_crowd_take(&crowd, 1 | 4 << CASTING_ROLES, 2);
    assert_false(casting_crowd_suffices(&crowd, c));
    mem_free(c);
    ruleset_free(r);
}

static void splits_in_which_a_team_lacks_a_role_are_left_out(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&team_of_five);
    struct casting *c = casting_new(r);
    /* the evenest split has both tanks in one team */
    struct split_item items[10];
    uint32_t of[10];
    for (uint32_t i = 0; i < 10; i++) {
        items[i] = (struct split_item){1, i < 2 ? 500 : 1000};
        if (i >= 2 && i < 5) items[i].sum = 667;
        of[i] = i < 2 ? 1 : i < 5 ? 2 : 4; /* five supports: one too many */
    }
    const struct ruleset_limits *l = ruleset_limits_at(r, 0);
    struct split_problem p = {items, 10, l->teams, l->team_count, false};
    struct split_roles cast = {c, of};
    struct split out[SPLIT_RESULTS];
    uint32_t count = split_find_cast(&p, &cast, out, SPLIT_RESULTS);
    assert_int_equal(count, 0);
    of[7] = 2;
    count = split_find_cast(&p, &cast, out, SPLIT_RESULTS);
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++)
        assert_true(out[i].team_of[0] != out[i].team_of[1]);
    mem_free(c);
    ruleset_free(r);
}

static void a_role_that_must_be_there_is_needed(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&team_of_five);
    struct casting *c = casting_new(r);
    assert_true(casting_need(c, 0) > 0.19 && casting_need(c, 0) < 0.41);
    assert_int_equal(casting_only_role(1, 1), 0);
    assert_int_equal(casting_only_role(3, 1), CASTING_ROLES);
    assert_int_equal(casting_only_role(4 | 4 << CASTING_ROLES, 2), 2);
    assert_int_equal(casting_any_role(1 | 4 << CASTING_ROLES, 2), 5);
    mem_free(c);
    ruleset_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_agree_with_trying_every_assignment),
        cmocka_unit_test(a_crowd_without_the_rare_role_does_not_suffice),
        cmocka_unit_test(splits_in_which_a_team_lacks_a_role_are_left_out),
        cmocka_unit_test(a_role_that_must_be_there_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
