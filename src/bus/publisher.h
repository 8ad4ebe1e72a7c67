/* publisher.h - the server side of nng pub/sub: a hint, never the truth (it drops when a
 * subscriber is slow, silently). Thread safety: one thread. */
#ifndef MUSTER_BUS_PUBLISHER_H
#define MUSTER_BUS_PUBLISHER_H

#include "base/err.h"
#include "base/str.h"

struct publisher;

enum err publisher_open(struct publisher **out, const char *addresses,
                        struct err_text *why) ERR_CHECKED;
const char *publisher_addresses(const struct publisher *p); /* bound, borrowed */
void publisher_send(struct publisher *p, struct str bytes); /* copies; never blocks */
void publisher_close(struct publisher *p);

#endif
