/* sockets.c - many players on Socket.IO over WebSocket, from one epoll loop.
 *
 *   bench_sockets bridge=URL mode=idle players=N [server=PID]
 *        opens N players: connects per second, CPU per connect, memory per idle player
 *   bench_sockets bridge=URL mode=deliver players=N prefix=P [server=PID]
 *        opens players P-0..P-(N-1), prints `connected`, and waits until each was told of a match
 *        that someone else queued him for: CPU per event delivered
 *   bench_sockets bridge=URL mode=latency queue=Q players=N rate=R seconds=S [server=PID]
 *             [redis=PID]
 *        N connected players join at R a second, whatever the server does (open loop), and join
 *        again after each match: from the instant a join was due to match_found, and to its
 *        acknowledgement
 *
 * WebSocket, Engine.IO and Socket.IO packets are made and read by hand: what is measured must not
 * share code with what measures. The masking key is zero, which RFC 6455 allows.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTING_MAX = 64,
    EVENTS_MAX = 256,
    INPUT_BYTES_MAX = 1 << 20,
    HEADER_BYTES_MAX = 14,
    PATIENCE_S = 120,
};

/* Longer than the publisher's heartbeat (1 s): a bridge that hears the first one after players have
 * connected asks for the state of each and sends it. */
static const int64_t SETTLE_NS = 3000000000;
static const int64_t WARM_UP_NS = 1000000000;
static const int64_t DRAIN_NS = 2000000000;

enum stage { STAGE_NEW, STAGE_CONNECTING, STAGE_UPGRADING, STAGE_OPENING, STAGE_OPEN };

struct player {
    int fd;
    enum stage stage;
    char *rest; /* an incomplete frame or header */
    size_t rest_size;
    int64_t due_ns; /* when the join in progress was due; 0 = none */
    bool told;
};

struct bench {
    struct sockaddr_in address;
    const char *queue, *prefix;
    struct player *players;
    size_t count, started, connecting, open;
    int epoll;
    char *input;
    size_t *idle, idle_first, idle_count; /* ring of players that may join */
    size_t joins, events, told, late;
    int64_t measure_from_ns;
    struct samples match_ns, ack_ns, lag_ns;
};

/* --- Frames ---------------------------------------------------------------------------------- */

