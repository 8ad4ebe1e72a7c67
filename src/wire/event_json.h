/* event_json.h - a realm's history as JSON lines, read back: what `muster events` prints.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_EVENT_JSON_H
#define MUSTER_WIRE_EVENT_JSON_H

#include "model/record.h"

/* Reads one line, a muster.v1.Event, as the record that it tells of. out->kind is 0 for events that
 * are none of: a ticket queued, cancelled or expired, a match found, a queue updated or deleted.
 * Of an ended ticket only id, state and time are read; a queue's definition is left as text
 * (queue_put.json; def is NULL). Borrows from the arena.
 * INVALID_ARGUMENT: no JSON of an event; DATA_LOSS: its ticket or match is not valid. */
enum err event_json_read(struct str line, struct arena *arena, struct record *out,
                         struct err_text *why) ERR_CHECKED;

#endif
