/* json_read.c - table-driven reading of JSON documents, with errors for people. */
#include "wire/json_read.h"

#include "wire/json_syntax.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF(number) #number
#define DEPTH_SAID(max) "nested deeper than " TEXT_OF(max) " levels"
#define DEPTH_TEXT DEPTH_SAID(JSON_READ_DEPTH_MAX)
#define NAMES_MAX 32 /* members of one object's table, choices of one member */

/* ---- text to tree ---- */

struct scanner {
    struct str in;
    size_t at;
    unsigned line, column; /* of `at`, from 1 */
    int depth;
};

static void step(struct scanner *s, struct strbuf *out, char c) {
    strbuf_add_char(out, c);
    if (s->in.at[s->at] == '\n') {
        s->line++;
        s->column = 0;
    }
    s->column++;
    s->at++;
}

static void copy_string(struct scanner *s, struct strbuf *out) {
    step(s, out, '"');
    while (s->at < s->in.size && s->in.at[s->at] != '"') {
        if (s->in.at[s->at] == '\\' && s->at + 1 < s->in.size) step(s, out, '\\');
        step(s, out, s->in.at[s->at]);
    }
    if (s->at < s->in.size) step(s, out, '"');
}

static enum err refuse_text(struct problem *fault, const struct scanner *s, const char *text) {
    *fault = (struct problem){.line = s ? s->line : 0, .column = s ? s->column : 0};
    return err_set(&fault->what, ERR_INVALID_ARGUMENT, "%s", text);
}

enum err json_read_clean(struct str json, struct strbuf *clean, bool *had_comments,
                         struct problem *fault) {
    struct scanner s = {.in = json, .line = 1, .column = 1};
    *had_comments = false;
    if (!str_utf8_valid(
            json)) { /* also inside comments: the text is kept and sent on as a string */
        return refuse_text(fault, NULL, "the text is not valid UTF-8 or has a NUL byte");
    }
    while (s.at < json.size) {
        char c = json.at[s.at];
        if (c == '"') {
            copy_string(&s, clean);
            continue;
        }
        if (c == '/' && s.at + 1 < json.size && json.at[s.at + 1] == '/') {
            *had_comments = true;
            while (s.at < json.size && json.at[s.at] != '\n')
                step(&s, clean, ' ');
            continue;
        }
        if (c == '{' || c == '[') s.depth++;
        if ((c == '}' || c == ']') && s.depth > 0) s.depth--;
        if (s.depth > JSON_READ_DEPTH_MAX) return refuse_text(fault, &s, DEPTH_TEXT);
        step(&s, clean, c);
    }
    assert(clean->size == json.size);
    return ERR_OK;
}

enum err json_read_parse(struct str clean, json_t **out, struct problem *fault) {
    json_error_t error;
    *out = json_loadb(clean.at ? clean.at : "", clean.size, 0, &error);
    if (*out) return ERR_OK;
    json_syntax_explain(clean, &error, fault);
    return ERR_INVALID_ARGUMENT;
}

enum err json_read_load(struct str json, struct strbuf *clean, json_t **out,
                        struct problem *fault) {
    bool had_comments;
    struct problems repeats = {0};
    *out = NULL;
    enum err code = json_read_clean(json, clean, &had_comments, fault);
    if (!code) code = json_read_parse(strbuf_str(clean), out, fault);
    if (!code) json_syntax_repeats(strbuf_str(clean), &repeats);
    if (repeats.count) {
        *fault = repeats.at[0];
        json_decref(*out);
        *out = NULL;
        code = ERR_INVALID_ARGUMENT;
    }
    problems_fini(&repeats);
    return code;
}

/* ---- where we are, and what is wrong there ---- */

size_t json_read_enter(struct json_reader *r, const char *member, size_t index) {
    size_t mark = strlen(r->path), room = sizeof r->path - mark;
    if (index != SIZE_MAX)
        (void)snprintf(r->path + mark, room, "[%zu]", index);
    else
        (void)snprintf(r->path + mark, room, "%s%s", mark ? "." : "", member);
    return mark;
}

void json_read_leave(struct json_reader *r, size_t mark) {
    r->path[mark] = '\0';
}

struct json_read_table {
    const struct json_read_row *rows;
    size_t count;
};

static enum err tell(struct json_reader *r, const struct err_text *what, enum err code) {
    if (!r->refused && r->why) *r->why = *what;
    r->refused = true;
    problems_add(r->problems, what);
    return code;
}

