/* bench_cost.h - what a server, its Redis and the benchmark itself use: CPU and memory by process.
 *
 * A reading before and one after; the difference is the cost. Servers are read at their metrics
 * doors, so that they may be anywhere; Redis by INFO.
 * Thread safety: one thread.
 */
#ifndef MUSTER_APP_BENCH_COST_H
#define MUSTER_APP_BENCH_COST_H

#include "app/bench_server.h"
#include "app/http_get.h"
#include "store/redis_usage.h"

struct bench_process {
    char name[32];
    struct http_host metrics;
    double cpu_s, memory_bytes; /* of the last reading */
};

struct bench_cost {
    struct bench_process processes[BENCH_PROCESSES_MAX];
    size_t process_count; /* 0: nobody was told of */
    char redis_address[BENCH_ADDRESS_BYTES];
    const char *realm;
    struct redis_usage redis; /* only with an address */
    double own_cpu_s, own_memory_bytes;
};

/* Whom to read: of an own server its doors. */
enum err bench_cost_of_doors(struct bench_cost *c, const struct bench_doors *doors,
                             const char *realm, struct err_text *why) ERR_CHECKED;
/* Or what was given: `metrics` comma-separated URLs or NAME=URL; `redis` an address; both may be
 * empty. INVALID_ARGUMENT: malformed, or more than BENCH_PROCESSES_MAX. */
enum err bench_cost_of_given(struct bench_cost *c, const char *metrics, const char *redis,
                             const char *realm, struct err_text *why) ERR_CHECKED;
/* UNAVAILABLE: one of them does not answer. */
enum err bench_cost_read(struct bench_cost *c, struct err_text *why) ERR_CHECKED;

#endif
