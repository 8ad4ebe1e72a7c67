/* journal_codec.h - journal entries as bytes: muster.journal.v1.Entry.
 *
 * Writer: records are packed one by one into a growing batch, which is then one stream entry.
 * Reader: an entry is walked record by record. Reading what an older version wrote must work.
 */
#ifndef MUSTER_WIRE_JOURNAL_CODEC_H
#define MUSTER_WIRE_JOURNAL_CODEC_H

#include "model/record.h"

/* Appends one record in Entry form; several calls in a row make a valid Entry (protobuf messages
 * concatenate). A QUEUE_PUT is written from name, json, version. */
void journal_encode(const struct record *r, struct strbuf *entry);
void journal_encode_owner(struct str owner, struct strbuf *entry); /* the entry's `owner` field */

/* Calls `sink` for each record in order; records borrow from `arena` (and own queue_put.def, which
 * the sink takes or frees with journal_record_fini). `owner` may be NULL.
 * DATA_LOSS when the bytes are no entry: the text says what; records before it were delivered. */
enum err journal_decode(struct str entry, struct arena *arena, record_fn sink, void *sink_arg,
                        struct str *owner, struct err_text *why) ERR_CHECKED;
/* As journal_decode, and with each record the muster.v1 message that it holds, as it was written:
 * of a TICKET_CREATED or _UPDATED its Ticket, of a MATCH_CREATED, MATCH_UPDATED or ROSTER_CHANGED
 * its Match, of others none. Borrowed from `entry`. */
typedef void (*journal_message_fn)(void *arg, struct record *r, struct str message);
enum err journal_walk(struct str entry, struct arena *arena, journal_message_fn sink,
                      void *sink_arg, struct err_text *why) ERR_CHECKED;
void journal_record_fini(struct record *r); /* frees queue_put.def when still owned */

#endif
