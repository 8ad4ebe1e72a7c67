/* ruleset_warn.c - notes on rules that are well-formed and yet can hold for no match. */
#include "model/ruleset_expr.h"

#include <math.h>

struct range {
    double low, high;
};

/* What `count(teams[x].players)` or `count(players)` can be at that step; false for all else. */
static bool count_range(const struct ruleset_expr *e, const struct ruleset_step *step,
                        struct range *out) {
    if (e->kind != EXPR_AGGREGATE || e->aggregate.function != AGGREGATE_COUNT) return false;
    const struct ruleset_expr *of = e->aggregate.of;
    if (of->kind != EXPR_PATH || of->path.attribute || of->path.by_team) return false;
    if (of->path.team_count == 1) {
        const struct ruleset_team *team = &step->teams[of->path.teams[0]];
        *out = (struct range){team->players_min, team->players_max};
        return true;
    }
    *out = (struct range){step->limits.players_min, step->limits.players_max};
    return of->path.every_team;
}

static bool may_compare(enum comparison_operation op, struct range r, double reference) {
    switch (op) {
    case OP_EQUAL:
        return r.low <= reference && reference <= r.high && reference == floor(reference);
    case OP_UNEQUAL:
        return r.low != r.high || r.low != reference;
    case OP_LESS:
        return r.low < reference;
    case OP_AT_MOST:
        return r.low <= reference;
    case OP_MORE:
        return r.high > reference;
    case OP_AT_LEAST:
        return r.high >= reference;
    }
    return true;
}

/* False only where the rule cannot hold for any match at that step. */
static bool may_hold(const struct ruleset_step *step, const struct rule *rule,
                     const struct rule_bounds *b) {
    if (rule->kind == RULE_COLLECTION) {
        const struct ruleset_expr *list = b->expression;
        if (rule->collection == OP_CONTAINS) return b->min <= step->limits.players_max;
        return !list || list->kind != EXPR_LIST || b->min <= list->list.count;
    }
    if (rule->kind != RULE_COMPARISON || !rule->has_reference || b->expression) return true;
    for (uint32_t i = 0; i < rule->measurement_count; i++) {
        struct range r;
        if (!count_range(rule->measurements[i], step, &r)) continue;
        if (!may_compare(rule->operation, r, b->reference)) return false;
    }
    return true;
}

void ruleset_warn(const struct ruleset *r, struct strbuf *notes) {
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule *rule = &r->rules[i];
        bool ever = rule->governed; /* a compound may want that it fails */
        for (uint32_t s = 0; s < r->step_count && !ever; s++)
            ever = may_hold(&r->steps[s], rule, &r->steps[s].bounds[i]);
        if (ever) continue;
        strbuf_printf(notes,
                      "rules[%u] \"%.*s\" can hold for no match of these teams, at any age\n", i,
                      STR_PRINT(rule->name));
    }
}
