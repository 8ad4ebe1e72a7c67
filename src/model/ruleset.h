/* ruleset.h - a queue's rules, compiled: which groups of tickets are legal matches.
 *
 * A ruleset is FlexMatch's rule language (RULESETS.md is the manual). wire/ruleset_json.h builds
 * one from JSON; here it is data and pure functions: admit a ticket, evaluate a candidate match,
 * and what a search needs to find candidates: team sizes, the key attribute's spread, the
 * partition of string equalities, the latency bound, and when the next expansion comes.
 * `ruleset_evaluate` is the oracle: it alone decides legality.
 *
 * Memory: a ruleset owns all it points to; immutable once built, so it may be read by many threads.
 */
#ifndef MUSTER_MODEL_RULESET_H
#define MUSTER_MODEL_RULESET_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/ticket.h"

struct ruleset; /* fields in ruleset_def.h, for the builder and the evaluator only */

struct ruleset_team {
    struct str name;                   /* generated names for a quantity: "trio_1" .. "trio_n" */
    uint32_t players_min, players_max; /* at the asked age */
};

/* The rules' numbers at one age: what expansions have made of them. */
struct ruleset_limits {
    const struct ruleset_team *teams; /* team_count of them, in definition order */
    uint32_t team_count;
    uint32_t players_min, players_max; /* sums over the teams */
    double key_spread_max;  /* bound on max - min of ruleset_key over the tickets; INFINITY: none */
    int32_t latency_ms_max; /* INT32_MAX: no latency rule */
};

void ruleset_free(struct ruleset *r); /* NULL is fine */

/* The limits for an age (see ruleset_age); cached per expansion step, so O(log steps) and the
 * result lives as long as the ruleset. age_ms >= 0. */
const struct ruleset_limits *ruleset_limits_at(const struct ruleset *r, int64_t age_ms);

/* The smallest age above `age_ms` at which a limit changes; INT64_MAX when none does. */
int64_t ruleset_next_step_ms(const struct ruleset *r, int64_t age_ms);

/* Whether the newest ticket's age selects the expansion step (FlexMatch's default), else the
 * oldest's. */
bool ruleset_age_is_newest(const struct ruleset *r);

/* Whether the ticket can ever be matched here: declared attributes have the right type, none
 * without a default is missing, latencies are given when a latency rule wants them, and some team
 * can hold it. INVALID_ARGUMENT with the player and what is allowed otherwise. */
enum err ruleset_admit(const struct ruleset *r, const struct ticket_spec *spec,
                       struct err_text *why) ERR_CHECKED;

/* Whether there is a key: the number attribute of the tightest batchDistance rule (or of a
 * distance rule that bounds every pair), by which a search may order its tickets. */
bool ruleset_has_key(const struct ruleset *r);
/* The ticket's key: the attribute over its players by the rule's partyAggregation (average). With
 * no key, 0. The spec was admitted. */
double ruleset_key(const struct ruleset *r, const struct ticket_spec *spec);
/* One player's value of what teams are made even in: the algorithm's balancedAttribute, else the
 * key attribute (his own value or the default); 0 with neither. */
double ruleset_player_key(const struct ruleset *r, const struct player *p);
/* Whether those of a ticket's players are its key times their number, but for rounding. */
bool ruleset_key_adds_up(const struct ruleset *r);

#define RULESET_SORTS_MAX 8

/* How many numbers rank a candidate (sort rules and batching preferences) at any age,
 * 0..RULESET_SORTS_MAX. 0: candidates are tried by age alone. */
uint32_t ruleset_rank_size(const struct ruleset *r);
/* The ticket's rank as a candidate in a search around `anchor`, which is `age_ms` old: the numbers,
 * first to last, say who is tried first, smaller before larger; equal ranks go by age. Never NaN.
 * Both were admitted. */
void ruleset_rank(const struct ruleset *r, int64_t age_ms, const struct ticket_spec *anchor,
                  const struct ticket_spec *spec, double *out);

