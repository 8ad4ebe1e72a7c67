/* queue_list.c - one refresh at a time; askers wait in a list for its end. */
#include "bridge/queue_list.h"

#include "base/clock.h"
#include "base/mem.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "bridge/rpc.h"
#include "wire/ack_json.h"

#include <muster/v1/socketio.pb-c.h>

enum { KEEP_MS = 1000 };

struct waiter {
    struct list_node link;
    struct session *session; /* referenced, one of his requests under way */
    char *ack_id;            /* NULL: no answer is wanted */
};

struct queue_refresh {
    Muster__V1__ListQueuesResponse *queues;
    uint64_t *tickets_queued; /* per queue */
    size_t next;              /* the queue asked for now */
};

static void ask_next(struct bridge *b);

void queue_list_init(struct queue_list *q) {
    *q = (struct queue_list){0};
    list_init(&q->waiting);
}

static void drop_refresh(struct queue_list *q) {
    if (q->refresh == NULL) return;
    muster_free(q->refresh->queues);
    mem_free(q->refresh->tickets_queued);
    mem_free(q->refresh);
    q->refresh = NULL;
}

/* Acknowledges to everybody who waits; an empty text only sends them home. */
static void answer_all(struct bridge *b, struct str args) {
    struct queue_list *q = &b->queue_list;
    while (q->waiting.count > 0) {
        struct waiter *w = LIST_OF(list_first(&q->waiting), struct waiter, link);
        list_remove(&q->waiting, &w->link);
        w->session->request_count--;
        if (args.size > 0 && w->ack_id != NULL && w->session->socket != NULL)
            sio_ack(w->session->socket, str_of(w->ack_id), args);
        players_session_unref(&b->players, w->session);
        mem_free(w->ack_id);
        mem_free(w);
    }
}

void queue_list_fini(struct bridge *b) {
    answer_all(b, STR_EMPTY);
    drop_refresh(&b->queue_list);
    strbuf_fini(&b->queue_list.answer);
}

static void fail(struct bridge *b, const struct muster_status *status) {
    struct strbuf args = {0};
    payload_refused(status, &args);
    answer_all(b, strbuf_str(&args));
    strbuf_fini(&args);
    drop_refresh(&b->queue_list);
}

static void succeed(struct bridge *b) {
    struct queue_list *q = &b->queue_list;
    size_t count = q->refresh->queues->n_queues;
    Muster__V1__ListQueuesReply reply = MUSTER__V1__LIST_QUEUES_REPLY__INIT;
    Muster__V1__QueueSummary *rows = mem_array(count + 1, sizeof *rows);
    Muster__V1__QueueSummary **pointers = mem_array(count + 1, sizeof *pointers);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (Muster__V1__QueueSummary)MUSTER__V1__QUEUE_SUMMARY__INIT;
        rows[i].name = q->refresh->queues->queues[i]->name;
        rows[i].version = q->refresh->queues->queues[i]->version;
        rows[i].tickets_queued = q->refresh->tickets_queued[i];
        pointers[i] = &rows[i];
    }
    reply.n_queues = count;
    reply.queues = pointers;
    strbuf_clear(&q->answer);
    ack_json_ok(&reply.base, &q->answer);
    q->answer_ms = clock_mono_us() / 1000;
    mem_free(pointers);
    mem_free(rows);
    drop_refresh(q);
    answer_all(b, strbuf_str(&q->answer));
}

static void on_stats(struct bridge *b, struct rpc *rpc) {
    struct queue_refresh *r = b->queue_list.refresh;
    if (rpc->status.code == MUSTER_OK)
        r->tickets_queued[r->next] =
            ((Muster__V1__GetQueueStatsResponse *)rpc->response)->tickets_queued;
    else if (rpc->status.code != MUSTER_NOT_FOUND) { /* deleted since: it has none queued */
        fail(b, &rpc->status);
        return;
    }
    r->next++;
    ask_next(b);
}

static void ask_next(struct bridge *b) {
    struct queue_refresh *r = b->queue_list.refresh;
    if (r->next == r->queues->n_queues) {
        succeed(b);
        return;
    }
    Muster__V1__GetQueueStatsRequest request = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    request.name = r->queues->queues[r->next]->name;
    rpc_call(rpc_new(b, on_stats, NULL, STR_EMPTY), "Queues/GetQueueStats", &request.base, NULL);
}

static void on_queues(struct bridge *b, struct rpc *rpc) {
    if (rpc->status.code != MUSTER_OK) {
        fail(b, &rpc->status);
        return;
    }
    struct queue_refresh *r = b->queue_list.refresh;
    r->queues = (Muster__V1__ListQueuesResponse *)rpc->response;
    rpc->response = NULL; /* ours now */
    r->tickets_queued = mem_array(r->queues->n_queues + 1, sizeof *r->tickets_queued);
    ask_next(b);
}

void queue_list_ask(struct bridge *b, struct session *session, struct str ack_id) {
    struct queue_list *q = &b->queue_list;
    if (q->answer_ms != 0 && clock_mono_us() / 1000 - q->answer_ms < KEEP_MS) {
        if (ack_id.size > 0) sio_ack(session->socket, ack_id, strbuf_str(&q->answer));
        return;
    }
    struct waiter *w = mem_alloc(sizeof *w);
    w->session = session;
    w->ack_id = ack_id.size ? mem_text(ack_id) : NULL;
    players_session_ref(session);
    session->request_count++;
    list_append(&q->waiting, &w->link);
    if (q->refresh != NULL) return;
    q->refresh = mem_alloc(sizeof *q->refresh);
    Muster__V1__ListQueuesRequest request = MUSTER__V1__LIST_QUEUES_REQUEST__INIT;
    rpc_call(rpc_new(b, on_queues, NULL, STR_EMPTY), "Queues/ListQueues", &request.base, NULL);
}
