/* address_test.c - which texts are Redis addresses, and what is said of the others. */
#include "store/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct address good(const char *text) {
    struct address a;
    struct err_text why;
    if (address_parse(&a, text, &why)) fail_msg("%s: %s", text, why.text);
    return a;
}

static void bad(const char *text, const char *says) {
    struct address a;
    struct err_text why;
    assert_int_equal(address_parse(&a, text, &why), ERR_INVALID_ARGUMENT);
    if (!strstr(why.text, says)) fail_msg("%s: \"%s\" lacks \"%s\"", text, why.text, says);
}

static void host_port_database_and_login_are_read(void **state) {
    (void)state;
    struct address a = good("redis://db.example:7000/3");
    assert_string_equal(a.at.host, "db.example");
    assert_int_equal(a.at.port, 7000);
    assert_int_equal(a.database, 3);
    assert_string_equal(a.text, "redis://db.example:7000/3");
    a = good("redis://localhost");
    assert_int_equal(a.at.port, 6379);
    a = good("redis://:p%40ss%3aword@h:1");
    assert_string_equal(a.password, "p@ss:word");
    assert_string_equal(a.user, "");
    a = good("redis://bob:secret@h");
    assert_string_equal(a.user, "bob");
    assert_string_equal(a.password, "secret");
}

static void password_never_shows_in_the_text(void **state) {
    (void)state;
    struct address a = good("redis://bob:hunter2@h:99");
    assert_null(strstr(a.text, "hunter2"));
    assert_string_equal(a.text, "redis://h:99");
}

static void v6_hosts_stand_in_brackets(void **state) {
    (void)state;
    struct address a = good("redis://[::1]:6380");
    assert_string_equal(a.at.host, "::1");
    assert_int_equal(a.at.port, 6380);
    assert_string_equal(a.text, "redis://[::1]:6380");
    assert_int_equal(good("redis://[::1]").at.port, 6379);
}

static void sentinels_are_listed_before_their_service(void **state) {
    (void)state;
    struct address a = good("redis+sentinel://:secret@s1,s2:7000,[::1]:7001/game/3");
    assert_int_equal(a.sentinel_count, 3);
    assert_string_equal(a.sentinels[0].host, "s1");
    assert_int_equal(a.sentinels[0].port, 26379);
    assert_string_equal(a.sentinels[1].host, "s2");
    assert_int_equal(a.sentinels[1].port, 7000);
    assert_string_equal(a.sentinels[2].host, "::1");
    assert_string_equal(a.service, "game");
    assert_string_equal(a.password, "secret");
    assert_int_equal(a.database, 3);
    assert_string_equal(a.text, "redis+sentinel://s1:26379,s2:7000,[::1]:7001/game/3");
}

static void unix_sockets_are_paths(void **state) {
    (void)state;
    assert_string_equal(good("unix:/run/redis.sock").path, "/run/redis.sock");
    assert_string_equal(good("unix:///run/redis.sock").path, "/run/redis.sock");
    assert_string_equal(good("unix:/run/r.sock").text, "unix:/run/r.sock");
}

static void what_is_no_address_is_explained(void **state) {
    (void)state;
    bad("", "not a Redis address");
    bad("localhost:6379", "redis://host:port");
    bad("redis://", "no host");
    bad("redis://:6379", "no host");
    bad("redis://h:0", "the port \"0\"");
    bad("redis://h:65536", "from 1 to 65535");
    bad("redis://h:12x", "the port \"12x\"");
    bad("redis://h:", "the port");
    bad("redis://h/x", "the database \"x\"");
    bad("redis://user@h", "no password");
    bad("redis://:a%0@h", "%XX");
    bad("redis://:a%00@h", "%XX");
    bad("redis://[::1", "\"]\"");
    bad("redis://[::1]x", "\"]\"");
    bad("unix:", "no socket");
    bad("redis+sentinel://h", "names no service");
    bad("redis+sentinel://h/", "names no service");
    bad("redis+sentinel://h,/s", "no host");
    bad("redis+sentinel://a,b,c,d,e,f,g,h,i/s", "over 8 Sentinels");
    bad("rediss://h", "not supported by this build");
}

static void socket_path_of_107_bytes_fits_and_108_does_not(void **state) {
    (void)state;
    char text[200] = "unix:/";
    memset(text + 6, 'x', 106);
    assert_int_equal(strlen(good(text).path), 107);
    strcat(text, "x");
    bad(text, "107");
}

static void embedded_socket_is_absolute_and_its_length_checked(void **state) {
    (void)state;
    struct address a;
    struct err_text why;
    assert_int_equal(address_embedded(&a, "/var/lib/muster", &why), ERR_OK);
    assert_string_equal(a.path, "/var/lib/muster/redis.sock");
    assert_int_equal(address_of(&a, NULL, "state", &why), ERR_OK);
    assert_int_equal(a.path[0], '/');
    char deep[150];
    memset(deep, 'd', sizeof deep - 1);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(address_of(&a, "", deep, &why), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "shorter"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_port_database_and_login_are_read),
        cmocka_unit_test(password_never_shows_in_the_text),
        cmocka_unit_test(v6_hosts_stand_in_brackets),
        cmocka_unit_test(sentinels_are_listed_before_their_service),
        cmocka_unit_test(unix_sockets_are_paths),
        cmocka_unit_test(what_is_no_address_is_explained),
        cmocka_unit_test(socket_path_of_107_bytes_fits_and_108_does_not),
        cmocka_unit_test(embedded_socket_is_absolute_and_its_length_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
