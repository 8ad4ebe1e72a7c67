/* json_syntax.h - what is wrong with a text that is no JSON, and keys that stand twice in one that
 * is: said so that its author finds it.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_JSON_SYNTAX_H
#define MUSTER_WIRE_JSON_SYNTAX_H

#include "base/problems.h"
#include "base/str.h"

#include <jansson.h>

/* Words and place for the parser's error in `text`. */
void json_syntax_explain(struct str text, const json_error_t *error, struct problem *out);

/* Appends a problem with its place for every key that repeats one of its object, by place. `json`
 * is valid and nested at most JSON_READ_DEPTH_MAX deep. O(keys log keys). */
void json_syntax_repeats(struct str json, struct problems *all);

#endif
