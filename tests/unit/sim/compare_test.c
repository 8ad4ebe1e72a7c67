/* compare_test.c - which points are covered, by whom and how surely. */
#include "support/sim_kit.h"

#include "base/mem.h"
#include "sim/bootstrap.h"
#include "sim/compare.h"

/* One point over three seeds. */
struct numbers {
    const struct matcher_kind *kind;
    double wait[3], cost[3];
};

static void open_points(struct compare *c, const struct numbers *n, size_t count) {
    *c = (struct compare){.seeds = 3, .count = count};
    c->points = mem_array(count, sizeof *c->points);
    for (size_t i = 0; i < count; i++) {
        c->points[i].kind = n[i].kind;
        for (int s = 0; s < 3; s++) {
            c->points[i].mean_s[s] = c->points[i].p95_s[s] = n[i].wait[s];
            c->points[i].cost[s] = n[i].cost[s];
        }
    }
}

static void a_point_worse_on_both_axes_is_surely_covered(void **state) {
    (void)state;
    struct compare c;
    const struct numbers n[] = {{&muster_matcher, {1, 1, 1}, {50, 51, 52}},
                                {&faf_matcher, {2, 2, 2}, {60, 62, 61}}};
    open_points(&c, n, 2);
    struct compare_verdict v = compare_judge(&c, &c.points[1], COMPARE_P95);
    assert_true(v.covered && v.surely);
    assert_ptr_equal(v.by, &c.points[0]);
    compare_fini(&c);
}

static void a_point_better_on_one_axis_is_not_covered(void **state) {
    (void)state;
    struct compare c;
    const struct numbers n[] = {{&muster_matcher, {1, 1, 1}, {100, 100, 100}},
                                {&muster_matcher, {4, 4, 4}, {50, 50, 50}},
                                {&faf_matcher, {2, 2, 2}, {80, 80, 80}}};
    open_points(&c, n, 3);
    struct compare_verdict v = compare_judge(&c, &c.points[2], COMPARE_MEAN);
    assert_false(v.covered);
    assert_ptr_equal(v.by, &c.points[0]); /* a quarter worse, the other is twice as slow */
    assert_true(fabs(v.excess - 0.25) < 1e-9);
    compare_fini(&c);
}

static void a_difference_that_changes_sides_is_covered_but_not_surely(void **state) {
    (void)state;
    struct compare c;
    const struct numbers n[] = {{&muster_matcher, {1, 3, 1}, {50, 50, 50}},
                                {&faf_matcher, {2, 2, 2}, {60, 60, 60}}};
    open_points(&c, n, 2);
    struct compare_verdict v = compare_judge(&c, &c.points[1], COMPARE_P95);
    assert_true(v.covered);
    assert_false(v.surely);
    compare_fini(&c);
}

static void an_interval_holds_its_mean_and_narrows_with_the_spread(void **state) {
    (void)state;
    const double wide[] = {0, 10, 0, 10, 0, 10, 0, 10}, tight[] = {4, 6, 4, 6, 4, 6, 4, 6};
    struct interval w = bootstrap_mean(wide, 8), t = bootstrap_mean(tight, 8);
    assert_true(w.mean == 5 && t.mean == 5);
    assert_true(w.low < t.low && t.low < 5 && 5 < t.high && t.high < w.high);
    struct interval one = bootstrap_mean(wide, 1);
    assert_true(one.low == 0 && one.high == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_worse_on_both_axes_is_surely_covered),
        cmocka_unit_test(a_point_better_on_one_axis_is_not_covered),
        cmocka_unit_test(a_difference_that_changes_sides_is_covered_but_not_surely),
        cmocka_unit_test(an_interval_holds_its_mean_and_narrows_with_the_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