enum err json_read_refuse(struct json_reader *r, const char *format, ...) {
    char text[ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct err_text what;
    bool named = r->path[0] || !strchr(r->root, ' '); /* "queue definition" is no path */
    enum err code = err_set_field(&what, ERR_INVALID_ARGUMENT,
                                  r->path[0] ? r->path
                                  : named    ? r->root
                                             : "",
                                  "%s %s", r->path[0] ? r->path : r->root, text);
    return tell(r, &what, code);
}

/* At most 60 bytes, cut between characters. */
static int shown_size(const char *text) {
    size_t size = strlen(text);
    if (size <= 60) return (int)size;
    for (size = 60; size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80;)
        size--;
    return (int)size;
}

enum err json_read_refuse_value(struct json_reader *r, const json_t *value, const char *allowed) {
    const char *text;
    switch (json_typeof(value)) {
    case JSON_STRING:
        text = json_string_value(value);
        return json_read_refuse(r, "is the string \"%.*s\"; must be %s", shown_size(text), text,
                                allowed);
    case JSON_INTEGER:
    case JSON_REAL:
        return json_read_refuse(r, "is %.10g; must be %s", json_number_value(value), allowed);
    case JSON_OBJECT:
        return json_read_refuse(r, "is an object; must be %s", allowed);
    case JSON_ARRAY:
        return json_read_refuse(r, "is a list; must be %s", allowed);
    case JSON_TRUE:
        return json_read_refuse(r, "is true; must be %s", allowed);
    case JSON_FALSE:
        return json_read_refuse(r, "is false; must be %s", allowed);
    case JSON_NULL:
        break;
    }
    return json_read_refuse(r, "is null; must be %s", allowed);
}

/* "a, b, c" */
static void join(char *out, size_t size, const char *const *names, size_t count) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", names[i]);
    }
}

/* ---- single values ---- */

static enum err read_text(struct json_reader *r, const json_t *value,
                          const struct json_read_row *row, struct str *out) {
    size_t size = json_string_length(value);
    bool fits = json_is_string(value) && (double)size >= row->low && (double)size <= row->high;
    if (fits) {
        *out = arena_str(r->arena, (struct str){json_string_value(value), size});
        return ERR_OK;
    }
    char allowed[64];
    (void)snprintf(allowed, sizeof allowed, "a string of %g to %g bytes", row->low, row->high);
    return json_read_refuse_value(r, value, allowed);
}

static enum err refuse_number(struct json_reader *r, const json_t *value,
                              const struct json_read_row *row, const char *what) {
    char allowed[96];
    if (!isinf(row->low) && !isinf(row->high)) {
        (void)snprintf(allowed, sizeof allowed, "%s %g..%g", what, row->low, row->high);
    } else if (!isinf(row->low)) {
        (void)snprintf(allowed, sizeof allowed, "%s, at least %g", what, row->low);
    } else {
        (void)snprintf(allowed, sizeof allowed, "%s", what);
    }
    return json_read_refuse_value(r, value, allowed);
}

static enum err read_number(struct json_reader *r, const json_t *value,
                            const struct json_read_row *row, const char *what, double *out) {
    double number = json_number_value(value);
    struct str text = str_of(json_string_value(value)); /* empty when it is no string */
    bool is_text = json_is_string(value) && str_to_double(text, &number);
    bool fits = json_is_number(value) || is_text;
    if (!fits || !(number >= row->low && number <= row->high)) {
        return refuse_number(r, value, row, what);
    }
    if (is_text && r->notes) {
        strbuf_printf(r->notes, "%s \"%s\" was read as the number %g\n", r->path,
                      json_string_value(value), number);
    }
    *out = number;
    return ERR_OK;
}

static enum err read_count(struct json_reader *r, const json_t *value,
                           const struct json_read_row *row, uint32_t *out) {
    double number;
    enum err code = read_number(r, value, row, "a whole number", &number);
    if (code) return code;
    if (number != floor(number)) return refuse_number(r, value, row, "a whole number");
    *out = (uint32_t)number;
    return ERR_OK;
}

static size_t choice_count(const char *const *choices) {
    size_t count = 0;
    while (choices[count])
        count++;
    return count;
}

static enum err refuse_choice(struct json_reader *r, const char *text,
                              const struct json_read_row *row) {
    char names[256];
    size_t count = choice_count(row->choices);
    join(names, sizeof names, row->choices, count);
    for (size_t i = 0; row->refused && row->refused[i]; i++) {
        if (strcmp(row->refused[i], text) != 0) continue;
        return json_read_refuse(r,
                                "\"%s\" is not supported by this version of Muster; "
                                "supported: %s",
                                text, names);
    }
    const char *nearest = str_nearest(str_of(text), row->choices, count);
    if (nearest) {
        return json_read_refuse(r, "\"%.*s\" is not known; did you mean \"%s\"? Supported: %s",
                                shown_size(text), text, nearest, names);
    }
    return json_read_refuse(r, "\"%.*s\" is not known; supported: %s", shown_size(text), text,
                            names);
}

static enum err read_choice(struct json_reader *r, const json_t *value,
                            const struct json_read_row *row, int *out) {
    const char *text = json_string_value(value);
    if (!text) {
        char names[256], allowed[288];
        join(names, sizeof names, row->choices, choice_count(row->choices));
        (void)snprintf(allowed, sizeof allowed, "one of: %s", names);
        return json_read_refuse_value(r, value, allowed);
    }
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) != 0) continue;
        *out = i;
        return ERR_OK;
    }
    return refuse_choice(r, text, row);
}

