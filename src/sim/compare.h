/* compare.h - every setting of every matcher on the same arrivals, and whose front is in front.
 *
 * A point is one setting: its waits and its cost over several seeds. A point of a baseline is
 * covered when Muster has one that is at least as good on both axes in the mean over the seeds;
 * surely, when the 95 % intervals of both paired differences say so too. The cost is Q plus
 * COMPARE_EXPIRED for each share of players who expired, so that nobody looks good by leaving the
 * difficult ones out. A setting that took more than its budget of CPU is dropped: it is named, and
 * neither covers nor counts as covered. Thread safety: none; it starts threads of its own.
 */
#ifndef MUSTER_SIM_COMPARE_H
#define MUSTER_SIM_COMPARE_H

#include "sim/sim.h"
#include "sim/stage.h"

#define COMPARE_SEEDS_MAX 32
#define COMPARE_EXPIRED 500 /* rating points for a player who was not matched at all */

struct compare_point {
    const struct matcher_kind *kind;
    double knobs[MATCHER_KNOBS];
    double mean_s[COMPARE_SEEDS_MAX], p95_s[COMPARE_SEEDS_MAX], cost[COMPARE_SEEDS_MAX];
    double cpu_us, expired; /* means over seeds; `expired` a share */
    uint64_t invalid;
    bool dropped; /* over budget with one of the seeds: the numbers say nothing */
};

struct compare {
    struct trace_request request; /* of the first seed */
    double budget_s;              /* 0: none */
    struct compare_point *points; /* kind by kind, Muster's first */
    size_t count;
    uint32_t seeds;
};

/* Plays all settings of Muster, and all or o->sample of those of o->matcher ("" and "all": of all)
 * over o->seeds traces, request->seed and the next ones, o->threads runs at a time. `set`: values
 * of Muster's MATCHER_KNOBS knobs that are not varied; NAN: varied. */
enum err compare_run(struct compare *c, const struct trace_request *request,
                     const struct sim_options *o, const double *set,
                     struct err_text *why) ERR_CHECKED;
void compare_fini(struct compare *c);

enum compare_axis { COMPARE_MEAN, COMPARE_P95 };

/* Whether Muster covers the point on (wait, cost), by which of its points, and how sure that is. */
struct compare_verdict {
    bool covered, surely;
    const struct compare_point *by; /* when not covered: the one that comes nearest */
    double excess; /* not covered: how much worse that one is on its worse axis, 0.05 = 5 % */
};
struct compare_verdict compare_judge(const struct compare *c, const struct compare_point *p,
                                     enum compare_axis axis);

double compare_wait(const struct compare *c, const struct compare_point *p, enum compare_axis axis);
double compare_cost(const struct compare *c, const struct compare_point *p);

/* Table, JSON and the charts of both fronts. */
void compare_report(const struct compare *c, struct sim_output *out);

#endif
