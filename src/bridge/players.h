/* players.h - who is connected, with which sockets, and whose ticket ended a short while ago.
 *
 * A player exists while somebody refers to him: each of his sessions, and each fetch of his state.
 * A session is one socket; it outlives the socket while requests of it are under way (`socket` is
 * NULL then). Memories say which ticket of a player ended within MEMORY_MS, so that one who was
 * away meanwhile can be told; the oldest is forgotten above MEMORIES_MAX.
 * Who may be connected is also told by counters, one for the ids of each hash, that another thread
 * may read: the subscription's spends nothing on events of players who are elsewhere.
 * Thread safety: one thread, the bridge's, but for players_may_be_here(). All O(1).
 */
#ifndef MUSTER_BRIDGE_PLAYERS_H
#define MUSTER_BRIDGE_PLAYERS_H

#include "base/id.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "socketio/socketio.h"

#include <stdatomic.h>

#define PLAYERS_MEMORY_MS 300000
#define PLAYERS_MEMORIES_MAX 200000
#define PLAYERS_COUNTERS 65536 /* a power of two */

struct players {
    struct map by_id;    /* struct player */
    struct map memories; /* struct memory */
    struct list by_age;  /* memory.link, oldest first */
    struct list all;     /* player.link */
    atomic_uint *here;   /* PLAYERS_COUNTERS: players by their id's hash */
};

struct player {
    struct list_node link;
    char id[LIMIT_NAME_BYTES + 1];
    size_t refs;
    struct list sessions;          /* session.link: those with a socket */
    char ticket_id[ID_TEXT_BYTES]; /* his open ticket as far as known; empty = none */
    int64_t heartbeat_ms;          /* how often that wants a sign of life; 0: it does not */
    int64_t beat_due_ms;           /* when the next one is sent */
    uint64_t news;                 /* events told to his sockets so far */
    uint64_t whole_news;           /* of them: those that say all of his ticket's state */
    bool fetch_queued;             /* a fetch for all of his sockets waits */
};

struct place { /* an event's in the journal; zero: before everything */
    uint64_t epoch, seq;
    uint32_t index;
};
int place_compare(const struct place *a, const struct place *b); /* <0, 0, >0 */

struct session {
    struct list_node link;
    struct sio_socket *socket; /* NULL once disconnected */
    /* resume.h */
    struct list_node resume_link;
    struct place covered; /* what is not behind it was sent to him before, or by a replay */
    bool resumable;       /* his events say where they are */
    bool resuming;        /* live events are not for him: a replay is under way, or */
    bool in_pass;         /* going through the journal for him now */
    unsigned missed;      /* events of the replay so far */
    struct player *player;
    size_t refs;          /* the socket, and requests and fetches under way */
    size_t request_count; /* the player's own requests under way */
};

void players_init(struct players *p);
void players_fini(struct players *p); /* no sessions, no references are left */

struct player *players_find(struct players *p, struct str id); /* NULL: not connected */
/* From any thread. False: whoever joins as this player does so after the call. True may be wrong:
 * with 10,000 players here for one in seven who are not. */
bool players_may_be_here(const struct players *p, struct str id);
void players_ref(struct player *player);
void players_unref(struct players *p, struct player *player);

/* A session of the player with this id, who is made when he has none. One reference. */
struct session *players_join(struct players *p, struct str id, struct sio_socket *socket);
void players_session_ref(struct session *s);
void players_session_unref(struct players *p, struct session *s);
/* The socket is gone: no more is sent to it. Drops its reference. */
void players_leave(struct players *p, struct session *s);

/* `ticket_id`: at most 26 characters. */
void players_remember(struct players *p, struct str id, struct str ticket_id, int64_t now_ms);
void players_forget(struct players *p, struct str id);
/* The ticket that ended; NULL when none did within PLAYERS_MEMORY_MS. Borrowed until a change. */
const char *players_memory(struct players *p, struct str id, int64_t now_ms);

#endif
