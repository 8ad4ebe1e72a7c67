/* game_mode_json.h - the older description of a queue, {name: {teamSize, skillTolerance, ...}}, as
 * a ruleset. model/RULESETS.md says what each member becomes.
 */
#ifndef MUSTER_WIRE_GAME_MODE_JSON_H
#define MUSTER_WIRE_GAME_MODE_JSON_H

#include "model/ruleset.h"
#include "wire/ruleset_json.h"

#include <jansson.h>

/* `definition`: an object whose only member is the mode, borrowed. Otherwise as ruleset_json_read;
 * paths begin with the mode's name ("1v1_duel.expandSearchSteps[1].newTolerance"). */
enum err game_mode_json_read(const json_t *definition, const struct ruleset_reading *x,
                             struct ruleset **out) ERR_CHECKED;

#endif
