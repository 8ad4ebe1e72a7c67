/* listen_address.c - host:port. */
#include "bridge/listen_address.h"

#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool means_all(struct str host) {
    return host.size == 0 || str_equal(host, STR("*")) || str_equal(host, STR("0.0.0.0")) ||
           str_equal(host, STR("::"));
}

enum err listen_address_parse(const char *text, struct listen_address *out, struct err_text *why) {
    const char *colon = strrchr(text, ':');
    int64_t port;
    *out = (struct listen_address){0};
    struct str host = {text, colon ? (size_t)(colon - text) : 0};
    if (host.size > 1 && host.at[0] == '[' && host.at[host.size - 1] == ']')
        host = (struct str){host.at + 1, host.size - 2};
    if (!colon || !str_to_int64(str_of(colon + 1), &port) || port < 0 || port > 65535 ||
        host.size >= sizeof out->host)
        return err_set(why, ERR_INVALID_ARGUMENT, "listen address \"%s\" is not host:port", text);
    out->port = (int)port;
    if (str_equal(host, STR("localhost"))) host = STR("127.0.0.1");
    out->v6 = host.size && memchr(host.at, ':', host.size);
    if (!means_all(host)) memcpy(out->host, host.at, host.size);
    return ERR_OK;
}

/* What errno a bind of our own gets; 0 when it succeeds. */
static int bind_failure(const struct listen_address *a) {
    struct addrinfo hints = {.ai_family = a->v6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
    struct addrinfo *found;
    char service[16];
    snprintf(service, sizeof service, "%d", a->port);
    if (getaddrinfo(a->host[0] ? a->host : NULL, service, &hints, &found) != 0)
        return EADDRNOTAVAIL;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failure = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return failure;
}

enum err listen_address_trouble(const char *text, const struct listen_address *a,
                                struct err_text *why) {
    int failure = bind_failure(a);
    if (failure == EADDRINUSE)
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "cannot listen on %s: it is in use by another process", text);
    return err_set(why, ERR_UNAVAILABLE, "cannot listen on %s: %s", text,
                   failure ? strerror(failure) : "the log says why");
}
