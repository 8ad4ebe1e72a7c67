/* socketio.h - a Socket.IO v5 / Engine.IO v4 server: namespaces, sockets, events, acks, rooms.
 *
 * Knows nothing of matchmaking. The embedder makes a server, declares namespaces with handlers,
 * and drives it from a transport (socketio/transport.h describes what a transport must do).
 * JSON passes through as text: arguments are the bytes of a JSON array, checked to be one.
 *
 *     sio_server_new -> sio_namespace... -> (transport runs) -> sio_server_close -> sio_server_free
 *
 * Life of a socket, each step on the server's thread:
 *
 *     connect handler --OK---------------------> JOINED --> disconnect handler, once
 *            |  \--sio_connect_defer--> waiting --sio_connect_accept--^
 *            |                             \--sio_connect_refuse, or the client left--> disconnect
 *            \--any other code: refused, no disconnect handler              handler, once
 *
 * A handle is valid from its connect handler until that refused, or until the disconnect handler
 * returns; within a handler it stays valid whatever the handler does. Text that is passed in is
 * copied, text that comes out is borrowed for the call. No function blocks; each costs O(1) and
 * the bytes it is given unless it says otherwise.
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

enum { SIO_POLLING = 1, SIO_WEBSOCKET = 2 };

#define SIO_PID_BYTES_MAX 128   /* of a recovery secret */
#define SIO_OFFSET_BYTES_MAX 64 /* of a position to recover from */

/* 0 or NULL = the default in brackets. What is over a limit is closed with a reason, unless it says
 * otherwise. */
struct sio_options {
    const char *path;               /* ["/socket.io/"] the exact path that is served */
    unsigned transports;            /* [both] SIO_POLLING | SIO_WEBSOCKET */
    int64_t ping_interval_ms;       /* [25000] 100..3600000 */
    int64_t ping_timeout_ms;        /* [20000] 100..3600000 */
    int64_t upgrade_timeout_ms;     /* [10000] 100..3600000 then the WebSocket is closed */
    int64_t connect_timeout_ms;     /* [45000] 100..3600000 to join a first namespace */
    int64_t return_timeout_ms;      /* [10000] 100..3600000 for a polling client's second request */
    size_t payload_bytes_max;       /* [1000000] maxPayload, both directions' packets */
    size_t queue_bytes_max;         /* [262144] waiting per client: above it "slow client" */
    size_t queue_packets_max;       /* [256] likewise */
    size_t connections_max;         /* [20000] sessions; more are refused with 503 */
    size_t connections_per_ip_max;  /* [0 = no limit] likewise */
    size_t strangers_max;           /* [connections_max / 4 + 64] polling sessions whose client has
                                       not come back: the oldest goes */
    size_t namespaces_max;          /* [16] per connection */
    size_t packets_per_payload_max; /* [256] polling body */
    size_t json_depth_max;          /* [64] at most 512 */
    size_t asks_max;                /* [64] acknowledgements waited for per socket: see sio_ask */
    const char *origins;            /* ["*"] comma-separated; a request without Origin passes */
    int64_t drain_ms;               /* [0] sio_server_drain's longest time */
    int64_t recovery_ms;            /* [0 = off] 0..86400000: see "Connection state recovery" */
    size_t recovery_bytes_max;      /* [16777216] of events kept per namespace: the oldest go */
    size_t recovery_sockets_max; /* [20000] sockets that may come back, per namespace: likewise */
};

/* The rest of an event with binary: `args` still holds the placeholders, {"_placeholder":true,
 * "num":k}, with k in 0..attachment_count-1. Borrowed for the call. */
struct sio_binary {
    struct str args, ack_id;
    const struct str *attachments;
    size_t attachment_count; /* at most 10 */
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
     * "ping timeout", "transport error", "server shutting down", and of our own "slow client",
     * "connect timeout", "session taken over". */
    void (*disconnect)(void *arg, struct sio_socket *s, const char *reason);
};

struct sio_server *sio_server_new(const struct sio_options *o);
void sio_server_free(struct sio_server *server); /* after sio_server_close; NULL is fine */
/* Declares a namespace ("/" or "/admin"); at most 16. Before the first connection. */
void sio_namespace(struct sio_server *server, const char *name, const struct sio_handlers *handlers,
                   void *arg);
/* Disconnects everyone ("server shutting down") and refuses new ones. */
void sio_server_close(struct sio_server *server);
/* The same, spread over the time returned, at most drain_ms, so that clients do not come back all
 * at once; sio_server_close ends it. */
int64_t sio_server_drain(struct sio_server *server);
size_t sio_server_connections(const struct sio_server *server);

struct str sio_socket_id(const struct sio_socket *s);      /* the public id, 20 characters */
struct str sio_socket_address(const struct sio_socket *s); /* the peer's IP as text */
/* A web page speaks that was not served by this machine: there is an Origin, and its host is
 * neither localhost nor 127.0.0.1 nor [::1]. */
bool sio_socket_foreign_page(const struct sio_socket *s);
void sio_socket_set_data(struct sio_socket *s, void *data);
void *sio_socket_data(const struct sio_socket *s);

/* ---- accepting later ---- */

