/* history_test.c - recorded events as a trace, and what other rules would have made of it. */
#include "sim/history.h"
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct recording {
    struct strbuf text;
    unsigned tickets;
};

static void add_queue(struct recording *r, const char *queue, unsigned version, int distance) {
    strbuf_printf(
        &r->text,
        "{\"type\":\"QUEUE_UPDATED\",\"queueInfo\":{\"name\":\"%s\",\"version\":%u,"
        "\"definitionJson\":\"{\\\"name\\\":\\\"%s\\\",\\\"tickMs\\\":1,"
        "\\\"ticketTimeoutSeconds\\\":60,\\\"ruleset\\\":{\\\"ruleLanguageVersion\\\":"
        "\\\"1.0\\\",\\\"playerAttributes\\\":[{\\\"name\\\":\\\"skill\\\",\\\"type\\\":"
        "\\\"number\\\"}],\\\"teams\\\":[{\\\"name\\\":\\\"t\\\",\\\"quantity\\\":2,"
        "\\\"minPlayers\\\":1,\\\"maxPlayers\\\":1}],\\\"rules\\\":[{\\\"name\\\":\\\"d\\\""
        ",\\\"type\\\":\\\"batchDistance\\\",\\\"batchAttribute\\\":\\\"skill\\\","
        "\\\"maxDistance\\\":%d}]}}\"}}\n",
        queue, version, queue, distance);
}

static void add_id(struct recording *r, unsigned ticket) {
    strbuf_printf(&r->text, "\"0000000000000000000000%04u\"", 1000 + ticket);
}

static void add_ticket(struct recording *r, int at_ms, const char *player, double skill) {
    strbuf_printf(&r->text,
                  "{\"type\":\"TICKET_QUEUED\",\"timeMs\":%d,\"ticket\":{\"ticketId\":", at_ms);
    add_id(r, r->tickets++);
    strbuf_printf(&r->text,
                  ",\"state\":\"QUEUED\",\"queues\":[\"duel\"],\"players\":[{\"playerId\":\"%s\","
                  "\"attributes\":{\"skill\":%g}}],\"createTimeMs\":%d,\"expireTimeMs\":%d}}\n",
                  player, skill, at_ms, at_ms + 60000);
}

static void add_end(struct recording *r, int at_ms, unsigned ticket, const char *state) {
    strbuf_printf(&r->text,
                  "{\"type\":\"TICKET_%s\",\"timeMs\":%d,\"ticket\":{\"ticketId\":", state, at_ms);
    add_id(r, ticket);
    strbuf_printf(&r->text, ",\"state\":\"%s\"}}\n", state);
}

static void add_match(struct recording *r, int at_ms, unsigned a, unsigned b) {
    strbuf_printf(&r->text,
                  "{\"type\":\"MATCH_FOUND\",\"timeMs\":%d,\"match\":{\"matchId\":", at_ms);
    add_id(r, 900 + a);
    strbuf_add_str(&r->text, STR(",\"state\":\"MATCH_CONFIRMED\",\"queue\":\"duel\","
                                 "\"queueVersion\":1,\"teams\":[{\"name\":\"t_1\",\"players\":[{"
                                 "\"playerId\":\"x\",\"ticketId\":"));
    add_id(r, a);
    strbuf_add_str(&r->text, STR("}]},{\"name\":\"t_2\",\"players\":[{\"playerId\":\"y\","
                                 "\"ticketId\":"));
    add_id(r, b);
    strbuf_add_str(&r->text, STR("}]}],\"ticketIds\":["));
    add_id(r, a);
    strbuf_add_char(&r->text, ',');
    add_id(r, b);
    strbuf_printf(&r->text, "],\"createTimeMs\":%d}}\n", at_ms);
}

static struct history read_history(struct recording *r) {
    struct history h;
    struct err_text why;
    if (history_read(&h, strbuf_str(&r->text), STR("duel"), &why) != ERR_OK)
        fail_msg("%s", why.text);
    return h;
}

static void tickets_ends_and_matches_are_put_together(void **state) {
    (void)state;
    struct recording r = {0};
    add_queue(&r, "duel", 2, 999);
    add_queue(&r, "duel", 1, 100);
    add_ticket(&r, 1000, "ann", 10);
    add_ticket(&r, 3000, "bob", 20);
    add_match(&r, 4000, 0, 1);
    add_ticket(&r, 5000, "cat", 500);
    add_end(&r, 9000, 2, "CANCELLED");
    struct history h = read_history(&r);
    assert_int_equal(h.trace.count, 3);
    assert_int_equal(h.trace.tickets[1].at_ms, 2000);
    assert_int_equal(h.match_count, 1);
    assert_int_equal(h.version, 1); /* the one that judged the match */
    assert_int_equal(h.tickets[0].end_ms, 3000);
    assert_true(h.tickets[0].cancel_ms == INT64_MAX);
    assert_int_equal(h.tickets[2].cancel_ms, 8000);
    history_leave_after(&h, 60000);
    assert_int_equal(h.trace.tickets[0].leave_ms, 60000);
    assert_int_equal(h.trace.tickets[2].leave_ms, 8000);
    history_fini(&h);
    strbuf_fini(&r.text);
}

