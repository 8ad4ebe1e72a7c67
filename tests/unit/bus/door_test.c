/* door_test.c - real requests, hostile bytes and parked requests at a door on tcp and ipc. */
#include "bus/door.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bus/close.h"
#include "bus/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 30000, HELD_MAX = 8192 };

/* Echoes; a request that begins with 'h' is held, one with 'p' parked and held. */
struct echo {
    struct door *door;
    pthread_mutex_t lock;
    struct door_context *held[HELD_MAX];
    unsigned held_count;
    atomic_uint taken, refused;
};

static void take(void *arg, struct door_context *context, struct str bytes) {
    struct echo *e = arg;
    atomic_fetch_add(&e->taken, 1);
    char first = bytes.size ? bytes.at[0] : 0;
    if (first == 'p' && !door_park(context)) {
        atomic_fetch_add(&e->refused, 1);
        door_reply(context, STR("refused"));
    } else if (first == 'p' || first == 'h') {
        pthread_mutex_lock(&e->lock);
        e->held[e->held_count++] = context;
        pthread_mutex_unlock(&e->lock);
    } else {
        door_reply(context, bytes);
    }
}

static void start_at(struct echo *e, const char *addresses) {
    struct err_text why;
    *e = (struct echo){.lock = PTHREAD_MUTEX_INITIALIZER};
    if (door_open(&e->door, addresses, take, e, &why)) fail_msg("%s", why.text);
}

static void start(struct echo *e) {
    start_at(e, "tcp://127.0.0.1:0");
}

static unsigned held(struct echo *e) {
    pthread_mutex_lock(&e->lock);
    unsigned count = e->held_count;
    pthread_mutex_unlock(&e->lock);
    return count;
}

static void release(struct echo *e) {
    pthread_mutex_lock(&e->lock);
    while (e->held_count)
        door_reply(e->held[--e->held_count], STR("released"));
    pthread_mutex_unlock(&e->lock);
}

static void wait_held(struct echo *e, unsigned wanted) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (held(e) != wanted) {
        if (clock_mono_us() > until_us) fail_msg("%u are held, not %u", held(e), wanted);
        (void)poll(NULL, 0, 2);
    }
}

static void stop(struct echo *e) {
    door_stop(e->door);
    door_close(e->door);
}

/* ---- clients ---- */

static nng_socket dial(const char *address) {
    nng_socket s;
    assert_int_equal(nng_req0_open(&s), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), 0);
    assert_int_equal(nng_dial(s, address, NULL, 0), 0);
    return s;
}

static void expect_echo(const char *address, const char *text) {
    nng_socket s = dial(address);
    char answer[64] = {0};
    size_t size = sizeof answer - 1;
    /* Sent again when the connection is lost. */
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_REQ_RESENDTIME, 2 * WAIT_MS), 0);
    assert_int_equal(nng_send(s, (void *)text, strlen(text), 0), 0);
    assert_int_equal(nng_recv(s, answer, &size, 0), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(answer, text, size);
    (void)close_socket(s);
}

/* Many requests in flight over one socket. */
struct crowd {
    nng_socket socket;
    nng_ctx *contexts;
    nng_aio **aios;
    unsigned count;
};

