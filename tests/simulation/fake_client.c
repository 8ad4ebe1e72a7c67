/* fake_client.c - the transport of clients/c on the simulated bus: what the api forwards over, and
 * the nng, threads and clock below the real subscription.c. */
#include "simulation/fake_client.h"
#include "base/mem.h"
#include "client_internal.h"
#include "close.h"
#include "simulation/bus.h"
#include "simulation/fake_rt.h"

#include <assert.h>
#include <errno.h>
#include <nng/protocol/pubsub0/sub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a client: forwards for the api, calls for a subscription ---- */

struct sending {          /* one muster_forward or muster_call_async under way */
    struct sending *next; /* of all */
    struct muster_client *client;
    bool ended; /* by muster_close, before its answer */
    muster_forward_fn forwarded;
    muster_reply_fn replied;
    const ProtobufCMessageDescriptor *output;
    void *arg;
};

/* client_internal.h's struct, of which only the addresses are used. */
enum muster_code muster_open(struct muster_client **out, const struct muster_options *options,
                             struct muster_status *status) {
    (void)status;
    struct muster_client *c = calloc(1, sizeof *c);
    c->api = mem_text(str_of(options->api));
    *out = c;
    return MUSTER_OK;
}

static struct sending *sendings;

static struct sending *start_sending(struct sending s) {
    struct sending *at = malloc(sizeof *at);
    *at = s;
    at->next = sendings;
    sendings = at;
    return at;
}

