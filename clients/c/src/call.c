/* call.c - one request from its encoding over its tries to its callback. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    BACKOFF_FIRST_MS = 20,
    BACKOFF_MAX_MS = 1000,
    PAUSE_MAX_MS = 4000,        /* when a server asks for it */
    BACKOFF_FULL_DOUBLINGS = 3, /* more, for a server that has too much to do */
    FIELD_BYTES_MAX = 6,
};

/* --- Ending ---------------------------------------------------------------------------------- */

static void finish(struct slot *slot, ProtobufCMessage *response, const uint8_t *bytes,
                   size_t size) {
    if (slot->request != NULL) nng_msg_free(slot->request);
    slot->request = NULL;
    slot->stage = SLOT_IDLE;
    if (slot->raw)
        slot->forwarded(slot->arg, bytes, size, &slot->last);
    else
        slot->done(slot->arg, response, &slot->last);
    muster_client_return_slot(slot);
}

static void finish_failed(struct slot *slot) {
    assert(slot->last.code != MUSTER_OK);
    finish(slot, NULL, NULL, 0);
}

/* The deadline is over: the last answer says most; without one, whether anybody was there. */
static void finish_late(struct slot *slot) {
    if (slot->last.code == MUSTER_OK || slot->last.code == MUSTER_DEADLINE_EXCEEDED)
        muster_status_set(&slot->last,
                          slot->was_sent ? MUSTER_DEADLINE_EXCEEDED : MUSTER_UNAVAILABLE,
                          "no answer from %s within %u ms", slot->client->api, slot->timeout_ms);
    finish_failed(slot);
}

/* --- Steps: each starts exactly one operation on the slot's aio, or ends the call ------------- */

static uint32_t left_ms(const struct slot *slot) {
    int64_t left = slot->deadline_ms - muster_status_now_ms();
    return left > 0 ? (uint32_t)left : 0;
}

