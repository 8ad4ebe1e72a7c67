/* compare_report.c - fronts and verdicts as a table, JSON and charts. */
#include "base/mem.h"
#include "sim/compare.h"
#include "sim/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MISSES_SHOWN = 12 };

static const char *const axis_names[] = {"mean wait", "p95 wait"};

/* No other point of its kind is at least as good on both axes and better on one. */
static bool is_on_front(const struct compare *c, const struct compare_point *p,
                        enum compare_axis axis) {
    double wait = compare_wait(c, p, axis), cost = compare_cost(c, p);
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_point *o = &c->points[i];
        if (o->kind != p->kind || o == p || o->dropped) continue;
        double w = compare_wait(c, o, axis), q = compare_cost(c, o);
        if (w <= wait && q <= cost && (w < wait || q < cost)) return false;
    }
    return true;
}

/* The median over the kind's points of (our best cost at no longer wait) / (its cost). */
static double median_ratio(const struct compare *c, const struct matcher_kind *kind,
                           enum compare_axis axis) {
    double *ratios = mem_array(c->count, sizeof *ratios);
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_point *p = &c->points[i];
        if (p->kind != kind || p->dropped) continue;
        double best = INFINITY, wait = compare_wait(c, p, axis);
        for (size_t o = 0; o < c->count && c->points[o].kind == c->points[0].kind; o++)
            if (!c->points[o].dropped && compare_wait(c, &c->points[o], axis) <= wait)
                best = fmin(best, compare_cost(c, &c->points[o]));
        if (isfinite(best) && compare_cost(c, p) > 0) ratios[n++] = best / compare_cost(c, p);
    }
    double median = n ? measure_quantile(ratios, n, 0.5) : NAN;
    mem_free(ratios);
    return median;
}

static void add_kind(const struct compare *c, const struct matcher_kind *kind, struct strbuf *out) {
    size_t points = 0, dropped = 0, covered[2] = {0}, surely[2] = {0};
    double worst[2] = {0};
    for (size_t i = 0; i < c->count; i++) {
        if (c->points[i].kind != kind) continue;
        dropped += c->points[i].dropped;
        if (c->points[i].dropped) continue;
        points++;
        for (int a = 0; a < 2; a++) {
            struct compare_verdict v = compare_judge(c, &c->points[i], (enum compare_axis)a);
            covered[a] += v.covered;
            surely[a] += v.surely;
            if (!v.covered) worst[a] = fmax(worst[a], v.excess);
        }
    }
    if (points + dropped == 0) return;
    strbuf_printf(out, "%-11s %6zu %7zu", kind->name, points, dropped);
    for (int a = 1; a >= 0; a--)
        strbuf_printf(out, " %9zu %7zu %6.0f%% %7.2f", covered[a], surely[a], 100 * worst[a],
                      median_ratio(c, kind, (enum compare_axis)a));
    strbuf_add_char(out, '\n');
}

static void add_point(const struct compare *c, const struct compare_point *p, struct strbuf *out) {
    struct strbuf knobs = {0};
    report_knobs(p->kind, p->knobs, &knobs);
    strbuf_printf(out, "%s (%.*s): mean %.2f s, p95 %.2f s, cost %.1f", p->kind->name,
                  STR_PRINT(strbuf_str(&knobs)), compare_wait(c, p, COMPARE_MEAN),
                  compare_wait(c, p, COMPARE_P95), compare_cost(c, p));
    if (p->expired > 0) strbuf_printf(out, ", %.1f %% expired", 100 * p->expired);
    strbuf_fini(&knobs);
}

