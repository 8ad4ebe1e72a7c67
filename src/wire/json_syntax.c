/* json_syntax.c - faults of JSON in words for people. */
#include "wire/json_syntax.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/json_place.h"
#include "wire/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- faults ---- */

struct fault {
    struct str text;  /* the whole document */
    struct str token; /* what the parser stopped at; empty: the end, or not known */
    size_t at;        /* where the token begins */
    const char *said; /* the parser's words */
};

/* The token is quoted behind "near '" in the parser's words, and ends at its position. */
static struct fault find_token(struct str text, const json_error_t *error) {
    size_t end = error->position > 0 ? (size_t)error->position : 0;
    struct fault f = {.text = text, .at = end < text.size ? end : text.size, .said = error->text};
    const char *near = strstr(error->text, " near '");
    const char *close = strrchr(error->text, '\'');
    if (!near || close <= near + 7) return f;
    size_t size = (size_t)(close - near) - 7;
    bool there = size <= f.at && memcmp(text.at + f.at - size, near + 7, size) == 0;
    if (!there) return f;
    f.at -= size;
    f.token = (struct str){text.at + f.at, size};
    return f;
}

static char first_of(const struct fault *f) {
    return f->token.size ? f->token.at[0] : '\0';
}

/* The last character before the token that is no blank. */
static char before(const struct fault *f) {
    size_t i = f->at;
    while (i > 0 && strchr(" \t\r\n", f->text.at[i - 1]))
        i--;
    return i > 0 ? f->text.at[i - 1] : '\0';
}

static bool says(const struct fault *f, const char *words) {
    return strstr(f->said, words) != NULL;
}

static bool starts_value(char c) {
    return c != '\0' && !strchr(":,]}", c);
}

/* Where the innermost bracket that is still open stands; the text's size: none is. */
static size_t find_open(struct str text) {
    size_t open[JSON_READ_DEPTH_MAX];
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (in_string && c == '\\') i++;
        if (c == '"') in_string = !in_string;
        if (in_string) continue;
        if ((c == '{' || c == '[') && depth < JSON_READ_DEPTH_MAX) open[depth++] = i;
        if ((c == '}' || c == ']') && depth > 0) depth--;
    }
    return depth > 0 ? open[depth - 1] : text.size;
}

static void explain_end(const struct fault *f, struct err_text *why) {
    size_t open = find_open(f->text);
    if (open == f->text.size) {
        err_set(why, ERR_INVALID_ARGUMENT,
                "there is nothing in the text; it must be an object "
                "{...} or a list [...]");
        return;
    }
    struct json_place place = json_place_at(f->text, open);
    err_set(why, ERR_INVALID_ARGUMENT,
            "the text ends inside the %s that begins at line %u, column "
            "%u; is a closing '%c' missing?",
            f->text.at[open] == '{' ? "object" : "list", place.line, place.column,
            f->text.at[open] == '{' ? '}' : ']');
}

/* What people write who think of another language; NULL: something else. */
static const char *habit_of(const struct fault *f) {
    char next = f->at + 1 < f->text.size ? f->text.at[f->at + 1] : '\0';
    struct str t = f->token;
    if (first_of(f) == '\'') return "texts and names stand in double quotes";
    if (first_of(f) == '/' && next == '*') return "comments begin with // and end with their line";
    if (first_of(f) == '#') return "comments begin with //";
    if (str_equal(t, STR("True")) || str_equal(t, STR("False")))
        return "JSON writes true and false";
    if (str_equal(t, STR("None")) || str_equal(t, STR("nil")) || str_equal(t, STR("undefined")))
        return "leave out what has no value";
    if (str_starts(t, STR("NaN")) || str_starts(t, STR("Infinity")) || str_starts(t, STR("-Inf")))
        return "JSON has no such number; leave out a bound that does not bind";
    if (first_of(f) == '+' || first_of(f) == '.') return "numbers begin with a digit or -";
    return NULL;
}

