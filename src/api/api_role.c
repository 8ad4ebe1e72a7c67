/* api_role.c - one thread takes requests from the door, opens and checks them, passes them on. */
#include "api/api_role.h"

#include "api/forward.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bus/door.h"
#include "rt/call.h"
#include "rt/role_meter.h"
#include "rt/thread.h"
#include "wire/envelope.h"
#include "wire/method.h"
#include "wire/queue_report.h"
#include "wire/request.h"
#include "wire/response.h"

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>

enum {
    DRAIN_MS = 1500, /* who waits longer waits for a store that is away */
    SHED_ALL = 1024, /* api.shed_share of 1 */
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 2000,
    MESSAGE_TAKEN = MESSAGE_ROLE,
    MESSAGE_RETRY, /* forward_take's */
};

struct role {                /* one that serves calls */
    struct inbox *inbox;     /* NULL when it lives elsewhere */
    struct forward *forward; /* to where it lives as well; NULL when unknown */
};

struct seen { /* the series of one method, found once */
    _Atomic(struct metric_series *) by_code[ERR_UNAUTHENTICATED + 1];
    _Atomic(struct metric_series *) duration;
};

struct api {
    struct inbox inbox;
    struct thread thread;
    struct door *door;
    struct role matcher, events;
    bool (*leads)(const void *arg);
    const void *leads_arg;
    _Atomic size_t open;                /* requests taken and not yet answered */
    _Atomic size_t work;                /* of them admitted, without long polls */
    _Atomic int64_t work_us;            /* how long they took lately, from arrival to answer */
    struct seen seen[METHOD_COUNT + 1]; /* the last: no such method */
    struct role_meter meter;
    int shed_share; /* of requests lately, in SHED_ALL-ths: refused by admit. Its thread's */
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
    bool is_work; /* counted in api.work */
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
    metric_series_add(found(&seen->by_code[code], METRIC_rpc_calls_total,
                            (struct str[]){name, str_of(err_name(code))}),
                      1);
    if (method && !is_long_poll(method))
        metric_observe(found(&seen->duration, METRIC_rpc_duration_seconds, &name),
                       (double)(clock_mono_us() - t->at_us) / 1e6);
}

/* The mean goes a sixteenth of the way to the time of each call that succeeded (one that was given
 * up says nothing); a lost update does no harm. */
