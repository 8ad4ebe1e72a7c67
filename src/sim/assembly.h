/* assembly.h - a group being put together by a baseline: whole tickets, one region, fair teams.
 *
 *   assembly_begin -> assembly_add ... until assembly_full -> assembly_finish
 *
 * What all baselines share, so that they differ in whom they choose and when: a ticket is taken
 * only where a common region and room in the teams (and roles) are left; the teams are the evenest
 * split, exact as in model/split.h; the region is that of the smallest mean latency; a match that
 * the rules refuse is none. A group that has no room for a ticket has none later, nor for another
 * of its kind: that is remembered, so whoever passes over thousands asks a bit of each.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_SIM_ASSEMBLY_H
#define MUSTER_SIM_ASSEMBLY_H

#include "sim/field.h"

struct assembly {
    const struct field *field;
    uint32_t members[LIMIT_MATCH_PLAYERS];
    uint32_t count, players;
    uint32_t packed; /* place in the field's packing */
    uint64_t regions;
    uint32_t role_counts[1 << WORKLOAD_ROLES]; /* players by the roles they take */
    uint64_t refused[FIELD_KINDS / 64];        /* kinds there was no room for, a bit each */
};

void assembly_begin(struct assembly *a, const struct field *f);
static inline bool assembly_refused(const struct assembly *a, uint8_t kind) {
    return a->refused[kind / 64] >> kind % 64 & 1;
}
bool assembly_add(struct assembly *a, uint32_t ticket); /* false: no room, region or role for it */
static inline bool assembly_full(const struct assembly *a) {
    return a->players == a->field->match_players;
}
/* Teams and region of a full group at `now_ms`, written to `out` (which borrows a->members).
 * False: the rules allow none. */
bool assembly_finish(const struct assembly *a, int64_t now_ms, struct field_match *out,
                     struct arena *scratch);

#endif
