/* sio_server_test.c - sockets, rooms and broadcasts, and handlers that end what calls them. */
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
static struct sio_socket *sockets[4]; /* in order of connection; NULL once disconnected */
static int disconnects;
static bool refusing, ending_others;

static enum err on_connect(void *arg, struct sio_socket *s, struct str auth, struct err_text *why) {
    (void)arg;
    if (str_equal(auth, STR("{\"emit\":1}"))) sio_emit(s, STR("early"), STR("[1]"));
    if (str_equal(auth, STR("{\"leave\":1}"))) {
        sio_socket_disconnect(s, false);
        return ERR_OK;
    }
    if (refusing) return err_set(why, ERR_PERMISSION_DENIED, "not \"you\"");
    for (size_t i = 0; i < 4; i++) {
        if (sockets[i]) continue;
        sockets[i] = s;
        sio_socket_set_data(s, &sockets[i]);
        break;
    }
    return ERR_OK;
}

static void on_event(void *arg, struct sio_socket *s, struct str name, struct str args,
                     struct str ack_id) {
    (void)arg;
    (void)args;
    if (str_equal(name, STR("leave"))) sio_socket_disconnect(s, false);
    if (str_equal(name, STR("end"))) sio_socket_disconnect(s, true);
    if (str_equal(name, STR("end-all")))
        for (size_t i = 0; i < 4; i++)
            if (sockets[i]) sio_socket_disconnect(sockets[i], true);
    /* The socket may have ended above; its handle is good until this returns. */
    sio_emit(s, STR("after"), STR("[]"));
    if (ack_id.size) sio_ack(s, ack_id, STR("[]"));
}

static void on_disconnect(void *arg, struct sio_socket *s, const char *reason) {
    (void)arg;
    (void)reason;
    disconnects++;
    assert_int_equal(sio_socket_id(s).size, 20);
    assert_true(str_equal(sio_socket_address(s), STR("10.0.0.1")));
    struct sio_socket **slot = sio_socket_data(s);
    if (slot) *slot = NULL;
    for (size_t i = 0; ending_others && i < 4; i++)
        if (sockets[i]) sio_socket_disconnect(sockets[i], true);
}

static const struct sio_handlers HANDLERS = {
    .connect = on_connect, .event = on_event, .disconnect = on_disconnect};

static int set_up(void **state) {
    (void)state;
    server = sio_server_new(&(struct sio_options){0});
    engine = sio_server_engine(server);
    sio_namespace(server, "/", &HANDLERS, NULL);
    sio_namespace(server, "/other", &HANDLERS, NULL);
    eio_server_attach(engine, &FAKE_HOOKS, NULL);
    fake_armed_us = -1;
    disconnects = 0;
    refusing = ending_others = false;
    memset(sockets, 0, sizeof sockets);
    a = (struct fake_ws){0};
    b = (struct fake_ws){0};
    assert_true(fake_open(engine, &a, ""));
    assert_true(fake_open(engine, &b, ""));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    ending_others = false;
    sio_server_close(server);
    sio_server_free(server);
    fake_forget(&a);
    fake_forget(&b);
    return 0;
}

static void join_both(void) {
    fake_say(&a, "40");
    fake_say(&b, "40");
    fake_forget(&a);
    fake_forget(&b);
}

static void broadcast_shares_one_buffer_among_all_receivers(void **state) {
    (void)state;
    join_both();
    sio_broadcast(server, "/", STR_EMPTY, STR("news"), STR("[1,{}]"));
    assert_string_equal(fake_last(&a), "42[\"news\",1,{}]");
    assert_ptr_equal(a.sent[0], b.sent[0]);
    assert_int_equal(a.sent[0]->reference_count, 2);
}

static void room_reaches_its_members_once_and_ends_with_them(void **state) {
    (void)state;
    join_both();
    sio_join(sockets[0], STR("r"));
    sio_join(sockets[0], STR("r"));
    sio_broadcast(server, "/", STR("r"), STR("x"), STR("[]"));
    assert_int_equal(a.sent_count, 1);
    assert_int_equal(b.sent_count, 0);
    sio_broadcast(server, "/other", STR("r"), STR("x"), STR("[]"));
    sio_leave(sockets[0], STR("r"));
    sio_leave(sockets[0], STR("r"));
    sio_broadcast(server, "/", STR("r"), STR("x"), STR("[]"));
    assert_int_equal(a.sent_count, 1);
}

static void closing_the_transport_leaves_rooms_and_tells_every_namespace_once(void **state) {
    (void)state;
    join_both();
    fake_say(&a, "40/other");
    sio_join(sockets[0], STR("r"));
    eio_ws_gone(&a.ws);
    assert_int_equal(disconnects, 2);
    sio_broadcast(server, "/", STR("r"), STR("x"), STR("[]"));
    eio_ws_gone(&a.ws);
    assert_int_equal(disconnects, 2);
    assert_int_equal(sio_server_connections(server), 1);
}

