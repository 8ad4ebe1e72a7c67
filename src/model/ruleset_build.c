/* ruleset_build.c - compiles a ruleset's definition: resolves names, types and checks rules. */
#include "model/ruleset_expr.h"

#include "base/limits.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct builder {
    struct ruleset *r;
    const struct ruleset_def *def;
    struct strbuf *notes; /* may be NULL */
    struct err_text *why;
};

/* The name inside item `index`, by stride and offset: one loop serves attributes, teams, rules. */
static struct str name_at(const void *items, size_t stride, size_t offset, uint32_t index) {
    struct str name;
    memcpy(&name, (const char *)items + index * stride + offset, sizeof name);
    return name;
}

static bool name_usable(struct str s) {
    if (s.size == 0 || s.size > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c < 0x20 || c == 0x7F || strchr("[](),\"'", c)) return false;
    }
    return s.at[0] != ' ' && s.at[s.size - 1] != ' ' && str_utf8_valid(s);
}

struct named {
    const char *list; /* "rules" */
    const void *items;
    size_t stride, offset;
    uint32_t count;
};

static enum err check_names(const struct builder *b, const struct named *n) {
    for (uint32_t i = 0; i < n->count; i++) {
        struct str name = name_at(n->items, n->stride, n->offset, i);
        char field[96];
        snprintf(field, sizeof field, "%s[%u].name", n->list, i);
        if (!name_usable(name)) {
            struct str shown = ruleset_excerpt(name);
            return ruleset_refuse(b->why, field,
                                  "is \"%.*s\"; must be 1 to %d bytes without control characters, "
                                  "quotes, commas, brackets or outer spaces",
                                  STR_PRINT(shown), LIMIT_NAME_BYTES);
        }
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal(name, name_at(n->items, n->stride, n->offset, j))) continue;
            return ruleset_refuse(b->why, field, "\"%.*s\" is the name of %s[%u] already",
                                  STR_PRINT(name), n->list, j);
        }
    }
    return ERR_OK;
}

static enum err check_all_names(const struct builder *b) {
    const struct ruleset_def *d = b->def;
    const struct named lists[] = {
        {"playerAttributes", d->attributes, sizeof *d->attributes,
         offsetof(struct attribute_def, value.name), d->attribute_count},
        {"teams", d->teams, sizeof *d->teams, offsetof(struct team_def, name), d->team_count},
        {"rules", d->rules, sizeof *d->rules, offsetof(struct rule_def, name), d->rule_count},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        enum err code = check_names(b, &lists[i]);
        if (code) return code;
    }
    return ERR_OK;
}

/* Whether definition `a` generates the name of definition `b`: "red" x 2 beside "red_1". */
static bool generates(const struct team_def *a, const struct team_def *b) {
    if (a->quantity == 1 || b->quantity > 1 || !str_starts(b->name, a->name)) return false;
    struct str rest = {b->name.at + a->name.size, b->name.size - a->name.size};
    if (rest.size < 2 || rest.at[0] != '_' || rest.at[1] == '0') return false;
    int64_t number;
    struct str digits = {rest.at + 1, rest.size - 1};
    return str_to_int64(digits, &number) && number >= 1 && number <= a->quantity;
}

static enum err check_teams(const struct builder *b) {
    const struct ruleset_def *d = b->def;
    if (d->team_count == 0) return ruleset_refuse(b->why, "teams", "is empty; needs 1 or more");
    uint64_t total = 0;
    for (uint32_t i = 0; i < d->team_count; i++) {
        const struct team_def *t = &d->teams[i];
        char field[96];
        snprintf(field, sizeof field, "teams[%u].minPlayers", i);
        if (t->players_min > t->players_max) {
            return ruleset_refuse(b->why, field, "is %u, above maxPlayers %u", t->players_min,
                                  t->players_max);
        }
        total += t->quantity;
        for (uint32_t j = 0; j < d->team_count; j++) {
            if (!generates(&d->teams[j], t)) continue;
            snprintf(field, sizeof field, "teams[%u].name", i);
            return ruleset_refuse(b->why, field,
                                  "\"%.*s\" is also what teams[%u] with quantity %u generates",
                                  STR_PRINT(t->name), j, d->teams[j].quantity);
        }
    }
    if (total > LIMIT_TEAMS) {
        return ruleset_refuse(b->why, "teams", "make %llu teams; at most %d",
                              (unsigned long long)total, LIMIT_TEAMS);
    }
    b->r->team_count = (uint32_t)total;
    return ERR_OK;
}

