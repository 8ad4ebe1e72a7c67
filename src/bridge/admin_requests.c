/* admin_requests.c - from a dashboard's events to RPCs and back. */
#include "bridge/admin_requests.h"

#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "bridge/rpc.h"
#include "wire/ack_json.h"
#include "wire/json.h"

static const struct row {
    const char *event, *method;
    const ProtobufCMessageDescriptor *request;
    bool play; /* changes something */
} rows[] = {
    {"get_queue", "Queues/GetQueue", &muster__v1__get_queue_request__descriptor, false},
    {"list_queue_versions", "Queues/ListQueueVersions",
     &muster__v1__list_queue_versions_request__descriptor, false},
    {"get_queue_stats", "Queues/GetQueueStats", &muster__v1__get_queue_stats_request__descriptor,
     false},
    {"validate_ruleset", "Queues/ValidateRuleset",
     &muster__v1__validate_ruleset_request__descriptor, false},
    {"get_ticket", "Tickets/GetTicket", &muster__v1__get_ticket_request__descriptor, false},
    {"list_tickets", "Tickets/ListTickets", &muster__v1__list_tickets_request__descriptor, false},
    {"explain_ticket", "Tickets/ExplainTicket", &muster__v1__explain_ticket_request__descriptor,
     false},
    {"get_match", "Matches/GetMatch", &muster__v1__get_match_request__descriptor, false},
    {"list_matches", "Matches/ListMatches", &muster__v1__list_matches_request__descriptor, false},
    {"create_tickets", "Tickets/CreateTickets", &muster__v1__create_tickets_request__descriptor,
     true},
    {"cancel_ticket", "Tickets/CancelTicket", &muster__v1__cancel_ticket_request__descriptor, true},
    {"heartbeat_tickets", "Tickets/HeartbeatTickets",
     &muster__v1__heartbeat_tickets_request__descriptor, true},
    {"accept_match", "Matches/AcceptMatch", &muster__v1__accept_match_request__descriptor, true},
    {"decline_match", "Matches/DeclineMatch", &muster__v1__decline_match_request__descriptor, true},
};

static void acknowledge(const struct viewer *v, struct str ack_id, const struct strbuf *args) {
    if (ack_id.size > 0 && v->socket != NULL) sio_ack(v->socket, ack_id, strbuf_str(args));
}

static void on_answer(struct bridge *b, struct rpc *rpc) {
    (void)b;
    struct viewer *v = rpc->context;
    struct strbuf args = {0};
    if (rpc->status.code == MUSTER_OK)
        ack_json_ok(rpc->response, &args);
    else
        payload_refused(&rpc->status, &args);
    v->request_count--;
    acknowledge(v, rpc->ack_id ? str_of(rpc->ack_id) : STR_EMPTY, &args);
    viewer_unref(v);
    strbuf_fini(&args);
}

/* The first argument's text; an absent one is an empty object. False when it is no object. */
static bool body_of(struct str args, struct strbuf *out) {
    if (!json_element(args, 0, out)) strbuf_add_str(out, STR("{}"));
    return out->size > 0 && out->at[0] == '{';
}

struct wish {
    const struct row *row;
    ProtobufCMessage *message; /* owned: muster_free; NULL when it is refused */
};

static enum err understand(const struct bridge *b, const struct viewer *v,
                           const struct admin_event *e, struct wish *out, struct err_text *why) {
    size_t index = 0, count = sizeof rows / sizeof *rows;
    int shown = (int)(e->name.size < 64 ? e->name.size : 64);
    while (index < count && !str_equal(e->name, str_of(rows[index].event)))
        index++;
    if (index == count)
        return err_set(why, ERR_UNIMPLEMENTED, "unknown event \"%.*s\"", shown, e->name.at);
    out->row = &rows[index];
    if (rows[index].play && b->admin.mode != ADMIN_PLAY)
        return err_set(why, ERR_PERMISSION_DENIED,
                       "%s is for simulated players: the server allows them with --dashboard play",
                       rows[index].event);
    if (v->request_count >= ADMIN_REQUESTS_PER_VIEWER)
        return err_set(why, ERR_RESOURCE_EXHAUSTED, "%d requests of this socket are under way",
                       ADMIN_REQUESTS_PER_VIEWER);
    struct strbuf body = {0};
    enum err code =
        body_of(e->args, &body)
            ? json_to_message(strbuf_str(&body), rows[index].request, &out->message, why)
            : err_set(why, ERR_INVALID_ARGUMENT, "%s takes one object", rows[index].event);
    strbuf_fini(&body);
    return code;
}

void admin_requests_take(struct bridge *b, struct viewer *v, const struct admin_event *e) {
    struct wish wish = {0};
    struct err_text why = {0};
    enum err code = understand(b, v, e, &wish, &why);
    if (code == ERR_OK) {
        struct rpc *rpc = rpc_new(b, on_answer, NULL, e->ack_id);
        rpc->context = v;
        viewer_ref(v);
        v->request_count++;
        rpc_call(rpc, wish.row->method, wish.message, NULL);
    } else {
        struct strbuf args = {0};
        ack_json_error(code, &why, &args);
        acknowledge(v, e->ack_id, &args);
        strbuf_fini(&args);
    }
    muster_free(wish.message);
}
