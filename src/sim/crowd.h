/* crowd.h - the waiting tickets of a baseline that works in turns, and how it ends them.
 *
 * Each baseline embeds one as its first member, so that arrive, leave, due and close are the same
 * for all. Turns come at whole multiples of a period while somebody waits.
 * Costs: arrive and leave O(1); compact and sort O(n log n). Thread safety: none.
 */
#ifndef MUSTER_SIM_CROWD_H
#define MUSTER_SIM_CROWD_H

#include "sim/assembly.h"
#include "sim/matcher.h"

#include <math.h>

struct crowd {
    struct matcher_setup setup;
    const struct field *field; /* `own` */
    struct field own;          /* the setup's, with the regions that are near enough for each */
    uint32_t *by_age;          /* oldest first; compacted by crowd_begin_turn */
    size_t count, capacity;
    bool *waiting;      /* per ticket of the trace */
    uint32_t *by_skill; /* after crowd_sort: lowest first, ties by age */
    uint8_t *kinds;     /* likewise: of the tickets in by_skill */
    int64_t period_ms, due_ms;
    struct arena *scratch;
};

/* Every baseline has this knob last: players take only regions in which their ping is at most so
 * many ms above their best. Published matchers leave that to the title; without it they would fill
 * matches with whoever is within the hard limit. */
#define CROWD_DETOUR_KNOB (MATCHER_KNOBS - 1)
#define CROWD_DETOUR \
    { "detour", 1000, {1000, 40, NAN}, true }

void crowd_init(struct crowd *c, const struct matcher_setup *setup, int64_t period_ms);
void crowd_fini(struct crowd *c);

/* The rows of a matcher_kind that all have in common; a struct crowd is the matcher's first. */
void crowd_arrive(struct matcher *m, uint32_t ticket, int64_t now_ms);
void crowd_leave(struct matcher *m, uint32_t ticket, int64_t now_ms);
int64_t crowd_due_ms(const struct matcher *m);
void crowd_close(struct matcher *m); /* for kinds that own nothing but their crowd */

/* The run is given up: a turn may end anywhere. For loops over the crowd. */
static inline bool crowd_gives_up(const struct crowd *c) {
    return budget_spent(c->setup.budget);
}

/* Begins a turn: by_age holds who waits, the next turn is set. */
void crowd_begin_turn(struct crowd *c, int64_t now_ms);
void crowd_sort(struct crowd *c); /* fills by_skill and kinds */
/* The range of by_skill whose skill is in [low, high]: [*from, *to). */
void crowd_range(const struct crowd *c, double low, double high, size_t range[2]);
/* Makes a match of a full assembly; false where the rules refuse it. */
bool crowd_match(struct crowd *c, const struct assembly *a, int64_t now_ms);

#endif