static enum err read_ms(struct json_reader *r, const json_t *value, const struct json_read_row *row,
                        int64_t *out) {
    double seconds;
    enum err code = read_number(r, value, row, "a number of seconds", &seconds);
    if (!code) *out = llround(seconds * 1000);
    return code;
}

enum err json_read_value(struct json_reader *r, const json_t *value,
                         const struct json_read_row *row, void *into) {
    void *at = (char *)into + row->offset;
    switch (row->kind) {
    case READ_TEXT:
        return read_text(r, value, row, at);
    case READ_NUMBER:
        return read_number(r, value, row, "a number", at);
    case READ_COUNT:
        return read_count(r, value, row, at);
    case READ_MS:
        return read_ms(r, value, row, at);
    case READ_CHOICE:
        return read_choice(r, value, row, at);
    case READ_VALUE:
        memcpy(at, &value, sizeof value);
        return ERR_OK;
    case READ_CUSTOM:
        return row->read(r, value, into);
    case READ_REFUSED:
        break;
    }
    return json_read_refuse(r, "is not supported by this version of Muster");
}

/* ---- objects and lists ---- */

/* Tells it at the member's place. `missed`: the index of the row whose name is like it is marked,
 * so that a required member is not told to be missing as well. */
static enum err refuse_member(struct json_reader *r, const char *name,
                              const struct json_read_table *t, bool *missed) {
    const char *names[NAMES_MAX];
    size_t count = 0;
    assert(t->count <= NAMES_MAX);
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].kind != READ_REFUSED) names[count++] = t->rows[i].name;
    }
    const char *nearest = str_nearest(str_of(name), names, count);
    char known[288] = "";
    if (!nearest) join(known, sizeof known, names, count);
    for (size_t i = 0; nearest && i < t->count; i++)
        missed[i] = missed[i] || strcmp(nearest, t->rows[i].name) == 0;
    struct err_text what;
    size_t mark = json_read_enter(r, name, SIZE_MAX);
    enum err code = err_set_field(
        &what, ERR_INVALID_ARGUMENT, r->path, "%.*s has no field \"%.*s\"; %s%s%s",
        mark ? (int)mark : (int)strlen(r->root), mark ? r->path : r->root, shown_size(name), name,
        nearest ? "did you mean \"" : "known: ", nearest ? nearest : known, nearest ? "\"?" : "");
    json_read_leave(r, mark);
    return tell(r, &what, code);
}

static enum err check_known(struct json_reader *r, const json_t *object,
                            const struct json_read_table *t, bool *missed) {
    const char *name;
    json_t *member;
    enum err code = ERR_OK;
    json_object_foreach((json_t *)object, name, member) { /* the macro takes no const; reads only */
        size_t i = 0;
        while (i < t->count && strcmp(t->rows[i].name, name) != 0)
            i++;
        if (i < t->count) continue;
        code = refuse_member(r, name, t, missed);
        if (!r->problems) break;
    }
    return code;
}

enum err json_read_object(struct json_reader *r, const json_t *value,
                          const struct json_read_row *rows, size_t row_count, void *into) {
    if (!json_is_object(value)) return json_read_refuse_value(r, value, "an object");
    const struct json_read_table table = {rows, row_count};
    bool missed[NAMES_MAX] = {false};
    enum err code = check_known(r, value, &table, missed), own;
    for (size_t i = 0; (!code || r->problems) && i < row_count; i++) {
        const json_t *member = json_object_get(value, rows[i].name);
        size_t mark = json_read_enter(r, rows[i].name, SIZE_MAX);
        own = ERR_OK;
        if (member)
            own = json_read_value(r, member, &rows[i], into);
        else if (rows[i].required && !missed[i])
            own = json_read_refuse(r, "is missing");
        json_read_leave(r, mark);
        if (own) code = own;
        if (member && rows[i].given) *((bool *)((char *)into + rows[i].given)) = true;
    }
    return code;
}

enum err json_read_items(struct json_reader *r, const json_t *value,
                         const struct json_read_list *list, void *items_out, uint32_t *count_out) {
    if (!json_is_array(value)) return json_read_refuse_value(r, value, "a list");
    size_t count = json_array_size(value);
    if (count > list->max) {
        return json_read_refuse(r, "has %zu items; at most %zu", count, list->max);
    }
    char *items = arena_alloc(r->arena, count * list->item_size);
    enum err code = ERR_OK;
    for (size_t i = 0; (!code || r->problems) && i < count; i++) {
        size_t mark = json_read_enter(r, NULL, i);
        enum err own = list->read(r, json_array_get(value, i), items + i * list->item_size);
        json_read_leave(r, mark);
        if (own) code = own;
    }
    memcpy(items_out, &items, sizeof items);
    *count_out = (uint32_t)count;
    return code;
}