static void crowd_send(struct crowd *c, const char *address, unsigned count, const char *text) {
    *c = (struct crowd){.socket = dial(address), .count = count};
    c->contexts = mem_array(count, sizeof *c->contexts);
    c->aios = mem_array(count, sizeof *c->aios);
    for (unsigned i = 0; i < count; i++) {
        nng_msg *m;
        assert_int_equal(nng_ctx_open(&c->contexts[i], c->socket), 0);
        assert_int_equal(nng_aio_alloc(&c->aios[i], NULL, NULL), 0);
        nng_aio_set_timeout(c->aios[i], WAIT_MS);
        assert_int_equal(nng_msg_alloc(&m, 0), 0);
        assert_int_equal(nng_msg_append(m, text, strlen(text)), 0);
        nng_aio_set_msg(c->aios[i], m);
        nng_ctx_send(c->contexts[i], c->aios[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        nng_aio_wait(c->aios[i]);
        assert_int_equal(nng_aio_result(c->aios[i]), 0);
        nng_ctx_recv(c->contexts[i], c->aios[i]);
    }
}

/* Waits for every answer; how many of them are `text`. */
static unsigned crowd_receive(struct crowd *c, const char *text) {
    unsigned same = 0;
    for (unsigned i = 0; i < c->count; i++) {
        nng_aio_wait(c->aios[i]);
        assert_int_equal(nng_aio_result(c->aios[i]), 0);
        nng_msg *m = nng_aio_get_msg(c->aios[i]);
        same += nng_msg_len(m) == strlen(text) && memcmp(nng_msg_body(m), text, strlen(text)) == 0;
        nng_msg_free(m);
        nng_aio_free(c->aios[i]);
    }
    (void)close_socket(c->socket);
    mem_free(c->contexts);
    mem_free(c->aios);
    return same;
}

static int connect_raw(const char *address) {
    int port = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sscanf(address, "tcp://127.0.0.1:%d", &port), 1);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

/* Sends, and waits until the door has closed the connection, unless `leave`: then we do. */
static void throw_bytes(const char *address, const void *bytes, size_t size, bool leave) {
    int fd = connect_raw(address);
    struct timeval limit = {.tv_sec = 20};
    char sink[256];
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    (void)send(fd, bytes, size, MSG_NOSIGNAL);
    while (!leave) {
        ssize_t got = recv(fd, sink, sizeof sink, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) break;
        assert_true(got > 0);
    }
    (void)close(fd);
}

static long resident_kb(void) {
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &pages, &resident), 2);
    (void)fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

#define HELLO "\0SP\0\0\x30\0\0" /* of a req socket */

static void hostile_bytes_cost_their_own_connection_only(void **state) {
    (void)state;
    static const char claim[] = HELLO "\0\0\0\x04\0\0\0\0";             /* 16 GiB follow */
    static const char one_above[] = HELLO "\0\0\0\0\0\x40\0\x01";       /* 4 MiB and a byte */
    static const char no_header[] = HELLO "\0\0\0\0\0\0\0\x04\0\0\0\0"; /* no request id */
    static const char half[] = HELLO "\0\0\0\0\0\0\x01\0\x80";
    struct echo e;
    start(&e);
    const char *address = door_addresses(e.door);
    expect_echo(address, "before");
    nng_socket honest = dial(address);
    long before_kb = resident_kb();
    for (int i = 0; i < 50; i++) {
        throw_bytes(address, "GET / HTTP/1.1\r\n\r\n", 18, false);
        throw_bytes(address, claim, sizeof claim - 1, false);
        throw_bytes(address, one_above, sizeof one_above - 1, false);
        throw_bytes(address, no_header, sizeof no_header - 1, true);
        throw_bytes(address, half, sizeof half - 1, true);
        throw_bytes(address, half, 5, true);
    }
    for (int i = 0; i < 500; i++)
        (void)close(connect_raw(address));
    assert_in_range(resident_kb() - before_kb + 65536, 0, 65536 + 32768);
    char answer[8];
    size_t size = sizeof answer;
    assert_int_equal(nng_send(honest, "still", 5, 0), 0);
    assert_int_equal(nng_recv(honest, answer, &size, 0), 0);
    assert_int_equal(size, 5);
    (void)close_socket(honest);
    expect_echo(address, "after");
    stop(&e);
}

static void busy_door_serves_as_many_as_it_has_contexts_and_the_rest_after(void **state) {
    (void)state;
    enum { MORE = 100 };
    struct echo e;
    struct crowd c;
    start(&e);
    crowd_send(&c, door_addresses(e.door), LIMIT_RPC_CONTEXTS + MORE, "hold");
    wait_held(&e, LIMIT_RPC_CONTEXTS);
    release(&e);
    wait_held(&e, MORE);
    release(&e);
    assert_int_equal(crowd_receive(&c, "released"), LIMIT_RPC_CONTEXTS + MORE);
    stop(&e);
}

static void parked_requests_let_others_in_up_to_the_limit(void **state) {
    (void)state;
    enum { OVER = 50, ROUNDS = 2 };
    struct echo e;
    struct crowd c;
    start(&e);
    for (unsigned round = 1; round <= ROUNDS; round++) { /* again with contexts used before */
        crowd_send(&c, door_addresses(e.door), LIMIT_PARKED_CONTEXTS + OVER, "park");
        wait_held(&e, LIMIT_PARKED_CONTEXTS);
        expect_echo(door_addresses(e.door), "room for others");
        int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
        while (atomic_load(&e.refused) < round * OVER && clock_mono_us() < until_us)
            (void)poll(NULL, 0, 2);
        release(&e);
        assert_int_equal(crowd_receive(&c, "released"), LIMIT_PARKED_CONTEXTS);
        assert_int_equal(atomic_load(&e.refused), round * OVER);
    }
    stop(&e);
}

static void answers_to_clients_that_are_gone_block_nobody(void **state) {
    (void)state;
    struct echo e;
    start(&e);
    for (int i = 0; i < 3; i++) {
        struct crowd c;
        crowd_send(&c, door_addresses(e.door), LIMIT_RPC_CONTEXTS, "hold");
        wait_held(&e, LIMIT_RPC_CONTEXTS);
        (void)close_socket(c.socket);
        for (unsigned n = 0; n < c.count; n++)
            nng_aio_free(c.aios[n]);
        mem_free(c.contexts);
        mem_free(c.aios);
        release(&e);
    }
    expect_echo(door_addresses(e.door), "alive");
    stop(&e);
}

static void stopped_door_takes_nothing_and_still_answers(void **state) {
    (void)state;
    enum { COUNT = 20 };
    struct echo e;
    struct crowd c;
    start(&e);
    crowd_send(&c, door_addresses(e.door), COUNT, "hold");
    wait_held(&e, COUNT);
    door_stop(e.door);
    unsigned taken = atomic_load(&e.taken);
    nng_socket late = dial(door_addresses(e.door));
    assert_int_equal(nng_send(late, "late", 4, 0), 0);
    release(&e);
    assert_int_equal(crowd_receive(&c, "released"), COUNT);
    assert_int_equal(atomic_load(&e.taken), taken);
    (void)close_socket(late);
    door_close(e.door);
}

static void expect_refused(const char *addresses, enum err code, const char *says) {
    struct echo e = {0};
    struct err_text why;
    enum err got = door_open(&e.door, addresses, take, &e, &why);
    if (got != code || !strstr(why.text, says))
        fail_msg("%s: %s \"%s\"", addresses, err_name(got), why.text);
    assert_null(e.door);
}

static void addresses_are_refused_with_their_name_and_the_reason(void **state) {
    (void)state;
    struct echo e;
    char folder[] = "/tmp/muster-test-XXXXXX", ipc[128], file[128], two[600];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(ipc, sizeof ipc, "ipc://%s/api.sock", folder);
    (void)snprintf(two, sizeof two, "tcp://127.0.0.1:0,%s", ipc);
    start_at(&e, two);
    assert_null(strstr(door_addresses(e.door), ":0,"));
    assert_non_null(strstr(door_addresses(e.door), ipc));
    expect_echo(ipc, "over ipc");
    expect_refused(ipc, ERR_FAILED_PRECONDITION, "in use by another process");
    expect_echo(ipc, "the first one still listens");
    char *comma = strchr(door_addresses(e.door), ',');
    (void)snprintf(two, sizeof two, "%.*s", (int)(comma - door_addresses(e.door)),
                   door_addresses(e.door));
    expect_refused(two, ERR_FAILED_PRECONDITION, two);
    stop(&e);
    expect_refused("", ERR_INVALID_ARGUMENT, "no address");
    expect_refused("tcp://127.0.0.1:0,,", ERR_INVALID_ARGUMENT, "1 to");
    expect_refused("http://127.0.0.1:80", ERR_INVALID_ARGUMENT, "http://127.0.0.1:80");
    expect_refused("ipc:///nowhere/api.sock", ERR_FAILED_PRECONDITION, "/nowhere/api.sock");
    /* A socket that a killed process left, and a file that is none. */
    struct sockaddr_un stale = {.sun_family = AF_UNIX};
    (void)snprintf(stale.sun_path, sizeof stale.sun_path, "%s/api.sock", folder);
    (void)unlink(stale.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    (void)close(fd);
    start_at(&e, ipc);
    expect_echo(ipc, "in its place");
    stop(&e);
    (void)snprintf(file, sizeof file, "%s/file", folder);
    fd = creat(file, 0600);
    (void)close(fd);
    (void)snprintf(two, sizeof two, "ipc://%s", file);
    expect_refused(two, ERR_FAILED_PRECONDITION, "no socket");
    (void)snprintf(two, sizeof two, "rm -rf '%s'", folder);
    assert_int_equal(system(two), 0);
}

/* ---- unix sockets ---- */

/* Clients who disappear as they are greeted: in nng 1.5.2 the listener takes nobody after them. */
static void deafen(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    do {
        for (int i = 0; i < 50; i++) {
            int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
            (void)connect(fd, (struct sockaddr *)&to, sizeof to);
            (void)close(fd);
        }
        if (clock_mono_us() > until_us) fail_msg("it listens on");
    } while (!probe_is_deaf(path, 100));
}

static void unix_door_that_fleeing_clients_have_deafened_serves_again(void **state) {
    (void)state;
    struct echo e;
    char folder[] = "/tmp/muster-test-XXXXXX", ipc[96];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(ipc, sizeof ipc, "ipc://%s/api.sock", folder);
    start_at(&e, ipc);
    assert_false(probe_is_deaf(ipc + 6, 5000));
    int64_t reopened = metric_get(METRIC_listeners_reopened_total);
    deafen(ipc + 6);
    expect_echo(ipc, "anew"); /* from who believes that he is connected */
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (metric_get(METRIC_listeners_reopened_total) == reopened) {
        if (clock_mono_us() > until_us) fail_msg("it was not opened anew");
        (void)poll(NULL, 0, 2);
    }
    assert_int_equal(unlink(ipc + 6), 0);
    assert_true(probe_is_deaf(ipc + 6, 5000));
    while (access(ipc + 6, F_OK) != 0) {
        if (clock_mono_us() > until_us) fail_msg("the removed socket did not come back");
        (void)poll(NULL, 0, 2);
    }
    expect_echo(ipc, "once more");
    stop(&e);
    char remove[64];
    (void)snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    assert_int_equal(system(remove), 0);
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unix_door_that_fleeing_clients_have_deafened_serves_again),
        cmocka_unit_test(hostile_bytes_cost_their_own_connection_only),
        cmocka_unit_test(busy_door_serves_as_many_as_it_has_contexts_and_the_rest_after),
        cmocka_unit_test(parked_requests_let_others_in_up_to_the_limit),
        cmocka_unit_test(answers_to_clients_that_are_gone_block_nobody),
        cmocka_unit_test(stopped_door_takes_nothing_and_still_answers),
        cmocka_unit_test(addresses_are_refused_with_their_name_and_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
