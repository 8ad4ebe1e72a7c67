/* ticket_message.h - a simulated ticket as the messages that ask for it.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_APP_TICKET_MESSAGE_H
#define MUSTER_APP_TICKET_MESSAGE_H

#include "base/mem.h"

#include <muster/v1/tickets.pb-c.h>

struct ticket_spec; /* model/ticket.h */

/* Borrows the spec's texts; all other memory is the arena's. */
Muster__V1__CreateTicketRequest *ticket_message(struct arena *a, const struct ticket_spec *spec);
/* The Socket.IO packet 420["join_queue",{...}] of the first player, the others being his party, in
 * the first of the queues. Appended. */
void ticket_join_packet(struct arena *a, const struct ticket_spec *spec, struct strbuf *out);

#endif
