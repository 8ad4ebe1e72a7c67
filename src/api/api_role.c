/* api_role.c - one thread takes requests from the door, opens and checks them, passes them on. */
#include "api/api_role.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bus/door.h"
#include "rt/call.h"
#include "rt/thread.h"
#include "wire/envelope.h"
#include "wire/method.h"
#include "wire/request.h"
#include "wire/response.h"

#include <muster/client.h>

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>

enum {
    DRAIN_MS = 3000,
    FORWARD_MARGIN_MS = 50, /* our refusal must reach the caller before he gives up */
    MESSAGE_TAKEN = MESSAGE_ROLE,
};

struct api {
    struct inbox inbox;
    struct thread thread;
    struct door *door;
    struct inbox *matcher, *events;
    struct muster_client *matcher_client, *events_client; /* NULL when local or absent */
    char *matcher_remote, *events_remote;
    _Atomic size_t open; /* requests taken and not yet answered */
};

struct taken { /* from the door's thread to ours */
    struct message message;
    struct door_context *context;
    struct str bytes; /* the context's */
    int64_t at_us;
};

struct transport { /* how to answer; in the call's arena */
    struct api *api;
    struct door_context *context;
    struct call *call;
    const char *remote;  /* where it was forwarded to, or NULL */
    struct str relayed;  /* a whole Response from there */
};

static void take(void *arg, struct door_context *context, struct str bytes) {
    struct api *a = arg;
    struct taken *t = mem_alloc(sizeof *t);
    t->message.kind = MESSAGE_TAKEN;
    t->context = context;
    t->bytes = bytes;
    t->at_us = clock_mono_us();
    atomic_fetch_add(&a->open, 1);
    inbox_push_always(&a->inbox, &t->message); /* the door's contexts bound it */
}

static void send_reply(void *arg, enum err code, const struct err_text *why, struct str payload) {
    struct transport *t = arg;
    metric_add(METRIC_rpc_requests_total, 1);
    if (code != ERR_OK) metric_add(METRIC_rpc_errors_total, 1);
    if (t->relayed.size) {
        door_reply(t->context, t->relayed);
    } else {
        struct strbuf bytes = {0};
        envelope_encode_response(code, why, payload, &bytes);
        door_reply(t->context, strbuf_str(&bytes));
        strbuf_fini(&bytes);
    }
    atomic_fetch_sub(&t->api->open, 1);
}

static void refuse(struct call *c, enum err code, const struct err_text *why) {
    call_reply(c, code, why, STR_EMPTY);
}

static void refuse_unknown(struct call *c, struct str name) {
    const char *names[METHOD_COUNT];
    for (size_t i = 0; i < METHOD_COUNT; i++)
        names[i] = method_row((enum method_id)i)->name;
    const char *nearest = str_nearest(name, names, METHOD_COUNT);
    struct err_text why;
    (void)err_set(&why, ERR_UNIMPLEMENTED, "unknown method \"%.*s\"%s%s", STR_PRINT(name),
                  nearest ? "; nearest: " : "", nearest ? nearest : "");
    refuse(c, ERR_UNIMPLEMENTED, &why);
}

/* --- Routes ---------------------------------------------------------------------------------- */

static void decode_and_push(struct call *c, struct inbox *to) {
    struct request *r = c->command;
    struct request_source source = {c->payload, c->request_id};
    struct err_text why;
    enum err e = request_decode(c->method, &source, c->arena, r, &why);
    if (e != ERR_OK) {
        if (e == ERR_INVALID_ARGUMENT) metric_add(METRIC_rpc_malformed_total, 1);
        refuse(c, e, &why);
        return;
    }
    if (!to) { /* ROUTE_DOOR: decoding has checked it, the notes are the answer */
        struct strbuf payload = {0};
        assert(c->method->id == METHOD_VALIDATE_RULESET);
        response_notes(r->notes, &payload);
        call_reply(c, ERR_OK, NULL, strbuf_str(&payload));
        strbuf_fini(&payload);
        return;
    }
    if (inbox_push(to, &c->message) == ERR_OK) return;
    request_fini(r);
    e = err_set(&why, ERR_RESOURCE_EXHAUSTED, "too many requests wait for the role that serves %s",
                c->method->name);
    refuse(c, e, &why);
}

