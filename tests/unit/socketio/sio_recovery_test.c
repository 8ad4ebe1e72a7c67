/* sio_recovery_test.c - going on after a lost connection: from the server's memory within its
 * limits, and from a log of the application's. */
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
static struct fake_ws a, b;
static struct sio_socket *latest;
static int recoveries;
static char last_reason[64];
/* The application's own log: "ada", whose pid is "ada-secret", missed `missed` events. */
static int missed;

static enum err on_connect(void *arg, struct sio_socket *s, struct str auth, struct err_text *why) {
    (void)arg;
    (void)auth;
    (void)why;
    latest = s;
    recoveries += sio_socket_recovered(s);
    return ERR_OK;
}

static enum err on_connect_to_log(void *arg, struct sio_socket *s, struct str auth,
                                  struct err_text *why) {
    struct sio_resume resume = sio_socket_resume(s);
    if (str_equal(resume.pid, STR("ada-secret"))) {
        sio_socket_identify(s, STR("ada-ada-ada-ada-ada-"), resume.pid);
        for (int i = 0; i < missed; i++)
            sio_emit_at(s, STR("missed"), STR("[]"), STR("9-1"));
    } else {
        sio_socket_identify(s, STR_EMPTY, STR("new-secret"));
    }
    if (str_equal(resume.offset, STR("later"))) sio_connect_defer(s);
    return on_connect(arg, s, auth, why);
}

static void on_disconnect(void *arg, struct sio_socket *s, const char *reason) {
    (void)arg;
    if (latest == s) latest = NULL;
    snprintf(last_reason, sizeof last_reason, "%s", reason);
}

static const struct sio_handlers HANDLERS = {.connect = on_connect, .disconnect = on_disconnect};
static const struct sio_handlers LOG_HANDLERS = {.connect = on_connect_to_log,
                                                 .disconnect = on_disconnect};

static void open_server(struct sio_options o, const struct sio_handlers *handlers) {
    server = sio_server_new(&o);
    engine = sio_server_engine(server);
    sio_namespace(server, "/", handlers, NULL);
    eio_server_attach(engine, &FAKE_HOOKS, NULL);
    fake_armed_us = -1;
    recoveries = missed = 0;
    latest = NULL;
    last_reason[0] = '\0';
    a = b = (struct fake_ws){0};
}

static int tear_down(void **state) {
    (void)state;
    sio_server_close(server);
    sio_server_free(server);
    fake_forget(&a);
    fake_forget(&b);
    return 0;
}

/* Connects and returns the CONNECT's answer, which may be behind missed events. */
static const char *connect(struct fake_ws *f, const char *auth) {
    char text[256];
    fake_forget(f);
    *f = (struct fake_ws){0};
    assert_true(fake_open(engine, f, ""));
    fake_forget(f);
    snprintf(text, sizeof text, "40%s", auth);
    fake_say(f, text);
    return fake_last(f);
}

/* Joins, and writes the auth that goes on behind `offset`. */
static void join(char auth[128], const char *offset) {
    char answer[128];
    snprintf(answer, sizeof answer, "%s", connect(&a, ""));
    assert_int_equal(strlen(answer), strlen("40{\"sid\":\"\",\"pid\":\"\"}") + 40);
    snprintf(auth, 128, "{\"pid\":\"%.20s\",\"offset\":\"%s\"}", answer + 39, offset);
}

static void memory_gives_back_rooms_id_and_missed_events(void **state) {
    (void)state;
    char auth[128], id[21];
    open_server((struct sio_options){.recovery_ms = 1000}, &HANDLERS);
    join(auth, "1");
    snprintf(id, sizeof id, "%.20s", sio_socket_id(latest).at);
    sio_join(latest, STR("r"));
    sio_emit(latest, STR("x"), STR("[]"));
    assert_string_equal(fake_last(&a), "42[\"x\",\"1\"]");
    eio_ws_gone(&a.ws);
    sio_broadcast(server, "/", STR("r"), STR("y"), STR("[2]"));
    sio_broadcast(server, "/", STR("other"), STR("z"), STR("[3]"));
    connect(&b, auth);
    assert_int_equal(b.sent_count, 2);
    assert_string_equal(fake_sent(&b, 0), "42[\"y\",2,\"2\"]");
    assert_memory_equal(sio_socket_id(latest).at, id, 20);
    assert_int_equal(recoveries, 1);
    sio_broadcast(server, "/", STR("r"), STR("y"), STR("[4]"));
    assert_string_equal(fake_last(&b), "42[\"y\",4,\"4\"]");
}

static void event_that_excepts_a_socket_is_not_replayed_to_it(void **state) {
    (void)state;
    char auth[128];
    open_server((struct sio_options){.recovery_ms = 1000}, &HANDLERS);
    join(auth, "1");
    sio_emit(latest, STR("x"), STR("[]"));
    struct sio_target others = {.namespace_name = "/", .except = latest};
    sio_broadcast_to(server, &others, STR("y"), STR("[]"));
    assert_int_equal(a.sent_count, 2);
    eio_ws_gone(&a.ws);
    connect(&b, auth);
    assert_int_equal(b.sent_count, 1);
    assert_int_equal(recoveries, 1);
}

