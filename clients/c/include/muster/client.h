/* muster/client.h - the typed client of a Muster server, for C programs.
 *
 * A client is one connection to the API (nng request/reply, reconnecting by itself) with any
 * number of requests in flight, and optionally one to the event stream. Messages are the
 * protobuf-c structs of muster/v1: fill one in, call, read the answer, free it. Each call exists
 * per RPC: muster_<method>(client, request, &response, &status).
 *
 * A call that fails with a retryable status (UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED, and
 * DEADLINE_EXCEEDED of one try) is sent again with the same request id until its deadline, with
 * exponential back-off and jitter: the server makes a repeat harmless.
 *
 * Memory: requests are borrowed for the call; responses are the caller's, freed with
 * muster_free. Out of memory is returned as MUSTER_RESOURCE_EXHAUSTED, nothing aborts.
 * Thread safety: all functions on a client may be called from any thread, except muster_close,
 * which is the last call. Callbacks run on a thread of the library: they must not block and must
 * not call blocking functions of the same client.
 */
#ifndef MUSTER_CLIENT_H
#define MUSTER_CLIENT_H

#include <muster/v1/backfills.pb-c.h>
#include <muster/v1/events.pb-c.h>
#include <muster/v1/matches.pb-c.h>
#include <muster/v1/queues.pb-c.h>
#include <muster/v1/system.pb-c.h>
#include <muster/v1/tickets.pb-c.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* gRPC's status codes. */
enum muster_code {
    MUSTER_OK = 0,
    MUSTER_CANCELLED = 1,
    MUSTER_UNKNOWN = 2,
    MUSTER_INVALID_ARGUMENT = 3,
    MUSTER_DEADLINE_EXCEEDED = 4,
    MUSTER_NOT_FOUND = 5,
    MUSTER_ALREADY_EXISTS = 6,
    MUSTER_PERMISSION_DENIED = 7,
    MUSTER_RESOURCE_EXHAUSTED = 8,
    MUSTER_FAILED_PRECONDITION = 9,
    MUSTER_ABORTED = 10,
    MUSTER_OUT_OF_RANGE = 11,
    MUSTER_UNIMPLEMENTED = 12,
    MUSTER_INTERNAL = 13,
    MUSTER_UNAVAILABLE = 14,
    MUSTER_DATA_LOSS = 15,
    MUSTER_UNAUTHENTICATED = 16
};

struct muster_status {
    enum muster_code code;
    char message[512];      /* for people; NUL-terminated */
    char field[128];        /* path of the field at fault; empty where none is */
    int64_t retry_after_ms; /* the same request is refused that long; 0 = not told */
};

const char *muster_code_name(enum muster_code code); /* "INVALID_ARGUMENT"; static */

struct muster_client;

struct muster_options {
    const char *api;     /* nng address, "tcp://127.0.0.1:7600" or "ipc:///run/muster/api.sock";
                          * or several, comma-separated, of one realm: requests take turns */
    const char *token;   /* sent as authorization metadata; NULL = none */
    uint32_t timeout_ms; /* per call over all tries, 1..60000; 0 = 5000 */
    uint32_t try_ms;     /* one try, 1..60000; 0 = 2000 */
};

/* Opens a client; connecting goes on in the background, so a server that is away is no error
 * here. INVALID_ARGUMENT: a malformed address. `status` may be NULL in every function. */
enum muster_code muster_open(struct muster_client **out, const struct muster_options *options,
                             struct muster_status *status);
/* Ends every call in flight with CANCELLED (their callbacks run before this returns), frees. */
void muster_close(struct muster_client *client);
/* How many of its addresses are connected now. */
unsigned muster_connected(const struct muster_client *client);
/* Frees a response or an event message of this library. NULL is fine. */
void muster_free(void *message);
/* A new random request id: 26 characters and a NUL. */
void muster_request_id(char out[27]);

/* Per call; zeroed memory gives the client's defaults. */
struct muster_call {
    const char *request_id; /* 1..64 of [A-Za-z0-9_.-]; NULL = a new one for mutating methods */
    uint32_t timeout_ms;    /* 0 = the client's */
    const char *traceparent;
};

