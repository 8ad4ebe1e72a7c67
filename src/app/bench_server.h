/* bench_server.h - a server of the benchmark's own: this program as `muster serve`, in processes.
 *
 *     bench_server_start -> (doors) -> bench_server_stop
 *
 * State is a fresh folder in $TMPDIR, else in /var/tmp, which is a disk where /tmp may be memory;
 * removed at the end. Free ports of 127.0.0.1, the embedded Redis. The processes end with this one.
 * Thread safety: one thread.
 */
#ifndef MUSTER_APP_BENCH_SERVER_H
#define MUSTER_APP_BENCH_SERVER_H

#include "base/err.h"
#include "base/str.h"

enum { BENCH_PROCESSES_MAX = 4, BENCH_ADDRESS_BYTES = 160 };

struct bench_server;

struct bench_doors { /* addresses; empty where there is none */
    char api[BENCH_ADDRESS_BYTES], events[BENCH_ADDRESS_BYTES], bridge[BENCH_ADDRESS_BYTES];
    char redis[BENCH_ADDRESS_BYTES];
    struct {
        char name[32]; /* "server", or the role */
        char metrics[BENCH_ADDRESS_BYTES];
    } processes[BENCH_PROCESSES_MAX];
    size_t process_count;
};

/* `split`: a process per role, else one with all. Blocks until all are ready, at most 30 s each.
 * UNAVAILABLE: one ended or was not ready; what it wrote goes to stderr. */
enum err bench_server_start(struct bench_server **out, const char *realm, bool split,
                            struct err_text *why) ERR_CHECKED;
const struct bench_doors *bench_server_doors(const struct bench_server *s); /* borrowed */
void bench_server_stop(struct bench_server *s);                             /* NULL is fine */

#endif
