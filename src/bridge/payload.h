/* payload.h - the arguments of Socket.IO events and acknowledgements, as JSON arrays.
 *
 * All append to `out`; what is passed is borrowed for the call, `match` may be NULL.
 * Thread safety: all functions.
 */
#ifndef MUSTER_BRIDGE_PAYLOAD_H
#define MUSTER_BRIDGE_PAYLOAD_H

#include "base/str.h"

#include <muster/client.h>

void payload_message(const ProtobufCMessage *m, struct strbuf *out); /* [{...}] */
/* A TicketUpdate as an event's argument. `trace`: a traceparent, or "". */
void payload_ticket(Muster__V1__Ticket *ticket, Muster__V1__Match *match, const char *trace,
                    struct strbuf *out);
/* The acknowledgement of a request that the api refused. */
void payload_refused(const struct muster_status *status, struct strbuf *out);

#endif