static void send_bytes(const struct player *p, const void *bytes, size_t size) {
    if (send(p->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        measure_fail("a player's socket takes no %zu bytes: %s", size, strerror(errno));
}

static void send_frame(const struct player *p, int opcode, const char *text, size_t size) {
    unsigned char frame[1024];
    size_t header = size < 126 ? 2 : 4;
    if (size > sizeof frame - HEADER_BYTES_MAX) measure_fail("a packet of %zu bytes", size);
    frame[0] = (unsigned char)(0x80 | opcode);
    frame[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    memset(frame + header, 0, 4);
    memcpy(frame + header + 4, text, size);
    send_bytes(p, frame, header + 4 + size);
}

static void send_text(const struct player *p, const char *text) {
    send_frame(p, 1, text, strlen(text));
}

/* --- What the server says -------------------------------------------------------------------- */

static bool starts(const char *text, size_t size, const char *with) {
    size_t length = strlen(with);
    return size >= length && memcmp(text, with, length) == 0;
}

static void make_idle(struct bench *b, const struct player *p) {
    b->idle[(b->idle_first + b->idle_count++) % b->count] = (size_t)(p - b->players);
}

static void take_match(struct bench *b, struct player *p) {
    if (!p->told) b->told++;
    p->told = true;
    if (!p->due_ns) return;
    if (p->due_ns >= b->measure_from_ns) samples_add(&b->match_ns, measure_now_ns() - p->due_ns);
    p->due_ns = 0;
    make_idle(b, p);
}

static void take_packet(struct bench *b, struct player *p, const char *text, size_t size) {
    if (starts(text, size, "42")) {
        b->events++;
        if (starts(text, size, "42[\"match_found\"")) take_match(b, p);
    } else if (starts(text, size, "43")) {
        if (!memmem(text, size, "\"ok\":true", 9)) measure_fail("refused: %.*s", (int)size, text);
        if (p->due_ns >= b->measure_from_ns && p->due_ns)
            samples_add(&b->ack_ns, measure_now_ns() - p->due_ns);
    } else if (starts(text, size, "2")) {
        send_text(p, "3");
    } else if (starts(text, size, "0")) {
        char hello[128];
        snprintf(hello, sizeof hello, "40{\"playerId\":\"%s-%zu\"}", b->prefix,
                 (size_t)(p - b->players));
        send_text(p, hello);
    } else if (starts(text, size, "40")) {
        p->stage = STAGE_OPEN;
        b->connecting--;
        b->open++;
        make_idle(b, p);
    } else {
        measure_fail("unexpected packet: %.*s", (int)size, text);
    }
}

/* Takes one frame; returns its size, 0 when it is not all there. */
static size_t take_frame(struct bench *b, struct player *p, const char *bytes, size_t size) {
    const unsigned char *head = (const unsigned char *)bytes;
    if (size < 2) return 0;
    size_t header = 2, length = head[1] & 0x7f;
    if (length == 126) header = 4;
    if (length == 127) measure_fail("a frame above 64 KiB");
    if (size < header) return 0;
    if (header == 4) length = (size_t)head[2] << 8 | head[3];
    if (size < header + length) return 0;
    if (head[0] == 0x81)
        take_packet(b, p, bytes + header, length);
    else if (head[0] == 0x89)
        send_frame(p, 10, bytes + header, length);
    else
        measure_fail("unexpected frame 0x%02x", head[0]);
    return header + length;
}

static size_t take_upgrade(struct player *p, const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (!starts(bytes, size, "HTTP/1.1 101")) measure_fail("no upgrade: %.*s", (int)size, bytes);
    p->stage = STAGE_OPENING;
    return (size_t)(end + 4 - bytes);
}

static void receive(struct bench *b, struct player *p) {
    size_t size = p->rest_size, at = 0;
    if (size) memcpy(b->input, p->rest, size);
    free(p->rest);
    p->rest = NULL;
    ssize_t got = recv(p->fd, b->input + size, INPUT_BYTES_MAX - size, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) measure_fail("the server closed a connection");
    size += got > 0 ? (size_t)got : 0;
    for (size_t taken = 1; taken && at < size; at += taken)
        taken = p->stage == STAGE_UPGRADING ? take_upgrade(p, b->input + at, size - at)
                                            : take_frame(b, p, b->input + at, size - at);
    p->rest_size = size - at;
    if (!p->rest_size) return;
    p->rest = malloc(p->rest_size);
    if (!p->rest) measure_fail("out of memory");
    memcpy(p->rest, b->input + at, p->rest_size);
}

/* --- Connecting ------------------------------------------------------------------------------ */

static void start_connect(struct bench *b) {
    struct player *p = &b->players[b->started++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = p};
    int on = 1;
    b->connecting++;
    p->stage = STAGE_CONNECTING;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0) measure_fail("no socket: %s", strerror(errno));
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(p->fd, (struct sockaddr *)&b->address, sizeof b->address) != 0 &&
        errno != EINPROGRESS)
        measure_fail("cannot connect: %s", strerror(errno));
    if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, p->fd, &event) != 0) measure_fail("epoll_ctl failed");
}

static void ask_upgrade(struct bench *b, struct player *p) {
    static const char request[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) measure_fail("cannot connect: %s", strerror(error));
    epoll_ctl(b->epoll, EPOLL_CTL_MOD, p->fd, &event);
    p->stage = STAGE_UPGRADING;
    send_bytes(p, request, sizeof request - 1);
}

