/* play.h - one matcher over one trace in virtual time, and what came of it.
 *
 * At one time arrivals come first, then those who leave, then the matcher's turn. The run ends when
 * every measured ticket has ended. Deterministic: the same trace, rules and settings give the same
 * list of matches, and `hash` says so. Thread safety: none.
 */
#ifndef MUSTER_SIM_PLAY_H
#define MUSTER_SIM_PLAY_H

#include "sim/matcher.h"

struct play_match {
    int64_t at_ms;
    uint32_t first, count; /* in members */
    uint32_t region;       /* FIELD_NONE: none */
};

struct play_member {
    uint32_t ticket, team;
};

struct play {
    const struct field *field;
    struct play_match *matches; /* in the order they were made */
    size_t match_count, match_capacity;
    struct play_member *members;
    size_t member_count, member_capacity;
    uint32_t *match_of;           /* per ticket: index in matches; FIELD_NONE: it left unmatched */
    struct ticket_wait *promises; /* per ticket; zeros: nothing was told */
    uint64_t arrived;             /* tickets handed to the matcher */
    uint64_t wrong;   /* tickets matched twice, before their arrival or after they left */
    int64_t cpu_ns;   /* of this thread, for all of the run */
    bool over_budget; /* given up: what came of the tickets is not known */
    int64_t end_ms;
    uint64_t hash; /* of the list of matches: times, tickets, teams */
};

/* `share`: 0..1 of the measured time. Called about a hundred times a run. */
typedef void (*play_progress_fn)(void *arg, double share);

/* Sets setup->sink and setup->budget itself. O(events), and whatever the matcher takes. */
void play_run(struct play *p, const struct matcher_kind *kind, const struct matcher_setup *setup,
              play_progress_fn progress, void *progress_arg);
void play_fini(struct play *p);
/* The match as the field sees it; out->tickets is written to `tickets`. */
void play_read_match(const struct play *p, size_t index, uint32_t *tickets,
                     struct field_match *out);

#endif
