/* envelope.h - muster.v1.Request and Response as bytes: what travels in one nng message. */
#ifndef MUSTER_WIRE_ENVELOPE_H
#define MUSTER_WIRE_ENVELOPE_H

#include "base/err.h"
#include "base/mem.h"

struct envelope {
    struct str method;        /* "muster.v1.Service/Method", valid UTF-8, at most 128 bytes */
    struct str payload;
    uint32_t timeout_ms;      /* 0..LIMIT_TIMEOUT_MS, larger ones are cut down to it */
    struct str request_id;    /* empty, or a valid name */
    struct str authorization; /* empty or at most 4096 bytes */
    struct str traceparent;
};

/* Everything in `out` lives in the arena. INVALID_ARGUMENT for malformed bytes, RESOURCE_EXHAUSTED
 * when decoding would pass the arena's cap. */
enum err envelope_decode(struct str bytes, struct arena *arena, struct envelope *out,
                         struct err_text *why) ERR_CHECKED;
/* A Response. `why` may be NULL. Appends to `out`. */
void envelope_encode_response(enum err code, const struct err_text *why, struct str payload,
                              struct strbuf *out);

#endif
