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

struct json_pretty; /* json_pretty.h */

/* What a reading is asked for and where it tells. */
struct ruleset_reading {
    bool allow_shrinking;      /* accept expansion steps that narrow */
    struct strbuf *notes;      /* what was read leniently is appended, a line each; may be NULL */
    struct err_text *why;      /* the first problem */
    struct problems *problems; /* all of them; NULL: reading ends at the first */
    struct json_pretty
        *print; /* the definition is written as one value (ruleset_print.h); or NULL */
};

/* Reads and compiles a parsed document, which is only borrowed. The caller frees `*out` with
 * ruleset_free; it is NULL on error.
 * Error: INVALID_ARGUMENT; text and field begin with the path in the document ("rules[3].type").
 * What the rules mean is checked when all of the document could be read. */
enum err ruleset_json_read(const json_t *document, const struct ruleset_reading *x,
                           struct ruleset **out) ERR_CHECKED;

/* Settings of FlexMatch's configuration that files have inline or beside the ruleset. */
extern const struct json_read_row
    ruleset_json_timeout_row,    /* requestTimeoutSeconds, into an int64_t */
    ruleset_json_acceptance_row; /* acceptanceTimeoutSeconds, likewise */
/* These only check. */
enum err ruleset_json_acceptance(struct json_reader *r, const json_t *value,
                                 void *into) ERR_CHECKED;
enum err ruleset_json_acceptance_time(struct json_reader *r, const json_t *value,
                                      void *into) ERR_CHECKED;

#endif
