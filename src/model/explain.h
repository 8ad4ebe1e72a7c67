/* explain.h - why a group of tickets is, or is not, a match: for people and for tests.
 *
 * Not on any hot path. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_EXPLAIN_H
#define MUSTER_MODEL_EXPLAIN_H

#include "model/ruleset.h"

/* The age at `now_ms` of a candidate whose tickets were created then, by the ruleset's choice of
 * the newest or the oldest. 0 for no tickets. */
int64_t explain_age_ms(const struct ruleset *r, const int64_t *created_ms, uint32_t count,
                       int64_t now_ms);

/* Puts the candidate's tickets into teams, as a search would: the evenest split that is legal, else
 * the evenest; `team_of`: room for all tickets. False when the tickets do not fit the teams. */
bool explain_place(const struct ruleset *r, struct candidate *c, uint32_t *team_of,
                   struct arena *scratch);

/* Appends the verdict, each team's size and each rule as a line of text. */
void explain_text(const struct ruleset *r, const struct candidate *c, struct strbuf *out);

#endif
