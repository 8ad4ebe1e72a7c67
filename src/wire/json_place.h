/* json_place.h - where in a text a path leads: "rules[3].type" -> line and column.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_JSON_PLACE_H
#define MUSTER_WIRE_JSON_PLACE_H

#include "base/str.h"

struct json_place {
    unsigned line, column; /* from 1; columns count bytes */
};

struct json_place json_place_at(struct str json, size_t offset);

/* Follows the path as far as it exists in `json`, which must be valid JSON (json_read_load took
 * it), and gives where the last value that was reached begins. `*whole`: all of the path was found.
 */
struct json_place json_place_find(struct str json, const char *path, bool *whole);

#endif
