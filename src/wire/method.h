/* method.h - the RPC methods: one table row each.
 *
 * A row says who serves the method, whether it changes anything (then it needs a request id),
 * and how long it may take when the caller does not say. Methods that are declared in proto but
 * not served yet have no row: they answer UNIMPLEMENTED by name.
 * Rows are static. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_METHOD_H
#define MUSTER_WIRE_METHOD_H

#include "base/str.h"

enum method_route { ROUTE_DOOR, ROUTE_MATCHER, ROUTE_EVENTS };

/* id, "Service/Method", route, mutating, default timeout ms */
#define METHOD_TABLE(ROW)                                                            \
    ROW(CREATE_TICKET, "Tickets/CreateTicket", ROUTE_MATCHER, true, 5000)            \
    ROW(CREATE_TICKETS, "Tickets/CreateTickets", ROUTE_MATCHER, true, 5000)          \
    ROW(GET_TICKET, "Tickets/GetTicket", ROUTE_MATCHER, false, 5000)                 \
    ROW(LIST_TICKETS, "Tickets/ListTickets", ROUTE_MATCHER, false, 5000)             \
    ROW(CANCEL_TICKET, "Tickets/CancelTicket", ROUTE_MATCHER, true, 5000)            \
    ROW(WATCH_TICKET, "Tickets/WatchTicket", ROUTE_MATCHER, false, 30000)            \
    ROW(EXPLAIN_TICKET, "Tickets/ExplainTicket", ROUTE_MATCHER, false, 5000)         \
    ROW(GET_MATCH, "Matches/GetMatch", ROUTE_MATCHER, false, 5000)                   \
    ROW(LIST_MATCHES, "Matches/ListMatches", ROUTE_MATCHER, false, 5000)             \
    ROW(UPDATE_TICKET, "Tickets/UpdateTicket", ROUTE_MATCHER, true, 5000)            \
    ROW(HEARTBEAT_TICKETS, "Tickets/HeartbeatTickets", ROUTE_MATCHER, false, 5000)   \
    ROW(ACCEPT_MATCH, "Matches/AcceptMatch", ROUTE_MATCHER, true, 5000)              \
    ROW(DECLINE_MATCH, "Matches/DeclineMatch", ROUTE_MATCHER, true, 5000)            \
    ROW(ASSIGN_MATCH, "Matches/AssignMatch", ROUTE_MATCHER, true, 5000)              \
    ROW(COMPLETE_MATCH, "Matches/CompleteMatch", ROUTE_MATCHER, true, 5000)          \
    ROW(CANCEL_MATCH, "Matches/CancelMatch", ROUTE_MATCHER, true, 5000)              \
    ROW(LEAVE_MATCH, "Matches/LeaveMatch", ROUTE_MATCHER, true, 5000)                \
    ROW(CREATE_BACKFILL, "Backfills/CreateBackfill", ROUTE_MATCHER, true, 5000)      \
    ROW(GET_BACKFILL, "Backfills/GetBackfill", ROUTE_MATCHER, false, 5000)           \
    ROW(UPDATE_BACKFILL, "Backfills/UpdateBackfill", ROUTE_MATCHER, true, 5000)      \
    ROW(CANCEL_BACKFILL, "Backfills/CancelBackfill", ROUTE_MATCHER, true, 5000)      \
    ROW(PUT_QUEUE, "Queues/PutQueue", ROUTE_MATCHER, true, 5000)                     \
    ROW(GET_QUEUE, "Queues/GetQueue", ROUTE_MATCHER, false, 5000)                    \
    ROW(LIST_QUEUE_VERSIONS, "Queues/ListQueueVersions", ROUTE_MATCHER, false, 5000) \
    ROW(LIST_QUEUES, "Queues/ListQueues", ROUTE_MATCHER, false, 5000)                \
    ROW(DELETE_QUEUE, "Queues/DeleteQueue", ROUTE_MATCHER, true, 5000)               \
    ROW(VALIDATE_RULESET, "Queues/ValidateRuleset", ROUTE_DOOR, false, 5000)         \
    ROW(GET_QUEUE_STATS, "Queues/GetQueueStats", ROUTE_MATCHER, false, 5000)         \
    ROW(REPLAY_EVENTS, "Events/ReplayEvents", ROUTE_EVENTS, false, 10000)            \
    ROW(CHECK, "System/Check", ROUTE_MATCHER, false, 2000)                           \
    ROW(GET_STATUS, "System/GetStatus", ROUTE_MATCHER, false, 2000)

enum method_id {
#define METHOD_ENUM(id, name, route, mutating, timeout) METHOD_##id,
    METHOD_TABLE(METHOD_ENUM)
#undef METHOD_ENUM
        METHOD_COUNT
};

struct method {
    enum method_id id;
    const char *name; /* "muster.v1.Tickets/CreateTicket" */
    enum method_route route;
    bool mutating;
    uint32_t timeout_ms; /* 1..LIMIT_TIMEOUT_MS */
};

const struct method *method_find(struct str name); /* full name; NULL when not served */
const struct method *method_row(enum method_id id);

#endif
