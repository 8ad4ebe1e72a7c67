/* arrivals.h - what `muster bench` offers a server: a named workload's rules, and who comes when.
 *
 * Of all workloads: Muster's own (workload.h) and those by which others are measured (peers.h).
 * An open loop: each ticket is due at an instant of its own, whatever became of those before it.
 * Memory: about 700 bytes per ticket. Thread safety: none.
 */
#ifndef MUSTER_SIM_ARRIVALS_H
#define MUSTER_SIM_ARRIVALS_H

#include "sim/trace.h"

#define ARRIVALS_TICKETS_MAX 4000000

struct arrivals_request {
    const char *workload;
    const char *queue;  /* the name it is put under: 1..64 of [A-Za-z0-9_.-] */
    const char *prefix; /* of its players' ids: 1..32 of the same, but no dot */
    double rate;        /* tickets per second; 0: the workload's own */
    double duration_s;  /* > 0; how long tickets come */
    uint64_t seed;
};

struct arrivals {
    const char *text;  /* what the workload is, one line */
    struct str prefix; /* ids are PREFIX-TICKET, of a party's further players PREFIX-TICKET.N */
    double rate;       /* tickets per second; 0: all at once */
    uint32_t match_players;   /* fewest of a match */
    uint32_t party_max;       /* players of the largest ticket */
    struct strbuf queue_json; /* its rules */
    struct trace trace;       /* the tickets */
    size_t count, before;     /* of them; the first `before` wait already when the clock starts */
    int64_t *due_us; /* by ticket: microseconds from the start, 0 of those; never falling */
};

/* INVALID_ARGUMENT: no such workload (names the nearest); RESOURCE_EXHAUSTED: more tickets than
 * ARRIVALS_TICKETS_MAX. Close it in any case. O(tickets). */
enum err arrivals_open(struct arrivals *a, const struct arrivals_request *q,
                       struct err_text *why) ERR_CHECKED;
void arrivals_close(struct arrivals *a); /* zeroed memory is fine */

static inline const struct ticket_spec *arrivals_ticket(const struct arrivals *a, size_t index) {
    return &a->trace.tickets[index].spec;
}
/* The ticket of a player of that id; SIZE_MAX: of none. */
size_t arrivals_find(const struct arrivals *a, struct str player_id);
/* Of the tickets from `from` on, how many are due by `now_us`: at most `most`. */
size_t arrivals_due(const struct arrivals *a, size_t from, int64_t now_us, size_t most);

/* "W1   1v1 ladder ..." a line each. */
void arrivals_describe(struct strbuf *out);

#endif
