/* player_codec.h - a ticket's players, from and to muster.v1.Player messages.
 *
 * The one reader serves requests and the journal alike: every field is checked, so what comes out
 * is valid in the sense of model/ticket.h. O(n log n) in a player's attributes and regions.
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_PLAYER_CODEC_H
#define MUSTER_WIRE_PLAYER_CODEC_H

#include "base/err.h"
#include "base/mem.h"
#include "model/ticket.h"

/* Reads every field of `message` whose key is `players_key`. Texts are borrowed from `message`,
 * arrays are the arena's. `path` stands before field names in errors ("tickets[3].").
 * INVALID_ARGUMENT with the field and what is allowed; RESOURCE_EXHAUSTED at the arena's cap. */
struct player_source {
    struct str message;
    uint32_t players_key;
    const char *path;
};
enum err player_codec_read(const struct player_source *source, struct arena *arena,
                           struct ticket_spec *out, struct err_text *why) ERR_CHECKED;

/* Adds each player as a field `key`. */
void player_codec_write(const struct ticket_spec *spec, uint32_t key, struct strbuf *out);

#endif
