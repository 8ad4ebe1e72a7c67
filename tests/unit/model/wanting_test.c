/* wanting_test.c - what is known of groups that were not worth it. */
#include "support/model_kit.h"

#include "model/wanting.h"

static void the_last_groups_are_known_and_older_ones_forgotten(void **state) {
    (void)state;
    struct wanting w = {0};
    for (uint64_t group = 1; group <= 3 * WANTING_GROUPS; group++)
        wanting_note(&w, group, (double)group);
    for (uint64_t group = 1; group <= 3 * WANTING_GROUPS; group++) {
        double known = group > 2 * WANTING_GROUPS ? (double)group : 0;
        assert_true(wanting_cost(&w, group) == known);
    }
}

static void a_group_noted_again_has_its_new_cost_and_takes_no_other_place(void **state) {
    (void)state;
    struct wanting w = {0};
    for (uint64_t group = 1; group <= WANTING_GROUPS; group++)
        wanting_note(&w, group, 10);
    for (int i = 0; i < 5; i++)
        wanting_note(&w, 7, 20);
    assert_true(wanting_cost(&w, 7) == 20);
    assert_true(wanting_cost(&w, 1) == 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_groups_are_known_and_older_ones_forgotten),
        cmocka_unit_test(a_group_noted_again_has_its_new_cost_and_takes_no_other_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
