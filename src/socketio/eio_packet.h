/* eio_packet.h - Engine.IO v4 packets, and polling bodies: packets joined by 0x1E.
 *
 * Source: socketio/engine.io-protocol v4, "Packet encoding". Thread safety: all functions.
 */
#ifndef MUSTER_SOCKETIO_EIO_PACKET_H
#define MUSTER_SOCKETIO_EIO_PACKET_H

#include "socketio/eio_frame.h"

enum eio_packet_type {
    EIO_OPEN,
    EIO_CLOSE,
    EIO_PING,
    EIO_PONG,
    EIO_MESSAGE,
    EIO_UPGRADE,
    EIO_NOOP,
};

struct eio_packet {
    enum eio_packet_type type;
    bool binary; /* messages only: data is raw bytes */
    char *data;  /* inside the parsed text; may be rewritten by its owner */
    size_t size;
};

/* Parses one text packet. "b<base64>" is decoded in place. False: empty, unknown type, or base64
 * that is none; then `text` may have been partly rewritten. */
bool eio_packet_parse(char *text, size_t size, struct eio_packet *out);

/* Walks the packets of a polling body: zero-initialise but for `at` and `left`. An empty body is
 * one empty packet, and so is what follows a trailing separator: both fail to parse. */
struct eio_payload {
    char *at;
    size_t left;
    bool finished;
};

bool eio_payload_next(struct eio_payload *p, char **text, size_t *size);
/* Appends a packet to a polling body, with a separator when it is not the first. */
void eio_payload_add(struct strbuf *body, const struct eio_frame *f);

#endif
