/* budget_test.c - a run that may take so much, and no more. */
#include "sim/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void no_bound_is_never_spent(void **state) {
    (void)state;
    struct budget b;
    budget_start(&b, 0);
    for (int i = 0; i < 10 * BUDGET_ASKED; i++)
        assert_false(budget_spent(&b));
}

static void a_budget_is_spent_once_and_for_all(void **state) {
    (void)state;
    struct budget b;
    budget_start(&b, 0.002);
    assert_false(budget_spent(&b));
    uint64_t asked = 1;
    while (!budget_spent(&b))
        asked++;
    assert_true(asked >= BUDGET_ASKED - 1 && budget_spent(&b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bound_is_never_spent),
        cmocka_unit_test(a_budget_is_spent_once_and_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
