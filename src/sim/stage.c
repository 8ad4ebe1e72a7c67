/* stage.c - opens a workload with its rules, and plays on it. */
#include "sim/stage.h"

#include "wire/queue_json.h"

#include <string.h>

enum { RECORDED_SEED = 1 };

enum err stage_open(struct stage *s, const struct trace_request *request, struct str queue,
                    struct err_text *why) {
    *s = (struct stage){.workload = request->workload, .request = *request};
    if (queue.size)
        strbuf_add_str(&s->queue_json, queue);
    else
        workload_write_queue(s->workload, str_of(s->workload->name), &s->queue_json);
    enum err code = queue_json_parse(strbuf_str(&s->queue_json), true, &s->def, NULL, why);
    if (code != ERR_OK) return code;
    s->request.queue = s->def->name;
    trace_generate(&s->trace, &s->request);
    field_init(&s->field, &s->trace, s->def->ruleset, s->workload->roles[0] > 0);
    return ERR_OK;
}

enum err stage_open_recorded(struct stage *s, struct history *h, struct str queue,
                             struct err_text *why) {
    *s = (struct stage){.request.seed = RECORDED_SEED};
    if (queue.size == 0 && h->queue_json.size == 0)
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "the recording holds no definition of queue \"%.*s\"; `muster events "
                       "--export` writes it",
                       STR_PRINT(h->queue));
    strbuf_add_str(&s->queue_json, queue.size ? queue : h->queue_json);
    enum err code = queue_json_parse(strbuf_str(&s->queue_json), true, &s->def, NULL, why);
    if (code != ERR_OK) return code;
    h->plays_in = s->def->name;
    history_leave_after(h, s->def->ticket_timeout_ms);
    field_init(&s->field, &h->trace, s->def->ruleset, false);
    return ERR_OK;
}

void stage_close(struct stage *s) {
    field_fini(&s->field);
    trace_fini(&s->trace);
    queue_def_free(s->def);
    strbuf_fini(&s->queue_json);
}

void stage_play(const struct stage *s, struct report_run *run, play_progress_fn progress,
                void *progress_arg) {
    struct matcher_setup setup = {.field = &s->field, .queue_json = strbuf_str(&s->queue_json)};
    setup.seed = s->request.seed;
    setup.budget_s = run->budget_s;
    memcpy(setup.knobs, run->knobs, sizeof setup.knobs);
    struct play play;
    play_run(&play, run->kind, &setup, progress, progress_arg);
    run->over_budget = play.over_budget;
    if (!play.over_budget) measure_play(&run->measure, &play);
    play_fini(&play);
}
