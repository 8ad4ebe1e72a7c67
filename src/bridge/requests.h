/* requests.h - what players ask for over Socket.IO, each event a row of one table.
 *
 * Payload: none, or one object in proto3's JSON mapping of the message named in socketio.proto.
 * Acknowledged {ok:true, ...} or {ok:false, error:{code, message, field}}, once, if an answer was
 * asked for. At most REQUESTS_PER_SOCKET at a time. A player sees and changes only tickets that
 * he is in: others' are NOT_FOUND. Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_REQUESTS_H
#define MUSTER_BRIDGE_REQUESTS_H

#include "base/str.h"

#define REQUESTS_PER_SOCKET 8

struct bridge;
struct session;

/* `args`: the JSON text of the event's arguments, an array; `ack_id`: empty when no answer is asked
 * for. All borrowed for the call. */
void requests_take(struct bridge *b, struct session *s, struct str name, struct str args,
                   struct str ack_id);
/* No event takes bytes: acknowledges an event that came with some as INVALID_ARGUMENT. */
void requests_refuse_binary(struct session *s, struct str name, struct str ack_id);

#endif
