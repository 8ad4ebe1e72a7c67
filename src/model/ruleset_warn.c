/* ruleset_warn.c - notes on what is well-formed and yet can hardly be meant: rules that can hold
 * for no match, or for every one; steps that change nothing; tickets that no rule lets in.
 */
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

static bool compare_one(enum comparison_operation op, double value, double reference) {
    switch (op) {
    case OP_EQUAL:
        return value == reference;
    case OP_UNEQUAL:
        return value != reference;
    case OP_LESS:
        return value < reference;
    case OP_AT_MOST:
        return value <= reference;
    case OP_MORE:
        return value > reference;
    case OP_AT_LEAST:
        return value >= reference;
    }
    return true;
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

/* True only where the rule holds for every match at that step. */
static bool must_hold(const struct ruleset_step *step, const struct rule *rule,
                      const struct rule_bounds *b) {
    if (rule->kind == RULE_COLLECTION) {
        double most = rule->collection == OP_CONTAINS ? step->limits.players_max : INFINITY;
        return b->min <= 0 && b->max >= most;
    }
    if (rule->kind == RULE_DISTANCE) return b->min <= 0 && isinf(b->max);
    if (rule->kind != RULE_COMPARISON || !rule->has_reference || b->expression) return false;
    for (uint32_t i = 0; i < rule->measurement_count; i++) {
        struct range r;
        if (!count_range(rule->measurements[i], step, &r)) return false;
        bool fails_low = rule->operation == OP_UNEQUAL
                             ? r.low <= b->reference && b->reference <= r.high
                             : !compare_one(rule->operation, r.low, b->reference);
        if (fails_low || !compare_one(rule->operation, r.high, b->reference)) return false;
    }
    return true;
}

/* ---- compounds: constant whatever their rules say ---- */

#define LEAVES_MAX 10 /* rules of one statement; 1024 cases */

struct leaves {
    uint32_t rules[LEAVES_MAX], count;
    bool too_many;
};

static void add_leaves(const struct ruleset_term *t, struct leaves *l) {
    for (uint32_t i = 0; i < t->count; i++)
        add_leaves(t->of[i], l);
    if (t->function != TERM_RULE) return;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->rules[i] == t->rule) return;
    }
    l->too_many = l->too_many || l->count == LEAVES_MAX;
    if (!l->too_many) l->rules[l->count++] = t->rule;
}

/* `held`: a bit per leaf. */
static bool holds_with(const struct ruleset_term *t, const struct leaves *l, uint32_t held) {
    uint32_t count = 0, i = 0;
    if (t->function == TERM_RULE) {
        while (l->rules[i] != t->rule)
            i++;
        return held >> i & 1;
    }
    for (; i < t->count; i++)
        count += holds_with(t->of[i], l, held);
    return t->function == TERM_AND   ? count == t->count
           : t->function == TERM_OR  ? count > 0
           : t->function == TERM_XOR ? count == 1
                                     : count == 0;
}

struct chances {
    bool may_hold, may_fail;
};

static struct chances chances_of_compound(const struct rule *rule) {
    struct leaves l = {.count = 0};
    struct chances c = {false, false};
    add_leaves(rule->term, &l);
    if (l.too_many) return (struct chances){true, true};
    for (uint32_t held = 0; held < 1u << l.count; held++) {
        if (holds_with(rule->term, &l, held))
            c.may_hold = true;
        else
            c.may_fail = true;
    }
    return c;
}

static struct chances chances_of(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    struct chances c = {false, false};
    if (rule->kind == RULE_COMPOUND) return chances_of_compound(rule);
    if (rule->kind == RULE_ABSOLUTE_SORT || rule->kind == RULE_DISTANCE_SORT)
        return (struct chances){true, true};
    for (uint32_t s = 0; s < r->step_count; s++) {
        const struct rule_bounds *b = &r->steps[s].bounds[index];
        c.may_hold = c.may_hold || may_hold(&r->steps[s], rule, b);
        c.may_fail = c.may_fail || !must_hold(&r->steps[s], rule, b);
    }
    return c;
}

static void warn_rule(const struct ruleset *r, uint32_t i, struct strbuf *notes) {
    const struct rule *rule = &r->rules[i];
    struct chances c = chances_of(r, i);
    if (!c.may_hold)
        strbuf_printf(notes, "rules[%u] \"%.*s\" can hold for no match%s%s\n", i,
                      STR_PRINT(rule->name),
                      rule->kind == RULE_COMPOUND ? ", whatever its rules say"
                                                  : " of these teams, at any age",
                      rule->governed ? ": in its compound it is always false" : "");
    else if (!c.may_fail)
        strbuf_printf(
            notes, "rules[%u] \"%.*s\" holds for every match%s\n", i, STR_PRINT(rule->name),
            rule->governed ? ": in its compound it is always true" : ": it refuses nobody");
}

/* ---- tickets ---- */

/* The most players that a team may have by its size and by the rules that count it. */
static double team_most(const struct ruleset *r, const struct ruleset_step *step, uint32_t team) {
    double most = step->teams[team].players_max;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule *rule = &r->rules[i];
        const struct rule_bounds *b = &step->bounds[i];
        bool counts = rule->kind == RULE_COMPARISON && !rule->governed && rule->has_reference &&
                      !b->expression;
        for (uint32_t m = 0; counts && m < rule->measurement_count; m++) {
            struct range range;
            const struct ruleset_expr *e = rule->measurements[m];
            if (!count_range(e, step, &range)) continue;
            bool own = e->aggregate.of->path.team_count > 1 ||
                       e->aggregate.of->path.teams[0] == team; /* of the match, or of this team */
            if (!own) continue;
            if (rule->operation == OP_LESS) most = fmin(most, ceil(b->reference) - 1);
            if (rule->operation == OP_EQUAL || rule->operation == OP_AT_MOST)
                most = fmin(most, floor(b->reference));
        }
    }
    return most;
}

static void warn_tickets(const struct ruleset *r, struct strbuf *notes) {
    double most = 0;
    uint32_t largest = 0;
    for (uint32_t s = 0; s < r->step_count; s++) {
        for (uint32_t t = 0; t < r->team_count; t++)
            most = fmax(most, team_most(r, &r->steps[s], t));
    }
    for (uint32_t d = 1; d < r->team_def_count; d++) {
        if (r->team_defs[d].players_max > r->team_defs[largest].players_max) largest = d;
    }
    if (most >= r->team_players_max || most < 1) return;
    strbuf_printf(notes,
                  "teams[%u] may have %u players, but the rules that count players allow %g: a "
                  "larger ticket waits in vain\n",
                  largest, r->team_players_max, most);
}

/* ---- steps ---- */

static void warn_steps(const struct ruleset_def *def, struct strbuf *notes) {
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        const struct expansion_def *e = &def->expansions[i];
        for (uint32_t s = 1; s < e->step_count; s++) {
            const struct step_def *before = &e->steps[s - 1], *now = &e->steps[s];
            bool numbers =
                before->other.kind == REFERENCE_NONE && now->other.kind == REFERENCE_NONE;
            if (!numbers || before->value != now->value) continue;
            strbuf_printf(notes,
                          "expansions[%u].steps[%u].value is %g as before: the step changes "
                          "nothing\n",
                          i, s, now->value);
        }
    }
}

void ruleset_warn(const struct ruleset *r, const struct ruleset_def *def, struct strbuf *notes) {
    for (uint32_t i = 0; i < def->rule_count; i++)
        warn_rule(r, i, notes);
    warn_tickets(r, notes);
    warn_steps(def, notes);
}
