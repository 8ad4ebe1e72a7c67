/* ruleset_rules.c - compiles rules: resolves attributes, parses expressions, checks their types. */
#include "model/ruleset_expr.h"

#include "base/limits.h"

#include <assert.h>
#include <stdio.h>

struct builder {
    struct ruleset *r;
    const struct ruleset_def *def;
    struct strbuf *notes; /* may be NULL */
    struct err_text *why;
};

static enum err build_batch_distance(struct builder *b, const struct rule_def *d, uint32_t index,
                                     struct rule *rule) {
    char field[96];
    snprintf(field, sizeof field, "rules[%u].batchAttribute", index);
    rule->attribute = ruleset_attribute(b->r, d->attribute);
    if (!rule->attribute) {
        return ruleset_refuse_attribute(b->r, d->attribute, field, b->why);
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
    return ERR_OK;
}

/* ---- measurements ---- */

static const char *rule_word(enum rule_kind kind) {
    return kind == RULE_COLLECTION ? "collection rule"
           : kind == RULE_DISTANCE ? "distance"
                                   : "comparison";
}

/* Whether the rule can use what the expression gives. */
static enum err check_measurement(const struct builder *b, const struct rule_def *d,
                                  const struct ruleset_expr *e, const char *field) {
    struct str shown = ruleset_excerpt(e->source);
    if (d->kind == RULE_COLLECTION) {
        if (e->base != EXPR_OF_TEXTS) {
            return ruleset_refuse(b->why, field,
                                  "\"%.*s\" gives numbers; a collection rule measures lists of "
                                  "strings",
                                  STR_PRINT(shown));
        }
        if (e->depth > 0) return ERR_OK;
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" gives one string; a collection rule measures lists of "
                              "strings",
                              STR_PRINT(shown));
    }
    if (e->collection) {
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" gives collections of strings; a %s measures single "
                              "values (count or flatten them)",
                              STR_PRINT(shown), rule_word(d->kind));
    }
    if (d->kind == RULE_DISTANCE && e->base != EXPR_OF_NUMBERS) {
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" gives strings; a distance measures "
                              "numbers",
                              STR_PRINT(shown));
    }
    return ERR_OK;
}

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
        enum err code = check_measurement(b, d, list[i], field);
        if (code) return code;
        struct str shown = ruleset_excerpt(d->measurements[i]);
        if (d->reference.kind != REFERENCE_NONE && list[i]->base != list[0]->base) {
            return ruleset_refuse(b->why, field, "\"%.*s\" gives another type than measurements[0]",
                                  STR_PRINT(shown));
        }
    }
    return ERR_OK;
}

/* ---- references ---- */

static const struct ruleset_expr *literal_text(const struct ruleset *r, struct str text) {
    struct ruleset_expr *e = arena_alloc(r->arena, sizeof *e);
    e->kind = EXPR_TEXT;
    e->base = EXPR_OF_TEXTS;
    e->source = e->text = text;
    return e;
}

static const struct ruleset_expr *literal_list(const struct ruleset *r,
                                               const struct reference_def *d) {
    struct ruleset_expr *e = arena_alloc(r->arena, sizeof *e);
    struct expr_value *items = arena_alloc(r->arena, d->item_count * sizeof *items);
    struct strbuf source = {0};
    strbuf_add_char(&source, '[');
    for (uint32_t i = 0; i < d->item_count; i++) {
        items[i].text = d->items[i];
        strbuf_printf(&source, "%s\"%.*s\"", i ? ", " : "", STR_PRINT(d->items[i]));
    }
    strbuf_add_char(&source, ']');
    e->kind = EXPR_LIST;
    e->base = EXPR_OF_TEXTS;
    e->depth = 1;
    e->source = arena_str(r->arena, strbuf_str(&source));
    e->list.items = items;
    e->list.count = d->item_count;
    strbuf_fini(&source);
    return e;
}

/* A text is an expression where it parses as one, else a literal; one that only looks like an
 * expression is a mistake. NULL: it is one. */
static const struct ruleset_expr *parse_text(const struct ruleset *r, struct str text, bool texts,
                                             const char *field, struct err_text *why) {
    struct err_text ignored;
    const struct ruleset_expr *e = ruleset_expr_parse(r, text, field, &ignored);
    if (e && e->kind == EXPR_NUMBER && texts) return literal_text(r, text); /* the string "10" */
    if (e) return e;
    if (texts && !ruleset_expr_looks_like(text)) return literal_text(r, text);
    e = ruleset_expr_parse(r, text, field, why);
    assert(!e);
    return NULL;
}

