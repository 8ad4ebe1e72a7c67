/* denominators.c - what this machine can do at best: the floor of memory, disk and loopback.
 *
 *   bench_denominators folder=PATH appends=N messages=N megabytes=N
 *
 * memory.*: a block of `megabytes` is summed up in order (GB/s), and followed as one chain of
 * pointers through all of its cache lines in random order (ns a step).
 * fdatasync.*: append 4 KiB to a file in `folder` and fdatasync it, timed together.
 * echo_1.*: 200 B there and back over TCP on 127.0.0.1, one connection, one in flight.
 * echo_64.*: the same over 64 connections, each with one in flight.
 * The server is an epoll loop with one read and one write per message, in a process of its own
 * whose whole CPU time is divided by all messages.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096,
    MESSAGE_BYTES = 200,
    CONNECTIONS_MAX = 64,
    LINE_WORDS = 8, /* of a cache line */
    CHAIN_STEPS_MAX = 2000000,
};

/* A random cycle through all lines (Sattolo 1986); each begins with the number of the next. */
static void measure_chain(uint64_t *block, size_t lines) {
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < lines; i++)
        block[i * LINE_WORDS] = i;
    for (size_t i = lines - 1; i > 0; i--) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17; /* xorshift64 */
        size_t other = seed % i;
        uint64_t next = block[i * LINE_WORDS];
        block[i * LINE_WORDS] = block[other * LINE_WORDS];
        block[other * LINE_WORDS] = next;
    }
    size_t steps = lines < CHAIN_STEPS_MAX ? lines : CHAIN_STEPS_MAX, at = 0;
    int64_t start = measure_now_ns();
    for (size_t i = 0; i < steps; i++)
        at = block[at * LINE_WORDS];
    double ns = (double)(measure_now_ns() - start);
    measure_row("memory", at == lines ? "nowhere" : "chain", ns / (double)steps, "ns");
}

static void measure_memory(long megabytes) {
    size_t words = (size_t)megabytes * 1000000 / sizeof(uint64_t);
    uint64_t *block = malloc(words * sizeof *block), sum = 0;
    int64_t best_ns = INT64_MAX;
    if (!block) measure_fail("no %ld MB of memory", megabytes);
    memset(block, 1, words * sizeof *block);
    for (int pass = 0; pass < 5; pass++) {
        int64_t start = measure_now_ns();
        for (size_t i = 0; i < words; i++)
            sum += block[i];
        int64_t ns = measure_now_ns() - start;
        if (ns < best_ns) best_ns = ns;
    }
    double gb_per_s = (double)(words * sizeof *block) / (double)best_ns;
    measure_row("memory", sum ? "read" : "nothing", gb_per_s, "GB/s");
    measure_chain(block, words / LINE_WORDS);
    free(block);
}

static void measure_disk(const char *folder, long appends) {
    char path[4096];
    static const char page[PAGE_BYTES] = {1};
    struct samples ns = {0};
    snprintf(path, sizeof path, "%s/bench-fdatasync", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) measure_fail("cannot write in %s", folder);
    for (long i = 0; i < appends; i++) {
        int64_t start = measure_now_ns();
        if (write(fd, page, sizeof page) != PAGE_BYTES || fdatasync(fd) != 0)
            measure_fail("cannot append to %s", path);
        samples_add(&ns, measure_now_ns() - start);
    }
    close(fd);
    unlink(path);
    measure_quantiles("fdatasync", &ns, 1e3, "us");
    samples_fini(&ns);
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) measure_fail("epoll_ctl failed");
}

/* Serves until every connection that came has gone. */
static void serve_echo(int listener, int connections) {
    struct epoll_event events[CONNECTIONS_MAX];
    char message[MESSAGE_BYTES];
    int epoll = epoll_create1(0);
    for (int i = 0; i < connections; i++)
        watch(epoll, accept(listener, NULL, NULL));
    while (connections > 0) {
        int count = epoll_wait(epoll, events, CONNECTIONS_MAX, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            ssize_t size = read(fd, message, sizeof message);
            if (size <= 0 || write(fd, message, (size_t)size) != size) {
                close(fd);
                connections--;
            }
        }
    }
    _exit(0);
}

static int connect_to(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        measure_fail("cannot connect to the echo server");
    return fd;
}

static void send_message(int fd, const char *message) {
    if (write(fd, message, MESSAGE_BYTES) != MESSAGE_BYTES) measure_fail("echo: short write");
}

/* Keeps one message in flight on each connection until `messages` came back. */
static void play_echo(int connections, const struct sockaddr_in *address, long messages,
                      struct samples *ns) {
    struct epoll_event events[CONNECTIONS_MAX];
    char message[MESSAGE_BYTES] = {0};
    int64_t sent_ns[4096] = {0};
    int fds[CONNECTIONS_MAX], epoll = epoll_create1(0);
    for (int i = 0; i < connections; i++)
        watch(epoll, fds[i] = connect_to(address));
    for (int i = 0; i < connections; i++) {
        sent_ns[fds[i] & 4095] = measure_now_ns();
        send_message(fds[i], message);
    }
    for (long done = 0; done < messages;) {
        int count = epoll_wait(epoll, events, CONNECTIONS_MAX, -1);
        for (int i = 0; i < count; i++, done++) {
            int fd = events[i].data.fd;
            if (recv(fd, message, MESSAGE_BYTES, MSG_WAITALL) != MESSAGE_BYTES)
                measure_fail("echo: short read");
            int64_t now = measure_now_ns();
            samples_add(ns, now - sent_ns[fd & 4095]);
            sent_ns[fd & 4095] = now;
            send_message(fd, message);
        }
    }
    for (int i = 0; i < connections; i++)
        close(fds[i]);
    close(epoll);
}

static void measure_echo(const char *name, int connections, long messages) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        measure_fail("cannot listen on loopback");
    pid_t child = fork();
    if (child == 0) serve_echo(listener, connections);
    struct samples ns = {0};
    struct rusage used;
    int status;
    int64_t start = measure_now_ns();
    play_echo(connections, &address, messages, &ns);
    double seconds = (double)(measure_now_ns() - start) / 1e9;
    close(listener);
    if (wait4(child, &status, 0, &used) != child || status != 0)
        measure_fail("the echo server failed");
    double cpu_us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    measure_row(name, "per_s", (double)ns.count / seconds, "1/s");
    measure_quantiles(name, &ns, 1e3, "us");
    measure_row(name, "server_cpu", cpu_us / (double)ns.count, "us");
    samples_fini(&ns);
}

int main(int argc, char **argv) {
    (void)argc;
    long messages = measure_number(argv, "messages", 100000);
    measure_memory(measure_number(argv, "megabytes", 256));
    measure_disk(measure_text(argv, "folder", "."), measure_number(argv, "appends", 2000));
    measure_echo("echo_1", 1, messages);
    measure_echo("echo_64", CONNECTIONS_MAX, messages);
    return 0;
}
