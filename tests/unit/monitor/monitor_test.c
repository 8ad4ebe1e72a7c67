/* monitor_test.c - the operators' pages over a real socket. */
#include "monitor/monitor.h"

#include "base/metrics.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool serves;

static bool ready(const void *arg) {
    return *(const bool *)arg;
}

static struct monitor *start(void) {
    struct monitor_options o = {"127.0.0.1:0", ready, &serves, "1.2.3"};
    struct monitor *m;
    struct err_text why;
    if (monitor_start(&m, &o, &why) != ERR_OK) fail_msg("%s", why.text);
    return m;
}

/* The whole answer to one request, NUL-terminated; the caller frees it with strbuf_fini. */
static struct strbuf ask(const struct monitor *m, const char *request_line) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    at.sin_port = htons((uint16_t)atoi(strrchr(monitor_address(m), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    struct strbuf b = {0};
    strbuf_printf(&b, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", request_line);
    assert_int_equal(send(fd, b.at, b.size, 0), b.size);
    strbuf_clear(&b);
    for (ssize_t got; (got = recv(fd, strbuf_reserve(&b, 4096), 4096, 0)) > 0;) {
        b.size += (size_t)got;
        b.at[b.size] = '\0';
    }
    (void)close(fd);
    return b;
}

static void assert_answer(const struct monitor *m, const char *request_line, const char *status,
                          const char *content) {
    struct strbuf b = ask(m, request_line);
    assert_non_null(strstr(b.at, status));
    if (!strstr(b.at, content)) fail_msg("\"%s\" is not in:\n%s", content, b.at);
    strbuf_fini(&b);
}

static void pages_say_what_the_process_is_doing(void **state) {
    (void)state;
    struct monitor *m = start();
    metric_add(METRIC_matches_total, 41);
    assert_answer(m, "GET /metrics", "200 OK", "\nmuster_matches_total 41\n");
    assert_answer(m, "GET /metrics", "200 OK", "\nmuster_build_info{version=\"1.2.3\"} 1\n");
    assert_answer(m, "GET /metrics", "text/plain; version=0.0.4", "\nprocess_open_fds ");
    assert_answer(m, "GET /healthz", "200 OK", "\r\n\r\nok\n");
    serves = false;
    assert_answer(m, "GET /readyz", "503 ", "not ready");
    serves = true;
    assert_answer(m, "GET /readyz", "200 OK", "ready");
    assert_answer(m, "GET /other", "404 ", "/metrics");
    assert_answer(m, "POST /metrics", "405 ", "GET and HEAD");
    monitor_stop(m);
}

static void refuse(const char *listen, enum err code, const char *word) {
    struct monitor_options o = {listen, ready, &serves, ""};
    struct monitor *m;
    struct err_text why;
    assert_int_equal(monitor_start(&m, &o, &why), code);
    assert_null(m);
    if (!strstr(why.text, word)) fail_msg("\"%s\" is not in \"%s\"", word, why.text);
    assert_string_equal(why.field, "metrics-listen");
}

static void wrong_and_taken_addresses_are_refused(void **state) {
    (void)state;
    refuse("7603", ERR_INVALID_ARGUMENT, "HOST:PORT");
    refuse("127.0.0.1:http", ERR_INVALID_ARGUMENT, "127.0.0.1:http");
    struct monitor *m = start();
    refuse(monitor_address(m) + strlen("http://"), ERR_FAILED_PRECONDITION, "in use");
    monitor_stop(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_say_what_the_process_is_doing),
        cmocka_unit_test(wrong_and_taken_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
