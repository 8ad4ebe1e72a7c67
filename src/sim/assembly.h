/* assembly.h - a group being put together by a baseline: whole tickets, one region, fair teams.
 *
 *   assembly_begin -> assembly_add ... until assembly_full -> assembly_finish
 *
 * What all baselines share, so that they differ in whom they choose and when: a ticket is taken
 * only where a common region and room in the teams (and roles) are left; the teams are the evenest
 * split, exact as in model/split.h; the region is that of the smallest mean latency; a match that
 * the rules refuse is none. Thread safety: one thread per instance.
 */
#ifndef MUSTER_SIM_ASSEMBLY_H
#define MUSTER_SIM_ASSEMBLY_H

#include "sim/field.h"

struct assembly {
    const struct field *field;
    uint32_t members[LIMIT_MATCH_PLAYERS];
    uint32_t count, players;
    uint32_t singles; /* members of one player */
    uint64_t regions;
    uint32_t role_counts[1 << WORKLOAD_ROLES]; /* players by the roles they take */
};

void assembly_begin(struct assembly *a, const struct field *f);
bool assembly_add(struct assembly *a, uint32_t ticket); /* false: no room, region or role for it */
bool assembly_full(const struct assembly *a);
/* Teams and region of a full group at `now_ms`, written to `out` (which borrows a->members).
 * False: the rules allow none. */
bool assembly_finish(const struct assembly *a, int64_t now_ms, struct field_match *out,
                     struct arena *scratch);

#endif
