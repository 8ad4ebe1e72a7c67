/* overload.c - what comes of calls when more are offered than can be served.
 *
 *   bench_overload API CLIENTS RATE SECONDS TIMEOUT_MS [IN_FLIGHT]
 *
 * Offers CreateTicket calls over CLIENTS connections: RATE a second in an open loop (nobody waits
 * for an answer before the next is due), or with RATE 0 IN_FLIGHT per client in a closed one. A
 * call counts when it is OK within TIMEOUT_MS, tries included. Prints one line:
 *   offered N ok N refused N late N p50_us N p99_us N seconds S
 * Every call offered is in one of ok, refused (an answer said no) and late (none came in time).
 */
#include <muster/client.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 256, LATENCIES_MAX = 4000000 };

static struct muster_client *clients[CLIENTS_MAX];
static unsigned client_count;
static uint32_t timeout_ms;
static atomic_ulong offered, ok, refused, late, next_player;
static atomic_ulong latency_count;
static uint32_t latencies[LATENCIES_MAX];
static atomic_bool stopping, closed_loop;

struct flight {
    unsigned client;
    int64_t due_us;
};

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void offer(unsigned client, int64_t due_us);

static void answered(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct flight *f = arg;
    muster_free(response);
    if (status->code == MUSTER_OK) {
        unsigned long at = atomic_fetch_add(&latency_count, 1);
        if (at < LATENCIES_MAX) latencies[at] = (uint32_t)(now_us() - f->due_us);
        atomic_fetch_add(&ok, 1);
    } else if (status->code == MUSTER_DEADLINE_EXCEEDED) {
        atomic_fetch_add(&late, 1);
    } else {
        atomic_fetch_add(&refused, 1);
    }
    unsigned client = f->client;
    free(f);
    if (atomic_load(&closed_loop) && !atomic_load(&stopping)) offer(client, now_us());
}

static void offer(unsigned client, int64_t due_us) {
    Muster__V1__CreateTicketRequest request = MUSTER__V1__CREATE_TICKET_REQUEST__INIT;
    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT, *players[] = {&player};
    Muster__V1__AttributeValue skill = MUSTER__V1__ATTRIBUTE_VALUE__INIT;
    Muster__V1__Player__AttributesEntry entry = MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
    Muster__V1__Player__AttributesEntry *entries[] = {&entry};
    char name[48], queue[] = "1v1_duel", key[] = "skill", *queues[] = {queue};
    unsigned long number = atomic_fetch_add(&next_player, 1);
    snprintf(name, sizeof name, "p%d-%lu", (int)getpid(), number);
    skill.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    skill.number = 1000.0 * (double)number; /* nobody is matched */
    entry.key = key;
    entry.value = &skill;
    player.player_id = name;
    player.n_attributes = 1;
    player.attributes = entries;
    request.n_queues = request.n_players = 1;
    request.queues = queues;
    request.players = players;
    struct flight *f = malloc(sizeof *f);
    *f = (struct flight){client, due_us};
    struct muster_call call = {.timeout_ms = timeout_ms};
    atomic_fetch_add(&offered, 1);
    muster_call_async(clients[client], "Tickets/CreateTicket", &request.base, &call, answered, f);
}

static void run_open(double rate, double seconds) {
    int64_t begin_us = now_us(), sent = 0;
    while (now_us() - begin_us < (int64_t)(seconds * 1e6)) {
        int64_t due = (int64_t)((double)(now_us() - begin_us) * rate / 1e6);
        for (; sent < due; sent++)
            offer((unsigned)(sent % client_count), begin_us + (int64_t)((double)sent * 1e6 / rate));
        (void)poll(NULL, 0, 1);
    }
}

static void run_closed(unsigned in_flight, double seconds) {
    int64_t begin_us = now_us();
    atomic_store(&closed_loop, true);
    for (unsigned i = 0; i < client_count * in_flight; i++)
        offer(i % client_count, now_us());
    while (now_us() - begin_us < (int64_t)(seconds * 1e6))
        (void)poll(NULL, 0, 10);
}

static int order(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 6 || atoi(argv[2]) < 1 || atoi(argv[2]) > CLIENTS_MAX) {
        fputs("usage: bench_overload API CLIENTS RATE SECONDS TIMEOUT_MS [IN_FLIGHT]\n", stderr);
        return 2;
    }
    client_count = (unsigned)atoi(argv[2]);
    double rate = atof(argv[3]), seconds = atof(argv[4]);
    timeout_ms = (uint32_t)atoi(argv[5]);
    for (unsigned i = 0; i < client_count; i++) {
        struct muster_options o = {.api = argv[1], .timeout_ms = timeout_ms, .try_ms = timeout_ms};
        if (muster_open(&clients[i], &o, NULL) != MUSTER_OK) return 2;
    }
    int64_t begin_us = now_us();
    if (rate > 0)
        run_open(rate, seconds);
    else
        run_closed(argc > 6 ? (unsigned)atoi(argv[6]) : 64, seconds);
    unsigned long in_time = atomic_load(&ok), all = atomic_load(&offered);
    double took = (double)(now_us() - begin_us) / 1e6;
    atomic_store(&stopping, true);
    int64_t until_us = now_us() + 2000 * (int64_t)timeout_ms;
    while (atomic_load(&ok) + atomic_load(&refused) + atomic_load(&late) < atomic_load(&offered) &&
           now_us() < until_us)
        (void)poll(NULL, 0, 10);
    for (unsigned i = 0; i < client_count; i++)
        muster_close(clients[i]);
    size_t n = atomic_load(&latency_count);
    if (n > LATENCIES_MAX) n = LATENCIES_MAX;
    qsort(latencies, n, sizeof *latencies, order);
    printf("offered %lu ok %lu refused %lu late %lu p50_us %u p99_us %u seconds %.2f "
           "ok_per_second %.0f\n",
           all, atomic_load(&ok), atomic_load(&refused), atomic_load(&late),
           n ? latencies[n / 2] : 0, n ? latencies[n * 99 / 100] : 0, took, (double)in_time / took);
    return 0;
}
