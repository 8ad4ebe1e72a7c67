/* queue_list.h - the answer to list_queues, made from ListQueues and one GetQueueStats per queue,
 * and kept for a second: however many players ask, the api is asked once. Bridge's thread only. */
#ifndef MUSTER_BRIDGE_QUEUE_LIST_H
#define MUSTER_BRIDGE_QUEUE_LIST_H

#include "base/list.h"
#include "base/str.h"

#include <stdint.h>

struct bridge;
struct session;
struct queue_refresh;

struct queue_list {
    struct list waiting;           /* waiter.link */
    struct queue_refresh *refresh; /* NULL: none under way */
    struct strbuf answer;          /* acknowledgement of the last refresh */
    int64_t answer_ms;             /* when; 0 = never */
};

void queue_list_init(struct queue_list *q);
void queue_list_fini(struct bridge *b); /* drops who still waits, without an answer */
/* Acknowledges with the list, now or when it is there. */
void queue_list_ask(struct bridge *b, struct session *session, struct str ack_id);

#endif
