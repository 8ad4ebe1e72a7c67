/* rpc.c - the blocking calls: the asynchronous one and a condition variable. */
#include <muster/client.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool done;
    ProtobufCMessage *response;
    struct muster_status status;
};

static void wake(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct waiter *waiter = arg;
    pthread_mutex_lock(&waiter->mutex);
    waiter->response = response;
    waiter->status = *status;
    waiter->done = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->mutex);
}

static enum muster_code call_and_wait(struct muster_client *client, const char *method,
                                      const ProtobufCMessage *request,
                                      const struct muster_call *call, struct waiter *waiter) {
    *waiter =
        (struct waiter){.mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    muster_call_async(client, method, request, call, wake, waiter);
    pthread_mutex_lock(&waiter->mutex);
    while (!waiter->done)
        pthread_cond_wait(&waiter->ended, &waiter->mutex);
    pthread_mutex_unlock(&waiter->mutex);
    pthread_cond_destroy(&waiter->ended);
    pthread_mutex_destroy(&waiter->mutex);
    return waiter->status.code;
}

#define RPC(name, method, Request, Response)                                                  \
    MUSTER_RPC(name, Request, Response) {                                                     \
        struct waiter waiter;                                                                 \
        enum muster_code code = call_and_wait(client, method, &request->base, call, &waiter); \
        *response = (Response *)waiter.response;                                              \
        if (status != NULL) *status = waiter.status;                                          \
        return code;                                                                          \
    }

RPC(muster_create_ticket, "Tickets/CreateTicket", Muster__V1__CreateTicketRequest,
    Muster__V1__CreateTicketResponse)
RPC(muster_create_tickets, "Tickets/CreateTickets", Muster__V1__CreateTicketsRequest,
    Muster__V1__CreateTicketsResponse)
RPC(muster_get_ticket, "Tickets/GetTicket", Muster__V1__GetTicketRequest,
    Muster__V1__GetTicketResponse)
RPC(muster_list_tickets, "Tickets/ListTickets", Muster__V1__ListTicketsRequest,
    Muster__V1__ListTicketsResponse)
RPC(muster_cancel_ticket, "Tickets/CancelTicket", Muster__V1__CancelTicketRequest,
    Muster__V1__CancelTicketResponse)
RPC(muster_watch_ticket, "Tickets/WatchTicket", Muster__V1__WatchTicketRequest,
    Muster__V1__WatchTicketResponse)
RPC(muster_explain_ticket, "Tickets/ExplainTicket", Muster__V1__ExplainTicketRequest,
    Muster__V1__ExplainTicketResponse)
RPC(muster_get_match, "Matches/GetMatch", Muster__V1__GetMatchRequest, Muster__V1__GetMatchResponse)
RPC(muster_list_matches, "Matches/ListMatches", Muster__V1__ListMatchesRequest,
    Muster__V1__ListMatchesResponse)
RPC(muster_accept_match, "Matches/AcceptMatch", Muster__V1__AcceptMatchRequest,
    Muster__V1__AcceptMatchResponse)
RPC(muster_decline_match, "Matches/DeclineMatch", Muster__V1__DeclineMatchRequest,
    Muster__V1__DeclineMatchResponse)
RPC(muster_assign_match, "Matches/AssignMatch", Muster__V1__AssignMatchRequest,
    Muster__V1__AssignMatchResponse)
RPC(muster_complete_match, "Matches/CompleteMatch", Muster__V1__CompleteMatchRequest,
    Muster__V1__CompleteMatchResponse)
RPC(muster_cancel_match, "Matches/CancelMatch", Muster__V1__CancelMatchRequest,
    Muster__V1__CancelMatchResponse)
RPC(muster_leave_match, "Matches/LeaveMatch", Muster__V1__LeaveMatchRequest,
    Muster__V1__LeaveMatchResponse)
RPC(muster_create_backfill, "Backfills/CreateBackfill", Muster__V1__CreateBackfillRequest,
    Muster__V1__CreateBackfillResponse)
RPC(muster_get_backfill, "Backfills/GetBackfill", Muster__V1__GetBackfillRequest,
    Muster__V1__GetBackfillResponse)
RPC(muster_update_backfill, "Backfills/UpdateBackfill", Muster__V1__UpdateBackfillRequest,
    Muster__V1__UpdateBackfillResponse)
RPC(muster_cancel_backfill, "Backfills/CancelBackfill", Muster__V1__CancelBackfillRequest,
    Muster__V1__CancelBackfillResponse)
RPC(muster_update_ticket, "Tickets/UpdateTicket", Muster__V1__UpdateTicketRequest,
    Muster__V1__UpdateTicketResponse)
RPC(muster_heartbeat_tickets, "Tickets/HeartbeatTickets", Muster__V1__HeartbeatTicketsRequest,
    Muster__V1__HeartbeatTicketsResponse)
RPC(muster_put_queue, "Queues/PutQueue", Muster__V1__PutQueueRequest, Muster__V1__PutQueueResponse)
RPC(muster_get_queue, "Queues/GetQueue", Muster__V1__GetQueueRequest, Muster__V1__GetQueueResponse)
RPC(muster_list_queue_versions, "Queues/ListQueueVersions", Muster__V1__ListQueueVersionsRequest,
    Muster__V1__ListQueueVersionsResponse)
RPC(muster_list_queues, "Queues/ListQueues", Muster__V1__ListQueuesRequest,
    Muster__V1__ListQueuesResponse)
RPC(muster_delete_queue, "Queues/DeleteQueue", Muster__V1__DeleteQueueRequest,
    Muster__V1__DeleteQueueResponse)
RPC(muster_validate_ruleset, "Queues/ValidateRuleset", Muster__V1__ValidateRulesetRequest,
    Muster__V1__ValidateRulesetResponse)
RPC(muster_get_queue_stats, "Queues/GetQueueStats", Muster__V1__GetQueueStatsRequest,
    Muster__V1__GetQueueStatsResponse)
RPC(muster_replay_events, "Events/ReplayEvents", Muster__V1__ReplayEventsRequest,
    Muster__V1__ReplayEventsResponse)
RPC(muster_check, "System/Check", Muster__V1__CheckRequest, Muster__V1__CheckResponse)
RPC(muster_get_status, "System/GetStatus", Muster__V1__GetStatusRequest,
    Muster__V1__GetStatusResponse)