static void memory_is_bounded_in_time_bytes_sockets_and_length_of_replay(void **state) {
    (void)state;
    char auth[4][128];
    open_server((struct sio_options){.recovery_ms = 1000,
                                     .recovery_bytes_max = 2000,
                                     .recovery_sockets_max = 2,
                                     .queue_packets_max = 5},
                &HANDLERS);
    for (int i = 0; i < 3; i++) {
        join(auth[i], "1");
        sio_emit(latest, STR("x"), STR("[]"));
        eio_ws_gone(&a.ws);
    }
    connect(&b, auth[0]); /* the oldest of three sockets */
    assert_int_equal(recoveries, 0);
    eio_ws_gone(&b.ws);
    connect(&b, auth[2]);
    assert_int_equal(recoveries, 1);
    eio_ws_gone(&b.ws);
    for (int i = 0; i < 5; i++)
        sio_broadcast(server, "/", STR_EMPTY, STR("many"), STR("[]"));
    connect(&b, auth[2]); /* more events than it may have queued */
    assert_int_equal(recoveries, 1);
    join(auth[3], "9");
    sio_emit(latest, STR("x"), STR("[]"));
    eio_ws_gone(&a.ws);
    for (int i = 0; i < 40; i++)
        sio_broadcast(server, "/", STR("nobody"), STR("bytes"), STR("[\"0123456789\"]"));
    connect(&a, auth[3]); /* the event it has seen last is gone */
    assert_int_equal(recoveries, 1);
    join(auth[3], "50");
    eio_ws_gone(&a.ws);
    fake_advance(engine, 1001);
    connect(&a, auth[3]);
    assert_int_equal(recoveries, 1);
}

static void application_replays_from_its_own_log_before_connect(void **state) {
    (void)state;
    open_server((struct sio_options){0}, &LOG_HANDLERS);
    missed = 2;
    connect(&a, "{\"pid\":\"ada-secret\",\"offset\":\"8-1\"}");
    assert_int_equal(a.sent_count, 3);
    assert_string_equal(fake_sent(&a, 0), "42[\"missed\",\"9-1\"]");
    assert_string_equal(fake_last(&a),
                        "40{\"sid\":\"ada-ada-ada-ada-ada-\",\"pid\":\"ada-secret\"}");
    sio_emit_at(latest, STR("new"), STR("[1]"), STR("9-2"));
    assert_string_equal(fake_last(&a), "42[\"new\",1,\"9-2\"]");
}

static void pid_belongs_to_one_live_socket(void **state) {
    (void)state;
    open_server((struct sio_options){0}, &LOG_HANDLERS);
    connect(&a, "{\"pid\":\"ada-secret\"}");
    connect(&b, "{\"pid\":\"ada-secret\"}");
    assert_string_equal(fake_last(&a), "41");
    assert_string_equal(last_reason, "session taken over");
    assert_non_null(latest);
    assert_string_equal(fake_last(&b),
                        "40{\"sid\":\"ada-ada-ada-ada-ada-\",\"pid\":\"ada-secret\"}");
}

static void application_may_recover_later_and_is_told_who_left_meanwhile(void **state) {
    (void)state;
    open_server((struct sio_options){0}, &LOG_HANDLERS);
    connect(&a, "{\"pid\":\"ada-secret\",\"offset\":\"later\"}");
    assert_int_equal(a.sent_count, 0);
    sio_emit_at(latest, STR("missed"), STR("[]"), STR("9-1"));
    sio_connect_accept(latest);
    assert_string_equal(fake_sent(&a, 0), "42[\"missed\",\"9-1\"]");
    assert_string_equal(fake_last(&a),
                        "40{\"sid\":\"ada-ada-ada-ada-ada-\",\"pid\":\"ada-secret\"}");
    connect(&b, "{\"pid\":\"ada-secret\",\"offset\":\"later\"}");
    assert_non_null(latest);
    eio_ws_gone(&b.ws);
    assert_null(latest);
    assert_string_equal(last_reason, "transport close");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(memory_gives_back_rooms_id_and_missed_events, tear_down),
        cmocka_unit_test_teardown(event_that_excepts_a_socket_is_not_replayed_to_it, tear_down),
        cmocka_unit_test_teardown(memory_is_bounded_in_time_bytes_sockets_and_length_of_replay,
                                  tear_down),
        cmocka_unit_test_teardown(application_replays_from_its_own_log_before_connect, tear_down),
        cmocka_unit_test_teardown(pid_belongs_to_one_live_socket, tear_down),
        cmocka_unit_test_teardown(application_may_recover_later_and_is_told_who_left_meanwhile,
                                  tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
