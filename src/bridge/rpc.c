/* rpc.c - muster_call_async with a way home through the inbox. */
#include "bridge/rpc.h"

#include "base/mem.h"

struct rpc *rpc_new(struct bridge *b, rpc_done_fn done, struct session *session,
                    struct str ack_id) {
    struct rpc *rpc = mem_alloc(sizeof *rpc);
    rpc->message.kind = BRIDGE_REPLY;
    rpc->bridge = b;
    rpc->done = done;
    rpc->session = session;
    rpc->ack_id = ack_id.size ? mem_text(ack_id) : NULL;
    if (session != NULL) players_session_ref(session);
    return rpc;
}

/* On a thread of the client library, or on ours when the call is refused at once. */
static void on_reply(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct rpc *rpc = arg;
    rpc->response = response;
    rpc->status = *status;
    inbox_push_always(&rpc->bridge->inbox, &rpc->message);
}

void rpc_call(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
              const char *request_id) {
    struct muster_call call = {.request_id = request_id, .traceparent = rpc->traceparent};
    rpc->traceparent = NULL;
    muster_call_async(rpc->bridge->client, method, request, &call, on_reply, rpc);
}

static void rpc_free(struct rpc *rpc) {
    if (rpc->session != NULL) players_session_unref(&rpc->bridge->players, rpc->session);
    muster_free(rpc->response);
    mem_free(rpc->ack_id);
    mem_free(rpc);
}

void rpc_take(struct bridge *b, struct message *m) {
    struct rpc *rpc = (struct rpc *)(void *)m;
    rpc->done(b, rpc);
    rpc_free(rpc);
}

void rpc_drop(struct bridge *b, struct message *m) {
    struct rpc *rpc = (struct rpc *)(void *)m;
    muster_free(rpc->response);
    rpc->response = NULL;
    rpc->status = (struct muster_status){.code = MUSTER_CANCELLED};
    rpc_take(b, m);
}
