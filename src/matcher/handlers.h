/* handlers.h - what each RPC of the matcher does. */
#ifndef MUSTER_MATCHER_HANDLERS_H
#define MUSTER_MATCHER_HANDLERS_H

#include "rt/call.h"

struct matcher;

/* Serves one call: answers it, now or when it is durable, or holds it (WatchTicket). */
void handlers_serve(struct matcher *m, struct call *c);

#endif
