/* ruleset_eval.c - the oracle: whether a finished candidate is a legal match. */
#include "model/ruleset_judge.h"

#include "base/limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- regions ---- */

/* Sum of all players' latencies to the region; false when one has none or is above the bound.
 * `*worst`: the largest of them, where all have one. */
static bool region_sum(const struct candidate *c, struct str region, int32_t bound, int64_t *sum,
                       int32_t *worst) {
    *sum = *worst = 0;
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->tickets[t]->spec;
        for (uint32_t i = 0; i < spec->player_count; i++) {
            int32_t ms = player_latency_ms(&spec->players[i], region);
            if (ms == 0) {
                *worst = INT32_MAX;
                return false;
            }
            *sum += ms;
            if (ms > *worst) *worst = ms;
        }
    }
    return *worst <= bound;
}

/* Finds the region all accept with the smallest mean latency; the first by name among equals.
 * Returns the smallest worst latency over all common regions; INFINITY when none is common. */
static double find_region(const struct evaluation *e) {
    const struct candidate *c = e->c;
    if (c->ticket_count == 0) return INFINITY;
    const struct player *first = &c->tickets[0]->spec.players[0];
    int64_t best = INT64_MAX, players = 0;
    int32_t least = INT32_MAX;
    for (uint32_t t = 0; t < c->ticket_count; t++)
        players += c->tickets[t]->spec.player_count;
    for (uint32_t i = 0; i < first->latency_count; i++) {
        int64_t sum;
        int32_t worst;
        struct str region = first->latencies[i].region;
        bool accepted = region_sum(c, region, e->step->limits.latency_ms_max, &sum, &worst);
        if (worst < least) least = worst;
        if (!accepted || sum >= best) continue;
        best = sum;
        e->verdict->region = region;
        e->verdict->mean_latency_ms = (double)sum / (double)players;
    }
    return least == INT32_MAX ? INFINITY : least;
}

/* ---- team sizes ---- */

static bool sizes_hold(const struct evaluation *e) {
    const struct ruleset_limits *l = &e->step->limits;
    uint32_t sizes[LIMIT_TEAMS] = {0};
    for (uint32_t i = 0; i < e->c->ticket_count; i++) {
        assert(e->c->team_of[i] < l->team_count);
        sizes[e->c->team_of[i]] += e->c->tickets[i]->spec.player_count;
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

bool ruleset_judge_measured(const struct evaluation *e, double value, double bound, bool holds) {
    if (!holds) {
        e->verdict->measured = value;
        e->verdict->bound = bound;
    }
    return holds;
}

static bool texts_equal(const struct evaluation *e, const struct attribute_def *a) {
    const struct attribute *first = NULL;
    for (uint32_t t = 0; t < e->c->ticket_count; t++) {
        const struct ticket_spec *spec = &e->c->tickets[t]->spec;
        for (uint32_t i = 0; i < spec->player_count; i++) {
            const struct attribute *v = ruleset_value(&spec->players[i], a);
            if (!v) return false;
            if (!first)
                first = v;
            else if (!str_equal(first->text, v->text))
                return false;
        }
    }
    return true;
}

static bool batch_distance_holds(const struct evaluation *e, const struct rule *rule,
                                 const struct rule_bounds *b) {
    if (rule->attribute->value.kind == ATTRIBUTE_TEXT) return texts_equal(e, rule->attribute);
    double least = INFINITY, most = -INFINITY;
    for (uint32_t t = 0; t < e->c->ticket_count; t++) {
        double v;
        if (!ruleset_party_number(&e->c->tickets[t]->spec, rule->attribute, rule->party, &v)) {
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
    if (!(distance <= b->max)) return ruleset_judge_measured(e, distance, b->max, false);
    return ruleset_judge_measured(e, distance, b->min, distance >= b->min);
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

/* There must be one region acceptable to all; with several latency rules, under each bound: the
 * tightest is in the limits, and it is the one that the failure names. */
static bool latency_holds(const struct evaluation *e, const struct rule *rule,
                          const struct rule_bounds *b) {
    (void)rule;
    if (e->verdict->region.size) return true;
    double least = find_region(e);
    if (e->verdict->region.size) return true;
    bool tightest = (int32_t)b->max == e->step->limits.latency_ms_max;
    return ruleset_judge_measured(e, least, b->max, !tightest);
}

static const ruleset_judge_fn rule_holds[] = {
    [RULE_BATCH_DISTANCE] = batch_distance_holds,
    [RULE_COLLECTION] = ruleset_collection_holds,
    [RULE_COMPARISON] = comparison_holds,
    [RULE_DISTANCE] = distance_holds,
    [RULE_LATENCY] = latency_holds,
};

struct verdict ruleset_evaluate(const struct ruleset *r, const struct candidate *c,
                                struct arena *scratch) {
    struct verdict v = {.failed_rule = RULESET_NONE};
    struct evaluation e = {r, c, ruleset_step_at(r, c->age_ms), scratch, &v};
    if (!sizes_hold(&e)) return v;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        if (rule_holds[r->rules[i].kind](&e, &r->rules[i], &e.step->bounds[i])) continue;
        v.failed_rule = i;
        return v;
    }
    if (!r->has_latency) find_region(&e);
    v.legal = true;
    return v;
}
