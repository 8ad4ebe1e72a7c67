/* ruleset_key.c - what a search may index by: the key number and the partition texts.
 *
 * Both only narrow a search; ruleset_evaluate decides. A rule gives a key when it bounds the
 * spread of one number attribute over all tickets of a match:
 *   batchDistance on a number: max - min <= maxDistance
 *   distance of every player's value from one reference that always has a value:
 *   |v - ref| <= maxDistance, hence max - min <= 2 * maxDistance
 */
#include "model/ruleset_expr.h"

#include <math.h>

/* The attribute of `teams[*].players.attributes[x]`, flattened or not; else NULL. */
static const struct attribute_def *attribute_of_all(const struct ruleset_expr *e) {
    if (e->kind == EXPR_AGGREGATE && e->aggregate.function == AGGREGATE_FLATTEN) {
        e = e->aggregate.of;
    }
    bool all = e->kind == EXPR_PATH && e->path.every_team && e->path.map_key.size == 0;
    return all ? e->path.attribute : NULL;
}

/* Whether the reference has a value in every match: a number, or an aggregate over all players. */
static bool reference_is_certain(const struct rule *rule) {
    const struct ruleset_expr *e = rule->reference;
    if (!e || e->kind == EXPR_NUMBER) return true;
    if (e->kind != EXPR_AGGREGATE) return false;
    return e->aggregate.of->depth == 1 && attribute_of_all(e->aggregate.of) != NULL;
}

/* The number attribute whose spread the rule bounds, NULL when it bounds none. `*factor`: the
 * spread's bound in units of the rule's maxDistance. */
static const struct attribute_def *spread_attribute(const struct rule *rule, double *factor) {
    const struct attribute_def *a = NULL;
    *factor = 1;
    if (rule->governed) return NULL; /* it need not hold */
    if (rule->kind == RULE_BATCH_DISTANCE) {
        a = rule->attribute;
    } else if (rule->kind == RULE_DISTANCE && rule->has_max && reference_is_certain(rule)) {
        *factor = 2 * (1 + 1e-9); /* the rounding of |v - ref| must not make the bound too tight */
        for (uint32_t i = 0; !a && i < rule->measurement_count; i++) {
            a = attribute_of_all(rule->measurements[i]);
        }
    }
    return a && a->value.kind == ATTRIBUTE_NUMBER ? a : NULL;
}

static void build_key(struct ruleset *r) {
    double tightest = INFINITY;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        double factor;
        const struct attribute_def *a = spread_attribute(&r->rules[i], &factor);
        double bound = a ? factor * r->steps[0].bounds[i].max : INFINITY;
        if (!a || (r->key && bound >= tightest)) continue;
        tightest = bound;
        r->key = a;
        r->key_party = r->rules[i].party;
    }
    if (!r->key) { /* nothing is bounded, but alike players are neighbours */
        r->key = r->balance;
        r->key_party = PARTY_AVG;
    }
    for (uint32_t s = 0; s < r->step_count; s++) {
        double spread = INFINITY;
        for (uint32_t i = 0; r->key && i < r->rule_count; i++) {
            double factor;
            if (spread_attribute(&r->rules[i], &factor) != r->key) continue;
            if (r->rules[i].party != r->key_party) continue;
            spread = fmin(spread, factor * r->steps[s].bounds[i].max);
        }
        r->steps[s].limits.key_spread_max = spread;
    }
}

/* Whether a bound lets texts differ at some age. */
static bool may_differ(const struct ruleset *r, uint32_t rule) {
    for (uint32_t s = 0; s < r->step_count; s++) {
        if (r->steps[s].bounds[rule].max >= 1) return true;
    }
    return false;
}

/* The string attribute that the rule wants equal over the whole match, NULL when none. */
static const struct attribute_def *equal_attribute(const struct ruleset *r, uint32_t index,
                                                   uint32_t measurement) {
    const struct attribute_def *a = NULL;
    const struct rule *rule = &r->rules[index];
    if (rule->governed) return NULL; /* it need not hold */
    if (rule->kind == RULE_BATCH_DISTANCE && measurement == 0) {
        a = may_differ(r, index) ? NULL : rule->attribute;
    } else if (rule->kind == RULE_COMPARISON && rule->operation == OP_EQUAL &&
               !rule->has_reference && measurement < rule->measurement_count) {
        a = attribute_of_all(rule->measurements[measurement]);
    }
    return a && a->value.kind == ATTRIBUTE_TEXT ? a : NULL;
}

