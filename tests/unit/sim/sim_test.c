/* sim_test.c - `muster sim` as a library: options in, texts out. */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void one_run_gives_a_table_json_and_a_chart(void **state) {
    (void)state;
    struct sim_options o = {
        .workload = "W1", .matcher = "muster", .set = "", .rate = 5, .duration_s = 30, .seed = 3};
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_true(out.valid);
    assert_non_null(strstr(out.table.at, "decile 10"));
    assert_non_null(strstr(out.json.at, "\"workload\":\"W1\""));
    assert_int_equal(out.plot_count, 1);
    assert_string_equal(out.plots[0].name, "waits-W1-muster.svg");
    sim_output_fini(&out);
}

static void all_plays_every_matcher(void **state) {
    (void)state;
    struct sim_options o = {
        .workload = "W1", .matcher = "all", .set = "", .rate = 5, .duration_s = 10, .seed = 3};
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_int_equal(out.plot_count, 6);
    sim_output_fini(&out);
}

static void a_comparison_judges_every_baseline_point(void **state) {
    (void)state;
    struct sim_options o = {
        .workload = "W1", .matcher = "", .set = "", .rate = 0.5, .duration_s = 20};
    o.seeds = 1;
    o.compare = true;
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_true(out.valid);
    assert_non_null(strstr(out.json.at, "\"coveredP95\""));
    assert_non_null(strstr(out.table.at, "open-match"));
    assert_int_equal(out.plot_count, 2);
    assert_string_equal(out.plots[1].name, "front-W1-0.5-p95.svg");
    sim_output_fini(&out);
}

static void a_comparison_with_itself_shows_what_patience_buys(void **state) {
    (void)state;
    struct sim_options o = {
        .workload = "W1", .matcher = "muster", .set = "", .rate = 0.5, .duration_s = 20};
    o.seeds = 1;
    o.compare = true;
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_non_null(strstr(out.table.at, "patience 13"));
    assert_null(strstr(out.table.at, "open-match"));
    assert_non_null(strstr(out.plots[0].svg.at, "first legal match"));
    sim_output_fini(&out);
}

static void what_is_set_is_not_varied_in_a_comparison(void **state) {
    (void)state;
    struct sim_options o = {
        .workload = "W1", .matcher = "muster", .set = "deadline=20", .rate = 0.5, .duration_s = 20};
    o.seeds = 1;
    o.compare = true;
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_non_null(strstr(out.table.at, "patience 13, deadline 20"));
    assert_null(strstr(out.table.at, "deadline 250"));
    sim_output_fini(&out);
    o.set = "dead=20";
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    sim_output_fini(&out);
}

static void unknown_names_are_refused_with_the_list(void **state) {
    (void)state;
    struct sim_options o = {.workload = "W99", .matcher = "muster", .set = ""};
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "W2s"));
    sim_output_fini(&out);
    o = (struct sim_options){.workload = "W1", .matcher = "nobody", .set = ""};
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "nakama"));
    sim_output_fini(&out);
}

static void knobs_are_set_by_name(void **state) {
    (void)state;
    struct sim_options o = {.workload = "W1", .matcher = "muster", .rate = 5, .duration_s = 20};
    struct sim_output out;
    struct err_text why;
    o.set = "patience=0,deadline=5";
    assert_int_equal(sim_run(&o, &out, &why), ERR_OK);
    assert_non_null(strstr(out.table.at, "patience 0, deadline 5"));
    sim_output_fini(&out);
    o.set = "paitence=3";
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "patience"));
    sim_output_fini(&out);
    o.set = "patience";
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    sim_output_fini(&out);
}

static void the_optimum_is_known_for_single_players_only(void **state) {
    (void)state;
    struct sim_options o = {.workload = "W2", .matcher = "muster", .set = "", .optimum = 10};
    struct sim_output out;
    struct err_text why;
    o.seeds = 1;
    assert_int_equal(sim_run(&o, &out, &why), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(why.text, "W1"));
    sim_output_fini(&out);
}

static void a_wrong_definition_is_refused(void **state) {
    (void)state;
    struct sim_options o = {.workload = "W1", .matcher = "muster", .set = "", .queue = STR("{}")};
    struct sim_output out;
    struct err_text why;
    assert_int_equal(sim_run(&o, &out, &why), ERR_INVALID_ARGUMENT);
    sim_output_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run_gives_a_table_json_and_a_chart),
        cmocka_unit_test(all_plays_every_matcher),
        cmocka_unit_test(a_comparison_judges_every_baseline_point),
        cmocka_unit_test(a_comparison_with_itself_shows_what_patience_buys),
        cmocka_unit_test(what_is_set_is_not_varied_in_a_comparison),
        cmocka_unit_test(unknown_names_are_refused_with_the_list),
        cmocka_unit_test(knobs_are_set_by_name),
        cmocka_unit_test(the_optimum_is_known_for_single_players_only),
        cmocka_unit_test(a_wrong_definition_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
