/* casting.h - whether players can fill roles, by counting: Hall's condition over sets of roles.
 *
 * `within[S]` counts the players who play nothing outside the set of roles S. They can all have
 * places exactly when for no S they are more than S has places; and what other roles must have at
 * least is taken off from those. Adding a player is adding a row of a table, all sets at once.
 * For up to CASTING_ROLES roles and tickets of up to CASTING_PLAYERS; beyond that only the
 * evaluator knows.
 * Source: Hall, "On representatives of subsets" (1935). Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_CASTING_H
#define MUSTER_MODEL_CASTING_H

#include "model/ruleset.h"

#define CASTING_ROLES 6
#define CASTING_PLAYERS 5
#define CASTING_UNKNOWN UINT32_MAX

struct casting_counts {
    uint8_t within[1 << CASTING_ROLES] __attribute__((aligned(16)));
};

struct casting {                          /* of a ruleset, at the loosest of all ages */
    struct casting_counts match;          /* most for all teams together */
    uint32_t outside[1 << CASTING_ROLES]; /* the fewest who must have a role outside the set */
    uint32_t sets;                        /* that matter: of its roles, in whole vectors */
    struct casting_counts rows[1 << CASTING_ROLES]; /* what a player of these roles adds */
    struct casting_counts teams[];
};

/* NULL: the ruleset has no roles, or more than are counted. Free with mem_free. */
struct casting *casting_new(const struct ruleset *r);

/* The ticket's players' roles in one number, CASTING_UNKNOWN: they are too many. */
uint32_t casting_pack(const struct ruleset *r, const struct ticket_spec *spec);

void casting_add(const struct casting *k, struct casting_counts *c, uint32_t packed,
                 uint32_t players);
void casting_take(const struct casting *k, struct casting_counts *c, uint32_t packed,
                  uint32_t players); /* undoes it */
bool casting_fits(const struct casting *k, const struct casting_counts *c,
                  const struct casting_counts *most);

/* Every role that one of the ticket's players plays. */
uint32_t casting_any_role(uint32_t packed, uint32_t players);
/* Share of a match's players who must have the role, at least. */
double casting_need(const struct casting *c, uint32_t role);

/* The same over everybody who waits: 32 bits, and whether a full match can be cast of them. */
struct casting_crowd {
    uint32_t within[1 << CASTING_ROLES];
    uint32_t players;
};
void casting_crowd_add(struct casting_crowd *c, uint32_t packed, uint32_t players);
void casting_crowd_take(struct casting_crowd *c, uint32_t packed, uint32_t players);
bool casting_crowd_suffices(const struct casting_crowd *c, const struct casting *casting);

/* The one role that every player of the ticket plays, and nothing else; CASTING_ROLES: none. */
uint32_t casting_only_role(uint32_t packed, uint32_t players);

#endif
