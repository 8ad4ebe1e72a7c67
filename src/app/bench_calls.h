/* bench_calls.h - tickets created by RPC, one or many a call.
 *
 * Thread safety: one thread; answers come on the client library's threads and go to the tally.
 */
#ifndef MUSTER_APP_BENCH_CALLS_H
#define MUSTER_APP_BENCH_CALLS_H

#include "app/bench_tally.h"

struct bench_calls;

struct bench_calls_options {
    const char *api;
    uint32_t timeout_ms;
    size_t batch;      /* tickets of a call; 0: CreateTicket */
    int in_flight_max; /* calls */
};

enum err bench_calls_open(struct bench_calls **out, const struct bench_calls_options *o,
                          struct tally *tally, struct err_text *why) ERR_CHECKED;
/* Sends what it can of `count` tickets from `first` on; returns how many. */
size_t bench_calls_send(struct bench_calls *c, size_t first, size_t count);
int bench_calls_in_flight(const struct bench_calls *c);
void bench_calls_close(struct bench_calls *c); /* NULL is fine */

#endif
