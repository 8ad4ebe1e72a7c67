/* sim.c - from options to a trace, runs and reports. */
#include "sim/sim.h"

#include "sim/compare.h"
#include "sim/ratio.h"
#include "sim/what_if.h"
#include "wire/queue_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

struct showing {
    const struct sim_options *o;
    const char *what;
};

static void show(void *arg, double share) {
    const struct showing *s = arg;
    if (s->o->progress) s->o->progress(s->o->progress_arg, s->what, share);
}

static void write_title(const struct stage *s, struct strbuf *out) {
    const struct trace *t = s->field.trace;
    if (s->workload)
        strbuf_printf(out, "%s: %s; %g tickets/s, %g s, seed %llu\n\n", s->workload->name,
                      s->workload->text, s->request.rate, s->request.duration_s,
                      (unsigned long long)s->request.seed);
    else
        strbuf_printf(out, "queue %.*s: %zu recorded tickets, %g s\n\n", STR_PRINT(s->def->name),
                      t->count, (double)(t->to_ms - t->from_ms) / 1000);
}

static void write_outputs(const struct stage *s, const struct report_run *runs, size_t count,
                          struct sim_output *out) {
    const char *name = s->workload ? s->workload->name : "recorded";
    write_title(s, &out->table);
    report_table(runs, count, true, &out->table);
    struct json_write w = json_write_to(&out->json);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "workload", str_of(name));
    json_write_number(&w, "rate", s->request.rate);
    json_write_number(&w, "durationSeconds", s->request.duration_s);
    json_write_int(&w, "seed", (int64_t)s->request.seed);
    json_write_open(&w, "runs", '[');
    out->valid = true;
    for (size_t i = 0; i < count; i++) {
        char title[128];
        out->valid = out->valid && runs[i].measure.invalid == 0;
        report_json(&runs[i], &w);
        if (runs[i].over_budget || out->plot_count == SIM_PLOTS_MAX) continue;
        snprintf(title, sizeof title, "%s: waits with %s", name, runs[i].kind->name);
        snprintf(out->plots[out->plot_count].name, sizeof out->plots[0].name, "waits-%s-%s.svg",
                 name, runs[i].kind->name);
        report_waits_plot(&runs[i], title, &out->plots[out->plot_count++].svg);
    }
    json_write_close(&w);
    json_write_close(&w);
}

static enum err set_knob(const struct matcher_kind *kind, struct str name, struct str value,
                         double *knobs, struct err_text *why) {
    struct strbuf names = {0};
    for (int k = 0; k < MATCHER_KNOBS; k++) {
        if (!kind->knobs[k].name) continue;
        if (str_equal(str_of(kind->knobs[k].name), name)) {
            strbuf_fini(&names);
            if (str_to_double(value, &knobs[k])) return ERR_OK;
            return err_set_field(why, ERR_INVALID_ARGUMENT, "set", "%.*s is \"%.*s\", not a number",
                                 STR_PRINT(name), STR_PRINT(value));
        }
        strbuf_printf(&names, "%s%s", names.size ? ", " : "", kind->knobs[k].name);
    }
    (void)err_set_field(why, ERR_INVALID_ARGUMENT, "set", "%s has no \"%.*s\"; it has %s",
                        kind->name, STR_PRINT(name), names.at);
    strbuf_fini(&names);
    return ERR_INVALID_ARGUMENT;
}

/* "patience=4,deadline=60" */
static enum err set_knobs(const char *set, const struct matcher_kind *kind, double *knobs,
                          struct err_text *why) {
    enum err code = ERR_OK;
    while (code == ERR_OK && *set) {
        size_t size = strcspn(set, ","), name = strcspn(set, "=,");
        struct str value = {set + name + 1, size > name ? size - name - 1 : 0};
        code = set_knob(kind, (struct str){set, name}, value, knobs, why);
        set += size + (set[size] == ',');
    }
    return code;
}