/* In the connect handler, which then returns OK: the verdict follows by one of the two below.
 * Until then the client can do nothing but leave, and connect_timeout_ms bounds its first wait. */
void sio_connect_defer(struct sio_socket *s);
void sio_connect_accept(struct sio_socket *s);
/* Ends the socket; the disconnect handler is called ("refused"). `data` is JSON text for the
 * CONNECT_ERROR, or empty. */
void sio_connect_refuse(struct sio_socket *s, struct str message, struct str data);
/* In the connect handler: the `data` of the CONNECT_ERROR if it refuses. */
void sio_connect_error_data(struct sio_socket *s, struct str data);

/* ---- sending ---- */

/* Sends an event: `args` is a JSON array's text, "[...]" without the name. Queued; never blocks.
 * A client whose queue passes its limits is disconnected with "slow client". */
void sio_emit(struct sio_socket *s, struct str name, struct str args);
void sio_emit_binary(struct sio_socket *s, struct str name, struct str args,
                     const struct str *attachments, size_t attachment_count);
/* Sends it only if it can leave at once: for what the next one replaces. False: it was dropped. */
bool sio_emit_volatile(struct sio_socket *s, struct str name, struct str args);
/* Answers an event that wanted an acknowledgement; `args` as in sio_emit. */
void sio_ack(struct sio_socket *s, struct str ack_id, struct str args);
void sio_ack_binary(struct sio_socket *s, struct str ack_id, struct str args,
                    const struct str *attachments, size_t attachment_count);

/* What a client acknowledges. OK; DEADLINE_EXCEEDED: not in time, a later one is ignored;
 * CANCELLED: the socket ends, its disconnect handler follows. Not OK: the rest is empty. */
struct sio_answer {
    enum err code;
    struct str args; /* a JSON array; placeholders as in struct sio_binary */
    const struct str *attachments;
    size_t attachment_count;
};
typedef void (*sio_answer_fn)(void *arg, struct sio_socket *s, const struct sio_answer *answer);
struct sio_ask {
    int64_t timeout_ms; /* 1..3600000 */
    sio_answer_fn answer;
    void *arg;
};
/* Sends an event and calls `ask->answer` once. RESOURCE_EXHAUSTED: asks_max are under way;
 * FAILED_PRECONDITION: the socket has ended. Then nothing is sent, and `answer` is not called. */
enum err sio_emit_ask(struct sio_socket *s, struct str name, struct str args,
                      const struct sio_ask *ask) ERR_CHECKED;

/* DISCONNECT from the namespace; `close` also ends the connection. */
void sio_socket_disconnect(struct sio_socket *s, bool close);

/* ---- rooms ---- */

/* A socket is in any number of rooms, which the app bounds; joining twice is harmless; it leaves
 * all at disconnect. O(rooms of the socket). `room` is not empty. */
void sio_join(struct sio_socket *s, struct str room);
void sio_leave(struct sio_socket *s, struct str room);
/* One encoded buffer, shared by all receivers. Empty room = the whole namespace. O(receivers). */
void sio_broadcast(struct sio_server *server, const char *namespace_name, struct str room,
                   struct str name, struct str args);
struct sio_target {
    const char *namespace_name;
    struct str room;                 /* empty = the whole namespace */
    const struct sio_socket *except; /* NULL = nobody */
    bool is_volatile;                /* as sio_emit_volatile, for each receiver */
};
void sio_broadcast_to(struct sio_server *server, const struct sio_target *to, struct str name,
                      struct str args);

/* ---- Connection state recovery ----
 *
 * A client that lost its connection may go on: it names its secret (pid) and the offset of the last
 * event it has seen, gets what it missed, then CONNECT with the id it had. Ended by the client's or
 * the server's DISCONNECT. A pid belongs to one live socket: coming back with it ends that first.
 *
 * With recovery_ms the server does this from its own memory: events sent by sio_emit, sio_broadcast
 * and sio_broadcast_to (not volatile, binary or asking ones) are kept that long, rooms are joined
 * again, and the connect handler sees sio_socket_recovered(). What cannot be recovered connects
 * anew, silently. Costs a pid per socket, one kept buffer per event, and at recovery a walk over
 * what was kept since.
 *
 * Without it the application can do it, from a log that other servers share: its connect handler
 * looks at sio_socket_resume(), checks the pid in its own way, calls sio_socket_identify() (for new
 * sockets too), sends what was missed with sio_emit_at(), and accepts, then or later. */

struct sio_resume {
    struct str pid, offset; /* empty = the client asks for nothing; offset alone may be empty */
};
/* Valid in the connect handler only. */
struct sio_resume sio_socket_resume(const struct sio_socket *s);
/* Before the socket is accepted; the last call counts. `pid`: 1..SIO_PID_BYTES_MAX bytes,
 * unguessable, printable, without quotes and backslashes. `id`: the 20 characters of the id it had,
 * or empty for its new one. */
void sio_socket_identify(struct sio_socket *s, struct str id, struct str pid);
bool sio_socket_recovered(const struct sio_socket *s); /* it goes on where it was */
/* An event that can be resumed behind: `offset`, as pid, is added as its last argument. Before the
 * socket is accepted it is one that was missed, and does not accept. */
void sio_emit_at(struct sio_socket *s, struct str name, struct str args, struct str offset);

#endif
