/* eio_server.h - all sessions of one Engine.IO server: their table, limits, timers and deaths.
 *
 * Every function that the outside calls brackets itself with enter and leave; sessions that closed
 * meanwhile are freed by the outermost leave. Thread safety: none.
 */
#ifndef MUSTER_SOCKETIO_EIO_SERVER_H
#define MUSTER_SOCKETIO_EIO_SERVER_H

#include "base/map.h"
#include "base/rng.h"
#include "base/wheel.h"
#include "socketio/eio_address.h"
#include "socketio/eio_session.h"
#include "socketio/socketio.h"

/* The application on top. */
struct eio_events {
    void (*open)(void *arg, struct eio_session *s);
    void (*message)(void *arg, struct eio_session *s, char *data, size_t size, bool binary);
    void (*close)(void *arg, struct eio_session *s, const char *reason);
};

struct eio_server {
    struct sio_options options; /* defaults filled in; strings owned */
    const struct eio_hooks *hooks;
    void *hooks_arg;
    const struct eio_events *events;
    void *events_arg;
    struct map sessions; /* eio_session by sid */
    struct eio_addresses addresses;
    struct list open;      /* eio_session.link: not CLOSED */
    struct list dead;      /* eio_session.link: to free */
    struct list doomed;    /* eio_session.doomed_link */
    struct list strangers; /* eio_session.stranger_link: polling, not back yet; oldest first */
    struct wheel wheel;
    struct wheel_node drain; /* closes some more sessions */
    int64_t drain_end_us;
    struct rng jitter;
    int64_t armed_due_us; /* what the transport was asked for, INT64_MAX = nothing */
    size_t live_count;    /* not yet closing */
    int depth;            /* of calls from outside */
    bool closing;
    char **origins; /* the allow-list; a "*" allows all */
    size_t origin_count;
    struct strbuf scratch; /* a polling body being built */
};

struct eio_server *eio_server_new(const struct sio_options *o, const struct eio_events *events,
                                  void *events_arg);
void eio_server_free(struct eio_server *server);
void eio_server_enter(struct eio_server *server);
void eio_server_leave(struct eio_server *server);

struct eio_session *eio_server_find(const struct eio_server *server, struct str sid);
/* Counts a session in, or refuses it: total or per-address limit, or the server is closing. */
bool eio_server_admit(struct eio_server *server, const char *address);
void eio_server_add(struct eio_server *server, struct eio_session *s);
void eio_server_bury(struct eio_server *server, struct eio_session *s); /* CLOSED: free later */
void eio_server_doom(struct eio_server *server, struct eio_session *s, const char *reason);
void eio_server_start_timer(struct eio_server *server, struct wheel_node *n, int64_t delay_ms);
void eio_server_stop_timer(struct eio_server *server, struct wheel_node *n);
/* The Access-Control-Allow-Origin value for this request: NULL without Origin. False when the
 * Origin is not allowed. */
bool eio_server_allow_origin(const struct eio_server *server, struct str origin,
                             const char **allow_origin);

/* The checks that polling and WebSocket share, first failure wins: 0, or the code below + 1. */
enum eio_failure {
    EIO_UNKNOWN_TRANSPORT,
    EIO_UNKNOWN_SID,
    EIO_BAD_METHOD,
    EIO_BAD_REQUEST,
    EIO_FORBIDDEN,
    EIO_UNSUPPORTED_VERSION,
    EIO_FULL, /* 503; the protocol has no code of its own for it */
    EIO_NO_FAILURE,
};

enum eio_failure eio_server_check(struct eio_server *server, const struct eio_request *r,
                                  struct eio_session **session);
int eio_server_failure_status(enum eio_failure f);
const char *eio_server_failure_text(enum eio_failure f);

#endif
