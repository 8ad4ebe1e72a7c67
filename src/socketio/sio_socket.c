/* sio_socket.c - one namespace of one connection: connect, events, acknowledgements, the end. */
#include "base/mem.h"
#include "socketio/sio_core.h"
#include "socketio/sio_json.h"

#include <assert.h>
#include <string.h>

/* ---- sending ---- */

static struct eio_frame *take_frame(struct sio_server *server) {
    return eio_frame_new(strbuf_str(&server->scratch), false);
}

static struct strbuf *begin(struct sio_server *server, const struct sio_packet *head) {
    strbuf_clear(&server->scratch);
    sio_packet_begin(&server->scratch, head);
    return &server->scratch;
}

static void send_scratch(struct sio_client *c) {
    struct eio_frame *f = take_frame(c->server);
    eio_session_send(c->session, &f, 1);
    eio_frame_drop(f);
}

static void send_with(struct sio_client *c, const struct str *attachments, size_t count) {
    struct eio_frame *frames[1 + SIO_ATTACHMENTS_MAX];
    assert(count <= SIO_ATTACHMENTS_MAX);
    frames[0] = take_frame(c->server);
    for (size_t i = 0; i < count; i++)
        frames[1 + i] = eio_frame_new(attachments[i], true);
    eio_session_send(c->session, frames, 1 + count);
    for (size_t i = 0; i <= count; i++)
        eio_frame_drop(frames[i]);
}

static void send_connected(struct sio_socket *s) {
    struct sio_packet head = {.type = SIO_CONNECT, .nsp = str_of(s->nsp->name)};
    strbuf_printf(begin(s->client->server, &head), "{\"sid\":\"%.*s\"}", EIO_ID_BYTES, s->id);
    send_scratch(s->client);
}

void sio_socket_refuse(struct sio_client *c, struct str nsp, const char *message) {
    struct sio_packet head = {.type = SIO_CONNECT_ERROR, .nsp = nsp};
    struct strbuf *text = begin(c->server, &head);
    strbuf_add_str(text, STR("{\"message\":"));
    sio_json_escape(text, str_of(message));
    strbuf_add_char(text, '}');
    send_scratch(c);
}

void sio_socket_add_event(struct strbuf *text, struct str name, struct str args) {
    assert(args.size >= 2 && args.at[0] == '[' && args.at[args.size - 1] == ']');
    strbuf_add_char(text, '[');
    sio_json_escape(text, name);
    if (sio_json_first(args).size) strbuf_add_char(text, ',');
    strbuf_add_str(text, (struct str){args.at + 1, args.size - 1});
}

/* A socket whose connect handler sends something is accepted by that: the client must hear of its
 * connection first. False: there is nobody to send to. */
static bool ready(struct sio_socket *s) {
    if (s->state == SIO_SOCKET_ENDED || s->client->ended) return false;
    if (s->state == SIO_SOCKET_JOINING) {
        s->state = SIO_SOCKET_JOINED;
        send_connected(s);
    }
    return true;
}

void sio_emit(struct sio_socket *s, struct str name, struct str args) {
    sio_emit_binary(s, name, args, NULL, 0);
}

void sio_emit_binary(struct sio_socket *s, struct str name, struct str args,
                     const struct str *attachments, size_t attachment_count) {
    if (!ready(s)) return;
    struct sio_packet head = {.type = attachment_count ? SIO_BINARY_EVENT : SIO_EVENT,
                              .attachment_count = attachment_count,
                              .nsp = str_of(s->nsp->name)};
    sio_socket_add_event(begin(s->client->server, &head), name, args);
    send_with(s->client, attachments, attachment_count);
}

void sio_ack(struct sio_socket *s, struct str ack_id, struct str args) {
    sio_ack_binary(s, ack_id, args, NULL, 0);
}

