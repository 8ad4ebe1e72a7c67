/* socketio.h - a Socket.IO v5 / Engine.IO v4 server: namespaces, sockets, events, acks, rooms.
 *
 * Knows nothing of matchmaking. The embedder makes a server, declares namespaces with handlers,
 * and drives it from a transport (socketio/transport.h describes what a transport must do).
 * JSON passes through as text: arguments are the bytes of a JSON array, checked to be one.
 *
 * Life of a socket: connect handler (may refuse) -> events -> disconnect handler, once. A handle
 * is valid from connect until the disconnect handler returns.
 * Thread safety: one thread per server; all callbacks run on it, and may call any function here.
 * Source: socketio/engine.io-protocol v4 and socketio/socket.io-protocol v5.
 */
#ifndef MUSTER_SOCKETIO_SOCKETIO_H
#define MUSTER_SOCKETIO_SOCKETIO_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct sio_server;
struct sio_socket; /* one namespace of one connection */

struct sio_options {                /* 0 = the default in brackets */
    const char *path;               /* ["/socket.io/"] */
    int64_t ping_interval_ms;       /* [25000] 100..3600000 */
    int64_t ping_timeout_ms;        /* [20000] 100..3600000 */
    int64_t upgrade_timeout_ms;     /* [10000] */
    int64_t connect_timeout_ms;     /* [45000] to join a first namespace */
    size_t payload_bytes_max;       /* [1000000] maxPayload, both directions' packets */
    size_t queue_bytes_max;         /* [262144] waiting per client: above it is disconnected */
    size_t queue_packets_max;       /* [256] */
    size_t connections_max;         /* [20000] sessions; more are refused with 503 */
    size_t connections_per_ip_max;  /* [0 = no limit] */
    size_t namespaces_max;          /* [16] per connection */
    size_t packets_per_payload_max; /* [256] polling body */
    size_t json_depth_max;          /* [64] */
    const char *origins;            /* ["*"] comma-separated; a request without Origin passes */
};

/* The rest of an event with binary: `args` still holds the placeholders, {"_placeholder":true,
 * "num":k}, with k in 0..attachment_count-1. Borrowed for the call. */
struct sio_binary {
    struct str args, ack_id;
    const struct str *attachments;
    size_t attachment_count;
};

/* What the app does in a namespace. NULL handlers are skipped. `arg` is sio_namespace's. */
struct sio_handlers {
    /* `auth`: the CONNECT payload, a JSON object's text or empty. OK accepts; any other code
     * refuses with CONNECT_ERROR {"message": why->text}. The socket is usable from here on: an
     * emit inside accepts, and a refusal after it is a disconnect. */
    enum err (*connect)(void *arg, struct sio_socket *s, struct str auth, struct err_text *why);
    /* `args`: JSON array text without the event name. `ack_id` is empty, or to be passed to
     * sio_ack once, at any later time while the socket lives. Binary attachments are not passed
     * on by this handler: events with binary go to `binary` or close when that is NULL. */
    void (*event)(void *arg, struct sio_socket *s, struct str name, struct str args,
                  struct str ack_id);
    /* An event with binary attachments. */
    void (*binary)(void *arg, struct sio_socket *s, struct str name, const struct sio_binary *b);
    /* `reason` as the reference names it: "client namespace disconnect", "transport close",
     * "ping timeout", "transport error", "server shutting down", "slow client" ... */
    void (*disconnect)(void *arg, struct sio_socket *s, const char *reason);
};

struct sio_server *sio_server_new(const struct sio_options *o);
void sio_server_free(struct sio_server *server); /* after sio_server_close; NULL is fine */
/* Declares a namespace ("/" or "/admin"); at most 16. Before the first connection. */
void sio_namespace(struct sio_server *server, const char *name, const struct sio_handlers *handlers,
                   void *arg);
/* Disconnects everyone ("server shutting down") and refuses new ones. */
void sio_server_close(struct sio_server *server);
size_t sio_server_connections(const struct sio_server *server);

struct str sio_socket_id(const struct sio_socket *s);      /* the public id, 20 characters */
struct str sio_socket_address(const struct sio_socket *s); /* the peer's IP as text */
void sio_socket_set_data(struct sio_socket *s, void *data);
void *sio_socket_data(const struct sio_socket *s);
/* Sends an event: `args` is a JSON array's text, "[...]" without the name. Queued; never blocks.
 * A client whose queue passes its limits is disconnected with "slow client". */
void sio_emit(struct sio_socket *s, struct str name, struct str args);
void sio_emit_binary(struct sio_socket *s, struct str name, struct str args,
                     const struct str *attachments, size_t attachment_count);
/* Answers an event that wanted an acknowledgement; `args` as in sio_emit. */
void sio_ack(struct sio_socket *s, struct str ack_id, struct str args);
void sio_ack_binary(struct sio_socket *s, struct str ack_id, struct str args,
                    const struct str *attachments, size_t attachment_count);
/* DISCONNECT from the namespace; `close` also ends the connection. */
void sio_socket_disconnect(struct sio_socket *s, bool close);

/* Rooms: a socket is in any number; joining twice is harmless; leaves all at disconnect. */
void sio_join(struct sio_socket *s, struct str room);
void sio_leave(struct sio_socket *s, struct str room);
/* One encoded buffer, shared by all receivers. Empty room = the whole namespace. */
void sio_broadcast(struct sio_server *server, const char *namespace_name, struct str room,
                   struct str name, struct str args);

#endif
