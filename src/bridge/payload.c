/* payload.c - wraps wire's JSON of messages. */
#include "bridge/payload.h"

#include "wire/ack_json.h"
#include "wire/json.h"

#include <muster/v1/socketio.pb-c.h>
#include <stdio.h>

void payload_message(const ProtobufCMessage *m, struct strbuf *out) {
    strbuf_add_char(out, '[');
    json_from_message(m, out);
    strbuf_add_char(out, ']');
}

void payload_ticket(Muster__V1__Ticket *ticket, Muster__V1__Match *match, const char *trace,
                    struct strbuf *out) {
    Muster__V1__TicketUpdate update = MUSTER__V1__TICKET_UPDATE__INIT;
    update.ticket = ticket;
    update.match = match;
    update.traceparent = (char *)trace; /* only read */
    payload_message(&update.base, out);
}

void payload_refused(const struct muster_status *status, struct strbuf *out) {
    struct err_text why;
    snprintf(why.text, sizeof why.text, "%s", status->message);
    snprintf(why.field, sizeof why.field, "%s", status->field);
    why.retry_after_ms = status->retry_after_ms;
    ack_json_error(err_from_code((unsigned)status->code), &why, out);
}
