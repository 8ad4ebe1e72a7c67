/* sim_kit.h - small traces by hand, played by one matcher, and the matches that came of it.
 *
 * Include from one C file per program.
 */
#ifndef MUSTER_TESTS_SUPPORT_SIM_KIT_H
#define MUSTER_TESTS_SUPPORT_SIM_KIT_H

#include "base/limits.h"
#include "sim/measure.h"
#include "wire/queue_json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sim_kit {
    struct strbuf queue_json;
    struct queue_def *def;
    struct trace trace;
    struct field field;
    struct play play;
    bool roles;
};

/* The rules of a workload; tickets are added by hand, in order of time, or drawn. */
static inline void sim_kit_open(struct sim_kit *k, const char *workload) {
    struct err_text why;
    memset(k, 0, sizeof *k);
    const struct workload *w = workload_find(workload);
    assert_non_null(w);
    workload_write_queue(w, str_of(w->name), &k->queue_json);
    if (queue_json_parse(strbuf_str(&k->queue_json), true, &k->def, NULL, &why) != ERR_OK)
        fail_msg("%s", why.text);
    k->roles = w->roles[0] > 0;
    k->trace.arena = arena_new(0);
    k->trace.to_ms = INT64_MAX;
}

static inline void sim_kit_draw(struct sim_kit *k, const char *workload, double rate,
                                double duration_s) {
    sim_kit_open(k, workload);
    arena_free(k->trace.arena);
    struct trace_request r = {workload_find(workload), k->def->name, rate, duration_s, 7, false};
    trace_generate(&k->trace, &r);
    for (size_t i = 0; i < k->trace.count; i++) /* short runs: nobody waits for five minutes */
        k->trace.tickets[i].leave_ms = k->trace.tickets[i].at_ms + 30000;
}

/* A ticket of `players` players of one skill; the player's region has 30 ms, the others 90. */
static inline void sim_kit_add(struct sim_kit *k, int64_t at_ms, double skill, uint32_t players) {
    struct arena *a = k->trace.arena;
    struct player *all = arena_alloc(a, players * sizeof *all);
    for (uint32_t i = 0; i < players; i++) {
        struct attribute *skill_of = arena_alloc(a, sizeof *skill_of);
        struct latency *latencies = arena_alloc(a, 2 * sizeof *latencies);
        *skill_of = (struct attribute){.name = STR("skill"), .number = skill};
        latencies[0] = (struct latency){STR("eu"), 30};
        latencies[1] = (struct latency){STR("us-east"), 90};
        all[i] = (struct player){.id = arena_printf(a, "p%zu-%u", k->trace.count, i)};
        all[i].attributes = skill_of;
        all[i].attribute_count = 1;
        all[i].latencies = latencies;
        all[i].latency_count = 2;
    }
    struct trace_ticket t = {at_ms, at_ms + 300000, {&k->def->name, all, 1, players}};
    trace_add(&k->trace, &t);
}

/* Plays what was added. `knobs`: NULL takes the fallbacks. */
static inline void sim_kit_play(struct sim_kit *k, const struct matcher_kind *kind,
                                const double *knobs) {
    if (!k->field.tickets) field_init(&k->field, &k->trace, k->def->ruleset, k->roles);
    struct matcher_setup setup = {.field = &k->field, .queue_json = strbuf_str(&k->queue_json)};
    setup.seed = 1;
    for (int i = 0; i < MATCHER_KNOBS; i++)
        setup.knobs[i] = knobs && !isnan(knobs[i]) ? knobs[i] : kind->knobs[i].fallback;
    play_fini(&k->play);
    play_run(&k->play, kind, &setup, NULL, NULL);
}

/* When the ticket was matched; -1: never. */
static inline int64_t sim_kit_matched_ms(const struct sim_kit *k, uint32_t ticket) {
    uint32_t match = k->play.match_of[ticket];
    return match == FIELD_NONE ? -1 : k->play.matches[match].at_ms;
}

static inline bool sim_kit_together(const struct sim_kit *k, uint32_t a, uint32_t b) {
    return k->play.match_of[a] != FIELD_NONE && k->play.match_of[a] == k->play.match_of[b];
}

static inline void sim_kit_close(struct sim_kit *k) {
    play_fini(&k->play);
    field_fini(&k->field);
    trace_fini(&k->trace);
    queue_def_free(k->def);
    strbuf_fini(&k->queue_json);
}

#endif
