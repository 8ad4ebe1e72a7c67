/* bench_door.c - one way in for all doors. */
#include "app/bench_door.h"

#include "app/bench_calls.h"
#include "app/bench_players.h"
#include "base/clock.h"

#include <poll.h>
#include <time.h>

enum { BEFORE_BATCH = 100, TURN_US_MAX = 200 };

struct bench_door {
    struct bench_door_options o;
    struct tally *tally;
    struct bench_calls *calls;     /* RPC and BATCH */
    struct bench_players *players; /* SOCKET */
};

enum err bench_door_open(struct bench_door **out, const struct bench_door_options *o,
                         struct tally *tally, struct err_text *why) {
    struct bench_door *d = mem_alloc(sizeof *d);
    size_t players = tally->arrivals->count - tally->arrivals->before;
    struct bench_calls_options calls = {o->api, o->timeout_ms, 0, BENCH_IN_FLIGHT};
    *out = d;
    d->o = *o;
    d->tally = tally;
    if (o->kind == BENCH_SOCKET && players > BENCH_SOCKETS_MAX)
        return err_set(why, ERR_RESOURCE_EXHAUSTED,
                       "%zu tickets would be %zu sockets, at most %d: fewer a second, or for less "
                       "long",
                       players, players, BENCH_SOCKETS_MAX);
    if (o->kind == BENCH_SOCKET) return bench_players_open(&d->players, o->bridge, tally, why);
    if (o->kind == BENCH_BATCH) calls.batch = o->batch;
    if (o->kind == BENCH_BATCH) calls.in_flight_max = BENCH_BATCHES;
    return bench_calls_open(&d->calls, &calls, tally, why);
}

void bench_door_close(struct bench_door *d) {
    if (!d) return;
    bench_calls_close(d->calls);
    bench_players_close(d->players);
    mem_free(d);
}

/* Whether a batch leaves: it is full, its first ticket has waited, or no more will come. */
static bool batch_is_ripe(const struct bench_door *d, size_t first, size_t due) {
    const struct arrivals *a = d->tally->arrivals;
    int64_t waited_us = clock_mono_us() - d->tally->start_us - a->due_us[first];
    return due >= d->o.batch || waited_us >= BENCH_BATCH_WAIT_US || first + due == a->count;
}

size_t bench_door_offer(struct bench_door *d, size_t first, size_t due) {
    if (d->o.kind == BENCH_BATCH && !batch_is_ripe(d, first, due)) return 0;
    if (d->calls) return bench_calls_send(d->calls, first, due);
    bench_players_join(d->players, first, due);
    return due;
}

static void wait_until(int64_t until_us) {
    int64_t left_us = until_us - clock_mono_us();
    if (left_us <= 0) return;
    struct timespec t = {left_us / 1000000, left_us % 1000000 * 1000};
    (void)ppoll(NULL, 0, &t, NULL);
}

/* Calls in flight end without waking this thread: it looks again soon. */
void bench_door_turn(struct bench_door *d, int64_t until_us) {
    int64_t soon_us = clock_mono_us() + TURN_US_MAX;
    if (d->players)
        bench_players_service(d->players, until_us);
    else
        wait_until(until_us < soon_us ? until_us : soon_us);
}

enum err bench_door_offer_before(struct bench_door *d, struct err_text *why) {
    const struct arrivals *a = d->tally->arrivals;
    struct bench_calls_options o = {d->o.api, d->o.timeout_ms, BEFORE_BATCH, BENCH_BATCHES};
    struct bench_calls *calls;
    if (!a->before) return ERR_OK;
    enum err code = bench_calls_open(&calls, &o, d->tally, why);
    for (size_t sent = 0; code == ERR_OK && sent < a->before;) {
        sent += bench_calls_send(calls, sent, a->before - sent);
        wait_until(clock_mono_us() + TURN_US_MAX);
    }
    while (code == ERR_OK && bench_calls_in_flight(calls))
        wait_until(clock_mono_us() + TURN_US_MAX);
    bench_calls_close(calls);
    if (code == ERR_OK && atomic_load(&d->tally->created_before) < a->before)
        code = err_set(why, ERR_UNAVAILABLE, "%zu of %zu tickets that wait before were created: %s",
                       atomic_load(&d->tally->created_before), a->before, d->tally->failure);
    return code;
}
