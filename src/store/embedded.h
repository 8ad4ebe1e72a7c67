/* embedded.h - a private redis-server as our child: the default when no --redis is given.
 *
 *     embedded_start -> embedded_ensure (again whenever the connection broke) -> embedded_stop
 *
 * Files in the state folder: lock (flock: one muster per folder), redis.sock, redis.pid,
 * redis/ (append-only files, redis.log). It writes with appendfsync always: what is acknowledged
 * survives a crash of the machine. The kernel ends it when we die (PR_SET_PDEATHSIG, tied to the
 * thread that called embedded_ensure); one that a killed parent left over is ended first.
 * Thread safety: one thread.
 */
#ifndef MUSTER_STORE_EMBEDDED_H
#define MUSTER_STORE_EMBEDDED_H

#include "base/err.h"

struct embedded;

/* Makes and locks the folder; starts nothing yet. `state_folder`: borrowed for the call.
 * FAILED_PRECONDITION: no redis-server in PATH, the folder cannot be made, or another process has
 * it. INVALID_ARGUMENT: the path is too long for a socket. */
enum err embedded_start(struct embedded **out, const char *state_folder,
                        struct err_text *why) ERR_CHECKED;
/* Starts the server unless it runs, and waits up to 2 s until it answers.
 * UNAVAILABLE: it ended, or does not answer yet; call again later. */
enum err embedded_ensure(struct embedded *e, struct err_text *why) ERR_CHECKED;
/* SIGTERM, up to 3 s (its files need no farewell), then SIGKILL; frees. NULL is fine. */
void embedded_stop(struct embedded *e);

#endif
