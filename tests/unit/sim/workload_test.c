/* workload_test.c - the table of workloads says what can be played. */
#include "support/sim_kit.h"

static void every_workload_has_rules_that_parse(void **state) {
    (void)state;
    for (size_t i = 0; i < workload_count; i++) {
        struct sim_kit k;
        sim_kit_open(&k, workloads[i].name);
        const struct ruleset_limits *l = ruleset_limits_at(k.def->ruleset, 0);
        assert_int_equal(l->team_count, workloads[i].teams);
        assert_int_equal(l->players_max, workloads[i].teams * workloads[i].team_players);
        assert_true(ruleset_has_key(k.def->ruleset));
        sim_kit_close(&k);
    }
}

static double sum(const double *shares, int count) {
    double total = 0;
    for (int i = 0; i < count; i++)
        total += shares[i];
    return total;
}

static void shares_add_up_to_one(void **state) {
    (void)state;
    for (size_t i = 0; i < workload_count; i++) {
        const struct workload *w = &workloads[i];
        assert_true(fabs(sum(w->sizes, WORKLOAD_SIZES) - 1) < 1e-9);
        assert_true(fabs(sum(w->homes, WORKLOAD_REGIONS) - 1) < 1e-9);
        assert_true(w->roles[0] == 0 || fabs(sum(w->roles, WORKLOAD_ROLES) - 1) < 1e-9);
        assert_true(w->rates[0] > 0);
    }
}

static void regions_by_name_are_in_order(void **state) {
    (void)state;
    for (int i = 1; i < WORKLOAD_REGIONS; i++)
        assert_true(strcmp(workload_regions[workload_regions_by_name[i - 1]],
                           workload_regions[workload_regions_by_name[i]]) < 0);
    for (int a = 0; a < WORKLOAD_REGIONS; a++)
        for (int b = 0; b < WORKLOAD_REGIONS; b++)
            assert_int_equal(workload_rtt_ms[a][b], workload_rtt_ms[b][a]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_workload_has_rules_that_parse),
        cmocka_unit_test(shares_add_up_to_one),
        cmocka_unit_test(regions_by_name_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
