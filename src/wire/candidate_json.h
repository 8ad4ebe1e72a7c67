/* candidate_json.h - tickets of one candidate match from JSON, for `muster queue explain`.
 *
 *   [{"players": [as in CreateTicketRequest], "team": "red", "ageSeconds": 12}, ...]
 *
 * or {"tickets": [...]}. `team` names a generated team and is given for all tickets or for none;
 * `queues`, as a CreateTicketRequest has it, is not looked at. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_CANDIDATE_JSON_H
#define MUSTER_WIRE_CANDIDATE_JSON_H

#include "base/err.h"
#include "base/mem.h"
#include "model/queue.h"

#include <protobuf-c/protobuf-c.h>

struct candidate_source {
    struct str json;
    const ProtobufCMessageDescriptor *request; /* of muster.v1.CreateTicketRequest */
};

/* Reads at most LIMIT_MATCH_PLAYERS tickets that the ruleset admits. Everything is in `arena`; the
 * age is set; `out->team_of` is as explain_place puts them where no ticket names a team.
 * Error: INVALID_ARGUMENT with the path, and why the ruleset refuses a ticket. */
enum err candidate_json_read(const struct candidate_source *source, const struct ruleset *r,
                             struct arena *arena, struct candidate *out,
                             struct err_text *why) ERR_CHECKED;

struct candidate_words {
    bool as_json;       /* candidate_report_json's line, not explain_text's */
    struct strbuf text; /* appended to */
    bool legal;
};

/* Reads the tickets and says what the queue's rules say of them. Errors as above. */
enum err candidate_json_explain(const struct candidate_source *source, const struct queue_def *def,
                                struct candidate_words *out, struct err_text *why) ERR_CHECKED;

#endif
