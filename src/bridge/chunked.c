/* chunked.c - sizes in hex, data, trailers, by the byte. */
#include "bridge/chunked.h"

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The end of the size's line. */
static enum chunked_state begin_chunk(struct chunked *c, size_t room) {
    if (c->digits == 0) return CHUNKED_MALFORMED;
    if (c->left > room) return CHUNKED_TOO_LARGE;
    bool last = c->left == 0;
    c->line_bytes = c->digits = 0;
    c->in_extension = false;
    return last ? CHUNKED_TRAILER : CHUNKED_DATA;
}

/* "\r\n" only: a bare "\n" is read differently by different servers, which is how requests are
 * smuggled; the "\r" is counted in line_bytes and checked by its successor. */
static enum chunked_state take_size(struct chunked *c, char byte, bool after_cr, size_t room) {
    int digit = hex_value(byte);
    if (after_cr) return byte == '\n' ? begin_chunk(c, room) : CHUNKED_MALFORMED;
    if (byte == '\r') return CHUNKED_SIZE;
    if (byte == '\n') return CHUNKED_MALFORMED;
    if (c->in_extension) return CHUNKED_SIZE;
    if (digit < 0) {
        c->in_extension = byte == ';' || byte == ' ' || byte == '\t';
        return c->in_extension ? CHUNKED_SIZE : CHUNKED_MALFORMED;
    }
    if (++c->digits > 8) return CHUNKED_TOO_LARGE;
    c->left = c->left << 4 | (size_t)digit;
    return CHUNKED_SIZE;
}

static enum chunked_state take_trailer(struct chunked *c, char byte, bool after_cr) {
    if (!after_cr) return byte == '\n' ? CHUNKED_MALFORMED : CHUNKED_TRAILER;
    if (byte != '\n') return CHUNKED_MALFORMED;
    bool empty = c->line_bytes == 2; /* the line end alone */
    c->line_bytes = 0;
    if (empty) return CHUNKED_DONE;
    return ++c->trailer_count > CHUNKED_TRAILERS_MAX ? CHUNKED_MALFORMED : CHUNKED_TRAILER;
}

static enum chunked_state take_data_end(struct chunked *c, char byte) {
    if (byte != "\r\n"[c->line_bytes - 1]) return CHUNKED_MALFORMED;
    if (c->line_bytes < 2) return CHUNKED_DATA_END;
    c->line_bytes = 0;
    return CHUNKED_SIZE;
}

/* One byte that is no data. */
static void take_byte(struct chunked *c, char byte, size_t room) {
    bool after_cr = c->after_cr;
    c->after_cr = byte == '\r';
    if (++c->line_bytes > CHUNKED_LINE_BYTES_MAX)
        c->state = CHUNKED_MALFORMED;
    else if (c->state == CHUNKED_SIZE)
        c->state = take_size(c, byte, after_cr, room);
    else if (c->state == CHUNKED_DATA_END)
        c->state = take_data_end(c, byte);
    else
        c->state = take_trailer(c, byte, after_cr);
}

enum chunked_state chunked_take(struct chunked *c, struct str bytes, struct strbuf *out,
                                size_t body_bytes_max) {
    for (size_t at = 0; at < bytes.size && c->state < CHUNKED_DONE;) {
        if (c->state != CHUNKED_DATA) {
            take_byte(c, bytes.at[at++], body_bytes_max - out->size);
            continue;
        }
        size_t piece = bytes.size - at < c->left ? bytes.size - at : c->left;
        strbuf_add(out, bytes.at + at, piece);
        at += piece;
        c->left -= piece;
        if (c->left == 0) c->state = CHUNKED_DATA_END;
    }
    return c->state;
}