static void explain_token(const struct fault *f, struct err_text *why) {
    struct str t = f->token;
    const char *habit = habit_of(f);
    bool closes = first_of(f) == '}' || first_of(f) == ']';
    bool wants_comma = says(f, "'}' expected") || says(f, "']' expected");
    if (habit) {
        err_set(why, ERR_INVALID_ARGUMENT, "%.*s cannot stand here: %s", STR_PRINT(t), habit);
    } else if (closes && before(f) == ',') {
        err_set(why, ERR_INVALID_ARGUMENT, "there is a comma too many before '%c'", first_of(f));
    } else if (says(f, "string or '}' expected")) {
        err_set(why, ERR_INVALID_ARGUMENT, "a name in double quotes must stand here, not %.*s",
                STR_PRINT(t));
    } else if (wants_comma && starts_value(first_of(f))) {
        err_set(why, ERR_INVALID_ARGUMENT, "a comma is missing before %.*s", STR_PRINT(t));
    } else if (wants_comma && closes) {
        err_set(why, ERR_INVALID_ARGUMENT, "'%c' is missing before '%c'",
                says(f, "'}' expected") ? '}' : ']', first_of(f));
    } else if (says(f, "':' expected")) {
        err_set(why, ERR_INVALID_ARGUMENT,
                "':' is missing between a name and its value, before "
                "%.*s",
                STR_PRINT(t));
    } else if (says(f, "'[' or '{' expected")) {
        err_set(why, ERR_INVALID_ARGUMENT,
                "the text must be an object {...} or a list [...], not %.*s", STR_PRINT(t));
    } else if (says(f, "end of file expected")) {
        err_set(why, ERR_INVALID_ARGUMENT, "the text goes on behind its end, with %.*s",
                STR_PRINT(t));
    } else if (says(f, "overflow")) {
        err_set(why, ERR_INVALID_ARGUMENT, "%.*s is too large for a number", STR_PRINT(t));
    } else if (says(f, "unexpected newline") || says(f, "premature end of input")) {
        err_set(why, ERR_INVALID_ARGUMENT,
                "the string %.*s is not closed in its line; is a quote missing?", STR_PRINT(t));
    } else if (says(f, "unexpected token")) {
        err_set(why, ERR_INVALID_ARGUMENT, "a value must stand here, not %.*s", STR_PRINT(t));
    } else {
        err_set(why, ERR_INVALID_ARGUMENT, "%s", f->said);
    }
}

void json_syntax_explain(struct str text, const json_error_t *error, struct problem *out) {
    struct fault f = find_token(text, error);
    bool at_end = says(&f, "near end of file") || text.size == 0;
    *out = (struct problem){0};
    if (at_end)
        explain_end(&f, &out->what);
    else
        explain_token(&f, &out->what);
    struct json_place place = json_place_at(text, f.at);
    out->line = place.line;
    out->column = place.column;
}

/* ---- keys that stand twice ---- */

struct key {
    struct str name; /* as it is meant: escapes are undone */
    size_t at;       /* of its quote in the text */
    uint32_t object; /* numbered as they begin */
    struct str path; /* of the object */
};

struct level {
    bool is_object, wants_key;
    uint32_t object, index;
    size_t path_size; /* of the container's own path */
};

struct walk {
    struct str json;
    size_t at;
    struct level levels[JSON_READ_DEPTH_MAX + 1];
    int depth;
    uint32_t object_count;
    char path[ERR_FIELD_BYTES]; /* of the value that comes next, cut where it is longer */
    struct arena *arena;
    struct key *keys;
    size_t key_count, key_capacity;
};

static struct str cut_string(struct walk *w) {
    size_t start = w->at++;
    while (w->json.at[w->at] != '"')
        w->at += w->json.at[w->at] == '\\' ? 2 : 1;
    w->at++;
    return (struct str){w->json.at + start, w->at - start};
}