static void note_work_done(const struct transport *t, enum err code) {
    int64_t mean_us = atomic_load(&t->api->work_us), took_us = clock_mono_us() - t->at_us;
    if (code == ERR_OK) atomic_store(&t->api->work_us, mean_us + (took_us - mean_us) / 16);
    atomic_fetch_sub(&t->api->work, 1);
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void log_trace(const struct call *c, enum err code) {
    char text[TRACEPARENT_TEXT_BYTES];
    if (!c->trace || !log_enabled(LOG_LEVEL_DEBUG)) return;
    traceparent_format(c->trace, text);
    LOG_DEBUG("rpc-answered", "method=%s code=%s request_id=%s traceparent=%s", c->method->name,
              err_name(code), log_quote(c->request_id), text);
}

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
    log_trace(t->call, code);
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
    if (t->is_work) note_work_done(t, code);
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

/* ROUTE_DOOR: needs no role. */
static void answer_at_the_door(struct call *c, const struct request *r) {
    struct queue_report report;
    struct strbuf payload = {0};
    assert(c->method->id == METHOD_VALIDATE_RULESET);
    queue_report_make(r->validate.json, r->validate.allow_shrinking, &report);
    response_report(&report, &payload);
    call_reply(c, ERR_OK, NULL, strbuf_str(&payload));
    strbuf_fini(&payload);
    queue_report_fini(&report);
}

static void decode_and_push(struct call *c, struct inbox *to) {
    struct request *r = c->command;
    struct request_source source = {c->payload, c->request_id, c->trace};
    struct err_text why;
    enum err e = request_decode(c->method, &source, c->arena, r, &why);
    if (e != ERR_OK) {
        if (e == ERR_INVALID_ARGUMENT) metric_add(METRIC_rpc_malformed_total, 1);
        refuse(c, e, &why);
        return;
    }
    if (!to) {
        answer_at_the_door(c, r);
        return;
    }
    if (inbox_push(to, &c->message) == ERR_OK) return;
    request_fini(r);
    e = err_set(&why, ERR_RESOURCE_EXHAUSTED, "too many requests wait for the role that serves %s",
                c->method->name);
    refuse(c, e, &why);
}

static void forwarded(struct call *c, struct str relayed, enum err code,
                      const struct err_text *why) {
    struct transport *t = c->transport;
    t->is_relayed = relayed.at != NULL;
    t->relayed = relayed;
    call_reply(c, code, why, STR_EMPTY);
}

/* A local matcher that stands by knows others: one of them may lead. */
static bool served_here(const struct api *a, const struct role *role, const struct call *c) {
    if (!role->inbox) return false;
    return role != &a->matcher || !role->forward || c->handed_on || !a->leads ||
           a->leads(a->leads_arg) || c->method->id == METHOD_GET_STATUS; /* tells of the process */
}

static void route(struct api *a, struct call *c, struct str bytes) {
    const struct role *role = c->method->route == ROUTE_EVENTS ? &a->events : &a->matcher;
    if (c->method->route == ROUTE_DOOR) {
        decode_and_push(c, NULL);
    } else if (served_here(a, role, c)) {
        decode_and_push(c, role->inbox);
    } else if (role->forward && !c->handed_on) {
        forward_call(role->forward, c, bytes);
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

/* What is taken in beyond what can be worked on is refused at once: in the sockets it would grow
 * old unseen, and be worked on when nobody waits for it any more. So is, under pressure, what would
 * be done too late. Probes are always served, long
 * polls have a limit of their own. */
static void note_shed(struct api *a, bool shed) {
    a->shed_share += ((shed ? SHED_ALL : 0) - a->shed_share) / 32;
}

/* When most are refused, who comes back soon costs the others their processor, and is refused
 * again: he is told to wait for about as long as all who are refused would take. */
static int64_t retry_after_ms(const struct api *a) {
    int64_t ms = (int64_t)RETRY_MIN_MS * SHED_ALL / (SHED_ALL - a->shed_share + 1);
    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static bool admit(struct api *a, struct call *c, struct err_text *why) {
    if (is_long_poll(c->method) || c->method->id == METHOD_CHECK ||
        c->method->id == METHOD_GET_STATUS)
        return true;
    size_t work = atomic_load(&a->work);
    bool too_late = work >= LIMIT_RPC_WORK / 2 &&
                    c->deadline_us - clock_mono_us() < atomic_load(&a->work_us) * 3 / 2;
    if (too_late || work >= LIMIT_RPC_WORK) {
        metric_add(METRIC_rpc_shed_total, 1);
        (void)err_set(why, ERR_RESOURCE_EXHAUSTED,
                      "%zu requests are being worked on here already%s; try again later", work,
                      too_late ? ", and one takes longer than this one has" : "");
        note_shed(a, true);
        why->retry_after_ms = retry_after_ms(a);
        return false;
    }
    note_shed(a, false);
    ((struct transport *)c->transport)->is_work = true;
    atomic_fetch_add(&a->work, 1);
    return true;
}

/* NULL where there is none, or one that is to be ignored. */
static const struct traceparent *read_trace(struct arena *arena, struct str traceparent) {
    struct traceparent read;
    if (traceparent.size == 0 || !traceparent_parse(traceparent, &read)) return NULL;
    struct traceparent *kept = arena_alloc(arena, sizeof *kept);
    *kept = read;
    return kept;
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
    c->handed_on = envelope.forwarded;
    c->payload = envelope.payload;
    c->request_id = envelope.request_id;
    c->trace = read_trace(c->arena, envelope.traceparent);
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
    if (!admit(a, c, &why)) {
        refuse(c, ERR_RESOURCE_EXHAUSTED, &why);
        return;
    }
    route(a, c, t->bytes);
}

static int wait_ms(const struct api *a) {
    int64_t due_us = INT64_MAX;
    if (a->matcher.forward) due_us = forward_due_us(a->matcher.forward);
    if (a->events.forward && forward_due_us(a->events.forward) < due_us)
        due_us = forward_due_us(a->events.forward);
    if (due_us == INT64_MAX) return -1;
    int64_t left_us = due_us - clock_mono_us();
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

/* False at the stop. */
static bool take_messages(struct api *a, struct message *list) {
    bool stopped = false;
    while (list) {
        struct message *m = list;
        list = list->next;
        if (m->kind == MESSAGE_RETRY) { /* the call's own memory */
            forward_take(m);
            continue;
        }
        if (m->kind == MESSAGE_TAKEN)
            handle(a, (struct taken *)(void *)m);
        else
            stopped = true;
        mem_free(m);
    }
    return !stopped;
}

static void run(void *arg) {
    struct api *a = arg;
    bool stopped = false;
    while (!stopped) {
        struct message *list = inbox_wait(&a->inbox, wait_ms(a));
        role_meter_begin(&a->meter, list);
        stopped = !take_messages(a, list);
        if (a->matcher.forward) forward_due(a->matcher.forward);
        if (a->events.forward) forward_due(a->events.forward);
        role_meter_end(&a->meter);
    }
}

/* --- Life cycle ------------------------------------------------------------------------------ */

static enum err open_role(struct api *a, struct role *r, struct inbox *local, const char *remote,
                          struct err_text *why) {
    r->inbox = local;
    if (!remote) return ERR_OK;
    struct forward_options o = {remote, &a->inbox, MESSAGE_RETRY, forwarded};
    return forward_new(&r->forward, &o, why);
}

static void stop_forwards(struct api *a) {
    if (a->matcher.forward) forward_stop(a->matcher.forward);
    if (a->events.forward) forward_stop(a->events.forward);
}

static void free_unstarted(struct api *a) {
    forward_free(a->matcher.forward);
    forward_free(a->events.forward);
    inbox_fini(&a->inbox);
    mem_free(a);
}

enum err api_start(struct api **out, const struct api_options *o, struct err_text *why) {
    struct api *a = mem_alloc(sizeof *a);
    *out = NULL;
    inbox_init(&a->inbox, LIMIT_INBOX_MESSAGES, NULL, NULL);
    a->leads = o->matcher_leads;
    a->leads_arg = o->matcher_leads_arg;
    enum err e = open_role(a, &a->matcher, o->matcher, o->matcher_remote, why);
    if (e == ERR_OK) e = open_role(a, &a->events, o->events, o->events_remote, why);
    if (e == ERR_OK) e = door_open(&a->door, o->listen, take, a, why);
    if (e != ERR_OK) {
        stop_forwards(a);
        free_unstarted(a);
        return e;
    }
    role_meter_init(&a->meter, "api");
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
    stop_forwards(a); /* answers what was forwarded */
    (void)take_messages(a, inbox_take(&a->inbox));
}

void api_free(struct api *a) {
    if (!a) return;
    api_stop(a);
    assert(atomic_load(&a->open) == 0 && "the roles that hold calls must stop before api_free");
    door_close(a->door);
    free_unstarted(a);
}
