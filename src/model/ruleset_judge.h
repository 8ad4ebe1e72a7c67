/* ruleset_judge.h - one evaluation of a candidate, shared by the files that judge rules.
 *
 * Each `..._holds` says whether a rule holds at the evaluation's age, and leaves what it measured
 * in the verdict where it does not. Pure; allocates in scratch only.
 */
#ifndef MUSTER_MODEL_RULESET_JUDGE_H
#define MUSTER_MODEL_RULESET_JUDGE_H

#include "model/ruleset_expr.h"

/* A region that every player of the candidate has a latency to. */
struct judge_region {
    struct str name;
    int64_t sum_ms; /* over players */
    int32_t worst_ms;
    uint32_t players;
};

struct evaluation {
    const struct ruleset *r;
    const struct candidate *c;
    const struct ruleset_step *step;
    struct arena *scratch;
    struct verdict *verdict;
    struct rule_report *report;        /* keeps what holds, too; NULL: nobody asks */
    const struct judge_region *region; /* where latency rules are judged; NULL: none is common */
};

/* What a rule compares with. */
struct judge_reference {
    bool given, present, is_text;
    struct expr_value value;
};

typedef bool (*ruleset_judge_fn)(const struct evaluation *e, const struct rule *rule,
                                 const struct rule_bounds *b);

/* Returns `holds`; where false, `value` and `bound` go into the verdict, and always into a report.
 */
bool ruleset_judge_measured(const struct evaluation *e, double value, double bound, bool holds);
struct judge_reference ruleset_judge_reference(const struct expr_context *x,
                                               const struct rule *rule,
                                               const struct rule_bounds *b);

bool ruleset_collection_holds(const struct evaluation *e, const struct rule *rule,
                              const struct rule_bounds *b); /* ruleset_collection.c */

/* Rule `rule` at the evaluation's step, in its region where it asks for one (ruleset_eval.c). */
bool ruleset_rule_holds(const struct evaluation *e, uint32_t rule);

/* Of a distance rule: the farthest value and maxDistance into the evaluation's report, where there
 * is a value. */
void ruleset_farthest(const struct evaluation *e, const struct rule *rule,
                      const struct rule_bounds *b);

/* The common regions that the queue plays in by name into `out`, LIMIT_REGIONS of room; returns how
 * many. */
uint32_t ruleset_region_common(const struct ruleset *r, const struct candidate *c,
                               struct judge_region *out);
/* A latency rule in the evaluation's region (ruleset_region.c). */
bool ruleset_region_holds(const struct evaluation *e, const struct rule *rule,
                          const struct rule_bounds *b);

#endif
