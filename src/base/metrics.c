/* metrics.c - relaxed atomics, and per metric a list of series that only grows. */
#include "base/metrics.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { BOUNDS_MAX = 18 };

static const char *const types[] = {"counter", "gauge", "histogram"}; /* by enum metric_kind */

static const struct bounds {
    uint32_t count;
    double at[BOUNDS_MAX];
} bounds_of[BUCKETS_SETS] = {
    [BUCKETS_LATENCY] = {16,
                         {1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2,
                          5, 10}},
    [BUCKETS_WAIT] = {16,
                      {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600}},
    [BUCKETS_QUALITY] = {10, {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}},
    [BUCKETS_POINTS] = {12, {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}},
    [BUCKETS_COUNT] = {8, {1, 4, 16, 64, 256, 1024, 4096, 16384}},
};

static const struct row {
    const char *name, *labels, *help;
    enum metric_kind kind;
    enum metric_buckets buckets;
} rows[METRIC_COUNT] = {
#define METRIC(name, kind, help) {"muster_" #name, "", help, kind, BUCKETS_NONE},
#define METRIC_BY(name, kind, labels, help) {"muster_" #name, labels, help, kind, BUCKETS_NONE},
#define METRIC_HISTOGRAM(name, buckets, labels, help) \
    {"muster_" #name, labels, help, METRIC_HISTOGRAM, buckets},
#include "base/metrics.def"
#undef METRIC
#undef METRIC_BY
#undef METRIC_HISTOGRAM
};

struct metric_series {
    enum metric metric;
    struct metric_series *next; /* an older one of the same metric */
    _Atomic int64_t value;      /* of a histogram: how many */
    _Atomic double sum;         /* of a histogram */
    _Atomic uint64_t *buckets;  /* of a histogram: one more than it has bounds, each by itself */
    char *text;                 /* {queue="a"}, or empty */
    uint64_t hash;              /* of the text */
};

static _Atomic int64_t values[METRIC_COUNT];
static _Atomic(struct metric_series *) heads[METRIC_COUNT];
static _Atomic uint32_t series_count;

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

const char *metric_labels(enum metric m) {
    assert(m < METRIC_COUNT);
    return rows[m].labels;
}

/* ---- one value ---- */

static bool is_single(enum metric m) {
    return rows[m].kind != METRIC_HISTOGRAM && rows[m].labels[0] == '\0';
}

void metric_add(enum metric m, int64_t amount) {
    assert(m < METRIC_COUNT && is_single(m));
    atomic_fetch_add_explicit(&values[m], amount, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t value) {
    assert(m < METRIC_COUNT && is_single(m) && rows[m].kind == METRIC_GAUGE);
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

int64_t metric_get(enum metric m) {
    assert(m < METRIC_COUNT && is_single(m));
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

/* ---- series ---- */

/* The value as the text format wants it between quotes, cut between characters. */
static void add_escaped(struct strbuf *b, struct str value) {
    size_t used = 0;
    for (size_t size; used < value.size; used += size) {
        size = str_utf8_size((struct str){value.at + used, value.size - used});
        if (size == 0) size = 1; /* a stray byte */
        if (used + size > METRIC_LABEL_BYTES) return;
        char c = value.at[used];
        if (c == '\\' || c == '"') strbuf_add_char(b, '\\');
        if (c == '\n')
            strbuf_add_str(b, STR("\\n"));
        else
            strbuf_add(b, value.at + used, size);
    }
}

static char *labels_text(enum metric m, const struct str *label_values) {
    struct strbuf b = {0};
    const char *at = rows[m].labels;
    for (uint32_t i = 0; *at; i++) {
        const char *end = strchrnul(at, ',');
        assert(i < METRIC_LABELS_MAX);
        strbuf_printf(&b, "%c%.*s=\"", i ? ',' : '{', (int)(end - at), at);
        add_escaped(&b, label_values ? label_values[i] : STR("other"));
        strbuf_add_char(&b, '"');
        at = *end ? end + 1 : end;
    }
    if (b.size) strbuf_add_char(&b, '}');
    char *text = mem_text(strbuf_str(&b));
    strbuf_fini(&b);
    return text;
}

static struct metric_series *find(enum metric m, const char *text) {
    struct metric_series *s = atomic_load_explicit(&heads[m], memory_order_acquire);
    uint64_t hash = str_hash(str_of(text));
    while (s && (s->hash != hash || strcmp(s->text, text) != 0))
        s = s->next;
    return s;
}

static struct metric_series *series_new(enum metric m, char *text) {
    struct metric_series *s = mem_alloc(sizeof *s);
    s->metric = m;
    s->text = text;
    s->hash = str_hash(str_of(text));
    if (rows[m].kind == METRIC_HISTOGRAM)
        s->buckets = mem_array(bounds_of[rows[m].buckets].count + 1, sizeof *s->buckets);
    return s;
}

static void series_free(struct metric_series *s) {
    mem_free(s->buckets);
    mem_free(s);
}

/* Another thread may add the same series meanwhile: then its one counts. Takes `text`. */
static struct metric_series *find_or_add(enum metric m, char *text) {
    struct metric_series *mine = NULL;
    for (;;) {
        struct metric_series *head = atomic_load_explicit(&heads[m], memory_order_acquire);
        struct metric_series *there = find(m, text);
        if (there) {
            if (mine) series_free(mine);
            mem_free(text);
            return there;
        }
        if (!mine) mine = series_new(m, text);
        mine->next = head;
        if (atomic_compare_exchange_strong(&heads[m], &head, mine)) return mine;
    }
}

struct metric_series *metric_series(enum metric m, const struct str *label_values) {
    assert(m < METRIC_COUNT && !is_single(m) && (label_values || !rows[m].labels[0]));
    char *text = labels_text(m, label_values);
    struct metric_series *s = find(m, text);
    if (s) {
        mem_free(text);
        return s;
    }
    if (atomic_fetch_add(&series_count, 1) >= LIMIT_METRIC_SERIES) {
        atomic_fetch_sub(&series_count, 1);
        metric_add(METRIC_metric_series_refused_total, 1);
        mem_free(text);
        text = labels_text(m, NULL);
    }
    return find_or_add(m, text);
}

void metric_series_add(struct metric_series *s, int64_t amount) {
    assert(!s->buckets);
    atomic_fetch_add_explicit(&s->value, amount, memory_order_relaxed);
}

void metric_series_set(struct metric_series *s, int64_t value) {
    assert(!s->buckets);
    atomic_store_explicit(&s->value, value, memory_order_relaxed);
}

int64_t metric_series_get(const struct metric_series *s) {
    return atomic_load_explicit(&s->value, memory_order_relaxed);
}

void metric_observe(struct metric_series *s, double value) {
    metric_observe_many(s, value, 1);
}

void metric_observe_many(struct metric_series *s, double value, uint64_t count) {
    assert(s->buckets && !isnan(value));
    const struct bounds *b = &bounds_of[rows[s->metric].buckets];
    uint32_t i = 0;
    while (i < b->count && value > b->at[i])
        i++;
    atomic_fetch_add_explicit(&s->buckets[i], count, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->value, (int64_t)count, memory_order_relaxed);
    double sum = atomic_load_explicit(&s->sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&s->sum, &sum, sum + value * (double)count,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

/* ---- reading all ---- */

static void each_of_series(const struct metric_series *s, metric_fn fn, void *arg,
                           struct strbuf *name) {
    const struct row *row = &rows[s->metric];
    bool histogram = row->kind == METRIC_HISTOGRAM;
    strbuf_clear(name);
    strbuf_printf(name, "%s%s%s", row->name, histogram ? "_count" : "", s->text);
    fn(arg, &(struct metric_sample){name->at, (double)metric_series_get(s)});
    if (!histogram) return;
    strbuf_clear(name);
    strbuf_printf(name, "%s_sum%s", row->name, s->text);
    fn(arg, &(struct metric_sample){name->at, atomic_load(&s->sum)});
}

void metrics_each(metric_fn fn, void *arg) {
    struct strbuf name = {0};
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        if (is_single(m)) fn(arg, &(struct metric_sample){rows[m].name, (double)metric_get(m)});
        for (struct metric_series *s = atomic_load(&heads[m]); s; s = s->next)
            each_of_series(s, fn, arg, &name);
    }
    strbuf_fini(&name);
}

static void add_sample(void *arg, const struct metric_sample *sample) {
    strbuf_printf(arg, "%s %.17g\n", sample->name, sample->value);
}

static void add_buckets(struct strbuf *out, const struct metric_series *s) {
    const struct bounds *b = &bounds_of[rows[s->metric].buckets];
    size_t size = strlen(s->text);
    uint64_t below = 0;
    for (uint32_t i = 0; i <= b->count; i++) {
        below += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
        strbuf_printf(out, "%s_bucket{%.*s%sle=\"", rows[s->metric].name, size ? (int)size - 2 : 0,
                      size ? s->text + 1 : "", size ? "," : "");
        if (i < b->count)
            strbuf_printf(out, "%g\"} %llu\n", b->at[i], (unsigned long long)below);
        else
            strbuf_printf(out, "+Inf\"} %llu\n", (unsigned long long)below);
    }
}

void metrics_reference(struct strbuf *out) {
    strbuf_add_str(out, STR("| metric | type | labels | meaning |\n|---|---|---|---|\n"));
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        strbuf_printf(out, "| `%s` | %s | %s | %s |\n", rows[m].name, types[rows[m].kind],
                      rows[m].labels, rows[m].help);
}

void metrics_text(struct strbuf *out) {
    struct strbuf name = {0};
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        struct metric_series *s = atomic_load_explicit(&heads[m], memory_order_acquire);
        if (!s && !is_single(m)) continue;
        strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help, rows[m].name,
                      types[rows[m].kind]);
        if (is_single(m)) strbuf_printf(out, "%s %lld\n", rows[m].name, (long long)metric_get(m));
        for (; s; s = s->next) {
            if (s->buckets) add_buckets(out, s);
            each_of_series(s, add_sample, out, &name);
        }
    }
    strbuf_fini(&name);
}
