/* bridge_role.h - the role that speaks Socket.IO with players: a pure client of api and events.
 *
 *     bridge_start --> bridge_stop --> bridge_free           (free alone stops as well)
 *
 * Runs two threads of its own: the server's and a pulse of one second. An api or a publisher that
 * is away is no error: it is waited for, and players' requests are answered UNAVAILABLE.
 * Thread safety: the functions are called by one thread.
 */
#ifndef MUSTER_BRIDGE_BRIDGE_ROLE_H
#define MUSTER_BRIDGE_BRIDGE_ROLE_H

#include "base/err.h"

#include <stdint.h>

struct bridge;

struct bridge_options {
    const char *listen;     /* "host:port", port 0 = any */
    const char *api;        /* nng address of the api, or several, comma-separated */
    const char *events;     /* nng address of the publisher, or several likewise */
    const char *realm;      /* valid name */
    const char *origins;    /* comma-separated allowed Origins; "*" = any */
    const char *path;       /* "/socket.io/": begins and ends with a slash */
    const char *transports; /* "all", "websocket" or "polling" */
    const char *dashboard;  /* "off", "on", or "play": and simulated players may be added */
    /* 16..64 of [A-Za-z0-9_.-] that dashboards must name; empty: they are open to this machine. */
    const char *admin_token;
    const char *tls_cert,
        *tls_key;               /* PEM files, both or neither: empty; renewed when they change */
    int64_t ping_interval_ms;   /* 100..3600000 */
    int64_t ping_timeout_ms;    /* 100..3600000 */
    int64_t upgrade_timeout_ms; /* 100..3600000 */
    int64_t connect_timeout_ms; /* 100..3600000 to join a first namespace */
    int64_t payload_bytes_max;  /* 1024..16777216 of one packet, and of one polling body */
    int64_t queue_bytes_max;    /* 1024..67108864 waiting for one client: then he is cut */
    int64_t drain_ms;           /* 0..60000 over which a stop spreads the disconnects */
    int64_t connections_max;    /* 1..1000000; more are refused */
    int64_t connections_per_ip_max; /* 0..1000000; 0 = no limit */
};

/* Binds, and starts the threads. The texts are borrowed for the call; the caller owns `*out`.
 * UNAVAILABLE: cannot bind; INVALID_ARGUMENT: a malformed address, or an unusable certificate. Then
 * `*out` is NULL. */
enum err bridge_start(struct bridge **out, const struct bridge_options *o,
                      struct err_text *why) ERR_CHECKED;
const char *bridge_address(const struct bridge *b); /* "http://host:port", borrowed */
void bridge_stop(struct bridge *b); /* closes sockets in order, joins; at most drain_ms + 3 s */
void bridge_free(struct bridge *b); /* NULL is fine */

#endif
