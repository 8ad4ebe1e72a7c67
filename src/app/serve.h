/* serve.h - a running server: which roles, how they are wired, and their order of stopping. */
#ifndef MUSTER_APP_SERVE_H
#define MUSTER_APP_SERVE_H

#include "app/serve_options.h"

struct server;

/* Roles, realm and addresses as far as they can be judged without opening anything. Errors name the
 * option, the value and what is allowed. */
enum err server_check(const struct serve_options *o, struct err_text *why) ERR_CHECKED;
/* Starts the roles of checked options in the order matcher, events, api, bridge. On error what was
 * started is stopped again. Blocks until the doors are open, not until leading. */
enum err server_start(struct server **out, const struct serve_options *o,
                      struct err_text *why) ERR_CHECKED;
/* Whether this process does its part: its matcher, if it has one, leads or stands by. Any thread.
 */
bool server_ready(const struct server *s);
/* Whether calls of its api can be served: its matcher leads, or it knows of others. */
bool server_reaches_leader(const struct server *s);
/* The address a local client should call, NULL without an api. Borrowed. */
const char *server_api(const struct server *s);
void server_print(const struct server *s); /* the doors, a line each, on stdout */
/* Stops accepting, answers what was taken, flushes, hands back the lease. At most 10 s. */
void server_stop(struct server *s);

#endif
