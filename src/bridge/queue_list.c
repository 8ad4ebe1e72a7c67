/* queue_list.c - who asks waits in a list for the census' end. */
#include "bridge/queue_list.h"

#include "base/clock.h"
#include "base/mem.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "wire/ack_json.h"

#include <muster/v1/socketio.pb-c.h>

enum { KEEP_MS = 1000 };

struct waiter {
    struct list_node link;
    struct session *session; /* referenced, one of his requests under way */
    char *ack_id;            /* NULL: no answer is wanted */
};

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

static void fail(struct bridge *b, const struct muster_status *status) {
    struct strbuf args = {0};
    payload_refused(status, &args);
    answer_all(b, strbuf_str(&args));
    strbuf_fini(&args);
}

static void succeed(struct bridge *b, const struct census_result *r) {
    struct queue_list *q = &b->queue_list;
    Muster__V1__ListQueuesReply reply = MUSTER__V1__LIST_QUEUES_REPLY__INIT;
    Muster__V1__QueueSummary *rows = mem_array(r->count + 1, sizeof *rows);
    Muster__V1__QueueSummary **pointers = mem_array(r->count + 1, sizeof *pointers);
    for (size_t i = 0; i < r->count; i++) {
        rows[i] = (Muster__V1__QueueSummary)MUSTER__V1__QUEUE_SUMMARY__INIT;
        rows[i].name = r->rows[i].queue->name;
        rows[i].version = r->rows[i].queue->version;
        rows[i].tickets_queued = r->rows[i].stats ? r->rows[i].stats->tickets_queued : 0;
        pointers[i] = &rows[i];
    }
    reply.n_queues = r->count;
    reply.queues = pointers;
    strbuf_clear(&q->answer);
    ack_json_ok(&reply.base, &q->answer);
    q->answer_ms = clock_mono_us() / 1000;
    mem_free(pointers);
    mem_free(rows);
    answer_all(b, strbuf_str(&q->answer));
}

static void on_census(struct bridge *b, const struct census_result *r) {
    if (r->status->code == MUSTER_OK)
        succeed(b, r);
    else
        fail(b, r->status);
}

void queue_list_init(struct queue_list *q) {
    *q = (struct queue_list){.asker.done = on_census};
    list_init(&q->waiting);
}

void queue_list_fini(struct bridge *b) {
    answer_all(b, STR_EMPTY);
    strbuf_fini(&b->queue_list.answer);
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
    census_ask(b, &q->asker);
}
