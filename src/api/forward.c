/* forward.c - tries of forwarded calls, door by door. */
#include "api/forward.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "wire/envelope.h"
#include "wire/method.h"

#include <muster/client.h>

#include <stdatomic.h>
#include <string.h>

enum {
    DOORS_MAX = 16,
    TRY_MS = 1000,     /* of several doors: a paused process keeps its connections */
    MARGIN_US = 50000, /* our refusal must reach the caller before he gives up */
    PAUSE_FIRST_MS = 10,
    PAUSE_MAX_MS = 160, /* after a round of all doors: how late a new leader is found */
};

struct door {
    char *address;
    struct muster_client *calls;
    struct muster_client *polls; /* a client has 1024 calls in flight: long polls get their own */
};

struct forward {
    struct forward_options o;
    struct door doors[DOORS_MAX];
    size_t count;
    atomic_size_t serving; /* the door that served last */
    struct heap resting;   /* job.due, us */
    atomic_bool stopping;
};

struct job {                /* one call, in its arena */
    struct message message; /* first */
    struct forward *forward;
    struct call *call;
    struct str bytes;
    int64_t until_us; /* the deadline, less what our refusal takes to the caller */
    size_t door;
    unsigned tries;
    struct heap_node due;
    struct err_text why; /* the last try's failure */
    enum err code;
};

static bool is_long_poll(const struct job *j) {
    return j->call->method->id == METHOD_WATCH_TICKET;
}

static int64_t left_ms(const struct job *j) {
    return (j->until_us - clock_mono_us()) / 1000;
}

static void finish_failed(struct job *j) {
    j->forward->o.done(j->call, STR_EMPTY, j->code, &j->why);
}

static bool may_go_on(const struct job *j) {
    const struct forward *f = j->forward;
    return f->count > 1 && !atomic_load(&f->stopping) && left_ms(j) > 0;
}

static void fail(struct job *j) {
    if (may_go_on(j))
        inbox_push_always(j->forward->o.inbox, &j->message); /* the calls taken bound them */
    else
        finish_failed(j);
}

static void note_failure(struct job *j, const struct muster_status *status) {
    bool full = status->code == MUSTER_RESOURCE_EXHAUSTED;
    bool unknown = j->call->method->mutating && !full;
    j->code =
        err_set(&j->why, full ? ERR_RESOURCE_EXHAUSTED : ERR_UNAVAILABLE,
                "no answer from %s (%.200s)%s", j->forward->doors[j->door].address, status->message,
                unknown ? "; outcome unknown: retry with the same request id" : "");
}

static void answered(void *arg, const uint8_t *bytes, size_t size,
                     const struct muster_status *status) {
    struct job *j = arg;
    struct forward *f = j->forward;
    if (status->code != MUSTER_OK) {
        note_failure(j, status);
        fail(j);
        return;
    }
    struct str response = {bytes ? (const char *)bytes : "", size};
    j->code = envelope_response_status(response, &j->why);
    if (j->code == ERR_UNAVAILABLE && may_go_on(j)) {
        fail(j);
        return;
    }
    if (j->code != ERR_UNAVAILABLE) atomic_store(&f->serving, j->door);
    f->o.done(j->call, response, j->code, &j->why);
}

static bool connected(const struct door *d) {
    return muster_connected(d->calls) > 0;
}

static void start_try(struct job *j) {
    struct forward *f = j->forward;
    struct door *d = &f->doors[j->door];
    int64_t timeout_ms = left_ms(j) > 0 ? left_ms(j) : 1;
    if (f->count > 1 && !is_long_poll(j) && timeout_ms > TRY_MS) timeout_ms = TRY_MS;
    j->tries++;
    if (f->count > 1 && !connected(d)) { /* it would wait for the connection */
        struct muster_status away = {.code = MUSTER_UNAVAILABLE, .message = "not connected"};
        note_failure(j, &away);
        fail(j);
        return;
    }
    struct strbuf bytes = {0};
    strbuf_add_str(&bytes, j->bytes);
    envelope_mark_forwarded((uint32_t)timeout_ms, &bytes);
    muster_forward(is_long_poll(j) ? d->polls : d->calls, (const uint8_t *)bytes.at, bytes.size,
                   (uint32_t)timeout_ms, answered, j);
    strbuf_fini(&bytes);
}

