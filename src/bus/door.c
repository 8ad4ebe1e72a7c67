/* door.c - a fixed crew of nng contexts, each with one aio that either receives or sends.
 *
 * A context never receives while its send is pending (nng #1702), and no error but "closed" ends
 * its loop: a crew that shrinks with each failed allocation would silently stop serving.
 */
#include "bus/door.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/close.h"
#include "bus/listen.h"

#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/util/platform.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONTEXTS_MAX = LIMIT_RPC_CONTEXTS + LIMIT_PARKED_CONTEXTS,
    RETRY_PAUSE_MS = 10,
    STOP_ROUNDS = 1000,     /* of 1 ms */
    SEND_TIMEOUT_MS = 5000, /* a client that does not read must not hold a context */
};

enum state { IDLE, RECEIVING, SERVING, SENDING, PAUSING };

struct door_context {
    struct door *door;
    nng_ctx ctx;
    nng_aio *aio;
    nng_msg *request; /* while SERVING */
    bool parked;      /* another context works in its place: idles after the send */
    _Atomic int state;
};

struct door {
    nng_socket socket;
    struct listen listen;
    door_take_fn take;
    void *take_arg;
    atomic_bool stopping;
    atomic_uint in_take; /* callbacks that may still call take */
    nng_mtx *lock;       /* of what follows */
    struct door_context *contexts[CONTEXTS_MAX];
    unsigned context_count;
    struct door_context *idle[CONTEXTS_MAX]; /* parked once, free to take a place again */
    unsigned idle_count;
    unsigned parked_count;
};

