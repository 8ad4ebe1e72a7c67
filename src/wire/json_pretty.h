/* json_pretty.h - writes JSON for people: a member a line, two blanks a level.
 *
 *   open '{' -> (key value)* -> close '}'      open '[' -> (item value)* -> close ']'
 *
 * where a value is a text, a number, texts, any parsed JSON, or again open ... close.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_WIRE_JSON_PRETTY_H
#define MUSTER_WIRE_JSON_PRETTY_H

#include "base/str.h"

#include <jansson.h>

struct json_pretty {
    struct strbuf *out;
    unsigned depth; /* of open containers */
    bool any;       /* the innermost has a member already */
};

void json_pretty_open(struct json_pretty *w, char bracket);
void json_pretty_close(struct json_pretty *w, char bracket);
void json_pretty_key(struct json_pretty *w, const char *name);
void json_pretty_item(struct json_pretty *w);

void json_pretty_text(struct json_pretty *w, struct str text);
/* The shortest digits that read back the same; 0 for what is no finite number. */
void json_pretty_number(struct json_pretty *w, double value);
void json_pretty_texts(struct json_pretty *w, const struct str *texts,
                       size_t count);                              /* in a line */
void json_pretty_json(struct json_pretty *w, const json_t *value); /* in a line */
/* The same, but a text that is a number as that number. */
void json_pretty_setting(struct json_pretty *w, const json_t *value);

/* Key and value in one. */
void json_pretty_text_member(struct json_pretty *w, const char *name, struct str text);
void json_pretty_number_member(struct json_pretty *w, const char *name, double value);

#endif
