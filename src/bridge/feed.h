/* feed.h - the event stream on its way to the players' sockets.
 *
 * The subscription's thread makes a message of each event: the ids of its players and, when one of
 * them may be connected, its JSON; the bridge's thread sends that to the sockets of those who are.
 * A player who connects between the two is sent his state, which then tells of the event. When the
 * inbox is full an event is dropped, and everybody is sent his state instead (resync).
 */
#ifndef MUSTER_BRIDGE_FEED_H
#define MUSTER_BRIDGE_FEED_H

#include "base/err.h"
#include "rt/inbox.h"

struct bridge;
struct bridge_options;

struct feed {
    atomic_bool overflowed; /* events were dropped since the last look */
};

/* Subscribes. INVALID_ARGUMENT: a malformed address. */
enum err feed_start(struct bridge *b, const struct bridge_options *o,
                    struct err_text *why) ERR_CHECKED;
void feed_take_news(struct bridge *b, struct message *m);
void feed_take_resync(struct bridge *b, struct message *m);
void feed_tick(struct bridge *b); /* each second */

#endif
