/* ruleset_collection.c - collection rules: what lists of strings contain and share. */
#include "model/ruleset_judge.h"

static bool list_contains(const struct expr_value *list, struct str text) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i].text, text)) return true;
    }
    return false;
}

static bool count_holds(const struct evaluation *e, const struct rule_bounds *b, uint32_t count) {
    return ruleset_judge_measured(e, count, b->min, count >= b->min) &&
           ruleset_judge_measured(e, count, b->max, count <= b->max);
}

/* How many lists contain the text. */
static uint32_t count_containing(const struct expr_value *lists, struct str text) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < lists->count; i++)
        found += list_contains(&lists->items[i], text);
    return found;
}

/* How many texts all lists share. */
static uint32_t count_shared(const struct expr_context *x, const struct expr_value *lists) {
    struct expr_value common = ruleset_value_set(x, &lists->items[0]);
    for (uint32_t i = 1; i < lists->count && common.count > 0; i++) {
        struct expr_value own = ruleset_value_set(x, &lists->items[i]);
        common = ruleset_value_common(x, &common, &own);
    }
    return common.count;
}

static bool each_shares(const struct evaluation *e, const struct expr_context *x,
                        const struct rule_bounds *b, const struct expr_value *lists,
                        const struct expr_value *reference) {
    struct expr_value wanted = ruleset_value_set(x, reference);
    for (uint32_t i = 0; i < lists->count; i++) {
        struct expr_value own = ruleset_value_set(x, &lists->items[i]);
        if (!count_holds(e, b, ruleset_value_common(x, &own, &wanted).count)) return false;
    }
    return true;
}

/* Where nobody is there, nothing is shared or missing: such a measurement is skipped. A `contains`
 * of nobody counts 0. */
bool ruleset_collection_holds(const struct evaluation *e, const struct rule *rule,
                              const struct rule_bounds *b) {
    struct expr_context x = {e->r, e->c, rule->party, e->scratch};
    struct judge_reference ref = ruleset_judge_reference(&x, rule, b);
    if (!ref.present) return true;
    for (uint32_t m = 0; m < rule->measurement_count; m++) {
        struct expr_value v;
        if (!ruleset_value_of(&x, rule->measurements[m], &v)) continue;
        struct expr_value lists = ruleset_value_lists(&x, rule->measurements[m], &v);
        bool holds = true;
        if (rule->collection == OP_CONTAINS) {
            holds = count_holds(e, b, count_containing(&lists, ref.value.text));
        } else if (rule->collection == OP_REFERENCE_INTERSECTION) {
            holds = each_shares(e, &x, b, &lists, &ref.value);
        } else if (lists.count > 0) {
            holds = count_holds(e, b, count_shared(&x, &lists));
        }
        if (!holds) return false;
    }
    return true;
}
