/* metrics.h - counters, gauges and histograms of this process: rows of one table, in metrics.def.
 *
 *   METRIC(name, kind, "help")                            one value
 *   METRIC_BY(name, kind, "queue,rule", "help")           one value per set of label values
 *   METRIC_HISTOGRAM(name, buckets, "queue", "help")      labels may be none: ""
 *
 * Names follow Prometheus: muster_<name>, counters end in _total, units come last (_seconds,
 * _bytes). Label values come from a small set: queues, rules, methods, reasons; never a player,
 * a ticket or an address.
 *
 * A series is one set of label values. metric_series finds or makes it, O(series of that metric);
 * keep the pointer, it stays valid to the end of the process. Above LIMIT_METRIC_SERIES in all the
 * rest share one series per metric, whose labels all say "other", and metric_series_refused_total
 * counts them.
 * Thread safety: all functions (relaxed atomics, no locks).
 */
#ifndef MUSTER_BASE_METRICS_H
#define MUSTER_BASE_METRICS_H

#include "base/str.h"

#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Upper bounds, +Inf left out. */
enum metric_buckets {
    BUCKETS_NONE,
    BUCKETS_LATENCY, /* seconds: 100 us .. 10 s */
    BUCKETS_WAIT,    /* seconds: 0.1 .. 3600 */
    BUCKETS_QUALITY, /* 0..100 in tens */
    BUCKETS_POINTS,  /* of an attribute, of any scale: 1, 2, 5 .. 5000 */
    BUCKETS_COUNT,   /* things in a batch: powers of 4 up to 16384 */
    BUCKETS_SETS
};

enum metric {
#define METRIC(name, kind, help) METRIC_##name,
#define METRIC_BY(name, kind, labels, help) METRIC_##name,
#define METRIC_HISTOGRAM(name, buckets, labels, help) METRIC_##name,
#include "base/metrics.def"
#undef METRIC
#undef METRIC_BY
#undef METRIC_HISTOGRAM
    METRIC_COUNT
};

#define METRIC_LABELS_MAX 3
#define METRIC_LABEL_BYTES 64 /* of a value: cut */

const char *metric_name(enum metric m); /* "muster_tickets_created_total"; static */
const char *metric_help(enum metric m);
enum metric_kind metric_kind(enum metric m);
const char *metric_labels(enum metric m); /* "queue,rule", "" without */

/* ---- rows of one value ---- */

void metric_add(enum metric m, int64_t amount);
void metric_set(enum metric m, int64_t value); /* gauges */
int64_t metric_get(enum metric m);

/* ---- rows with labels, and histograms ---- */

struct metric_series;

/* `values`: one per label of the row, in its order; NULL for a histogram without labels. */
struct metric_series *metric_series(enum metric m, const struct str *values);
void metric_series_add(struct metric_series *s, int64_t amount);
/* For gauges, and for counters whose truth is kept elsewhere and only shown here. */
void metric_series_set(struct metric_series *s, int64_t value);
int64_t metric_series_get(const struct metric_series *s); /* of a histogram: how many observed */
void metric_observe(struct metric_series *s, double value);
void metric_observe_many(struct metric_series *s, double value, uint64_t count);

/* ---- reading all ---- */

struct metric_sample {
    const char *name; /* with suffix and labels: muster_x_seconds_count{queue="a"} */
    double value;
};
typedef void (*metric_fn)(void *arg, const struct metric_sample *sample);

/* Every value, in the table's order; of histograms their _count and _sum. */
void metrics_each(metric_fn fn, void *arg);
/* Appends the table of all metrics in Markdown. */
void metrics_reference(struct strbuf *out);
/* Appends all as Prometheus' text format 0.0.4. */
void metrics_text(struct strbuf *out);

#endif
