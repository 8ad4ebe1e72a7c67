/* ruleset_print.h - a ruleset's definition as JSON again, in one canonical form.
 *
 * Members in the manual's order, those that have their default left out, measurements as a list,
 * numbers as numbers, no comments. Reading what was printed and printing it again gives the same.
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_RULESET_PRINT_H
#define MUSTER_WIRE_RULESET_PRINT_H

#include "model/ruleset_def.h"
#include "wire/json_pretty.h"

/* Writes the document as one value. `settings`: an object from which members of FlexMatch's
 * configuration are taken that stand in the ruleset; may be NULL. */
void ruleset_print(const struct ruleset_def *def, const json_t *settings, struct json_pretty *w);

#endif
