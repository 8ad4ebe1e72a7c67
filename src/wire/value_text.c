/* value_text.c - shows a value only where it is text of a decent length. */
#include "wire/value_text.h"

#include "base/limits.h"

#include <stdio.h>

_Static_assert(VALUE_TEXT_BYTES > LIMIT_TEXT_BYTES + sizeof "is \"\"", "a whole text fits");

const char *value_text(struct str value, char out[VALUE_TEXT_BYTES]) {
    if (value.size > LIMIT_TEXT_BYTES)
        (void)snprintf(out, VALUE_TEXT_BYTES, "has %zu bytes", value.size);
    else if (!str_utf8_valid(value))
        (void)snprintf(out, VALUE_TEXT_BYTES, "is no UTF-8 text");
    else
        (void)snprintf(out, VALUE_TEXT_BYTES, "is \"%.*s\"", STR_PRINT(value));
    return out;
}
