/* client.c - opening and closing a client, and its pool of request slots. */
#include "client_internal.h"
#include "close.h"

#include <nng/protocol/reqrep0/req.h>

#include <stdlib.h>
#include <string.h>

/* nng would take a wrong port for the name of a service, and look for it for ever. */
static bool tcp_port_valid(const char *address) {
    const char *colon = strrchr(address, ':');
    char *end;
    long port = strtol(colon + 1, &end, 10);
    return end != colon + 1 && *end == '\0' && port > 0 && port <= 65535;
}

static enum muster_code dial_one(nng_socket socket, const char *address,
                                 struct muster_status *status) {
    if (strncmp(address, "tcp://", 6) != 0 && strncmp(address, "ipc://", 6) != 0)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT,
                                 "address \"%s\": must be tcp://HOST:PORT or ipc://PATH", address);
    if (address[0] == 't' && !tcp_port_valid(address))
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT,
                                 "address \"%s\": port must be 1..65535", address);
    nng_dialer dialer;
    int error = nng_dialer_create(&dialer, socket, address);
    if (error == 0) error = nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, CLIENT_MESSAGE_BYTES);
    if (error == 0) error = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, 10);
    if (error == 0) error = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, 500);
    if (error == 0) error = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    if (error == NNG_ENOMEM) return muster_status_no_memory(status);
    if (error != 0)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT, "address \"%s\": %s", address,
                                 nng_strerror(error));
    return MUSTER_OK;
}

enum muster_code muster_client_dial(nng_socket socket, const char *addresses,
                                    struct muster_status *status) {
    char *copy = strdup(addresses);
    if (copy == NULL) return muster_status_no_memory(status);
    enum muster_code code = MUSTER_OK;
    char *rest = NULL, *address = strtok_r(copy, ",", &rest);
    if (address == NULL)
        code = muster_status_set(status, MUSTER_INVALID_ARGUMENT, "address is empty");
    for (; address != NULL && code == MUSTER_OK; address = strtok_r(NULL, ",", &rest))
        code = dial_one(socket, address, status);
    free(copy);
    return code;
}

static enum muster_code check_options(const struct muster_options *o,
                                      struct muster_status *status) {
    if (o->api == NULL) return muster_status_set(status, MUSTER_INVALID_ARGUMENT, "api is not set");
    if (o->timeout_ms > CLIENT_TIMEOUT_MAX_MS || o->try_ms > CLIENT_TIMEOUT_MAX_MS)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT,
                                 "timeout_ms %u, try_ms %u: must be 0..%u", o->timeout_ms,
                                 o->try_ms, CLIENT_TIMEOUT_MAX_MS);
    return MUSTER_OK;
}

static void count_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg) {
    struct muster_client *client = arg;
    (void)pipe;
    if (event == NNG_PIPE_EV_ADD_PRE)
        atomic_fetch_add(&client->connected, 1);
    else
        atomic_fetch_sub(&client->connected, 1);
}

unsigned muster_connected(const struct muster_client *client) {
    return atomic_load(&client->connected);
}

static enum muster_code open_socket(struct muster_client *client, struct muster_status *status) {
    int error = nng_req0_open(&client->socket);
    if (error != 0)
        return muster_status_set(status, MUSTER_RESOURCE_EXHAUSTED, "%s", nng_strerror(error));
    /* By default nng itself sends a request again, to another server too: retries are ours. */
    error = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    /* Every pipe has its PRE, also one that is refused later, and then its POST. */
    if (error == 0)
        error = nng_pipe_notify(client->socket, NNG_PIPE_EV_ADD_PRE, count_pipe, client);
    if (error == 0)
        error = nng_pipe_notify(client->socket, NNG_PIPE_EV_REM_POST, count_pipe, client);
    if (error != 0) return muster_status_set(status, MUSTER_INTERNAL, "%s", nng_strerror(error));
    return muster_client_dial(client->socket, client->api, status);
}

