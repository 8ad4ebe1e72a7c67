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
#include "bridge/players.h"
#include "rt/inbox.h"

#include <muster/v1/events.pb-c.h>

struct bridge;
struct bridge_options;
struct news; /* an event for players: whose, and what their sockets are sent */

struct feed {
    struct place last;      /* of the latest event that came */
    atomic_bool overflowed; /* events were dropped since the last look */
};

/* Subscribes. INVALID_ARGUMENT: a malformed address. */
enum err feed_start(struct bridge *b, const struct bridge_options *o,
                    struct err_text *why) ERR_CHECKED;
void feed_take_news(struct bridge *b, struct message *m);
void feed_take_resync(struct bridge *b, struct message *m);
void feed_tick(struct bridge *b); /* each second */

/* Of an event, from any thread; the caller's. NULL: not for players. */
struct news *feed_news(const struct bridge *b, const Muster__V1__Event *event);
void feed_news_free(struct news *n);
const struct place *feed_news_place(const struct news *n);
size_t feed_news_targets(const struct news *n);
struct player *feed_news_player(struct bridge *b, const struct news *n, size_t index); /* or NULL */
/* As the player of that index is told it. */
void feed_news_emit(struct session *s, const struct news *n, size_t index);

#endif
