/* field.h - a trace seen by matchers and by whoever measures them: numbers per ticket, and what
 * the rules leave of a group of tickets.
 *
 * Ping cost of a player in a region, in rating points: 1 per ms above max(his own best, 40 ms),
 * 3 per ms above 100 ms. Everything borrows from trace and rules. Read only once made.
 * Thread safety: none.
 */
#ifndef MUSTER_SIM_FIELD_H
#define MUSTER_SIM_FIELD_H

#include "base/limits.h"
#include "model/ruleset.h"
#include "sim/packing.h"
#include "sim/trace.h"

#define FIELD_NONE UINT32_MAX
#define FIELD_KINDS 256
#define FIELD_MIXED (FIELD_KINDS - 1) /* tickets of this kind may differ */

struct field_ticket {
    double skill; /* mean of its players' values */
    double sum;   /* of them */
    uint32_t players;
    uint64_t regions; /* that all its players reach within the latency limit, a bit each */
    const uint8_t
        *roles;   /* per player: roles he takes, a bit each; NULL: no roles in these rules */
    uint8_t kind; /* the same players, regions and roles: a group has room for both or for none */
};

struct field {
    const struct trace *trace;
    const struct ruleset *ruleset;
    const struct ruleset_limits *limits; /* at age 0 */
    struct arena *arena;
    struct field_ticket *tickets;
    const char *regions[64]; /* names in order of appearance */
    uint32_t region_count;
    double *latencies; /* [ticket][region], the mean of its players in ms; NAN: not all reach it */
    struct packing packing;
    uint32_t match_players;
    bool has_roles;
};

/* The teams are those of age 0. `roles`: whether players' "roles" bind them to workload_roles. */
void field_init(struct field *f, const struct trace *trace, const struct ruleset *rules,
                bool roles);
void field_fini(struct field *f);

/* Numbers the tickets' kinds anew, after their regions have changed. O(tickets x kinds). */
void field_find_kinds(struct field *f);
uint32_t field_region(const struct field *f, struct str name); /* FIELD_NONE: nobody has it */
double field_latency_ms(const struct field *f, uint32_t ticket, uint32_t region);
double field_ping_cost(double ms, double best_ms);

/* A group with its teams. */
struct field_match {
    const uint32_t *tickets; /* indexes of the trace */
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    uint32_t ticket_count;
    uint32_t region; /* FIELD_NONE: none */
    int64_t at_ms;
};
/* Whether the reference evaluator finds the match legal at its time. */
bool field_legal(const struct field *f, const struct field_match *m, struct arena *scratch);

#endif
