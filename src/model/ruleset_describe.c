/* ruleset_describe.c - a ruleset in plain words, one line per team, rule and choice. */
#include "model/ruleset_expr.h"

#include "base/limits.h"

#include <math.h>
#include <string.h>

static void add_number(struct strbuf *out, double v) {
    strbuf_printf(out, "%.6g", v);
}

static void add_wait(struct strbuf *out, int64_t wait_ms) {
    strbuf_printf(out, ", after %.6g s ", (double)wait_ms / 1000);
}

static double bound_at(const struct ruleset *r, uint32_t step, uint32_t rule, size_t offset) {
    double value;
    memcpy(&value, (const char *)&r->steps[step].bounds[rule] + offset, sizeof value);
    return value;
}

/* "100, after 30 s 200, after 60 s 400" */
static void add_bound(const struct ruleset *r, struct strbuf *out, uint32_t rule, size_t offset) {
    double before = bound_at(r, 0, rule, offset);
    add_number(out, before);
    for (uint32_t s = 1; s < r->step_count; s++) {
        double now = bound_at(r, s, rule, offset);
        if (now == before) continue;
        add_wait(out, r->steps[s].age_ms);
        add_number(out, now);
        before = now;
    }
}

static void add_players(struct strbuf *out, const struct ruleset_team *t) {
    if (t->players_min == t->players_max)
        strbuf_printf(out, "%u", t->players_max);
    else
        strbuf_printf(out, "%u to %u", t->players_min, t->players_max);
}

static void describe_teams(const struct ruleset *r, struct strbuf *out) {
    uint32_t first = 0;
    for (uint32_t d = 0; d < r->team_def_count; first += r->team_defs[d].quantity, d++) {
        const struct team_def *def = &r->team_defs[d];
        const struct ruleset_team *before = &r->steps[0].teams[first];
        if (def->quantity == 1)
            strbuf_printf(out, "team \"%.*s\": ", STR_PRINT(def->name));
        else
            strbuf_printf(out, "%u teams \"%.*s_1\" to \"%.*s_%u\", each: ", def->quantity,
                          STR_PRINT(def->name), STR_PRINT(def->name), def->quantity);
        add_players(out, before);
        for (uint32_t s = 1; s < r->step_count; s++) {
            const struct ruleset_team *now = &r->steps[s].teams[first];
            bool same =
                now->players_min == before->players_min && now->players_max == before->players_max;
            if (same) continue;
            add_wait(out, r->steps[s].age_ms);
            add_players(out, now);
            before = now;
        }
        strbuf_printf(out, before->players_max == 1 ? " player\n" : " players\n");
    }
}

static void add_measurements(const struct rule *rule, struct strbuf *out) {
    for (uint32_t i = 0; i < rule->measurement_count; i++) {
        strbuf_printf(out, "%s%.*s", i ? " and " : "", STR_PRINT(rule->measurements[i]->source));
    }
}

static void add_expression(struct strbuf *out, const struct ruleset_expr *e) {
    if (e->kind == EXPR_TEXT)
        strbuf_printf(out, "\"%.*s\"", STR_PRINT(e->text));
    else
        strbuf_add_str(out, e->source);
}

static void add_reference(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct ruleset_expr *before = r->steps[0].bounds[i].expression;
    if (!before) {
        add_bound(r, out, i, offsetof(struct rule_bounds, reference));
        return;
    }
    add_expression(out, before);
    for (uint32_t s = 1; s < r->step_count; s++) {
        const struct ruleset_expr *now = r->steps[s].bounds[i].expression;
        if (now == before) continue;
        add_wait(out, r->steps[s].age_ms);
        add_expression(out, now);
        before = now;
    }
}

