/* transport.h - HTTP and WebSocket for the Socket.IO server, on libwebsockets: the one file that
 * knows that library, and its traps (each is told in the .c file where it is stepped around).
 *
 * The thread that calls transport_run is the server's thread; everything else here but
 * transport_wake and transport_stop is called on it or before it.
 */
#ifndef MUSTER_BRIDGE_TRANSPORT_H
#define MUSTER_BRIDGE_TRANSPORT_H

#include "socketio/socketio.h"

struct transport;

/* Called on the transport's thread. */
typedef void (*transport_wake_fn)(void *arg);
/* GET of a path outside Socket.IO: fills `body` and `type` ("text/plain") and returns the HTTP
 * status; 404 when it has no such path. */
typedef int (*transport_get_fn)(void *arg, struct str path, struct strbuf *body, const char **type);

struct transport_options {
    const char *listen; /* "host:port", port 0 = any */
    struct sio_server *server;
    transport_wake_fn on_wake;
    transport_get_fn on_get;
    void *arg;
};

/* UNAVAILABLE: cannot bind; INVALID_ARGUMENT: malformed address. */
enum err transport_open(struct transport **out, const struct transport_options *o,
                        struct err_text *why) ERR_CHECKED;
const char *transport_address(const struct transport *t); /* "http://127.0.0.1:7602", borrowed */
void transport_run(struct transport *t);  /* blocks until transport_stop took effect */
void transport_wake(struct transport *t); /* any thread: on_wake soon; calls coalesce */
/* Any thread: closes the Socket.IO server in order, flushes (at most 2 s), makes run return. */
void transport_stop(struct transport *t);
void transport_close(struct transport *t); /* after run returned; NULL is fine */

#endif
