/* traceparent.c - hexadecimal digits with dashes between, and back. */
#include "base/traceparent.h"

#include <string.h>

enum { VERSION = 0, TRACE_ID = 1, PARENT_ID = 17, FLAGS = 25, FLAG_SAMPLED = 1 };

static const char shape[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_zero(const struct traceparent *t, size_t from, size_t to) {
    while (from < to && t->bytes[from] == 0)
        from++;
    return from == to;
}

static bool read_digits(const char *text, struct traceparent *out) {
    size_t digits = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == '-' && text[i] != '-') return false;
        if (shape[i] == '-') continue;
        int value = digit(text[i]);
        if (value < 0) return false;
        unsigned char *byte = &out->bytes[digits++ / 2];
        *byte = (unsigned char)(*byte << 4 | value);
    }
    return true;
}

bool traceparent_parse(struct str text, struct traceparent *out) {
    size_t size = sizeof shape - 1;
    if (text.size < size || !read_digits(text.at, out)) return false;
    unsigned char *version = &out->bytes[VERSION];
    if (*version == 0xff || is_zero(out, TRACE_ID, PARENT_ID) || is_zero(out, PARENT_ID, FLAGS))
        return false;
    if (*version == 0) return text.size == size;
    if (text.size > size && text.at[size] != '-') return false;
    *version = 0;
    out->bytes[FLAGS] &= FLAG_SAMPLED;
    return true;
}

bool traceparent_is_none(const struct traceparent *t) {
    return is_zero(t, TRACE_ID, PARENT_ID);
}

void traceparent_format(const struct traceparent *t, char out[TRACEPARENT_TEXT_BYTES]) {
    static const char hex[] = "0123456789abcdef";
    size_t digits = 0;
    for (size_t i = 0; i < sizeof shape; i++) {
        out[i] = shape[i];
        if (shape[i] != 'x') continue;
        unsigned char byte = t->bytes[digits / 2];
        out[i] = hex[digits++ % 2 ? byte & 15 : byte >> 4];
    }
}
