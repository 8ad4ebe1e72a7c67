/* traceparent.h - a caller's place in a distributed trace, as W3C Trace Context's traceparent says
 * it.
 *
 * Source: https://www.w3.org/TR/trace-context/ (Recommendation), section 3.2. Kept as the 26 bytes
 * that the text's hexadecimal digits stand for: version, trace id (16), parent id (8), flags.
 * Thread safety: all functions.
 */
#ifndef MUSTER_BASE_TRACEPARENT_H
#define MUSTER_BASE_TRACEPARENT_H

#include "base/str.h"

#define TRACEPARENT_BYTES 26
#define TRACEPARENT_TEXT_BYTES 56 /* with its NUL */

struct traceparent {
    unsigned char bytes[TRACEPARENT_BYTES];
};

/* False for what is to be ignored: another shape, upper case, version ff, an id of zeros. What a
 * later version adds behind is cut, and its unknown flags are cleared. */
bool traceparent_parse(struct str text, struct traceparent *out);
bool traceparent_is_none(const struct traceparent *t); /* zeros, which no caller can send */
void traceparent_format(const struct traceparent *t, char out[TRACEPARENT_TEXT_BYTES]);

#endif
