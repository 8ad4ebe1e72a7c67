/* answer.h - how a call is answered: when everything it could have seen is durable (batch.h).
 *
 * Each function ends the call. A response message is built in m->answer first.
 */
#ifndef MUSTER_MATCHER_ANSWER_H
#define MUSTER_MATCHER_ANSWER_H

#include "base/id.h"
#include "rt/call.h"

struct matcher;
struct ticket;

void answer_ok(struct matcher *m, struct call *c); /* with m->answer */
void answer_fail(struct matcher *m, struct call *c, enum err code, const struct err_text *why);
/* With the ticket, and its match while that is kept. */
void answer_ticket(struct matcher *m, struct call *c, const struct ticket *t);
void answer_not_found(struct matcher *m, struct call *c, const char *what, struct str name);
void answer_id_not_found(struct matcher *m, struct call *c, const char *what, struct id id);
/* A held WatchTicket: with the ticket as it is. */
void answer_watch(struct matcher *m, struct call *c);

#endif
