/* trace_test.c - generated arrivals have the distributions that their workload promises. */
#include "support/sim_kit.h"

/* Within `sigmas` standard errors of a mean. */
static void assert_near(double value, double wanted, double standard_error) {
    if (fabs(value - wanted) > 4 * standard_error)
        fail_msg("%g is not near %g +- %g", value, wanted, standard_error);
}

static double skill_of(const struct player *p) {
    return player_attribute(p, STR("skill"))->number;
}

static void same_seed_same_trace_and_another_seed_another(void **state) {
    (void)state;
    struct sim_kit a, b;
    sim_kit_draw(&a, "W3", 20, 60);
    sim_kit_draw(&b, "W3", 20, 60);
    assert_int_equal(a.trace.count, b.trace.count);
    for (size_t i = 0; i < a.trace.count; i++) {
        const struct trace_ticket *x = &a.trace.tickets[i], *y = &b.trace.tickets[i];
        assert_int_equal(x->at_ms, y->at_ms);
        assert_int_equal(x->spec.player_count, y->spec.player_count);
        assert_true(skill_of(&x->spec.players[0]) == skill_of(&y->spec.players[0]));
    }
    struct trace_request other = {workload_find("W3"), b.def->name, 20, 60, 8, false};
    trace_fini(&b.trace);
    trace_generate(&b.trace, &other);
    assert_true(a.trace.count != b.trace.count ||
                a.trace.tickets[0].at_ms != b.trace.tickets[0].at_ms);
    sim_kit_close(&a);
    sim_kit_close(&b);
}

static void arrivals_are_a_poisson_process_of_the_rate(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W1", 50, 200);
    double n = 0, gap_sum = 0, gap_squares = 0;
    for (size_t i = 1; i < k.trace.count; i++) {
        double gap = (double)(k.trace.tickets[i].at_ms - k.trace.tickets[i - 1].at_ms) / 1000;
        assert_true(gap >= 0);
        gap_sum += gap;
        gap_squares += gap * gap;
        n++;
    }
    double mean = gap_sum / n, variance = gap_squares / n - mean * mean;
    assert_near(mean, 0.02, 0.02 / sqrt(n));
    assert_near(sqrt(variance), 0.02, 0.03 / sqrt(n)); /* exponential: deviation = mean */
    sim_kit_close(&k);
}

static void skills_have_the_mean_and_the_deviation(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W2", 20, 500);
    double n = 0, sum = 0, squares = 0, inside = 0, pairs = 0;
    for (size_t i = 0; i < k.trace.count; i++) {
        const struct ticket_spec *spec = &k.trace.tickets[i].spec;
        double skill = skill_of(&spec->players[0]);
        n++;
        sum += skill;
        squares += skill * skill;
        if (spec->player_count < 2) continue;
        inside += pow(skill - skill_of(&spec->players[1]), 2) / 2;
        pairs++;
    }
    double sd = sqrt(squares / n - pow(sum / n, 2));
    assert_near(sum / n, 1500, 350 / sqrt(n));
    assert_near(sd, 350, 350 / sqrt(2 * n));
    assert_near(sqrt(inside / pairs), 140, 140 / sqrt(2 * pairs));
    sim_kit_close(&k);
}

static void party_sizes_homes_and_experts_come_in_their_shares(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W5t", 20, 500);
    double n = (double)k.trace.count, solo = 0, fives = 0, home = 0, experts = 0;
    for (size_t i = 0; i < k.trace.count; i++) {
        const struct ticket_spec *spec = &k.trace.tickets[i].spec;
        const struct player *p = &spec->players[0];
        solo += spec->player_count == 1;
        fives += spec->player_count == 5;
        home += player_latency_ms(p, STR("eu")) < player_latency_ms(p, STR("us-east"));
        experts += skill_of(p) > 2300;
    }
    assert_near(solo / n, 0.60, sqrt(0.6 * 0.4 / n));
    assert_near(fives / n, 0.06, sqrt(0.06 * 0.94 / n));
    assert_near(home / n, 0.6, sqrt(0.6 * 0.4 / n)); /* the other two regions are west of both */
    assert_near(experts / n, 0.05, sqrt(0.05 * 0.95 / n));
    sim_kit_close(&k);
}

static void roles_come_in_their_shares(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W3x", 20, 500);
    double n = 0, tanks = 0, flexible = 0;
    for (size_t i = 0; i < k.trace.count; i++) {
        const struct attribute *roles =
            player_attribute(&k.trace.tickets[i].spec.players[0], STR("roles"));
        n++;
        tanks += str_equal(roles->items[0], STR("tank"));
        flexible += roles->item_count == 2;
        if (roles->item_count == 2) assert_false(str_equal(roles->items[0], roles->items[1]));
    }
    assert_near(tanks / n, 0.12, sqrt(0.12 * 0.88 / n));
    assert_near(flexible / n, 0.15, sqrt(0.15 * 0.85 / n));
    sim_kit_close(&k);
}

static size_t arrivals_between(const struct trace *t, int64_t from_ms, int64_t to_ms) {
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++)
        n += t->tickets[i].at_ms >= from_ms && t->tickets[i].at_ms < to_ms;
    return n;
}

static void the_flash_crowd_comes_in_ten_seconds(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W6d", 5, 100);
    double crowd = (double)arrivals_between(&k.trace, 60000, 70000);
    assert_near(crowd, 10000, sqrt(10000));
    assert_near((double)arrivals_between(&k.trace, 0, 60000), 300, sqrt(300));
    sim_kit_close(&k);
}

static void a_day_has_its_night_and_the_mean_rate(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W7", 0.5, 86400);
    double all = (double)arrivals_between(&k.trace, 0, 86400000), night = 0, noon = 0;
    for (size_t i = 0; i < k.trace.count; i++) {
        const struct trace_ticket *t = &k.trace.tickets[i];
        const struct player *p = &t->spec.players[0];
        bool eu = player_latency_ms(p, STR("eu")) < player_latency_ms(p, STR("us-east"));
        night += eu && t->at_ms < 3600000; /* the curve of the first region begins at its lowest */
        noon += eu && t->at_ms >= 41400000 && t->at_ms < 45000000;
    }
    assert_near(all, 43200, sqrt(43200));
    assert_true(noon > 5 * night);
    sim_kit_close(&k);
}

static void the_stress_begins_with_its_crowd(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W8", 10, 1);
    assert_int_equal(k.trace.tickets[9999].spec.player_count, 3);
    assert_int_equal(k.trace.tickets[9999].at_ms, 0);
    assert_true(k.trace.tickets[10000].spec.player_count <= 2);
    sim_kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_trace_and_another_seed_another),
        cmocka_unit_test(arrivals_are_a_poisson_process_of_the_rate),
        cmocka_unit_test(skills_have_the_mean_and_the_deviation),
        cmocka_unit_test(party_sizes_homes_and_experts_come_in_their_shares),
        cmocka_unit_test(roles_come_in_their_shares),
        cmocka_unit_test(the_flash_crowd_comes_in_ten_seconds),
        cmocka_unit_test(a_day_has_its_night_and_the_mean_rate),
        cmocka_unit_test(the_stress_begins_with_its_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
