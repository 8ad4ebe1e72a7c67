/* metrics.c - one relaxed atomic per row of metrics.def. */
#include "base/metrics.h"

#include <assert.h>
#include <stdatomic.h>

static _Atomic int64_t values[METRIC_COUNT];

static const struct {
    const char *name, *help;
    enum metric_kind kind;
} rows[METRIC_COUNT] = {
#define METRIC(name, kind, help) {"muster_" #name, help, kind},
#include "base/metrics.def"
#undef METRIC
};

void metric_add(enum metric m, int64_t amount) {
    assert(m < METRIC_COUNT);
    atomic_fetch_add_explicit(&values[m], amount, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t value) {
    assert(m < METRIC_COUNT && rows[m].kind == METRIC_GAUGE);
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

int64_t metric_get(enum metric m) {
    assert(m < METRIC_COUNT);
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

const char *metric_name(enum metric m) {
    assert(m < METRIC_COUNT);
    return rows[m].name;
}

const char *metric_help(enum metric m) {
    assert(m < METRIC_COUNT);
    return rows[m].help;
}

enum metric_kind metric_kind(enum metric m) {
    assert(m < METRIC_COUNT);
    return rows[m].kind;
}
