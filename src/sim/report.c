/* report.c - tables, JSON and charts of measured runs. */
#include "sim/report.h"

#include "sim/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void report_knobs(const struct matcher_kind *kind, const double *knobs, struct strbuf *out) {
    for (int i = 0; i < MATCHER_KNOBS; i++) {
        const struct matcher_knob *k = &kind->knobs[i];
        if (!k->name || isnan(knobs[i])) continue;
        if (k->needs_regions && knobs[i] == k->fallback) continue;
        strbuf_printf(out, "%s%s %g", out->size ? ", " : "", k->name, knobs[i]);
    }
}

static void add_line(const struct report_run *r, struct strbuf *out) {
    struct strbuf knobs = {0};
    const struct measure *m = &r->measure;
    report_knobs(r->kind, r->knobs, &knobs);
    if (r->over_budget) {
        strbuf_printf(out, "%-11s %-42.*s given up after %g s of CPU\n", r->kind->name,
                      STR_PRINT(strbuf_str(&knobs)), r->budget_s);
        strbuf_fini(&knobs);
        return;
    }
    strbuf_printf(out, "%-11s %-42.*s %8.2f %8.2f %8.2f %8.2f %8.2f", r->kind->name,
                  STR_PRINT(strbuf_str(&knobs)), m->waits.mean, m->waits.p50, m->waits.p95,
                  m->waits.p99, m->waits.max);
    double expired =
        m->waits.players ? 100.0 * (double)m->waits.expired / (double)m->waits.players : 0;
    strbuf_printf(out, " %7.2f %8.1f %8.1f %7.1f %8.1f %6.3f %8.2f\n", expired, m->mismatch,
                  m->imbalance, m->ping_cost, m->quality_cost, m->win_gap, m->cpu_us_per_ticket);
    strbuf_fini(&knobs);
}

static void add_waits(const char *name, const struct measure_waits *w, struct strbuf *out) {
    strbuf_printf(out, "  %-12s %9" PRIu64 " %8" PRIu64 " %8.2f %8.2f %8.2f %8.2f %8.2f\n", name,
                  w->players, w->expired, w->mean, w->p50, w->p95, w->p99, w->max);
}

static void add_details(const struct report_run *r, struct strbuf *out) {
    static const char *const sizes[WORKLOAD_SIZES] = {"solo", "party of 2", "party of 3",
                                                      "party of 4", "party of 5+"};
    const struct measure *m = &r->measure;
    strbuf_printf(out,
                  "\n%s by skill   players  expired     mean      p50      p95      p99      max  "
                  "(waits, s)\n",
                  r->kind->name);
    for (int b = 0; b < MEASURE_BANDS; b++)
        add_waits(measure_band_names[b], &m->bands[b], out);
    for (int s = 0; s < WORKLOAD_SIZES; s++)
        if (m->sizes[s].players) add_waits(sizes[s], &m->sizes[s], out);
    strbuf_printf(out, "  matches %" PRIu64 " (%.2f/s), tickets %" PRIu64 " measured, ", m->matches,
                  m->matches_per_s, m->tickets);
    strbuf_printf(out, "p95 of a player's distance to his match %.0f points\n", m->deviation_p95);
    if (m->has_pings)
        strbuf_printf(
            out, "  ping above a player's best: mean %.1f ms, p95 %.0f ms; %.1f %% above 100 ms\n",
            m->ping_excess_ms, m->ping_excess_p95_ms, 100 * m->ping_bad_share);
    if (m->promised_share > 0)
        strbuf_printf(out,
                      "  promised waits: told to %.1f %%; of these %.1f %% matched within the p50, "
                      "%.1f %% within the p90\n",
                      100 * m->promised_share, 100 * m->within_p50, 100 * m->within_p90);
    if (m->has_roles)
        strbuf_printf(
            out, "  roles: %.1f %% first choice, %.1f %% other accepted, %.1f %% not accepted\n",
            100 * m->role_share[0], 100 * m->role_share[1], 100 * m->role_share[2]);
}

void report_table(const struct report_run *runs, size_t count, bool wide, struct strbuf *out) {
    strbuf_printf(out, "%-11s %-42s %8s %8s %8s %8s %8s %7s %8s %8s %7s %8s %6s %8s\n", "matcher",
                  "settings", "wait s", "p50", "p95", "p99", "max", "expir.%", "mismatch", "imbal.",
                  "ping", "Q", "p-gap", "CPU us");
    for (size_t i = 0; i < count; i++)
        add_line(&runs[i], out);
    for (size_t i = 0; wide && i < count; i++)
        if (!runs[i].over_budget) add_details(&runs[i], out);
    for (size_t i = 0; i < count; i++) {
        const struct measure *m = &runs[i].measure;
        if (runs[i].over_budget) continue;
        strbuf_printf(out, "%s%s: matches %016" PRIx64 ", invalid %" PRIu64 "\n", i ? "" : "\n",
                      runs[i].kind->name, m->hash, m->invalid);
    }
}

