/* ruleset_eval.c - the oracle: whether a finished candidate is a legal match. */
#include "model/ruleset_meet.h"
#include "model/ruleset_roles.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- team sizes ---- */

static bool sizes_hold(const struct evaluation *e) {
    const struct ruleset_limits *l = &e->step->limits;
    MEM_UNCLEARED uint32_t sizes[LIMIT_TEAMS];
    memset(sizes, 0, l->team_count * sizeof *sizes);
    for (uint32_t i = 0; i < e->c->ticket_count; i++) {
        assert(e->c->team_of[i] < l->team_count);
        sizes[e->c->team_of[i]] += e->c->specs[i].player_count;
    }
    for (uint32_t t = 0; t < l->team_count; t++) {
        const struct ruleset_team *team = &l->teams[t];
        if (sizes[t] >= team->players_min && sizes[t] <= team->players_max) continue;
        e->verdict->measured = sizes[t];
        e->verdict->bound = sizes[t] < team->players_min ? team->players_min : team->players_max;
        return false;
    }
    return e->c->ticket_count > 0;
}

/* ---- rules: each returns whether it holds, and leaves what it measured in the verdict ---- */

/* Of what holds, the one nearest to its bound is told. */
static void report_measured(struct rule_report *report, double value, double bound, bool holds) {
    bool bounded = isfinite(bound);
    bool nearer =
        !report->has_numbers || fabs(value - bound) < fabs(report->measured - report->bound);
    if (holds && !(bounded && nearer)) return;
    report->has_numbers = true;
    report->measured = value;
    report->bound = bound;
}

bool ruleset_judge_measured(const struct evaluation *e, double value, double bound, bool holds) {
    if (e->report) report_measured(e->report, value, bound, holds);
    if (!holds) {
        e->verdict->measured = value;
        e->verdict->bound = bound;
    }
    return holds;
}

/* How many different texts the players have. */
static uint32_t count_texts(const struct evaluation *e, const struct attribute_def *a) {
    struct str *seen = NULL;
    uint32_t count = 0, players = 0;
    for (uint32_t t = 0; t < e->c->ticket_count; t++)
        players += e->c->specs[t].player_count;
    seen = arena_alloc(e->scratch, (players + 1) * sizeof *seen);
    for (uint32_t t = 0; t < e->c->ticket_count; t++) {
        const struct ticket_spec *spec = &e->c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++) {
            const struct attribute *v = ruleset_value(&spec->players[i], a);
            uint32_t k = 0;
            while (v && k < count && !str_equal(seen[k], v->text))
                k++;
            if (k == count) seen[count++] = v ? v->text : STR_EMPTY;
        }
    }
    return count;
}

static bool batch_distance_holds(const struct evaluation *e, const struct rule *rule,
                                 const struct rule_bounds *b) {
    if (rule->attribute->value.kind == ATTRIBUTE_TEXT) {
        uint32_t texts = count_texts(e, rule->attribute);
        double distance = texts > 0 ? texts - 1 : 0;
        if (b->max < 1) return distance == 0; /* just the same: no numbers to tell */
        return ruleset_judge_measured(e, distance, b->max, distance <= b->max);
    }
    double least = INFINITY, most = -INFINITY;
    for (uint32_t t = 0; t < e->c->ticket_count; t++) {
        double v;
        if (!ruleset_party_number(&e->c->specs[t], rule->attribute, rule->party, &v)) {
            return ruleset_judge_measured(e, INFINITY, b->max, false);
        }
        least = fmin(least, v);
        most = fmax(most, v);
    }
    double spread = most - least;
    return ruleset_judge_measured(e, spread, b->max, spread <= b->max);
}

struct judge_reference ruleset_judge_reference(const struct expr_context *x,
                                               const struct rule *rule,
                                               const struct rule_bounds *b) {
    struct judge_reference ref = {.given = rule->has_reference, .present = true};
    if (!ref.given) return ref;
    ref.value.number = b->reference;
    if (b->expression) {
        ref.present = ruleset_value_of(x, b->expression, &ref.value);
        ref.is_text = b->expression->base == EXPR_OF_TEXTS;
    }
    return ref;
}