/* Blocking calls: one per RPC. `call` may be NULL. On MUSTER_OK *response is the caller's
 * (muster_free); otherwise it is NULL. */
#define MUSTER_RPC(name, Request, Response)                                     \
    enum muster_code name(struct muster_client *client, const Request *request, \
                          const struct muster_call *call, Response **response,  \
                          struct muster_status *status)

MUSTER_RPC(muster_create_ticket, Muster__V1__CreateTicketRequest, Muster__V1__CreateTicketResponse);
MUSTER_RPC(muster_create_tickets, Muster__V1__CreateTicketsRequest,
           Muster__V1__CreateTicketsResponse);
MUSTER_RPC(muster_get_ticket, Muster__V1__GetTicketRequest, Muster__V1__GetTicketResponse);
MUSTER_RPC(muster_list_tickets, Muster__V1__ListTicketsRequest, Muster__V1__ListTicketsResponse);
MUSTER_RPC(muster_cancel_ticket, Muster__V1__CancelTicketRequest, Muster__V1__CancelTicketResponse);
MUSTER_RPC(muster_watch_ticket, Muster__V1__WatchTicketRequest, Muster__V1__WatchTicketResponse);
MUSTER_RPC(muster_explain_ticket, Muster__V1__ExplainTicketRequest,
           Muster__V1__ExplainTicketResponse);
MUSTER_RPC(muster_get_match, Muster__V1__GetMatchRequest, Muster__V1__GetMatchResponse);
MUSTER_RPC(muster_list_matches, Muster__V1__ListMatchesRequest, Muster__V1__ListMatchesResponse);
MUSTER_RPC(muster_accept_match, Muster__V1__AcceptMatchRequest, Muster__V1__AcceptMatchResponse);
MUSTER_RPC(muster_decline_match, Muster__V1__DeclineMatchRequest, Muster__V1__DeclineMatchResponse);
MUSTER_RPC(muster_assign_match, Muster__V1__AssignMatchRequest, Muster__V1__AssignMatchResponse);
MUSTER_RPC(muster_complete_match, Muster__V1__CompleteMatchRequest,
           Muster__V1__CompleteMatchResponse);
MUSTER_RPC(muster_cancel_match, Muster__V1__CancelMatchRequest, Muster__V1__CancelMatchResponse);
MUSTER_RPC(muster_leave_match, Muster__V1__LeaveMatchRequest, Muster__V1__LeaveMatchResponse);
MUSTER_RPC(muster_create_backfill, Muster__V1__CreateBackfillRequest,
           Muster__V1__CreateBackfillResponse);
MUSTER_RPC(muster_get_backfill, Muster__V1__GetBackfillRequest, Muster__V1__GetBackfillResponse);
MUSTER_RPC(muster_update_backfill, Muster__V1__UpdateBackfillRequest,
           Muster__V1__UpdateBackfillResponse);
MUSTER_RPC(muster_cancel_backfill, Muster__V1__CancelBackfillRequest,
           Muster__V1__CancelBackfillResponse);
MUSTER_RPC(muster_update_ticket, Muster__V1__UpdateTicketRequest, Muster__V1__UpdateTicketResponse);
MUSTER_RPC(muster_heartbeat_tickets, Muster__V1__HeartbeatTicketsRequest,
           Muster__V1__HeartbeatTicketsResponse);
MUSTER_RPC(muster_put_queue, Muster__V1__PutQueueRequest, Muster__V1__PutQueueResponse);
MUSTER_RPC(muster_get_queue, Muster__V1__GetQueueRequest, Muster__V1__GetQueueResponse);
MUSTER_RPC(muster_list_queue_versions, Muster__V1__ListQueueVersionsRequest,
           Muster__V1__ListQueueVersionsResponse);
MUSTER_RPC(muster_list_queues, Muster__V1__ListQueuesRequest, Muster__V1__ListQueuesResponse);
MUSTER_RPC(muster_delete_queue, Muster__V1__DeleteQueueRequest, Muster__V1__DeleteQueueResponse);
MUSTER_RPC(muster_validate_ruleset, Muster__V1__ValidateRulesetRequest,
           Muster__V1__ValidateRulesetResponse);
