/* api_role.h - the front door: envelope, limits, deadlines, routing.
 *
 * One door, two uses: the public API, and the internal door of a process that has a matcher or an
 * events role but no api. A method's call goes to the local inbox of the role that serves it, or,
 * where that role lives elsewhere (or its matcher only stands by), its bytes are forwarded to a
 * process that has it and the answer is handed back unchanged (forward.h). Stateless; any number
 * per realm.
 * Thread safety: one thread calls these functions.
 */
#ifndef MUSTER_API_API_ROLE_H
#define MUSTER_API_API_ROLE_H

#include "base/err.h"
#include "rt/inbox.h"

struct api;

struct api_options {
    const char *listen;    /* as door_open: comma-separated addresses */
    struct inbox *matcher; /* local role's inbox, or NULL */
    /* Doors of processes with a matcher, comma-separated, or NULL: one of them leads. With a local
     * matcher they get what comes while that stands by. */
    const char *matcher_remote;
    bool (*matcher_leads)(const void *arg); /* any thread; NULL: it always does */
    const void *matcher_leads_arg;
    struct inbox *events; /* likewise, and any will do */
    const char *events_remote;
};

/* Opens the door and starts the thread. Texts are borrowed for the call; the caller owns `*out`.
 * Errors: door_open's; INVALID_ARGUMENT: a malformed remote address. Then `*out` is NULL. */
enum err api_start(struct api **out, const struct api_options *o, struct err_text *why) ERR_CHECKED;
const char *api_addresses(const struct api *a); /* bound, borrowed */
/* Takes no more requests and waits (up to 1.5 s) until those taken are answered. */
void api_drain(struct api *a);
void api_stop(struct api *a); /* takes no more, joins; calls handed to roles are still theirs */
/* After every role that serves calls was stopped: they hold this door's calls. Legal order:
 * api_drain, api_stop, <role>_stop, <role>_free, api_free. */
void api_free(struct api *a);

#endif
