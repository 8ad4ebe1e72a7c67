/* queue_report.c - checks a definition and says so in JSON. */
#include "wire/queue_report.h"

#include "base/mem.h"
#include "wire/queue_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str next_line(struct str *rest) {
    const char *end = memchr(rest->at, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->at) : rest->size, used = end ? size + 1 : size;
    struct str line = {rest->at, size};
    *rest = (struct str){rest->at + used, rest->size - used};
    return line;
}

/* A note that is about a field begins with its path. */
static void split_notes(struct str text, struct problems *out) {
    while (text.size > 0) {
        struct str line = next_line(&text);
        const char *space = memchr(line.at, ' ', line.size);
        size_t path = space ? (size_t)(space - line.at) : 0;
        struct err_text what;
        char field[ERR_FIELD_BYTES] = "";
        bool is_path = path > 0 && path < sizeof field &&
                       (memchr(line.at, '.', path) || memchr(line.at, '[', path));
        if (is_path) (void)snprintf(field, sizeof field, "%.*s", (int)path, line.at);
        (void)err_set_field(&what, ERR_OK, field, "%.*s", STR_PRINT(line));
        problems_add(out, &what);
    }
}

static void describe_patience(const struct patience *p, struct strbuf *out) {
    if (!p->is_on) {
        strbuf_printf(out, "the first legal match is taken\n");
        return;
    }
    strbuf_printf(out, "a match is taken when it is worth it: ");
    if (p->is_derived)
        strbuf_printf(out, "patience from the arrivals");
    else
        strbuf_printf(out, "patience %g points a second", p->points_per_s);
    strbuf_printf(out, "; from %g s on any legal match\n", (double)p->deadline_ms / 1000);
}

void queue_report_make(struct str json, bool allow_shrinking, struct queue_report *out) {
    struct queue_def *def = NULL;
    struct strbuf notes = {0};
    *out = (struct queue_report){0};
    out->ok = queue_json_check(json, allow_shrinking, &def, &notes, &out->problems) == ERR_OK;
    split_notes(strbuf_str(&notes), &out->notes);
    queue_json_places(json, &out->notes);
    strbuf_fini(&notes);
    if (out->ok) {
        strbuf_add_str(&out->name, def->name);
        ruleset_describe(def->ruleset, &out->summary);
        ruleset_describe_search(def->ruleset, &out->summary);
        describe_patience(&def->patience, &out->summary);
    }
    queue_def_free(def);
}

void queue_report_fini(struct queue_report *r) {
    strbuf_fini(&r->name);
    strbuf_fini(&r->summary);
    problems_fini(&r->notes);
    problems_fini(&r->problems);
    *r = (struct queue_report){0};
}

/* The lines of a text as a list of strings. */
static json_t *lines_of(struct str text) {
    json_t *list = json_array();
    while (text.size > 0) {
        struct str line = next_line(&text);
        json_array_append_new(list, json_stringn(line.at, line.size));
    }
    return list;
}

static json_t *problem_json(const struct problem *p) {
    json_t *object = json_object();
    if (p->line) {
        json_object_set_new(object, "line", json_integer(p->line));
        json_object_set_new(object, "column", json_integer(p->column));
    }
    if (p->what.field[0]) json_object_set_new(object, "field", json_string(p->what.field));
    /* a text cut at its limit may end inside a character */
    json_t *message = json_string(p->what.text);
    json_object_set_new(object, "message", message ? message : json_string("a malformed text"));
    return object;
}

static void add_problems(json_t *object, const char *name, const struct problems *all) {
    if (all->count == 0) return;
    json_t *list = json_array();
    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(list, problem_json(&all->at[i]));
    json_object_set_new(object, name, list);
}

void queue_report_json(const struct queue_report *r, struct strbuf *out) {
    json_t *object = json_object();
    json_object_set_new(object, "ok", json_boolean(r->ok));
    if (r->name.size) json_object_set_new(object, "queue", json_stringn(r->name.at, r->name.size));
    if (r->summary.size) json_object_set_new(object, "summary", lines_of(strbuf_str(&r->summary)));
    add_problems(object, "notes", &r->notes);
    add_problems(object, "problems", &r->problems);
    if (r->problems.left_out) {
        json_object_set_new(object, "problemsLeftOut",
                            json_integer((json_int_t)r->problems.left_out));
    }
    char *line = json_dumps(object, JSON_COMPACT);
    strbuf_add_str(out, str_of(line));
    strbuf_add_char(out, '\n');
    free(line); /* jansson's */
    json_decref(object);
}