static bool compare_number(enum comparison_operation op, double a, double b) {
    switch (op) {
    case OP_EQUAL:
        return a == b;
    case OP_UNEQUAL:
        return a < b || a > b; /* a != b would hold for what is no number, after an overflow */
    case OP_LESS:
        return a < b;
    case OP_AT_MOST:
        return a <= b;
    case OP_MORE:
        return a > b;
    case OP_AT_LEAST:
        return a >= b;
    }
    return false;
}

static bool matches_reference(const struct evaluation *e, const struct rule *rule,
                              const struct expr_value *v, const struct judge_reference *ref) {
    if (ref->is_text) return str_equal(v->text, ref->value.text) == (rule->operation == OP_EQUAL);
    bool holds = compare_number(rule->operation, v->number, ref->value.number);
    return ruleset_judge_measured(e, v->number, ref->value.number, holds);
}

/* Without a reference: all values equal, or all pairwise different. Sorted, neighbours decide. */
static bool values_agree(const struct evaluation *e, enum comparison_operation op,
                         const struct expr_value *values, uint32_t count) {
    if (count < 2) return true;
    struct expr_value *sorted = arena_alloc(e->scratch, count * sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ruleset_value_compare);
    for (uint32_t i = 1; i < count; i++) {
        bool equal = ruleset_value_compare(&sorted[i - 1], &sorted[i]) == 0;
        if (equal != (op == OP_EQUAL)) {
            return ruleset_judge_measured(e, sorted[i].number, sorted[i - 1].number, false);
        }
    }
    return true;
}

typedef bool (*values_hold_fn)(const struct evaluation *e, const struct rule *rule,
                               const struct rule_bounds *b, const struct expr_value *v,
                               const struct judge_reference *ref);

static bool distance_holds_for(const struct evaluation *e, const struct rule *rule,
                               const struct rule_bounds *b, const struct expr_value *v,
                               const struct judge_reference *ref) {
    (void)rule;
    double distance = fabs(v->number - ref->value.number);
    return ruleset_judge_measured(e, distance, b->max, distance <= b->max) &&
           ruleset_judge_measured(e, distance, b->min, distance >= b->min);
}

static bool comparison_holds_for(const struct evaluation *e, const struct rule *rule,
                                 const struct rule_bounds *b, const struct expr_value *v,
                                 const struct judge_reference *ref) {
    (void)b;
    return matches_reference(e, rule, v, ref);
}

/* Every single value of every measurement must hold; what is absent is skipped. */
static bool measurements_hold(const struct evaluation *e, const struct rule *rule,
                              const struct rule_bounds *b, values_hold_fn holds) {
    struct expr_context x = {e->r, e->c, rule->party, e->scratch};
    struct judge_reference ref = ruleset_judge_reference(&x, rule, b);
    if (!ref.present) return true;
    for (uint32_t m = 0; m < rule->measurement_count; m++) {
        struct expr_value v;
        if (!ruleset_value_of(&x, rule->measurements[m], &v)) continue;
        uint32_t count;
        const struct expr_value *leaves =
            ruleset_value_leaves(&x, rule->measurements[m], &v, &count);
        if (!ref.given && !values_agree(e, rule->operation, leaves, count)) return false;
        for (uint32_t i = 0; ref.given && i < count; i++) {
            if (!holds(e, rule, b, &leaves[i], &ref)) return false;
        }
    }
    return true;
}

static bool comparison_holds(const struct evaluation *e, const struct rule *rule,
                             const struct rule_bounds *b) {
    return measurements_hold(e, rule, b, comparison_holds_for);
}

static bool distance_holds(const struct evaluation *e, const struct rule *rule,
                           const struct rule_bounds *b) {
    return measurements_hold(e, rule, b, distance_holds_for);
}

/* Notes the farthest value, so that a strain does not depend on who comes first. */
static bool note_farthest(const struct evaluation *e, const struct rule *rule,
                          const struct rule_bounds *b, const struct expr_value *v,
                          const struct judge_reference *ref) {
    (void)rule;
    double distance = fabs(v->number - ref->value.number);
    bool farther = !e->report->has_numbers || !(distance <= e->report->measured);
    if (farther) e->report->measured = distance;
    e->report->has_numbers = true;
    e->report->bound = b->max;
    return true;
}

void ruleset_farthest(const struct evaluation *e, const struct rule *rule,
                      const struct rule_bounds *b) {
    (void)measurements_hold(e, rule, b, note_farthest);
}

