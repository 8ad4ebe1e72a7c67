/* ruleset_algorithm.c - expansions of the algorithm section: another order of trying as time goes.
 *
 * expansionAgeSelection is no target: it says whose age decides about steps, so it cannot wait for
 * one. A step's value is a word, but for sortByAttributes a list.
 */
#include "model/ruleset_def.h"

#include <stdio.h>
#include <string.h>

enum algorithm_property { STRATEGY, BATCHING, BALANCED, SORT_BY, BACKFILL, PROPERTY_COUNT };

static const char *const property_names[] = {"strategy", "batchingPreference", "balancedAttribute",
                                             "sortByAttributes", "backfillPriority"};

#define PREFIX "algorithm."

bool ruleset_is_algorithm_target(struct str target) {
    return str_starts(target, STR(PREFIX));
}

static struct str property_of(const struct expansion_def *e) {
    size_t skip = sizeof PREFIX - 1;
    return (struct str){e->target.at + skip, e->target.size - skip};
}

/* PROPERTY_COUNT when it is none. */
static enum algorithm_property find_property(const struct expansion_def *e) {
    for (int i = 0; ruleset_is_algorithm_target(e->target) && i < PROPERTY_COUNT; i++) {
        if (str_equal(property_of(e), str_of(property_names[i]))) return (enum algorithm_property)i;
    }
    return PROPERTY_COUNT;
}

static bool has_expansion(const struct ruleset_def *def, enum algorithm_property property) {
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        if (find_property(&def->expansions[i]) == property) return true;
    }
    return false;
}

struct ruleset_later ruleset_algorithm_later(const struct ruleset_def *def) {
    return (struct ruleset_later){has_expansion(def, STRATEGY), has_expansion(def, BATCHING)};
}

/* The words a property takes; NULL: attributes. */
static const char *const *words_of(enum algorithm_property p) {
    return p == STRATEGY   ? ruleset_strategy_names
           : p == BATCHING ? ruleset_batching_names + 1
           : p == BACKFILL ? ruleset_backfill_names
                           : NULL;
}

static int find_word(const char *const *words, struct str word) {
    for (int i = 0; words[i]; i++) {
        if (str_equal(word, str_of(words[i]))) return i;
    }
    return -1;
}

/* ---- checks ---- */

static enum err refuse_property(const struct expansion_def *e, const char *field,
                                struct err_text *why) {
    struct str shown = ruleset_excerpt(e->target);
    if (str_equal(property_of(e), STR("expansionAgeSelection"))) {
        return ruleset_refuse(why, field,
                              "\"%.*s\" cannot expand: it says whose age decides about the steps, "
                              "so it cannot wait for one",
                              STR_PRINT(shown));
    }
    const char *nearest = str_nearest(property_of(e), property_names, PROPERTY_COUNT);
    return ruleset_refuse(
        why, field,
        "\"%.*s\": the algorithm has strategy, batchingPreference, "
        "balancedAttribute, sortByAttributes and backfillPriority to expand%s%s%s",
        STR_PRINT(shown), nearest ? "; did you mean \"" PREFIX : "", nearest ? nearest : "",
        nearest ? "\"?" : "");
}

static void say_found(const struct step_def *step, char *out, size_t size) {
    if (step->other.kind == REFERENCE_LIST)
        snprintf(out, size, "a list");
    else if (step->other.kind == REFERENCE_TEXT)
        snprintf(out, size, "a string");
    else
        snprintf(out, size, "%g", step->value);
}

