/* stage.h - one trace and its rules, ready to be played.
 *
 * Thread safety: none.
 */
#ifndef MUSTER_SIM_STAGE_H
#define MUSTER_SIM_STAGE_H

#include "model/queue.h"
#include "sim/history.h"
#include "sim/report.h"

struct stage {
    const struct workload *workload; /* NULL: recorded arrivals */
    struct trace_request request;    /* of a workload */
    struct trace trace;
    struct strbuf queue_json;
    struct queue_def *def;
    struct field field;
};

/* Draws the request's trace; request->queue is filled in here. `queue`: a definition instead of the
 * workload's; empty: theirs. INVALID_ARGUMENT: the definition is wrong. Close it in any case. */
enum err stage_open(struct stage *s, const struct trace_request *request, struct str queue,
                    struct err_text *why) ERR_CHECKED;
/* The recorded arrivals, which the stage borrows, under `queue`, or when that is empty, under the
 * definition that was recorded. FAILED_PRECONDITION: there is none. Close it in any case. */
enum err stage_open_recorded(struct stage *s, struct history *h, struct str queue,
                             struct err_text *why) ERR_CHECKED;
void stage_close(struct stage *s); /* zeroed memory is fine */

/* Plays run->kind with run->knobs and measures. */
void stage_play(const struct stage *s, struct report_run *run, play_progress_fn progress,
                void *progress_arg);

#endif
