/* cut_proxy.c - forwards bytes between TCP clients and a Redis socket with poll(2). */
#include "support/cut_proxy.h"

#include "base/mem.h"
#include "rt/thread.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 8, POLL_MS = 20 };

struct pair {
    int client, server;
};

struct cut_proxy {
    struct thread thread;
    char socket[108], address[64];
    int listener;
    struct pair pairs[PAIRS_MAX];
    size_t pair_count;
    atomic_int armed;
    atomic_uint cuts;
    atomic_bool stop;
};

static bool write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void close_pair(struct cut_proxy *p, size_t index) {
    (void)close(p->pairs[index].client);
    (void)close(p->pairs[index].server);
    p->pairs[index] = p->pairs[--p->pair_count];
}

static void accept_pair(struct cut_proxy *p) {
    struct pair pair = {.client = accept(p->listener, NULL, NULL)};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", p->socket);
    pair.server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair.client < 0) abort();
    if (p->pair_count == PAIRS_MAX || connect(pair.server, (struct sockaddr *)&a, sizeof a)) {
        (void)close(pair.client);
        (void)close(pair.server);
        return;
    }
    p->pairs[p->pair_count++] = pair;
}

/* Client to server. False: close the pair. */
static bool forward_request(struct cut_proxy *p, struct pair *pair) {
    static const char word[] = "XADD";
    char bytes[65536];
    ssize_t size = recv(pair->client, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    int armed = CUT_NONE;
    if (memmem(bytes, (size_t)size, word, sizeof word - 1))
        armed = atomic_exchange(&p->armed, CUT_NONE);
    if (armed) atomic_fetch_add(&p->cuts, 1);
    if (armed == CUT_REQUEST) return false;
    if (!write_all(pair->server, bytes, (size_t)size)) return false;
    if (armed == CUT_NONE) return true;
    ssize_t reply = recv(pair->server, bytes, sizeof bytes, 0); /* executed now; nobody hears */
    (void)reply;
    return false;
}

static bool forward_reply(struct pair *pair) {
    char bytes[65536];
    ssize_t size = recv(pair->server, bytes, sizeof bytes, 0);
    return size > 0 && write_all(pair->client, bytes, (size_t)size);
}

static void run(void *arg) {
    struct cut_proxy *p = arg;
    while (!atomic_load(&p->stop)) {
        struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = p->listener, .events = POLLIN}};
        size_t count = p->pair_count;
        for (size_t i = 0; i < count; i++) {
            fds[1 + 2 * i] = (struct pollfd){.fd = p->pairs[i].client, .events = POLLIN};
            fds[2 + 2 * i] = (struct pollfd){.fd = p->pairs[i].server, .events = POLLIN};
        }
        if (poll(fds, 1 + 2 * count, POLL_MS) <= 0) continue;
        for (size_t i = count; i-- > 0;) {
            bool open = !fds[1 + 2 * i].revents || forward_request(p, &p->pairs[i]);
            if (open && fds[2 + 2 * i].revents) open = forward_reply(&p->pairs[i]);
            if (!open) close_pair(p, i);
        }
        if (fds[0].revents) accept_pair(p);
    }
    while (p->pair_count)
        close_pair(p, 0);
}

struct cut_proxy *cut_proxy_start(const char *redis_socket) {
    struct cut_proxy *p = mem_alloc(sizeof *p);
    (void)snprintf(p->socket, sizeof p->socket, "%s", redis_socket);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(p->listener, (struct sockaddr *)&a, size) || listen(p->listener, 16) ||
        getsockname(p->listener, (struct sockaddr *)&a, &size))
        abort();
    (void)snprintf(p->address, sizeof p->address, "redis://127.0.0.1:%d", ntohs(a.sin_port));
    thread_start(&p->thread, "cut-proxy", run, p);
    return p;
}

const char *cut_proxy_address(const struct cut_proxy *p) {
    return p->address;
}

void cut_proxy_arm(struct cut_proxy *p, enum cut what) {
    atomic_store(&p->armed, what);
}

unsigned cut_proxy_cuts(const struct cut_proxy *p) {
    return atomic_load(&p->cuts);
}

void cut_proxy_stop(struct cut_proxy *p) {
    atomic_store(&p->stop, true);
    thread_join(&p->thread);
    (void)close(p->listener);
    mem_free(p);
}
