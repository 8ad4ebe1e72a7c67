/* match_requests.c - a MatchKey becomes AcceptMatch, DeclineMatch or LeaveMatch for the connected
 * player. */
#include "bridge/match_requests.h"

#include "bridge/bridge_internal.h"
#include "bridge/request.h"
#include "wire/json.h"

#include <muster/v1/socketio.pb-c.h>
#include <string.h>

/* A match that he is not in is none of his business. */
static void on_answered(struct bridge *b, struct rpc *rpc) {
    (void)b;
    bool others =
        rpc->status.code == MUSTER_NOT_FOUND || (rpc->status.code == MUSTER_INVALID_ARGUMENT &&
                                                 strcmp(rpc->status.field, "player_ids") == 0);
    if (rpc->status.code == MUSTER_OK)
        request_end(rpc, rpc->response);
    else if (others)
        request_end_not_found(rpc, "match");
    else
        request_end_failed(rpc);
}

static void call_accept(struct rpc *rpc, const char *match_id) {
    Muster__V1__AcceptMatchRequest accept = MUSTER__V1__ACCEPT_MATCH_REQUEST__INIT;
    char *player = rpc->session->player->id;
    accept.match_id = (char *)match_id;
    accept.n_player_ids = 1;
    accept.player_ids = &player;
    rpc_call(rpc, "Matches/AcceptMatch", &accept.base, NULL);
}

static void call_decline(struct rpc *rpc, const char *match_id) {
    Muster__V1__DeclineMatchRequest decline = MUSTER__V1__DECLINE_MATCH_REQUEST__INIT;
    char *player = rpc->session->player->id;
    decline.match_id = (char *)match_id;
    decline.n_player_ids = 1;
    decline.player_ids = &player;
    rpc_call(rpc, "Matches/DeclineMatch", &decline.base, NULL);
}

static void call_leave(struct rpc *rpc, const char *match_id) {
    Muster__V1__LeaveMatchRequest leave = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
    char *player = rpc->session->player->id;
    leave.match_id = (char *)match_id;
    leave.n_player_ids = 1;
    leave.player_ids = &player;
    rpc_call(rpc, "Matches/LeaveMatch", &leave.base, NULL);
}

typedef void (*answer_fn)(struct rpc *rpc, const char *match_id);

/* His open ticket says which match is proposed to him. */
static void on_ticket(struct bridge *b, struct rpc *rpc, answer_fn answer) {
    Muster__V1__GetTicketResponse *got = (Muster__V1__GetTicketResponse *)rpc->response;
    bool proposed = rpc->status.code == MUSTER_OK && got->ticket != NULL &&
                    got->ticket->state == MUSTER__V1__TICKET_STATE__PROPOSED;
    if (proposed)
        answer(rpc_new(b, on_answered, rpc->session, str_of(rpc->ack_id)), got->ticket->match_id);
    else if (rpc->status.code == MUSTER_OK || rpc->status.code == MUSTER_NOT_FOUND)
        request_end_not_found(rpc, "match");
    else
        request_end_failed(rpc);
}

static void on_ticket_to_accept(struct bridge *b, struct rpc *rpc) {
    on_ticket(b, rpc, call_accept);
}

static void on_ticket_to_decline(struct bridge *b, struct rpc *rpc) {
    on_ticket(b, rpc, call_decline);
}

/* `on_own_ticket` NULL: the match must be named. */
static void take(const struct request *r, answer_fn answer, rpc_done_fn on_own_ticket) {
    ProtobufCMessage *message = NULL;
    struct err_text why = {0};
    enum err code = json_to_message(r->body, &muster__v1__match_key__descriptor, &message, &why);
    if (code != ERR_OK) {
        request_refuse(r, code, &why);
        return;
    }
    const char *match_id = ((Muster__V1__MatchKey *)message)->match_id;
    if (match_id[0] != '\0') {
        answer(request_rpc(r, on_answered), match_id);
    } else if (!on_own_ticket) {
        code = err_set_field(&why, ERR_INVALID_ARGUMENT, "matchId",
                             "matchId is empty; name the match, as match_found did");
        request_refuse(r, code, &why);
    } else {
        Muster__V1__GetTicketRequest get = MUSTER__V1__GET_TICKET_REQUEST__INIT;
        get.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
        get.player_id = r->session->player->id;
        rpc_call(request_rpc(r, on_own_ticket), "Tickets/GetTicket", &get.base, NULL);
    }
    muster_free(message);
}

void match_requests_accept(const struct request *r) {
    take(r, call_accept, on_ticket_to_accept);
}

void match_requests_decline(const struct request *r) {
    take(r, call_decline, on_ticket_to_decline);
}

void match_requests_leave(const struct request *r) {
    take(r, call_leave, NULL);
}
