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

static void a_setting_over_budget_neither_covers_nor_is_judged(void **state) {
    (void)state;
    struct compare c;
    const struct numbers n[] = {{&muster_matcher, {1, 1, 1}, {50, 51, 52}},
                                {&muster_matcher, {3, 3, 3}, {80, 81, 82}},
                                {&faf_matcher, {2, 2, 2}, {60, 62, 61}}};
    open_points(&c, n, 3);
    c.points[0].dropped = true;
    struct compare_verdict v = compare_judge(&c, &c.points[2], COMPARE_P95);
    assert_false(v.covered);
    assert_ptr_equal(v.by, &c.points[1]);
    compare_fini(&c);
}

static struct sim_options little(uint32_t threads) {
    struct sim_options o = {.workload = "W1", .matcher = "", .set = "", .seeds = 2};
    o.threads = threads;
    o.sample = 3;
    return o;
}

static void run_little(struct compare *c, const struct sim_options *o) {
    struct trace_request r = {.workload = workload_find("W1"), .rate = 0.5, .duration_s = 60};
    const double set[MATCHER_KNOBS] = {NAN, NAN, NAN, NAN};
    struct err_text why;
    r.seed = 5;
    assert_int_equal(compare_run(c, &r, o, set, &why), ERR_OK);
}

static size_t points_of(const struct compare *c, const struct matcher_kind *kind) {
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += c->points[i].kind == kind;
    return n;
}

static void threads_find_what_one_finds(void **state) {
    (void)state;
    struct compare one, three;
    struct sim_options a = little(1), b = little(3);
    run_little(&one, &a);
    run_little(&three, &b);
    assert_int_equal(one.count, three.count);
    for (size_t i = 0; i < one.count; i++) {
        assert_ptr_equal(one.points[i].kind, three.points[i].kind);
        assert_memory_equal(one.points[i].p95_s, three.points[i].p95_s, 2 * sizeof(double));
        assert_memory_equal(one.points[i].cost, three.points[i].cost, 2 * sizeof(double));
    }
    compare_fini(&one);
    compare_fini(&three);
}

static void a_sample_is_of_the_published_matchers_only(void **state) {
    (void)state;
    struct compare c;
    struct sim_options o = little(1);
    o.matcher = "nakama";
    run_little(&c, &o);
    assert_int_equal(points_of(&c, &nakama_matcher), 3);
    assert_int_equal(points_of(&c, &faf_matcher), 0);
    assert_true(points_of(&c, &muster_matcher) > 100);
    compare_fini(&c);
}

static void a_run_over_budget_is_named(void **state) {
    (void)state;
    struct compare c;
    struct sim_output out = {0};
    struct sim_options o = little(2);
    o.matcher = "open-match";
    o.budget_s = 1e-9;
    run_little(&c, &o);
    compare_report(&c, &out);
    assert_non_null(strstr(out.table.at, "given up after 1e-09 s of CPU a run:"));
    assert_non_null(strstr(out.json.at, "\"overBudget\":true"));
    sim_output_fini(&out);
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
        cmocka_unit_test(a_setting_over_budget_neither_covers_nor_is_judged),
        cmocka_unit_test(threads_find_what_one_finds),
        cmocka_unit_test(a_sample_is_of_the_published_matchers_only),
        cmocka_unit_test(a_run_over_budget_is_named),
        cmocka_unit_test(an_interval_holds_its_mean_and_narrows_with_the_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
