/* seating.h - a growing group's tickets in teams, each whole and all of its players with a role.
 *
 *   seating_begin -> seating_add, seating_add ... -> seating_cut -> seating_add ...
 *
 * That all players together can have roles (casting.h) does not say that whole tickets can be
 * dealt to teams so: two who are both tanks, perhaps, cannot share a team with one tank. One way to
 * deal them is kept; a ticket that no team of it has places for has all dealt anew. Exact, but
 * after SEATING_STEPS steps in one go it knows no more and says yes.
 * add O(teams) mostly. Thread safety: one per instance.
 */
#ifndef MUSTER_MODEL_SEATING_H
#define MUSTER_MODEL_SEATING_H

#include "base/limits.h"
#include "model/casting.h"

#define SEATING_STEPS 1000

struct seating {
    struct casting_counts teams[LIMIT_TEAMS];
    uint32_t team_count, count;
    bool lost; /* it knows no more */
    struct {
        uint32_t packed, players, team; /* casting_pack */
    } tickets[LIMIT_MATCH_PLAYERS];
};

void seating_begin(struct seating *s, uint32_t team_count); /* nobody */

/* One more ticket; at most LIMIT_MATCH_PLAYERS. False: there is no way to deal them, and nothing
 * changed. */
bool seating_add(struct seating *s, const struct casting *k, uint32_t packed, uint32_t players);
void seating_cut(struct seating *s, const struct casting *k, uint32_t count); /* the first only */

#endif
