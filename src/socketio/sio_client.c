/* sio_client.c - one connection: its packets, sorted to the sockets of its namespaces. */
#include "base/mem.h"
#include "socketio/sio_core.h"

#include <assert.h>
#include <string.h>

static void violation(struct sio_client *c) {
    eio_session_drop(c->session, "parse error", EIO_WS_PROTOCOL_ERROR);
}

static void free_client(struct sio_client *c) {
    if (c->pending) {
        strbuf_fini(&c->pending->text);
        strbuf_fini(&c->pending->bytes);
        mem_free(c->pending);
    }
    mem_free(c);
}

void sio_client_release(struct sio_client *c) {
    if (--c->busy == 0 && c->ended) free_client(c);
}

static struct sio_socket *find_socket(struct sio_client *c, struct str nsp) {
    LIST_EACH (&c->sockets, node) {
        struct sio_socket *s = LIST_OF(node, struct sio_socket, client_link);
        if (str_equal(str_of(s->nsp->name), nsp)) return s;
    }
    return NULL;
}

static void connect(struct sio_client *c, const struct sio_packet *p) {
    struct sio_server *server = c->server;
    if (find_socket(c, p->nsp) || c->sockets.count >= server->engine->options.namespaces_max) {
        violation(c);
        return;
    }
    for (size_t i = 0; i < server->nsp_count; i++) {
        if (!str_equal(str_of(server->nsps[i].name), p->nsp)) continue;
        sio_socket_connect(c, &server->nsps[i], p->payload);
        return;
    }
    sio_send_refusal(c, p->nsp, STR("Invalid namespace"), STR_EMPTY);
}

static void begin_pending(struct sio_client *c, struct str text, size_t attachment_count) {
    c->pending = mem_alloc(sizeof *c->pending);
    c->pending->wanted = attachment_count;
    strbuf_add_str(&c->pending->text, text);
}

/* An event or an acknowledgement, with all it consists of. */
static void deliver(struct sio_socket *s, const struct sio_packet *p,
                    const struct str *attachments) {
    if (p->type == SIO_EVENT || p->type == SIO_BINARY_EVENT)
        sio_socket_event(s, p, attachments);
    else
        sio_ask_answered(s, p, attachments);
}

static void dispatch(struct sio_client *c, struct str text) {
    struct sio_packet p;
    if (!sio_packet_parse(text, c->server->engine->options.json_depth_max, &p)) {
        violation(c);
        return;
    }
    if (p.type == SIO_CONNECT) {
        connect(c, &p);
        return;
    }
    struct sio_socket *s = find_socket(c, p.nsp);
    if (!s || (s->state == SIO_SOCKET_JOINING && p.type != SIO_DISCONNECT))
        violation(c);
    else if (p.type == SIO_DISCONNECT)
        sio_socket_end(s, "client namespace disconnect");
    else if (p.attachment_count > 0)
        begin_pending(c, text, p.attachment_count);
    else
        deliver(s, &p, NULL);
}

/* The last attachment is in: the packet can be acted on. */
static void complete(struct sio_client *c, struct sio_pending *pending) {
    struct str attachments[SIO_ATTACHMENTS_MAX];
    size_t offset = 0;
    for (size_t i = 0; i < pending->received; i++) {
        attachments[i] = (struct str){pending->bytes.at + offset, pending->sizes[i]};
        offset += pending->sizes[i];
    }
    struct sio_packet p;
    bool valid =
        sio_packet_parse(strbuf_str(&pending->text), c->server->engine->options.json_depth_max, &p);
    assert(valid); /* it was, when it came */
    (void)valid;
    struct sio_socket *s = find_socket(c, p.nsp);
    if (s) deliver(s, &p, attachments);
}

static void attachment(struct sio_client *c, struct str bytes) {
    struct sio_pending *pending = c->pending;
    if (!pending ||
        pending->bytes.size + bytes.size > c->server->engine->options.payload_bytes_max) {
        violation(c);
        return;
    }
    strbuf_add_str(&pending->bytes, bytes);
    pending->sizes[pending->received++] = bytes.size;
    if (pending->received < pending->wanted) return;
    c->pending = NULL;
    complete(c, pending);
    strbuf_fini(&pending->text);
    strbuf_fini(&pending->bytes);
    mem_free(pending);
}

static void on_open(void *arg, struct eio_session *session) {
    struct sio_client *c = mem_alloc(sizeof *c);
    c->server = arg;
    c->session = session;
    list_init(&c->sockets);
    session->client = c;
}

static void on_message(void *arg, struct eio_session *session, char *data, size_t size,
                       bool binary) {
    (void)arg;
    struct sio_client *c = session->client;
    c->busy++;
    if (binary)
        attachment(c, (struct str){data, size});
    else if (c->pending)
        violation(c);
    else
        dispatch(c, (struct str){data, size});
    sio_client_release(c);
}

static void on_close(void *arg, struct eio_session *session, const char *reason) {
    (void)arg;
    struct sio_client *c = session->client;
    session->client = NULL;
    c->ended = true;
    c->busy++; /* a disconnect handler must not free it under our feet */
    for (struct list_node *node; (node = list_first(&c->sockets));)
        sio_socket_end(LIST_OF(node, struct sio_socket, client_link), reason);
    sio_client_release(c);
}

const struct eio_events sio_client_events = {on_open, on_message, on_close};