enum ruleset_backfill { BACKFILL_NORMAL, BACKFILL_HIGH, BACKFILL_LOW };

/* Whether backfill is tried before (HIGH), after (LOW) or among the tickets (NORMAL) in a search
 * around a ticket of that age. */
enum ruleset_backfill ruleset_backfill_priority(const struct ruleset *r, int64_t age_ms);

#define RULESET_EXPANSIONS_COUNTED 64 /* further ones are not told of */

struct ruleset_expansion {
    struct str target; /* "rules[FairSkill].maxDistance" */
    int64_t from_ms;   /* the age of its first step */
};
uint32_t ruleset_expansion_count(const struct ruleset *r); /* 0..RULESET_EXPANSIONS_COUNTED */
struct ruleset_expansion ruleset_expansion(const struct ruleset *r, uint32_t index);

/* Hash of the values that string-equality rules demand to be the same within a match: tickets of
 * different partitions are never legal together. 0 when there is no such rule. */
uint64_t ruleset_partition(const struct ruleset *r, const struct ticket_spec *spec);

/* A group of tickets put into teams. */
struct candidate {
    const struct ticket_spec *specs;
    const uint32_t *team_of; /* per ticket: index into ruleset_limits.teams */
    uint32_t ticket_count;
    int64_t age_ms; /* of the ticket that selects the expansion step */
};

#define RULESET_NONE UINT32_MAX

struct verdict {
    bool legal;
    struct str region;      /* best one all accept; empty without latencies. A spec's text */
    double mean_latency_ms; /* over players, in that region */
    uint32_t failed_rule;   /* the first that failed; RULESET_NONE: a team size, or legal. Avoid
                             * lists and roles are rules, too: "muster.avoid", "muster.roles" */
    double measured, bound; /* of the failed rule, where they are numbers */
};

/* Evaluates every rule and all team minima and maxima over the finished candidate.
 * Pure, total, no allocation that outlives it; `scratch` is used and not reset. */
struct verdict ruleset_evaluate(const struct ruleset *r, const struct candidate *c,
                                struct arena *scratch);

enum rule_outcome { RULE_HOLDS, RULE_FAILS, RULE_ORDERS /* a sort */ };

/* One rule by itself, for people. */
struct rule_report {
    struct str name;
    const char *type; /* "batchDistance"; static */
    bool governed;    /* a compound names it: it need not hold by itself */
    bool has_numbers; /* measured and bound: of the failing value, else of the nearest to failing */
    enum rule_outcome outcome;
    double measured, bound; /* measured INFINITY: there is nothing to measure */
};

/* As ruleset_evaluate, and judges every rule by itself into `reports`, ruleset_rule_count of room:
 * where team sizes fail too, and in the verdict's region or, where the match is not legal, in the
 * common region in which the fewest rules fail. */
struct verdict ruleset_explain(const struct ruleset *r, const struct candidate *c,
                               struct rule_report *reports, struct arena *scratch);

/* What a rule can be judged on: where two tickets of a scope fail it together, every match that
 * holds both fails it at that age. */
enum rule_scope { RULE_OF_MATCHES, RULE_OF_SOLO_PAIRS, RULE_OF_PAIRS };
enum rule_scope ruleset_rule_scope(const struct ruleset *r, uint32_t index);
/* Judges tickets that are less than a match by the rules from `least` scope on; the others are not
 * judged and hold. RULE_OF_SOLO_PAIRS: they are two solo tickets. */
void ruleset_explain_part(const struct ruleset *r, const struct candidate *c, enum rule_scope least,
                          struct rule_report *reports, struct arena *scratch);

/* ---- Muster's additions: what is a matter of taste, not of legality ---- */

/* What a legal match costs beyond its numbers, >= 0, in quality.h's points (100: the whole spread
 * that the rules allow at age 0): second-choice roles, recent opponents and the rules' weights.
 * `region`: the match's, of its verdict. 0 where ruleset_has_soft_cost is false. */
