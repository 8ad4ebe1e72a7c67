/* matcher.h - what the simulator asks of a matcher, ours and the published ones alike.
 *
 *   open -> (arrive | leave | turn at due_ms)* -> close          one run over one trace
 *
 * A ticket is named by its index in the trace. A matcher may match a ticket from its arrival until
 * it leaves or is matched, and says so through `sink` during turn. Baselines are written from their
 * published behaviour; where that leaves something out (teams, regions, roles) they get the best
 * common way (assembly.h), so that they are judged by their choice of members and moment.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_SIM_MATCHER_H
#define MUSTER_SIM_MATCHER_H

#include "model/queue.h"
#include "sim/budget.h"
#include "sim/field.h"

#define MATCHER_KNOBS 4
#define MATCHER_GRID 48

/* Called in the caller's thread during turn only; the match is borrowed. */
typedef void (*matcher_sink_fn)(void *arg, const struct field_match *m);

struct matcher_setup {
    const struct field *field;
    struct str queue_json; /* the rules of `field`, as a definition */
    double knobs[MATCHER_KNOBS];
    uint64_t seed;
    double budget_s;       /* CPU seconds after which the run is given up; 0: never */
    struct budget *budget; /* of the run, set by play_run: a long turn may end when it is spent */
    struct ticket_wait *promises; /* per ticket of the trace: what it is told on arrival, written by
                                   * matchers that estimate waits */
    matcher_sink_fn sink;
    void *sink_arg;
};

/* A number that an operator may set, and the values that a comparison tries. */
struct matcher_knob {
    const char *name;          /* NULL: no such knob */
    double fallback;           /* NAN: as the queue definition says */
    double grid[MATCHER_GRID]; /* values, then NAN */
    bool needs_regions;        /* says nothing where all play in one region */
};

struct matcher; /* each kind casts it to its own */

struct matcher_kind {
    const char *name; /* "nakama" */
    const char *text; /* one line for people */
    struct matcher_knob knobs[MATCHER_KNOBS];
    struct matcher *(*open)(const struct matcher_setup *setup);
    void (*arrive)(struct matcher *m, uint32_t ticket, int64_t now_ms);
    void (*leave)(struct matcher *m, uint32_t ticket, int64_t now_ms);
    int64_t (*due_ms)(const struct matcher *m); /* INT64_MAX: nothing is timed */
    void (*turn)(struct matcher *m, int64_t now_ms);
    void (*close)(struct matcher *m);
};

/* All kinds; the first is Muster's own. */
size_t matcher_count(void);
const struct matcher_kind *matcher_at(size_t index);
const struct matcher_kind *matcher_find(const char *name); /* NULL: none of that name */

extern const struct matcher_kind muster_matcher, anchor_matcher, nakama_matcher, open_match_matcher,
    flexmatch_matcher, faf_matcher;

#endif