static void forwarded(void *arg, const uint8_t *bytes, size_t size,
                      const struct muster_status *status) {
    struct transport *t = arg;
    if (bytes && size) {
        t->relayed = (struct str){(const char *)bytes, size};
        call_reply(t->call, ERR_OK, NULL, STR_EMPTY);
        return;
    }
    struct err_text why;
    enum err e = status->code == MUSTER_RESOURCE_EXHAUSTED ? ERR_RESOURCE_EXHAUSTED
                                                           : ERR_UNAVAILABLE;
    bool unknown = t->call->method->mutating && e == ERR_UNAVAILABLE;
    (void)err_set(&why, e, "no answer from %s (%.200s)%s", t->remote, status->message,
                  unknown ? "; outcome unknown: retry with the same request id" : "");
    refuse(t->call, e, &why);
}

static void forward(struct call *c, struct muster_client *client, struct str bytes) {
    int64_t left_ms = (c->deadline_us - clock_mono_us()) / 1000;
    int64_t margin_ms = left_ms / 5 < FORWARD_MARGIN_MS ? left_ms / 5 : FORWARD_MARGIN_MS;
    uint32_t timeout_ms = left_ms - margin_ms > 0 ? (uint32_t)(left_ms - margin_ms) : 1;
    muster_forward(client, (const uint8_t *)bytes.at, bytes.size, timeout_ms, forwarded,
                   c->transport);
}

static void route(struct api *a, struct call *c, struct str bytes) {
    struct transport *t = c->transport;
    bool to_events = c->method->route == ROUTE_EVENTS;
    struct inbox *local = to_events ? a->events : a->matcher;
    struct muster_client *remote = to_events ? a->events_client : a->matcher_client;
    if (c->method->route == ROUTE_DOOR) {
        decode_and_push(c, NULL);
    } else if (local) {
        decode_and_push(c, local);
    } else if (remote) {
        t->remote = to_events ? a->events_remote : a->matcher_remote;
        forward(c, remote, bytes);
    } else {
        struct err_text why;
        (void)err_set(&why, ERR_UNAVAILABLE, "this process has no %s role and knows of none",
                      to_events ? "events" : "matcher");
        refuse(c, ERR_UNAVAILABLE, &why);
    }
}

/* --- The thread ------------------------------------------------------------------------------ */

static struct call *open_call(struct api *a, const struct taken *t) {
    size_t cap = t->bytes.size * LIMIT_DECODE_FACTOR + LIMIT_DECODE_BYTES;
    struct call *c = call_new(cap, send_reply, NULL);
    struct transport *transport = arena_alloc(c->arena, sizeof *transport);
    transport->api = a;
    transport->context = t->context;
    transport->call = c;
    c->transport = transport;
    c->command = arena_alloc(c->arena, sizeof(struct request));
    return c;
}

static void handle(struct api *a, const struct taken *t) {
    struct call *c = open_call(a, t);
    struct envelope envelope;
    struct err_text why;
    enum err e = envelope_decode(t->bytes, &envelope, &why);
    if (e != ERR_OK) {
        metric_add(METRIC_rpc_malformed_total, 1);
        refuse(c, e, &why);
        return;
    }
    c->method = method_find(envelope.method);
    if (!c->method) {
        refuse_unknown(c, envelope.method);
        return;
    }
    uint32_t timeout_ms = envelope.timeout_ms ? envelope.timeout_ms : c->method->timeout_ms;
    c->payload = envelope.payload;
    c->request_id = envelope.request_id;
    c->deadline_us = t->at_us + (int64_t)timeout_ms * 1000;
    if (call_expired(c, clock_mono_us())) {
        metric_add(METRIC_rpc_expired_total, 1);
        (void)err_set(&why, ERR_DEADLINE_EXCEEDED, "not begun within %u ms", timeout_ms);
        refuse(c, ERR_DEADLINE_EXCEEDED, &why);
        return;
    }
    if (c->method->id == METHOD_WATCH_TICKET && !door_park(t->context)) {
        (void)err_set(&why, ERR_RESOURCE_EXHAUSTED, "%d long polls are open here already",
                      LIMIT_PARKED_CONTEXTS);
        refuse(c, ERR_RESOURCE_EXHAUSTED, &why);
        return;
    }
    route(a, c, t->bytes);
}