/* Serves sockets until something came, or `until_ns`. */
static void service(struct bench *b, int64_t until_ns) {
    struct epoll_event events[EVENTS_MAX];
    int64_t left = until_ns - measure_now_ns();
    if (left < 0) left = 0;
    struct timespec timeout = {left / 1000000000, left % 1000000000};
    int count = epoll_pwait2(b->epoll, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct player *p = events[i].data.ptr;
        if (p->stage == STAGE_CONNECTING)
            ask_upgrade(b, p);
        else
            receive(b, p);
    }
}

static void serve_until(struct bench *b, int64_t until_ns) {
    while (measure_now_ns() < until_ns)
        service(b, until_ns);
}

static int64_t deadline(void) {
    return measure_now_ns() + (int64_t)PATIENCE_S * 1000000000;
}

static void open_all(struct bench *b) {
    int64_t end = deadline();
    while (b->open < b->count) {
        while (b->started < b->count && b->connecting < CONNECTING_MAX)
            start_connect(b);
        service(b, end);
        if (measure_now_ns() >= end) measure_fail("%zu of %zu connected", b->open, b->count);
    }
}

/* --- What is measured ------------------------------------------------------------------------ */

static void measure_idle(struct bench *b, long server) {
    int64_t rss = measure_rss_bytes(server), cpu_us = measure_cpu_us(server);
    int64_t start = measure_now_ns();
    double n = (double)b->count;
    open_all(b);
    double seconds = (double)(measure_now_ns() - start) / 1e9;
    cpu_us = measure_cpu_us(server) - cpu_us;
    serve_until(b, measure_now_ns() + SETTLE_NS);
    measure_row("idle", "connects_per_s", n / seconds, "1/s");
    measure_row("idle", "connect_cpu", (double)cpu_us / n, "us");
    measure_row("idle", "rss_per_player", (double)(measure_rss_bytes(server) - rss) / n, "B");
}

static void measure_delivery(struct bench *b, long server) {
    open_all(b);
    serve_until(b, measure_now_ns() + SETTLE_NS);
    b->events = 0;
    puts("connected");
    fflush(stdout);
    int64_t cpu_us = measure_cpu_us(server), end = deadline(), start = 0;
    while (b->told < b->count) {
        service(b, end);
        if (!start) start = measure_now_ns();
        if (measure_now_ns() >= end) measure_fail("%zu of %zu were told", b->told, b->count);
    }
    double seconds = (double)(measure_now_ns() - start) / 1e9;
    cpu_us = measure_cpu_us(server) - cpu_us;
    measure_row("deliver", "events", (double)b->events, "");
    measure_row("deliver", "per_s", (double)b->events / seconds, "1/s");
    measure_row("deliver", "cpu", (double)cpu_us / (double)b->events, "us");
}

/* The join that was due at `due_ns`, by whoever has waited longest for his turn. */
static bool send_join(struct bench *b, int64_t due_ns) {
    char text[256];
    if (!b->idle_count) return false;
    struct player *p = &b->players[b->idle[b->idle_first]];
    b->idle_first = (b->idle_first + 1) % b->count;
    b->idle_count--;
    p->due_ns = due_ns;
    snprintf(text, sizeof text,
             "420[\"join_queue\",{\"queue\":\"%s\",\"attributes\":{\"skill\":1000},"
             "\"latenciesMs\":{\"eu-west\":30}}]",
             b->queue);
    send_text(p, text);
    b->joins++;
    if (due_ns >= b->measure_from_ns) samples_add(&b->lag_ns, measure_now_ns() - due_ns);
    return true;
}

/* Joins fall due at start, start + period, ...; one that finds no idle player waits, and its time
 * counts: a slow server cannot slow the measuring down. */
