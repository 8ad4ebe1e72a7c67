/* listen_address.h - where the bridge listens, taken apart, and why it could not.
 * Thread safety: all functions.
 */
#ifndef MUSTER_BRIDGE_LISTEN_ADDRESS_H
#define MUSTER_BRIDGE_LISTEN_ADDRESS_H

#include "base/err.h"

struct listen_address {
    char host[64]; /* an IP; empty = all */
    int port;      /* 0 = any */
    bool v6;
};

/* Splits "host:port" and "[host]:port"; an empty host, "*" and the wildcard addresses mean all.
 * INVALID_ARGUMENT: it is none of these. */
enum err listen_address_parse(const char *text, struct listen_address *out,
                              struct err_text *why) ERR_CHECKED;
/* After listening failed: says why, by a try of its own. FAILED_PRECONDITION: the port is in use;
 * UNAVAILABLE: something else. */
enum err listen_address_trouble(const char *text, const struct listen_address *a,
                                struct err_text *why) ERR_CHECKED;

#endif
