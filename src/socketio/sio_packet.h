/* sio_packet.h - Socket.IO v5 packets as text: parse and check what clients send, begin ours.
 *
 *     packet = type [ count "-" ] [ "/" namespace [","] ] [ id ] [ json ]     count: 5 and 6 only
 *
 * Source: socketio/socket.io-protocol v5, "Packet encoding". Thread safety: all functions.
 */
#ifndef MUSTER_SOCKETIO_SIO_PACKET_H
#define MUSTER_SOCKETIO_SIO_PACKET_H

#include "base/str.h"

#define SIO_ATTACHMENTS_MAX 10      /* as the reference's parser 4.2.7 */
#define SIO_ID_DIGITS_MAX 20        /* of an ack id, which is echoed as it came */
#define SIO_NAMESPACE_BYTES_MAX 256 /* a longer one closes the connection */

enum sio_packet_type {
    SIO_CONNECT,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_ACK,
    SIO_CONNECT_ERROR,
    SIO_BINARY_EVENT,
    SIO_BINARY_ACK,
};

struct sio_packet {
    enum sio_packet_type type;
    size_t attachment_count; /* binary types: 0..SIO_ATTACHMENTS_MAX */
    struct str nsp;          /* "/" when absent */
    struct str id;           /* digits, or empty */
    struct str payload;      /* checked JSON, or empty */
};

/* Parses and checks a packet from a client; everything points into `text`. False: malformed, or a
 * packet that no client may send; the connection is to be closed. */
bool sio_packet_parse(struct str text, size_t json_depth_max, struct sio_packet *out);
/* Takes the event's name off its checked payload: appends it to `name`, and rewrites the text in
 * place so that `*args` is the array without it. */
void sio_packet_split_event(struct str payload, struct strbuf *name, struct str *args);
/* Appends the Engine.IO type and the head: "4" type [count "-"] [nsp ","] id. */
void sio_packet_begin(struct strbuf *out, const struct sio_packet *head);

#endif