/* ---- compounds ---- */

static bool compound_holds(const struct evaluation *e, const struct rule *rule,
                           const struct rule_bounds *b);

/* Sorts order candidates; they refuse none. */
static bool sort_holds(const struct evaluation *e, const struct rule *rule,
                       const struct rule_bounds *b) {
    (void)e, (void)rule, (void)b;
    return true;
}

static const ruleset_judge_fn rule_holds[] = {
    [RULE_ABSOLUTE_SORT] = sort_holds,
    [RULE_BATCH_DISTANCE] = batch_distance_holds,
    [RULE_COLLECTION] = ruleset_collection_holds,
    [RULE_COMPARISON] = comparison_holds,
    [RULE_COMPOUND] = compound_holds,
    [RULE_DISTANCE] = distance_holds,
    [RULE_DISTANCE_SORT] = sort_holds,
    [RULE_LATENCY] = ruleset_region_holds,
    [RULE_ROLES] = ruleset_roles_hold,
    [RULE_AVOID] = ruleset_avoid_holds,
};

bool ruleset_rule_holds(const struct evaluation *e, uint32_t rule) {
    return rule_holds[e->r->rules[rule].kind](e, &e->r->rules[rule], &e->step->bounds[rule]);
}

static bool term_holds(const struct evaluation *e, const struct ruleset_term *t) {
    if (t->function == TERM_RULE) return ruleset_rule_holds(e, t->rule);
    uint32_t held = 0;
    for (uint32_t i = 0; i < t->count; i++)
        held += term_holds(e, t->of[i]);
    switch (t->function) {
    case TERM_AND:
        return held == t->count;
    case TERM_OR:
        return held > 0;
    case TERM_XOR:
        return held == 1; /* of more than two: exactly one */
    default:
        return held == 0;
    }
}

static bool compound_holds(const struct evaluation *e, const struct rule *rule,
                           const struct rule_bounds *b) {
    (void)b;
    bool whole = term_holds(e, rule->term);
    e->verdict->measured = e->verdict->bound = 0; /* not what one of its rules measured */
    return whole;
}

/* ---- all rules ---- */

/* The first rule that must hold in a region and does not, in the one of the evaluation. */
static uint32_t first_failing_there(const struct evaluation *e) {
    for (uint32_t i = 0; i < e->r->rule_count; i++) {
        const struct rule *rule = &e->r->rules[i];
        if (rule->by_region && !rule->governed && !ruleset_rule_holds(e, i)) return i;
    }
    return RULESET_NONE;
}

/* The region of smallest mean that was not tried, the first by name among equals. */
static struct judge_region take_best(struct judge_region *regions, uint32_t *count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < *count; i++) {
        if (regions[i].sum_ms < regions[best].sum_ms) best = i;
    }
    struct judge_region taken = regions[best];
    --*count;
    for (uint32_t i = best; i < *count; i++)
        regions[i] = regions[i + 1];
    return taken;
}

/* One region must suit all rules that ask for one. Returns RULESET_NONE where one does (or where
 * the rules hold without), else the rule that was nearest to holding. */
static uint32_t judge_regions(struct evaluation *e) {
    MEM_UNCLEARED struct judge_region common[LIMIT_REGIONS];
    struct judge_region region;
    uint32_t count = ruleset_region_common(e->r, e->c, common), failed = RULESET_NONE;
    double lack = INFINITY;
    struct verdict nearest;
    if (count == 0) return first_failing_there(e);
    while (count > 0) {
        region = take_best(common, &count);
        e->region = &region;
        uint32_t rule = first_failing_there(e);
        e->region = NULL;
        if (rule == RULESET_NONE) {
            e->verdict->region = region.name;
            e->verdict->mean_latency_ms = (double)region.sum_ms / region.players;
            e->verdict->measured = e->verdict->bound = 0;
            return RULESET_NONE;
        }
        double excess = e->verdict->measured - e->verdict->bound;
        if (failed != RULESET_NONE && !(excess < lack)) continue;
        lack = excess;
        nearest = *e->verdict;
        failed = rule;
    }
    *e->verdict = nearest; /* at least one region failed */
    return failed;
}