/* A field's key and a varint behind it: a number, or the length of what follows. */
static size_t put_field(uint8_t *at, uint8_t key, size_t value) {
    size_t size = 0;
    at[size++] = key;
    for (; value >= 0x80; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    return size;
}

/* timeout_ms is relative, so each try appends its own behind the shared bytes. */
static int append_timeout(nng_msg *message, uint32_t timeout_ms) {
    uint8_t field[FIELD_BYTES_MAX];
    return nng_msg_append(message, field, put_field(field, 3 << 3, timeout_ms));
}

static void start_try(struct slot *slot) {
    uint32_t left = left_ms(slot);
    if (left == 0) {
        finish_late(slot);
        return;
    }
    nng_msg *message = NULL;
    if (nng_msg_alloc(&message, 0) != 0 ||
        nng_msg_append(message, nng_msg_body(slot->request), nng_msg_len(slot->request)) != 0 ||
        (!slot->raw && append_timeout(message, left < slot->try_ms ? left : slot->try_ms) != 0)) {
        if (message != NULL) nng_msg_free(message);
        muster_status_no_memory(&slot->last);
        finish_failed(slot);
        return;
    }
    slot->stage = SLOT_SENDING;
    slot->tries++;
    /* Waits for a connection: until then nothing left this machine, so it is no try of its own. */
    nng_aio_set_timeout(slot->aio, (nng_duration)left);
    nng_aio_set_msg(slot->aio, message);
    nng_ctx_send(slot->context, slot->aio);
}

static void start_receive(struct slot *slot) {
    uint32_t left = left_ms(slot);
    slot->stage = SLOT_RECEIVING;
    slot->was_sent = true;
    if (left > slot->try_ms) left = slot->try_ms;
    nng_aio_set_timeout(slot->aio, (nng_duration)(left ? left : 1));
    nng_ctx_recv(slot->context, slot->aio);
}

/* The server knows better how much it has to do. With the jitter, its time on average. */
static uint32_t asked_pause(const struct slot *slot, uint32_t pause) {
    int64_t asked_ms = 4 * slot->last.retry_after_ms / 3;
    if (asked_ms > PAUSE_MAX_MS) asked_ms = PAUSE_MAX_MS;
    return asked_ms > pause ? (uint32_t)asked_ms : pause;
}

/* Exponential back-off, half of it jitter, so that many clients of a restarted server spread. */
static void rest_or_finish(struct slot *slot) {
    unsigned doublings = slot->tries < 8 ? slot->tries - 1 : 7;
    if (slot->last.code == MUSTER_RESOURCE_EXHAUSTED) doublings += BACKOFF_FULL_DOUBLINGS;
    uint32_t pause = (uint32_t)BACKOFF_FIRST_MS << doublings;
    if (pause > BACKOFF_MAX_MS) pause = BACKOFF_MAX_MS;
    if (slot->last.retry_after_ms > 0) pause = asked_pause(slot, pause);
    pause = pause / 2 + muster_status_random_below(pause / 2 + 1);
    if (!muster_status_retryable(slot->last.code)) {
        finish_failed(slot);
    } else if (slot->raw || left_ms(slot) <= pause) {
        finish_late(slot);
    } else {
        slot->stage = SLOT_RESTING;
        nng_sleep_aio((nng_duration)pause, slot->rest);
    }
}

static void take_response(struct slot *slot, nng_msg *message) {
    const uint8_t *bytes = nng_msg_body(message);
    size_t size = nng_msg_len(message);
    if (slot->raw) {
        muster_status_set(&slot->last, MUSTER_OK, "%s", "");
        finish(slot, NULL, bytes, size);
        return;
    }
    Muster__V1__Response *response = muster__v1__response__unpack(NULL, size, bytes);
    ProtobufCMessage *payload = NULL;
    if (response == NULL) {
        muster_status_set(&slot->last, MUSTER_INTERNAL, "%s sent no muster.v1.Response",
                          slot->client->api);
    } else if (muster_status_from_wire(&slot->last, response->status) == MUSTER_OK) {
        payload = protobuf_c_message_unpack(slot->output, NULL, response->payload.len,
                                            response->payload.data);
        if (payload == NULL)
            muster_status_set(&slot->last, MUSTER_INTERNAL, "%s sent a malformed %s",
                              slot->client->api, slot->output->name);
    }
    if (response != NULL) muster__v1__response__free_unpacked(response, NULL);
    if (payload != NULL)
        finish(slot, payload, NULL, 0);
    else
        rest_or_finish(slot);
}

static void drop_unsent(struct slot *slot) {
    nng_msg *unsent = nng_aio_get_msg(slot->aio);
    if (unsent != NULL) nng_msg_free(unsent);
    nng_aio_set_msg(slot->aio, NULL);
}

static void after_send(struct slot *slot, int error) {
    if (error == 0) {
        start_receive(slot);
        return;
    }
    drop_unsent(slot);
    if (error == NNG_ETIMEDOUT) {
        finish_late(slot);
    } else {
        muster_status_set(&slot->last, MUSTER_UNAVAILABLE, "%s: %s", slot->client->api,
                          nng_strerror(error));
        rest_or_finish(slot);
    }
}

static void after_receive(struct slot *slot, int error) {
    if (error == 0) {
        nng_msg *message = nng_aio_get_msg(slot->aio);
        nng_aio_set_msg(slot->aio, NULL);
        take_response(slot, message);
        nng_msg_free(message);
    } else {
        enum muster_code code =
            error == NNG_ETIMEDOUT ? MUSTER_DEADLINE_EXCEEDED : MUSTER_UNAVAILABLE;
        muster_status_set(&slot->last, code, "%s: %s", slot->client->api, nng_strerror(error));
        rest_or_finish(slot);
    }
}

static void finish_closing(struct slot *slot) {
    muster_status_set(&slot->last, MUSTER_CANCELLED, "the client is being closed");
    finish_failed(slot);
}

void muster_call_step(void *arg) {
    struct slot *slot = arg;
    int error = nng_aio_result(slot->aio);
    bool sending = slot->stage == SLOT_SENDING;
    assert(sending || slot->stage == SLOT_RECEIVING);
    if (error != 0 && muster_client_closing(slot->client)) {
        if (sending) drop_unsent(slot);
        finish_closing(slot);
    } else if (sending) {
        after_send(slot, error);
    } else {
        after_receive(slot, error);
    }
}

void muster_call_rested(void *arg) {
    struct slot *slot = arg;
    if (nng_aio_result(slot->rest) != 0 && muster_client_closing(slot->client))
        finish_closing(slot);
    else
        start_try(slot);
}

/* --- Starting -------------------------------------------------------------------------------- */

/* What of a request is no payload; points into the buffers given. */
struct head {
    Muster__V1__Request request;
    Muster__V1__Metadata pairs[2];
    Muster__V1__Metadata *metadata[2];
    char bearer[4096];
    char request_id[27];
};

static void add_metadata(struct head *head, const char *key, const char *value) {
    size_t index = head->request.n_metadata++;
    head->pairs[index] = (Muster__V1__Metadata)MUSTER__V1__METADATA__INIT;
    head->pairs[index].key = (char *)key;
    head->pairs[index].value = (char *)value;
    head->metadata[index] = &head->pairs[index];
}

static bool fill_head(struct head *head, const char *token, const struct method_info *method,
                      const struct muster_call *call) {
    head->request = (Muster__V1__Request)MUSTER__V1__REQUEST__INIT;
    head->request.method = (char *)method->name;
    head->request.metadata = head->metadata;
    if (token != NULL) {
        int size = snprintf(head->bearer, sizeof head->bearer, "Bearer %s", token);
        if (size < 0 || (size_t)size >= sizeof head->bearer) return false;
        add_metadata(head, "authorization", head->bearer);
    }
    if (call != NULL && call->traceparent != NULL)
        add_metadata(head, "traceparent", call->traceparent);
    if (call != NULL && call->request_id != NULL) {
        head->request.request_id = (char *)call->request_id;
    } else if (method->mutating) {
        muster_request_id(head->request_id);
        head->request.request_id = head->request_id;
    }
    return true;
}

/* The payload goes in as field 2 by hand: packed into a buffer of its own first, it would be
 * copied twice. A message's fields may come in any order. */
static bool encode_request(struct slot *slot, const struct method_info *method,
                           const ProtobufCMessage *message, const struct muster_call *call) {
    struct head head;
    if (!fill_head(&head, slot->client->token, method, call)) return false;
    size_t payload_bytes = protobuf_c_message_get_packed_size(message);
    if (payload_bytes > CLIENT_MESSAGE_BYTES) return false;
    uint8_t key[FIELD_BYTES_MAX];
    size_t key_bytes = put_field(key, 2 << 3 | 2, payload_bytes);
    size_t head_bytes = muster__v1__request__get_packed_size(&head.request);
    if (nng_msg_alloc(&slot->request, head_bytes + key_bytes + payload_bytes) != 0) return false;
    uint8_t *at = nng_msg_body(slot->request);
    at += muster__v1__request__pack(&head.request, at);
    memcpy(at, key, key_bytes);
    protobuf_c_message_pack(message, at + key_bytes);
    return true;
}

static uint32_t clamp_timeout(uint32_t wanted, uint32_t fallback) {
    if (wanted == 0) return fallback;
    return wanted > CLIENT_TIMEOUT_MAX_MS ? CLIENT_TIMEOUT_MAX_MS : wanted;
}

static void begin(struct slot *slot, uint32_t timeout_ms, uint32_t try_ms, void *arg) {
    slot->arg = arg;
    slot->tries = 0;
    slot->was_sent = false;
    slot->timeout_ms = timeout_ms;
    slot->try_ms = try_ms;
    slot->deadline_ms = muster_status_now_ms() + timeout_ms;
    muster_status_set(&slot->last, MUSTER_OK, "%s", "");
}

void muster_call_async(struct muster_client *client, const char *name,
                       const ProtobufCMessage *request, const struct muster_call *call,
                       muster_reply_fn done, void *arg) {
    struct muster_status status;
    struct method_info method;
    if (!muster_method_find(name, &method)) {
        muster_status_set(&status, MUSTER_UNIMPLEMENTED, "no method \"%s\"", name);
        done(arg, NULL, &status);
        return;
    }
    if (request->descriptor != method.input) {
        muster_status_set(&status, MUSTER_INVALID_ARGUMENT, "%s takes %s, not %s", name,
                          method.input->name, request->descriptor->name);
        done(arg, NULL, &status);
        return;
    }
    struct slot *slot = muster_client_take_slot(client, &status);
    if (slot == NULL) {
        done(arg, NULL, &status);
        return;
    }
    uint32_t timeout_ms = clamp_timeout(call ? call->timeout_ms : 0, client->timeout_ms);
    begin(slot, timeout_ms, method.whole_deadline ? timeout_ms : client->try_ms, arg);
    slot->raw = false;
    slot->done = done;
    slot->output = method.output;
    if (encode_request(slot, &method, request, call)) {
        start_try(slot);
    } else {
        muster_status_set(&slot->last, MUSTER_RESOURCE_EXHAUSTED,
                          "the request or the token is too large, or out of memory");
        finish_failed(slot);
    }
}

void muster_forward(struct muster_client *client, const uint8_t *request, size_t size,
                    uint32_t timeout_ms, muster_forward_fn done, void *arg) {
    struct muster_status status;
    struct slot *slot = muster_client_take_slot(client, &status);
    if (slot == NULL) {
        done(arg, NULL, 0, &status);
        return;
    }
    uint32_t timeout = clamp_timeout(timeout_ms, client->timeout_ms);
    begin(slot, timeout, timeout, arg);
    slot->raw = true;
    slot->forwarded = done;
    if (nng_msg_alloc(&slot->request, size) == 0) {
        memcpy(nng_msg_body(slot->request), request, size);
        start_try(slot);
    } else {
        muster_status_no_memory(&slot->last);
        finish_failed(slot);
    }
}
