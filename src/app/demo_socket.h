/* demo_socket.h - the demo's game clients: players on real WebSocket connections. */
#ifndef MUSTER_APP_DEMO_SOCKET_H
#define MUSTER_APP_DEMO_SOCKET_H

#include "app/demo_player.h"

#include <stddef.h>

struct demo_sockets; /* players who connect by Socket.IO over WebSocket */

struct demo_sockets_options {
    const char *bridge; /* "http://host:port" */
    const char *queue;  /* that they join; borrowed */
};

/* Players are borrowed. Errors of game_clients_new; free in any case. */
enum err demo_sockets_new(struct demo_sockets **out, const struct demo_sockets_options *o,
                          struct demo_player *players, size_t count,
                          struct err_text *why) ERR_CHECKED;
/* Connects whose time has come (64 at a time), handles what has come; at most ~10 ms. */
void demo_sockets_service(struct demo_sockets *s);
void demo_sockets_free(struct demo_sockets *s); /* closes the connections; NULL is fine */

#endif
