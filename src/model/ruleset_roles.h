/* ruleset_roles.h - the roles of Muster's additions, shared by the files that judge and admit.
 *
 * In each team that has players and for which roles are given, every player has one role of those
 * he named (any where he named none), and each role has its least and most players.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_RULESET_ROLES_H
#define MUSTER_MODEL_RULESET_ROLES_H

#include "model/ruleset_judge.h"

/* Measures how many places and players are left over in all teams; the bound is 0. */
bool ruleset_roles_hold(const struct evaluation *e, const struct rule *rule,
                        const struct rule_bounds *b);

/* How many steps down their lists all players of a legal match are, together. */
uint32_t ruleset_roles_steps_down(const struct ruleset *r, const struct candidate *c,
                                  struct arena *scratch);

/* Whether the ticket's players could have places in one team at some age. INVALID_ARGUMENT with the
 * player, or the ticket, and the roles there are. */
enum err ruleset_roles_admit(const struct ruleset *r, const struct ticket_spec *spec,
                             struct err_text *why) ERR_CHECKED;

#endif
