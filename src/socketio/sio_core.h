/* sio_core.h - what the Socket.IO files share: server, namespace, client, socket, room.
 *
 *   server 1--* nsp 1--* socket *--1 client 1--1 eio_session
 *                nsp 1--* room 1--* membership *--1 socket
 *                nsp 1--0..1 sio_recovery
 *
 * A socket or client that ends while one of its handlers runs is freed when that returns (`busy`).
 * Thread safety: none.
 */
#ifndef MUSTER_SOCKETIO_SIO_CORE_H
#define MUSTER_SOCKETIO_SIO_CORE_H

#include "base/list.h"
#include "base/map.h"
#include "socketio/eio_server.h"
#include "socketio/sio_packet.h"
#include "socketio/socketio.h"

#define SIO_SERVER_NAMESPACES_MAX 16

struct sio_recovery; /* sio_recovery.c: what a namespace keeps for those who may come back */

struct sio_nsp {
    struct sio_server *server;
    char *name;
    const struct sio_handlers *handlers;
    void *arg;
    struct list sockets;           /* sio_socket.nsp_link */
    struct map rooms;              /* sio_room by name */
    struct map pids;               /* sio_socket by pid: those that have one */
    struct sio_recovery *recovery; /* NULL = off */
    uint64_t ask_next;             /* id of the next event that asks for an acknowledgement */
};

struct sio_server {
    struct eio_server *engine;
    struct sio_nsp nsps[SIO_SERVER_NAMESPACES_MAX];
    size_t nsp_count;
    struct strbuf scratch; /* a packet being built */
};

/* A binary event of which attachments are still due. */
struct sio_pending {
    struct strbuf text;
    struct strbuf bytes; /* the attachments received, one behind the other */
    size_t sizes[SIO_ATTACHMENTS_MAX];
    size_t received, wanted;
};

struct sio_client { /* one connection */
    struct sio_server *server;
    struct eio_session *session;
    struct list sockets;         /* sio_socket.client_link */
    struct sio_pending *pending; /* NULL = none */
    int busy;
    bool ended; /* its session has closed */
};

enum sio_socket_state { SIO_SOCKET_JOINING, SIO_SOCKET_JOINED, SIO_SOCKET_ENDED };

/* What is known of a socket only while its connect handler runs. */
struct sio_joining {
    struct sio_resume resume;
    struct strbuf error_data;
};

struct sio_socket {
    struct sio_client *client;
    struct sio_nsp *nsp;
    struct list_node client_link, nsp_link;
    struct list memberships; /* sio_membership.socket_link */
    struct list asks;        /* sio_ask.c's */
    void *data;
    char *pid;                   /* recovery secret, owned; NULL = none */
    uint64_t seen;               /* recovered: number of the last event it has */
    struct sio_joining *joining; /* in its connect handler, else NULL */
    int busy;
    enum sio_socket_state state; /* only ever moves on */
    bool deferred;               /* the app has yet to accept or refuse it */
    bool recovered;
    char id[EIO_ID_BYTES];
};

extern const struct eio_events sio_client_events; /* sio_client.c: what the engine calls */

/* Ends what busy++ began: frees a client that ended meanwhile. */
void sio_client_release(struct sio_client *c);

/* ---- sio_socket.c ---- */

/* The CONNECT of a client to a namespace, with all that follows from it. */
void sio_socket_connect(struct sio_client *c, struct sio_nsp *nsp, struct str auth);
/* An event that has all its attachments; `payload` is rewritten. */
void sio_socket_event(struct sio_socket *s, const struct sio_packet *p,
                      const struct str *attachments);
/* Leaves rooms and lists, tells the app, frees now or when its handler returns. */
void sio_socket_end(struct sio_socket *s, const char *reason);
/* Around a call of a handler: the socket survives until it returns. */
void sio_socket_enter_handler(struct sio_socket *s);
void sio_socket_leave_handler(struct sio_socket *s);
/* Ends the live socket of this pid, if there is one: it has come back elsewhere. */
void sio_socket_evict(struct sio_nsp *nsp, struct str pid);
/* The pid is this socket's from now on, and no other's. `pid`: see sio_socket_identify. */
void sio_socket_take_pid(struct sio_socket *s, struct str pid);

/* ---- sio_send.c ---- */

/* One event packet, one reference. `id` and `offset` may be empty. */
struct eio_frame *sio_send_event_frame(struct sio_nsp *nsp, struct str name, struct str args,
                                       struct str id, struct str offset);
void sio_send_connected(struct sio_socket *s);
void sio_send_disconnect(struct sio_socket *s);
void sio_send_refusal(struct sio_client *c, struct str nsp, struct str message, struct str data);
/* Accepts a socket that is still joining: its client must hear of its connection before anything
 * else. False: there is nobody to send to. */
bool sio_send_ready(struct sio_socket *s);

/* ---- sio_ask.c ---- */

/* `attachments` of a BINARY_ACK; ignored when nothing waits for its id. */
void sio_ask_answered(struct sio_socket *s, const struct sio_packet *p,
                      const struct str *attachments);
void sio_ask_cancel_all(struct sio_socket *s);

/* ---- sio_room.c ---- */

void sio_room_leave_all(struct sio_socket *s);
/* Appends the names of its rooms, each with a NUL behind it. */
void sio_room_names(const struct sio_socket *s, struct strbuf *out);

/* ---- sio_recovery.c ---- */

struct sio_recovery *sio_recovery_new(const struct sio_options *o);
void sio_recovery_free(struct sio_recovery *r); /* NULL is fine */
/* A socket that connects: goes on where its client says it was, or gets a new pid. */
void sio_recovery_begin(struct sio_socket *s, const struct sio_resume *resume);
/* Sends what it missed. */
void sio_recovery_replay(struct sio_socket *s);
/* A socket that ends, in a way after which its client may come back. */
void sio_recovery_keep_socket(struct sio_socket *s);
/* Makes an event packet that can be resumed behind, and keeps it for those it is for: one socket,
 * or the room (empty: all) but `except`. One reference. */
struct eio_frame *sio_recovery_event(struct sio_nsp *nsp, const struct sio_socket *to,
                                     const struct sio_target *target, struct str name,
                                     struct str args);

#endif
