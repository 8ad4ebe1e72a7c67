/* bridge_role.h - the role that speaks Socket.IO with players: a pure client of api and events. */
#ifndef MUSTER_BRIDGE_BRIDGE_ROLE_H
#define MUSTER_BRIDGE_BRIDGE_ROLE_H

#include "base/err.h"

#include <stdint.h>

struct bridge;

struct bridge_options {
    const char *listen; /* "host:port", port 0 = any */
    const char *api;    /* nng address of the api */
    const char *events; /* nng address of the publisher */
    const char *realm;
    const char *origins; /* comma-separated allowed Origins; "*" = any */
    int64_t ping_interval_ms, ping_timeout_ms;
    int64_t connections_max; /* total; also per address: connections_per_ip_max */
    int64_t connections_per_ip_max;
};

enum err bridge_start(struct bridge **out, const struct bridge_options *o,
                      struct err_text *why) ERR_CHECKED;
const char *bridge_address(const struct bridge *b); /* "http://host:port", borrowed */
void bridge_stop(struct bridge *b); /* closes sockets in order, joins; at most 3 s */
void bridge_free(struct bridge *b);

#endif
