/* ruleset_meet.h - who lists whom: avoid lists and recent opponents.
 *
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_RULESET_MEET_H
#define MUSTER_MODEL_RULESET_MEET_H

#include "model/ruleset_judge.h"

enum meet_where { MEET_ANYWHERE, MEET_IN_TEAM, MEET_AS_OPPONENTS };

struct meet_question {
    const struct attribute_def *attribute; /* a string_list of player ids */
    enum meet_where where;
};

/* How many pairs of the candidate's players are such that one lists the other and both meet there.
 * O(players + listed ids). */
uint32_t ruleset_meet_pairs(const struct meet_question *q, const struct candidate *c,
                            struct arena *scratch);

/* Measures the pairs that an avoid list keeps apart; the bound is 0. */
bool ruleset_avoid_holds(const struct evaluation *e, const struct rule *rule,
                         const struct rule_bounds *b);

/* INVALID_ARGUMENT when a player of the ticket avoids another of it. */
enum err ruleset_avoid_admit(const struct ruleset *r, const struct ticket_spec *spec,
                             struct err_text *why) ERR_CHECKED;

#endif
