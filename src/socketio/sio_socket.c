/* sio_socket.c - one namespace of one connection: connect, events, the end. */
#include "base/mem.h"
#include "socketio/sio_core.h"
#include "socketio/sio_json.h"

#include <assert.h>
#include <string.h>

/* ---- life ---- */

void sio_socket_enter_handler(struct sio_socket *s) {
    s->busy++;
}

void sio_socket_leave_handler(struct sio_socket *s) {
    if (--s->busy > 0 || s->state != SIO_SOCKET_ENDED) return;
    mem_free(s->pid);
    mem_free(s);
}

static bool pid_equal(const void *value, const void *key) {
    return str_equal(str_of(((const struct sio_socket *)value)->pid), *(const struct str *)key);
}

static void unlink_socket(struct sio_socket *s) {
    sio_room_leave_all(s);
    list_remove(&s->client->sockets, &s->client_link);
    list_remove(&s->nsp->sockets, &s->nsp_link);
    if (s->pid) map_remove(&s->nsp->pids, str_hash(str_of(s->pid)), s);
}

/* Whether its client may come back and go on: not when one of the two has said goodbye. */
static bool is_recoverable(const char *reason) {
    return strcmp(reason, "client namespace disconnect") != 0 &&
           strcmp(reason, "server namespace disconnect") != 0;
}

void sio_socket_end(struct sio_socket *s, const char *reason) {
    assert(s->state != SIO_SOCKET_ENDED);
    bool joined = s->state == SIO_SOCKET_JOINED, heard = joined || s->deferred;
    s->state = SIO_SOCKET_ENDED;
    if (joined && s->nsp->recovery && is_recoverable(reason)) sio_recovery_keep_socket(s);
    unlink_socket(s);
    sio_socket_enter_handler(s);
    sio_ask_cancel_all(s);
    if (heard && s->nsp->handlers->disconnect) s->nsp->handlers->disconnect(s->nsp->arg, s, reason);
    sio_socket_leave_handler(s);
}

void sio_socket_evict(struct sio_nsp *nsp, struct str pid) {
    struct sio_socket *s = map_get(&nsp->pids, str_hash(pid), pid_equal, &pid);
    if (!s) return;
    if (s->state == SIO_SOCKET_JOINED) sio_send_disconnect(s);
    sio_socket_end(s, "session taken over");
}

void sio_socket_take_pid(struct sio_socket *s, struct str pid) {
    assert(pid.size > 0 && pid.size <= SIO_PID_BYTES_MAX);
    char *had = s->pid;
    if (had) map_remove(&s->nsp->pids, str_hash(str_of(had)), s);
    s->pid = NULL;
    mem_free(had);
    sio_socket_evict(s->nsp, pid);
    if (s->state == SIO_SOCKET_ENDED) return; /* by the other's disconnect handler */
    s->pid = mem_text(pid);
    map_put(&s->nsp->pids, str_hash(pid), s);
}

static struct sio_socket *make(struct sio_client *c, struct sio_nsp *nsp) {
    struct sio_socket *s = mem_alloc(sizeof *s);
    s->client = c;
    s->nsp = nsp;
    list_init(&s->memberships);
    list_init(&s->asks);
    eio_base64_new_id(s->id);
    list_append(&c->sockets, &s->client_link);
    list_append(&nsp->sockets, &s->nsp_link);
    return s;
}

/* ---- connecting ---- */

/* A text of 1..bytes_max bytes, without its quotes; empty when it is none, or has an escape in it:
 * no pid or offset of ours does. */
static struct str plain_text(struct str value, size_t bytes_max) {
    if (value.size < 3 || value.at[0] != '"' || value.size - 2 > bytes_max) return STR_EMPTY;
    if (memchr(value.at, '\\', value.size)) return STR_EMPTY;
    return (struct str){value.at + 1, value.size - 2};
}

/* What the CONNECT payload asks to go on with: nothing, when one of the two is malformed. */
static struct sio_resume resume_of(struct str auth) {
    if (auth.size == 0) return (struct sio_resume){0};
    struct str pid = sio_json_member(auth, STR("\"pid\""));
    struct str offset = sio_json_member(auth, STR("\"offset\""));
    struct sio_resume resume = {plain_text(pid, SIO_PID_BYTES_MAX),
                                plain_text(offset, SIO_OFFSET_BYTES_MAX)};
    if (offset.size && !resume.offset.size) resume.pid = STR_EMPTY;
    return resume;
}

/* What the handler's verdict means; the socket may have ended by its own doing. */
static void conclude(struct sio_socket *s, enum err verdict, const struct err_text *why) {
    struct sio_client *c = s->client;
    if (s->state == SIO_SOCKET_ENDED) return;
    if (verdict == ERR_OK) {
        if (!s->deferred) (void)sio_send_ready(s);
    } else if (s->state == SIO_SOCKET_JOINING) {
        struct sio_joining *joining = s->joining;
        s->deferred = false; /* refused after all: the app needs no disconnect handler */
        sio_socket_end(s, "refused");
        sio_send_refusal(c, str_of(s->nsp->name), str_of(why->text),
                         strbuf_str(&joining->error_data));
    } else { /* it had been sent something, and so knows that it is connected */
        sio_send_disconnect(s);
        sio_socket_end(s, "server namespace disconnect");
    }
}

