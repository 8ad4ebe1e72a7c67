/* listen.c - addresses, the lock that keeps two processes off one ipc path, who keeps such a
 * listener alive, and clear refusals.
 */
#include "bus/listen.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bus/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ADDRESS_BYTES = NNG_MAXADDRLEN,
    SCHEME_BYTES = sizeof "ipc://" - 1,
    PROBE_EVERY_MS = 1000,
    PROBE_PATIENCE_MS = 1000,
    DEAF_PROBES = 2, /* one alone may be a process that was paused meanwhile */
};

static enum err refuse_nng(struct err_text *why, const char *address, int failure) {
    switch (failure) {
    case NNG_EADDRINUSE:
        return err_set(why, ERR_FAILED_PRECONDITION, "%s is in use by another process", address);
    case NNG_EPERM:
        return err_set(why, ERR_PERMISSION_DENIED, "%s: permission denied", address);
    case NNG_EADDRINVAL:
    case NNG_EINVAL:
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "%s is no address to listen on: use tcp://host:port, the host one of this "
                       "machine, or ipc:///path",
                       address);
    default:
        return err_set(why, ERR_UNAVAILABLE, "cannot listen on %s: %s", address,
                       nng_strerror(failure));
    }
}

/* nng 1.5.2 breaks the first listener for good when a second process listens on the same path. */
static enum err lock_path(struct listen *l, const char *address, struct err_text *why) {
    const char *path = address + SCHEME_BYTES;
    char lock[ADDRESS_BYTES + 8];
    if (strlen(path) == 0 || strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(why, ERR_INVALID_ARGUMENT, "ipc://%s: the path must have 1 to %zu bytes",
                       path, sizeof((struct sockaddr_un *)0)->sun_path - 1);
    (void)snprintf(lock, sizeof lock, "%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(why, errno == EACCES ? ERR_PERMISSION_DENIED : ERR_FAILED_PRECONDITION,
                       "cannot open %s: %s", lock, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return err_set(why, ERR_FAILED_PRECONDITION, "ipc://%s is in use by another process", path);
    }
    struct listen_path *p = &l->paths[l->path_count++];
    *p = (struct listen_path){.lock_fd = fd};
    memcpy(p->address, address, strlen(address) + 1);
    struct stat there;
    if (lstat(path, &there) != 0) return ERR_OK;
    if (!S_ISSOCK(there.st_mode))
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "ipc://%s: something that is no socket is there already", path);
    if (unlink(path) != 0)
        return err_set(why, ERR_PERMISSION_DENIED, "cannot remove the stale socket %s: %s", path,
                       strerror(errno));
    return ERR_OK;
}

static void note_bound(struct listen *l, nng_listener listener, const char *address) {
    int port = 0;
    size_t size = strlen(address);
    if (l->bound.size) strbuf_add_char(&l->bound, ',');
    bool any_port = size > 2 && strcmp(address + size - 2, ":0") == 0;
    if (any_port && nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0)
        strbuf_printf(&l->bound, "%.*s%d", (int)size - 1, address, port);
    else
        strbuf_printf(&l->bound, "%s", address);
}

static bool is_ipc(const char *address) {
    return strncmp(address, "ipc://", SCHEME_BYTES) == 0;
}

static enum err start(nng_listener *listener, nng_socket socket, const char *address,
                      struct err_text *why) {
    int failure = nng_listener_create(listener, socket, address);
    if (failure) return refuse_nng(why, address, failure);
    /* Before start: the default is no limit, and a claimed length would be allocated. */
    failure = nng_listener_set_size(*listener, NNG_OPT_RECVMAXSZ, LIMIT_MESSAGE_BYTES);
    if (!failure && !is_ipc(address))
        failure = nng_listener_set_bool(*listener, NNG_OPT_TCP_NODELAY, true);
    if (!failure) failure = nng_listener_start(*listener, 0);
    if (!failure) return ERR_OK;
    (void)nng_listener_close(*listener);
    return refuse_nng(why, address, failure);
}