MUSTER_RPC(muster_get_queue_stats, Muster__V1__GetQueueStatsRequest,
           Muster__V1__GetQueueStatsResponse);
MUSTER_RPC(muster_replay_events, Muster__V1__ReplayEventsRequest, Muster__V1__ReplayEventsResponse);
MUSTER_RPC(muster_check, Muster__V1__CheckRequest, Muster__V1__CheckResponse);
MUSTER_RPC(muster_get_status, Muster__V1__GetStatusRequest, Muster__V1__GetStatusResponse);

/* Called once on a library thread: `response` is the callee's to free when the code is OK, else
 * NULL. `status` is borrowed for the call. */
typedef void (*muster_reply_fn)(void *arg, ProtobufCMessage *response,
                                const struct muster_status *status);

/* Any method without blocking: `method` is "Tickets/CreateTicket". At most 1024 in flight per
 * client; more end with RESOURCE_EXHAUSTED at once (the callback runs before this returns). */
void muster_call_async(struct muster_client *client, const char *method,
                       const ProtobufCMessage *request, const struct muster_call *call,
                       muster_reply_fn done, void *arg);

/* Called once on a library thread with a whole encoded muster.v1.Response, or with NULL and the
 * status of the transport. Bytes are borrowed for the call. */
typedef void (*muster_forward_fn)(void *arg, const uint8_t *bytes, size_t size,
                                  const struct muster_status *status);

/* Sends an encoded muster.v1.Request as it is, one try, for relays. */
void muster_forward(struct muster_client *client, const uint8_t *request, size_t size,
                    uint32_t timeout_ms, muster_forward_fn done, void *arg);

/* --- Events ---------------------------------------------------------------------------------- */

struct muster_subscription;

/* Called on one library thread per subscription, each event once, in journal order; only events of
 * a topic whose message was lost may come after later ones of other topics, when the loss shows
 * (at the latest with the next heartbeat, 1 s). Borrowed for the call. */
typedef void (*muster_event_fn)(void *arg, const Muster__V1__Event *event);
/* Events were lost for good (the position is not in the journal any more): read full state again.
 * Events that follow are later than that state's start. Same thread. `reason` is for people. */
typedef void (*muster_resync_fn)(void *arg, const char *reason);

struct muster_subscribe_options {
    const char *events; /* nng address of the publisher, "tcp://127.0.0.1:7601"; or several,
                         * comma-separated, of publishers of one realm: each event comes once */
    const char *realm;  /* NULL = "default" */
    const char *topic;  /* below the realm: NULL = all, "1v1_duel/" = one queue; a prefix */
    uint64_t after_epoch, after_seq; /* go on after this position; 0,0 = from now */
    muster_event_fn on_event;        /* not NULL */
    muster_resync_fn on_resync;      /* not NULL */
    void *arg;                       /* for both */
};

/* Subscribes; gaps are detected by the positions and heartbeats and filled with ReplayEvents over
 * `client` before later events are delivered; lost heartbeats (3 s) cause a replay too.
 * INVALID_ARGUMENT: a malformed address or topic, or a callback is missing. */
enum muster_code muster_subscribe(struct muster_subscription **out, struct muster_client *client,
                                  const struct muster_subscribe_options *options,
                                  struct muster_status *status);
/* No callback runs after it returned. Call before muster_close. */
void muster_unsubscribe(struct muster_subscription *subscription);
/* Whether events are flowing: a message or heartbeat within the last 3 s. */
int muster_subscription_live(const struct muster_subscription *subscription);
/* How many gaps were found so far, and the position of the last event or heartbeat seen. */
uint64_t muster_subscription_gaps(const struct muster_subscription *subscription);
void muster_subscription_position(const struct muster_subscription *subscription, uint64_t *epoch,
                                  uint64_t *seq);

#ifdef __cplusplus
}
#endif

#endif
