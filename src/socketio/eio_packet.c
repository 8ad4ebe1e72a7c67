/* eio_packet.c - Engine.IO v4 packets, and polling bodies. */
#include "socketio/eio_packet.h"

#include "socketio/eio_base64.h"

#include <string.h>

#define SEPARATOR '\x1e'

bool eio_packet_parse(char *text, size_t size, struct eio_packet *out) {
    *out = (struct eio_packet){0};
    if (size == 0) return false;
    out->data = text + 1;
    out->size = size - 1;
    if (text[0] == 'b') {
        struct str encoded = {text + 1, size - 1};
        out->type = EIO_MESSAGE;
        out->binary = true;
        return eio_base64_decode(encoded, out->data, &out->size);
    }
    if (text[0] < '0' || text[0] > '6') return false;
    out->type = (enum eio_packet_type)(text[0] - '0');
    return true;
}

bool eio_payload_next(struct eio_payload *p, char **text, size_t *size) {
    if (p->finished) return false;
    char *separator = p->left ? memchr(p->at, SEPARATOR, p->left) : NULL;
    *text = p->at;
    *size = separator ? (size_t)(separator - p->at) : p->left;
    if (separator) {
        p->left -= *size + 1;
        p->at = separator + 1;
    } else {
        p->finished = true;
    }
    return true;
}

void eio_payload_add(struct strbuf *body, const struct eio_frame *f) {
    struct str bytes = {f->bytes, f->size};
    if (body->size) strbuf_add_char(body, SEPARATOR);
    if (f->binary) {
        strbuf_add_char(body, 'b');
        eio_base64_encode(body, bytes);
    } else {
        strbuf_add_str(body, bytes);
    }
}
