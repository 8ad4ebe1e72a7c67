/* json_diff.h - what is different between two JSON documents, for people.
 *
 * A line each: "ruleset.rules[FairSkill].maxDistance: 100 -> 200", "heartbeatSeconds: added 30".
 * Items of a list that have a member "name" or "target" are matched by it, others by their place.
 * Values are compact JSON, cut to JSON_DIFF_VALUE_BYTES. `//` comments count as nothing.
 * O(size). Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_JSON_DIFF_H
#define MUSTER_WIRE_JSON_DIFF_H

#include "base/str.h"

#include <stdint.h>

#define JSON_DIFF_LINES_MAX 50
#define JSON_DIFF_VALUE_BYTES 80

/* Appends at most JSON_DIFF_LINES_MAX lines to `out`; returns how many more there are. A text that
 * is no JSON differs from nothing. */
uint32_t json_diff(struct str before, struct str after, struct strbuf *out);

#endif
