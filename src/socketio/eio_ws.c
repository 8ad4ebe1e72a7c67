/* eio_ws.c - Engine.IO over WebSocket, and the upgrade to it. */
#include "socketio/eio_server.h"

static bool refuse(struct eio_answer *refusal, int status, const char *text) {
    refusal->status = status;
    refusal->type = "text/html";
    refusal->body = str_of(text);
    return false;
}

bool eio_ws_check(struct eio_server *server, const struct eio_request *r,
                  struct eio_answer *refusal) {
    *refusal = (struct eio_answer){0};
    eio_server_enter(server);
    eio_server_tick(server);
    struct eio_session *s;
    enum eio_failure failure = eio_server_check(server, r, &s);
    if (failure == EIO_NO_FAILURE && !s &&
        (server->closing || server->open.count >= server->options.connections_max))
        failure = EIO_FULL;
    eio_server_leave(server);
    (void)eio_server_allow_origin(server, r->origin, &refusal->allow_origin);
    if (r->method != EIO_METHOD_GET) failure = EIO_BAD_REQUEST;
    if (failure != EIO_NO_FAILURE)
        return refuse(refusal, eio_server_failure_status(failure),
                      eio_server_failure_text(failure));
    if (!str_equal(r->websocket_version, STR("13")))
        return refuse(refusal, 426, "Upgrade Required");
    return true;
}

static bool open_socket(struct eio_server *server, struct eio_ws *ws, const struct eio_request *r) {
    if (!r->sid[0]) {
        struct eio_session *s = eio_session_new(server, ws, r);
        if (s) eio_session_flush(s);
        return s != NULL;
    }
    struct eio_session *s = eio_server_find(server, str_of(r->sid));
    /* Never two WebSockets for one session: knowing a sid must not be enough to take it over. The
     * second is closed after 101, as the protocol's own suite expects it. */
    if (!s || s->state != EIO_POLLING || s->probe) return false;
    s->probe = ws;
    ws->session = s;
    ws->probed = false;
    eio_session_returned(s);
    eio_server_start_timer(server, &s->timers[EIO_TIMER_UPGRADE],
                           server->options.upgrade_timeout_ms);
    return true;
}

bool eio_ws_open(struct eio_server *server, struct eio_ws *ws, const struct eio_request *r) {
    eio_server_enter(server);
    bool opened = open_socket(server, ws, r);
    eio_server_leave(server);
    return opened;
}

static void probe_message(struct eio_session *s, struct str text) {
    struct eio_ws *ws = s->probe;
    if (str_equal(text, STR("2probe"))) {
        struct eio_frame *f = eio_frame_new(STR("3probe"), false);
        bool sent = s->server->hooks->ws_write(s->server->hooks_arg, ws, f);
        eio_frame_drop(f);
        if (!sent) { /* a client that floods probes and reads nothing */
            eio_session_end_probe(s, EIO_WS_CUT);
            return;
        }
        ws->probed = true;
        eio_session_start_probe(s);
    } else if (ws->probed && str_equal(text, STR("5"))) {
        eio_session_upgrade(s);
    } else {
        eio_session_end_probe(s, EIO_WS_PROTOCOL_ERROR);
    }
}

static void message(struct eio_session *s, char *data, size_t size, bool binary) {
    struct eio_packet packet = {.type = EIO_MESSAGE, .binary = true, .data = data, .size = size};
    if (!binary && !eio_packet_parse(data, size, &packet)) {
        eio_session_drop(s, "parse error", EIO_WS_PROTOCOL_ERROR);
        return;
    }
    (void)eio_session_packet(s, &packet); /* it has dropped the session itself */
}

void eio_ws_message(struct eio_ws *ws, char *data, size_t size, bool binary) {
    struct eio_session *s = ws->session;
    if (!s) return;
    struct eio_server *server = s->server;
    eio_server_enter(server);
    if (s->probe == ws)
        probe_message(s, binary ? STR_EMPTY : (struct str){data, size});
    else if (s->state < EIO_CLOSING)
        message(s, data, size, binary);
    eio_server_leave(server);
}

void eio_ws_writable(struct eio_ws *ws) {
    struct eio_session *s = ws->session;
    if (!s || s->probe == ws) return;
    struct eio_server *server = s->server;
    eio_server_enter(server);
    eio_session_flush(s);
    eio_server_leave(server);
}

void eio_ws_gone(struct eio_ws *ws) {
    struct eio_session *s = ws->session;
    if (!s) return;
    struct eio_server *server = s->server;
    eio_server_enter(server);
    ws->session = NULL;
    if (s->probe == ws) {
        s->probe = NULL;
        eio_session_end_probe(s, EIO_WS_NORMAL);
    } else {
        s->ws = NULL;
        eio_session_drop(s, "transport close", EIO_WS_NORMAL);
    }
    eio_server_leave(server);
}