static void emit_in_the_connect_handler_comes_behind_the_connect_packet(void **state) {
    (void)state;
    fake_forget(&a);
    fake_say(&a, "40{\"emit\":1}");
    assert_int_equal(a.sent_count, 2);
    assert_memory_equal(fake_sent(&a, 0), "40{\"sid\":\"", 10);
    assert_string_equal(fake_sent(&a, 1), "42[\"early\",1]");
}

static void refusal_is_a_connect_error_or_a_disconnect_once_something_was_sent(void **state) {
    (void)state;
    refusing = true;
    fake_say(&a, "40");
    assert_string_equal(fake_last(&a), "44{\"message\":\"not \\\"you\\\"\"}");
    assert_int_equal(disconnects, 0);
    fake_say(&a, "40{\"emit\":1}");
    assert_string_equal(fake_last(&a), "41");
    assert_int_equal(disconnects, 1);
    assert_false(a.closed);
}

static void handlers_may_end_their_own_socket_and_connection(void **state) {
    (void)state;
    join_both();
    fake_say(&a, "421[\"leave\"]");
    assert_string_equal(fake_last(&a), "41");
    assert_int_equal(a.sent_count, 1);
    fake_say(&a, "40{\"leave\":1}");
    assert_int_equal(disconnects, 1);
    fake_say(&b, "421[\"end\"]");
    assert_string_equal(fake_last(&b), "41");
    assert_int_equal(b.code, EIO_WS_NORMAL);
    assert_int_equal(disconnects, 2);
    assert_null(b.ws.session);
}

static void handlers_may_end_everyone_at_once(void **state) {
    (void)state;
    join_both();
    fake_say(&a, "40/other");
    fake_say(&a, "42[\"end-all\"]");
    assert_int_equal(disconnects, 3);
    assert_true(a.closed && b.closed);
    assert_int_equal(sio_server_connections(server), 0);
}

static void disconnect_handlers_may_end_others(void **state) {
    (void)state;
    join_both();
    ending_others = true;
    sio_server_close(server);
    assert_int_equal(disconnects, 2);
    assert_int_equal(eio_server_session_count(engine), 0);
}

static void slow_clients_of_a_broadcast_end_after_it_and_not_within(void **state) {
    (void)state;
    join_both();
    a.choked = b.choked = true;
    ending_others = true; /* the first one's end also ends the second, which is doomed as well */
    for (int i = 0; i < 300; i++)
        sio_broadcast(server, "/", STR_EMPTY, STR("x"), STR("[]"));
    assert_int_equal(disconnects, 0);
    fake_advance(engine, 0);
    assert_int_equal(disconnects, 2);
    assert_int_equal(sio_server_connections(server), 0);
}

static void server_side_disconnect_from_outside_frees_the_connection(void **state) {
    (void)state;
    join_both();
    sio_socket_disconnect(sockets[0], true);
    assert_null(a.ws.session);
    assert_int_equal(eio_server_session_count(engine), 1);
}

static void binary_is_sent_behind_its_packet(void **state) {
    (void)state;
    join_both();
    struct str attachments[] = {STR("\x01\x02"), STR("")};
    sio_emit_binary(sockets[0], STR("b"), STR("[{\"_placeholder\":true,\"num\":0}]"), attachments,
                    2);
    assert_string_equal(fake_sent(&a, 0), "452-[\"b\",{\"_placeholder\":true,\"num\":0}]");
    assert_true(a.sent[1]->binary && a.sent[2]->binary);
    assert_int_equal(a.sent[1]->size, 2);
    sio_ack_binary(sockets[1], STR("7"), STR("[]"), attachments, 1);
    assert_string_equal(fake_sent(&b, 0), "461-7[]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(broadcast_shares_one_buffer_among_all_receivers),
        TEST(room_reaches_its_members_once_and_ends_with_them),
        TEST(closing_the_transport_leaves_rooms_and_tells_every_namespace_once),
        TEST(emit_in_the_connect_handler_comes_behind_the_connect_packet),
        TEST(refusal_is_a_connect_error_or_a_disconnect_once_something_was_sent),
        TEST(handlers_may_end_their_own_socket_and_connection),
        TEST(handlers_may_end_everyone_at_once),
        TEST(disconnect_handlers_may_end_others),
        TEST(slow_clients_of_a_broadcast_end_after_it_and_not_within),
        TEST(server_side_disconnect_from_outside_frees_the_connection),
        TEST(binary_is_sent_behind_its_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
