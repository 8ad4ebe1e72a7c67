/* sim.c - from options to a trace, runs and reports. */
#include "sim/sim.h"

#include "sim/report.h"
#include "wire/queue_json.h"

#include <stdio.h>
#include <string.h>

/* One trace and its rules, ready to be played. */
struct stage {
    const struct workload *workload;
    struct trace_request request;
    struct trace trace;
    struct strbuf queue_json;
    struct queue_def *def;
    struct field field;
};

static enum err no_such(const char *what, const char *name, struct err_text *why) {
    struct strbuf names = {0};
    bool matchers = strcmp(what, "matcher") == 0;
    for (size_t i = 0; i < (matchers ? matcher_count() : workload_count); i++)
        strbuf_printf(&names, "%s%s", i ? ", " : "",
                      matchers ? matcher_at(i)->name : workloads[i].name);
    (void)err_set_field(why, ERR_INVALID_ARGUMENT, what, "%s is \"%s\", allowed are %s", what, name,
                        names.at);
    strbuf_fini(&names);
    return ERR_INVALID_ARGUMENT;
}

static enum err stage_open(struct stage *s, const struct sim_options *o, struct err_text *why) {
    s->workload = workload_find(o->workload);
    if (!s->workload) return no_such("workload", o->workload, why);
    double rate = o->rate > 0 ? o->rate : s->workload->rates[0];
    double duration_s = o->duration_s > 0 ? o->duration_s : workload_duration_s(s->workload, rate);
    if (o->queue.size)
        strbuf_add_str(&s->queue_json, o->queue);
    else
        workload_write_queue(s->workload, &s->queue_json);
    enum err code = queue_json_parse(strbuf_str(&s->queue_json), true, &s->def, NULL, why);
    if (code != ERR_OK) return code;
    s->request = (struct trace_request){s->workload, s->def->name, rate, duration_s, o->seed};
    trace_generate(&s->trace, &s->request);
    field_init(&s->field, &s->trace, s->def->ruleset, s->workload->roles[0] > 0);
    return ERR_OK;
}

static void stage_close(struct stage *s) {
    field_fini(&s->field);
    trace_fini(&s->trace);
    queue_def_free(s->def);
    strbuf_fini(&s->queue_json);
}

struct showing {
    const struct sim_options *o;
    const char *what;
};

static void show(void *arg, double share) {
    const struct showing *s = arg;
    if (s->o->progress) s->o->progress(s->o->progress_arg, s->what, share);
}

static void play_one(const struct stage *s, const struct sim_options *o, struct report_run *run) {
    struct matcher_setup setup = {.field = &s->field, .queue_json = strbuf_str(&s->queue_json)};
    setup.seed = s->request.seed;
    memcpy(setup.knobs, run->knobs, sizeof setup.knobs);
    struct showing showing = {o, run->kind->name};
    struct play play;
    play_run(&play, run->kind, &setup, show, &showing);
    measure_play(&run->measure, &play);
    play_fini(&play);
}

static void write_outputs(const struct stage *s, const struct report_run *runs, size_t count,
                          struct sim_output *out) {
    strbuf_printf(&out->table, "%s: %s; %g tickets/s, %g s, seed %llu\n\n", s->workload->name,
                  s->workload->text, s->request.rate, s->request.duration_s,
                  (unsigned long long)s->request.seed);
    report_table(runs, count, true, &out->table);
    struct json_write w = json_write_to(&out->json);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "workload", str_of(s->workload->name));
    json_write_number(&w, "rate", s->request.rate);
    json_write_number(&w, "durationSeconds", s->request.duration_s);
    json_write_int(&w, "seed", (int64_t)s->request.seed);
    json_write_open(&w, "runs", '[');
    out->valid = true;
    for (size_t i = 0; i < count; i++) {
        char title[128];
        out->valid = out->valid && runs[i].measure.invalid == 0;
        report_json(&runs[i], &w);
        if (out->plot_count == SIM_PLOTS_MAX) continue;
        snprintf(title, sizeof title, "%s, %g tickets/s: waits with %s", s->workload->name,
                 s->request.rate, runs[i].kind->name);
        snprintf(out->plots[out->plot_count].name, sizeof out->plots[0].name, "waits-%s-%s.svg",
                 s->workload->name, runs[i].kind->name);
        report_waits_plot(&runs[i], title, &out->plots[out->plot_count++].svg);
    }
    json_write_close(&w);
    json_write_close(&w);
}

enum err sim_run(const struct sim_options *o, struct sim_output *out, struct err_text *why) {
    struct stage s = {0};
    bool all = strcmp(o->matcher, "all") == 0;
    *out = (struct sim_output){0};
    if (!all && !matcher_find(o->matcher)) return no_such("matcher", o->matcher, why);
    enum err code = stage_open(&s, o, why);
    struct report_run runs[16];
    size_t count = 0;
    for (size_t i = 0; code == ERR_OK && i < matcher_count(); i++) {
        const struct matcher_kind *kind = matcher_at(i);
        if (!all && strcmp(kind->name, o->matcher) != 0) continue;
        struct report_run *run = &runs[count++];
        *run = (struct report_run){.kind = kind};
        for (int k = 0; k < MATCHER_KNOBS; k++)
            run->knobs[k] = kind->knobs[k].fallback;
        play_one(&s, o, run);
    }
    if (code == ERR_OK) write_outputs(&s, runs, count, out);
    stage_close(&s);
    return code;
}

void sim_output_fini(struct sim_output *out) {
    strbuf_fini(&out->table);
    strbuf_fini(&out->json);
    for (size_t i = 0; i < out->plot_count; i++)
        strbuf_fini(&out->plots[i].svg);
}

void sim_describe(struct strbuf *out) {
    strbuf_add_str(out, STR("workloads:\n"));
    for (size_t i = 0; i < workload_count; i++)
        strbuf_printf(out, "  %-8s %s\n", workloads[i].name, workloads[i].text);
    strbuf_add_str(out, STR("matchers:\n"));
    for (size_t i = 0; i < matcher_count(); i++)
        strbuf_printf(out, "  %-10s %s\n", matcher_at(i)->name, matcher_at(i)->text);
}
