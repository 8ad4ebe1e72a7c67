/* demo.h - simulated players: who they are and what happened to each. */
#ifndef MUSTER_APP_DEMO_H
#define MUSTER_APP_DEMO_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

enum { DEMO_REGIONS = 4 };
extern const char *const demo_regions[DEMO_REGIONS];

struct demo_player {
    char id[48];
    double skill;
    int32_t latency_ms[DEMO_REGIONS];
    int64_t asked_us;          /* clock_mono_us when he asked to join; 0 = not yet */
    _Atomic int64_t told_us;   /* when he heard of his match; 0 = not yet */
    _Atomic int told_matches;  /* how many different matches he was told of: 1 is right */
    char match_id[27];         /* of the first; written before told_us */
    char error[160];           /* why he could not join; empty = he could */
};

/* Notes that the player was told of a match; the same match twice counts once. One thread per
 * player. */
void demo_player_told(struct demo_player *p, const char *match_id);

struct demo_sockets; /* players who connect by Socket.IO over WebSocket; demo_socket.c */

/* `bridge`: "http://host:port". Players are borrowed. NULL when the address is malformed or no
 * context can be made. */
struct demo_sockets *demo_sockets_new(const char *bridge, const char *queue,
                                      struct demo_player *players, size_t count);
/* Connects who is not yet connected (64 at a time), handles what has come; at most ~50 ms. */
void demo_sockets_service(struct demo_sockets *s);
void demo_sockets_free(struct demo_sockets *s); /* closes the connections; NULL is fine */

#endif
