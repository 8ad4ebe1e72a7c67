/* metrics.h - counters and gauges of this process: rows of one table, in metrics.def.
 *
 * A row: METRIC(name, kind, "help"). Names follow Prometheus: muster_<name>[_total]; no player
 * ids anywhere. Thread safety: all functions (relaxed atomics).
 */
#ifndef MUSTER_BASE_METRICS_H
#define MUSTER_BASE_METRICS_H

#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

enum metric {
#define METRIC(name, kind, help) METRIC_##name,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

void metric_add(enum metric m, int64_t amount);
void metric_set(enum metric m, int64_t value);
int64_t metric_get(enum metric m);
const char *metric_name(enum metric m); /* "muster_tickets_created_total" */
const char *metric_help(enum metric m);
enum metric_kind metric_kind(enum metric m);

#endif
