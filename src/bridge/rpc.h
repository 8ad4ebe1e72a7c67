/* rpc.h - a call to the api whose answer comes back to the bridge's thread. */
#ifndef MUSTER_BRIDGE_RPC_H
#define MUSTER_BRIDGE_RPC_H

#include "bridge/bridge_internal.h"

struct rpc;

/* On the bridge's thread. `rpc` and its response are freed after it returns. */
typedef void (*rpc_done_fn)(struct bridge *b, struct rpc *rpc);

struct rpc {
    struct message message; /* first; BRIDGE_REPLY */
    struct bridge *bridge;
    rpc_done_fn done;
    struct session *session;    /* whose request it is, referenced; or NULL */
    char *ack_id;               /* owned; NULL = no answer is wanted */
    void *context;              /* the caller's */
    const char *traceparent;    /* sent with it: borrowed until rpc_call; NULL: none */
    ProtobufCMessage *response; /* NULL unless status.code is OK */
    struct muster_status status;
};

/* `session` may be NULL. `ack_id` is copied. */
struct rpc *rpc_new(struct bridge *b, rpc_done_fn done, struct session *session, struct str ack_id);
/* Sends it. `request` and `request_id` (NULL = a new one) are borrowed for the call. */
void rpc_call(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
              const char *request_id);
/* An answer from the inbox: runs `done`, frees. */
void rpc_take(struct bridge *b, struct message *m);
/* The same with CANCELLED for whatever the answer was: the client is closed, so that `done` can
 * give back what it holds but make no further call. */
void rpc_drop(struct bridge *b, struct message *m);

#endif