static enum err build_batch_distance(struct builder *b, const struct rule_def *d, uint32_t index,
                                     struct rule *rule) {
    char field[96];
    snprintf(field, sizeof field, "rules[%u].batchAttribute", index);
    rule->attribute = ruleset_attribute(b->r, d->attribute);
    if (!rule->attribute) {
        struct str shown = ruleset_excerpt(d->attribute);
        return ruleset_refuse(b->why, field, "\"%.*s\" is not declared in playerAttributes",
                              STR_PRINT(shown));
    }
    enum attribute_kind kind = rule->attribute->value.kind;
    if (kind != ATTRIBUTE_NUMBER && kind != ATTRIBUTE_TEXT) {
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" is a %s; batchDistance compares a number or a string",
                              STR_PRINT(d->attribute), ruleset_type_names[kind]);
    }
    snprintf(field, sizeof field, "rules[%u].maxDistance", index);
    if (kind == ATTRIBUTE_NUMBER && !d->has_max) {
        return ruleset_refuse(b->why, field, "is missing; a batchDistance on a number needs it");
    }
    if (kind == ATTRIBUTE_TEXT && d->has_max) {
        return ruleset_refuse(b->why, field,
                              "is not supported on the string \"%.*s\"; a batchDistance on a "
                              "string wants it equal and takes no maxDistance",
                              STR_PRINT(d->attribute));
    }
    return ERR_OK;
}

/* Parses the measurements and checks that they measure what the rule can use. */
static enum err build_measurements(struct builder *b, const struct rule_def *d, uint32_t index,
                                   struct rule *rule) {
    const struct ruleset_expr **list =
        arena_alloc(b->r->arena, d->measurement_count * sizeof *list);
    rule->measurements = list;
    rule->measurement_count = d->measurement_count;
    for (uint32_t i = 0; i < d->measurement_count; i++) {
        char field[96];
        snprintf(field, sizeof field, "rules[%u].measurements[%u]", index, i);
        list[i] = ruleset_expr_parse(b->r, d->measurements[i], field, b->why);
        if (!list[i]) return ERR_INVALID_ARGUMENT;
        struct str shown = ruleset_excerpt(d->measurements[i]);
        if (list[i]->collection) {
            return ruleset_refuse(b->why, field,
                                  "\"%.*s\" gives collections of strings; a %s measures single "
                                  "values (count or flatten them)",
                                  STR_PRINT(shown),
                                  d->kind == RULE_DISTANCE ? "distance" : "comparison");
        }
        if (d->kind == RULE_DISTANCE && list[i]->base != EXPR_OF_NUMBERS) {
            return ruleset_refuse(b->why, field,
                                  "\"%.*s\" gives strings; a distance measures "
                                  "numbers",
                                  STR_PRINT(shown));
        }
        if (d->reference.kind != REFERENCE_NONE && list[i]->base != list[0]->base) {
            return ruleset_refuse(b->why, field, "\"%.*s\" gives another type than measurements[0]",
                                  STR_PRINT(shown));
        }
    }
    return ERR_OK;
}

static const struct ruleset_expr *literal_text(struct builder *b, struct str text) {
    struct ruleset_expr *e = arena_alloc(b->r->arena, sizeof *e);
    e->kind = EXPR_TEXT;
    e->base = EXPR_OF_TEXTS;
    e->source = e->text = text;
    return e;
}

/* A text is an expression where it parses as one, else a literal; one that only looks like an
 * expression is a mistake. */
static enum err parse_reference(struct builder *b, const struct rule_def *d, const char *field,
                                const struct rule *rule, const struct ruleset_expr **out) {
    struct str text = d->reference.text;
    struct err_text ignored;
    bool texts = rule->measurements[0]->base == EXPR_OF_TEXTS;
    const struct ruleset_expr *e = ruleset_expr_parse(b->r, text, field, &ignored);
    if (e && e->kind == EXPR_NUMBER && texts) e = literal_text(b, text); /* the string "10" */
    if (!e && texts && !ruleset_expr_looks_like(text)) e = literal_text(b, text);
    if (!e) {
        e = ruleset_expr_parse(b->r, text, field, b->why);
        assert(!e);
        return ERR_INVALID_ARGUMENT;
    }
    *out = e;
    return ERR_OK;
}

static enum err build_reference(struct builder *b, const struct rule_def *d, uint32_t index,
                                struct rule *rule) {
    char field[96];
    snprintf(field, sizeof field, "rules[%u].referenceValue", index);
    rule->has_reference = d->reference.kind != REFERENCE_NONE;
    if (!rule->has_reference) return ERR_OK;
    bool texts = rule->measurements[0]->base == EXPR_OF_TEXTS;
    if (d->reference.kind == REFERENCE_NUMBER) {
        rule->reference_number = d->reference.number;
        if (!texts) return ERR_OK;
        return ruleset_refuse(b->why, field, "is a number; the measurements give strings");
    }
    const struct ruleset_expr *e = NULL;
    enum err code = parse_reference(b, d, field, rule, &e);
    if (code) return code;
    struct str shown = ruleset_excerpt(d->reference.text);
    if (e->depth > 0) {
        return ruleset_refuse(b->why, field, "\"%.*s\" gives a list; it must be one value",
                              STR_PRINT(shown));
    }
    if ((e->base == EXPR_OF_TEXTS) != texts) {
        return ruleset_refuse(b->why, field, "\"%.*s\" gives a %s; the measurements give %s",
                              STR_PRINT(shown), texts ? "number" : "string",
                              texts ? "strings" : "numbers");
    }
    if (e->kind == EXPR_NUMBER)
        rule->reference_number = e->number;
    else
        rule->reference = e;
    return ERR_OK;
}

