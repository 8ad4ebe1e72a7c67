/* census.h - every queue and its numbers, as the api tells them now: ListQueues, then GetQueueStats
 * of one queue after the other.
 *
 *     census_ask ... -> one census under way -> each asker's `done`, once
 *
 * However many ask, the api is asked once. Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_CENSUS_H
#define MUSTER_BRIDGE_CENSUS_H

#include "base/list.h"

#include <muster/client.h>

struct bridge;

struct census_row {
    const Muster__V1__Queue *queue;
    const Muster__V1__GetQueueStatsResponse *stats; /* NULL: the queue was deleted meanwhile */
};

/* What the askers are told: borrowed for the call. `rows` are in the order of the queues' names. */
struct census_result {
    const struct muster_status *status; /* not OK: there are no rows */
    const struct census_row *rows;
    size_t count;
};

struct census_asker { /* embedded in who asks, zeroed at first */
    struct list_node link;
    void (*done)(struct bridge *b, const struct census_result *result);
};

struct census {
    struct list askers;                     /* census_asker.link */
    Muster__V1__ListQueuesResponse *queues; /* NULL: no census is under way, or not so far */
    Muster__V1__GetQueueStatsResponse **stats;
    size_t next; /* the queue asked for now */
    bool under_way;
};

void census_init(struct census *c);
void census_fini(struct bridge *b); /* no rpc is under way any more; tells nobody */
/* Who asks already, need not ask again. */
void census_ask(struct bridge *b, struct census_asker *asker);

#endif