static void receive(struct door_context *c) {
    if (atomic_load(&c->door->stopping)) {
        atomic_store(&c->state, IDLE);
        return;
    }
    atomic_store(&c->state, RECEIVING);
    nng_aio_set_timeout(c->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(c->ctx, c->aio);
}

static void pause_before_retry(struct door_context *c, int failure) {
    if (failure == NNG_ECLOSED || atomic_load(&c->door->stopping)) {
        atomic_store(&c->state, IDLE);
        return;
    }
    LOG_WARN("door-retry", "error=\"%s\"", nng_strerror(failure));
    atomic_store(&c->state, PAUSING);
    nng_sleep_aio(RETRY_PAUSE_MS, c->aio);
}

static void received(struct door_context *c) {
    struct door *d = c->door;
    int failure = nng_aio_result(c->aio);
    if (failure) {
        pause_before_retry(c, failure);
        return;
    }
    c->request = nng_aio_get_msg(c->aio);
    atomic_fetch_add(&d->in_take, 1);
    if (atomic_load(&d->stopping)) {
        /* Unanswered on purpose: the client's socket sends it to the next server. */
        nng_msg_free(c->request);
        c->request = NULL;
        atomic_store(&c->state, IDLE);
    } else {
        atomic_store(&c->state, SERVING);
        d->take(d->take_arg, c, (struct str){nng_msg_body(c->request), nng_msg_len(c->request)});
    }
    atomic_fetch_sub(&d->in_take, 1);
}

static void sent(struct door_context *c) {
    struct door *d = c->door;
    if (nng_aio_result(c->aio)) nng_msg_free(nng_aio_get_msg(c->aio)); /* still ours */
    if (!c->parked) {
        receive(c);
        return;
    }
    nng_mtx_lock(d->lock);
    c->parked = false;
    d->parked_count--;
    atomic_store(&c->state, IDLE);
    d->idle[d->idle_count++] = c;
    nng_mtx_unlock(d->lock);
}

static void proceed(void *arg) {
    struct door_context *c = arg;
    switch (atomic_load(&c->state)) {
    case RECEIVING:
        received(c);
        break;
    case SENDING:
        sent(c);
        break;
    case PAUSING:
        receive(c);
        break;
    default:
        assert(!"an aio ended that was not started");
    }
}

/* Makes one more context, not yet receiving. nng's failure code, 0 = made. */
static int add_context(struct door *d, struct door_context **out) {
    struct door_context *c = mem_alloc(sizeof *c);
    c->door = d;
    int failure = nng_ctx_open(&c->ctx, d->socket);
    if (failure) goto free_context;
    failure = nng_aio_alloc(&c->aio, proceed, c);
    if (failure) goto close_ctx;
    assert(d->context_count < CONTEXTS_MAX);
    d->contexts[d->context_count++] = c;
    *out = c;
    return 0;

close_ctx:
    (void)nng_ctx_close(c->ctx);
free_context:
    mem_free(c);
    return failure;
}

static void free_contexts(struct door *d) {
    for (unsigned i = 0; i < d->context_count; i++) {
        struct door_context *c = d->contexts[i];
        nng_aio_stop(c->aio);
        nng_aio_free(c->aio);
        nng_msg_free(c->request);
        mem_free(c);
    }
    d->context_count = 0;
}

enum err door_open(struct door **out, const char *addresses, door_take_fn take, void *arg,
                   struct err_text *why) {
    struct door *d = mem_alloc(sizeof *d);
    *out = NULL;
    d->take = take;
    d->take_arg = arg;
    enum err e;
    int failure = nng_mtx_alloc(&d->lock);
    if (failure) goto free_door;
    failure = nng_rep0_open(&d->socket);
    if (failure) goto free_lock;
    while (!failure && d->context_count < LIMIT_RPC_CONTEXTS) {
        struct door_context *c;
        failure = add_context(d, &c);
    }
    if (failure) goto close_socket;
    e = listen_open(&d->listen, d->socket, addresses, why);
    if (e != ERR_OK) goto close_listen;
    for (unsigned i = 0; i < LIMIT_RPC_CONTEXTS; i++)
        receive(d->contexts[i]);
    *out = d;
    return ERR_OK;

close_listen:
    (void)nng_close(d->socket);
    free_contexts(d);
    listen_fini(&d->listen);
    nng_mtx_free(d->lock);
    mem_free(d);
    return e;
close_socket:
    (void)nng_close(d->socket);
    free_contexts(d);
free_lock:
    nng_mtx_free(d->lock);
free_door:
    mem_free(d);
    return err_set(why, ERR_UNAVAILABLE, "cannot open the door: %s", nng_strerror(failure));
}

const char *door_addresses(const struct door *d) {
    return d->listen.bound.at;
}

bool door_park(struct door_context *context) {
    struct door *d = context->door;
    assert(atomic_load(&context->state) == SERVING && !context->parked);
    struct door_context *substitute = NULL;
    nng_mtx_lock(d->lock);
    if (d->idle_count)
        substitute = d->idle[--d->idle_count];
    else if (d->parked_count < LIMIT_PARKED_CONTEXTS && add_context(d, &substitute) != 0)
        substitute = NULL;
    if (substitute) {
        context->parked = true;
        d->parked_count++;
    }
    nng_mtx_unlock(d->lock);
    if (!substitute) return false;
    receive(substitute);
    return true;
}

void door_reply(struct door_context *context, struct str bytes) {
    struct door_context *c = context;
    nng_msg *message = NULL;
    assert(atomic_load(&c->state) == SERVING);
    if (nng_msg_alloc(&message, 0) || nng_msg_append(message, bytes.at, bytes.size)) {
        (void)fprintf(stderr, "level=error id=out-of-memory bytes=%zu\n", bytes.size);
        abort();
    }
    nng_msg_free(c->request);
    c->request = NULL;
    atomic_store(&c->state, SENDING);
    nng_aio_set_timeout(c->aio, SEND_TIMEOUT_MS);
    nng_aio_set_msg(c->aio, message);
    nng_ctx_send(c->ctx, c->aio);
}

/* Cancels what waits for a request; says whether any context may still take one. */
static bool cancel_receivers(struct door *d) {
    bool left = atomic_load(&d->in_take) > 0;
    nng_mtx_lock(d->lock);
    for (unsigned i = 0; i < d->context_count; i++) {
        int state = atomic_load(&d->contexts[i]->state);
        if (state != RECEIVING && state != PAUSING) continue;
        nng_aio_cancel(d->contexts[i]->aio);
        left = true;
    }
    nng_mtx_unlock(d->lock);
    return left;
}

void door_stop(struct door *d) {
    atomic_store(&d->stopping, true);
    listen_quiet(&d->listen);
    /* A context seen just before its receive began misses its first cancel: hence again. */
    for (int rounds = 0; cancel_receivers(d) && rounds < STOP_ROUNDS; rounds++)
        nng_msleep(1);
}

void door_close(struct door *d) {
    if (!d) return;
    assert(atomic_load(&d->stopping));
    for (unsigned i = 0; i < d->context_count; i++) {
        int state = atomic_load(&d->contexts[i]->state);
        assert(state != SERVING);
        if (state == SENDING) nng_aio_wait(d->contexts[i]->aio);
    }
    if (!close_socket(d->socket)) return;
    free_contexts(d);
    listen_fini(&d->listen);
    nng_mtx_free(d->lock);
    mem_free(d);
}