static bool in_partition(const struct ruleset *r, const struct attribute_def *a) {
    for (uint32_t i = 0; i < r->partition_count; i++) {
        if (r->partition[i] == a) return true;
    }
    return false;
}

static void build_partition(struct ruleset *r) {
    r->partition = arena_alloc(r->arena, r->attribute_count * sizeof *r->partition);
    for (uint32_t i = 0; i < r->rule_count; i++) {
        for (uint32_t m = 0; m == 0 || m < r->rules[i].measurement_count; m++) {
            const struct attribute_def *a = equal_attribute(r, i, m);
            if (a && !in_partition(r, a)) r->partition[r->partition_count++] = a;
        }
    }
}

void ruleset_key_build(struct ruleset *r) {
    build_key(r);
    build_partition(r);
}

bool ruleset_has_key(const struct ruleset *r) {
    return r->key != NULL;
}

double ruleset_key(const struct ruleset *r, const struct ticket_spec *spec) {
    double key = 0;
    if (!r->key || !ruleset_party_number(spec, r->key, r->key_party, &key)) return 0;
    return key;
}

double ruleset_player_key(const struct ruleset *r, const struct player *p) {
    const struct attribute_def *a = r->balance ? r->balance : r->key;
    const struct attribute *v = a ? ruleset_value(p, a) : NULL;
    return v ? v->number : 0;
}

bool ruleset_key_adds_up(const struct ruleset *r) {
    return !r->key || ((!r->balance || r->balance == r->key) && r->key_party == PARTY_AVG);
}

uint64_t ruleset_partition(const struct ruleset *r, const struct ticket_spec *spec) {
    if (r->partition_count == 0) return 0;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < r->partition_count; i++) {
        const struct attribute *v = ruleset_value(&spec->players[0], r->partition[i]);
        hash = (hash ^ (v ? str_hash(v->text) : 0)) * 0x9E3779B97F4A7C15u; /* Fibonacci hashing */
        hash ^= hash >> 29;
    }
    return hash ? hash : 1;
}

/* ---- which path a search takes ---- */

/* Whether the rule compiles to a partition: all its texts are equal within one. */
static bool is_partition(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    uint32_t count = rule->kind == RULE_BATCH_DISTANCE ? 1 : rule->measurement_count;
    for (uint32_t m = 0; m < count; m++) {
        const struct attribute_def *a = equal_attribute(r, index, m);
        if (!a || !in_partition(r, a)) return false;
    }
    return count > 0;
}

static const char *spread_reason(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    double factor;
    if (is_partition(r, index)) return NULL;
    if (spread_attribute(rule, &factor) != r->key) return "bounds another attribute than the key";
    if (rule->kind == RULE_DISTANCE) return "narrows the search, but is no spread of the key";
    return rule->party == r->key_party ? NULL : "counts parties otherwise than the key";
}

const char *ruleset_residual_reason(const struct ruleset *r, uint32_t index) {
    const struct rule *rule = &r->rules[index];
    if (rule->governed) return NULL; /* its compound tells */
    switch (rule->kind) {
    case RULE_ABSOLUTE_SORT:
    case RULE_DISTANCE_SORT:
        return NULL;
    case RULE_BATCH_DISTANCE:
    case RULE_DISTANCE:
        return spread_reason(r, index);
    case RULE_COMPARISON:
        return is_partition(r, index) ? NULL : "is an expression";
    case RULE_LATENCY:
        if (rule->party != PARTY_MAX) return "counts parties otherwise than by their worst latency";
        return rule->has_distance ? "compares latencies with each other" : NULL;
    case RULE_ROLES:
        return r->role_count <= 6 ? NULL : "has more roles than are counted";
    case RULE_AVOID:
        return r->avoid_in_team ? "is about teams, not matches" : NULL;
    case RULE_COLLECTION:
        return "counts in lists";
    case RULE_COMPOUND:
        return "combines rules";
    }
    return NULL;
}

void ruleset_describe_search(const struct ruleset *r, struct strbuf *out) {
    uint32_t residual = 0;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const char *reason = ruleset_residual_reason(r, i);
        if (!reason) continue;
        strbuf_printf(out, "%s\"%.*s\" %s",
                      residual++ ? ", " : "search: fast, but the evaluator has to try groups: ",
                      STR_PRINT(r->rules[i].name), reason);
    }
    strbuf_printf(out,
                  residual ? "\n" : "search: fast, every rule is a number, a bit or a count\n");
}
