/* pb.c - varints, keys and lengths. */
#include "wire/pb.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { VARINT_BYTES = 10, KEY_BYTES = 5 };

struct pb_reader pb_reader(struct str bytes) {
    const unsigned char *at = (const unsigned char *)(bytes.at ? bytes.at : "");
    return (struct pb_reader){at, at + bytes.size, false};
}

static bool read_long_varint(struct pb_reader *r, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES && r->at < r->end; i++) {
        unsigned char byte = *r->at++;
        if (i == VARINT_BYTES - 1 && byte > 1) return false; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static inline bool read_varint(struct pb_reader *r, uint64_t *out) {
    if (r->at == r->end || *r->at >= 0x80) return read_long_varint(r, out);
    *out = *r->at++; /* nearly all keys and lengths */
    return true;
}

static bool read_fixed(struct pb_reader *r, size_t size, uint64_t *out) {
    if ((size_t)(r->end - r->at) < size) return false;
    uint64_t value = 0;
    memcpy(&value, r->at, size);
    r->at += size;
    *out = le64toh(value);
    return true;
}

static bool read_bytes(struct pb_reader *r, struct str *out) {
    uint64_t size;
    if (!read_varint(r, &size) || size > (uint64_t)(r->end - r->at)) return false;
    *out = (struct str){(const char *)r->at, (size_t)size};
    r->at += size;
    return true;
}

static bool read_field(struct pb_reader *r, struct pb_field *f) {
    uint64_t key;
    if (!read_varint(r, &key) || key > UINT32_MAX || key >> 3 == 0) return false;
    f->key = (uint32_t)key;
    switch (key & 7) {
    case PB_VARINT:
        return read_varint(r, &f->value);
    case PB_FIXED64:
        return read_fixed(r, 8, &f->value);
    case PB_BYTES:
        return read_bytes(r, &f->bytes);
    case PB_FIXED32:
        return read_fixed(r, 4, &f->value);
    default:
        return false;
    }
}

bool pb_next(struct pb_reader *r, struct pb_field *f) {
    if (r->at == r->end || r->malformed) return false;
    r->malformed = !read_field(r, f);
    return !r->malformed;
}

bool pb_count(struct str bytes, uint32_t key, uint32_t *count) {
    struct pb_reader r = pb_reader(bytes);
    struct pb_field f;
    *count = 0;
    while (pb_next(&r, &f))
        if (f.key == key) ++*count;
    return !r.malformed;
}

double pb_double(const struct pb_field *f) {
    assert((f->key & 7) == PB_FIXED64);
    double value;
    memcpy(&value, &f->value, sizeof value);
    return value;
}

static char *write_varint(char *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *at++ = (char)(value | 0x80);
    *at++ = (char)value;
    return at;
}

static void finish(struct strbuf *out, char *end) {
    *end = '\0';
    out->size = (size_t)(end - out->at);
}

static void add_varint(struct strbuf *out, uint32_t key, uint64_t value) {
    assert((key & 7) == PB_VARINT);
    char *at = write_varint(strbuf_reserve(out, KEY_BYTES + VARINT_BYTES), key);
    finish(out, write_varint(at, value));
}

static void add_fixed64(struct strbuf *out, uint32_t key, uint64_t value) {
    assert((key & 7) == PB_FIXED64);
    char *at = write_varint(strbuf_reserve(out, KEY_BYTES + 8), key);
    for (unsigned i = 0; i < 8; i++)
        *at++ = (char)(value >> (8 * i));
    finish(out, at);
}

void pb_put_uint(struct strbuf *out, uint32_t key, uint64_t value) {
    if (value) add_varint(out, key, value);
}

void pb_put_int(struct strbuf *out, uint32_t key, int64_t value) {
    pb_put_uint(out, key, (uint64_t)value);
}

void pb_add_double(struct strbuf *out, uint32_t key, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_fixed64(out, key, bits);
}

void pb_put_double(struct strbuf *out, uint32_t key, double value) {
    uint64_t bits; /* -0.0 is no default */
    memcpy(&bits, &value, sizeof bits);
    if (bits) add_fixed64(out, key, bits);
}

void pb_put_fixed64(struct strbuf *out, uint32_t key, uint64_t value) {
    if (value) add_fixed64(out, key, value);
}

void pb_add_text(struct strbuf *out, uint32_t key, struct str text) {
    assert((key & 7) == PB_BYTES);
    char *at = write_varint(strbuf_reserve(out, KEY_BYTES + VARINT_BYTES + text.size), key);
    at = write_varint(at, text.size);
    if (text.size) memcpy(at, text.at, text.size);
    finish(out, at + text.size);
}

void pb_put_text(struct strbuf *out, uint32_t key, struct str text) {
    if (text.size) pb_add_text(out, key, text);
}

void pb_add_id(struct strbuf *out, uint32_t key, struct id id) {
    char text[ID_TEXT_BYTES] = "";
    if (!id_is_none(id)) id_format(id, text);
    pb_add_text(out, key, str_of(text));
}

void pb_put_id(struct strbuf *out, uint32_t key, struct id id) {
    if (!id_is_none(id)) pb_add_id(out, key, id);
}

/* One byte is kept for the length, which is enough for most; pb_close makes room for more. */
size_t pb_open(struct strbuf *out, uint32_t key) {
    assert((key & 7) == PB_BYTES);
    char *at = write_varint(strbuf_reserve(out, KEY_BYTES + 1), key);
    finish(out, at + 1);
    return out->size;
}

void pb_close(struct strbuf *out, size_t mark) {
    assert(mark > 0 && mark <= out->size);
    size_t size = out->size - mark;
    char length[VARINT_BYTES];
    size_t length_size = (size_t)(write_varint(length, size) - length);
    if (length_size > 1) {
        strbuf_reserve(out, length_size - 1);
        memmove(out->at + mark + length_size - 1, out->at + mark, size);
        finish(out, out->at + out->size + length_size - 1);
    }
    memcpy(out->at + mark - 1, length, length_size);
}