enum muster_code muster_open(struct muster_client **out, const struct muster_options *options,
                             struct muster_status *status) {
    *out = NULL;
    enum muster_code code = check_options(options, status);
    if (code != MUSTER_OK) return code;
    struct muster_client *client = calloc(1, sizeof *client);
    if (client == NULL) return muster_status_no_memory(status);
    pthread_mutex_init(&client->mutex, NULL);
    pthread_cond_init(&client->idle, NULL);
    client->timeout_ms = options->timeout_ms ? options->timeout_ms : 5000;
    client->try_ms = options->try_ms ? options->try_ms : 2000;
    client->api = strdup(options->api);
    client->token = options->token ? strdup(options->token) : NULL;
    if (client->api == NULL || (options->token && client->token == NULL))
        code = muster_status_no_memory(status);
    else
        code = open_socket(client, status);
    if (code != MUSTER_OK) {
        muster_close(client);
        return code;
    }
    *out = client;
    muster_status_set(status, MUSTER_OK, "%s", "");
    return MUSTER_OK;
}

/* A callback may be about to start its next step while we cancel the one before, so cancelling is
 * repeated until every slot has come home. */
static void cancel_all(struct muster_client *client) {
    pthread_mutex_lock(&client->mutex);
    client->closing = true;
    while (client->busy_count > 0) {
        size_t count = client->slot_count;
        pthread_mutex_unlock(&client->mutex);
        for (size_t i = 0; i < count; i++) {
            nng_aio_cancel(client->slots[i]->aio);
            nng_aio_cancel(client->slots[i]->rest);
        }
        pthread_mutex_lock(&client->mutex);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 5000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        if (client->busy_count > 0) pthread_cond_timedwait(&client->idle, &client->mutex, &until);
    }
    pthread_mutex_unlock(&client->mutex);
}

void muster_close(struct muster_client *client) {
    if (client == NULL) return;
    cancel_all(client);
    for (size_t i = 0; i < client->slot_count; i++) {
        nng_aio_free(client->slots[i]->aio); /* waits for the end of its callback */
        nng_aio_free(client->slots[i]->rest);
        nng_ctx_close(client->slots[i]->context);
        free(client->slots[i]);
    }
    if (nng_socket_id(client->socket) > 0) muster_close_socket(client->socket);
    pthread_cond_destroy(&client->idle);
    pthread_mutex_destroy(&client->mutex);
    free(client->api);
    free(client->token);
    free(client);
}

static struct slot *slot_new(struct muster_client *client) {
    struct slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL) return NULL;
    slot->client = client;
    if (nng_ctx_open(&slot->context, client->socket) != 0) goto no_context;
    if (nng_aio_alloc(&slot->aio, muster_call_step, slot) != 0) goto no_aio;
    if (nng_aio_alloc(&slot->rest, muster_call_rested, slot) != 0) goto no_rest;
    return slot;
no_rest:
    nng_aio_free(slot->aio);
no_aio:
    nng_ctx_close(slot->context);
no_context:
    free(slot);
    return NULL;
}

struct slot *muster_client_take_slot(struct muster_client *client, struct muster_status *status) {
    struct slot *slot = NULL;
    pthread_mutex_lock(&client->mutex);
    if (client->closing) {
        muster_status_set(status, MUSTER_CANCELLED, "the client is being closed");
    } else if (client->free_slots != NULL) {
        slot = client->free_slots;
        client->free_slots = slot->next_free;
    } else if (client->slot_count == CLIENT_SLOTS) {
        muster_status_set(status, MUSTER_RESOURCE_EXHAUSTED, "%d requests are in flight already",
                          CLIENT_SLOTS);
    } else if ((slot = slot_new(client)) == NULL) {
        muster_status_no_memory(status);
    } else {
        client->slots[client->slot_count++] = slot;
    }
    if (slot != NULL) client->busy_count++;
    pthread_mutex_unlock(&client->mutex);
    return slot;
}

void muster_client_return_slot(struct slot *slot) {
    struct muster_client *client = slot->client;
    pthread_mutex_lock(&client->mutex);
    slot->next_free = client->free_slots;
    client->free_slots = slot;
    if (--client->busy_count == 0) pthread_cond_broadcast(&client->idle);
    pthread_mutex_unlock(&client->mutex);
}

bool muster_client_closing(struct muster_client *client) {
    pthread_mutex_lock(&client->mutex);
    bool closing = client->closing;
    pthread_mutex_unlock(&client->mutex);
    return closing;
}
