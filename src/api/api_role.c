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
    DRAIN_MS = 1500,        /* who waits longer waits for a store that is away */
    FORWARD_MARGIN_MS = 50, /* our refusal must reach the caller before he gives up */
    MESSAGE_TAKEN = MESSAGE_ROLE,
};

struct role {            /* one that serves calls */
    struct inbox *inbox; /* NULL when it lives elsewhere */
    char *address;       /* elsewhere: its door; NULL when unknown */
    struct muster_client *calls;
    struct muster_client *polls; /* a client has 1024 calls in flight: long polls get their own */
};

struct seen { /* the series of one method, found once */
    _Atomic(struct metric_series *) by_code[ERR_UNAUTHENTICATED + 2]; /* the last: relayed */
    _Atomic(struct metric_series *) duration;
};

struct api {
    struct inbox inbox;
    struct thread thread;
    struct door *door;
    struct role matcher, events;
    _Atomic size_t open;                /* requests taken and not yet answered */
    struct seen seen[METHOD_COUNT + 1]; /* the last: no such method */
    struct metric_series *inbox_depth;
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
    int64_t at_us;
    const char *remote; /* where it was forwarded to, or NULL */
    bool is_relayed;
    struct str relayed; /* a whole Response from there; OK without content is empty */
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

/* --- Counting --------------------------------------------------------------------------------- */

static struct metric_series *found(_Atomic(struct metric_series *) *kept, enum metric m,
                                   const struct str *labels) {
    struct metric_series *s = atomic_load_explicit(kept, memory_order_relaxed);
    if (s) return s;
    s = metric_series(m, labels);
    atomic_store_explicit(kept, s, memory_order_relaxed);
    return s;
}

static bool is_long_poll(const struct method *m) {
    return m->id == METHOD_WATCH_TICKET;
}

static void count(const struct transport *t, enum err code) {
    const struct method *method = t->call->method;
    struct seen *seen = &t->api->seen[method ? (size_t)method->id : METHOD_COUNT];
    struct str name = method ? str_of(method->name) : STR("unknown");
    const char *word = t->is_relayed ? "RELAYED" : err_name(code);
    size_t index = t->is_relayed ? ERR_UNAUTHENTICATED + 1 : (size_t)code;
    metric_series_add(
        found(&seen->by_code[index], METRIC_rpc_calls_total, (struct str[]){name, str_of(word)}),
        1);
    if (method && !is_long_poll(method))
        metric_observe(found(&seen->duration, METRIC_rpc_duration_seconds, &name),
                       (double)(clock_mono_us() - t->at_us) / 1e6);
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void send_reply(void *arg, enum err code, const struct err_text *why, struct str payload) {
    struct transport *t = arg;
    struct err_text large;
    if (payload.size > LIMIT_ANSWER_BYTES) { /* the client would cut the connection */
        code = err_set(&large, ERR_FAILED_PRECONDITION,
                       "the answer has %zu bytes, above the limit of %d: ask for less",
                       payload.size, LIMIT_ANSWER_BYTES);
        why = &large;
        payload = STR_EMPTY;
    }
    metric_add(METRIC_rpc_requests_total, 1);
    if (code != ERR_OK) metric_add(METRIC_rpc_errors_total, 1);
    count(t, code);
    if (t->is_relayed) {
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
    if (status->code == MUSTER_OK) {
        t->is_relayed = true;
        t->relayed = (struct str){(const char *)bytes, size};
        call_reply(t->call, ERR_OK, NULL, STR_EMPTY);
        return;
    }
    struct err_text why;
    enum err e =
        status->code == MUSTER_RESOURCE_EXHAUSTED ? ERR_RESOURCE_EXHAUSTED : ERR_UNAVAILABLE;
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
    const struct role *role = c->method->route == ROUTE_EVENTS ? &a->events : &a->matcher;
    if (c->method->route == ROUTE_DOOR) {
        decode_and_push(c, NULL);
    } else if (role->inbox) {
        decode_and_push(c, role->inbox);
    } else if (role->calls) {
        t->remote = role->address;
        forward(c, is_long_poll(c->method) ? role->polls : role->calls, bytes);
    } else {
        struct err_text why;
        (void)err_set(&why, ERR_UNAVAILABLE, "this process has no %s role and knows of none",
                      role == &a->events ? "events" : "matcher");
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
    transport->at_us = t->at_us;
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
    if (is_long_poll(c->method) && !door_park(t->context)) {
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
        struct message *next, *list = inbox_wait(&a->inbox, -1);
        metric_series_set(a->inbox_depth, (int64_t)message_count(list));
        for (struct message *m = list; m; m = next) {
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

static enum err open_client(struct muster_client **out, const char *address, struct err_text *why) {
    struct muster_options options = {.api = address};
    struct muster_status status;
    if (muster_open(out, &options, &status) == MUSTER_OK) return ERR_OK;
    return err_set(why, err_from_code(status.code), "%s: %.400s", address, status.message);
}

static enum err open_role(struct role *r, struct inbox *local, const char *remote,
                          struct err_text *why) {
    r->inbox = local;
    if (local || !remote) return ERR_OK;
    r->address = mem_text(str_of(remote));
    enum err e = open_client(&r->calls, remote, why);
    if (e != ERR_OK) return e;
    return open_client(&r->polls, remote, why);
}

static void close_role(struct role *r) {
    if (r->calls) muster_close(r->calls);
    if (r->polls) muster_close(r->polls);
    r->calls = r->polls = NULL;
}

static void free_unstarted(struct api *a) {
    close_role(&a->matcher);
    close_role(&a->events);
    inbox_fini(&a->inbox);
    mem_free(a->matcher.address);
    mem_free(a->events.address);
    mem_free(a);
}

enum err api_start(struct api **out, const struct api_options *o, struct err_text *why) {
    struct api *a = mem_alloc(sizeof *a);
    *out = NULL;
    inbox_init(&a->inbox, LIMIT_INBOX_MESSAGES, NULL, NULL);
    enum err e = open_role(&a->matcher, o->matcher, o->matcher_remote, why);
    if (e == ERR_OK) e = open_role(&a->events, o->events, o->events_remote, why);
    if (e == ERR_OK) e = door_open(&a->door, o->listen, take, a, why);
    if (e != ERR_OK) {
        free_unstarted(a);
        return e;
    }
    a->inbox_depth = metric_series(METRIC_inbox_messages, (struct str[]){STR("api")});
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
    int64_t until_us = clock_mono_us() + DRAIN_MS * INT64_C(1000);
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
    close_role(&a->matcher); /* answers what was forwarded */
    close_role(&a->events);
}

void api_free(struct api *a) {
    if (!a) return;
    api_stop(a);
    assert(atomic_load(&a->open) == 0 && "the roles that hold calls must stop before api_free");
    door_close(a->door);
    free_unstarted(a);
}
