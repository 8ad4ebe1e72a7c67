/* quality.h - how good a match is, in numbers for people.
 *
 *     cost    = (2 * mean |s_i - mean(s)| + team_gap) * 100 / base
 *     quality = 100 * exp(-cost / 200)                       in 0..100
 *
 * s_i are the players' values of the ruleset's key attribute; base is the key spread the rules
 * allow at age 0, so that the unit of the attribute does not matter (100 where they allow any, or
 * none). A 1v1 at the very bound of age 0 has 100/e = 37; without a key every match has 100.
 * Source: the fairness and closeness cost of the patience-credit matcher, in rating points.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_QUALITY_H
#define MUSTER_MODEL_QUALITY_H

#include "model/ruleset.h"

struct quality {
    double score;    /* 0..100 */
    double spread;   /* largest minus smallest key of a player; 0 without a key */
    double team_gap; /* largest minus smallest mean key of a team with players */
};

/* The candidate is complete: every ticket has a team. O(players + teams). */
struct quality quality_measure(const struct ruleset *r, const struct candidate *c);

#endif
