/* sio_json.h - checks JSON text without building a tree: arguments pass through as bytes.
 *
 * Strict RFC 8259 over UTF-8 that was checked before. Nesting is bounded, because what a handler
 * sends on may meet a reader that recurses. O(n). Thread safety: all functions.
 */
#ifndef MUSTER_SOCKETIO_SIO_JSON_H
#define MUSTER_SOCKETIO_SIO_JSON_H

#include "base/str.h"

#define SIO_JSON_DEPTH_MAX 512 /* the checker recurses */
#define SIO_JSON_ANY_PLACEHOLDER SIZE_MAX

enum sio_json_kind {
    SIO_JSON_INVALID,
    SIO_JSON_OBJECT,
    SIO_JSON_ARRAY,
    SIO_JSON_STRING,
    SIO_JSON_NUMBER,
    SIO_JSON_LITERAL,
};

/* What `text` as a whole is; INVALID when malformed or nested deeper than `depth_max`, or when an
 * object {"_placeholder":true,"num":k} has no k in 0..placeholder_count-1. Key names are compared
 * as written, without their escapes: whoever resolves placeholders checks the index again. */
enum sio_json_kind sio_json_check(struct str text, size_t depth_max, size_t placeholder_count);
/* The first element of an array that was checked, without white space; empty for "[]". */
struct str sio_json_first(struct str array);
/* The value of a member of a checked object, without white space; the last of equal keys counts.
 * `key` with its quotes, compared as written. Empty when there is none. */
struct str sio_json_member(struct str object, struct str key);
enum sio_json_kind sio_json_kind_of(struct str value); /* of a checked value, by its first byte */
/* Appends the characters that a checked string literal stands for; a lone surrogate becomes
 * U+FFFD. */
void sio_json_unescape(struct strbuf *out, struct str literal);
void sio_json_escape(struct strbuf *out, struct str text); /* with quotes */

#endif
