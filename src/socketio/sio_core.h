/* sio_core.h - what the Socket.IO files share: server, namespace, client, socket, room.
 *
 *   server 1--* nsp 1--* socket *--1 client 1--1 eio_session
 *                nsp 1--* room 1--* membership *--1 socket
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

struct sio_nsp {
    char *name;
    const struct sio_handlers *handlers;
    void *arg;
    struct list sockets; /* sio_socket.nsp_link */
    struct map rooms;    /* sio_room by name */
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

struct sio_socket {
    struct sio_client *client;
    struct sio_nsp *nsp;
    struct list_node client_link, nsp_link;
    struct list memberships; /* sio_membership.socket_link */
    void *data;
    int busy;
    enum sio_socket_state state; /* only ever moves on */
    char id[EIO_ID_BYTES];
};

extern const struct eio_events sio_client_events; /* sio_client.c: what the engine calls */

/* Ends what busy++ began: frees a client that ended meanwhile. */
void sio_client_release(struct sio_client *c);

/* sio_socket.c */

/* Appends ["name",...args]. */
void sio_socket_add_event(struct strbuf *text, struct str name, struct str args);

/* The CONNECT of a client to a namespace, with all that follows from it. */
void sio_socket_connect(struct sio_client *c, struct sio_nsp *nsp, struct str auth);
/* An event that has all its attachments; `payload` is rewritten. */
void sio_socket_event(struct sio_socket *s, const struct sio_packet *p,
                      const struct str *attachments);
/* Leaves rooms and lists, tells the app, frees now or when its handler returns. */
void sio_socket_end(struct sio_socket *s, const char *reason);
void sio_socket_refuse(struct sio_client *c, struct str nsp, const char *message);

/* sio_room.c */
void sio_room_leave_all(struct sio_socket *s);

#endif
