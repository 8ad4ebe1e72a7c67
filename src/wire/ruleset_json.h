/* ruleset_json.h - a FlexMatch rule set document into a compiled ruleset (model/RULESETS.md).
 *
 * Every construct is either understood or refused by name; nothing is ignored. To add one: a row in
 * a table of ruleset_json.c, a kind in model/ruleset_def.h, and its build, holds and describe
 * functions in the tables of ruleset_rules.c, ruleset_eval.c and ruleset_describe.c.
 */
#ifndef MUSTER_WIRE_RULESET_JSON_H
#define MUSTER_WIRE_RULESET_JSON_H

#include "model/ruleset.h"

#include "wire/json_read.h"

/* Reads and compiles a parsed document, which is only borrowed. The caller frees `*out` with
 * ruleset_free; it is NULL on error. `allow_shrinking`: accept expansion steps that narrow.
 * `notes`: what was read leniently is appended, a line each; may be NULL.
 * Error: INVALID_ARGUMENT; text and field begin with the path in the document ("rules[3].type"). */
enum err ruleset_json_read(const json_t *document, bool allow_shrinking, struct ruleset **out,
                           struct strbuf *notes, struct err_text *why) ERR_CHECKED;

/* Settings of FlexMatch's configuration that files have inline or beside the ruleset. */
extern const struct json_read_row
    ruleset_json_timeout_row; /* requestTimeoutSeconds, into an int64_t */
enum err ruleset_json_acceptance(struct json_reader *r, const json_t *value,
                                 void *into) ERR_CHECKED;
enum err ruleset_json_acceptance_time(struct json_reader *r, const json_t *value,
                                      void *into) ERR_CHECKED;

#endif
