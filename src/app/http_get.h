/* http_get.h - where an http:// address is, and the text of a page there.
 *
 * Thread safety: all functions.
 */
#ifndef MUSTER_APP_HTTP_GET_H
#define MUSTER_APP_HTTP_GET_H

#include "base/err.h"
#include "base/str.h"

#include <sys/socket.h>

struct http_host {
    char name[160]; /* "127.0.0.1:7602", for the Host header */
    struct sockaddr_storage address;
    socklen_t size;
};

/* `url`: "http://host:port", what follows is passed over. INVALID_ARGUMENT naming `option`, or
 * UNAVAILABLE: no such host. May block on a name server. */
enum err http_host_find(struct http_host *out, const char *url, const char *option,
                        struct err_text *why) ERR_CHECKED;
/* The body of `path`, at most 16 MiB, appended. UNAVAILABLE: no answer within 2 s, or not 200. */
enum err http_get(const struct http_host *host, const char *path, struct strbuf *out,
                  struct err_text *why) ERR_CHECKED;

#endif