static enum err check_value(enum algorithm_property p, const struct step_def *step,
                            const char *field, struct err_text *why) {
    const struct reference_def *value = &step->other;
    char found[32];
    say_found(step, found, sizeof found);
    const char *const *words = words_of(p);
    char known[128];
    size_t used = 0, count = 0;
    for (; words && words[count]; count++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", count ? ", " : "",
                                 words[count]);
    }
    if (value->kind != (p == SORT_BY ? REFERENCE_LIST : REFERENCE_TEXT)) {
        return ruleset_refuse(why, field, "is %s; must be %s%s", found,
                              p == SORT_BY ? "a list of attributes"
                              : words      ? "one of: "
                                           : "an attribute's name",
                              words ? known : "");
    }
    if (!words || find_word(words, value->text) >= 0) return ERR_OK;
    struct str shown = ruleset_excerpt(value->text);
    const char *nearest = str_nearest(value->text, words, count);
    return ruleset_refuse(why, field, "\"%.*s\" is not known; %s%s%s: %s", STR_PRINT(shown),
                          nearest ? "did you mean \"" : "", nearest ? nearest : "",
                          nearest ? "\"? Supported" : "supported", known);
}

enum err ruleset_algorithm_check(const struct ruleset_def *def, uint32_t expansion,
                                 struct err_text *why) {
    const struct expansion_def *e = &def->expansions[expansion];
    enum algorithm_property p = find_property(e);
    char field[96];
    snprintf(field, sizeof field, "expansions[%u].target", expansion);
    if (p == PROPERTY_COUNT) return refuse_property(e, field, why);
    for (uint32_t i = 0; i < expansion; i++) {
        if (find_property(&def->expansions[i]) != p) continue;
        return ruleset_refuse(why, field, "\"%.*s\" is the target of expansions[%u] already",
                              STR_PRINT(e->target), i);
    }
    for (uint32_t s = 0; s < e->step_count; s++) {
        snprintf(field, sizeof field, "expansions[%u].steps[%u].value", expansion, s);
        enum err code = check_value(p, &e->steps[s], field, why);
        if (code) return code;
    }
    return ERR_OK;
}

/* ---- the section at one age ---- */

static void apply(struct algorithm_def *a, enum algorithm_property p,
                  const struct reference_def *value) {
    const char *const *words = words_of(p);
    int word = words ? find_word(words, value->text) : 0;
    switch (p) {
    case STRATEGY:
        a->is_balanced = word == 1;
        return;
    case BATCHING:
        a->batching = (enum batching)(BATCHING_RANDOM + word);
        return;
    case BALANCED:
        a->balanced = value->text;
        return;
    case SORT_BY:
        a->sort_by = value->items;
        a->sort_by_count = value->item_count;
        return;
    case BACKFILL:
        a->backfill = (enum ruleset_backfill)word;
        return;
    case PROPERTY_COUNT:
        return;
    }
}

static struct algorithm_def section_at(const struct ruleset_def *def, int64_t age_ms) {
    struct algorithm_def a = def->algorithm;
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        const struct expansion_def *e = &def->expansions[i];
        enum algorithm_property p = find_property(e);
        for (uint32_t s = 0; p != PROPERTY_COUNT && s < e->step_count; s++) {
            if (e->steps[s].wait_ms <= age_ms) apply(&a, p, &e->steps[s].other);
        }
    }
    return a;
}

enum err ruleset_algorithm_build(struct ruleset *r, const struct ruleset_def *def,
                                 const struct ruleset_order *sorts, struct err_text *why) {
    bool expands = false;
    for (uint32_t i = 0; i < def->expansion_count; i++)
        expands = expands || ruleset_is_algorithm_target(def->expansions[i].target);
    for (uint32_t s = 0; s < r->step_count; s++) {
        struct ruleset_step *step = &r->steps[s];
        step->order = &r->first_order;
        if (!expands) continue;
        struct algorithm_def a = section_at(def, step->age_ms);
        struct ruleset_order *order = arena_alloc(r->arena, sizeof *order);
        struct err_text own;
        char after[40];
        *order = *sorts;
        step->order = order;
        enum err code = ruleset_sort_build(r, &a, ruleset_algorithm_later(def), order, &own);
        if (!code) continue;
        return err_set_field(why, code, own.field, "%.400s%s", own.text,
                             ruleset_after(step->age_ms, after));
    }
    return ERR_OK;
}
