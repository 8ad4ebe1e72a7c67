/* bench_players.h - tickets that Socket.IO players join with, each on a connection of his own.
 *
 * Thread safety: one thread.
 */
#ifndef MUSTER_APP_BENCH_PLAYERS_H
#define MUSTER_APP_BENCH_PLAYERS_H

#include "app/bench_tally.h"

struct bench_players;

/* Connects one player for each ticket that does not wait already; returns when all are connected.
 * Errors of game_clients_new, and UNAVAILABLE when one cannot connect within a minute. */
enum err bench_players_open(struct bench_players **out, const char *bridge, struct tally *tally,
                            struct err_text *why) ERR_CHECKED;
/* They join now: tickets first .. first + count - 1. */
void bench_players_join(struct bench_players *p, size_t first, size_t count);
/* Takes what they are told; waits for something until `until_us`. */
void bench_players_service(struct bench_players *p, int64_t until_us);
void bench_players_close(struct bench_players *p); /* NULL is fine */

#endif
