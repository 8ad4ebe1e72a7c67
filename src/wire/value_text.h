/* value_text.h - a refused value in the words of an error.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_VALUE_TEXT_H
#define MUSTER_WIRE_VALUE_TEXT_H

#include "base/str.h"

#define VALUE_TEXT_BYTES 128

/* `is "abc"`; `has 300 bytes` when it is too long to be shown; `is no UTF-8 text`. Writes to `out`
 * and returns it. */
const char *value_text(struct str value, char out[VALUE_TEXT_BYTES]);

#endif
