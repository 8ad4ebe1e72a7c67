/* sio_ask.c - events that want the client's acknowledgement: each is answered, late or cancelled,
 * once. */
#include "base/mem.h"
#include "socketio/sio_core.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

struct waiting {
    struct list_node link; /* socket's asks */
    struct wheel_node timer;
    struct sio_socket *socket;
    struct sio_ask ask;
    uint64_t id;
};

/* Takes it off the socket and tells the application. */
static void finish(struct waiting *w, const struct sio_answer *answer) {
    struct sio_socket *s = w->socket;
    struct sio_ask ask = w->ask;
    list_remove(&s->asks, &w->link);
    eio_server_stop_timer(s->nsp->server->engine, &w->timer);
    mem_free(w);
    sio_socket_enter_handler(s);
    ask.answer(ask.arg, s, answer);
    sio_socket_leave_handler(s);
}

static void timed_out(struct wheel_node *n) {
    finish(LIST_OF(n, struct waiting, timer), &(struct sio_answer){.code = ERR_DEADLINE_EXCEEDED});
}

enum err sio_emit_ask(struct sio_socket *s, struct str name, struct str args,
                      const struct sio_ask *ask) {
    struct eio_server *engine = s->nsp->server->engine;
    assert(ask->answer && ask->timeout_ms > 0);
    if (s->asks.count >= engine->options.asks_max) return ERR_RESOURCE_EXHAUSTED;
    if (!sio_send_ready(s)) return ERR_FAILED_PRECONDITION;
    char id[24];
    struct waiting *w = mem_alloc(sizeof *w);
    w->socket = s;
    w->ask = *ask;
    w->id = s->nsp->ask_next++;
    w->timer.fire = timed_out;
    list_append(&s->asks, &w->link);
    eio_server_start_timer(engine, &w->timer, ask->timeout_ms);
    int size = snprintf(id, sizeof id, "%" PRIu64, w->id);
    struct eio_frame *f =
        sio_send_event_frame(s->nsp, name, args, (struct str){id, (size_t)size}, STR_EMPTY);
    eio_session_send(s->client->session, &f, 1);
    eio_frame_drop(f);
    return ERR_OK;
}

void sio_ask_answered(struct sio_socket *s, const struct sio_packet *p,
                      const struct str *attachments) {
    int64_t id;
    if (!str_to_int64(p->id, &id)) return;
    LIST_EACH (&s->asks, node) {
        struct waiting *w = LIST_OF(node, struct waiting, link);
        if (w->id != (uint64_t)id) continue;
        finish(w, &(struct sio_answer){ERR_OK, p->payload, attachments, p->attachment_count});
        return;
    }
}

void sio_ask_cancel_all(struct sio_socket *s) {
    for (struct list_node *node; (node = list_first(&s->asks));)
        finish(LIST_OF(node, struct waiting, link), &(struct sio_answer){.code = ERR_CANCELLED});
}
