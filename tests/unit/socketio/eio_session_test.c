/* eio_session_test.c - heartbeat, queue, upgrade and close of sessions, on a standing clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/socketio/fake_transport.h"

static struct sio_server *server;
static struct eio_server *engine;
static struct fake_ws a;
static char last_reason[64];

static void on_event(void *arg, struct sio_socket *s, struct str name, struct str args,
                     struct str ack_id) {
    (void)arg;
    (void)ack_id;
    sio_emit(s, name, args);
}

static void on_disconnect(void *arg, struct sio_socket *s, const char *reason) {
    (void)arg;
    (void)s;
    snprintf(last_reason, sizeof last_reason, "%s", reason);
}

static const struct sio_handlers ECHO = {.event = on_event, .disconnect = on_disconnect};

static int set_up(void **state) {
    (void)state;
    struct sio_options o = {.ping_interval_ms = 1000,
                            .ping_timeout_ms = 500,
                            .connect_timeout_ms = 3000,
                            .upgrade_timeout_ms = 700,
                            .queue_packets_max = 10,
                            .queue_bytes_max = 1000};
    server = sio_server_new(&o);
    engine = sio_server_engine(server);
    sio_namespace(server, "/", &ECHO, NULL);
    eio_server_attach(engine, &FAKE_HOOKS, NULL);
    fake_armed_us = -1;
    last_reason[0] = '\0';
    a = (struct fake_ws){0};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sio_server_close(server);
    eio_ws_gone(&a.ws);
    sio_server_free(server);
    fake_forget(&a);
    return 0;
}

static void join(struct fake_ws *f) {
    assert_true(fake_open(engine, f, ""));
    fake_say(f, "40");
    fake_forget(f);
}

/* Opens by polling; the sid. */
static void open_polling(char sid[21]) {
    struct fake_exchange x;
    assert_int_equal(fake_get(engine, &x, ""), EIO_HTTP_ANSWERED);
    assert_memory_equal(x.body, "0{\"sid\":\"", 9);
    memcpy(sid, x.body + 9, 20);
    sid[20] = '\0';
}

static void ping_is_due_exactly_one_interval_after_open_and_after_each_pong(void **state) {
    (void)state;
    join(&a);
    fake_advance(engine, 999);
    assert_int_equal(a.sent_count, 0);
    fake_advance(engine, 1);
    assert_string_equal(fake_last(&a), "2");
    fake_advance(engine, 400);
    fake_say(&a, "3");
    fake_advance(engine, 999);
    assert_int_equal(a.sent_count, 1);
    fake_advance(engine, 1);
    assert_int_equal(a.sent_count, 2);
}

static void missing_pong_closes_at_its_deadline_and_not_before(void **state) {
    (void)state;
    join(&a);
    fake_advance(engine, 1499);
    assert_false(a.closed);
    fake_advance(engine, 1);
    assert_true(a.closed);
    assert_string_equal(last_reason, "ping timeout");
}

static void passed_deadline_counts_even_before_its_timer_has_run(void **state) {
    (void)state;
    char sid[21];
    struct fake_exchange x;
    open_polling(sid);
    fake_advance(engine, 1000);
    fake_now_us += 500 * 1000; /* the timer did not run: a loop that was busy */
    assert_int_equal(fake_get(engine, &x, sid), EIO_HTTP_ANSWERED);
    assert_int_equal(x.status, 400);
}

static void unasked_pong_leaves_the_next_ping_where_it_was(void **state) {
    (void)state;
    join(&a);
    for (int i = 0; i < 10; i++) {
        fake_advance(engine, 99);
        fake_say(&a, "3");
    }
    fake_advance(engine, 10);
    assert_int_equal(a.sent_count, 1);
}

static void choked_socket_gets_the_rest_in_order_when_it_is_writable(void **state) {
    (void)state;
    join(&a);
    a.choked = true;
    fake_say(&a, "42[\"one\"]");
    fake_say(&a, "42[\"two\"]");
    assert_int_equal(a.sent_count, 0);
    a.choked = false;
    fake_say(&a, "42[\"three\"]"); /* must not overtake */
    assert_int_equal(a.sent_count, 0);
    eio_ws_writable(&a.ws);
    assert_int_equal(a.sent_count, 3);
    assert_string_equal(fake_sent(&a, 0), "42[\"one\"]");
    assert_string_equal(fake_sent(&a, 2), "42[\"three\"]");
}

static void client_over_its_packet_limit_is_cut_at_the_next_tick(void **state) {
    (void)state;
    join(&a);
    a.choked = true;
    for (int i = 0; i < 10; i++)
        fake_say(&a, "42[\"x\"]");
    fake_advance(engine, 0);
    assert_false(a.closed);
    fake_say(&a, "42[\"x\"]");
    assert_string_equal(last_reason, "");
    fake_advance(engine, 0);
    assert_true(a.closed);
    assert_int_equal(a.code, EIO_WS_CUT);
    assert_string_equal(last_reason, "slow client");
}