static void add_misses(const struct compare *c, struct strbuf *out) {
    size_t misses = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_point *p = &c->points[i];
        if (p->kind == c->points[0].kind || p->dropped) continue;
        struct compare_verdict v = compare_judge(c, p, COMPARE_P95);
        if (v.covered || misses++ >= MISSES_SHOWN) continue;
        strbuf_add_str(out,
                       misses == 1 ? STR("\nnot covered on (p95 wait, cost):\n  ") : STR("  "));
        add_point(c, p, out);
        strbuf_printf(out, "\n    nearest, %.0f %% worse: ", 100 * v.excess);
        if (v.by) add_point(c, v.by, out);
        strbuf_add_char(out, '\n');
    }
    if (misses > MISSES_SHOWN) strbuf_printf(out, "  and %zu more\n", misses - MISSES_SHOWN);
}

static void add_dropped(const struct compare *c, struct strbuf *out) {
    bool any = false;
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_point *p = &c->points[i];
        if (!p->dropped) continue;
        struct strbuf knobs = {0};
        report_knobs(p->kind, p->knobs, &knobs);
        if (!any) strbuf_printf(out, "\ngiven up after %g s of CPU a run:\n", c->budget_s);
        strbuf_printf(out, "  %s (%.*s)\n", p->kind->name, STR_PRINT(strbuf_str(&knobs)));
        strbuf_fini(&knobs);
        any = true;
    }
}

static void write_table(const struct compare *c, struct strbuf *out) {
    strbuf_printf(out, "%s: %s; %g tickets/s, %g s, seeds %llu..%llu\n\n",
                  c->request.workload->name, c->request.workload->text, c->request.rate,
                  c->request.duration_s, (unsigned long long)c->request.seed,
                  (unsigned long long)(c->request.seed + c->seeds - 1));
    strbuf_add_str(out, STR("muster's own points\n"));
    for (size_t i = 0; i < c->count && c->points[i].kind == c->points[0].kind; i++) {
        if (c->points[i].dropped) continue;
        strbuf_add_str(out, STR("  "));
        add_point(c, &c->points[i], out);
        strbuf_printf(out, ", %.1f us\n", c->points[i].cpu_us);
    }
    if (c->points[c->count - 1].kind == c->points[0].kind) return; /* with nobody */
    strbuf_add_str(
        out,
        STR("\n                             on (p95 wait, cost)               on (mean wait, "
            "cost)\n"
            "baseline    points dropped   covered  surely    gap   ratio   covered  surely    gap"
            "   ratio\n"));
    for (size_t i = 1; i < matcher_count(); i++)
        add_kind(c, matcher_at(i), out);
    strbuf_add_str(out,
                   STR("\ncovered: a point of ours is at least as good on both; surely: by the "
                       "95 % intervals too;\ngap: how much worse ours is, at most, where it is "
                       "not; ratio: median of our cost over theirs at no longer wait\n"));
    add_misses(c, out);
    add_dropped(c, out);
}

static void json_point(const struct compare *c, const struct compare_point *p,
                       struct json_write *w) {
    json_write_open(w, NULL, '{');
    json_write_text(w, "matcher", str_of(p->kind->name));
    json_write_open(w, "settings", '{');
    for (int k = 0; k < MATCHER_KNOBS; k++)
        if (p->kind->knobs[k].name) json_write_number(w, p->kind->knobs[k].name, p->knobs[k]);
    json_write_close(w);
    json_write_bool(w, "overBudget", p->dropped);
    if (p->dropped) {
        json_write_close(w);
        return;
    }
    json_write_number(w, "meanWait", compare_wait(c, p, COMPARE_MEAN));
    json_write_number(w, "p95Wait", compare_wait(c, p, COMPARE_P95));
    json_write_number(w, "cost", compare_cost(c, p));
    json_write_number(w, "expiredShare", p->expired);
    json_write_number(w, "cpuUsPerTicket", p->cpu_us);
    json_write_int(w, "invalid", (int64_t)p->invalid);
    for (int a = 0; a < 2 && p->kind != c->points[0].kind; a++) {
        struct compare_verdict v = compare_judge(c, p, (enum compare_axis)a);
        json_write_bool(w, a ? "coveredP95" : "coveredMean", v.covered);
        json_write_bool(w, a ? "surelyP95" : "surelyMean", v.surely);
        json_write_number(w, a ? "excessP95" : "excessMean", v.excess);
    }
    json_write_close(w);
}

