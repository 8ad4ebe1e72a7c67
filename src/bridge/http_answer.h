/* http_answer.h - an HTTP/1.1 answer as bytes: head and body in one buffer, so one packet.
 *
 * Every answer says "Connection: close" and is not to be cached. Thread safety: all functions.
 */
#ifndef MUSTER_BRIDGE_HTTP_ANSWER_H
#define MUSTER_BRIDGE_HTTP_ANSWER_H

#include "socketio/transport.h"

/* Appends the answer. `a->status` is not 0. `without_body`: for HEAD. */
void http_answer_write(struct strbuf *out, const struct eio_answer *a, bool without_body);
/* Whether a header's value that came from a stranger may be repeated: it can end no line. */
bool http_answer_repeatable(struct str value);

#endif
