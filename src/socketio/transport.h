/* transport.h - what carries the Engine.IO server: HTTP requests and WebSockets in, answers out.
 *
 * The transport owns connections. It embeds a struct eio_exchange in each HTTP request and a
 * struct eio_ws in each WebSocket, zeroed before first use, and reports:
 *
 *   request -> eio_http_request -> ANSWERED (the answer hook was called)
 *                               -> HELD     (the hook is called later, or eio_http_gone)
 *                               -> BODY     (collect the body -> eio_http_body, or eio_http_gone)
 *   upgrade -> eio_ws_check -> 101 -> eio_ws_open -> eio_ws_message* -> eio_ws_gone
 *
 * Hooks never call back into the server. After `answer` the exchange is the transport's again;
 * after `ws_close` the server has forgotten the WebSocket (a late eio_ws_gone is harmless).
 * Every HTTP answer ends its connection: pipelining and keep-alive are not offered.
 * Thread safety: none; one thread per server.
 */
#ifndef MUSTER_SOCKETIO_TRANSPORT_H
#define MUSTER_SOCKETIO_TRANSPORT_H

#include "base/str.h"
#include "socketio/eio_address.h"
#include "socketio/eio_frame.h"

#include <stdint.h>

struct eio_server;
struct eio_session;
struct sio_server;

enum eio_method { EIO_METHOD_GET, EIO_METHOD_POST, EIO_METHOD_OPTIONS, EIO_METHOD_OTHER };

struct eio_request {
    enum eio_method method;
    bool upgrade;           /* asks for a WebSocket */
    bool transfer_encoding; /* such a header is there */
    bool chunked;           /* and its value is "chunked" */
    /* Query values, filled by eio_request_argument; one that is cut can match nothing. */
    char eio[4], transport[12], sid[24];
    struct str origin;         /* empty = no such header */
    struct str content_length; /* as written; empty = no such header */
    struct str content_type;
    struct str wanted_headers; /* Access-Control-Request-Headers */
    struct str websocket_version;
    char address[EIO_ADDRESS_BYTES]; /* the peer's IP */
};

/* Takes one decoded "key=value" of the query; unknown keys are ignored, the last of equal ones
 * wins. */
void eio_request_argument(struct eio_request *r, struct str argument);

struct eio_exchange {
    struct eio_session *session; /* the server's: who holds it, NULL when nobody */
    const char *allow_origin;    /* the server's: for the answer */
};

struct eio_answer {
    int status;               /* 0 = cut the connection without an answer */
    const char *type;         /* Content-Type; NULL with an empty body */
    struct str body;          /* borrowed for the call */
    const char *allow_origin; /* Access-Control-Allow-Origin, NULL = none; Vary unless "*" */
    struct str allow_headers; /* of a preflight: Access-Control-Allow-Headers and -Methods */
    bool preflight;
};

struct eio_ws {
    struct eio_session *session; /* the server's; NULL when forgotten */
    bool probed;                 /* the server's: "2probe" was answered */
};

/* 0 cuts at once, without flushing: for a peer that does not read. */
enum eio_ws_code {
    EIO_WS_CUT = 0,
    EIO_WS_NORMAL = 1000,
    EIO_WS_GOING_AWAY = 1001,
    EIO_WS_PROTOCOL_ERROR = 1002,
};

struct eio_hooks {
    /* Answers and closes. `arg` is that of eio_server_attach. */
    void (*answer)(void *arg, struct eio_exchange *x, const struct eio_answer *a);
    /* Sends now and returns true, or returns false and calls eio_ws_writable when it may be tried
     * again. True also for a broken connection: eio_ws_gone will tell. */
    bool (*ws_write)(void *arg, struct eio_ws *ws, struct eio_frame *f);
    /* Whether ws_write would send all of a frame's bytes now, as far as can be told. */
    bool (*ws_free)(void *arg, struct eio_ws *ws);
    /* Sends a close frame behind what was written, then closes. */
    void (*ws_close)(void *arg, struct eio_ws *ws, enum eio_ws_code code);
    /* Calls eio_server_tick at `due_us` (clock_mono_us) instead of at the time asked before. */
    void (*arm)(void *arg, int64_t due_us);
};

struct eio_server *sio_server_engine(struct sio_server *server);

void eio_server_attach(struct eio_server *server, const struct eio_hooks *hooks, void *arg);
bool eio_server_owns_path(const struct eio_server *server, struct str path);
size_t eio_server_payload_bytes_max(const struct eio_server *server);
void eio_server_tick(struct eio_server *server);
void eio_server_close(struct eio_server *server); /* ends all sessions, refuses new ones */
/* Refuses new sessions and ends those there are, oldest first, spread over drain_ms or over a
 * millisecond for each, whichever is less; returns that time. eio_server_close ends the rest. */
int64_t eio_server_drain(struct eio_server *server);
size_t eio_server_session_count(const struct eio_server *server); /* closing ones included */

enum eio_http_next { EIO_HTTP_ANSWERED, EIO_HTTP_HELD, EIO_HTTP_BODY };

/* `r` is borrowed for the call. The body that BODY asks for has content_length bytes, at most
 * payload_bytes_max, or comes in chunks and is bounded by the transport. */
enum eio_http_next eio_http_request(struct eio_server *server, struct eio_exchange *x,
                                    const struct eio_request *r);
/* Always answers, unless the server cut the exchange before. Rewrites the body. */
void eio_http_body(struct eio_server *server, struct eio_exchange *x, char *body, size_t size);
/* Instead of eio_http_body: it is larger than payload_bytes_max. The session lives. */
void eio_http_body_too_large(struct eio_server *server, struct eio_exchange *x);
void eio_http_gone(struct eio_server *server, struct eio_exchange *x); /* lost before its answer */

/* Before 101: true to go on; false to send `refusal` (its body is static) and close. */
bool eio_ws_check(struct eio_server *server, const struct eio_request *r,
                  struct eio_answer *refusal);
/* After 101. False when the check no longer holds: close. */
bool eio_ws_open(struct eio_server *server, struct eio_ws *ws, const struct eio_request *r);
/* A whole message of at most payload_bytes_max bytes; text is valid UTF-8. Rewrites the data. */
void eio_ws_message(struct eio_ws *ws, char *data, size_t size, bool binary);
void eio_ws_writable(struct eio_ws *ws);
void eio_ws_gone(struct eio_ws *ws);

#endif
