/* queue_report.c - checks a definition and says so in JSON. */
#include "wire/queue_report.h"

#include "base/mem.h"
#include "wire/queue_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void queue_report_make(struct str json, bool allow_shrinking, struct queue_report *out) {
    struct queue_def *def = NULL;
    *out = (struct queue_report){0};
    out->ok = queue_json_check(json, allow_shrinking, &def, &out->notes, &out->problems) == ERR_OK;
    if (out->ok) {
        strbuf_add_str(&out->name, def->name);
        ruleset_describe(def->ruleset, &out->summary);
    }
    queue_def_free(def);
}

void queue_report_fini(struct queue_report *r) {
    strbuf_fini(&r->name);
    strbuf_fini(&r->notes);
    strbuf_fini(&r->summary);
    problems_fini(&r->problems);
    *r = (struct queue_report){0};
}

/* The lines of a text as a list of strings. */
static json_t *lines_of(struct str text) {
    json_t *list = json_array();
    while (text.size > 0) {
        const char *end = memchr(text.at, '\n', text.size);
        size_t size = end ? (size_t)(end - text.at) : text.size;
        json_array_append_new(list, json_stringn(text.at, size));
        size_t used = end ? size + 1 : size;
        text = (struct str){text.at + used, text.size - used};
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

void queue_report_json(const struct queue_report *r, struct strbuf *out) {
    json_t *object = json_object();
    json_object_set_new(object, "ok", json_boolean(r->ok));
    if (r->name.size) json_object_set_new(object, "queue", json_stringn(r->name.at, r->name.size));
    if (r->notes.size) json_object_set_new(object, "notes", lines_of(strbuf_str(&r->notes)));
    if (r->summary.size) json_object_set_new(object, "summary", lines_of(strbuf_str(&r->summary)));
    if (r->problems.count) {
        json_t *list = json_array();
        for (size_t i = 0; i < r->problems.count; i++)
            json_array_append_new(list, problem_json(&r->problems.at[i]));
        json_object_set_new(object, "problems", list);
    }
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
