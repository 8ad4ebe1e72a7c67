/* backfill_codec.h - backfills and the parties in them from and to muster.v1 messages.
 *
 * The reader of parties serves requests and the journal alike: every field is checked. Thread
 * safety: all functions.
 */
#ifndef MUSTER_WIRE_BACKFILL_CODEC_H
#define MUSTER_WIRE_BACKFILL_CODEC_H

#include "base/err.h"
#include "base/mem.h"
#include "model/backfill.h"

/* Adds the backfill as field `key`. */
void backfill_codec_write(const struct backfill_spec *b, uint32_t key, struct strbuf *out);
/* False, with `why` set, when the bytes are no valid Backfill. Borrows from bytes and arena. */
bool backfill_codec_read(struct str bytes, struct arena *arena, struct backfill_spec *out,
                         struct err_text *why);

/* Every field `key` of the message is a BackfillParty. Their number, teams' names and players are
 * checked, not yet that a player is named once. INVALID_ARGUMENT with the field and what is
 * allowed; RESOURCE_EXHAUSTED at the arena's cap. */
struct backfill_parties {
    const struct backfill_party *at; /* the arena's; texts are the message's */
    uint32_t count;                  /* 0..LIMIT_MATCH_PLAYERS */
};
enum err backfill_codec_parties(struct str message, uint32_t key, struct arena *arena,
                                struct backfill_parties *out, struct err_text *why) ERR_CHECKED;

#endif