/* Whether the rule can use a reference of that shape. */
static enum err check_reference(const struct rule *rule, const struct ruleset_expr *e,
                                const char *field, struct err_text *why) {
    bool texts = rule->measurements[0]->base == EXPR_OF_TEXTS;
    struct str shown = ruleset_excerpt(e->source);
    if ((e->base == EXPR_OF_TEXTS) != texts) {
        return ruleset_refuse(why, field, "\"%.*s\" gives a %s; the measurements give %s",
                              STR_PRINT(shown), texts ? "number" : "string",
                              texts ? "strings" : "numbers");
    }
    bool wants_list =
        rule->kind == RULE_COLLECTION && rule->collection == OP_REFERENCE_INTERSECTION;
    if (!wants_list && e->depth > 0) {
        return ruleset_refuse(why, field, "\"%.*s\" gives a list; it must be one value",
                              STR_PRINT(shown));
    }
    if (wants_list && e->depth == 0) {
        return ruleset_refuse(why, field,
                              "\"%.*s\" gives one string; reference_intersection_count compares "
                              "with a list: write [\"...\"] or an expression",
                              STR_PRINT(shown));
    }
    if (wants_list && e->depth > 1) {
        return ruleset_refuse(why, field,
                              "\"%.*s\" gives a list of lists; take its flatten or its "
                              "set_intersection",
                              STR_PRINT(shown));
    }
    return ERR_OK;
}

enum err ruleset_rules_reference(const struct ruleset *r, const struct rule *rule,
                                 const struct reference_def *d, struct rule_bounds *out,
                                 struct ruleset_place at) {
    bool texts = rule->measurements[0]->base == EXPR_OF_TEXTS;
    out->expression = NULL;
    if (d->kind == REFERENCE_NUMBER) {
        out->reference = d->number;
        if (!texts) return ERR_OK;
        return ruleset_refuse(at.why, at.field, "is a number; the measurements give strings");
    }
    if (d->kind == REFERENCE_LIST && rule->kind != RULE_COLLECTION) {
        return ruleset_refuse(at.why, at.field,
                              "is a list; must be a number, a string or an expression");
    }
    const struct ruleset_expr *e = d->kind == REFERENCE_LIST
                                       ? literal_list(r, d)
                                       : parse_text(r, d->text, texts, at.field, at.why);
    if (!e) return ERR_INVALID_ARGUMENT;
    enum err code = check_reference(rule, e, at.field, at.why);
    if (code) return code;
    if (e->kind == EXPR_NUMBER)
        out->reference = e->number;
    else
        out->expression = e;
    return ERR_OK;
}

static enum err build_reference(struct builder *b, const struct rule_def *d, uint32_t index,
                                struct rule *rule) {
    rule->has_reference = d->reference.kind != REFERENCE_NONE;
    if (!rule->has_reference) return ERR_OK;
    char field[96];
    snprintf(field, sizeof field, "rules[%u].referenceValue", index);
    struct rule_bounds found = {0};
    enum err code = ruleset_rules_reference(b->r, rule, &d->reference, &found,
                                            (struct ruleset_place){field, b->why});
    rule->reference = found.expression;
    rule->reference_number = found.reference;
    return code;
}

/* ---- kinds ---- */

