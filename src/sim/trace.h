/* trace.h - arrivals: the same tickets at the same times for every matcher.
 *
 * Drawn from a workload (deterministic by seed) or read from recorded events. Times are
 * milliseconds from the trace's start. A trace owns all it points to.
 * Thread safety: none.
 */
#ifndef MUSTER_SIM_TRACE_H
#define MUSTER_SIM_TRACE_H

#include "base/err.h"
#include "base/mem.h"
#include "model/ticket.h"
#include "sim/workload.h"

struct trace_ticket {
    int64_t at_ms;
    int64_t leave_ms; /* it is gone then if still waiting: cancelled, or expired by its timeout */
    struct ticket_spec spec;
};

struct trace {
    struct arena *arena;
    const struct str *queue;      /* that all of them wait in */
    struct trace_ticket *tickets; /* by at_ms */
    size_t count, capacity;
    int64_t from_ms, to_ms; /* tickets that arrive in [from, to) are measured */
};

struct trace_request {
    const struct workload *workload;
    struct str queue;  /* its name */
    double rate;       /* tickets per second, > 0 */
    double duration_s; /* of the arrivals that are measured and their warm-up (a tenth of it) */
    uint64_t seed;
    bool ends; /* no more arrivals behind the measured ones */
};

/* Unless it ends, arrivals go on behind the measured ones, so that the last of these are matched
 * under the same load as the first: for the tickets' timeout, or a minute and 20,000 tickets where
 * that is less. O(tickets). */
void trace_generate(struct trace *t, const struct trace_request *request);
/* Appends a ticket; its spec must live as long as the trace (in its arena). Times must not fall. */
void trace_add(struct trace *t, const struct trace_ticket *ticket);
void trace_fini(struct trace *t); /* zeroed memory is fine */

#endif
