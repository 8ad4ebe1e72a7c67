/* fake_muster.c - nng rep and pub sockets around a test's answers. */
#include "support/fake_muster.h"

#include "bus/close.h"

#include <assert.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONTEXTS = 16 };

/* nng 1.5.2 itself leaks a little when a connection is cancelled or closed (its issue 1713). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libnng.so\n";
}

struct context {
    struct fake_muster *fake;
    nng_ctx ctx;
    nng_aio *aio;
    bool sending;
};

struct fake_muster {
    char folder[64], api[96], events[96];
    nng_socket rep, pub;
    nng_listener listener;
    struct context contexts[CONTEXTS];
    pthread_mutex_t mutex;
    fake_answer_fn answer;
    void *arg;
    atomic_int subscribers;
    atomic_bool closing;
    atomic_long retry_after_ms; /* of each refusal */
};

static void check(int error) {
    if (error != 0) fprintf(stderr, "fake_muster: %s\n", nng_strerror(error));
    assert(error == 0);
}

ProtobufCMessage *fake_copy(const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    assert(copy != NULL);
    return copy;
}

static nng_msg *encode(int code, int64_t retry_after_ms, const ProtobufCMessage *payload) {
    Muster__V1__Response response = MUSTER__V1__RESPONSE__INIT;
    Muster__V1__Status status = MUSTER__V1__STATUS__INIT;
    status.code = (uint32_t)code;
    status.message = (char *)"the fake says so";
    status.retry_after_ms = code ? retry_after_ms : 0;
    response.status = &status;
    uint8_t *bytes = NULL;
    if (payload != NULL) {
        response.payload.len = protobuf_c_message_get_packed_size(payload);
        response.payload.data = bytes = malloc(response.payload.len + 1);
        protobuf_c_message_pack(payload, bytes);
    }
    nng_msg *message;
    check(nng_msg_alloc(&message, muster__v1__response__get_packed_size(&response)));
    muster__v1__response__pack(&response, nng_msg_body(message));
    free(bytes);
    return message;
}

static void on_context(void *arg) {
    struct context *c = arg;
    struct fake_muster *fake = c->fake;
    int error = nng_aio_result(c->aio);
    if (fake->closing || error == NNG_ECLOSED || error == NNG_ECANCELED) return;
    nng_msg *message = error == 0 && !c->sending ? nng_aio_get_msg(c->aio) : NULL;
    if (error != 0 && c->sending) nng_msg_free(nng_aio_get_msg(c->aio));
    c->sending = false;
    if (message != NULL) {
        Muster__V1__Request *request =
            muster__v1__request__unpack(NULL, nng_msg_len(message), nng_msg_body(message));
        nng_msg_free(message);
        assert(request != NULL);
        ProtobufCMessage *response = NULL;
        pthread_mutex_lock(&fake->mutex);
        int code = fake->answer(fake->arg, request, &response);
        pthread_mutex_unlock(&fake->mutex);
        muster__v1__request__free_unpacked(request, NULL);
        if (code != FAKE_NO_ANSWER) {
            nng_aio_set_msg(c->aio, encode(code, fake->retry_after_ms, response));
            c->sending = true;
        }
        if (response != NULL) protobuf_c_message_free_unpacked(response, NULL);
    }
    if (c->sending)
        nng_ctx_send(c->ctx, c->aio);
    else
        nng_ctx_recv(c->ctx, c->aio);
}

static void on_subscriber(nng_pipe pipe, nng_pipe_ev event, void *arg) {
    (void)pipe;
    struct fake_muster *fake = arg;
    fake->subscribers += event == NNG_PIPE_EV_ADD_POST ? 1 : -1;
}

struct fake_muster *fake_muster_new(fake_answer_fn answer, void *arg) {
    struct fake_muster *fake = calloc(1, sizeof *fake);
    assert(fake != NULL);
    fake->answer = answer;
    fake->arg = arg;
    pthread_mutex_init(&fake->mutex, NULL);
    snprintf(fake->folder, sizeof fake->folder, "/tmp/fake-muster-XXXXXX");
    assert(mkdtemp(fake->folder) != NULL);
    snprintf(fake->api, sizeof fake->api, "ipc://%s/api.sock", fake->folder);
    snprintf(fake->events, sizeof fake->events, "ipc://%s/events.sock", fake->folder);
    check(nng_rep0_open(&fake->rep));
    check(nng_pub0_open(&fake->pub));
    check(nng_socket_set_int(fake->pub, NNG_OPT_SENDBUF, 8192));
    check(nng_pipe_notify(fake->pub, NNG_PIPE_EV_ADD_POST, on_subscriber, fake));
    check(nng_pipe_notify(fake->pub, NNG_PIPE_EV_REM_POST, on_subscriber, fake));
    check(nng_listen(fake->pub, fake->events, NULL, 0));
    fake_muster_api_up(fake);
    for (int i = 0; i < CONTEXTS; i++) {
        struct context *c = &fake->contexts[i];
        c->fake = fake;
        check(nng_ctx_open(&c->ctx, fake->rep));
        check(nng_aio_alloc(&c->aio, on_context, c));
        nng_ctx_recv(c->ctx, c->aio);
    }
    return fake;
}

void fake_muster_api_up(struct fake_muster *fake) {
    check(nng_listen(fake->rep, fake->api, &fake->listener, 0));
}

void fake_muster_api_down(struct fake_muster *fake) {
    check(nng_listener_close(fake->listener));
}

void fake_muster_free(struct fake_muster *fake) {
    fake->closing = true;
    for (int i = 0; i < CONTEXTS; i++) {
        nng_aio_stop(fake->contexts[i].aio);
        nng_aio_free(fake->contexts[i].aio);
    }
    (void)close_socket(fake->rep);
    (void)close_socket(fake->pub);
    pthread_mutex_destroy(&fake->mutex);
    unlink(fake->api + strlen("ipc://"));
    unlink(fake->events + strlen("ipc://"));
    rmdir(fake->folder);
    free(fake);
}

void fake_muster_retry_after(struct fake_muster *fake, int64_t ms) {
    fake->retry_after_ms = ms;
}

const char *fake_muster_api(const struct fake_muster *fake) {
    return fake->api;
}

const char *fake_muster_events(const struct fake_muster *fake) {
    return fake->events;
}

void fake_muster_publish(struct fake_muster *fake, const char *topic,
                         const Muster__V1__EventBatch *batch) {
    size_t head = strlen(topic) + 1;
    nng_msg *message;
    check(nng_msg_alloc(&message, head + muster__v1__event_batch__get_packed_size(batch)));
    uint8_t *at = nng_msg_body(message);
    memcpy(at, topic, head);
    muster__v1__event_batch__pack(batch, at + head);
    check(nng_sendmsg(fake->pub, message, 0));
}

void fake_wait_until(bool (*condition)(void *arg), void *arg, const char *what) {
    for (int tries = 0; !condition(arg); tries++) {
        if (tries == 4000) {
            fprintf(stderr, "not within 20 s: %s\n", what);
            abort();
        }
        usleep(5000);
    }
}

static bool has_subscriber(void *arg) {
    struct fake_muster *fake = arg;
    return fake->subscribers > 0;
}

void fake_muster_wait_subscriber(struct fake_muster *fake) {
    fake_wait_until(has_subscriber, fake, "a subscriber is connected");
}
