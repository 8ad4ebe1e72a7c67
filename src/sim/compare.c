/* compare.c - plays the grids, and judges point by point. */
#include "sim/compare.h"

#include "base/mem.h"
#include "base/rng.h"
#include "rt/thread.h"
#include "sim/bootstrap.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE_SEED = 1 };

/* ---- the points: every combination of the knobs' values ---- */

/* Of one kind: each knob that is not set takes the values of its grid. */
struct variation {
    const struct matcher_kind *kind;
    const double *set; /* NAN: not set */
    bool regions;
};

static size_t grid_size(const struct variation *v, int knob) {
    const struct matcher_knob *k = &v->kind->knobs[knob];
    size_t n = 0;
    if (!k->name || !isnan(v->set[knob]) || (k->needs_regions && !v->regions)) return 1;
    while (n < MATCHER_GRID && !isnan(k->grid[n]))
        n++;
    return n ? n : 1;
}

static double grid_value(const struct variation *v, int knob, size_t index) {
    const struct matcher_knob *k = &v->kind->knobs[knob];
    if (!isnan(v->set[knob])) return v->set[knob];
    return grid_size(v, knob) == 1 ? k->fallback : k->grid[index];
}

static size_t count_settings(const struct variation *v) {
    size_t n = 1;
    for (int k = 0; k < MATCHER_KNOBS; k++)
        n *= grid_size(v, k);
    return n;
}

/* Muster itself is always among them. */
static bool is_asked_for(const struct sim_options *o, const struct matcher_kind *kind) {
    return kind == &muster_matcher || o->matcher[0] == 0 || strcmp(o->matcher, "all") == 0 ||
           strcmp(o->matcher, kind->name) == 0;
}

static void add_point(struct compare *c, const struct variation *v, size_t setting) {
    struct compare_point *p = &c->points[c->count++];
    *p = (struct compare_point){.kind = v->kind};
    for (int k = 0; k < MATCHER_KNOBS; k++) {
        size_t size = grid_size(v, k);
        p->knobs[k] = grid_value(v, k, setting % size);
        setting /= size;
    }
}

/* So many of the settings, each set of them as likely (Knuth 3.4.2 S), in their order. */
static void add_sample(struct compare *c, const struct variation *v, size_t wanted) {
    size_t left = count_settings(v);
    struct rng rng;
    rng_init(&rng, SAMPLE_SEED);
    c->points = mem_grow(c->points, c->count + left, sizeof *c->points);
    for (size_t s = 0; left > 0 && wanted > 0; s++, left--) {
        if (rng_below(&rng, left) >= wanted) continue;
        add_point(c, v, s);
        wanted--;
    }
}

static void list_points(struct compare *c, const struct sim_options *o, const double *set,
                        bool regions) {
    static const double nothing[MATCHER_KNOBS] = {NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < matcher_count(); i++) {
        bool own = matcher_at(i) == &muster_matcher;
        struct variation v = {matcher_at(i), own ? set : nothing, regions};
        if (is_asked_for(o, v.kind))
            add_sample(c, &v, own || o->sample == 0 ? SIZE_MAX : o->sample);
    }
}

/* ---- playing: all points over one trace, each thread taking the next that nobody has taken ----
 */

struct tournament {
    struct compare *compare;
    const struct sim_options *o;
    const struct stage *stage;
    uint32_t seed;
    _Atomic size_t taken, done; /* points */
};

/* The thread that began it, whose progress is shown. */
struct showing {
    struct tournament *t;
    const struct matcher_kind *kind;
};

static void show(void *arg, double share) {
    const struct showing *s = arg;
    const struct compare *c = s->t->compare;
    if (!s->t->o->progress) return;
    size_t done = s->t->seed * c->count + s->t->done, all = c->seeds * c->count;
    char what[64];
    snprintf(what, sizeof what, "run %zu of %zu: %s", done + 1, all, s->kind->name);
    s->t->o->progress(s->t->o->progress_arg, what, ((double)done + fmin(share, 1)) / (double)all);
}

