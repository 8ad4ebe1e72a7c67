/* eio_base64.c - standard base64 for binary in polling bodies, and ids. */
#include "socketio/eio_base64.h"

#include "base/rng.h"

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void eio_base64_encode(struct strbuf *out, struct str bytes) {
    const unsigned char *in = (const unsigned char *)bytes.at;
    char *to = strbuf_reserve(out, (bytes.size + 2) / 3 * 4);
    size_t written = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1) group |= (uint32_t)in[i + 1] << 8;
        if (left > 2) group |= in[i + 2];
        to[written++] = STANDARD[group >> 18];
        to[written++] = STANDARD[group >> 12 & 63];
        to[written++] = left > 1 ? STANDARD[group >> 6 & 63] : '=';
        to[written++] = left > 2 ? STANDARD[group & 63] : '=';
    }
    out->size += written;
    out->at[out->size] = '\0';
}

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

/* The 24 bits of the first `digits` characters; -1 when one is foreign or a bit is left over. */
static int32_t group_of(const char *text, size_t digits) {
    uint32_t group = 0;
    for (size_t k = 0; k < digits; k++) {
        int value = value_of(text[k]);
        if (value < 0) return -1;
        group |= (uint32_t)value << (18 - 6 * k);
    }
    uint32_t used = digits == 4 ? 0xffffffu : digits == 3 ? 0xffff00u : 0xff0000u;
    return group & ~used ? -1 : (int32_t)group;
}

bool eio_base64_decode(struct str text, char *out, size_t *out_size) {
    *out_size = 0;
    if (text.size % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.at[text.size - 1 - padding] == '=')
        padding++;
    size_t written = 0;
    for (size_t i = 0; i < text.size; i += 4) {
        size_t digits = i + 4 == text.size ? 4 - padding : 4;
        int32_t group = group_of(text.at + i, digits);
        if (group < 0) return false;
        out[written++] = (char)(group >> 16);
        if (digits > 2) out[written++] = (char)(group >> 8);
        if (digits > 3) out[written++] = (char)group;
    }
    *out_size = written;
    return true;
}

void eio_base64_new_id(char out[EIO_ID_BYTES]) {
    unsigned char random[EIO_ID_BYTES / 4 * 3];
    rng_secret(random, sizeof random);
    for (size_t i = 0; i < sizeof random / 3; i++) {
        const unsigned char *in = random + i * 3;
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        for (int k = 0; k < 4; k++)
            out[i * 4 + (size_t)k] = URL[group >> (18 - 6 * k) & 63];
    }
}
