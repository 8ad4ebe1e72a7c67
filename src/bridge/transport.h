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
    /* PEM files; both or neither: NULL or empty. With them only TLS is spoken, and files that
     * change are loaded within seconds, for connections to come. */
    const char *tls_cert, *tls_key;
    /* Connections of one address at a time, whatever they do; 0 = no limit. A polling client has
     * up to three. */
    size_t sockets_per_ip_max;
    struct sio_server *server;
    transport_wake_fn on_wake;
    transport_get_fn on_get;
    void *arg;
};

/* Everything in `o` is borrowed for the transport's life. UNAVAILABLE: cannot bind;
 * INVALID_ARGUMENT: malformed address, or unusable certificate or key. */
enum err transport_open(struct transport **out, const struct transport_options *o,
                        struct err_text *why) ERR_CHECKED;
/* "http://127.0.0.1:7602", or https; borrowed. */
const char *transport_address(const struct transport *t);
void transport_run(struct transport *t);  /* blocks until transport_stop took effect */
void transport_wake(struct transport *t); /* any thread: on_wake soon; calls coalesce */
/* Any thread: drains the Socket.IO server (drain_ms), flushes (at most 2 s), makes run return. */
void transport_stop(struct transport *t);
/* Takes over a connected stream socket that something else accepted. On the transport's thread. */
void transport_adopt(struct transport *t, int descriptor);
void transport_close(struct transport *t); /* after run returned; NULL is fine */

#endif
