/* additions_json.h - the section `muster` of a ruleset: what FlexMatch does not have.
 *
 * Thread safety: one thread per reader.
 */
#ifndef MUSTER_WIRE_ADDITIONS_JSON_H
#define MUSTER_WIRE_ADDITIONS_JSON_H

#include "model/ruleset_def.h"
#include "wire/json_read.h"

#define ADDITIONS_JSON_ROLE_POINTS 20 /* defaults of the two costs */
#define ADDITIONS_JSON_RECENT_POINTS 50

/* A json_read_fn into a struct ruleset_def. */
enum err additions_json_read(struct json_reader *r, const json_t *value, void *into) ERR_CHECKED;

#endif
