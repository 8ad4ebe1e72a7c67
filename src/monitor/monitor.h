/* monitor.h - the operators' HTTP door of a process: /metrics, /healthz, /readyz.
 *
 * Every process has one, whatever its roles; it is for operators alone and listens apart from the
 * players. GET and HEAD:
 *
 *   /metrics   Prometheus text format 0.0.4: metrics.def and this process (process_*)
 *   /healthz   200 "ok" while the process runs
 *   /readyz    200 "ready" or 503 "not ready": whether it can serve now
 *
 * Serves MONITOR_CONNECTIONS at once, more wait; silent for ten seconds: closed.
 * Thread safety: one thread starts and stops it; it answers on a thread of its own.
 */
#ifndef MUSTER_MONITOR_MONITOR_H
#define MUSTER_MONITOR_MONITOR_H

#include "base/err.h"

#include <stdbool.h>

#define MONITOR_CONNECTIONS 32

struct monitor;

struct monitor_options {
    const char *listen; /* HOST:PORT, port 0 takes a free one; the host numeric or named */
    bool (*ready)(const void *arg); /* from the monitor's thread, until monitor_stop returns */
    const void *arg;
    const char *version; /* in muster_build_info; outlives the monitor */
};

/* INVALID_ARGUMENT: `listen` is no address; FAILED_PRECONDITION: it is in use; UNAVAILABLE: it
 * cannot be had. */
enum err monitor_start(struct monitor **out, const struct monitor_options *o,
                       struct err_text *why) ERR_CHECKED;
const char *monitor_address(const struct monitor *m); /* "http://127.0.0.1:7603" */
/* Closes its connections, waits for its thread, frees. NULL is fine. */
void monitor_stop(struct monitor *m);

#endif
