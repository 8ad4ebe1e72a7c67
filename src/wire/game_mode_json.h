/* game_mode_json.h - the older description of a queue, {mode: {teamSize, skillTolerance, ...}}, as a
 * ruleset. model/RULESETS.md says what each member becomes.
 */
#ifndef MUSTER_WIRE_GAME_MODE_JSON_H
#define MUSTER_WIRE_GAME_MODE_JSON_H

#include "model/ruleset.h"

#include <jansson.h>

/* `mode`: the value beside the mode's name, borrowed. Otherwise as ruleset_json_read; paths begin
 * with the name ("1v1_duel.expandSearchSteps[1].newTolerance"). */
enum err game_mode_json_read(const char *name, const json_t *mode, bool allow_shrinking,
                             struct ruleset **out, struct strbuf *notes,
                             struct err_text *why) ERR_CHECKED;

#endif