static void note_run(struct compare *c, struct compare_point *p, uint32_t seed,
                     const struct report_run *run) {
    const struct measure *m = &run->measure;
    double players = (double)m->waits.players;
    double expired = players > 0 ? (double)m->waits.expired / players : 0;
    p->dropped = run->over_budget;
    p->mean_s[seed] = m->waits.mean;
    p->p95_s[seed] = m->waits.p95;
    p->cost[seed] = m->quality_cost + COMPARE_EXPIRED * expired;
    p->cpu_us += m->cpu_us_per_ticket / c->seeds;
    p->expired += expired / c->seeds;
    p->invalid += m->invalid;
}

static void play_points(struct tournament *t, bool shows) {
    struct compare *c = t->compare;
    for (size_t i; (i = t->taken++) < c->count; t->done++) {
        struct compare_point *p = &c->points[i];
        struct report_run run = {.kind = p->kind, .budget_s = c->budget_s};
        struct showing showing = {t, p->kind};
        if (p->dropped) continue;
        memcpy(run.knobs, p->knobs, sizeof run.knobs);
        stage_play(t->stage, &run, shows ? show : NULL, &showing);
        note_run(c, p, t->seed, &run);
    }
}

static void help(void *arg) {
    play_points(arg, false);
}

static void play_seed(struct compare *c, const struct sim_options *o, const struct stage *s,
                      uint32_t seed) {
    struct tournament t = {.compare = c, .o = o, .stage = s, .seed = seed};
    struct thread helpers[SIM_THREADS_MAX] = {0};
    for (uint32_t i = 1; i < o->threads; i++)
        thread_start(&helpers[i], "compare", help, &t);
    play_points(&t, true);
    for (uint32_t i = 1; i < o->threads; i++)
        thread_join(&helpers[i]);
}

enum err compare_run(struct compare *c, const struct trace_request *request,
                     const struct sim_options *o, const double *set, struct err_text *why) {
    *c = (struct compare){.request = *request, .seeds = o->seeds, .budget_s = o->budget_s};
    for (uint32_t i = 0; i < c->seeds; i++) {
        struct trace_request own = *request;
        struct stage s;
        own.seed += i;
        enum err code = stage_open(&s, &own, o->queue, why);
        if (code == ERR_OK) {
            if (i == 0) list_points(c, o, set, s.field.limits->latency_ms_max != INT32_MAX);
            play_seed(c, o, &s, i);
        }
        stage_close(&s);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

void compare_fini(struct compare *c) {
    mem_free(c->points);
    *c = (struct compare){0};
}

/* ---- judging ---- */

static const double *waits_of(const struct compare_point *p, enum compare_axis axis) {
    return axis == COMPARE_MEAN ? p->mean_s : p->p95_s;
}

static double mean_of(const double *values, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

double compare_wait(const struct compare *c, const struct compare_point *p,
                    enum compare_axis axis) {
    return mean_of(waits_of(p, axis), c->seeds);
}

double compare_cost(const struct compare *c, const struct compare_point *p) {
    return mean_of(p->cost, c->seeds);
}

static struct interval difference(const double *a, const double *b, uint32_t count) {
    double d[COMPARE_SEEDS_MAX];
    for (uint32_t i = 0; i < count; i++)
        d[i] = a[i] - b[i];
    return bootstrap_mean(d, count);
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : a > 0 ? INFINITY : 1;
}

struct compare_verdict compare_judge(const struct compare *c, const struct compare_point *p,
                                     enum compare_axis axis) {
    struct compare_verdict v = {.excess = INFINITY};
    double wait = compare_wait(c, p, axis), cost = compare_cost(c, p);
    for (size_t i = 0; i < c->count && c->points[i].kind == c->points[0].kind; i++) {
        const struct compare_point *own = &c->points[i];
        if (own->dropped) continue;
        struct interval w = difference(waits_of(own, axis), waits_of(p, axis), c->seeds);
        struct interval q = difference(own->cost, p->cost, c->seeds);
        double worse =
            fmax(ratio(compare_wait(c, own, axis), wait), ratio(compare_cost(c, own), cost));
        bool surely = w.high <= 0 && q.high <= 0;
        if (surely > v.surely || (surely == v.surely && worse - 1 < v.excess)) {
            v.by = own;
            v.excess = worse - 1;
            v.surely = surely;
        }
        v.covered = v.covered || (w.mean <= 0 && q.mean <= 0);
    }
    return v;
}
