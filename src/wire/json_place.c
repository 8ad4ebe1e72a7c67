/* json_place.c - walks JSON text along a path. */
#include "wire/json_place.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct str json;
    size_t at;
};

static char now(const struct walk *w) {
    return w->at < w->json.size ? w->json.at[w->at] : '\0';
}

static void skip_space(struct walk *w) {
    while (now(w) && strchr(" \t\r\n", now(w)))
        w->at++;
}

static struct str cut_string(struct walk *w) {
    size_t start = ++w->at;
    while (now(w) && now(w) != '"')
        w->at += now(w) == '\\' ? 2 : 1;
    struct str text = {w->json.at + start, w->at - start};
    w->at++;
    return text;
}

static void skip_value(struct walk *w) {
    int depth = 0;
    skip_space(w);
    do {
        char c = now(w);
        if (c == '"') {
            (void)cut_string(w);
            continue;
        }
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') {
            if (depth == 0) return; /* the container's end: the value was a bare word */
            depth--;
        }
        if (depth == 0 && c == ',') return;
        w->at++;
    } while (w->at < w->json.size && (depth > 0 || !strchr(",]}", now(w))));
}

/* Whether the path goes on into this member; `*rest` is what is left of it then. */
static bool leads_into(const char *path, struct str key, const char **rest) {
    if (strncmp(path, key.at, key.size) != 0) return false;
    char next = path[key.size];
    if (next != '\0' && next != '.' && next != '[') return false;
    *rest = path + key.size + (next == '.');
    return true;
}

static bool enter_member(struct walk *w, const char **path) {
    if (now(w) != '{') return false;
    do {
        w->at++;
        skip_space(w);
        if (now(w) != '"') return false;
        struct str key = cut_string(w);
        skip_space(w);
        w->at++; /* ':' */
        skip_space(w);
        if (leads_into(*path, key, path)) return true;
        skip_value(w);
        skip_space(w);
    } while (now(w) == ',');
    return false;
}

static bool enter_item(struct walk *w, const char **path) {
    char *end;
    unsigned long index = strtoul(*path + 1, &end, 10);
    if (now(w) != '[' || *end != ']') return false;
    w->at++;
    skip_space(w);
    for (; index > 0; index--) {
        skip_value(w);
        skip_space(w);
        if (now(w) != ',') return false;
        w->at++;
        skip_space(w);
    }
    *path = end + 1 + (end[1] == '.');
    return now(w) != ']';
}

struct json_place json_place_at(struct str json, size_t offset) {
    struct json_place place = {1, 1};
    for (size_t i = 0; i < offset && i < json.size; i++) {
        place.column++;
        if (json.at[i] != '\n') continue;
        place.line++;
        place.column = 1;
    }
    return place;
}

struct json_place json_place_find(struct str json, const char *path, bool *whole) {
    struct walk w = {.json = json};
    skip_space(&w);
    *whole = true;
    while (*path && *whole) {
        struct walk inside = w;
        *whole = *path == '[' ? enter_item(&inside, &path) : enter_member(&inside, &path);
        if (*whole) w = inside;
    }
    return json_place_at(json, w.at);
}