static void end_sending(struct sending *s) {
    struct sending **at = &sendings;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

/* Forwards only: subscriptions are not ended in a run. The client itself stays, for answers on
 * their way name it. */
void muster_close(struct muster_client *client) {
    struct muster_status status = {.code = MUSTER_CANCELLED};
    for (struct sending *s = sendings; s; s = s->next) {
        if (s->client != client || s->ended || !s->forwarded) continue;
        s->ended = true;
        s->forwarded(s->arg, NULL, 0, &status);
    }
}

unsigned muster_connected(const struct muster_client *client) {
    return bus_connected(client->api);
}

static void forwarded(void *arg, bool answered, struct str bytes) {
    struct sending *s = arg;
    struct muster_status status = {.code = answered ? MUSTER_OK : MUSTER_UNAVAILABLE};
    if (!s->ended)
        s->forwarded(s->arg, answered ? (const uint8_t *)bytes.at : NULL, bytes.size, &status);
    end_sending(s);
}

void muster_forward(struct muster_client *client, const uint8_t *request, size_t size,
                    uint32_t timeout_ms, muster_forward_fn done, void *arg) {
    struct sending *s =
        start_sending((struct sending){.client = client, .forwarded = done, .arg = arg});
    bus_request(client->api, (struct str){(const char *)request, size}, (int64_t)timeout_ms * MS,
                forwarded, s);
}

static void replied(void *arg, enum err code, struct str message, struct str payload) {
    struct sending *s = arg;
    struct muster_status status = {.code = (enum muster_code)code};
    (void)snprintf(status.message, sizeof status.message, "%.*s", STR_PRINT(message));
    ProtobufCMessage *answer = NULL;
    if (code == ERR_OK)
        answer =
            protobuf_c_message_unpack(s->output, NULL, payload.size, (const uint8_t *)payload.at);
    s->replied(s->arg, answer, &status);
    end_sending(s);
}

void muster_call_async(struct muster_client *client, const char *method,
                       const ProtobufCMessage *request, const struct muster_call *call,
                       muster_reply_fn done, void *arg) {
    struct method_info info;
    bool found = muster_method_find(method, &info);
    assert(found);
    (void)found;
    struct sending *s = start_sending(
        (struct sending){.client = client, .replied = done, .output = info.output, .arg = arg});
    struct bus_call c = {.addresses = client->api,
                         .method = method,
                         .timeout_us = (int64_t)call->timeout_ms * MS,
                         .try_us = 500 * MS};
    bus_call(&c, request, replied, s);
}

/* ---- nng, as far as a subscription uses it ---- */

enum { SOCKETS_MAX = 16, QUEUE_MAX = 64, FILTERS_MAX = 2 };

struct nng_msg {
    size_t size;
    char bytes[];
};

struct nng_aio {
    nng_duration timeout_ms;
    int result;
    nng_msg *message;
    size_t socket;
    bool cancelled;
};

static struct {
    bool used;
    int fd;
    struct node *node;
    char filters[FILTERS_MAX][80];
    size_t filter_count;
    nng_msg *queue[QUEUE_MAX];
    size_t queued;
} sockets[SOCKETS_MAX];

void fake_client_begin(void) {
    sendings = NULL; /* of a world that has ended */
    memset(sockets, 0, sizeof sockets);
}

int nng_sub0_open(nng_socket *s) {
    for (size_t i = 1; i < SOCKETS_MAX; i++) {
        if (sockets[i].used) continue;
        memset(&sockets[i], 0, sizeof sockets[i]);
        sockets[i].used = true;
        sockets[i].fd = fake_fd_new();
        sockets[i].node = world_node();
        s->id = (uint32_t)i;
        return 0;
    }
    return NNG_ENOMEM;
}

int nng_socket_id(nng_socket s) {
    return (int)s.id;
}

int nng_socket_set_int(nng_socket s, const char *name, int value) {
    (void)s;
    (void)name;
    (void)value;
    return 0;
}

int nng_socket_set(nng_socket s, const char *name, const void *value, size_t size) {
    (void)name; /* only filters are set */
    assert(sockets[s.id].filter_count < FILTERS_MAX && size < 80);
    memcpy(sockets[s.id].filters[sockets[s.id].filter_count++], value, size);
    return 0;
}

static void take_publication(void *arg, struct str bytes) {
    size_t i = (size_t)(uintptr_t)arg;
    bool wanted = false;
    for (size_t k = 0; k < sockets[i].filter_count; k++)
        wanted =
            wanted || strncmp(bytes.at, sockets[i].filters[k], strlen(sockets[i].filters[k])) == 0;
    if (!wanted || sockets[i].queued == QUEUE_MAX) return; /* dropped without a word, as nng does */
    nng_msg *m = malloc(sizeof *m + bytes.size);
    m->size = bytes.size;
    memcpy(m->bytes, bytes.at, bytes.size);
    sockets[i].queue[sockets[i].queued++] = m;
    fake_fd_ready(sockets[i].fd, true);
}

enum muster_code muster_client_dial(nng_socket socket, const char *addresses,
                                    struct muster_status *status) {
    (void)status;
    bus_subscribe(addresses, take_publication, (void *)(uintptr_t)socket.id);
    return MUSTER_OK;
}

void muster_close_socket(nng_socket socket) {
    bus_unsubscribe((void *)(uintptr_t)socket.id);
    fake_fd_close(sockets[socket.id].fd);
    sockets[socket.id].used = false;
}

int nng_aio_alloc(nng_aio **out, void (*done)(void *), void *arg) {
    (void)done;
    (void)arg;
    *out = calloc(1, sizeof **out);
    return 0;
}

void nng_aio_free(nng_aio *a) {
    free(a);
}

void nng_aio_set_timeout(nng_aio *a, nng_duration ms) {
    a->timeout_ms = ms;
}

void nng_recv_aio(nng_socket s, nng_aio *a) {
    a->socket = s.id;
    a->message = NULL;
}

void nng_aio_cancel(nng_aio *a) {
    a->cancelled = true;
    if (a->socket) fake_fd_ready(sockets[a->socket].fd, true);
}

void nng_aio_wait(nng_aio *a) {
    size_t i = a->socket;
    (void)fake_fd_wait(sockets[i].fd, (int64_t)a->timeout_ms * MS);
    a->result = a->cancelled ? NNG_ECANCELED : sockets[i].queued ? 0 : NNG_ETIMEDOUT;
    if (a->result != 0) return;
    a->message = sockets[i].queue[0];
    memmove(sockets[i].queue, sockets[i].queue + 1, --sockets[i].queued * sizeof(nng_msg *));
    fake_fd_ready(sockets[i].fd, sockets[i].queued > 0);
}

int nng_aio_result(nng_aio *a) {
    return a->result;
}

nng_msg *nng_aio_get_msg(nng_aio *a) {
    return a->message;
}

void nng_aio_set_msg(nng_aio *a, nng_msg *m) {
    a->message = m;
}

void *nng_msg_body(nng_msg *m) {
    return m->bytes;
}

size_t nng_msg_len(const nng_msg *m) {
    return m->size;
}

void nng_msg_free(nng_msg *m) {
    free(m);
}

const char *nng_strerror(int error) {
    (void)error;
    return "simulated";
}

/* ---- its threads and its clock ---- */

struct thread_start {
    void *(*run)(void *);
    void *arg;
};

static void run_thread(void *arg) {
    struct thread_start start = *(struct thread_start *)arg;
    free(arg);
    (void)start.run(start.arg);
}

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *a, void *(*run)(void *),
                          void *arg) {
    (void)a;
    struct thread_start *start = malloc(sizeof *start);
    *start = (struct thread_start){run, arg};
    struct task *t = task_start(world_node(), run_thread, start);
    memcpy(out, &t, sizeof t);
    return 0;
}

int __wrap_pthread_join(pthread_t handle, void **result);
int __wrap_pthread_join(pthread_t handle, void **result) {
    (void)result;
    struct task *t;
    memcpy(&t, &handle, sizeof t);
    while (!task_ended(t))
        (void)task_wait(MS);
    return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t) {
    (void)c;
    (void)t; /* woken too early now and then: its callers look again */
    pthread_mutex_unlock(m);
    (void)task_wait(2 * MS);
    pthread_mutex_lock(m);
    return 0;
}

int __wrap_clock_gettime(clockid_t which, struct timespec *out);
int __wrap_clock_gettime(clockid_t which, struct timespec *out) {
    (void)which;
    int64_t us = world_now_us();
    *out = (struct timespec){us / 1000000, us % 1000000 * 1000};
    return 0;
}