static void write_json(const struct compare *c, struct strbuf *out) {
    struct json_write w = json_write_to(out);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "workload", str_of(c->request.workload->name));
    json_write_number(&w, "rate", c->request.rate);
    json_write_number(&w, "durationSeconds", c->request.duration_s);
    json_write_int(&w, "firstSeed", (int64_t)c->request.seed);
    json_write_int(&w, "seeds", c->seeds);
    json_write_open(&w, "points", '[');
    for (size_t i = 0; i < c->count; i++)
        json_point(c, &c->points[i], &w);
    json_write_close(&w);
    json_write_close(&w);
}

static int by_wait(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Muster without patience is one point of its own. */
static bool is_impatient(const struct compare_point *p) {
    return p->kind == &muster_matcher && p->knobs[0] == 0;
}

/* Adds the front of the points of that kind; in `room`, of which it returns the rest. */
static double *add_front(const struct compare *c, const struct matcher_kind *kind,
                         enum compare_axis axis, struct plot *p, double *room) {
    double(*pairs)[2] = mem_array(c->count, sizeof *pairs);
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_point *o = &c->points[i];
        if (o->kind != kind || o->dropped || is_impatient(o) || !is_on_front(c, o, axis)) continue;
        pairs[n][0] = compare_wait(c, o, axis);
        pairs[n++][1] = compare_cost(c, o);
    }
    if (n) qsort(pairs, n, sizeof *pairs, by_wait);
    for (size_t i = 0; i < n; i++) {
        room[i] = pairs[i][0];
        room[n + i] = pairs[i][1];
    }
    if (n) p->series[p->series_count++] = (struct plot_series){kind->name, room, room + n, n, true};
    mem_free(pairs);
    return room + 2 * n;
}

static double *add_impatient(const struct compare *c, enum compare_axis axis, struct plot *p,
                             double *room) {
    for (size_t i = 0; i < c->count; i++) {
        if (!is_impatient(&c->points[i]) || c->points[i].dropped) continue;
        room[0] = compare_wait(c, &c->points[i], axis);
        room[1] = compare_cost(c, &c->points[i]);
        p->series[p->series_count++] =
            (struct plot_series){"first legal match", room, room + 1, 1, false};
        return room + 2;
    }
    return room;
}

/* The fronts of all kinds as lines. */
static void write_chart(const struct compare *c, enum compare_axis axis, struct strbuf *svg) {
    char title[128];
    snprintf(title, sizeof title, "%s, %g tickets/s: cost of a match against %s, best settings",
             c->request.workload->name, c->request.rate, axis_names[axis]);
    struct plot p = {.title = title,
                     .x_label = axis == COMPARE_MEAN ? "mean wait, s" : "p95 wait, s"};
    p.y_label = "mismatch + imbalance + ping cost, rating points";
    p.x_log = p.y_log = true;
    double *xy = mem_array(2 * c->count + 2, sizeof *xy), *room = xy;
    for (size_t k = 0; k < matcher_count(); k++)
        room = add_front(c, matcher_at(k), axis, &p, room);
    (void)add_impatient(c, axis, &p, room);
    plot_write(&p, svg);
    mem_free(xy);
}

void compare_report(const struct compare *c, struct sim_output *out) {
    write_table(c, &out->table);
    write_json(c, &out->json);
    out->valid = true;
    for (size_t i = 0; i < c->count; i++)
        out->valid = out->valid && c->points[i].invalid == 0;
    for (int a = 0; a < 2; a++) {
        snprintf(out->plots[a].name, sizeof out->plots[a].name, "front-%s-%g-%s.svg",
                 c->request.workload->name, c->request.rate, a ? "p95" : "mean");
        write_chart(c, (enum compare_axis)a, &out->plots[a].svg);
    }
    out->plot_count = 2;
}
