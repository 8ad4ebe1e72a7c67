/* report.h - measured runs as a table for people, JSON for programs and charts.
 */
#ifndef MUSTER_SIM_REPORT_H
#define MUSTER_SIM_REPORT_H

#include "sim/matcher.h"
#include "sim/measure.h"
#include "wire/json_write.h"

/* One run: which matcher, with which settings, and what came of it. */
struct report_run {
    const struct matcher_kind *kind;
    double knobs[MATCHER_KNOBS];
    double budget_s; /* CPU seconds after which it is given up; 0: never */
    bool over_budget;
    struct measure measure; /* zeros when over budget */
};

/* A line per run; `wide` adds waits by skill band and party size, pings and roles of each. */
void report_table(const struct report_run *runs, size_t count, bool wide, struct strbuf *out);
/* A run as a JSON object. */
void report_json(const struct report_run *run, struct json_write *w);
/* Waits of one run over the skill bands. */
void report_waits_plot(const struct report_run *run, const char *title, struct strbuf *svg);
/* "patience 10", with a comma between several; knobs about regions only where they are turned. */
void report_knobs(const struct matcher_kind *kind, const double *knobs, struct strbuf *out);

#endif
