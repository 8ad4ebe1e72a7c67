/* demo_socket.h - simulated game clients: players on real WebSocket connections. */
#ifndef MUSTER_APP_DEMO_SOCKET_H
#define MUSTER_APP_DEMO_SOCKET_H

#include "app/demo_player.h"

#include <stddef.h>

struct demo_sockets; /* players who connect by Socket.IO over WebSocket; demo_socket.c */

/* `bridge`: "http://host:port". Players are borrowed. NULL when the address is malformed or no
 * context can be made. */
struct demo_sockets *demo_sockets_new(const char *bridge, const char *queue,
                                      struct demo_player *players, size_t count);
/* Connects whose time has come (64 at a time), handles what has come; at most ~10 ms. */
void demo_sockets_service(struct demo_sockets *s);
void demo_sockets_free(struct demo_sockets *s); /* closes the connections; NULL is fine */

#endif
