/* bench_door.h - the doors through which a benchmark's tickets enter a server.
 *
 *   rpc      Tickets/CreateTicket, a call each; matches are heard of on the event stream
 *   batch    Tickets/CreateTickets, what is due within 5 ms in a message, at most `batch`
 *   socket   Socket.IO: a connected player each, who joins; told of his match on his socket
 *
 *     bench_door_open -> (offer, turn) ... -> bench_door_close
 *
 * An open loop: nobody waits for an answer before he sends what is due next. Where a server is so
 * far behind that the calls in flight meet their bound (BENCH_IN_FLIGHT), tickets wait here, and
 * their time counts.
 * Thread safety: one thread; answers come on the client library's threads and go to the tally.
 */
#ifndef MUSTER_APP_BENCH_DOOR_H
#define MUSTER_APP_BENCH_DOOR_H

#include "app/bench_tally.h"

#define BENCH_IN_FLIGHT 256      /* calls of one ticket: below the server's LIMIT_RPC_WORK */
#define BENCH_BATCHES 32         /* calls of many */
#define BENCH_BATCH_WAIT_US 5000 /* how long a batch waits to be full */
#define BENCH_SOCKETS_MAX 15000

enum bench_door_kind { BENCH_RPC, BENCH_BATCH, BENCH_SOCKET };

struct bench_door_options {
    enum bench_door_kind kind;
    const char *api, *bridge;
    uint32_t timeout_ms; /* of a call */
    size_t batch;        /* tickets of a message, 1..1000 */
};

struct bench_door;

/* Connects; of SOCKET every player, which is not timed. Borrows the tally. RESOURCE_EXHAUSTED: more
 * players than BENCH_SOCKETS_MAX; UNAVAILABLE: nobody answers there. Close it in any case. */
enum err bench_door_open(struct bench_door **out, const struct bench_door_options *o,
                         struct tally *tally, struct err_text *why) ERR_CHECKED;
/* Sends what it can of the `due` tickets from `first` on; returns how many. */
size_t bench_door_offer(struct bench_door *d, size_t first, size_t due);
/* Whatever is to be done meanwhile, until `until_us` (clock_mono_us) or a little earlier. */
void bench_door_turn(struct bench_door *d, int64_t until_us);
/* Sends before the clock starts those who wait already, and returns when all are created;
 * UNAVAILABLE when they are not: the text says what became of the first. */
enum err bench_door_offer_before(struct bench_door *d, struct err_text *why) ERR_CHECKED;
void bench_door_close(struct bench_door *d); /* NULL is fine */

#endif
