/* queue_life_json.h - a queue definition's settings of the life of its tickets and matches.
 *
 * Thread safety: one thread per reader.
 */
#ifndef MUSTER_WIRE_QUEUE_LIFE_JSON_H
#define MUSTER_WIRE_QUEUE_LIFE_JSON_H

#include "model/queue.h"
#include "wire/json_read.h"

/* dodgePenaltySeconds, a list, into a struct dodge_penalty. */
enum err queue_life_json_dodge(struct json_reader *r, const json_t *value,
                               struct dodge_penalty *out) ERR_CHECKED;

/* acceptanceRequired and acceptanceTimeoutSeconds, FlexMatch's, in the definition or in its
 * ruleset; what is given in both must agree. Notes a timeout without effect. `definition` was read.
 */
enum err queue_life_json_acceptance(struct json_reader *r, const json_t *definition,
                                    int64_t *acceptance_ms) ERR_CHECKED;

#endif
