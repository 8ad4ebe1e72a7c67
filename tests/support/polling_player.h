/* polling_player.h - a Socket.IO client in a few lines: HTTP long polling, one namespace.
 *
 * What the server sends is kept as text; expecting something polls until it is there, at most 20 s,
 * then fails the program, naming it. Pings are not answered: use a long ping interval.
 */
#ifndef MUSTER_TESTS_POLLING_PLAYER_H
#define MUSTER_TESTS_POLLING_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

struct polling_player {
    int port;
    const char *namespace_name; /* as packets name it: "/admin,", or empty for / */
    char sid[64];
    char *received; /* packets so far, each ended by a newline */
    size_t size;
};

/* GET; the status code. `body` is filled with up to `size` - 1 bytes and a NUL. */
int polling_get(int port, const char *path, char *body, size_t size);
/* Connects with an auth object's text; waits for the answer (CONNECT or CONNECT_ERROR). */
struct polling_player *polling_player_new(const char *address, const char *auth);
/* The same in another namespace: "/admin,". Borrowed for the player's life. */
struct polling_player *polling_player_new_in(const char *address, const char *namespace_name,
                                             const char *auth);
/* From a page: with that Origin. */
struct polling_player *polling_player_new_from(const char *address, const char *namespace_name,
                                               const char *auth, const char *origin);
void polling_player_free(struct polling_player *p); /* ends the connection */
/* `event`: the array's text; `ack_id` < 0: no acknowledgement is asked for. */
void polling_player_emit(struct polling_player *p, int ack_id, const char *event);
/* Polls until `text` is among what was received. */
void polling_player_expect(struct polling_player *p, const char *text);
bool polling_player_has(const struct polling_player *p, const char *text);

#endif
