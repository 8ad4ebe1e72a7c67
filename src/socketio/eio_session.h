/* eio_session.h - one Engine.IO session: its transports, heartbeat and queue.
 *
 *   POLLING <-> PROBING --> WEBSOCKET        a session may also begin as WEBSOCKET
 *      |           |            |
 *      +-----------+------------+--> CLOSING (flushing what was queued) --> CLOSED
 *      +-----------+------------+--> CLOSED
 *
 * The application hears `close` once, when the session leaves the first three. A closed session
 * stays allocated until the outermost call into the server returns (eio_server_leave).
 * Source: socketio/engine.io-protocol v4. Thread safety: none.
 */
#ifndef MUSTER_SOCKETIO_EIO_SESSION_H
#define MUSTER_SOCKETIO_EIO_SESSION_H

#include "base/list.h"
#include "base/wheel.h"
#include "socketio/eio_base64.h"
#include "socketio/eio_packet.h"
#include "socketio/transport.h"

enum eio_state { EIO_POLLING, EIO_PROBING, EIO_WEBSOCKET, EIO_CLOSING, EIO_CLOSED };

enum eio_timer {
    EIO_TIMER_HEARTBEAT, /* next ping, or the pong's deadline; in CLOSING the flush's */
    EIO_TIMER_JOIN,      /* until the client is back with its sid; then until it has joined */
    EIO_TIMER_UPGRADE,
    EIO_TIMER_COUNT,
};

struct eio_session {
    struct eio_server *server;
    struct list_node link;          /* server's open or dead */
    struct list_node doomed_link;   /* server's doomed */
    struct list_node stranger_link; /* server's strangers */
    struct wheel_node timers[EIO_TIMER_COUNT];
    struct eio_exchange *get, *post; /* held by this session, or NULL */
    struct eio_ws *ws, *probe;
    struct eio_frame **queue; /* waiting: queue[first..first+count) */
    uint32_t queue_first, queue_count, queue_capacity;
    size_t queue_bytes;
    void *client;     /* the application's */
    const char *doom; /* why it will be dropped at the next tick, or NULL */
    enum eio_state state;
    bool awaiting_pong;
    bool foreign_page;      /* its first request came from a page that this machine did not serve */
    char sid[EIO_ID_BYTES]; /* secret: whoever knows it is the client */
    char address[EIO_ADDRESS_BYTES];
};

/* Makes the session of a first request, borrowed for the call, and queues its open packet; NULL
 * when a limit refuses it. `ws` NULL: polling. */
struct eio_session *eio_session_new(struct eio_server *server, struct eio_ws *ws,
                                    const struct eio_request *r);
/* Sends the frames in order (they are held, not taken). Never blocks nor calls the application:
 * a client over its limits is doomed, and dropped with "slow client" at the next tick. */
void eio_session_send(struct eio_session *s, struct eio_frame *const *frames, size_t count);
/* Sends what is queued as far as the transport takes it. */
void eio_session_flush(struct eio_session *s);
/* In order: what is queued is flushed, then the close is sent. */
void eio_session_close(struct eio_session *s, const char *reason, enum eio_ws_code code);
/* At once: a held GET is told to end; the queue is dropped. `reason` is static. */
void eio_session_drop(struct eio_session *s, const char *reason, enum eio_ws_code code);
/* As eio_session_send, but for what is worth nothing later: false, and nothing is kept, when it
 * cannot leave at once. */
bool eio_session_send_volatile(struct eio_session *s, struct eio_frame *const *frames,
                               size_t count);
void eio_session_joined(struct eio_session *s); /* stops the join deadline */
/* A client that knows the sid has come: whoever opened the session was no passer-by. */
void eio_session_returned(struct eio_session *s);
/* One packet from the client; false when it was no business of his and the session was dropped. */
bool eio_session_packet(struct eio_session *s, const struct eio_packet *p);
/* Answers the held GET with one packet of this type, if there is one. */
void eio_session_answer_get(struct eio_session *s, enum eio_packet_type type);
/* The probing WebSocket becomes the transport. */
void eio_session_upgrade(struct eio_session *s);
void eio_session_start_probe(struct eio_session *s); /* "2probe" was answered */
void eio_session_end_probe(struct eio_session *s, enum eio_ws_code code); /* polling goes on */

#endif