static enum err play_kinds(const struct stage *s, const struct sim_options *o,
                           struct sim_output *out, struct err_text *why) {
    struct report_run runs[16];
    size_t count = 0;
    const char *name = o->matcher[0] ? o->matcher : matcher_at(0)->name;
    bool all = strcmp(name, "all") == 0;
    for (size_t i = 0; i < matcher_count(); i++) {
        const struct matcher_kind *kind = matcher_at(i);
        if (!all && strcmp(kind->name, name) != 0) continue;
        struct report_run *run = &runs[count++];
        *run = (struct report_run){.kind = kind, .budget_s = o->budget_s};
        for (int k = 0; k < MATCHER_KNOBS; k++)
            run->knobs[k] = kind->knobs[k].fallback;
        enum err code = set_knobs(o->set, kind, run->knobs, why);
        if (code != ERR_OK) return code;
        struct showing showing = {o, kind->name};
        stage_play(s, run, show, &showing);
    }
    write_outputs(s, runs, count, out);
    return ERR_OK;
}

static enum err play(const struct trace_request *request, const struct sim_options *o,
                     struct sim_output *out, struct err_text *why) {
    struct stage s;
    enum err code = stage_open(&s, request, o->queue, why);
    if (code == ERR_OK) code = play_kinds(&s, o, out, why);
    stage_close(&s);
    return code;
}

static enum err compare(const struct trace_request *request, const struct sim_options *o,
                        struct sim_output *out, struct err_text *why) {
    struct compare c = {0};
    double set[MATCHER_KNOBS];
    for (int k = 0; k < MATCHER_KNOBS; k++)
        set[k] = NAN;
    enum err code = set_knobs(o->set, &muster_matcher, set, why);
    if (code == ERR_OK) code = compare_run(&c, request, o, set, why);
    if (code == ERR_OK) compare_report(&c, out);
    compare_fini(&c);
    return code;
}

static enum err replay(const struct sim_options *o, struct sim_output *out, struct err_text *why) {
    struct history h = {0};
    struct stage s = {0};
    if (o->compare || o->optimum > 0)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "journal",
                             "comparisons and optima take a workload, not a journal");
    enum err code = history_read(&h, o->events, str_of(o->events_queue), why);
    if (code == ERR_OK) code = stage_open_recorded(&s, &h, o->queue, why);
    if (code == ERR_OK) code = play_kinds(&s, o, out, why);
    stage_close(&s);
    history_fini(&h);
    return code;
}

enum err sim_run(const struct sim_options *o, struct sim_output *out, struct err_text *why) {
    *out = (struct sim_output){0};
    if (o->matcher[0] && strcmp(o->matcher, "all") != 0 && !matcher_find(o->matcher))
        return no_such("matcher", o->matcher, why);
    if (o->events.size) return replay(o, out, why);
    struct trace_request r = {.workload = workload_find(o->workload), .seed = o->seed};
    if (!r.workload) return no_such("workload", o->workload, why);
    r.rate = o->rate > 0 ? o->rate : r.workload->rates[0];
    r.duration_s = o->duration_s > 0 ? o->duration_s : workload_duration_s(r.workload, r.rate);
    if (o->optimum > 0) return ratio_run(&r, o->optimum, o, out, why);
    return o->compare ? compare(&r, o, out, why) : play(&r, o, out, why);
}

enum err sim_what_if(const struct sim_what_if *o, struct sim_output *out, struct err_text *why) {
    struct history h = {0};
    struct what_if w;
    struct queue_def *def = NULL;
    *out = (struct sim_output){0};
    enum err code = queue_json_parse(o->queue, true, &def, NULL, why);
    if (code == ERR_OK)
        code = history_read(&h, o->events, o->name[0] ? str_of(o->name) : def->name, why);
    if (code == ERR_OK) code = what_if_run(&w, &h, o->queue, o, why);
    if (code == ERR_OK) what_if_report(&w, &h, out);
    queue_def_free(def);
    history_fini(&h);
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
