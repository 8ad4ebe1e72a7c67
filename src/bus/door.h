/* door.h - the server side of nng request/reply: bytes in, bytes out, bounded.
 *
 * LIMIT_RPC_CONTEXTS cooked contexts (never raw REP: it drops replies). nng's threads do one
 * thing: hand the received message to `take`. RECVMAXSZ is set on every listener before start.
 * ipc paths are guarded by a lock file: nng 1.5.2 breaks the first listener when a second process
 * listens on the same path.
 *
 *   context:  RECEIVING --message--> SERVING --door_reply--> SENDING --sent, given up--> RECEIVING
 *
 * A request that will wait long (a long poll) is parked: another context takes its place, so that
 * waiting clients do not keep out the others.
 * Thread safety: door_reply and door_park from any thread; the rest from one.
 */
#ifndef MUSTER_BUS_DOOR_H
#define MUSTER_BUS_DOOR_H

#include "base/err.h"
#include "base/str.h"

struct door;
struct door_context; /* one request being served */

/* Called on an nng thread: must hand over and return. `bytes` are borrowed from the context until
 * door_reply. Every context is answered exactly once. */
typedef void (*door_take_fn)(void *arg, struct door_context *context, struct str bytes);

/* `addresses`: comma-separated tcp://host:port (port 0 = any) and ipc://path. On error nothing is
 * open; the text names the address and why (in use, permission, malformed). */
enum err door_open(struct door **out, const char *addresses, door_take_fn take, void *arg,
                   struct err_text *why) ERR_CHECKED;
/* The bound addresses, comma-separated, real ports filled in. Borrowed. */
const char *door_addresses(const struct door *d);
/* Lets another request in while this one waits. False at LIMIT_PARKED_CONTEXTS: then nothing
 * changed and the caller should refuse. At most once per request, before its reply. */
bool door_park(struct door_context *context) ERR_CHECKED;
/* Copies. A client that does not read for 5 s loses its answer. */
void door_reply(struct door_context *context, struct str bytes);
void door_stop(struct door *d);  /* takes no more; contexts being served may still answer */
void door_close(struct door *d); /* after door_stop and after every context was answered */

#endif
