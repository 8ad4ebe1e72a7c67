/* sockets.c - many players on Socket.IO over WebSocket: what one costs that does nothing, or is
 * told.
 *
 *   bench_sockets bridge=URL mode=idle players=N [server=PID]
 *        opens N players: connects per second, CPU per connect, memory per idle player
 *   bench_sockets bridge=URL mode=deliver players=N prefix=P [server=PID]
 *        opens players P-0..P-(N-1), prints `connected`, and waits until each was told of a match
 *        that someone else queued him for: CPU per event delivered
 *
 * The clients are those of `muster bench` (src/app/game_clients.h), which share no code with what
 * is measured. Joins are measured by `muster bench --door socket`.
 */
#include "measure.h"

#include "app/game_clients.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { CONNECTING_MAX = 64, PATIENCE_US = 120000000 };

/* Longer than the publisher's heartbeat (1 s): a bridge that hears the first one after players have
 * connected asks for the state of each and sends it. */
enum { SETTLE_US = 3000000 };

struct bench {
    struct game_clients *clients;
    char (*ids)[64];
    bool *told;
    size_t count, open, events, told_count;
};

static void opened(void *arg, size_t client) {
    struct bench *b = arg;
    (void)client; /* all are alike */
    b->open++;
}

static void take_packet(void *arg, size_t client, struct str packet) {
    struct bench *b = arg;
    b->events++;
    if (!str_starts(packet, STR("42[\"match_found\""))) return;
    b->told_count += !b->told[client];
    b->told[client] = true;
}

static void gone(void *arg, size_t client, struct str why) {
    (void)arg;
    measure_fail("player %zu is gone: %.*s", client, STR_PRINT(why));
}

static void serve_until(struct bench *b, int64_t until_us) {
    while (clock_mono_us() < until_us)
        game_clients_service(b->clients, until_us);
}

static void open_all(struct bench *b) {
    int64_t end_us = clock_mono_us() + PATIENCE_US;
    for (size_t started = 0; b->open < b->count;) {
        for (; started < b->count && game_clients_connecting(b->clients) < CONNECTING_MAX;
             started++)
            game_clients_connect(b->clients, started, b->ids[started]);
        game_clients_service(b->clients, end_us);
        if (clock_mono_us() >= end_us) measure_fail("%zu of %zu connected", b->open, b->count);
    }
}

static void measure_idle(struct bench *b, long server) {
    int64_t rss = measure_rss_bytes(server), cpu_us = measure_cpu_us(server);
    int64_t start_us = clock_mono_us();
    double n = (double)b->count;
    open_all(b);
    double seconds = (double)(clock_mono_us() - start_us) / 1e6;
    cpu_us = measure_cpu_us(server) - cpu_us;
    serve_until(b, clock_mono_us() + SETTLE_US);
    measure_row("idle", "connects_per_s", n / seconds, "1/s");
    measure_row("idle", "connect_cpu", (double)cpu_us / n, "us");
    measure_row("idle", "rss_per_player", (double)(measure_rss_bytes(server) - rss) / n, "B");
}

static void measure_delivery(struct bench *b, long server) {
    open_all(b);
    serve_until(b, clock_mono_us() + SETTLE_US);
    b->events = 0;
    puts("connected");
    fflush(stdout);
    int64_t cpu_us = measure_cpu_us(server), end_us = clock_mono_us() + PATIENCE_US, start_us = 0;
    while (b->told_count < b->count) {
        game_clients_service(b->clients, end_us);
        if (!start_us) start_us = clock_mono_us();
        if (clock_mono_us() >= end_us)
            measure_fail("%zu of %zu were told", b->told_count, b->count);
    }
    double seconds = (double)(clock_mono_us() - start_us) / 1e6;
    cpu_us = measure_cpu_us(server) - cpu_us;
    measure_row("deliver", "events", (double)b->events, "");
    measure_row("deliver", "per_s", (double)b->events / seconds, "1/s");
    measure_row("deliver", "cpu", (double)cpu_us / (double)b->events, "us");
}

int main(int argc, char **argv) {
    (void)argc;
    struct bench b = {.count = (size_t)measure_number(argv, "players", 1000)};
    struct game_client_handlers handlers = {opened, take_packet, gone, &b};
    struct err_text why;
    const char *prefix = measure_text(argv, "prefix", "player");
    long server = measure_number(argv, "server", 0);
    if (b.count < 1) measure_fail("no players");
    if (game_clients_new(&b.clients, measure_text(argv, "bridge", "http://127.0.0.1:7602"), b.count,
                         &handlers, &why) != ERR_OK)
        measure_fail("%s", why.text);
    b.ids = mem_array(b.count, sizeof *b.ids);
    b.told = mem_array(b.count, sizeof *b.told);
    for (size_t i = 0; i < b.count; i++)
        snprintf(b.ids[i], sizeof b.ids[i], "%.40s-%zu", prefix, i);
    if (strcmp(measure_text(argv, "mode", "idle"), "idle") == 0)
        measure_idle(&b, server);
    else
        measure_delivery(&b, server);
    game_clients_free(b.clients);
    mem_free(b.ids);
    mem_free(b.told);
    return 0;
}
