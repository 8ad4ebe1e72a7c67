/* queue_report.h - all that can be said of one queue definition without a server.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_QUEUE_REPORT_H
#define MUSTER_WIRE_QUEUE_REPORT_H

#include "base/problems.h"
#include "base/str.h"

struct queue_report {
    bool ok;
    struct strbuf name;    /* empty unless ok */
    struct strbuf summary; /* what the rules mean, in plain words, a line each; empty unless ok */
    struct problems notes; /* what was read leniently, and what can hardly be meant */
    struct problems problems; /* 1 or more unless ok */
};

/* Fills `*out`, which queue_report_fini frees. */
void queue_report_make(struct str json, bool allow_shrinking, struct queue_report *out);
void queue_report_fini(struct queue_report *r);

/* Appends it as one line of JSON: {"ok", "queue", "summary": [], "notes": [],
 * "problems": [], "problemsLeftOut"}, notes and problems being {"line", "column", "field",
 * "message"}; members without content are left out. */
void queue_report_json(const struct queue_report *r, struct strbuf *out);

#endif
