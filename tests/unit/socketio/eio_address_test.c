/* eio_address_test.c - what counts as one peer, and that what is given back is free again. */
#include "socketio/eio_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void peer_is_refused_at_its_limit_and_others_are_not(void **state) {
    (void)state;
    struct eio_addresses a = {.limit = 2};
    assert_true(eio_address_enter(&a, "10.0.0.1"));
    assert_true(eio_address_enter(&a, "10.0.0.1"));
    assert_false(eio_address_enter(&a, "10.0.0.1"));
    assert_true(eio_address_enter(&a, "10.0.0.2"));
    eio_address_leave(&a, "10.0.0.1");
    assert_true(eio_address_enter(&a, "10.0.0.1"));
    eio_address_fini(&a);
}

static void network_of_an_ipv6_address_is_one_peer(void **state) {
    (void)state;
    struct eio_addresses a = {.limit = 1};
    assert_true(eio_address_enter(&a, "2001:db8:1:2::1"));
    assert_false(eio_address_enter(&a, "2001:db8:1:2:ffff::9"));
    assert_true(eio_address_enter(&a, "2001:db8:1:3::1"));
    eio_address_leave(&a, "2001:db8:1:2::1");
    eio_address_leave(&a, "2001:db8:1:3::1");
    assert_int_equal(a.by_text.count, 0);
    eio_address_fini(&a);
}

static void mapped_ipv4_address_is_the_ipv4_address(void **state) {
    (void)state;
    struct eio_addresses a = {.limit = 1};
    assert_true(eio_address_enter(&a, "::ffff:10.0.0.1"));
    assert_false(eio_address_enter(&a, "10.0.0.1"));
    assert_true(eio_address_enter(&a, "::ffff:10.0.0.2"));
    eio_address_fini(&a);
}

static void no_limit_counts_nobody(void **state) {
    (void)state;
    struct eio_addresses a = {0};
    for (int i = 0; i < 100; i++)
        assert_true(eio_address_enter(&a, "10.0.0.1"));
    assert_int_equal(a.by_text.count, 0);
    eio_address_leave(&a, "10.0.0.1");
    eio_address_fini(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_is_refused_at_its_limit_and_others_are_not),
        cmocka_unit_test(network_of_an_ipv6_address_is_one_peer),
        cmocka_unit_test(mapped_ipv4_address_is_the_ipv4_address),
        cmocka_unit_test(no_limit_counts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
