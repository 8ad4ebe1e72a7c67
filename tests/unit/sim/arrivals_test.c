/* arrivals_test.c - what the benchmark offers: the published distributions, due when they say. */
#include "sim/arrivals.h"

#include "sim/peers.h"
#include "wire/queue_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static void open_named(struct arrivals *a, const char *name, double rate, double duration_s) {
    struct arrivals_request q = {name, "bench-q", "run7", rate, duration_s, 5};
    struct err_text why;
    if (arrivals_open(a, &q, &why) != ERR_OK) fail_msg("%s: %s", name, why.text);
}

static struct queue_def *rules_of(const struct arrivals *a) {
    struct queue_def *def = NULL;
    struct err_text why;
    if (queue_json_parse(strbuf_str(&a->queue_json), false, &def, NULL, &why) != ERR_OK)
        fail_msg("%s: %s", a->text, why.text);
    return def;
}

static const struct attribute *attribute_of(const struct arrivals *a, size_t i, const char *name) {
    return player_attribute(&arrivals_ticket(a, i)->players[0], str_of(name));
}

static void check_workload(const char *name) {
    struct arrivals a;
    struct err_text why;
    open_named(&a, name, 200, 0.5);
    struct queue_def *def = rules_of(&a);
    assert_true(str_equal(def->name, STR("bench-q")));
    assert_true(a.count > a.before);
    for (size_t i = 0; i < a.count; i++) {
        const struct ticket_spec *spec = arrivals_ticket(&a, i);
        assert_true(str_equal(spec->queues[0], STR("bench-q")));
        assert_true(spec->player_count <= a.party_max);
        if (ruleset_admit(def->ruleset, spec, &why) != ERR_OK) fail_msg("%s: %s", name, why.text);
    }
    queue_def_free(def);
    arrivals_close(&a);
}

static void every_workload_has_rules_that_admit_its_tickets(void **state) {
    (void)state;
    for (size_t i = 0; i < workload_count; i++)
        if (workloads[i].crowd <= 10000) check_workload(workloads[i].name);
    for (size_t i = 0; i < peer_count; i++)
        check_workload(peers[i].name);
}

static void an_unknown_workload_is_refused_with_the_nearest(void **state) {
    (void)state;
    struct arrivals a;
    struct err_text why;
    struct arrivals_request q = {"firstmach", "q", "r", 0, 1, 1};
    assert_int_equal(arrivals_open(&a, &q, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "\"firstmatch\""));
    arrivals_close(&a);
}

static void more_tickets_than_allowed_are_refused_before_they_are_drawn(void **state) {
    (void)state;
    struct arrivals a;
    struct err_text why;
    struct arrivals_request q = {"minimatch", "q", "r", 1e6, 3600, 1};
    assert_int_equal(arrivals_open(&a, &q, &why), ERR_RESOURCE_EXHAUSTED);
    arrivals_close(&a);
}

/* A Poisson process: gaps are exponential, whatever milliseconds the trace was drawn in. */
static void tickets_are_due_as_a_poisson_process_of_the_rate(void **state) {
    (void)state;
    struct arrivals a;
    open_named(&a, "minimatch", 5000, 4);
    double n = (double)a.count, squares = 0, short_gaps = 0;
    assert_true(fabs(n - 20000) < 4 * sqrt(20000));
    for (size_t i = 1; i < a.count; i++) {
        double gap_us = (double)(a.due_us[i] - a.due_us[i - 1]);
        assert_true(gap_us >= 0);
        squares += gap_us * gap_us;
        short_gaps += gap_us < 50;
    }
    assert_true(fabs(squares / n / (2 * 200.0 * 200.0) - 1) < 0.1); /* E[gap^2] = 2 mean^2 */
    assert_true(fabs(short_gaps / n - (1 - exp(-0.25))) < 0.02);
    assert_true(a.due_us[a.count - 1] < 4000000);
    arrivals_close(&a);
}

