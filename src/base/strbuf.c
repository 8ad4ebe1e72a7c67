/* strbuf.c - text that grows by doubling and always ends in NUL. */
#include "base/str.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY_FIRST = 64 };

char *strbuf_reserve(struct strbuf *b, size_t size) {
    assert(size < SIZE_MAX / 4 && b->size < SIZE_MAX / 4);
    size_t needed = b->size + size + 1;
    if (needed > b->capacity) {
        size_t capacity = b->capacity ? b->capacity : CAPACITY_FIRST;
        while (capacity < needed)
            capacity *= 2;
        b->at = mem_grow(b->at, capacity, 1);
        b->capacity = capacity;
        b->at[b->size] = '\0';
    }
    return b->at + b->size;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t size) {
    char *end = strbuf_reserve(b, size);
    if (size) memcpy(end, bytes, size);
    end[size] = '\0';
    b->size += size;
}

void strbuf_add_str(struct strbuf *b, struct str s) {
    strbuf_add(b, s.at, s.size);
}

void strbuf_add_char(struct strbuf *b, char c) {
    strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t room = b->capacity - b->size;
    int size = vsnprintf(b->at ? b->at + b->size : NULL, b->at ? room : 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    if ((size_t)size >= room)
        (void)vsnprintf(strbuf_reserve(b, (size_t)size), (size_t)size + 1, format, again);
    va_end(again);
    b->size += (size_t)size;
}

void strbuf_clear(struct strbuf *b) {
    b->size = 0;
    if (b->at) b->at[0] = '\0';
}

void strbuf_fini(struct strbuf *b) {
    mem_free(b->at);
    *b = (struct strbuf){0};
}

struct str strbuf_str(const struct strbuf *b) {
    return (struct str){b->at, b->size};
}