static void describe_batch_distance(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct rule *rule = &r->rules[i];
    struct str name = rule->attribute->value.name;
    if (rule->attribute->value.kind == ATTRIBUTE_TEXT) {
        bool same = r->steps[r->step_count - 1].bounds[i].max < 1;
        strbuf_printf(out, "all players have the same %.*s", STR_PRINT(name));
        if (same) return;
        strbuf_printf(out, ", and as many others as ");
        add_bound(r, out, i, offsetof(struct rule_bounds, max));
        return;
    }
    strbuf_printf(out, "the tickets' %.*s (%s of a party) lie within ", STR_PRINT(name),
                  ruleset_party_names[rule->party]);
    add_bound(r, out, i, offsetof(struct rule_bounds, max));
}

static void describe_comparison(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct rule *rule = &r->rules[i];
    add_measurements(rule, out);
    if (!rule->has_reference) {
        strbuf_printf(out, rule->operation == OP_EQUAL ? ": all equal" : ": all different");
        return;
    }
    strbuf_printf(out, " %s ", ruleset_operation_names[rule->operation]);
    add_reference(r, out, i);
}

/* "at least 1 and at most 5" */
static void add_counts(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct rule_bounds *last = &r->steps[r->step_count - 1].bounds[i];
    bool has_min = r->rules[i].has_min || isfinite(last->min);
    if (has_min) {
        strbuf_printf(out, "at least ");
        add_bound(r, out, i, offsetof(struct rule_bounds, min));
    }
    if (r->rules[i].has_max || isfinite(last->max)) {
        strbuf_printf(out, "%sat most ", has_min ? " and " : "");
        add_bound(r, out, i, offsetof(struct rule_bounds, max));
    }
}

static void describe_collection(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct rule *rule = &r->rules[i];
    if (rule->collection == OP_CONTAINS) {
        add_reference(r, out, i);
        strbuf_printf(out, " is in ");
        add_counts(r, out, i);
        strbuf_printf(out, " of the lists ");
        add_measurements(rule, out);
        return;
    }
    strbuf_printf(out, rule->collection == OP_INTERSECTION ? "all lists " : "each list of ");
    add_measurements(rule, out);
    strbuf_printf(out, rule->collection == OP_INTERSECTION ? " share " : " shares ");
    add_counts(r, out, i);
    if (rule->collection == OP_INTERSECTION) return;
    strbuf_printf(out, " with ");
    add_reference(r, out, i);
}

static void describe_distance(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    add_measurements(&r->rules[i], out);
    strbuf_printf(out, " from ");
    add_reference(r, out, i);
    const struct rule_bounds *last = &r->steps[r->step_count - 1].bounds[i];
    if (r->rules[i].has_max || isfinite(last->max)) {
        strbuf_printf(out, ": at most ");
        add_bound(r, out, i, offsetof(struct rule_bounds, max));
    }
    if (r->rules[i].has_min || isfinite(last->min)) {
        strbuf_printf(out, ": at least ");
        add_bound(r, out, i, offsetof(struct rule_bounds, min));
    }
}

static void describe_latency(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct rule *rule = &r->rules[i];
    const struct rule_bounds *last = &r->steps[r->step_count - 1].bounds[i];
    if (rule->party == PARTY_MAX)
        strbuf_printf(out, "every player reaches one common region");
    else
        strbuf_printf(out, "every party reaches one common region (%s of its players)",
                      ruleset_party_names[rule->party]);
    if (rule->has_max || isfinite(last->max)) {
        strbuf_printf(out, " within ");
        add_bound(r, out, i, offsetof(struct rule_bounds, max));
        strbuf_printf(out, " ms");
    }
    if (rule->has_distance || isfinite(last->distance)) {
        strbuf_printf(out, "%s within ", rule->has_max ? ", and" : "");
        add_bound(r, out, i, offsetof(struct rule_bounds, distance));
        strbuf_printf(out, " ms of the %s", rule->latency == LATENCY_MIN ? "lowest" : "average");
    }
}

static void describe_compound(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    strbuf_printf(out, "%.*s", STR_PRINT(r->rules[i].statement));
}

/* A sort rule's place among r->steps[0].order->sorts is its place among the sort rules. */
static const struct ruleset_sort *sort_of_rule(const struct ruleset *r, uint32_t rule) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < rule; i++) {
        enum rule_kind kind = r->rules[i].kind;
        n += kind == RULE_ABSOLUTE_SORT || kind == RULE_DISTANCE_SORT;
    }
    return &r->steps[0].order->sorts[n];
}

