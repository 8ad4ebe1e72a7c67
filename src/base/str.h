/* str.h - text that is borrowed (struct str) and text that grows (struct strbuf).
 *
 * A struct str owns nothing and need not end in NUL. A strbuf owns its bytes, keeps a NUL behind
 * them, and may be zero-initialised. Thread safety: one thread per instance.
 */
#ifndef MUSTER_BASE_STR_H
#define MUSTER_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *at; /* may be NULL when size is 0 */
    size_t size;    /* bytes */
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_EMPTY ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_PRINT(s)) */
#define STR_PRINT(s) (int)(s).size, (s).at ? (s).at : ""

struct str str_of(const char *text); /* borrows a NUL-terminated text; NULL gives the empty one */
bool str_equal(struct str a, struct str b);
int str_compare(struct str a, struct str b); /* bytewise, as memcmp; a prefix sorts first */
bool str_starts(struct str s, struct str prefix);
uint64_t str_hash(struct str s);   /* XXH3 with a per-process random seed: not for storage */
bool str_utf8_valid(struct str s); /* strict RFC 3629; an embedded NUL is invalid */
/* Bytes of the first character, 1..4; 0 when that is malformed or `s` is empty. */
size_t str_utf8_size(struct str s);
/* 1..LIMIT_NAME_BYTES bytes of [A-Za-z0-9_.-]: players, queues, realms, request ids. */
bool str_name_valid(struct str s);
/* Whole text as a decimal int64; false when empty, malformed or out of range. */
bool str_to_int64(struct str s, int64_t *out);
/* Whole text as a finite double in C locale; false otherwise. */
bool str_to_double(struct str s, double *out);
/* The candidate nearest to `word` by edit distance, NULL when none is within max(2, a third)
 * or shares a letter in its place. */
const char *str_nearest(struct str word, const char *const *candidates, size_t candidate_count);

struct strbuf {
    char *at;
    size_t size;     /* bytes used, without the closing NUL */
    size_t capacity; /* bytes allocated */
};

void strbuf_add(struct strbuf *b, const void *bytes, size_t size);
void strbuf_add_str(struct strbuf *b, struct str s);
void strbuf_add_char(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `size` more bytes at the end, without counting them as used; returns where they go. */
char *strbuf_reserve(struct strbuf *b, size_t size);
void strbuf_clear(struct strbuf *b); /* keeps the memory */
void strbuf_fini(struct strbuf *b);  /* frees; zeroed memory is fine */
struct str strbuf_str(const struct strbuf *b);

#endif