static enum err listen_one(struct listen *l, const char *address, struct err_text *why) {
    nng_listener listener;
    bool ipc = is_ipc(address);
    if (!ipc && strncmp(address, "tcp://", 6) != 0) return refuse_nng(why, address, NNG_EADDRINVAL);
    enum err e = ipc ? lock_path(l, address, why) : ERR_OK;
    if (e == ERR_OK) e = start(&listener, l->socket, address, why);
    if (e != ERR_OK) return e;
    if (ipc) l->paths[l->path_count - 1].listener = listener;
    note_bound(l, listener, address);
    return ERR_OK;
}

/* ---- keeping ---- */

static void open_anew(struct listen *l, struct listen_path *p) {
    struct err_text why = {.text = ""};
    (void)nng_listener_close(p->listener); /* perhaps it is already */
    (void)unlink(p->address + SCHEME_BYTES);
    enum err e = start(&p->listener, l->socket, p->address, &why);
    metric_add(METRIC_listeners_reopened_total, e == ERR_OK);
    LOG_WARN("listener-reopened", "address=%s code=%s error=\"%s\"", p->address, err_name(e),
             why.text);
}

static void keep(void *arg) {
    struct listen *l = arg;
    struct pollfd wake = {.fd = l->wake_fd, .events = POLLIN};
    while (poll(&wake, 1, PROBE_EVERY_MS) == 0) {
        for (unsigned i = 0; i < l->path_count; i++) {
            struct listen_path *p = &l->paths[i];
            bool deaf = probe_is_deaf(p->address + SCHEME_BYTES, PROBE_PATIENCE_MS);
            p->deaf_count = deaf ? p->deaf_count + 1 : 0;
            if (p->deaf_count >= DEAF_PROBES) open_anew(l, p);
        }
    }
}

static enum err start_keeper(struct listen *l, struct err_text *why) {
    if (l->path_count == 0) return ERR_OK;
    l->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (l->wake_fd < 0) return err_set(why, ERR_UNAVAILABLE, "eventfd: %s", strerror(errno));
    thread_start(&l->keeper, "listen", keep, l);
    return ERR_OK;
}

void listen_quiet(struct listen *l) {
    if (!l->keeper.started) return;
    (void)eventfd_write(l->wake_fd, 1);
    thread_join(&l->keeper);
    (void)close(l->wake_fd);
}

/* ---- all of it ---- */

enum err listen_open(struct listen *l, nng_socket socket, const char *addresses,
                     struct err_text *why) {
    unsigned count = 0;
    l->socket = socket;
    for (const char *at = addresses; at && *at;) {
        const char *comma = strchrnul(at, ',');
        size_t size = (size_t)(comma - at);
        char address[ADDRESS_BYTES];
        if (size == 0 || size >= sizeof address)
            return err_set(why, ERR_INVALID_ARGUMENT,
                           "an address to listen on must have 1 to %d bytes: \"%.*s\"",
                           ADDRESS_BYTES - 1, (int)(size > 150 ? 150 : size), at);
        if (count == LISTEN_ADDRESSES_MAX)
            return err_set(why, ERR_INVALID_ARGUMENT, "at most %d addresses to listen on",
                           LISTEN_ADDRESSES_MAX);
        memcpy(address, at, size);
        address[size] = '\0';
        enum err e = listen_one(l, address, why);
        if (e != ERR_OK) return e;
        count++;
        at = *comma ? comma + 1 : comma;
    }
    if (count == 0) return err_set(why, ERR_INVALID_ARGUMENT, "no address to listen on was given");
    return start_keeper(l, why);
}

void listen_fini(struct listen *l) {
    for (unsigned i = 0; i < l->path_count; i++)
        (void)close(l->paths[i].lock_fd);
    l->path_count = 0;
    strbuf_fini(&l->bound);
}
