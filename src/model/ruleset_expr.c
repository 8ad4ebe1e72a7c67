/* ruleset_expr.c - parses property expressions and gives them a type. */
#include "model/ruleset_expr.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NESTING_MAX 16 /* aggregates in aggregates; no typed expression needs more than 6 */

struct parser {
    const struct ruleset *r;
    struct str text;
    size_t at;
    const char *field;
    struct err_text *why;
    int nesting;
};

/* One row per aggregate: how many of the innermost list levels it reads and what it leaves. */
static const struct aggregate_row {
    const char *name;
    enum expr_aggregate function;
    uint8_t depth; /* least depth of the argument */
    bool numbers;  /* only of numbers */
} aggregates[] = {
    {"min", AGGREGATE_MIN, 1, true},
    {"max", AGGREGATE_MAX, 1, true},
    {"avg", AGGREGATE_AVG, 1, true},
    {"median", AGGREGATE_MEDIAN, 1, true},
    {"sum", AGGREGATE_SUM, 1, true},
    {"stddev", AGGREGATE_STDDEV, 1, true},
    {"count", AGGREGATE_COUNT, 1, false},
    {"flatten", AGGREGATE_FLATTEN, 2, false},
    {"set_intersection", AGGREGATE_SET_INTERSECTION, 2, false},
};
#define AGGREGATE_ROWS (sizeof aggregates / sizeof aggregates[0])

static const char *const words[] = {"min",    "max",   "avg",     "median",           "sum",
                                    "stddev", "count", "flatten", "set_intersection", "teams",
                                    "players"};
#define WORD_COUNT (sizeof words / sizeof words[0])

static const struct ruleset_expr *parse_expr(struct parser *p);

/* Always NULL, so that parsers can return it. */
static void *fail(struct parser *p, const char *problem, struct str part, const char *hint) {
    struct str shown = ruleset_excerpt(p->text);
    part = ruleset_excerpt(part);
    if (!hint) hint = "";
    enum err code =
        part.size ? ruleset_refuse(p->why, p->field, "\"%.*s\": %s \"%.*s\" at character %zu%s",
                                   STR_PRINT(shown), problem, STR_PRINT(part), p->at + 1, hint)
                  : ruleset_refuse(p->why, p->field, "\"%.*s\": %s the end%s", STR_PRINT(shown),
                                   problem, hint);
    (void)code;
    return NULL;
}

static struct str rest(const struct parser *p) {
    return (struct str){p->text.at + p->at, p->text.size - p->at};
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct parser *p) {
    while (p->at < p->text.size && is_space(p->text.at[p->at]))
        p->at++;
}

static bool take(struct parser *p, char c) {
    skip_space(p);
    if (p->at == p->text.size || p->text.at[p->at] != c) return false;
    p->at++;
    return true;
}

static bool expect(struct parser *p, char c) {
    if (take(p, c)) return true;
    char problem[32];
    snprintf(problem, sizeof problem, "'%c' is missing before", c);
    fail(p, problem, rest(p), NULL);
    return false;
}

static struct str peek_word(const struct parser *p) {
    size_t end = p->at;
    while (end < p->text.size) {
        char c = p->text.at[end];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter) break;
        end++;
    }
    return (struct str){p->text.at + p->at, end - p->at};
}

static bool take_word(struct parser *p, const char *word) {
    skip_space(p);
    struct str found = peek_word(p);
    if (!str_equal(found, str_of(word))) return false;
    p->at += found.size;
    return true;
}

/* A name inside brackets: up to `]` or, in a list, a comma; outer spaces do not count. */
static bool parse_name(struct parser *p, bool in_list, struct str *name) {
    skip_space(p);
    size_t start = p->at, end = p->at;
    while (end < p->text.size && p->text.at[end] != ']' && !(in_list && p->text.at[end] == ',')) {
        end++;
    }
    p->at = end;
    while (end > start && is_space(p->text.at[end - 1]))
        end--;
    *name = (struct str){p->text.at + start, end - start};
    if (name->size == 0) {
        fail(p, "a name is missing before", rest(p), NULL);
        return false;
    }
    return true;
}

/* ---- paths ---- */

uint32_t ruleset_mark_teams(const struct ruleset *r, struct str name, bool *marked) {
    uint32_t first = 0, found = 0;
    for (uint32_t d = 0; d < r->team_def_count; d++) {
        const struct team_def *t = &r->team_defs[d];
        bool whole = str_equal(t->name, name);
        for (uint32_t q = 1; q <= t->quantity; q++) {
            char copy[LIMIT_NAME_BYTES + 16];
            int size = snprintf(copy, sizeof copy, "%.*s_%u", STR_PRINT(t->name), q);
            bool named = t->quantity > 1 && str_equal((struct str){copy, (size_t)size}, name);
            if (!whole && !named) continue;
            marked[first + q - 1] = true;
            found++;
        }
        first += t->quantity;
    }
    return found;
}

