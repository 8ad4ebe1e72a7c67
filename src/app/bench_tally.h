/* bench_tally.h - what became of each ticket of a benchmark, by the instant it was due.
 *
 *     tally_sent -> tally_created | tally_failed;  tally_told, at any time
 *
 * Every time counts from the instant at which the ticket was due, whether or not it could be sent
 * then: a server that stalls cannot hide by stalling who measures (coordinated omission).
 * The tickets that wait before the clock starts are counted apart and not timed.
 * Thread safety: all functions but init and fini; reports when the writers rest.
 */
#ifndef MUSTER_APP_BENCH_TALLY_H
#define MUSTER_APP_BENCH_TALLY_H

#include "base/histogram.h"
#include "sim/arrivals.h"

#include <muster/client.h>
#include <stdatomic.h>

struct tally_quality { /* sums over matches; one thread writes */
    uint64_t matches, players, with_latency;
    double quality, skill_spread, win_gap, latency_ms, worst_latency_ms;
};

struct tally {
    const struct arrivals *arrivals;
    int64_t start_us;                                /* clock_mono_us of due_us 0 */
    _Atomic uint64_t *matches;                       /* by ticket: its match, hashed; 0: none yet */
    struct histogram sent_late, created_in, told_in; /* microseconds */
    _Atomic size_t sent, created, failed, told, told_twice;
    _Atomic size_t created_before, told_before;
    _Atomic int64_t last_created_us, last_told_us; /* clock_mono_us */
    _Atomic int first_failure;                     /* 0: none; 1: being written; 2: written */
    char failure[640];
    struct tally_quality quality;
};

struct tally *tally_new(const struct arrivals *a);
void tally_free(struct tally *t); /* NULL is fine */

void tally_sent(struct tally *t, size_t ticket);
void tally_created(struct tally *t, size_t ticket);
/* `why`: of the first failure, kept. */
void tally_failed(struct tally *t, size_t ticket, const char *why);
/* The ticket's player was told of that match. The same match again counts once. */
void tally_told(struct tally *t, size_t ticket, struct str match_id);
/* Of every match, by the one thread that hears of all. */
void tally_match(struct tally *t, const Muster__V1__Match *match);

#endif
