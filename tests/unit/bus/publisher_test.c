/* publisher_test.c - what is published reaches subscribers of its topic, and waits for nobody. */
#include "bus/publisher.h"

#include "base/clock.h"
#include "base/mem.h"
#include "bus/close.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 20000 };

static struct publisher *open_publisher(void) {
    struct publisher *p;
    struct err_text why;
    if (publisher_open(&p, "tcp://127.0.0.1:0", &why)) fail_msg("%s", why.text);
    return p;
}

static nng_socket subscribe(const struct publisher *p, const char *topic, int buffer) {
    nng_socket s;
    assert_int_equal(nng_sub0_open(&s), 0);
    assert_int_equal(nng_socket_set(s, NNG_OPT_SUB_SUBSCRIBE, topic, strlen(topic)), 0);
    assert_int_equal(nng_socket_set_int(s, NNG_OPT_RECVBUF, buffer), 0);
    assert_int_equal(nng_dial(s, publisher_addresses(p), NULL, 0), 0);
    return s;
}

/* Publishes until the subscription has arrived at the publisher, which nng tells nobody. */
static void await_subscriber(struct publisher *p, nng_socket s) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    char bytes[64];
    size_t size = sizeof bytes;
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 20), 0);
    do {
        publisher_send(p, STR("a/first"));
        assert_true(clock_mono_us() < until_us);
        size = sizeof bytes;
    } while (nng_recv(s, bytes, &size, 0) != 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
}

static void messages_reach_the_subscribers_of_their_topic_in_order(void **state) {
    (void)state;
    struct publisher *p = open_publisher();
    publisher_send(p, STR("a/nobody hears")); /* is no error */
    nng_socket s = subscribe(p, "a/", 1024);
    await_subscriber(p, s);
    publisher_send(p, STR("b/other"));
    for (char n = '0'; n <= '9'; n++)
        publisher_send(p, (struct str){(char[]){'a', '/', n}, 3});
    char bytes[64];
    for (char n = '0'; n <= '9';) {
        size_t size = sizeof bytes;
        assert_int_equal(nng_recv(s, bytes, &size, 0), 0);
        if (size == 7) continue; /* one more of a/first */
        assert_int_equal(size, 3);
        assert_int_equal(bytes[2], n++);
    }
    (void)close_socket(s);
    publisher_close(p);
}

/* Some may be lost on the way, never the newest. */
static void await_last(nng_socket s, char *bytes, size_t capacity) {
    size_t size;
    do {
        size = capacity;
        assert_int_equal(nng_recv(s, bytes, &size, 0), 0);
    } while (size != strlen("a/last"));
}

static void subscriber_that_does_not_read_blocks_nobody(void **state) {
    (void)state;
    enum { MESSAGES = 20000, BYTES = 2000 };
    struct publisher *p = open_publisher();
    nng_socket lazy = subscribe(p, "a/", 1), eager = subscribe(p, "a/", 8192);
    await_subscriber(p, lazy);
    await_subscriber(p, eager);
    char *bytes = mem_alloc(BYTES);
    bytes[0] = 'a';
    bytes[1] = '/';
    int64_t begin_us = clock_mono_us();
    for (int i = 0; i < MESSAGES; i++)
        publisher_send(p, (struct str){bytes, BYTES});
    assert_in_range(clock_mono_us() - begin_us, 0, WAIT_MS * 1000);
    publisher_send(p, STR("a/last"));
    await_last(eager, bytes, BYTES);
    await_last(lazy, bytes, BYTES); /* quiet is safe to close */
    mem_free(bytes);
    (void)close_socket(lazy);
    (void)close_socket(eager);
    publisher_close(p);
}

static void malformed_address_is_refused(void **state) {
    (void)state;
    struct publisher *p;
    struct err_text why;
    assert_int_equal(publisher_open(&p, "udp://x", &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "udp://x"));
    assert_null(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_reach_the_subscribers_of_their_topic_in_order),
        cmocka_unit_test(subscriber_that_does_not_read_blocks_nobody),
        cmocka_unit_test(malformed_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