static bool parse_team_list(struct parser *p, struct ruleset_expr *e) {
    bool marked[LIMIT_TEAMS] = {false};
    bool several = false;
    do {
        struct str name;
        size_t start = p->at;
        if (!parse_name(p, true, &name)) return false;
        uint32_t found = 0;
        if (str_equal(name, STR("*"))) {
            for (uint32_t t = 0; t < p->r->team_count; t++)
                marked[t] = true;
            several = true;
            found = p->r->team_count;
        } else {
            found = ruleset_mark_teams(p->r, name, marked);
        }
        if (found == 0) {
            const struct ruleset_names teams = {p->r->team_defs, sizeof *p->r->team_defs,
                                                offsetof(struct team_def, name),
                                                p->r->team_def_count};
            char hint[RULESET_HINT_BYTES];
            p->at = start;
            fail(p, "no team has the name", name, ruleset_hint(name, &teams, hint));
            return false;
        }
        if (found > 1) several = true;
        if (!take(p, ',')) break;
        several = true;
    } while (true);
    uint32_t *teams = arena_alloc(p->r->arena, p->r->team_count * sizeof *teams);
    for (uint32_t t = 0; t < p->r->team_count; t++) {
        if (marked[t]) teams[e->path.team_count++] = t;
    }
    e->path.teams = teams;
    e->path.by_team = several;
    e->path.every_team = e->path.team_count == p->r->team_count;
    return expect(p, ']');
}

static bool parse_attribute(struct parser *p, struct ruleset_expr *e) {
    struct str name;
    if (!expect(p, '[')) return false;
    skip_space(p);
    size_t start = p->at;
    if (!parse_name(p, false, &name)) return false;
    e->path.attribute = ruleset_attribute(p->r, name);
    if (!e->path.attribute) {
        const struct ruleset_names declared = {p->r->attributes, sizeof *p->r->attributes,
                                               offsetof(struct attribute_def, value.name),
                                               p->r->attribute_count};
        char hint[RULESET_HINT_BYTES];
        p->at = start;
        fail(p, "playerAttributes does not declare", name, ruleset_hint(name, &declared, hint));
        return false;
    }
    if (!expect(p, ']')) return false;
    enum attribute_kind kind = e->path.attribute->value.kind;
    e->base = kind == ATTRIBUTE_NUMBER || kind == ATTRIBUTE_MAP ? EXPR_OF_NUMBERS : EXPR_OF_TEXTS;
    if (kind == ATTRIBUTE_LIST) {
        e->depth++;
        e->collection = true;
    }
    bool keyed = take(p, '[');
    if (keyed != (kind == ATTRIBUTE_MAP)) {
        fail(p,
             keyed ? "only a string_number_map takes a [key] after"
                   : "a string_number_map needs a [key] after",
             name, NULL);
        return false;
    }
    return !keyed || (parse_name(p, false, &e->path.map_key) && expect(p, ']'));
}

static bool parse_tail(struct parser *p, struct ruleset_expr *e) {
    e->base = EXPR_OF_TEXTS; /* player ids: what `teams[red].players` alone is, for count */
    e->depth = e->path.by_team ? 2 : 1;
    if (take(p, '[')) {
        struct str name;
        if (!parse_name(p, false, &name)) return false;
        bool is_id = name.size == 8 && strncasecmp(name.at, "playerId", 8) == 0;
        if (!is_id) {
            fail(p, "players[...] takes playerId, not", name, NULL);
            return false;
        }
        return expect(p, ']');
    }
    if (!take(p, '.')) return true;
    if (!take_word(p, "attributes")) {
        fail(p, "expected attributes[name], found", rest(p), NULL);
        return false;
    }
    return parse_attribute(p, e);
}

static const struct ruleset_expr *parse_path(struct parser *p, bool of_teams) {
    struct ruleset_expr *e = arena_alloc(p->r->arena, sizeof *e);
    e->kind = EXPR_PATH;
    if (of_teams) {
        if (!expect(p, '[') || !parse_team_list(p, e) || !expect(p, '.')) return NULL;
        if (!take_word(p, "players")) return fail(p, "expected players, found", rest(p), NULL);
    } else {
        uint32_t *teams = arena_alloc(p->r->arena, p->r->team_count * sizeof *teams);
        for (uint32_t t = 0; t < p->r->team_count; t++)
            teams[t] = t;
        e->path.teams = teams;
        e->path.team_count = p->r->team_count;
        e->path.every_team = true;
    }
    return parse_tail(p, e) ? e : NULL;
}

/* ---- aggregates ---- */