static void who_comes_again_has_left_before(void **state) {
    (void)state;
    struct recording r = {0};
    add_ticket(&r, 0, "ann", 10);
    add_ticket(&r, 1, "bob", 20);
    add_match(&r, 100, 0, 1);
    add_ticket(&r, 5000, "ann", 10);
    struct history h = read_history(&r);
    history_leave_after(&h, 60000);
    assert_int_equal(h.trace.tickets[0].leave_ms, 4999);
    history_fini(&h);
    strbuf_fini(&r.text);
}

static void matches_of_the_time_before_the_recording_are_left_out(void **state) {
    (void)state;
    struct recording r = {0};
    add_ticket(&r, 0, "ann", 10);
    add_match(&r, 100, 0, 77);
    struct history h = read_history(&r);
    assert_int_equal(h.match_count, 0);
    assert_int_equal(h.tickets[0].end_ms, 100);
    history_fini(&h);
    strbuf_fini(&r.text);
}

static void lines_that_are_none_are_named(void **state) {
    (void)state;
    struct history h;
    struct err_text why;
    assert_int_equal(history_read(&h, STR("{}\n\nrubbish\n"), STR("duel"), &why),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "line 3"));
    history_fini(&h);
    assert_int_equal(history_read(&h, STR("{}\n"), STR("duel"), &why), ERR_NOT_FOUND);
    history_fini(&h);
}

/* Pairs 30 apart each two seconds: under 100 all are matched, under 20 none is. */
static void stricter_rules_show_as_a_sure_change(void **state) {
    (void)state;
    struct recording r = {0};
    struct sim_output out;
    struct err_text why;
    char player[16];
    add_queue(&r, "duel", 1, 100);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned k = 0; k < 2; k++) {
            snprintf(player, sizeof player, "p%u-%u", i, k);
            add_ticket(&r, (int)(2000 * i + k), player, 1000 * i + 30.0 * k);
        }
        add_match(&r, (int)(2000 * i + 10), 2 * i, 2 * i + 1);
    }
    struct sim_what_if o = {.events = strbuf_str(&r.text), .name = ""};
    o.queue = STR("{\"name\":\"duel\",\"ticketTimeoutSeconds\":60,\"ruleset\":{"
                  "\"ruleLanguageVersion\":\"1.0\",\"playerAttributes\":[{\"name\":\"skill\","
                  "\"type\":\"number\"}],\"teams\":[{\"name\":\"t\",\"quantity\":2,"
                  "\"minPlayers\":1,\"maxPlayers\":1}],\"rules\":[{\"name\":\"d\",\"type\":"
                  "\"batchDistance\",\"batchAttribute\":\"skill\",\"maxDistance\":20}]}}");
    if (sim_what_if(&o, &out, &why) != ERR_OK) fail_msg("%s", why.text);
    assert_non_null(strstr(out.json.at, "\"unmatchedPercent\":{\"value\":100,\"low\":100,"
                                        "\"high\":100}"));
    assert_non_null(strstr(out.table.at, "not matched, %"));
    assert_true(out.valid);
    sim_output_fini(&out);
    o.name = "nowhere";
    assert_int_equal(sim_what_if(&o, &out, &why), ERR_NOT_FOUND);
    sim_output_fini(&out);
    strbuf_fini(&r.text);
}

static void every_matcher_plays_recorded_arrivals(void **state) {
    (void)state;
    struct recording r = {0};
    struct sim_output out;
    struct err_text why;
    char player[16];
    for (unsigned i = 0; i < 60; i++) {
        snprintf(player, sizeof player, "p%u", i);
        add_ticket(&r, (int)(1000 * i), player, 10.0 * (i % 3));
    }
    struct sim_options o = {
        .matcher = "all", .set = "", .events = strbuf_str(&r.text), .events_queue = ""};
    assert_int_equal(sim_run(&o, &out, &why), ERR_FAILED_PRECONDITION); /* by which rules? */
    sim_output_fini(&out);
    add_queue(&r, "duel", 1, 100);
    o.events = strbuf_str(&r.text);
    if (sim_run(&o, &out, &why) != ERR_OK) fail_msg("%s", why.text);
    assert_true(out.valid);
    assert_non_null(strstr(out.table.at, "queue duel: 60 recorded tickets"));
    assert_non_null(strstr(out.table.at, "nakama"));
    sim_output_fini(&out);
    strbuf_fini(&r.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_ends_and_matches_are_put_together),
        cmocka_unit_test(who_comes_again_has_left_before),
        cmocka_unit_test(matches_of_the_time_before_the_recording_are_left_out),
        cmocka_unit_test(lines_that_are_none_are_named),
        cmocka_unit_test(every_matcher_plays_recorded_arrivals),
        cmocka_unit_test(stricter_rules_show_as_a_sure_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
