/* match_codec.h - tickets and matches from and to muster.v1 messages.
 *
 * Reading is for the journal: what it lets pass is valid in the sense of the model, whoever wrote
 * it. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_MATCH_CODEC_H
#define MUSTER_WIRE_MATCH_CODEC_H

#include "base/err.h"
#include "base/mem.h"
#include "model/match.h"
#include "model/ticket.h"

/* A Ticket message as values; borrowed. */
struct ticket_view {
    struct id id;
    enum ticket_state state;
    struct ticket_spec spec;
    int64_t created_ms, expires_ms, ended_ms;
    struct id match_id;
    struct str reason;
    int64_t heartbeat_ms;
    struct ticket_wait wait; /* what is left, or was promised */
};

/* Adds the ticket as field `key`. */
void ticket_codec_write(const struct ticket_view *t, uint32_t key, struct strbuf *out);
/* False, with `why` set, when the bytes are no valid Ticket. Borrows from bytes and arena. */
bool ticket_codec_read(struct str bytes, struct arena *arena, struct ticket_view *out,
                       struct err_text *why);

/* The same for a Match. */
void match_codec_write(const struct match_spec *m, uint32_t key, struct strbuf *out);
bool match_codec_read(struct str bytes, struct arena *arena, struct match_spec *out,
                      struct err_text *why);

/* Whether a time from outside may be calculated with: 0..2^48 - 1 ms, as in ids. */
bool match_codec_time_valid(int64_t ms);

/* One TeamResult, of a request or the journal; borrowed. False when it breaks the limits: a text of
 * UTF-8, rank 1..LIMIT_TEAMS, a finite score. */
bool match_codec_read_result(struct str bytes, struct team_result *out);

#endif
