/* chunked.h - takes the chunks of an HTTP/1.1 body apart, in pieces as they come.
 *
 * libwebsockets does not; Go's HTTP clients send such bodies. Extensions and trailers are skipped.
 * Zero-initialise. Source: RFC 9112 section 7.1. Thread safety: one thread per instance.
 */
#ifndef MUSTER_BRIDGE_CHUNKED_H
#define MUSTER_BRIDGE_CHUNKED_H

#include "base/str.h"

#define CHUNKED_LINE_BYTES_MAX 256 /* of a size with its extensions, or a trailer: malformed */
#define CHUNKED_TRAILERS_MAX 16    /* likewise */

enum chunked_state {
    CHUNKED_SIZE, /* in the line of a chunk's size */
    CHUNKED_DATA,
    CHUNKED_DATA_END, /* the line end behind it */
    CHUNKED_TRAILER,
    CHUNKED_DONE,
    CHUNKED_MALFORMED,
    CHUNKED_TOO_LARGE,
};

struct chunked {
    enum chunked_state state;
    size_t left;       /* of the chunk */
    size_t line_bytes; /* of the line so far */
    size_t digits;     /* of the size so far */
    size_t trailer_count;
    bool in_extension, after_cr;
};

/* Appends the data in `bytes` to `out`, of which at most `body_bytes_max` are in total. Returns the
 * state after it; the last three are final, and what follows them is not looked at. */
enum chunked_state chunked_take(struct chunked *c, struct str bytes, struct strbuf *out,
                                size_t body_bytes_max);

#endif
