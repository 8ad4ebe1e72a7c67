/* fake_transport.h - a transport that records what the server asks of it, and a clock that stands.
 *
 * Included by one test file each: it defines the clock, in place of the real one.
 */
#ifndef MUSTER_TESTS_FAKE_TRANSPORT_H
#define MUSTER_TESTS_FAKE_TRANSPORT_H

#include "base/clock.h"
#include "socketio/socketio.h"
#include "socketio/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_SENT_MAX = 600 };

struct fake_ws {
    struct eio_ws ws; /* first */
    struct eio_frame *sent[FAKE_SENT_MAX];
    size_t sent_count;
    bool choked, closed;
    enum eio_ws_code code;
};

struct fake_exchange {
    struct eio_exchange x; /* first */
    int answers, status;
    char body[4096];
};

static int64_t fake_now_us = 1000000;
static int64_t fake_armed_us = -1;

int64_t clock_mono_us(void) {
    return fake_now_us;
}

int64_t clock_wall_ms(void) {
    return fake_now_us / 1000;
}

static void fake_answer(void *arg, struct eio_exchange *x, const struct eio_answer *a) {
    (void)arg;
    struct fake_exchange *f = (struct fake_exchange *)(void *)x;
    f->answers++;
    f->status = a->status;
    size_t size = a->body.size < sizeof f->body - 1 ? a->body.size : sizeof f->body - 1;
    if (size) memcpy(f->body, a->body.at, size);
    f->body[size] = '\0';
}

static bool fake_write(void *arg, struct eio_ws *ws, struct eio_frame *frame) {
    (void)arg;
    struct fake_ws *f = (struct fake_ws *)(void *)ws;
    if (f->choked || f->sent_count == FAKE_SENT_MAX) return false;
    f->sent[f->sent_count++] = eio_frame_hold(frame);
    return true;
}

static void fake_close(void *arg, struct eio_ws *ws, enum eio_ws_code code) {
    (void)arg;
    struct fake_ws *f = (struct fake_ws *)(void *)ws;
    f->closed = true;
    f->code = code;
}

static void fake_arm(void *arg, int64_t due_us) {
    (void)arg;
    fake_armed_us = due_us;
}

static bool fake_free(void *arg, struct eio_ws *ws) {
    (void)arg;
    return !((struct fake_ws *)(void *)ws)->choked;
}

static const struct eio_hooks FAKE_HOOKS = {.answer = fake_answer,
                                            .ws_write = fake_write,
                                            .ws_free = fake_free,
                                            .ws_close = fake_close,
                                            .arm = fake_arm};

/* Runs the server's timers up to `ms` from now, each at the very time it asked for. */
static inline void fake_advance(struct eio_server *server, int64_t ms) {
    int64_t end_us = fake_now_us + ms * 1000;
    while (fake_armed_us >= 0 && fake_armed_us <= end_us) {
        if (fake_armed_us > fake_now_us) fake_now_us = fake_armed_us;
        fake_armed_us = -1;
        eio_server_tick(server);
    }
    fake_now_us = end_us;
}

static inline struct eio_request fake_request(enum eio_method method, const char *transport,
                                              const char *sid) {
    struct eio_request r = {.method = method, .eio = "4", .address = "10.0.0.1"};
    strcpy(r.transport, transport);
    r.upgrade = strcmp(transport, "websocket") == 0;
    r.websocket_version = STR("13");
    strncpy(r.sid, sid, sizeof r.sid - 1);
    return r;
}

static inline bool fake_open(struct eio_server *server, struct fake_ws *f, const char *sid) {
    struct eio_request r = fake_request(EIO_METHOD_GET, "websocket", sid);
    struct eio_answer refusal;
    return eio_ws_check(server, &r, &refusal) && eio_ws_open(server, &f->ws, &r);
}

static inline void fake_say(struct fake_ws *f, const char *text) {
    char *copy = strdup(text); /* of its exact size, for ASan; the server rewrites it */
    eio_ws_message(&f->ws, copy, strlen(copy), false);
    free(copy);
}

/* The text of a sent frame, in a buffer that the next call overwrites. */
static inline const char *fake_sent(const struct fake_ws *f, size_t index) {
    static char text[4096];
    if (index >= f->sent_count) return "(nothing)";
    size_t size = f->sent[index]->size < sizeof text - 1 ? f->sent[index]->size : sizeof text - 1;
    memcpy(text, f->sent[index]->bytes, size);
    text[size] = '\0';
    return text;
}

static inline const char *fake_last(const struct fake_ws *f) {
    return fake_sent(f, f->sent_count - 1);
}

static inline void fake_forget(struct fake_ws *f) {
    for (size_t i = 0; i < f->sent_count; i++)
        eio_frame_drop(f->sent[i]);
    f->sent_count = 0;
}

static inline enum eio_http_next fake_get(struct eio_server *server, struct fake_exchange *f,
                                          const char *sid) {
    struct eio_request r = fake_request(EIO_METHOD_GET, "polling", sid);
    *f = (struct fake_exchange){0};
    return eio_http_request(server, &f->x, &r);
}

static inline int fake_post(struct eio_server *server, const char *sid, const char *body) {
    struct eio_request r = fake_request(EIO_METHOD_POST, "polling", sid);
    struct fake_exchange f = {0};
    char length[24];
    snprintf(length, sizeof length, "%zu", strlen(body));
    r.content_length = str_of(length);
    if (eio_http_request(server, &f.x, &r) == EIO_HTTP_BODY) {
        char *copy = strdup(body);
        eio_http_body(server, &f.x, copy, strlen(copy));
        free(copy);
    }
    return f.status;
}

#endif