static void due_are_those_whose_instant_has_come_and_no_more_than_asked(void **state) {
    (void)state;
    struct arrivals a;
    open_named(&a, "minimatch", 1000, 1);
    assert_int_equal(arrivals_due(&a, 0, a.due_us[9], 5), 5);
    assert_true(arrivals_due(&a, 0, a.due_us[9], 1000) >= 10);
    assert_int_equal(arrivals_due(&a, 0, -1, 1000), 0);
    assert_int_equal(arrivals_due(&a, a.count - 3, 2000000, 1000), 3);
    arrivals_close(&a);
}

static void a_ticket_is_found_by_the_ids_of_all_its_players(void **state) {
    (void)state;
    struct arrivals a;
    size_t parties = 0;
    open_named(&a, "W2", 500, 1);
    for (size_t i = 0; i < a.count; i++) {
        const struct ticket_spec *spec = arrivals_ticket(&a, i);
        for (uint32_t k = 0; k < spec->player_count; k++)
            assert_true(arrivals_find(&a, spec->players[k].id) == i);
        parties += spec->player_count > 1;
    }
    assert_true(parties > 0);
    static const char *const others[] = {"", "run7", "run7-", "run8-1", "run7-x", "run7-1000000"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(arrivals_find(&a, str_of(others[i])) == SIZE_MAX);
    arrivals_close(&a);
}

static void those_who_wait_before_come_first_and_match_nobody(void **state) {
    (void)state;
    struct arrivals a;
    open_named(&a, "nakama_500", 0, 1);
    assert_int_equal(a.before, 250);
    assert_int_equal(a.count, 750);
    for (size_t i = 0; i < a.before; i++)
        assert_true(str_starts(attribute_of(&a, i, "kind")->text, STR("never-")));
    for (size_t i = a.before; i < a.count; i++) {
        assert_null(attribute_of(&a, i, "kind"));
        assert_int_equal(a.due_us[i], 0);
    }
    arrivals_close(&a);
}

/* P(region r) = sum over a = r+1..20 of 1/20 * 1/a: the first has 18 %, the last a quarter of one.
 */
static void battleroyal_fills_low_regions_most(void **state) {
    (void)state;
    struct arrivals a;
    open_named(&a, "battleroyal", 20000, 1);
    double n = (double)a.count, first = 0, last = 0;
    for (size_t i = 0; i < a.count; i++) {
        struct str region = attribute_of(&a, i, "region")->text;
        first += str_equal(region, STR("region_0"));
        last += str_equal(region, STR("region_19"));
    }
    assert_true(fabs(first / n - 0.1799) < 0.012);
    assert_true(fabs(last / n - 0.0025) < 0.0015);
    arrivals_close(&a);
}

static void teamshooter_has_its_modes_regions_and_skills(void **state) {
    (void)state;
    struct arrivals a;
    open_named(&a, "teamshooter", 20000, 1);
    double n = (double)a.count, payload = 0, region = 0, squares = 0;
    for (size_t i = 0; i < a.count; i++) {
        double skill = attribute_of(&a, i, "skill")->number;
        payload += str_equal(attribute_of(&a, i, "mode")->text, STR("pl"));
        region += str_equal(attribute_of(&a, i, "region")->text, STR("region_1"));
        squares += skill * skill;
        assert_true(fabs(skill) <= 3);
    }
    assert_true(fabs(payload / n - 0.8) < 0.012);
    assert_true(fabs(region / n - 0.5) < 0.015);
    assert_true(fabs(squares / n - 1) < 0.05);
    arrivals_close(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_workload_has_rules_that_admit_its_tickets),
        cmocka_unit_test(an_unknown_workload_is_refused_with_the_nearest),
        cmocka_unit_test(more_tickets_than_allowed_are_refused_before_they_are_drawn),
        cmocka_unit_test(tickets_are_due_as_a_poisson_process_of_the_rate),
        cmocka_unit_test(due_are_those_whose_instant_has_come_and_no_more_than_asked),
        cmocka_unit_test(a_ticket_is_found_by_the_ids_of_all_its_players),
        cmocka_unit_test(those_who_wait_before_come_first_and_match_nobody),
        cmocka_unit_test(battleroyal_fills_low_regions_most),
        cmocka_unit_test(teamshooter_has_its_modes_regions_and_skills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
