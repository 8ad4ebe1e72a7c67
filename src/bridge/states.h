/* states.h - fetching players' state from the api: for a socket that has just connected, and for
 * everybody after events were lost. At most STATES_IN_FLIGHT fetches at a time; one that fails is
 * tried again after a second, for as long as its sockets are there. Bridge's thread only. */
#ifndef MUSTER_BRIDGE_STATES_H
#define MUSTER_BRIDGE_STATES_H

#include "base/list.h"

#include <stddef.h>

#define STATES_IN_FLIGHT 256

struct bridge;
struct session;

struct states {
    struct list ready;   /* job.link */
    struct list resting; /* job.link, failed ones, first to be tried again first */
    size_t in_flight;
    char reason[512]; /* of the last loss */
};

void states_init(struct states *s);
void states_fini(struct bridge *b);
/* Tells this socket of its player's open ticket, or of the one that ended while he was away. */
void states_want_session(struct bridge *b, struct session *session);
/* Sends this socket `resync` with its player's state: it could not be given what it missed. */
void states_want_resync(struct bridge *b, struct session *session, const char *reason);
/* Sends `resync` with his state to every connected player, but for those who are being replayed. */
void states_want_all(struct bridge *b, const char *reason);
void states_tick(struct bridge *b); /* each second */

#endif
