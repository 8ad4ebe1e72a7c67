/* resume.h - what a player missed while he was away, from the journal, on whichever bridge he is
 * now.
 *
 *   connects, with an offset --> deferred --replayed to its end--> accepted, recovered: live from
 * here
 *                                        \--the offset is gone, or too much--> accepted, `resync`
 *
 * Who connects with auth {resume: true} gets a place in the journal as the last argument of every
 * event; stock clients that know connection state recovery send it back by themselves, others as
 * auth {resume: "<offset>"}. Replays are passes over the journal: one at a time, from the oldest
 * offset of all who wait, so that a crowd that comes back costs one reading. While he is in a pass
 * live events are not sent to him: the pass goes on until it has passed them.
 * A pass is at most RESUME_PAGES_MAX answers long: who is farther behind gets `resync`.
 * Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_RESUME_H
#define MUSTER_BRIDGE_RESUME_H

#include "base/err.h"
#include "bridge/players.h"

#include <muster/v1/events.pb-c.h>

#define RESUME_PAGES_MAX 200

struct bridge;

struct resume {
    struct list waiting; /* session.resume_link: for the next pass */
    struct list passing; /* in the pass under way */
    bool under_way;
    struct place next; /* where the pass goes on */
    unsigned pages;
};

void resume_init(struct resume *r);
/* In the connect handler, after players_join: looks for what the client asks in `auth` and in the
 * recovery of its transport. True: the verdict is deferred, he will be sent what he missed. False:
 * he begins anew, and is to be sent his state. */
bool resume_connect(struct bridge *b, struct session *s, struct str auth);
void resume_leave(struct bridge *b, struct session *s); /* he is gone; harmless otherwise */

/* A place as text, "<epoch>-<seq>-<index>". */
#define RESUME_OFFSET_BYTES 56
void resume_offset(const struct place *at, char out[RESUME_OFFSET_BYTES]);

#endif