void sio_socket_connect(struct sio_client *c, struct sio_nsp *nsp, struct str auth) {
    struct sio_socket *s = make(c, nsp);
    struct err_text why = {0};
    struct sio_joining joining = {.resume = resume_of(auth)};
    enum err verdict = ERR_OK;
    sio_socket_enter_handler(s);
    s->joining = &joining;
    if (nsp->recovery) sio_recovery_begin(s, &joining.resume);
    if (nsp->handlers->connect) verdict = nsp->handlers->connect(nsp->arg, s, auth, &why);
    conclude(s, verdict, &why);
    s->joining = NULL;
    strbuf_fini(&joining.error_data);
    sio_socket_leave_handler(s);
}

struct sio_resume sio_socket_resume(const struct sio_socket *s) {
    return s->joining ? s->joining->resume : (struct sio_resume){0};
}

void sio_connect_error_data(struct sio_socket *s, struct str data) {
    assert(s->joining);
    strbuf_clear(&s->joining->error_data);
    strbuf_add_str(&s->joining->error_data, data);
}

void sio_connect_defer(struct sio_socket *s) {
    assert(s->joining);
    if (s->state == SIO_SOCKET_JOINING) s->deferred = true;
}

void sio_connect_accept(struct sio_socket *s) {
    (void)sio_send_ready(s);
}

void sio_connect_refuse(struct sio_socket *s, struct str message, struct str data) {
    assert(s->deferred);
    struct sio_client *c = s->client;
    struct eio_server *engine = c->server->engine;
    if (s->state == SIO_SOCKET_ENDED) return;
    eio_server_enter(engine);
    sio_send_refusal(c, str_of(s->nsp->name), message, data);
    sio_socket_end(s, "refused");
    eio_server_leave(engine);
}

void sio_socket_identify(struct sio_socket *s, struct str id, struct str pid) {
    assert(s->state == SIO_SOCKET_JOINING && !s->nsp->recovery);
    assert(id.size == 0 || id.size == sizeof s->id);
    sio_socket_take_pid(s, pid);
    if (id.size == 0) return;
    memcpy(s->id, id.at, sizeof s->id);
    s->recovered = true;
}

bool sio_socket_recovered(const struct sio_socket *s) {
    return s->recovered;
}

/* ---- events ---- */

void sio_socket_event(struct sio_socket *s, const struct sio_packet *p,
                      const struct str *attachments) {
    const struct sio_handlers *handlers = s->nsp->handlers;
    if (p->attachment_count > 0 && !handlers->binary) {
        eio_session_drop(s->client->session, "parse error", EIO_WS_PROTOCOL_ERROR);
        return;
    }
    struct strbuf name = {0};
    struct str args;
    sio_packet_split_event(p->payload, &name, &args);
    sio_socket_enter_handler(s);
    if (p->attachment_count > 0)
        handlers->binary(s->nsp->arg, s, strbuf_str(&name),
                         &(struct sio_binary){args, p->id, attachments, p->attachment_count});
    else if (handlers->event)
        handlers->event(s->nsp->arg, s, strbuf_str(&name), args, p->id);
    sio_socket_leave_handler(s);
    strbuf_fini(&name);
}

/* ---- ending ---- */

/* Every namespace of the connection hears that it ends by the server's wish, then it is closed. */
static void close_connection(struct sio_client *c) {
    c->busy++;
    for (struct list_node *node; (node = list_first(&c->sockets));) {
        struct sio_socket *s = LIST_OF(node, struct sio_socket, client_link);
        if (s->state == SIO_SOCKET_JOINED) sio_send_disconnect(s);
        sio_socket_end(s, "server namespace disconnect");
    }
    if (!c->ended) eio_session_close(c->session, "forced server close", EIO_WS_NORMAL);
    sio_client_release(c);
}

void sio_socket_disconnect(struct sio_socket *s, bool close) {
    struct sio_client *c = s->client;
    struct eio_server *engine = c->server->engine;
    if (s->state == SIO_SOCKET_ENDED) return;
    eio_server_enter(engine);
    if (close) {
        close_connection(c);
    } else {
        if (s->state == SIO_SOCKET_JOINED) sio_send_disconnect(s);
        sio_socket_end(s, "server namespace disconnect");
    }
    eio_server_leave(engine);
}

struct str sio_socket_id(const struct sio_socket *s) {
    return (struct str){s->id, sizeof s->id};
}

struct str sio_socket_address(const struct sio_socket *s) {
    return str_of(s->client->session->address);
}

bool sio_socket_foreign_page(const struct sio_socket *s) {
    return s->client->session->foreign_page;
}

void sio_socket_set_data(struct sio_socket *s, void *data) {
    s->data = data;
}

void *sio_socket_data(const struct sio_socket *s) {
    return s->data;
}
