/* fanout.c - a Socket.IO server that echoes and shouts, whichever it is, from one epoll loop.
 *
 *   bench_fanout port=P clients=N server=PID [rounds=R] [rate=M] [seconds=S] [stalled=K]
 *                [filler=F]
 *
 * The server answers namespace / with CONNECT, `message` with `message-back`, and `shout` "" with
 * `heard` to all: tests/conformance/echo_server.c and tests/bench/reference.cjs. In order:
 *   connect    N WebSockets join: connects per second, CPU per connect, memory per idle one
 *   broadcast  one of them shouts R times, the next when all have heard: CPU per delivery, latency
 *   unicast    echoes at M a second, open loop, from all in turn: CPU per message, latency
 *   stalled    K of them stop reading; F shouts of 4 kB, until the server must have queued for
 * them, then broadcasts again: latency of those who read, before and with them
 *
 * Frames are made and read by hand: what is measured must not share code with what measures.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTING_MAX = 64, EVENTS_MAX = 256, INPUT_BYTES = 1 << 20, PATIENCE_S = 120 };
enum stage { STAGE_CONNECTING, STAGE_UPGRADING, STAGE_JOINING, STAGE_JOINED, STAGE_STALLED };

#define PAD_SMALL "0123456789012345678901234567890123456789" /* about 64 B of arguments */
static const int64_t SETTLE_NS = 2000000000;

struct client {
    int fd;
    enum stage stage;
    char *rest; /* an incomplete frame */
    size_t rest_size;
};

struct bench {
    struct sockaddr_in address;
    struct client *clients;
    size_t count, started, joined;
    size_t to_stall, stalled; /* the first of them */
    int epoll;
    char *input;
    size_t heard, echoed;
    struct samples *heard_ns, *echoed_ns; /* latency; NULL = not now */
};