static void play(struct bench *b, long rate, long seconds) {
    int64_t start = measure_now_ns(), period = 1000000000 / rate, due = start;
    int64_t stop = start + WARM_UP_NS + (int64_t)seconds * 1000000000;
    b->measure_from_ns = start + WARM_UP_NS;
    while (due < stop && measure_now_ns() < stop + DRAIN_NS) {
        while (due < stop && due <= measure_now_ns() && send_join(b, due))
            due += period;
        service(b, due > measure_now_ns() ? due : measure_now_ns() + 1000000);
    }
    b->late = due < stop ? (size_t)((stop - due) / period) : 0;
    if (b->joins % 2 && send_join(b, due)) due += period; /* an odd one out would wait for ever */
    int64_t end = measure_now_ns() + DRAIN_NS;
    while (b->idle_count < b->count && measure_now_ns() < end)
        service(b, end);
}

static void measure_latency(struct bench *b, char **argv) {
    long rate = measure_number(argv, "rate", 1000), seconds = measure_number(argv, "seconds", 10);
    long server = measure_number(argv, "server", 0), redis = measure_number(argv, "redis", 0);
    const char *name = measure_text(argv, "name", "latency");
    char ack[64];
    open_all(b);
    int64_t server_us = measure_cpu_us(server), redis_us = measure_cpu_us(redis);
    play(b, rate, seconds);
    double joins = (double)b->joins;
    measure_row(name, "joins", joins, "");
    measure_row(name, "never_sent", (double)b->late, "");
    measure_row(name, "unmatched", (double)(b->count - b->idle_count), "");
    measure_row(name, "send_lag_p99", (double)samples_quantile(&b->lag_ns, 0.99) / 1e6, "ms");
    measure_quantiles(name, &b->match_ns, 1e6, "ms");
    snprintf(ack, sizeof ack, "%s.ack", name);
    measure_quantiles(ack, &b->ack_ns, 1e6, "ms");
    if (server)
        measure_row(name, "server_cpu", (double)(measure_cpu_us(server) - server_us) / joins, "us");
    if (redis)
        measure_row(name, "redis_cpu", (double)(measure_cpu_us(redis) - redis_us) / joins, "us");
}

static void raise_file_limit(size_t players) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    if (players + 16 > r.rlim_cur)
        measure_fail("%zu players need more than %lu files", players, (unsigned long)r.rlim_cur);
}

static void parse_bridge(struct bench *b, const char *url) {
    char host[64];
    unsigned port;
    b->address.sin_family = AF_INET;
    if (sscanf(url, "http://%63[^:/]:%u", host, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, host, &b->address.sin_addr) != 1)
        measure_fail("no bridge URL with an IPv4 address: %s", url);
    b->address.sin_port = htons((uint16_t)port);
}

int main(int argc, char **argv) {
    (void)argc;
    struct bench b = {
        .queue = measure_text(argv, "queue", "bench_pairs"),
        .prefix = measure_text(argv, "prefix", "player"),
        .count = (size_t)measure_number(argv, "players", 1000),
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .input = malloc(INPUT_BYTES_MAX),
        .measure_from_ns = INT64_MAX,
    };
    const char *mode = measure_text(argv, "mode", "idle");
    long server = measure_number(argv, "server", 0);
    parse_bridge(&b, measure_text(argv, "bridge", "http://127.0.0.1:7602"));
    raise_file_limit(b.count);
    b.players = calloc(b.count, sizeof *b.players);
    b.idle = calloc(b.count, sizeof *b.idle);
    if (!b.count || !b.players || !b.idle || !b.input) measure_fail("no players");
    if (strcmp(mode, "idle") == 0)
        measure_idle(&b, server);
    else if (strcmp(mode, "deliver") == 0)
        measure_delivery(&b, server);
    else
        measure_latency(&b, argv);
    for (size_t i = 0; i < b.count; i++) {
        close(b.players[i].fd);
        free(b.players[i].rest);
    }
    samples_fini(&b.match_ns);
    samples_fini(&b.ack_ns);
    samples_fini(&b.lag_ns);
    free(b.players);
    free(b.idle);
    free(b.input);
    return 0;
}