static const struct ruleset_expr *type_aggregate(struct parser *p, const struct aggregate_row *row,
                                                 const struct ruleset_expr *of) {
    struct str name = str_of(row->name);
    if (of->depth < row->depth) {
        return fail(p,
                    row->depth == 1 ? "one value has nothing to aggregate in"
                                    : "a plain list is not a list of lists for",
                    name, NULL);
    }
    if (row->numbers && of->base != EXPR_OF_NUMBERS) {
        return fail(p, "strings cannot be aggregated by", name, NULL);
    }
    struct ruleset_expr *e = arena_alloc(p->r->arena, sizeof *e);
    e->kind = EXPR_AGGREGATE;
    e->aggregate.function = row->function;
    e->aggregate.of = of;
    e->base = row->function == AGGREGATE_COUNT ? EXPR_OF_NUMBERS : of->base;
    e->depth = of->depth - 1;
    /* flatten of players' collections leaves collections while their level is left */
    e->collection = (row->function == AGGREGATE_FLATTEN && of->collection && of->depth > 2) ||
                    (row->function == AGGREGATE_SET_INTERSECTION && of->base == EXPR_OF_TEXTS);
    return e;
}

static const struct ruleset_expr *parse_aggregate(struct parser *p,
                                                  const struct aggregate_row *row) {
    if (p->nesting == NESTING_MAX) {
        return fail(p, "nests too deep at", str_of(row->name), NULL);
    }
    if (!expect(p, '(')) return NULL;
    p->nesting++;
    const struct ruleset_expr *of = parse_expr(p);
    p->nesting--;
    if (!of || !expect(p, ')')) return NULL;
    return type_aggregate(p, row, of);
}

/* ---- literals ---- */

static const struct ruleset_expr *parse_number(struct parser *p) {
    size_t end = p->at;
    while (end < p->text.size && strchr("+-.0123456789eE", p->text.at[end]) &&
           p->text.at[end] != '\0') {
        end++;
    }
    struct str digits = {p->text.at + p->at, end - p->at};
    double number;
    if (!str_to_double(digits, &number)) return fail(p, "not a number:", digits, NULL);
    p->at = end;
    struct ruleset_expr *e = arena_alloc(p->r->arena, sizeof *e);
    e->kind = EXPR_NUMBER;
    e->base = EXPR_OF_NUMBERS;
    e->number = number;
    return e;
}

static const struct ruleset_expr *parse_quoted(struct parser *p, char quote) {
    size_t start = p->at;
    const char *end = memchr(p->text.at + start, quote, p->text.size - start);
    if (!end) return fail(p, "no closing quote after", rest(p), NULL);
    struct ruleset_expr *e = arena_alloc(p->r->arena, sizeof *e);
    e->kind = EXPR_TEXT;
    e->base = EXPR_OF_TEXTS;
    e->text = (struct str){p->text.at + start, (size_t)(end - p->text.at) - start};
    p->at = start + e->text.size + 1;
    return e;
}

static const struct ruleset_expr *parse_word(struct parser *p) {
    struct str word = peek_word(p);
    for (size_t i = 0; i < AGGREGATE_ROWS; i++) {
        if (!str_equal(word, str_of(aggregates[i].name))) continue;
        p->at += word.size;
        return parse_aggregate(p, &aggregates[i]);
    }
    bool of_teams = str_equal(word, STR("teams")) || str_equal(word, STR("team"));
    if (of_teams || str_equal(word, STR("players"))) {
        p->at += word.size;
        return parse_path(p, of_teams);
    }
    const char *nearest = str_nearest(word, words, WORD_COUNT);
    char hint[64];
    if (nearest) snprintf(hint, sizeof hint, "; did you mean %s?", nearest);
    return fail(p, "unknown word", word.size ? word : rest(p), nearest ? hint : NULL);
}

static const struct ruleset_expr *parse_expr(struct parser *p) {
    skip_space(p);
    if (p->at == p->text.size) return fail(p, "an expression is missing at", rest(p), NULL);
    char c = p->text.at[p->at];
    if ((c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+') return parse_number(p);
    if (c == '\'' || c == '"') {
        p->at++;
        return parse_quoted(p, c);
    }
    return parse_word(p);
}

const struct ruleset_expr *ruleset_expr_parse(const struct ruleset *r, struct str text,
                                              const char *field, struct err_text *why) {
    struct parser p = {.r = r, .text = text, .field = field, .why = why};
    const struct ruleset_expr *e = parse_expr(&p);
    if (!e) return NULL;
    skip_space(&p);
    if (p.at < text.size) return fail(&p, "nothing may follow, but there is", rest(&p), NULL);
    struct ruleset_expr *whole = arena_alloc(r->arena, sizeof *whole);
    *whole = *e;
    whole->source = text;
    return whole;
}

bool ruleset_expr_looks_like(struct str text) {
    struct parser p = {.text = text};
    skip_space(&p);
    struct str word = peek_word(&p);
    if (word.size == 0 || !str_nearest(word, words, WORD_COUNT)) return false;
    p.at += word.size;
    skip_space(&p);
    return p.at < text.size && strchr("([.", text.at[p.at]) && text.at[p.at] != '\0';
}
