/* http_answer.h - an HTTP/1.1 answer as bytes: head and body in one buffer, so one packet.
 *
 * Every answer says "Connection: close" and is not to be cached. Thread safety: all functions.
 */
#ifndef MUSTER_BRIDGE_HTTP_ANSWER_H
#define MUSTER_BRIDGE_HTTP_ANSWER_H

#include "socketio/transport.h"

enum http_answer_form {
    HTTP_ANSWER_PLAIN = 0,
    HTTP_ANSWER_BODILESS = 1, /* of a HEAD request */
    HTTP_ANSWER_PAGE = 2,     /* may be shown by a browser, which is told to trust nothing in it */
};

/* Appends the answer. `a->status` is not 0. `form`: bits of enum http_answer_form. */
void http_answer_write(struct strbuf *out, const struct eio_answer *a, unsigned form);
/* Whether a header's value that came from a stranger may be repeated: it can end no line. */
bool http_answer_repeatable(struct str value);

#endif
