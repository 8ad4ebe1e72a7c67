/* queue_list.h - the answer to list_queues, made from a census and kept for a second. Bridge's
 * thread only. */
#ifndef MUSTER_BRIDGE_QUEUE_LIST_H
#define MUSTER_BRIDGE_QUEUE_LIST_H

#include "base/str.h"
#include "bridge/census.h"

#include <stdint.h>

struct session;

struct queue_list {
    struct census_asker asker;
    struct list waiting;  /* waiter.link */
    struct strbuf answer; /* acknowledgement of the last census */
    int64_t answer_ms;    /* when; 0 = never */
};

void queue_list_init(struct queue_list *q);
void queue_list_fini(struct bridge *b); /* drops who still waits, without an answer */
/* Acknowledges with the list, now or when it is there. */
void queue_list_ask(struct bridge *b, struct session *session, struct str ack_id);

#endif
