/* envelope.h - muster.v1.Request and Response as bytes: what travels in one nng message.
 *
 * Unknown fields are skipped, unknown metadata too. No memory is allocated but in `out`. O(bytes).
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_ENVELOPE_H
#define MUSTER_WIRE_ENVELOPE_H

#include "base/err.h"
#include "base/str.h"

struct envelope {             /* borrows from the bytes */
    struct str method;        /* "muster.v1.Service/Method", valid UTF-8, at most 128 bytes */
    struct str payload;       /* the method's request message, not looked at */
    uint32_t timeout_ms;      /* 0..LIMIT_TIMEOUT_MS, larger ones are cut down to it */
    struct str request_id;    /* empty, or a valid name */
    struct str authorization; /* empty or at most 4096 bytes */
    struct str traceparent;   /* the same */
    bool forwarded;           /* not to be forwarded again */
};

/* INVALID_ARGUMENT for malformed bytes and for what breaks a limit above. */
enum err envelope_decode(struct str bytes, struct envelope *out, struct err_text *why) ERR_CHECKED;
/* Appends to an encoded Request: it is handed on, with so much time left. */
void envelope_mark_forwarded(uint32_t timeout_ms, struct strbuf *out);
/* The status of an encoded Response, and its message; INTERNAL when it is none. */
enum err envelope_response_status(struct str bytes, struct err_text *why) ERR_CHECKED;
/* Adds a Status as field `key`. `why` may be NULL. */
void envelope_put_status(enum err code, const struct err_text *why, uint32_t key,
                         struct strbuf *out);
/* A Response. `why` may be NULL. Appends to `out`. */
void envelope_encode_response(enum err code, const struct err_text *why, struct str payload,
                              struct strbuf *out);

#endif