static void describe_sort(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    const struct ruleset_sort *sort = sort_of_rule(r, i);
    struct str name = sort->attribute->value.name;
    if (sort->kind == SORT_ABSOLUTE)
        strbuf_printf(out, "candidates of %s %.*s", sort->descending ? "largest" : "smallest",
                      STR_PRINT(name));
    else
        strbuf_printf(out, "candidates whose %.*s is %s the searching ticket's", STR_PRINT(name),
                      sort->descending ? "farthest from" : "nearest to");
    if (sort->map_key != MAP_KEY_NONE)
        strbuf_printf(out, " (under the key that is %s for the searching ticket)",
                      sort->map_key == MAP_KEY_MIN ? "smallest" : "largest");
    strbuf_printf(out, " are tried first");
}

static const struct ruleset_order *order_at(const struct ruleset *r, uint32_t step) {
    return r->steps[step].order;
}

static void add_batching(const struct ruleset *r, struct strbuf *out,
                         const struct ruleset_order *o) {
    if (o->batching == BATCHING_SORTED) {
        const struct ruleset_sort *first = sort_of_rule(r, r->rule_count);
        size_t own = (size_t)(first - order_at(r, 0)->sorts);
        strbuf_printf(out, "candidates alike in");
        for (size_t s = own; s < o->sort_count; s++) {
            strbuf_printf(out, "%s %.*s", s == own ? "" : ",",
                          STR_PRINT(o->sorts[s].attribute->value.name));
        }
        strbuf_printf(out, " are tried first\n");
    }
    if (o->batching == BATCHING_FASTEST_REGION)
        strbuf_printf(out,
                      "candidates with the searching ticket's fastest region are tried first\n");
}

static void add_order(const struct ruleset *r, struct strbuf *out, const struct ruleset_order *o) {
    add_batching(r, out, o);
    if (o->balance)
        strbuf_printf(out, "players alike in %.*s meet, and teams are made even in it\n",
                      STR_PRINT(o->balance->value.name));
    if (o->backfill != BACKFILL_NORMAL && !o->balance)
        strbuf_printf(out, "backfill is tried %s\n",
                      o->backfill == BACKFILL_HIGH ? "before tickets" : "after tickets");
}

static bool same_order(const struct ruleset_order *a, const struct ruleset_order *b) {
    bool same = a->batching == b->batching && a->balance == b->balance &&
                a->backfill == b->backfill && a->sort_count == b->sort_count;
    for (uint32_t i = 0; same && i < a->sort_count; i++)
        same = a->sorts[i].attribute == b->sorts[i].attribute;
    return same;
}

static void describe_algorithm(const struct ruleset *r, struct strbuf *out) {
    add_order(r, out, order_at(r, 0));
    for (uint32_t s = 1; s < r->step_count; s++) {
        if (same_order(order_at(r, s), order_at(r, s - 1))) continue;
        struct strbuf words = {0};
        add_order(r, &words, order_at(r, s));
        strbuf_printf(out, "after %.6g s: %s", (double)r->steps[s].age_ms / 1000,
                      words.size ? "the order becomes\n" : "candidates are tried by age\n");
        strbuf_add_str(out, strbuf_str(&words));
        strbuf_fini(&words);
    }
}

/* ---- Muster's additions ---- */

/* "2", "1 to 3", "at most 1", "at least 1", "any number of" */
static void add_places(struct strbuf *out, const struct role_bounds *b) {
    bool bounded = b->players_max < LIMIT_MATCH_PLAYERS;
    if (b->players_min == b->players_max)
        strbuf_printf(out, "%u", b->players_max);
    else if (bounded && b->players_min > 0)
        strbuf_printf(out, "%u to %u", b->players_min, b->players_max);
    else if (bounded)
        strbuf_printf(out, "at most %u", b->players_max);
    else if (b->players_min > 0)
        strbuf_printf(out, "at least %u", b->players_min);
    else
        strbuf_printf(out, "any number of");
}

