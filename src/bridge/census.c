/* census.c - a chain of calls; its askers wait in a list for the end. */
#include "bridge/census.h"

#include "base/mem.h"
#include "bridge/bridge_internal.h"
#include "bridge/rpc.h"

static void ask_next(struct bridge *b);

void census_init(struct census *c) {
    *c = (struct census){0};
    list_init(&c->askers);
}

static void forget(struct census *c) {
    for (size_t i = 0; c->queues != NULL && i < c->queues->n_queues; i++)
        muster_free(c->stats[i]);
    mem_free(c->stats);
    muster_free(c->queues);
    c->stats = NULL;
    c->queues = NULL;
    c->next = 0;
}

void census_fini(struct bridge *b) {
    forget(&b->census);
}

/* An asker may ask again from its callback: that begins the next census. */
static void end(struct bridge *b, const struct muster_status *status) {
    struct census *c = &b->census;
    size_t count = status->code == MUSTER_OK ? c->queues->n_queues : 0, askers = c->askers.count;
    struct census_row *rows = mem_array(count + 1, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct census_row){c->queues->queues[i], c->stats[i]};
    struct census_result result = {status, rows, count};
    struct census done = *c;
    c->queues = NULL;
    c->stats = NULL;
    c->next = 0;
    c->under_way = false;
    for (size_t i = 0; i < askers; i++) {
        struct census_asker *a = LIST_OF(list_first(&c->askers), struct census_asker, link);
        list_remove(&c->askers, &a->link);
        a->done(b, &result);
    }
    mem_free(rows);
    forget(&done);
}

static void on_stats(struct bridge *b, struct rpc *rpc) {
    struct census *c = &b->census;
    if (rpc->status.code != MUSTER_OK && rpc->status.code != MUSTER_NOT_FOUND) {
        end(b, &rpc->status);
        return;
    }
    c->stats[c->next++] = (Muster__V1__GetQueueStatsResponse *)rpc->response;
    rpc->response = NULL; /* ours now */
    ask_next(b);
}

static void ask_next(struct bridge *b) {
    struct census *c = &b->census;
    if (c->next == c->queues->n_queues) {
        end(b, &(struct muster_status){.code = MUSTER_OK});
        return;
    }
    Muster__V1__GetQueueStatsRequest request = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    request.name = c->queues->queues[c->next]->name;
    rpc_call(rpc_new(b, on_stats, NULL, STR_EMPTY), "Queues/GetQueueStats", &request.base, NULL);
}

static void on_queues(struct bridge *b, struct rpc *rpc) {
    struct census *c = &b->census;
    if (rpc->status.code != MUSTER_OK) {
        end(b, &rpc->status);
        return;
    }
    c->queues = (Muster__V1__ListQueuesResponse *)rpc->response;
    rpc->response = NULL; /* ours now */
    c->stats = mem_array(c->queues->n_queues + 1, sizeof *c->stats);
    ask_next(b);
}

void census_ask(struct bridge *b, struct census_asker *asker) {
    struct census *c = &b->census;
    if (!list_linked(&asker->link)) list_append(&c->askers, &asker->link);
    if (c->under_way) return;
    c->under_way = true;
    Muster__V1__ListQueuesRequest request = MUSTER__V1__LIST_QUEUES_REQUEST__INIT;
    rpc_call(rpc_new(b, on_queues, NULL, STR_EMPTY), "Queues/ListQueues", &request.base, NULL);
}