static enum err build_comparison(struct builder *b, const struct rule_def *d, uint32_t index,
                                 struct rule *rule) {
    enum err code = build_measurements(b, d, index, rule);
    if (!code) code = build_reference(b, d, index, rule);
    if (code) return code;
    char field[96];
    snprintf(field, sizeof field, "rules[%u].operation", index);
    bool ordered = d->operation != OP_EQUAL && d->operation != OP_UNEQUAL;
    const char *name = ruleset_operation_names[d->operation];
    if (ordered && !rule->has_reference) {
        return ruleset_refuse(b->why, field,
                              "\"%s\" needs a referenceValue; without one only = and != compare",
                              name);
    }
    if (ordered && rule->measurements[0]->base == EXPR_OF_TEXTS) {
        return ruleset_refuse(b->why, field, "\"%s\" does not compare strings; only = and != do",
                              name);
    }
    return ERR_OK;
}

static enum err build_distance(struct builder *b, const struct rule_def *d, uint32_t index,
                               struct rule *rule) {
    enum err code = build_measurements(b, d, index, rule);
    if (!code) code = build_reference(b, d, index, rule);
    if (code) return code;
    char field[96];
    snprintf(field, sizeof field, "rules[%u]", index);
    if (!d->has_min && !d->has_max) {
        return ruleset_refuse(b->why, field,
                              "is a distance rule without maxDistance or "
                              "minDistance; needs one or both");
    }
    if (d->has_min && d->has_max && d->min > d->max) {
        return ruleset_refuse(b->why, field, "has minDistance %g above maxDistance %g", d->min,
                              d->max);
    }
    return ERR_OK;
}

static enum err build_latency(struct builder *b, const struct rule_def *d, uint32_t index,
                              struct rule *rule) {
    (void)d, (void)index, (void)rule;
    b->r->has_latency = true;
    return ERR_OK;
}

typedef enum err (*build_rule_fn)(struct builder *b, const struct rule_def *d, uint32_t index,
                                  struct rule *rule);

static const build_rule_fn build_rule[] = {
    [RULE_BATCH_DISTANCE] = build_batch_distance,
    [RULE_COMPARISON] = build_comparison,
    [RULE_DISTANCE] = build_distance,
    [RULE_LATENCY] = build_latency,
};

static enum err build_rules(struct builder *b) {
    struct ruleset *r = b->r;
    r->rules = arena_alloc(r->arena, b->def->rule_count * sizeof *r->rules);
    r->rule_count = b->def->rule_count;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule_def *d = &b->def->rules[i];
        r->rules[i] = (struct rule){.name = d->name,
                                    .description = d->description,
                                    .kind = d->kind,
                                    .party = d->party,
                                    .operation = d->operation,
                                    .has_min = d->has_min,
                                    .has_max = d->has_max};
        enum err code = build_rule[d->kind](b, d, i, &r->rules[i]);
        if (code) return code;
    }
    return ERR_OK;
}

static void note_unused(struct builder *b) {
    if (!b->notes) return;
    for (uint32_t i = 0; i < b->r->rule_count; i++) {
        const struct rule *rule = &b->r->rules[i];
        if (!rule->reference || rule->reference->kind != EXPR_TEXT) continue;
        strbuf_printf(b->notes, "rules[%u].referenceValue \"%.*s\" was read as a text\n", i,
                      STR_PRINT(rule->reference->source));
    }
}

enum err ruleset_build(struct arena *arena, const struct ruleset_def *def, struct ruleset **out,
                       struct strbuf *notes, struct err_text *why) {
    *out = NULL;
    struct ruleset *r = arena_alloc(arena, sizeof *r);
    *r = (struct ruleset){.arena = arena,
                          .name = def->name,
                          .age_is_oldest = def->age_is_oldest,
                          .attributes = def->attributes,
                          .attribute_count = def->attribute_count,
                          .team_defs = def->teams,
                          .team_def_count = def->team_count};
    struct builder b = {.r = r, .def = def, .notes = notes, .why = why};
    if (def->rule_count > LIMIT_RULES) {
        return ruleset_refuse(why, "rules", "are %u; at most %d", def->rule_count, LIMIT_RULES);
    }
    enum err code = check_all_names(&b);
    if (!code) code = check_teams(&b);
    if (!code) code = build_rules(&b);
    if (!code) code = ruleset_steps_build(r, def, why);
    if (code) return code;
    ruleset_key_build(r);
    note_unused(&b);
    *out = r;
    return ERR_OK;
}
