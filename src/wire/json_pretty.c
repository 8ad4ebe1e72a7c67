/* json_pretty.c - indented JSON. */
#include "wire/json_pretty.h"

#include "wire/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void new_line(struct json_pretty *w) {
    strbuf_add_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        strbuf_add_str(w->out, STR("  "));
}

void json_pretty_open(struct json_pretty *w, char bracket) {
    strbuf_add_char(w->out, bracket);
    w->depth++;
    w->any = false;
}

void json_pretty_close(struct json_pretty *w, char bracket) {
    w->depth--;
    if (w->any) new_line(w);
    strbuf_add_char(w->out, bracket);
    w->any = true;
}

void json_pretty_item(struct json_pretty *w) {
    if (w->any) strbuf_add_char(w->out, ',');
    new_line(w);
    w->any = true;
}

void json_pretty_key(struct json_pretty *w, const char *name) {
    json_pretty_item(w);
    json_add_string(str_of(name), w->out);
    strbuf_add_str(w->out, STR(": "));
}

void json_pretty_text(struct json_pretty *w, struct str text) {
    json_add_string(text, w->out);
}

void json_pretty_number(struct json_pretty *w, double value) {
    char text[40];
    if (!isfinite(value) || value == 0) value = 0; /* no -0 */
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    if (value == floor(value) && fabs(value) < 1e15)
        (void)snprintf(text, sizeof text, "%.0f", value); /* 1000, not 1e+03 */
    strbuf_add_str(w->out, str_of(text));
}

void json_pretty_texts(struct json_pretty *w, const struct str *texts, size_t count) {
    strbuf_add_char(w->out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) strbuf_add_str(w->out, STR(", "));
        json_add_string(texts[i], w->out);
    }
    strbuf_add_char(w->out, ']');
}

static void write_list(struct json_pretty *w, const json_t *value) {
    strbuf_add_char(w->out, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i) strbuf_add_str(w->out, STR(", "));
        json_pretty_json(w, json_array_get(value, i));
    }
    strbuf_add_char(w->out, ']');
}

static void write_object(struct json_pretty *w, const json_t *value) {
    const char *name;
    json_t *member;
    bool any = false;
    strbuf_add_char(w->out, '{');
    json_object_foreach((json_t *)value, name, member) { /* the macro takes no const; reads only */
        if (any) strbuf_add_str(w->out, STR(", "));
        any = true;
        json_add_string(str_of(name), w->out);
        strbuf_add_str(w->out, STR(": "));
        json_pretty_json(w, member);
    }
    strbuf_add_char(w->out, '}');
}

/* Nested at most JSON_READ_DEPTH_MAX deep, as what was read. */
void json_pretty_json(struct json_pretty *w, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(w, value);
        return;
    case JSON_ARRAY:
        write_list(w, value);
        return;
    case JSON_STRING:
        json_pretty_text(w, str_of(json_string_value(value)));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
        json_pretty_number(w, json_number_value(value));
        return;
    case JSON_TRUE:
        strbuf_add_str(w->out, STR("true"));
        return;
    case JSON_FALSE:
        strbuf_add_str(w->out, STR("false"));
        return;
    case JSON_NULL:
        strbuf_add_str(w->out, STR("null"));
        return;
    }
}

void json_pretty_setting(struct json_pretty *w, const json_t *value) {
    double number;
    if (json_is_string(value) && str_to_double(str_of(json_string_value(value)), &number))
        json_pretty_number(w, number);
    else
        json_pretty_json(w, value);
}

void json_pretty_text_member(struct json_pretty *w, const char *name, struct str text) {
    json_pretty_key(w, name);
    json_pretty_text(w, text);
}

void json_pretty_number_member(struct json_pretty *w, const char *name, double value) {
    json_pretty_key(w, name);
    json_pretty_number(w, value);
}
