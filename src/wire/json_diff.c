/* json_diff.c - walks two documents side by side. */
#include "wire/json_diff.h"

#include "wire/json_read.h"

#include <stdlib.h>
#include <string.h>

struct diff {
    struct strbuf *out;
    struct strbuf path; /* of the values compared */
    uint32_t lines, left_out;
};

static void compare(struct diff *d, const json_t *before, const json_t *after);

/* ---- lines ---- */

static void add_value(const json_t *value, struct strbuf *out) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t size = 0;
    while (text[size] && size + 4 <= JSON_DIFF_VALUE_BYTES)
        size += str_utf8_size((struct str){text + size, strlen(text + size)});
    strbuf_add(out, text, size);
    if (text[size]) strbuf_add_str(out, STR("..."));
    free(text); /* jansson's */
}

/* `before` or `after` NULL: there is none. */
static void add_line(struct diff *d, const json_t *before, const json_t *after) {
    if (d->lines == JSON_DIFF_LINES_MAX) {
        d->left_out++;
        return;
    }
    d->lines++;
    strbuf_add_str(d->out, strbuf_str(&d->path));
    strbuf_add_str(d->out, before && after ? STR(": ") : after ? STR(": added ") : STR(": was "));
    if (before) add_value(before, d->out);
    if (before && after) strbuf_add_str(d->out, STR(" -> "));
    if (after) add_value(after, d->out);
    if (!after) strbuf_add_str(d->out, STR(", removed"));
    strbuf_add_char(d->out, '\n');
}

/* ---- places ---- */

/* A path is one line, whatever the names in it. */
static void add_name(struct diff *d, const char *name) {
    for (; *name; name++)
        strbuf_add_char(&d->path, *name < ' ' && *name >= 0 ? ' ' : *name);
}

static void compare_at(struct diff *d, const char *name, const json_t *before,
                       const json_t *after) {
    size_t mark = d->path.size;
    if (mark && name[0] != '[') strbuf_add_char(&d->path, '.');
    add_name(d, name);
    if (before && after)
        compare(d, before, after);
    else
        add_line(d, before, after);
    d->path.size = mark;
    if (d->path.at) d->path.at[mark] = '\0';
}

/* ---- objects and lists ---- */

static void compare_objects(struct diff *d, const json_t *before, const json_t *after) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)before, name, value) {
        compare_at(d, name, value, json_object_get(after, name));
    }
    json_object_foreach((json_t *)after, name, value) {
        if (!json_object_get(before, name)) compare_at(d, name, NULL, value);
    }
}

/* What tells an item from the others; NULL: only its place. */
static const char *label_of(const json_t *item) {
    const char *label = json_string_value(json_object_get(item, "name"));
    return label ? label : json_string_value(json_object_get(item, "target"));
}

static const json_t *labelled(const json_t *list, const char *label) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = label_of(json_array_get(list, i));
        if (other && strcmp(other, label) == 0) return json_array_get(list, i);
    }
    return NULL;
}

/* The item's counterpart in another list; NULL: there is none. */
static const json_t *counterpart(const json_t *list, const json_t *item, size_t index) {
    const char *label = label_of(item);
    if (label) return labelled(list, label);
    const json_t *other = json_array_get(list, index);
    return other && !label_of(other) ? other : NULL;
}

static void compare_item(struct diff *d, size_t index, const json_t *before, const json_t *after) {
    const char *label = label_of(before ? before : after);
    struct strbuf name = {0};
    if (label)
        strbuf_printf(&name, "[%s]", label);
    else
        strbuf_printf(&name, "[%zu]", index);
    compare_at(d, name.at, before, after);
    strbuf_fini(&name);
}

static void compare_lists(struct diff *d, const json_t *before, const json_t *after) {
    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *item = json_array_get(before, i);
        compare_item(d, i, item, counterpart(after, item, i));
    }
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *item = json_array_get(after, i);
        if (!counterpart(before, item, i)) compare_item(d, i, NULL, item);
    }
}

/* Deep values were refused when they were read (JSON_READ_DEPTH_MAX). */
static void compare(struct diff *d, const json_t *before, const json_t *after) {
    if (json_is_object(before) && json_is_object(after))
        compare_objects(d, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_lists(d, before, after);
    else if (!json_equal(before, after))
        add_line(d, before, after);
}

static json_t *load(struct str text) {
    struct strbuf clean = {0};
    struct problem fault;
    json_t *document = NULL;
    if (json_read_load(text, &clean, &document, &fault) != ERR_OK) document = NULL;
    strbuf_fini(&clean);
    return document;
}

uint32_t json_diff(struct str before, struct str after, struct strbuf *out) {
    struct diff d = {.out = out};
    json_t *was = load(before), *is = load(after);
    if (was && is) compare(&d, was, is);
    json_decref(was);
    json_decref(is);
    strbuf_fini(&d.path);
    return d.left_out;
}
