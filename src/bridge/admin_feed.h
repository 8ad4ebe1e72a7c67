/* admin_feed.h - the event stream on its way to the dashboards: `match` and `happening`.
 *
 * The subscription's thread picks what is shown, while somebody looks: so many a second, the rest
 * is counted. A match is fetched with its tickets, so that its players' values can be shown.
 */
#ifndef MUSTER_BRIDGE_ADMIN_FEED_H
#define MUSTER_BRIDGE_ADMIN_FEED_H

#include "rt/inbox.h"

#include <muster/v1/admin.pb-c.h>
#include <muster/v1/events.pb-c.h>
#include <stdatomic.h>
#include <stdint.h>

#define ADMIN_MATCHES_PER_S 10
#define ADMIN_HAPPENINGS_PER_S 20 /* of each severity */

struct bridge;

struct admin_allowance { /* the subscription's thread's */
    int64_t second;
    unsigned used;
};

struct admin_feed {
    struct admin_allowance matches, happenings[3]; /* by Happening.Severity */
    _Atomic uint64_t left_out;                     /* beyond the allowance */
};

/* On the subscription's thread. */
void admin_feed_event(struct bridge *b, const Muster__V1__Event *event);
/* On the bridge's thread: what admin_feed_event has put into its inbox. */
void admin_feed_take(struct bridge *b, struct message *m);
/* On the bridge's thread: something about this server. `reason` may be empty. */
void admin_feed_tell(struct bridge *b, const char *type, const char *reason);

#endif