/* The path of the value that comes next in the innermost container. */
static void enter_path(struct walk *w, struct str member) {
    struct level *l = &w->levels[w->depth - 1];
    char *end = w->path + l->path_size;
    size_t room = sizeof w->path - l->path_size;
    if (l->is_object)
        (void)snprintf(end, room, "%s%.*s", l->path_size ? "." : "", STR_PRINT(member));
    else
        (void)snprintf(end, room, "[%u]", l->index);
}

static void add_key(struct walk *w, struct str quoted) {
    struct level *l = &w->levels[w->depth - 1];
    struct key k = {.at = (size_t)(quoted.at - w->json.at), .object = l->object};
    k.name = (struct str){quoted.at + 1, quoted.size - 2};
    k.path = arena_str(w->arena, (struct str){w->path, l->path_size});
    if (memchr(k.name.at, '\\', k.name.size)) {
        json_t *string = json_loadb(quoted.at, quoted.size, JSON_DECODE_ANY, NULL);
        k.name = arena_str(w->arena, str_of(json_string_value(string)));
        json_decref(string);
    }
    if (w->key_count == w->key_capacity) {
        w->key_capacity = w->key_capacity ? 2 * w->key_capacity : 64;
        w->keys = mem_grow(w->keys, w->key_capacity, sizeof *w->keys);
    }
    w->keys[w->key_count++] = k;
    l->wants_key = false;
    enter_path(w, k.name);
}

static void open_container(struct walk *w, bool is_object) {
    if (w->depth > 0 && !w->levels[w->depth - 1].is_object) enter_path(w, STR_EMPTY);
    w->levels[w->depth++] = (struct level){.is_object = is_object,
                                           .wants_key = is_object,
                                           .object = w->object_count++,
                                           .path_size = strlen(w->path)};
}

static void walk_step(struct walk *w) {
    struct level *l = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
    char c = w->json.at[w->at];
    if (c == '"') {
        struct str quoted = cut_string(w);
        if (l && l->wants_key) add_key(w, quoted);
        return;
    }
    w->at++;
    if (c == '{' || c == '[') open_container(w, c == '{');
    if (c == '}' || c == ']') w->depth--;
    if (c != ',' || !l) return;
    l->wants_key = l->is_object;
    l->index++;
}

static int by_object_and_name(const void *a, const void *b) {
    const struct key *x = a, *y = b;
    if (x->object != y->object) return x->object < y->object ? -1 : 1;
    int order = str_compare(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void add_repeat(const struct walk *w, const struct key *first, const struct key *again,
                       struct problems *all) {
    struct json_place before = json_place_at(w->json, first->at);
    struct json_place here = json_place_at(w->json, again->at);
    struct str path = again->path, inner = STR("ruleset");
    if (str_equal(path, inner)) path = STR_EMPTY;
    if (str_starts(path, STR("ruleset."))) path = (struct str){path.at + 8, path.size - 8};
    struct err_text what;
    char field[ERR_FIELD_BYTES];
    (void)snprintf(field, sizeof field, "%.*s%s%.*s", STR_PRINT(path), path.size ? "." : "",
                   STR_PRINT(again->name));
    enum err code =
        err_set_field(&what, ERR_INVALID_ARGUMENT, field,
                      "%s stands twice in its object; the first is at line %u, column %u", field,
                      before.line, before.column);
    (void)code;
    problems_add_at(all, &what, here.line, here.column);
}

void json_syntax_repeats(struct str json, struct problems *all) {
    struct walk w = {.json = json, .arena = arena_new(0)};
    while (w.at < json.size)
        walk_step(&w);
    if (w.key_count) qsort(w.keys, w.key_count, sizeof *w.keys, by_object_and_name);
    for (size_t i = 1, first = 0; i < w.key_count; i++) {
        bool same = w.keys[i].object == w.keys[first].object &&
                    str_equal(w.keys[i].name, w.keys[first].name);
        if (same)
            add_repeat(&w, &w.keys[first], &w.keys[i], all);
        else
            first = i;
    }
    problems_sort(all);
    mem_free(w.keys);
    arena_free(w.arena);
}
