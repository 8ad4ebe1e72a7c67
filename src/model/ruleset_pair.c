/* ruleset_pair.c - which rules two tickets alone can fail for good.
 *
 * Those that ask of all players of a match alike, and that more tickets cannot mend:
 *   batchDistance: the spread only grows, unequal texts stay unequal
 *   latency: regions in common only become fewer, the worst latency only grows
 *   distance of each player's value from a number, or from the least or greatest of all; from the
 *   mean of all for solo tickets: of two too far from their middle, one is too far from any mean
 *   comparison of each player's value with a constant, or of all with each other
 *   what all lists share, with minCount, only becomes less; what lists contain, or share with all
 *   players, with maxCount, only becomes more; with a constant each list is judged by itself
 *   avoid lists that keep players out of one match
 *   compounds of such rules by `and` and `or`
 */
#include "model/ruleset_expr.h"

/* Each player's own value, of every team. */
static bool is_of_all(const struct ruleset_expr *e) {
    if (e->kind == EXPR_AGGREGATE && e->aggregate.function == AGGREGATE_FLATTEN) {
        e = e->aggregate.of;
    }
    return e->kind == EXPR_PATH && e->path.every_team;
}

static bool measures_all(const struct rule *rule) {
    for (uint32_t i = 0; i < rule->measurement_count; i++) {
        if (!is_of_all(rule->measurements[i])) return false;
    }
    return true;
}

static bool is_constant(const struct ruleset_expr *e) {
    return !e || e->kind == EXPR_NUMBER || e->kind == EXPR_TEXT || e->kind == EXPR_LIST;
}

/* Of a distance from a reference over all players. */
static enum rule_scope scope_of_aggregate(const struct ruleset_expr *e) {
    if (e->kind != EXPR_AGGREGATE || !is_of_all(e->aggregate.of)) return RULE_OF_MATCHES;
    switch (e->aggregate.function) {
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
        return RULE_OF_PAIRS;
    case AGGREGATE_AVG:
    case AGGREGATE_MEDIAN:
        return RULE_OF_SOLO_PAIRS;
    default:
        return RULE_OF_MATCHES;
    }
}

static enum rule_scope distance_scope(const struct rule *rule) {
    if (!measures_all(rule)) return RULE_OF_MATCHES;
    if (is_constant(rule->reference)) return RULE_OF_PAIRS;
    return rule->has_min ? RULE_OF_MATCHES : scope_of_aggregate(rule->reference);
}

static enum rule_scope comparison_scope(const struct rule *rule) {
    bool of_each = !rule->has_reference || is_constant(rule->reference);
    return of_each && measures_all(rule) ? RULE_OF_PAIRS : RULE_OF_MATCHES;
}

static enum rule_scope collection_scope(const struct rule *rule) {
    bool pairs = false;
    if (rule->collection == OP_INTERSECTION)
        pairs = !rule->has_max;
    else if (rule->collection == OP_CONTAINS)
        pairs = !rule->has_min && is_constant(rule->reference);
    else
        pairs = is_constant(rule->reference) || (!rule->has_min && is_of_all(rule->reference));
    return pairs && measures_all(rule) ? RULE_OF_PAIRS : RULE_OF_MATCHES;
}

static enum rule_scope latency_scope(const struct rule *rule) {
    bool from_mean = rule->has_distance && rule->latency == LATENCY_AVG;
    return from_mean ? RULE_OF_SOLO_PAIRS : RULE_OF_PAIRS;
}

static enum rule_scope compound_scope(const struct ruleset *r, const struct ruleset_term *t) {
    enum rule_scope narrowest = RULE_OF_PAIRS;
    if (t->function == TERM_RULE) return ruleset_rule_scope(r, t->rule);
    if (t->function != TERM_AND && t->function != TERM_OR) return RULE_OF_MATCHES;
    for (uint32_t i = 0; i < t->count; i++) {
        enum rule_scope scope = compound_scope(r, t->of[i]);
        if (scope < narrowest) narrowest = scope;
    }
    return narrowest;
}

enum rule_scope ruleset_rule_scope(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    switch (rule->kind) {
    case RULE_BATCH_DISTANCE:
        return RULE_OF_PAIRS;
    case RULE_LATENCY:
        return latency_scope(rule);
    case RULE_DISTANCE:
        return distance_scope(rule);
    case RULE_COMPARISON:
        return comparison_scope(rule);
    case RULE_COLLECTION:
        return collection_scope(rule);
    case RULE_COMPOUND:
        return compound_scope(r, rule->term);
    case RULE_AVOID:
        return r->avoid_in_team ? RULE_OF_MATCHES : RULE_OF_PAIRS;
    default:
        return RULE_OF_MATCHES;
    }
}

bool ruleset_rule_divides(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    if (rule->governed) return false;
    if (rule->kind == RULE_BATCH_DISTANCE) return rule->attribute->value.kind == ATTRIBUTE_TEXT;
    return rule->kind == RULE_COMPARISON && rule->operation == OP_EQUAL && !rule->has_reference &&
           rule->measurements[0]->base == EXPR_OF_TEXTS && measures_all(rule);
}

struct str ruleset_rule_attribute(const struct ruleset *r, uint32_t index) {
    const struct attribute_def *a = r->rules[index].attribute;
    return a ? a->value.name : STR_EMPTY;
}
