/* http_get.c - a GET without a library. */
#include "app/http_get.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 2, BODY_BYTES_MAX = 1 << 24, CHUNK = 65536 };

enum err http_host_find(struct http_host *out, const char *url, const char *option,
                        struct err_text *why) {
    char host[128], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    if (sscanf(url, "http://%127[^:/]:%7[0-9]", host, port) != 2)
        return err_set_field(why, ERR_INVALID_ARGUMENT, option,
                             "%s is \"%.150s\", allowed is http://host:port", option, url);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return err_set(why, ERR_UNAVAILABLE, "there is no host %s", host);
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    out->size = found->ai_addrlen;
    freeaddrinfo(found);
    snprintf(out->name, sizeof out->name, "%s:%s", host, port);
    return ERR_OK;
}

/* All that comes until the server closes. */
static bool exchange(int fd, struct str request, struct strbuf *answer) {
    if (send(fd, request.at, request.size, MSG_NOSIGNAL) != (ssize_t)request.size) return false;
    for (;;) {
        ssize_t got = recv(fd, strbuf_reserve(answer, CHUNK), CHUNK, 0);
        if (got <= 0) return got == 0;
        answer->size += (size_t)got;
        if (answer->size > BODY_BYTES_MAX) return false;
    }
}

enum err http_get(const struct http_host *host, const char *path, struct strbuf *out,
                  struct err_text *why) {
    struct timeval limit = {TIMEOUT_S, 0};
    struct strbuf request = {0}, answer = {0};
    strbuf_printf(&request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host->name);
    int fd = socket(host->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    bool answered = fd >= 0 &&
                    connect(fd, (const struct sockaddr *)&host->address, host->size) == 0 &&
                    exchange(fd, strbuf_str(&request), &answer);
    int failure = errno;
    if (fd >= 0) close(fd);
    struct str got = strbuf_str(&answer);
    const char *body = got.size ? memmem(got.at, got.size, "\r\n\r\n", 4) : NULL;
    bool good = str_starts(got, STR("HTTP/1.1 200")) || str_starts(got, STR("HTTP/1.0 200"));
    enum err code = ERR_OK;
    if (!answered)
        code = err_set(why, ERR_UNAVAILABLE, "no answer from http://%s%s: %s", host->name, path,
                       strerror(failure));
    else if (!body || !good)
        code =
            err_set(why, ERR_UNAVAILABLE, "http://%s%s did not answer with 200", host->name, path);
    else
        strbuf_add(out, body + 4, answer.size - (size_t)(body + 4 - answer.at));
    strbuf_fini(&request);
    strbuf_fini(&answer);
    return code;
}
