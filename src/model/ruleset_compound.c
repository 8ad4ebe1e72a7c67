/* ruleset_compound.c - parses the statement of a compound rule: and(a, or(b, not(c))).
 *
 *   term := function '(' term (',' term)* ')' | rule name      function := and|or|not|xor
 */
#include "model/ruleset_def.h"

#include <stdio.h>
#include <string.h>

#define NESTING_MAX 16 /* refused */
#define TERMS_MAX 256  /* names and functions of one statement: refused */

struct parser {
    struct ruleset *r;
    struct str text;
    size_t at;
    struct ruleset_place place;
    uint32_t terms;
};

static const char *const function_names[] = {"and", "or", "not", "xor"};
#define FUNCTION_COUNT (sizeof function_names / sizeof function_names[0])

static const struct ruleset_term *parse_term(struct parser *p, int nesting);

/* Always NULL, so that parsers can return it. */
static void *fail(struct parser *p, const char *problem, struct str part, const char *hint) {
    struct str shown = ruleset_excerpt(p->text);
    part = ruleset_excerpt(part);
    enum err code =
        part.size ? ruleset_refuse(p->place.why, p->place.field,
                                   "\"%.*s\": %s \"%.*s\" at character %zu%s", STR_PRINT(shown),
                                   problem, STR_PRINT(part), p->at + 1, hint)
                  : ruleset_refuse(p->place.why, p->place.field, "\"%.*s\": %s the end%s",
                                   STR_PRINT(shown), problem, hint);
    (void)code;
    return NULL;
}

static struct str rest(const struct parser *p) {
    return (struct str){p->text.at + p->at, p->text.size - p->at};
}

static void skip_space(struct parser *p) {
    while (p->at < p->text.size && strchr(" \t\r\n", p->text.at[p->at]))
        p->at++;
}

static bool take(struct parser *p, char c) {
    skip_space(p);
    if (p->at == p->text.size || p->text.at[p->at] != c) return false;
    p->at++;
    return true;
}

/* Up to a bracket or comma, without outer spaces; does not move. */
static struct str peek_word(struct parser *p) {
    skip_space(p);
    size_t end = p->at;
    while (end < p->text.size && !strchr("(),", p->text.at[end]))
        end++;
    while (end > p->at && strchr(" \t\r\n", p->text.at[end - 1]))
        end--;
    return (struct str){p->text.at + p->at, end - p->at};
}

/* The rule of that name, which the statement governs from now on; RULESET_NONE: a mistake. */
static uint32_t find_rule(struct parser *p, struct str name) {
    struct ruleset *r = p->r;
    uint32_t i = 0;
    while (i < r->rule_count && !str_equal(r->rules[i].name, name))
        i++;
    if (i == r->rule_count) {
        const struct ruleset_names rules = {r->rules, sizeof *r->rules, offsetof(struct rule, name),
                                            r->rule_count};
        char hint[RULESET_HINT_BYTES];
        ruleset_hint(name, &rules, hint);
        fail(p, "no rule has the name", name, hint);
        return RULESET_NONE;
    }
    struct rule *rule = &r->rules[i];
    if (!ruleset_kind_in_compound(rule->kind)) {
        char hint[128];
        snprintf(hint, sizeof hint,
                 "; a compound names collection, comparison, distance and "
                 "latency rules, no %s",
                 ruleset_kind_names[rule->kind]);
        fail(p, "may not name the rule", name, hint);
        return RULESET_NONE;
    }
    rule->governed = true;
    return i;
}

static const struct ruleset_term *parse_arguments(struct parser *p, struct ruleset_term *t,
                                                  int nesting) {
    const struct ruleset_term *list[LIMIT_RULES];
    if (nesting == NESTING_MAX) return fail(p, "nests too deep at", rest(p), "");
    do {
        if (t->count == LIMIT_RULES) return fail(p, "has too many arguments at", rest(p), "");
        list[t->count] = parse_term(p, nesting + 1);
        if (!list[t->count]) return NULL;
        t->count++;
    } while (take(p, ','));
    if (!take(p, ')')) return fail(p, "')' is missing before", rest(p), "");
    if (t->function == TERM_NOT && t->count != 1) {
        return fail(p, "not takes one argument; there are more before", rest(p), "");
    }
    const struct ruleset_term **of = arena_alloc(p->r->arena, t->count * sizeof *of);
    memcpy(of, list, t->count * sizeof *of);
    t->of = of;
    return t;
}

static const struct ruleset_term *parse_term(struct parser *p, int nesting) {
    struct str word = peek_word(p);
    if (word.size == 0) return fail(p, "a rule's name is missing before", rest(p), "");
    if (p->terms++ == TERMS_MAX) return fail(p, "has too many terms at", rest(p), "");
    struct ruleset_term *t = arena_alloc(p->r->arena, sizeof *t);
    size_t start = p->at;
    p->at += word.size;
    if (!take(p, '(')) {
        p->at = start;
        t->function = TERM_RULE;
        t->rule = find_rule(p, word);
        p->at = start + word.size;
        return t->rule == RULESET_NONE ? NULL : t;
    }
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (!str_equal(word, str_of(function_names[i]))) continue;
        t->function = (enum term_function)(TERM_AND + i);
        return parse_arguments(p, t, nesting);
    }
    p->at = start;
    return fail(p, "no function has the name", word, "; there are and, or, not, xor");
}

const struct ruleset_term *ruleset_compound_parse(struct ruleset *r, struct str statement,
                                                  struct ruleset_place at) {
    struct parser p = {.r = r, .text = statement, .place = at};
    const struct ruleset_term *t = parse_term(&p, 0);
    if (!t) return NULL;
    skip_space(&p);
    if (p.at < statement.size) return fail(&p, "nothing may follow, but there is", rest(&p), "");
    return t;
}
