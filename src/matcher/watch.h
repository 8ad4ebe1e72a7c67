/* watch.h - long polls on tickets: who waits for which ticket's next change.
 *
 * Thread safety: none (the matcher's thread).
 */
#ifndef MUSTER_MATCHER_WATCH_H
#define MUSTER_MATCHER_WATCH_H

#include "base/heap.h"
#include "base/id.h"
#include "base/map.h"
#include "rt/call.h"

struct watch; /* one held call */

struct watches {
    struct map by_ticket;  /* id_hash -> first watch of the ticket */
    struct heap deadlines; /* watch.deadline, us */
    size_t count;          /* at most LIMIT_WATCHERS */
    struct id *changed;    /* tickets that changed since watch_take_changed */
    size_t changed_count, changed_capacity;
};

void watch_fini(struct watches *w); /* none may be held */
/* Holds the call; false at the limit (the call stays the caller's). */
bool watch_add(struct watches *w, struct id ticket_id, struct call *c);
/* Notes that a ticket changes; cheap when nobody holds a watch. */
void watch_note(struct watches *w, struct id ticket_id);
/* Takes the next call to answer because its ticket changed; NULL when none is left. */
struct call *watch_take_changed(struct watches *w, struct id *ticket_id);
/* Takes the next call whose deadline is near at `now_us`; INT64_MAX takes any. */
struct call *watch_take_due(struct watches *w, int64_t now_us, struct id *ticket_id);
int64_t watch_due_us(const struct watches *w); /* INT64_MAX when none is held */

#endif