static void send_text(const struct client *c, const char *text, size_t size) {
    static unsigned char frame[8192];
    size_t header = size < 126 ? 2 : 4;
    frame[0] = 0x81;
    frame[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    memset(frame + header, 0, 4); /* the mask, which may be zero */
    memcpy(frame + header + 4, text, size);
    size += header + 4;
    if (send(c->fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        measure_fail("a socket takes no %zu bytes: %s", size, strerror(errno));
}

static bool starts(const char *text, size_t size, const char *with) {
    return size >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* `text` ends within its buffer with a byte that is no digit. */
static void note(struct samples *samples, const char *text) {
    if (samples) samples_add(samples, measure_now_ns() - strtoll(text, NULL, 10));
}

static void take_packet(struct bench *b, struct client *c, const char *text, size_t size) {
    static const char HEARD[] = "42[\"heard\",\"\",", ECHO[] = "42[\"message-back\",";
    if (starts(text, size, HEARD)) {
        b->heard++;
        note(b->heard_ns, text + sizeof HEARD - 1);
    } else if (starts(text, size, ECHO)) {
        b->echoed++;
        note(b->echoed_ns, text + sizeof ECHO - 1);
    } else if (starts(text, size, "2")) {
        send_text(c, "3", 1);
    } else if (starts(text, size, "0")) {
        send_text(c, "40", 2);
    } else if (starts(text, size, "40")) {
        c->stage = STAGE_JOINED;
        b->joined++;
    } else if (!starts(text, size, "42[\"auth\"")) {
        measure_fail("unexpected packet: %.*s", (int)size, text);
    }
}

/* One frame; its size, 0 when it is not all there. */
static size_t take_frame(struct bench *b, struct client *c, const char *bytes, size_t size) {
    const unsigned char *head = (const unsigned char *)bytes;
    if (size < 2) return 0;
    size_t header = 2, length = head[1] & 0x7f;
    if (length == 127) measure_fail("a frame above 64 KiB");
    if (length == 126) {
        if (size < 4) return 0;
        header = 4;
        length = (size_t)head[2] << 8 | head[3];
    }
    if (size < header + length) return 0;
    if (head[0] == 0x88) measure_fail("the server closed a connection");
    if (head[0] == 0x81) take_packet(b, c, bytes + header, length);
    return header + length;
}

static size_t take_upgrade(struct client *c, const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (!starts(bytes, size, "HTTP/1.1 101")) measure_fail("no upgrade: %.*s", (int)size, bytes);
    c->stage = STAGE_JOINING;
    return (size_t)(end + 4 - bytes);
}

static void receive(struct bench *b, struct client *c) {
    size_t size = c->rest_size, at = 0;
    if (size) memcpy(b->input, c->rest, size);
    free(c->rest);
    c->rest = NULL;
    ssize_t got = recv(c->fd, b->input + size, INPUT_BYTES - size - 1, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) measure_fail("the server closed a connection");
    size += got > 0 ? (size_t)got : 0;
    b->input[size] = '\0';
    for (size_t taken = 1; taken && at < size; at += taken)
        taken = c->stage == STAGE_UPGRADING ? take_upgrade(c, b->input + at, size - at)
                                            : take_frame(b, c, b->input + at, size - at);
    c->rest_size = size - at;
    if (c->rest_size == 0) return;
    c->rest = malloc(c->rest_size);
    if (!c->rest) measure_fail("out of memory");
    memcpy(c->rest, b->input + at, c->rest_size);
}

/* --- Connecting ------------------------------------------------------------------------------ */

static void start_connect(struct bench *b) {
    struct client *c = &b->clients[b->started++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
    int on = 1, little = 4096;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) measure_fail("no socket: %s", strerror(errno));
    if (b->started <= b->to_stall) /* so that the kernel takes little for it */
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&b->address, sizeof b->address) != 0 &&
        errno != EINPROGRESS)
        measure_fail("cannot connect: %s", strerror(errno));
    if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) measure_fail("epoll_ctl failed");
}

static void ask_upgrade(struct bench *b, struct client *c) {
    static const char request[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(b->epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->stage = STAGE_UPGRADING;
    if (send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
        measure_fail("cannot connect: %s", strerror(errno));
}

/* Serves sockets until something came, or `until_ns`. */
static void service(struct bench *b, int64_t until_ns) {
    struct epoll_event events[EVENTS_MAX];
    int64_t left = until_ns - measure_now_ns();
    if (left < 0) left = 0;
    struct timespec timeout = {left / 1000000000, left % 1000000000};
    int count = epoll_pwait2(b->epoll, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;
        if (c->stage == STAGE_CONNECTING)
            ask_upgrade(b, c);
        else
            receive(b, c);
    }
}

static void serve_until(struct bench *b, int64_t until_ns) {
    while (measure_now_ns() < until_ns)
        service(b, until_ns);
}

static int64_t deadline(void) {
    return measure_now_ns() + (int64_t)PATIENCE_S * 1000000000;
}

/* --- What is measured ------------------------------------------------------------------------ */

static void measure_connect(struct bench *b, long server) {
    int64_t rss = measure_rss_bytes(server), cpu_us = measure_cpu_us(server);
    int64_t start = measure_now_ns(), end = deadline();
    double n = (double)b->count;
    while (b->joined < b->count) {
        while (b->started < b->count && b->started - b->joined < CONNECTING_MAX)
            start_connect(b);
        service(b, end);
        if (measure_now_ns() >= end) measure_fail("%zu of %zu joined", b->joined, b->count);
    }
    double seconds = (double)(measure_now_ns() - start) / 1e9;
    cpu_us = measure_cpu_us(server) - cpu_us;
    serve_until(b, measure_now_ns() + SETTLE_NS);
    measure_row("connect", "per_s", n / seconds, "1/s");
    measure_row("connect", "cpu", (double)cpu_us / n, "us");
    measure_row("connect", "rss", (double)(measure_rss_bytes(server) - rss) / n, "B");
}

/* The last client shouts; it is never one of the stalled. */
static void shout(const struct bench *b, const char *pad) {
    char text[8000];
    int size = snprintf(text, sizeof text, "42[\"shout\",\"\",%lld,\"%s\"]",
                        (long long)measure_now_ns(), pad);
    send_text(&b->clients[b->count - 1], text, (size_t)size);
}

/* Shouts until all who read have heard each; latency into `ns`. */
static void broadcast(struct bench *b, size_t rounds, struct samples *ns) {
    b->heard_ns = ns;
    for (size_t round = 0; round < rounds; round++) {
        size_t want = b->heard + b->count - b->stalled;
        int64_t end = deadline();
        shout(b, PAD_SMALL);
        while (b->heard < want) {
            service(b, end);
            if (measure_now_ns() >= end) measure_fail("%zu have not heard", want - b->heard);
        }
    }
    b->heard_ns = NULL;
}

static void measure_broadcast(struct bench *b, long server, size_t rounds) {
    struct samples ns = {0};
    broadcast(b, 1, NULL);
    int64_t cpu_us = measure_cpu_us(server);
    broadcast(b, rounds, &ns);
    cpu_us = measure_cpu_us(server) - cpu_us;
    measure_row("broadcast", "cpu", (double)cpu_us / (double)(rounds * b->count), "us");
    measure_quantiles("broadcast", &ns, 1e6, "ms");
    samples_fini(&ns);
}

static void measure_unicast(struct bench *b, long server, long rate, long seconds) {
    struct samples ns = {0};
    int64_t period = 1000000000 / rate, due = measure_now_ns(), cpu_us = measure_cpu_us(server);
    size_t total = (size_t)(rate * seconds), sent = 0;
    b->echoed = 0;
    b->echoed_ns = &ns;
    for (int64_t end = deadline(); b->echoed < total && measure_now_ns() < end;) {
        while (sent < total && due <= measure_now_ns()) {
            char text[160];
            int size = snprintf(text, sizeof text, "42[\"message\",%lld,\"%s\"]", (long long)due,
                                PAD_SMALL);
            send_text(&b->clients[sent++ % b->count], text, (size_t)size);
            due += period;
        }
        service(b, sent < total ? due : end);
    }
    if (b->echoed < total) measure_fail("%zu of %zu came back", b->echoed, total);
    b->echoed_ns = NULL;
    cpu_us = measure_cpu_us(server) - cpu_us;
    measure_row("unicast", "cpu", (double)cpu_us / (double)total, "us");
    measure_quantiles("unicast", &ns, 1e6, "ms");
    samples_fini(&ns);
}

/* `filler` shouts of 4 kB are to be more than the kernel takes for a stalled reader. */
static void measure_stalled(struct bench *b, long server, size_t rounds, long filler) {
    static char pad[4001];
    struct samples before = {0}, with = {0};
    memset(pad, 'x', sizeof pad - 1);
    broadcast(b, rounds, &before);
    for (size_t i = 0; i < b->to_stall; i++) {
        b->clients[i].stage = STAGE_STALLED;
        epoll_ctl(b->epoll, EPOLL_CTL_DEL, b->clients[i].fd, NULL);
    }
    b->stalled = b->to_stall;
    for (long i = 0; i < filler; i++) {
        size_t want = b->heard + b->count - b->stalled;
        shout(b, pad);
        for (int64_t end = deadline(); b->heard < want && measure_now_ns() < end;)
            service(b, end);
    }
    broadcast(b, rounds, &with);
    measure_row("stalled", "server_rss", (double)measure_rss_bytes(server) / 1e6, "MB");
    measure_quantiles("stalled.before", &before, 1e6, "ms");
    measure_quantiles("stalled.with", &with, 1e6, "ms");
    samples_fini(&before);
    samples_fini(&with);
}

int main(int argc, char **argv) {
    (void)argc;
    struct rlimit r;
    struct bench b = {.count = (size_t)measure_number(argv, "clients", 1000),
                      .epoll = epoll_create1(EPOLL_CLOEXEC),
                      .input = malloc(INPUT_BYTES)};
    long server = measure_number(argv, "server", 0);
    size_t rounds = (size_t)measure_number(argv, "rounds", 20);
    long rate = measure_number(argv, "rate", 10000), seconds = measure_number(argv, "seconds", 5);
    b.to_stall = (size_t)measure_number(argv, "stalled", 0);
    b.address.sin_family = AF_INET;
    b.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b.address.sin_port = htons((uint16_t)measure_number(argv, "port", 0));
    b.clients = calloc(b.count, sizeof *b.clients);
    if (!b.clients || !b.input || b.count <= b.to_stall) measure_fail("no clients");
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    measure_connect(&b, server);
    if (rounds) measure_broadcast(&b, server, rounds);
    if (seconds) measure_unicast(&b, server, rate, seconds);
    if (b.to_stall) measure_stalled(&b, server, rounds, measure_number(argv, "filler", 100));
    for (size_t i = 0; i < b.count; i++) {
        close(b.clients[i].fd);
        free(b.clients[i].rest);
    }
    free(b.clients);
    free(b.input);
    return 0;
}
