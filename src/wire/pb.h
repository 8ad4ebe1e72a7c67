/* pb.h - protocol buffers' wire format: a reader of fields and a writer of them.
 *
 * Hot messages are read from and written to model values directly, with no message structs in
 * between: a text is borrowed from the bytes with its length, so nothing is cut at a NUL, and
 * memory is spent only on what a decoder asks for. fields.h has a key per field.
 *
 *     struct pb_reader r = pb_reader(bytes);
 *     struct pb_field f;
 *     while (pb_next(&r, &f))
 *         switch (f.key) { case Ticket_ticket_id: ... }      an unknown key: skip
 *     if (r.malformed) ...
 *
 * A field of a known number but another wire type has another key and so counts as unknown, as the
 * specification wants. Groups are malformed. Of a singular field given twice the last one counts,
 * a sub-message too: it is not merged. Over-long texts and bad UTF-8 are the caller's to refuse.
 * Source: protobuf.dev/programming-guides/encoding. Thread safety: one thread per instance.
 */
#ifndef MUSTER_WIRE_PB_H
#define MUSTER_WIRE_PB_H

#include "base/id.h"
#include "base/str.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

#define PB_KEY(number, wire) ((number) << 3 | (wire))

struct pb_field {
    uint32_t key;     /* PB_KEY */
    uint64_t value;   /* VARINT, FIXED64, FIXED32 */
    struct str bytes; /* BYTES: borrowed from the reader's bytes */
};

struct pb_reader {
    const unsigned char *at, *end;
    bool malformed;
};

struct pb_reader pb_reader(struct str bytes);
/* The next field; false at the end, or when what follows is malformed (then r->malformed). */
bool pb_next(struct pb_reader *r, struct pb_field *f);
/* Whether `bytes` are fields from end to end; writes how many of them have `key` to *count. */
bool pb_count(struct str bytes, uint32_t key, uint32_t *count);
double pb_double(const struct pb_field *f);

/* Writers. put: a singular field, left out when it is the default (0, empty). add: always
 * written (an element of a repeated field, a member of a oneof). */
void pb_put_uint(struct strbuf *out, uint32_t key, uint64_t value);
void pb_put_int(struct strbuf *out, uint32_t key, int64_t value);
void pb_put_double(struct strbuf *out, uint32_t key, double value);
void pb_put_fixed64(struct strbuf *out, uint32_t key, uint64_t value);
void pb_put_text(struct strbuf *out, uint32_t key, struct str text);
void pb_put_id(struct strbuf *out, uint32_t key, struct id id); /* as its 26 characters */
void pb_add_double(struct strbuf *out, uint32_t key, double value);
void pb_add_text(struct strbuf *out, uint32_t key, struct str text);
void pb_add_id(struct strbuf *out, uint32_t key, struct id id); /* none: the empty text */

/* Embraces a sub-message: what is written between them becomes its content. pb_close may move that
 * content by some bytes. */
size_t pb_open(struct strbuf *out, uint32_t key);
void pb_close(struct strbuf *out, size_t mark);

#endif
