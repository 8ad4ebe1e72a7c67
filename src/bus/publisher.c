/* publisher.c - one pub0 socket with the deepest queue nng allows per subscriber. */
#include "bus/publisher.h"

#include "base/log.h"
#include "base/mem.h"
#include "bus/close.h"
#include "bus/listen.h"

#include <nng/protocol/pubsub0/pub.h>

enum { SUBSCRIBER_QUEUE_MESSAGES = 8192 }; /* nng's maximum; a slower one loses its oldest */

struct publisher {
    nng_socket socket;
    struct listen listen;
};

enum err publisher_open(struct publisher **out, const char *addresses, struct err_text *why) {
    struct publisher *p = mem_alloc(sizeof *p);
    *out = NULL;
    enum err e;
    int failure = nng_pub0_open(&p->socket);
    if (failure) {
        e = err_set(why, ERR_UNAVAILABLE, "cannot open a publisher: %s", nng_strerror(failure));
        goto free_publisher;
    }
    failure = nng_socket_set_int(p->socket, NNG_OPT_SENDBUF, SUBSCRIBER_QUEUE_MESSAGES);
    if (failure) {
        e = err_set(why, ERR_INTERNAL, "publisher queue: %s", nng_strerror(failure));
        goto close_socket;
    }
    e = listen_open(&p->listen, p->socket, addresses, why);
    if (e != ERR_OK) goto close_socket;
    *out = p;
    return ERR_OK;

close_socket:
    (void)nng_close(p->socket);
    listen_fini(&p->listen);
free_publisher:
    mem_free(p);
    return e;
}

const char *publisher_addresses(const struct publisher *p) {
    return p->listen.bound.at;
}

void publisher_send(struct publisher *p, struct str bytes) {
    nng_msg *message = NULL;
    int failure = nng_msg_alloc(&message, 0);
    if (!failure) failure = nng_msg_append(message, bytes.at, bytes.size);
    if (!failure) failure = nng_sendmsg(p->socket, message, NNG_FLAG_NONBLOCK);
    if (!failure) return;
    nng_msg_free(message); /* NULL is fine */
    LOG_WARN("publish-failed", "bytes=%zu error=\"%s\"", bytes.size, nng_strerror(failure));
}

void publisher_close(struct publisher *p) {
    if (!p) return;
    listen_quiet(&p->listen);
    if (!close_socket(p->socket)) return;
    listen_fini(&p->listen);
    mem_free(p);
}