void forward_call(struct forward *f, struct call *c, struct str bytes) {
    struct job *j = arena_alloc(c->arena, sizeof *j);
    j->message.kind = f->o.kind;
    j->forward = f;
    j->call = c;
    j->bytes = bytes;
    int64_t margin_us = (c->deadline_us - clock_mono_us()) / 5;
    j->until_us = c->deadline_us - (margin_us < MARGIN_US ? margin_us : MARGIN_US);
    j->door = atomic_load(&f->serving);
    start_try(j);
}

void forward_take(struct message *m) {
    struct job *j = (struct job *)(void *)m;
    struct forward *f = j->forward;
    if (!may_go_on(j)) {
        finish_failed(j);
        return;
    }
    metric_add(METRIC_rpc_forward_retries_total, 1);
    j->door = (j->door + 1) % f->count;
    if (j->tries % f->count != 0) {
        start_try(j);
        return;
    }
    unsigned round = j->tries / (unsigned)f->count;
    int64_t pause_ms = round > 4 ? PAUSE_MAX_MS : PAUSE_FIRST_MS << (round - 1);
    if (pause_ms >= left_ms(j))
        finish_failed(j);
    else
        heap_start(&f->resting, &j->due, clock_mono_us() + pause_ms * 1000);
}

void forward_due(struct forward *f) {
    int64_t now_us = clock_mono_us();
    for (struct heap_node *n; (n = heap_take_due(&f->resting, now_us));)
        start_try(HEAP_OF(n, struct job, due));
}

int64_t forward_due_us(const struct forward *f) {
    return heap_due(&f->resting);
}

void forward_stop(struct forward *f) {
    atomic_store(&f->stopping, true);
    for (struct heap_node *n; (n = heap_take_due(&f->resting, INT64_MAX));)
        finish_failed(HEAP_OF(n, struct job, due));
    for (size_t i = 0; i < f->count; i++) {
        muster_close(f->doors[i].calls);
        muster_close(f->doors[i].polls);
        f->doors[i].calls = f->doors[i].polls = NULL;
    }
}

static enum err open_client(struct muster_client **out, const char *address, struct err_text *why) {
    struct muster_options options = {.api = address};
    struct muster_status status;
    if (muster_open(out, &options, &status) == MUSTER_OK) return ERR_OK;
    return err_set(why, err_from_code(status.code), "%s: %.400s", address, status.message);
}

static enum err open_door(struct forward *f, const char *address, struct err_text *why) {
    if (f->count == DOORS_MAX)
        return err_set(why, ERR_INVALID_ARGUMENT, "more than %d addresses", DOORS_MAX);
    struct door *d = &f->doors[f->count++];
    d->address = mem_text(str_of(address));
    enum err e = open_client(&d->calls, address, why);
    return e ? e : open_client(&d->polls, address, why);
}

enum err forward_new(struct forward **out, const struct forward_options *o, struct err_text *why) {
    struct forward *f = mem_alloc(sizeof *f);
    f->o = *o;
    char *text = mem_text(str_of(o->addresses)), *rest = text, *address;
    enum err e = ERR_OK;
    while (e == ERR_OK && (address = strtok_r(rest, ",", &rest)))
        e = open_door(f, address, why);
    if (e == ERR_OK && f->count == 0) e = err_set(why, ERR_INVALID_ARGUMENT, "no address");
    mem_free(text);
    *out = e ? NULL : f;
    if (e) {
        forward_stop(f);
        forward_free(f);
    }
    return e;
}

void forward_free(struct forward *f) {
    if (!f) return;
    for (size_t i = 0; i < f->count; i++)
        mem_free(f->doors[i].address);
    heap_fini(&f->resting);
    mem_free(f);
}
