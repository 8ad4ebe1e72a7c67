/* request_kit.h - decodes a method's request as a server does, for tests of what is refused. */
#ifndef MUSTER_TESTS_SUPPORT_REQUEST_KIT_H
#define MUSTER_TESTS_SUPPORT_REQUEST_KIT_H

#include "base/limits.h"
#include "wire/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct decoded {
    enum err code;
    struct request r;
    struct err_text why;
    struct arena *arena;
};

static inline struct decoded decode_capped(enum method_id method, struct str payload,
                                           size_t cap_bytes) {
    struct decoded d = {.arena = arena_new(cap_bytes)};
    struct request_source source = {payload, STR("req-1"), NULL};
    d.code = request_decode(method_row(method), &source, d.arena, &d.r, &d.why);
    return d;
}

static inline struct decoded decode(enum method_id method, const struct strbuf *payload) {
    return decode_capped(method, strbuf_str(payload),
                         payload->size * LIMIT_DECODE_FACTOR + LIMIT_DECODE_BYTES);
}

static inline void decoded_free(struct decoded *d) {
    if (d->code == ERR_OK) request_fini(&d->r);
    arena_free(d->arena);
}

/* Frees the payload. */
static inline void assert_refused(enum method_id method, struct strbuf *payload, const char *field,
                                  const char *text) {
    struct decoded d = decode(method, payload);
    assert_int_equal(d.code, ERR_INVALID_ARGUMENT);
    assert_string_equal(d.why.text, text);
    assert_string_equal(d.why.field, field);
    decoded_free(&d);
    strbuf_fini(payload);
}

#endif
