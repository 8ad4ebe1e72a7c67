/* ratio.c - the best of each matcher beside the clairvoyant optimum. */
#include "sim/ratio.h"

#include "base/mem.h"
#include "sim/anneal.h"
#include "sim/bootstrap.h"
#include "sim/optimum.h"

#include <math.h>
#include <string.h>

enum { SEEDS_MAX = 32, STAY_MS = 3600000 };
#define STAY_DEADLINE_S 1800 /* nobody is matched only because of his deadline */

struct best {                    /* of one matcher */
    double knobs[MATCHER_KNOBS]; /* of the first seed */
    double ratios[SEEDS_MAX];
    double cost; /* of the first seed */
};

/* The first RATIO_TICKETS are measured; those behind them are there to be matched with, too. All
 * stay until they are matched. */
static void measure_first(struct trace *t) {
    t->from_ms = 0;
    t->to_ms = t->count > RATIO_TICKETS ? t->tickets[RATIO_TICKETS].at_ms : INT64_MAX;
    for (size_t i = 0; i < t->count; i++)
        t->tickets[i].leave_ms = t->tickets[i].at_ms + STAY_MS;
}

static double optimum_of_first(struct stage *s, double points_per_s) {
    size_t all = s->trace.count, players = s->field.match_players;
    s->trace.count = (all < RATIO_TICKETS ? all : RATIO_TICKETS) / players * players;
    double optimum = players == 2 ? optimum_pairs(&s->field, points_per_s)
                                  : anneal_groups(&s->field, points_per_s, s->request.seed);
    s->trace.count = all;
    return optimum;
}

/* Settings that leave somebody out are not compared. */
static double play_cost(const struct stage *s, const struct matcher_kind *kind, const double *knobs,
                        double points_per_s) {
    struct matcher_setup setup = {.field = &s->field, .queue_json = strbuf_str(&s->queue_json)};
    struct play play;
    setup.seed = s->request.seed;
    memcpy(setup.knobs, knobs, sizeof setup.knobs);
    play_run(&play, kind, &setup, NULL, NULL);
    double cost = optimum_played(&play, points_per_s);
    size_t left_over = 0;
    for (size_t i = 0; i < s->trace.count && s->trace.tickets[i].at_ms < s->trace.to_ms; i++)
        left_over += play.match_of[i] == FIELD_NONE;
    play_fini(&play);
    return left_over > 0 ? INFINITY : cost;
}

static double fallback_of(const struct matcher_kind *kind, int knob) {
    bool ours = kind == &muster_matcher && kind->knobs[knob].name &&
                strcmp(kind->knobs[knob].name, "deadline") == 0;
    return ours ? STAY_DEADLINE_S : kind->knobs[knob].fallback;
}

/* The first two knobs are tried in all combinations; a deadline is not. */
static void try_settings(const struct stage *s, const struct matcher_kind *kind,
                         double points_per_s, struct best *best, uint32_t seed) {
    double least = INFINITY;
    for (int a = 0; a < MATCHER_GRID && !isnan(kind->knobs[0].grid[a]); a++) {
        for (int b = 0; b < MATCHER_GRID; b++) {
            double knobs[MATCHER_KNOBS];
            const struct matcher_knob *second = &kind->knobs[1];
            bool once = !second->name || kind == &muster_matcher;
            if (once ? b > 0 : isnan(second->grid[b])) break;
            for (int k = 0; k < MATCHER_KNOBS; k++)
                knobs[k] = fallback_of(kind, k);
            knobs[0] = kind->knobs[0].grid[a];
            if (!once) knobs[1] = second->grid[b];
            double cost = play_cost(s, kind, knobs, points_per_s);
            if (cost >= least) continue;
            least = cost;
            if (seed == 0) memcpy(best->knobs, knobs, sizeof knobs);
        }
    }
    if (seed == 0) best->cost = least;
    best->ratios[seed] = least;
}

static void write_matcher(const struct matcher_kind *kind, const struct best *best, uint32_t seeds,
                          struct strbuf *table, struct json_write *w) {
    struct interval ratio = bootstrap_mean(best->ratios, seeds);
    struct strbuf knobs = {0};
    report_knobs(kind, best->knobs, &knobs);
    strbuf_printf(table, "%-11s %8.1f  %.3f (%.3f .. %.3f)    %.*s\n", kind->name, best->cost,
                  ratio.mean, ratio.low, ratio.high, STR_PRINT(strbuf_str(&knobs)));
    strbuf_fini(&knobs);
    json_write_open(w, NULL, '{');
    json_write_text(w, "matcher", str_of(kind->name));
    json_write_number(w, "ratio", ratio.mean);
    json_write_number(w, "low", ratio.low);
    json_write_number(w, "high", ratio.high);
    json_write_close(w);
}

static void write_report(const struct trace_request *r, double points_per_s, uint32_t seeds,
                         const struct best *all, struct sim_output *out) {
    bool exact = r->workload->teams * r->workload->team_players == 2;
    struct json_write w = json_write_to(&out->json);
    strbuf_printf(&out->table,
                  "%s: %s; %g tickets/s, the first %d tickets, %u seeds\n\n"
                  "cost: mean over players of mismatch + %g * wait; ratio: to %s\n\n"
                  "%-11s %8s  %-24s %s\n",
                  r->workload->name, r->workload->text, r->rate, RATIO_TICKETS, seeds, points_per_s,
                  exact ? "the clairvoyant optimum, exact"
                        : "the best that is known to whoever knows the future, annealed",
                  "matcher", "cost", "ratio (95 % interval)", "best settings");
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "workload", str_of(r->workload->name));
    json_write_bool(&w, "exact", exact);
    json_write_number(&w, "pointsPerSecond", points_per_s);
    json_write_open(&w, "matchers", '[');
    for (size_t i = 0; i < matcher_count(); i++)
        write_matcher(matcher_at(i), &all[i], seeds, &out->table, &w);
    json_write_close(&w);
    json_write_close(&w);
    out->valid = true;
}

static enum err run_seed(const struct trace_request *request, double points_per_s,
                         const struct sim_options *o, struct best *all, struct err_text *why) {
    uint32_t seed = (uint32_t)(request->seed - o->seed);
    struct stage s = {0};
    enum err code = stage_open(&s, request, o->queue, why);
    if (code == ERR_OK) {
        measure_first(&s.trace);
        double optimum = optimum_of_first(&s, points_per_s);
        for (size_t i = 0; i < matcher_count(); i++) {
            double done = seed + (double)i / (double)matcher_count();
            if (o->progress) o->progress(o->progress_arg, matcher_at(i)->name, done / o->seeds);
            try_settings(&s, matcher_at(i), points_per_s, &all[i], seed);
            all[i].ratios[seed] /= optimum;
        }
    }
    stage_close(&s);
    return code;
}

enum err ratio_run(const struct trace_request *request, double points_per_s,
                   const struct sim_options *o, struct sim_output *out, struct err_text *why) {
    const struct workload *w = request->workload;
    if (w->sizes[0] < 1 || w->latency_ms || w->shape != SHAPE_STEADY)
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "the optimum is known for single players of one region: W1 and W2s");
    struct trace_request own = *request;
    own.duration_s = RATIO_TICKETS / request->rate * 1.2;
    struct best *all = mem_array(matcher_count(), sizeof *all);
    enum err code = ERR_OK;
    for (; code == ERR_OK && own.seed < o->seed + o->seeds; own.seed++)
        code = run_seed(&own, points_per_s, o, all, why);
    if (code == ERR_OK) write_report(&own, points_per_s, o->seeds, all, out);
    mem_free(all);
    return code;
}