static void run(void *arg) {
    struct api *a = arg;
    for (bool stopped = false; !stopped;) {
        struct message *next;
        for (struct message *m = inbox_wait(&a->inbox, -1); m; m = next) {
            next = m->next;
            if (m->kind == MESSAGE_TAKEN)
                handle(a, (struct taken *)(void *)m);
            else
                stopped = true;
            mem_free(m);
        }
    }
}

/* --- Life cycle ------------------------------------------------------------------------------ */

static enum err open_remote(struct muster_client **out, const char *address, struct err_text *why) {
    struct muster_options options = {.api = address};
    struct muster_status status;
    if (!address) return ERR_OK;
    if (muster_open(out, &options, &status) == MUSTER_OK) return ERR_OK;
    return err_set(why, err_from_code(status.code), "%s: %.400s", address, status.message);
}

static void close_clients(struct api *a) {
    if (a->matcher_client) muster_close(a->matcher_client);
    if (a->events_client) muster_close(a->events_client);
    a->matcher_client = a->events_client = NULL;
}

static void free_unstarted(struct api *a) {
    close_clients(a);
    inbox_fini(&a->inbox);
    mem_free(a->matcher_remote);
    mem_free(a->events_remote);
    mem_free(a);
}

enum err api_start(struct api **out, const struct api_options *o, struct err_text *why) {
    struct api *a = mem_alloc(sizeof *a);
    *out = NULL;
    inbox_init(&a->inbox, LIMIT_INBOX_MESSAGES, NULL, NULL);
    a->matcher = o->matcher;
    a->events = o->events;
    if (!o->matcher && o->matcher_remote) a->matcher_remote = mem_text(str_of(o->matcher_remote));
    if (!o->events && o->events_remote) a->events_remote = mem_text(str_of(o->events_remote));
    enum err e = open_remote(&a->matcher_client, a->matcher_remote, why);
    if (e == ERR_OK) e = open_remote(&a->events_client, a->events_remote, why);
    if (e == ERR_OK) e = door_open(&a->door, o->listen, take, a, why);
    if (e != ERR_OK) {
        free_unstarted(a);
        return e;
    }
    thread_start(&a->thread, "api", run, a);
    LOG_INFO("api-listening", "addresses=%s", door_addresses(a->door));
    *out = a;
    return ERR_OK;
}

const char *api_addresses(const struct api *a) {
    return door_addresses(a->door);
}

void api_drain(struct api *a) {
    door_stop(a->door);
    int64_t until_us = clock_mono_us() + DRAIN_MS * 1000;
    while (atomic_load(&a->open) > 0 && clock_mono_us() < until_us)
        (void)poll(NULL, 0, 1);
}

void api_stop(struct api *a) {
    if (!a->thread.started) return;
    door_stop(a->door);
    struct message *stop = mem_alloc(sizeof *stop);
    stop->kind = MESSAGE_STOP;
    inbox_push_always(&a->inbox, stop);
    thread_join(&a->thread);
    close_clients(a); /* answers what was forwarded */
}

void api_free(struct api *a) {
    if (!a) return;
    api_stop(a);
    assert(atomic_load(&a->open) == 0 && "the roles that hold calls must stop before api_free");
    door_close(a->door);
    free_unstarted(a);
}
