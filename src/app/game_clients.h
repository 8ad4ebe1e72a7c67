/* game_clients.h - many game clients: Socket.IO players, each on a WebSocket of his own.
 *
 *     game_clients_connect -> opened -> (game_clients_send, packet) ... -> gone
 *
 * Handlers run inside game_clients_service and game_clients_connect; they may send. Frames and
 * packets are written and read by hand on purpose: a client that shared the server's codec could
 * not notice its mistakes. Plain http:// only.
 * Memory: about 100 bytes a client, and what has come of an unfinished frame.
 * Thread safety: one thread.
 */
#ifndef MUSTER_APP_GAME_CLIENTS_H
#define MUSTER_APP_GAME_CLIENTS_H

#include "base/err.h"
#include "base/str.h"

struct game_clients;

/* He is connected to the namespace / and may send. */
typedef void (*game_client_opened_fn)(void *arg, size_t client);
/* A Socket.IO packet: 42["match_found",{...}] an event, 430[{...}] the answer to 420[...]. */
typedef void (*game_client_packet_fn)(void *arg, size_t client, struct str packet);
/* The connection failed or ended; once, and not by game_clients_free. */
typedef void (*game_client_gone_fn)(void *arg, size_t client, struct str why);

struct game_client_handlers {
    game_client_opened_fn opened;
    game_client_packet_fn packet;
    game_client_gone_fn gone;
    void *arg;
};

/* `url`: "http://host:port". INVALID_ARGUMENT: it is malformed; UNAVAILABLE: no such host;
 * RESOURCE_EXHAUSTED: the process may not open so many files (it raises its limit as far as it
 * may). Handlers are copied. Free with game_clients_free in any case. */
enum err game_clients_new(struct game_clients **out, const char *url, size_t count,
                          const struct game_client_handlers *handlers,
                          struct err_text *why) ERR_CHECKED;
/* Begins; once per client 0..count-1. `player_id`: valid, borrowed until he has opened. */
void game_clients_connect(struct game_clients *g, size_t client, const char *player_id);
/* How many have begun to connect and are not through. */
size_t game_clients_connecting(const struct game_clients *g);
/* A whole packet, at most 64 KiB: it goes out at once, or the client is gone. */
void game_clients_send(struct game_clients *g, size_t client, struct str packet);
/* Takes what has come; waits for something until `until_us` (clock_mono_us). */
void game_clients_service(struct game_clients *g, int64_t until_us);
void game_clients_free(struct game_clients *g); /* closes the connections; NULL is fine */

#endif