/* The first rule that must hold and does not; RULESET_NONE: all hold. */
static uint32_t judge_rules(struct evaluation *e) {
    bool regions_judged = false;
    for (uint32_t i = 0; i < e->r->rule_count; i++) {
        const struct rule *rule = &e->r->rules[i];
        if (rule->governed || (rule->by_region && regions_judged)) continue;
        if (!rule->by_region) {
            if (!ruleset_rule_holds(e, i)) return i;
            e->verdict->measured = e->verdict->bound = 0; /* of a compound's failing parts */
            continue;
        }
        regions_judged = true;
        uint32_t failed = judge_regions(e);
        if (failed != RULESET_NONE) return failed;
    }
    return regions_judged ? RULESET_NONE : judge_regions(e);
}

struct verdict ruleset_evaluate(const struct ruleset *r, const struct candidate *c,
                                struct arena *scratch) {
    struct verdict v = {0};
    struct evaluation e = {r, c, ruleset_step_at(r, c->age_ms), scratch, &v, NULL, NULL};
    v.failed_rule = RULESET_NONE;
    if (!sizes_hold(&e)) return v;
    v.failed_rule = judge_rules(&e);
    v.legal = v.failed_rule == RULESET_NONE;
    return v;
}

/* ---- every rule by itself ---- */

/* The region to explain in: the verdict's, else the one where the fewest rules of the scope fail.
 */
static bool find_explained(struct evaluation *e, enum rule_scope least_scope,
                           struct judge_region *out) {
    MEM_UNCLEARED struct judge_region common[LIMIT_REGIONS];
    struct judge_region region;
    uint32_t count = ruleset_region_common(e->r, e->c, common), least = UINT32_MAX;
    struct str chosen = e->verdict->region;
    struct verdict ignored;
    struct evaluation there = *e;
    there.verdict = &ignored;
    there.region = &region;
    while (count > 0) {
        region = take_best(common, &count);
        uint32_t failing = 0;
        for (uint32_t i = 0; i < e->r->rule_count; i++) {
            bool counts = e->r->rules[i].by_region && !e->r->rules[i].governed &&
                          ruleset_rule_scope(e->r, i) >= least_scope;
            failing += counts && !ruleset_rule_holds(&there, i);
        }
        bool better = chosen.size ? str_equal(region.name, chosen) : failing < least;
        if (!better) continue;
        least = failing;
        *out = region;
    }
    return least != UINT32_MAX;
}

static void explain_rule(struct evaluation *e, uint32_t index, bool judged,
                         struct rule_report *report) {
    const struct rule *rule = &e->r->rules[index];
    bool is_sort = rule->kind == RULE_ABSOLUTE_SORT || rule->kind == RULE_DISTANCE_SORT;
    *report = (struct rule_report){
        .name = rule->name, .type = ruleset_kind_name(rule->kind), .governed = rule->governed};
    e->report = rule->kind == RULE_COMPOUND ? NULL : report; /* its rules report for themselves */
    bool held = !judged || ruleset_rule_holds(e, index);
    report->outcome = is_sort ? RULE_ORDERS : held ? RULE_HOLDS : RULE_FAILS;
}

static void explain_all(struct evaluation *e, enum rule_scope least_scope,
                        struct rule_report *reports) {
    struct judge_region region;
    if (find_explained(e, least_scope, &region)) e->region = &region;
    for (uint32_t i = 0; i < e->r->rule_count; i++)
        explain_rule(e, i, ruleset_rule_scope(e->r, i) >= least_scope, &reports[i]);
    e->region = NULL;
}

struct verdict ruleset_explain(const struct ruleset *r, const struct candidate *c,
                               struct rule_report *reports, struct arena *scratch) {
    struct verdict v = ruleset_evaluate(r, c, scratch), ignored = v;
    struct evaluation e = {r, c, ruleset_step_at(r, c->age_ms), scratch, &ignored, NULL, NULL};
    explain_all(&e, RULE_OF_MATCHES, reports);
    return v;
}

void ruleset_explain_part(const struct ruleset *r, const struct candidate *c, enum rule_scope least,
                          struct rule_report *reports, struct arena *scratch) {
    struct verdict ignored = {0};
    struct evaluation e = {r, c, ruleset_step_at(r, c->age_ms), scratch, &ignored, NULL, NULL};
    explain_all(&e, least, reports);
}