double ruleset_soft_cost(const struct ruleset *r, const struct candidate *c, struct str region,
                         struct arena *scratch);
bool ruleset_has_soft_cost(const struct ruleset *r);

/* The role of each player, in the order of tickets and of players in them, into `roles`: the
 * assignment that honours preferences best. Empty where a player has none: without roles, or where
 * the match is not legal. The texts are the ruleset's. */
void ruleset_assign_roles(const struct ruleset *r, const struct candidate *c, struct str *roles,
                          struct arena *scratch);
bool ruleset_has_roles(const struct ruleset *r);
/* The attribute that lists a player's roles; empty: there are none. The ruleset's. */
struct str ruleset_roles_attribute(const struct ruleset *r);

#define RULESET_ROLES_MAX 16 /* refused */

uint32_t ruleset_role_count(const struct ruleset *r);
/* The roles that the player plays, a bit each; all where he names none. */
uint32_t ruleset_roles_of(const struct ruleset *r, const struct player *p);

struct ruleset_places { /* of one team, at the loosest of all ages */
    uint32_t players;   /* most */
    uint32_t most[RULESET_ROLES_MAX], least[RULESET_ROLES_MAX]; /* players by role */
};

/* A team without roles has places for everybody in each; one that may be empty needs nobody. */
struct ruleset_places ruleset_places_of(const struct ruleset *r, uint32_t team);

struct ruleset_role_need {
    struct str name;
    uint32_t players_min, players_max; /* over all teams */
};
/* What a match needs of the role at that age. */
struct ruleset_role_need ruleset_role_need(const struct ruleset *r, int64_t age_ms, uint32_t role);

/* Whether an avoid list forbids the two tickets to be in one match. */
bool ruleset_keeps_apart(const struct ruleset *r, const struct ticket_spec *a,
                         const struct ticket_spec *b);
/* Whether there are such lists. */
bool ruleset_avoids(const struct ruleset *r);
/* A bit for each of the ticket's players in `*own`, and for each that one of them avoids in
 * `*avoided`: only tickets of which one's `own` meets the other's `avoided` can be kept apart. */
void ruleset_avoid_marks(const struct ruleset *r, const struct ticket_spec *spec, uint64_t *own,
                         uint64_t *avoided);

/* Whether the queue plays in that region; true where it lists none. */
bool ruleset_plays_in(const struct ruleset *r, struct str region);

uint32_t ruleset_rule_count(const struct ruleset *r);
struct str ruleset_rule_name(const struct ruleset *r, uint32_t index);

/* Whether the rule wants a text equal in a match, so that it divides the queue: ruleset_partition.
 */
bool ruleset_rule_divides(const struct ruleset *r, uint32_t index);
/* The attribute that a batchDistance rule is about; empty for any other. */
struct str ruleset_rule_attribute(const struct ruleset *r, uint32_t index);

#define RULESET_NUMBERS_MAX 4

struct ruleset_number { /* that a rule compares with, and what expansions make of it */
    const char *name;   /* "maxDistance"; static */
    double now, next;
    int64_t next_ms; /* the age at which it becomes `next`; INT64_MAX: it stays */
};

/* The rule's numbers at an age into `out`, RULESET_NUMBERS_MAX of room; returns how many. Bounds
 * that do not bind, now or next, are left out. */
uint32_t ruleset_numbers(const struct ruleset *r, uint32_t index, int64_t age_ms,
                         struct ruleset_number *out);

/* What the rules mean, in plain words, a line each ("two teams of 5; skill within 100, after 30 s
 * within 200"). Appends to `out`. */
void ruleset_describe(const struct ruleset *r, struct strbuf *out);

/* Why the search's groups do not know the rule, so that only ruleset_evaluate judges it: it costs
 * tries. NULL: they do, or it refuses nobody. Static. */
const char *ruleset_residual_reason(const struct ruleset *r, uint32_t index);
/* Which path a search takes, and why, in one line. Appends to `out`. */
void ruleset_describe_search(const struct ruleset *r, struct strbuf *out);

#endif