void sio_ack_binary(struct sio_socket *s, struct str ack_id, struct str args,
                    const struct str *attachments, size_t attachment_count) {
    assert(ack_id.size > 0);
    if (!ready(s)) return;
    struct sio_packet head = {.type = attachment_count ? SIO_BINARY_ACK : SIO_ACK,
                              .attachment_count = attachment_count,
                              .nsp = str_of(s->nsp->name),
                              .id = ack_id};
    strbuf_add_str(begin(s->client->server, &head), args);
    send_with(s->client, attachments, attachment_count);
}

/* ---- life ---- */

/* Behind a handler's call, and busy++ before it: the socket survives until it returns. */
static void leave_handler(struct sio_socket *s) {
    if (--s->busy == 0 && s->state == SIO_SOCKET_ENDED) mem_free(s);
}

static void unlink_socket(struct sio_socket *s) {
    sio_room_leave_all(s);
    list_remove(&s->client->sockets, &s->client_link);
    list_remove(&s->nsp->sockets, &s->nsp_link);
}

void sio_socket_end(struct sio_socket *s, const char *reason) {
    assert(s->state != SIO_SOCKET_ENDED);
    bool heard = s->state == SIO_SOCKET_JOINED;
    s->state = SIO_SOCKET_ENDED;
    unlink_socket(s);
    s->busy++;
    if (heard && s->nsp->handlers->disconnect) s->nsp->handlers->disconnect(s->nsp->arg, s, reason);
    leave_handler(s);
}

static struct sio_socket *make(struct sio_client *c, struct sio_nsp *nsp) {
    struct sio_socket *s = mem_alloc(sizeof *s);
    s->client = c;
    s->nsp = nsp;
    list_init(&s->memberships);
    eio_base64_new_id(s->id);
    list_append(&c->sockets, &s->client_link);
    list_append(&nsp->sockets, &s->nsp_link);
    return s;
}

static void send_disconnect(struct sio_socket *s) {
    struct sio_packet head = {.type = SIO_DISCONNECT, .nsp = str_of(s->nsp->name)};
    begin(s->client->server, &head);
    send_scratch(s->client);
}

void sio_socket_connect(struct sio_client *c, struct sio_nsp *nsp, struct str auth) {
    struct sio_socket *s = make(c, nsp);
    struct err_text why = {0};
    enum err verdict = ERR_OK;
    s->busy++;
    if (nsp->handlers->connect) verdict = nsp->handlers->connect(nsp->arg, s, auth, &why);
    if (s->state == SIO_SOCKET_ENDED) {
        /* disconnected by its own handler */
    } else if (verdict == ERR_OK) {
        (void)ready(s);
        eio_session_joined(c->session);
    } else if (s->state == SIO_SOCKET_JOINING) {
        sio_socket_end(s, "refused"); /* the app was not told of it, so no disconnect handler */
        sio_socket_refuse(c, str_of(nsp->name), why.text);
    } else { /* it had been sent something, and so knows that it is connected */
        send_disconnect(s);
        sio_socket_end(s, "server namespace disconnect");
    }
    leave_handler(s);
}

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
    s->busy++;
    if (p->attachment_count > 0)
        handlers->binary(s->nsp->arg, s, strbuf_str(&name),
                         &(struct sio_binary){args, p->id, attachments, p->attachment_count});
    else if (handlers->event)
        handlers->event(s->nsp->arg, s, strbuf_str(&name), args, p->id);
    leave_handler(s);
    strbuf_fini(&name);
}

/* Every namespace of the connection hears that it ends by the server's wish, then it is closed. */
static void close_connection(struct sio_client *c) {
    c->busy++;
    for (struct list_node *node; (node = list_first(&c->sockets));) {
        struct sio_socket *s = LIST_OF(node, struct sio_socket, client_link);
        if (s->state == SIO_SOCKET_JOINED) send_disconnect(s);
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
        if (s->state == SIO_SOCKET_JOINED) send_disconnect(s);
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

void sio_socket_set_data(struct sio_socket *s, void *data) {
    s->data = data;
}

void *sio_socket_data(const struct sio_socket *s) {
    return s->data;
}