static void json_waits(const char *name, const struct measure_waits *m, struct json_write *w) {
    json_write_open(w, name, '{');
    json_write_int(w, "players", (int64_t)m->players);
    json_write_int(w, "expired", (int64_t)m->expired);
    json_write_number(w, "mean", m->mean);
    json_write_number(w, "p50", m->p50);
    json_write_number(w, "p95", m->p95);
    json_write_number(w, "p99", m->p99);
    json_write_number(w, "max", m->max);
    json_write_close(w);
}

static void json_costs(const struct measure *m, struct json_write *w) {
    json_write_number(w, "mismatch", m->mismatch);
    json_write_number(w, "deviationP95", m->deviation_p95);
    json_write_number(w, "imbalance", m->imbalance);
    json_write_number(w, "pingCost", m->ping_cost);
    json_write_number(w, "q", m->quality_cost);
    json_write_number(w, "winGap", m->win_gap);
    if (m->has_pings) {
        json_write_number(w, "pingExcessMs", m->ping_excess_ms);
        json_write_number(w, "pingExcessP95Ms", m->ping_excess_p95_ms);
        json_write_number(w, "pingAbove100Share", m->ping_bad_share);
    }
    if (m->has_roles) {
        json_write_number(w, "roleFirstShare", m->role_share[0]);
        json_write_number(w, "roleOtherShare", m->role_share[1]);
        json_write_number(w, "roleRefusedShare", m->role_share[2]);
    }
}

void report_json(const struct report_run *r, struct json_write *w) {
    const struct measure *m = &r->measure;
    char hash[24];
    snprintf(hash, sizeof hash, "%016" PRIx64, m->hash);
    json_write_open(w, NULL, '{');
    json_write_text(w, "matcher", str_of(r->kind->name));
    json_write_open(w, "settings", '{');
    for (int i = 0; i < MATCHER_KNOBS; i++)
        if (r->kind->knobs[i].name) json_write_number(w, r->kind->knobs[i].name, r->knobs[i]);
    json_write_close(w);
    json_write_bool(w, "overBudget", r->over_budget);
    if (r->over_budget) {
        json_write_close(w);
        return;
    }
    json_waits("waitSeconds", &m->waits, w);
    json_write_open(w, "bySkill", '{');
    for (int b = 0; b < MEASURE_BANDS; b++)
        json_waits(measure_band_names[b], &m->bands[b], w);
    json_write_close(w);
    json_write_open(w, "byPartySize", '[');
    for (int s = 0; s < WORKLOAD_SIZES; s++)
        json_waits(NULL, &m->sizes[s], w);
    json_write_close(w);
    json_costs(m, w);
    if (m->promised_share > 0) {
        json_write_number(w, "promisedShare", m->promised_share);
        json_write_number(w, "withinP50Share", m->within_p50);
        json_write_number(w, "withinP90Share", m->within_p90);
    }
    json_write_int(w, "tickets", (int64_t)m->tickets);
    json_write_int(w, "matches", (int64_t)m->matches);
    json_write_number(w, "matchesPerSecond", m->matches_per_s);
    json_write_number(w, "cpuUsPerTicket", m->cpu_us_per_ticket);
    json_write_int(w, "invalid", (int64_t)m->invalid);
    json_write_text(w, "hash", str_of(hash));
    json_write_close(w);
}

void report_waits_plot(const struct report_run *r, const char *title, struct strbuf *svg) {
    double x[MEASURE_BANDS], p50[MEASURE_BANDS], p95[MEASURE_BANDS], p99[MEASURE_BANDS];
    for (int b = 0; b < MEASURE_BANDS; b++) {
        x[b] = b;
        p50[b] = r->measure.bands[b].p50;
        p95[b] = r->measure.bands[b].p95;
        p99[b] = r->measure.bands[b].p99;
    }
    struct plot p = {.title = title,
                     .x_label = "players by skill",
                     .y_label = "wait, s",
                     .series = {{"p50", x, p50, MEASURE_BANDS, true},
                                {"p95", x, p95, MEASURE_BANDS, true},
                                {"p99", x, p99, MEASURE_BANDS, true}},
                     .series_count = 3,
                     .x_names = measure_band_names,
                     .x_name_count = MEASURE_BANDS};
    plot_write(&p, svg);
}
