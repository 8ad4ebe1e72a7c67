/* request.h - what the files that serve players' events share: one request, and its ends.
 *
 * A request is answered once, by one of the functions below. Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_REQUEST_H
#define MUSTER_BRIDGE_REQUEST_H

#include "base/err.h"
#include "bridge/rpc.h"

struct request { /* borrowed for the call */
    struct bridge *bridge;
    struct session *session;
    struct str ack_id; /* empty: no answer is asked for */
    struct str body;   /* a JSON object's text */
};

/* A call that is one of the session's requests under way, until request_end or request_end_failed.
 */
struct rpc *request_rpc(const struct request *r, rpc_done_fn done);
/* Acknowledges without a call. */
void request_refuse(const struct request *r, enum err code, const struct err_text *why);
/* Acknowledges with {ok: true} and the fields of the message. */
void request_end(struct rpc *rpc, const ProtobufCMessage *message);
/* Acknowledges with rpc->status. */
void request_end_failed(struct rpc *rpc);
/* The same, as NOT_FOUND: "you have no such <what>". */
void request_end_not_found(struct rpc *rpc, const char *what);

#endif
