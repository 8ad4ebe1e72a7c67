/* listen_address_test.c - host:port in its forms, and what is none. */
#include "bridge/listen_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void forms_of_an_address_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
        bool v6;
    } rows[] = {
        {"127.0.0.1:7602", "127.0.0.1", 7602, false},
        {"localhost:0", "127.0.0.1", 0, false},
        {":80", "", 80, false},
        {"*:80", "", 80, false},
        {"0.0.0.0:80", "", 80, false},
        {"[::]:80", "", 80, true},
        {"[::1]:65535", "::1", 65535, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listen_address a;
        struct err_text why;
        assert_int_equal(listen_address_parse(rows[i].text, &a, &why), ERR_OK);
        assert_string_equal(a.host, rows[i].host);
        assert_int_equal(a.port, rows[i].port);
        assert_int_equal(a.v6, rows[i].v6);
    }
}

static void what_is_no_address_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "7602",
        "host:",
        "host:x",
        "host:-1",
        "host:65536",
        "0123456789012345678901234567890123456789012345678901234567890123:1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct listen_address a;
        struct err_text why;
        assert_int_equal(listen_address_parse(texts[i], &a, &why), ERR_INVALID_ARGUMENT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_an_address_are_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