static void client_over_its_byte_limit_is_cut(void **state) {
    (void)state;
    char big[600];
    snprintf(big, sizeof big, "42[\"%0590d\"]", 0);
    join(&a);
    a.choked = true;
    fake_say(&a, big);
    fake_advance(engine, 0);
    assert_false(a.closed);
    fake_say(&a, big);
    fake_advance(engine, 0);
    assert_true(a.closed);
}

static void polling_client_that_never_fetches_is_cut(void **state) {
    (void)state;
    char sid[21];
    open_polling(sid);
    assert_int_equal(fake_post(engine, sid, "40"), 200);
    for (int i = 0; i < 10; i++)
        fake_post(engine, sid, "42[\"x\"]");
    fake_advance(engine, 0);
    assert_string_equal(last_reason, "slow client");
    assert_int_equal(eio_server_session_count(engine), 0);
}

static void upgrade_flushes_what_waited_on_the_new_transport(void **state) {
    (void)state;
    char sid[21];
    open_polling(sid);
    fake_post(engine, sid, "40");
    assert_true(fake_open(engine, &a, sid));
    fake_say(&a, "2probe");
    assert_string_equal(fake_last(&a), "3probe");
    fake_post(engine, sid, "42[\"x\"]");
    assert_int_equal(a.sent_count, 1);
    fake_say(&a, "5");
    assert_int_equal(a.sent_count, 3);
    assert_string_equal(fake_last(&a), "42[\"x\"]");
    assert_int_equal(fake_post(engine, sid, "3"), 400);
}

static void upgrade_not_completed_in_time_drops_the_probe_only(void **state) {
    (void)state;
    char sid[21];
    struct fake_exchange x;
    open_polling(sid);
    assert_true(fake_open(engine, &a, sid));
    fake_say(&a, "2probe");
    fake_advance(engine, 699);
    assert_false(a.closed);
    fake_advance(engine, 1);
    assert_true(a.closed);
    assert_int_equal(fake_get(engine, &x, sid), EIO_HTTP_HELD);
    eio_http_gone(engine, &x.x);
}

static void second_websocket_for_a_session_is_refused_in_every_state(void **state) {
    (void)state;
    char sid[21];
    struct fake_ws b = {0};
    open_polling(sid);
    assert_true(fake_open(engine, &a, sid));
    assert_false(fake_open(engine, &b, sid));
    fake_say(&a, "2probe");
    assert_false(fake_open(engine, &b, sid));
    fake_say(&a, "5");
    assert_false(fake_open(engine, &b, sid));
}

static void session_that_joins_nothing_is_closed_on_time(void **state) {
    (void)state;
    assert_true(fake_open(engine, &a, ""));
    for (int i = 0; i < 2; i++) {
        fake_advance(engine, 1000);
        fake_say(&a, "3");
    }
    fake_advance(engine, 999);
    assert_false(a.closed);
    fake_advance(engine, 1);
    assert_true(a.closed);
}

static void closed_server_ends_all_and_refuses_new_ones(void **state) {
    (void)state;
    char sid[21];
    struct fake_exchange held, x;
    struct fake_ws b = {0};
    join(&a);
    open_polling(sid);
    assert_int_equal(fake_get(engine, &held, sid), EIO_HTTP_HELD);
    sio_server_close(server);
    assert_int_equal(a.code, EIO_WS_GOING_AWAY);
    assert_string_equal(held.body, "1");
    assert_string_equal(last_reason, "server shutting down");
    assert_int_equal(sio_server_connections(server), 0);
    assert_int_equal(eio_server_session_count(engine), 0);
    assert_false(fake_open(engine, &b, ""));
    fake_get(engine, &x, "");
    assert_int_equal(x.status, 503);
}

static void choked_socket_that_is_closed_flushes_first_but_not_for_ever(void **state) {
    (void)state;
    join(&a);
    a.choked = true;
    fake_say(&a, "42[\"x\"]");
    sio_server_close(server);
    assert_false(a.closed);
    fake_advance(engine, 1999);
    assert_false(a.closed);
    fake_advance(engine, 1);
    assert_true(a.closed);
    assert_int_equal(a.code, EIO_WS_CUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(ping_is_due_exactly_one_interval_after_open_and_after_each_pong),
        TEST(missing_pong_closes_at_its_deadline_and_not_before),
        TEST(passed_deadline_counts_even_before_its_timer_has_run),
        TEST(unasked_pong_leaves_the_next_ping_where_it_was),
        TEST(choked_socket_gets_the_rest_in_order_when_it_is_writable),
        TEST(client_over_its_packet_limit_is_cut_at_the_next_tick),
        TEST(client_over_its_byte_limit_is_cut),
        TEST(polling_client_that_never_fetches_is_cut),
        TEST(upgrade_flushes_what_waited_on_the_new_transport),
        TEST(upgrade_not_completed_in_time_drops_the_probe_only),
        TEST(second_websocket_for_a_session_is_refused_in_every_state),
        TEST(session_that_joins_nothing_is_closed_on_time),
        TEST(closed_server_ends_all_and_refuses_new_ones),
        TEST(choked_socket_that_is_closed_flushes_first_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
