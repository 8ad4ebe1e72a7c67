/* bench.h - a benchmark: one workload through one door of a running server, and what came of it.
 *
 *     bench_run -> bench_report_table | bench_report_json -> bench_result_fini
 *
 * Puts the workload's queue under a name of its own, offers the tickets when they are due, waits
 * for their matches, compares what it was told with what the server counted, deletes the queue.
 * Thread safety: one thread.
 */
#ifndef MUSTER_APP_BENCH_H
#define MUSTER_APP_BENCH_H

#include "app/bench_cost.h"
#include "app/bench_door.h"

struct bench_options {
    struct arrivals_request arrivals; /* queue and prefix are filled in */
    struct bench_door_options door;   /* of a server of its own: addresses are filled in */
    const char *events, *realm;       /* of a given server */
    const char *metrics, *redis;      /* what to read its cost from; may be empty */
    bool own, split;                  /* a server of its own; a process per role */
    bool keep;                        /* leave the queue, and what waits in it */
    double drain_s;                   /* at most so long after the last arrival */
};

struct bench_result {
    struct arrivals arrivals;
    struct tally *tally;
    char queue[80];           /* its name */
    char version[32];         /* of the server */
    double offered_s, made_s; /* from the start to the last arrival; to the last match told of */
    struct bench_cost before, after;
    Muster__V1__GetQueueStatsResponse *server; /* what it counted of the queue */
    uint64_t gaps;                             /* in the event stream, all filled */
    bool resynced;                             /* events were lost for good */
};

/* Whether nothing failed, nothing was lost or told twice, and the server counted the same. */
bool bench_result_good(const struct bench_result *r);

enum err bench_run(struct bench_result *r, const struct bench_options *o,
                   struct err_text *why) ERR_CHECKED;
void bench_result_fini(struct bench_result *r); /* zeroed memory is fine */

void bench_report_table(const struct bench_result *r, const struct bench_options *o,
                        struct strbuf *out);
void bench_report_json(const struct bench_result *r, const struct bench_options *o,
                       struct strbuf *out);

#endif
