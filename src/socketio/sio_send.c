/* sio_send.c - packets to one socket: events, acknowledgements, and the answers to CONNECT. */
#include "socketio/sio_core.h"
#include "socketio/sio_json.h"

#include <assert.h>

static struct eio_frame *take_frame(struct sio_server *server) {
    return eio_frame_new(strbuf_str(&server->scratch), false);
}

static struct strbuf *begin(struct sio_server *server, const struct sio_packet *head) {
    strbuf_clear(&server->scratch);
    sio_packet_begin(&server->scratch, head);
    return &server->scratch;
}

static void send_frame(struct sio_client *c, struct eio_frame *f) {
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

/* ["name",...args,"offset"] */
static void add_event(struct strbuf *text, struct str name, struct str args, struct str offset) {
    assert(args.size >= 2 && args.at[0] == '[' && args.at[args.size - 1] == ']');
    strbuf_add_char(text, '[');
    sio_json_escape(text, name);
    if (sio_json_first(args).size) strbuf_add_char(text, ',');
    strbuf_add_str(text, (struct str){args.at + 1, args.size - 2});
    if (offset.size) {
        strbuf_add_char(text, ',');
        sio_json_escape(text, offset);
    }
    strbuf_add_char(text, ']');
}

struct eio_frame *sio_send_event_frame(struct sio_nsp *nsp, struct str name, struct str args,
                                       struct str id, struct str offset) {
    struct sio_packet head = {.type = SIO_EVENT, .nsp = str_of(nsp->name), .id = id};
    add_event(begin(nsp->server, &head), name, args, offset);
    return take_frame(nsp->server);
}

void sio_send_connected(struct sio_socket *s) {
    struct sio_packet head = {.type = SIO_CONNECT, .nsp = str_of(s->nsp->name)};
    struct strbuf *text = begin(s->client->server, &head);
    strbuf_printf(text, "{\"sid\":\"%.*s\"", EIO_ID_BYTES, s->id);
    if (s->pid) strbuf_printf(text, ",\"pid\":\"%s\"", s->pid);
    strbuf_add_char(text, '}');
    send_frame(s->client, take_frame(s->client->server));
}

void sio_send_disconnect(struct sio_socket *s) {
    struct sio_packet head = {.type = SIO_DISCONNECT, .nsp = str_of(s->nsp->name)};
    begin(s->client->server, &head);
    send_frame(s->client, take_frame(s->client->server));
}

void sio_send_refusal(struct sio_client *c, struct str nsp, struct str message, struct str data) {
    struct sio_packet head = {.type = SIO_CONNECT_ERROR, .nsp = nsp};
    struct strbuf *text = begin(c->server, &head);
    strbuf_add_str(text, STR("{\"message\":"));
    sio_json_escape(text, message);
    if (data.size) {
        strbuf_add_str(text, STR(",\"data\":"));
        strbuf_add_str(text, data);
    }
    strbuf_add_char(text, '}');
    send_frame(c, take_frame(c->server));
}

bool sio_send_ready(struct sio_socket *s) {
    if (s->state == SIO_SOCKET_ENDED || s->client->ended) return false;
    if (s->state == SIO_SOCKET_JOINING) {
        s->state = SIO_SOCKET_JOINED;
        s->deferred = false;
        if (s->recovered && s->nsp->recovery) sio_recovery_replay(s);
        sio_send_connected(s);
        eio_session_joined(s->client->session);
    }
    return true;
}

void sio_emit(struct sio_socket *s, struct str name, struct str args) {
    if (!sio_send_ready(s)) return;
    send_frame(s->client, s->nsp->recovery
                              ? sio_recovery_event(s->nsp, s, NULL, name, args)
                              : sio_send_event_frame(s->nsp, name, args, STR_EMPTY, STR_EMPTY));
}

void sio_emit_at(struct sio_socket *s, struct str name, struct str args, struct str offset) {
    assert(!s->nsp->recovery && s->pid && offset.size > 0);
    if (s->state == SIO_SOCKET_ENDED || s->client->ended) return;
    send_frame(s->client, sio_send_event_frame(s->nsp, name, args, STR_EMPTY, offset));
}

void sio_emit_binary(struct sio_socket *s, struct str name, struct str args,
                     const struct str *attachments, size_t attachment_count) {
    if (!sio_send_ready(s)) return;
    struct sio_packet head = {.type = attachment_count ? SIO_BINARY_EVENT : SIO_EVENT,
                              .attachment_count = attachment_count,
                              .nsp = str_of(s->nsp->name)};
    add_event(begin(s->client->server, &head), name, args, STR_EMPTY);
    send_with(s->client, attachments, attachment_count);
}

bool sio_emit_volatile(struct sio_socket *s, struct str name, struct str args) {
    if (!sio_send_ready(s)) return false;
    struct eio_frame *f = sio_send_event_frame(s->nsp, name, args, STR_EMPTY, STR_EMPTY);
    bool sent = eio_session_send_volatile(s->client->session, &f, 1);
    eio_frame_drop(f);
    return sent;
}

void sio_ack(struct sio_socket *s, struct str ack_id, struct str args) {
    sio_ack_binary(s, ack_id, args, NULL, 0);
}

void sio_ack_binary(struct sio_socket *s, struct str ack_id, struct str args,
                    const struct str *attachments, size_t attachment_count) {
    assert(ack_id.size > 0);
    if (!sio_send_ready(s)) return;
    struct sio_packet head = {.type = attachment_count ? SIO_BINARY_ACK : SIO_ACK,
                              .attachment_count = attachment_count,
                              .nsp = str_of(s->nsp->name),
                              .id = ack_id};
    strbuf_add_str(begin(s->client->server, &head), args);
    send_with(s->client, attachments, attachment_count);
}
