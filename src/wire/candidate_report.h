/* candidate_report.h - a candidate match judged rule by rule, as JSON for programs.
 *
 * What explain.h says in words. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_CANDIDATE_REPORT_H
#define MUSTER_WIRE_CANDIDATE_REPORT_H

#include "model/ruleset.h"

/* Appends one line: {"queue", "legal", "ageSeconds", "region", "meanLatencyMs",
 * "teams": [{"name", "players", "minPlayers", "maxPlayers", "ok", "playerIds"}],
 * "rules": [{"name", "type", "outcome": "holds" | "fails" | "orders", "measured", "bound",
 * "inCompound"}], "roles": {player id: role}, "softCost"}; members without content, and numbers
 * that there are none of, are left out. `queue`: its name. */
void candidate_report_json(const struct ruleset *r, const struct candidate *c, struct str queue,
                           struct strbuf *out);

#endif