static void add_role_teams(const struct ruleset *r, struct strbuf *out, uint32_t role) {
    uint32_t listed = 0, all = 0;
    for (uint32_t t = 0; t < r->team_count; t++)
        all += r->roles[role].in_team[t];
    for (uint32_t t = 0; all < r->team_count && t < r->team_count; t++) {
        if (!r->roles[role].in_team[t]) continue;
        strbuf_printf(out, "%s%.*s", listed++ ? ", " : " (in ",
                      STR_PRINT(r->steps[0].teams[t].name));
    }
    if (listed) strbuf_add_char(out, ')');
}

static void describe_roles(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    (void)i;
    strbuf_printf(out, "a team has ");
    for (uint32_t k = 0; k < r->role_count; k++) {
        const struct role_bounds *before = &r->steps[0].roles[k];
        if (k) strbuf_printf(out, k + 1 == r->role_count ? " and " : ", ");
        add_places(out, before);
        for (uint32_t s = 1; s < r->step_count; s++) {
            const struct role_bounds *now = &r->steps[s].roles[k];
            bool same =
                now->players_min == before->players_min && now->players_max == before->players_max;
            if (same) continue;
            add_wait(out, r->steps[s].age_ms);
            add_places(out, now);
            before = now;
        }
        strbuf_printf(out, " %.*s", STR_PRINT(r->roles[k].name));
        add_role_teams(r, out, k);
    }
    strbuf_printf(out, "; each player has one of his %.*s, or any where he names none",
                  STR_PRINT(r->roles_attribute->value.name));
    if (r->role_points > 0)
        strbuf_printf(out, "; each step down his list costs %g points", r->role_points);
}

static void describe_avoid(const struct ruleset *r, struct strbuf *out, uint32_t i) {
    (void)i;
    strbuf_printf(out, "nobody is in one %s with whom his %.*s names",
                  r->avoid_in_team ? "team" : "match", STR_PRINT(r->avoid->value.name));
}

static void describe_additions(const struct ruleset *r, struct strbuf *out) {
    if (r->recent)
        strbuf_printf(out, "an opponent whom a player's %.*s names costs %g points\n",
                      STR_PRINT(r->recent->value.name), r->recent_points);
    for (uint32_t i = 0; i < r->region_count; i++) {
        strbuf_printf(out, "%s%.*s", i ? ", " : "matches are played in ", STR_PRINT(r->regions[i]));
    }
    if (r->region_count) strbuf_add_char(out, '\n');
}

typedef void (*describe_rule_fn)(const struct ruleset *r, struct strbuf *out, uint32_t index);

static const describe_rule_fn describe_rule[] = {
    [RULE_ABSOLUTE_SORT] = describe_sort,    [RULE_BATCH_DISTANCE] = describe_batch_distance,
    [RULE_COLLECTION] = describe_collection, [RULE_COMPARISON] = describe_comparison,
    [RULE_COMPOUND] = describe_compound,     [RULE_DISTANCE] = describe_distance,
    [RULE_DISTANCE_SORT] = describe_sort,    [RULE_LATENCY] = describe_latency,
    [RULE_ROLES] = describe_roles,           [RULE_AVOID] = describe_avoid,
};

void ruleset_describe(const struct ruleset *r, struct strbuf *out) {
    describe_teams(r, out);
    for (uint32_t i = 0; i < r->rule_count; i++) {
        strbuf_printf(out, "rule \"%.*s\"%s: ", STR_PRINT(r->rules[i].name),
                      r->rules[i].governed ? " (where a compound names it)" : "");
        describe_rule[r->rules[i].kind](r, out, i);
        if (r->rules[i].weight > 0)
            strbuf_printf(out, "; at its first bound it costs %g points", r->rules[i].weight);
        strbuf_add_char(out, '\n');
    }
    describe_algorithm(r, out);
    describe_additions(r, out);
    if (r->step_count > 1) {
        strbuf_printf(out, "the %s ticket of a match sets its time\n",
                      r->age_is_oldest ? "oldest" : "newest");
    }
}
