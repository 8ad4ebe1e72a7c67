/* http_answer_test.c - the bytes of answers: one connection each, never cached, CORS only where
 * due. */
#include "bridge/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct strbuf out;

static const char *write_answer(const struct eio_answer *a, unsigned form) {
    strbuf_clear(&out);
    http_answer_write(&out, a, form);
    return out.at;
}

static void answer_closes_says_its_length_and_is_not_cached(void **state) {
    (void)state;
    struct eio_answer a = {.status = 200, .type = "text/plain", .body = STR("ok")};
    assert_string_equal(write_answer(&a, HTTP_ANSWER_PLAIN),
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\n"
                        "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    assert_non_null(strstr(write_answer(&a, HTTP_ANSWER_BODILESS), "Content-Length: 2\r\n\r\n"));
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_BODILESS), "ok"));
}

static void listed_origin_varies_and_any_origin_does_not(void **state) {
    (void)state;
    struct eio_answer a = {.status = 400, .allow_origin = "https://a.example"};
    assert_non_null(strstr(write_answer(&a, HTTP_ANSWER_PLAIN),
                           "Access-Control-Allow-Origin: https://a.example\r\nVary: Origin\r\n"));
    a.allow_origin = "*";
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_PLAIN), "Vary"));
}

static void preflight_repeats_only_headers_that_end_no_line(void **state) {
    (void)state;
    struct eio_answer a = {
        .status = 204, .allow_origin = "*", .preflight = true, .allow_headers = STR("x-a,x-b")};
    assert_non_null(
        strstr(write_answer(&a, HTTP_ANSWER_PLAIN), "Access-Control-Allow-Headers: x-a,x-b\r\n"));
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_PLAIN), "Content-Length"));
    a.allow_headers = STR("x\r\nSet-Cookie: a=b");
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_PLAIN), "Set-Cookie"));
}

static void page_tells_the_browser_to_trust_nothing_in_it(void **state) {
    (void)state;
    struct eio_answer a = {.status = 200, .type = "text/html", .body = STR("ok")};
    const char *text = write_answer(&a, HTTP_ANSWER_PAGE);
    assert_non_null(strstr(text, "\r\nContent-Security-Policy: default-src 'self'; "));
    assert_non_null(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_null(strstr(text, "unsafe"));
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_PLAIN), "Content-Security-Policy"));
    assert_null(strstr(write_answer(&a, HTTP_ANSWER_PAGE | HTTP_ANSWER_BODILESS), "ok"));
}

static int tear_down(void **state) {
    (void)state;
    strbuf_fini(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_closes_says_its_length_and_is_not_cached),
        cmocka_unit_test(listed_origin_varies_and_any_origin_does_not),
        cmocka_unit_test(preflight_repeats_only_headers_that_end_no_line),
        cmocka_unit_test(page_tells_the_browser_to_trust_nothing_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
