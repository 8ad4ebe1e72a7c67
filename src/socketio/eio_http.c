/* eio_http.c - Engine.IO over HTTP long polling. */
#include "socketio/eio_server.h"

#include <assert.h>
#include <stdio.h>

static void answer(struct eio_server *server, struct eio_exchange *x, int status, const char *type,
                   struct str body) {
    struct eio_answer a = {
        .status = status, .type = type, .body = body, .allow_origin = x->allow_origin};
    x->session = NULL;
    server->hooks->answer(server->hooks_arg, x, &a);
}

static enum eio_http_next fail(struct eio_server *server, struct eio_exchange *x,
                               enum eio_failure failure) {
    char body[96];
    int code = failure == EIO_FULL ? EIO_FORBIDDEN : (int)failure;
    int size = snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", code,
                        eio_server_failure_text(failure));
    answer(server, x, eio_server_failure_status(failure), "application/json",
           (struct str){body, (size_t)size});
    return EIO_HTTP_ANSWERED;
}

static enum eio_http_next refuse(struct eio_server *server, struct eio_exchange *x, int status) {
    answer(server, x, status, NULL, STR_EMPTY);
    return EIO_HTTP_ANSWERED;
}

static enum eio_http_next preflight(struct eio_server *server, struct eio_exchange *x,
                                    const struct eio_request *r) {
    struct eio_answer a = {.status = 204,
                           .allow_origin = x->allow_origin,
                           .allow_headers = r->wanted_headers,
                           .preflight = true};
    server->hooks->answer(server->hooks_arg, x, &a);
    return EIO_HTTP_ANSWERED;
}

static enum eio_http_next open_session(struct eio_server *server, struct eio_exchange *x,
                                       const struct eio_request *r) {
    struct eio_session *s = eio_session_new(server, NULL, r);
    if (!s) return fail(server, x, EIO_FULL);
    s->get = x;
    x->session = s;
    eio_session_flush(s); /* the open packet, alone */
    return EIO_HTTP_ANSWERED;
}

static enum eio_http_next poll(struct eio_server *server, struct eio_exchange *x,
                               struct eio_session *s) {
    if (s->get) { /* two readers of one stream: neither can be trusted to have it all */
        eio_session_drop(s, "transport error", EIO_WS_NORMAL);
        return refuse(server, x, 400);
    }
    s->get = x;
    x->session = s;
    eio_session_flush(s);
    if (s->state == EIO_PROBING) eio_session_answer_get(s, EIO_NOOP);
    return x->session ? EIO_HTTP_HELD : EIO_HTTP_ANSWERED;
}

static bool parse_length(struct str text, size_t *length) {
    *length = 0;
    if (text.size == 0 || text.size > 18) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
        *length = *length * 10 + (size_t)(text.at[i] - '0');
    }
    return true;
}

static enum eio_http_next begin_post(struct eio_server *server, struct eio_exchange *x,
                                     const struct eio_request *r, struct eio_session *s) {
    size_t length;
    if (s->state == EIO_CLOSING) return fail(server, x, EIO_UNKNOWN_SID);
    if (s->post) {
        eio_session_drop(s, "transport error", EIO_WS_NORMAL);
        return refuse(server, x, 400);
    }
    if (r->transfer_encoding && r->content_length.size) return refuse(server, x, 400);
    if (r->content_length.size == 0 && !r->chunked) return refuse(server, x, 411);
    if (!parse_length(r->content_length, &length) && !r->chunked) return refuse(server, x, 400);
    if (length > server->options.payload_bytes_max) return refuse(server, x, 413);
    if (str_starts(r->content_type, STR("application/octet-stream")) ||
        (length == 0 && !r->chunked)) {
        eio_session_drop(s, "transport error", EIO_WS_NORMAL);
        return refuse(server, x, 400);
    }
    s->post = x;
    x->session = s;
    return EIO_HTTP_BODY;
}

static enum eio_http_next request(struct eio_server *server, struct eio_exchange *x,
                                  const struct eio_request *r) {
    bool allowed = eio_server_allow_origin(server, r->origin, &x->allow_origin);
    if (r->method == EIO_METHOD_OPTIONS && r->origin.size && allowed)
        return preflight(server, x, r);
    struct eio_session *s;
    enum eio_failure failure = eio_server_check(server, r, &s);
    if (failure != EIO_NO_FAILURE) return fail(server, x, failure);
    if (!s) return open_session(server, x, r);
    if (s->ws || r->method == EIO_METHOD_OPTIONS) return fail(server, x, EIO_BAD_REQUEST);
    eio_session_returned(s);
    return r->method == EIO_METHOD_GET ? poll(server, x, s) : begin_post(server, x, r, s);
}

enum eio_http_next eio_http_request(struct eio_server *server, struct eio_exchange *x,
                                    const struct eio_request *r) {
    assert(!x->session);
    eio_server_enter(server);
    eio_server_tick(server); /* a deadline that has passed counts, whether its timer ran or not */
    enum eio_http_next next = request(server, x, r);
    eio_server_leave(server);
    return next;
}

static bool take_packets(struct eio_session *s, char *body, size_t size) {
    struct eio_payload payload = {.at = body, .left = size};
    size_t count = 0;
    for (char *text; eio_payload_next(&payload, &text, &size);) {
        struct eio_packet packet;
        if (s->state >= EIO_CLOSING) return true; /* its own doing: the rest has no reader */
        if (++count > s->server->options.packets_per_payload_max ||
            !eio_packet_parse(text, size, &packet)) {
            eio_session_drop(s, "parse error", EIO_WS_PROTOCOL_ERROR);
            return false;
        }
        if (!eio_session_packet(s, &packet)) return false;
    }
    return true;
}

void eio_http_body(struct eio_server *server, struct eio_exchange *x, char *body, size_t size) {
    struct eio_session *s = x->session;
    if (!s) return;
    eio_server_enter(server);
    s->post = NULL;
    x->session = NULL;
    bool valid = str_utf8_valid((struct str){body, size});
    if (!valid) eio_session_drop(s, "parse error", EIO_WS_PROTOCOL_ERROR);
    if (valid && take_packets(s, body, size))
        answer(server, x, 200, "text/html", STR("ok"));
    else
        refuse(server, x, 400);
    eio_server_leave(server);
}

void eio_http_body_too_large(struct eio_server *server, struct eio_exchange *x) {
    struct eio_session *s = x->session;
    if (!s) return;
    eio_server_enter(server);
    s->post = NULL;
    refuse(server, x, 413);
    eio_server_leave(server);
}

void eio_http_gone(struct eio_server *server, struct eio_exchange *x) {
    struct eio_session *s = x->session;
    if (!s) return;
    eio_server_enter(server);
    x->session = NULL;
    if (s->get == x) s->get = NULL;
    if (s->post == x) s->post = NULL;
    eio_session_drop(s, "transport close", EIO_WS_NORMAL);
    eio_server_leave(server);
}