static enum err build_comparison(struct builder *b, const struct rule_def *d, uint32_t index,
                                 struct rule *rule) {
    enum err code = build_measurements(b, d, index, rule);
    if (!code) code = build_reference(b, d, index, rule);
    if (code) return code;
    char field[96];
    snprintf(field, sizeof field, "rules[%u].operation", index);
    const char *name = ruleset_operation_names[d->operation];
    bool ordered = d->operation != OP_EQUAL && d->operation != OP_UNEQUAL;
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

static enum err build_collection(struct builder *b, const struct rule_def *d, uint32_t index,
                                 struct rule *rule) {
    const char *operation = ruleset_collection_names[d->collection];
    bool wants = d->collection != OP_INTERSECTION;
    char field[96];
    snprintf(field, sizeof field, "rules[%u].referenceValue", index);
    if (wants && d->reference.kind == REFERENCE_NONE) {
        return ruleset_refuse(b->why, field, "is missing; %s needs %s", operation,
                              d->collection == OP_CONTAINS ? "the string to look for"
                                                           : "the list to compare with");
    }
    if (!wants && d->reference.kind != REFERENCE_NONE) {
        return ruleset_refuse(b->why, field,
                              "has no meaning: intersection counts what the lists share with each "
                              "other; reference_intersection_count takes a reference");
    }
    enum err code = build_measurements(b, d, index, rule);
    if (!code) code = build_reference(b, d, index, rule);
    if (code) return code;
    snprintf(field, sizeof field, "rules[%u]", index);
    if (d->has_min && d->has_max && d->min > d->max) {
        return ruleset_refuse(b->why, field, "has minCount %g above maxCount %g", d->min, d->max);
    }
    if (!d->has_min && !d->has_max) {
        rule->has_min = true;
        rule->min = 1;
        if (b->notes) {
            strbuf_printf(b->notes, "%s has no minCount or maxCount: at least 1 is wanted\n",
                          field);
        }
    }
    return ERR_OK;
}

static enum err build_latency(struct builder *b, const struct rule_def *d, uint32_t index,
                              struct rule *rule) {
    char field[96];
    snprintf(field, sizeof field, "rules[%u]", index);
    rule->by_region = true;
    if (!d->has_max && !d->has_distance) {
        return ruleset_refuse(b->why, field,
                              "is a latency rule without maxLatency or maxDistance; needs one or "
                              "both");
    }
    snprintf(field, sizeof field, "rules[%u].distanceReference", index);
    if (d->has_distance && !d->has_latency) {
        return ruleset_refuse(b->why, field, "is missing; maxDistance needs it: min or avg");
    }
    if (!d->has_distance && d->has_latency) {
        return ruleset_refuse(b->why, field, "has no meaning without maxDistance");
    }
    return ERR_OK;
}

static enum err build_sort(struct builder *b, const struct rule_def *d, uint32_t index,
                           struct rule *rule) {
    (void)rule;
    return ruleset_sort_rule(b->r, d, index, b->why);
}

/* Its statement is parsed when all rules are known. */
static enum err build_compound(struct builder *b, const struct rule_def *d, uint32_t index,
                               struct rule *rule) {
    (void)b, (void)index;
    rule->statement = d->statement;
    return ERR_OK;
}

typedef enum err (*build_rule_fn)(struct builder *b, const struct rule_def *d, uint32_t index,
                                  struct rule *rule);

static const build_rule_fn build_rule[] = {
    [RULE_ABSOLUTE_SORT] = build_sort,    [RULE_BATCH_DISTANCE] = build_batch_distance,
    [RULE_COLLECTION] = build_collection, [RULE_COMPARISON] = build_comparison,
    [RULE_COMPOUND] = build_compound,     [RULE_DISTANCE] = build_distance,
    [RULE_DISTANCE_SORT] = build_sort,    [RULE_LATENCY] = build_latency,
};

bool ruleset_kind_in_compound(enum rule_kind kind) {
    return kind == RULE_COLLECTION || kind == RULE_COMPARISON || kind == RULE_DISTANCE ||
           kind == RULE_LATENCY;
}

static bool asks_for_region(const struct ruleset *r, const struct ruleset_term *t) {
    if (t->function == TERM_RULE) return r->rules[t->rule].by_region;
    for (uint32_t i = 0; i < t->count; i++) {
        if (asks_for_region(r, t->of[i])) return true;
    }
    return false;
}

static enum err build_statement(struct builder *b, uint32_t index) {
    struct rule *rule = &b->r->rules[index];
    if (rule->kind != RULE_COMPOUND || rule->broken) return ERR_OK;
    char field[96];
    snprintf(field, sizeof field, "rules[%u].statement", index);
    rule->term =
        ruleset_compound_parse(b->r, rule->statement, (struct ruleset_place){field, b->why});
    rule->broken = !rule->term;
    if (rule->broken) return ERR_INVALID_ARGUMENT;
    rule->by_region = asks_for_region(b->r, rule->term);
    return ERR_OK;
}

static void note_texts(const struct builder *b) {
    if (!b->notes) return;
    for (uint32_t i = 0; i < b->r->rule_count; i++) {
        const struct rule *rule = &b->r->rules[i];
        if (!rule->reference || rule->reference->kind != EXPR_TEXT) continue;
        strbuf_printf(b->notes, "rules[%u].referenceValue \"%.*s\" was read as a text\n", i,
                      STR_PRINT(rule->reference->source));
    }
}

static enum err build_one(struct builder *b, uint32_t index) {
    const struct rule_def *d = &b->def->rules[index];
    struct rule *rule = &b->r->rules[index];
    *rule = (struct rule){.name = d->name,
                          .description = d->description,
                          .kind = d->kind,
                          .party = d->party,
                          .operation = d->operation,
                          .collection = d->collection,
                          .has_min = d->has_min,
                          .has_max = d->has_max,
                          .min = d->min,
                          .max = d->max,
                          .has_distance = d->has_distance,
                          .distance = d->distance,
                          .latency = d->latency};
    enum err code = build_rule[d->kind](b, d, index, rule);
    rule->broken = code != ERR_OK;
    return code;
}

void ruleset_rules_build(struct ruleset *r, const struct ruleset_def *def, struct strbuf *notes,
                         struct ruleset_told *told) {
    struct builder b = {.r = r, .def = def, .notes = notes, .why = &told->one};
    r->rules = arena_alloc(r->arena, (def->rule_count + RULESET_ADDED_MAX) * sizeof *r->rules);
    r->rule_count = def->rule_count;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        if (!ruleset_go_on(told, build_one(&b, i))) return;
    }
    for (uint32_t i = 0; i < r->rule_count; i++) {
        if (!ruleset_go_on(told, build_statement(&b, i))) return;
    }
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule *rule = &r->rules[i];
        r->has_latency = r->has_latency || (rule->kind == RULE_LATENCY && !rule->governed);
    }
    if (!told->any) note_texts(&b);
}
