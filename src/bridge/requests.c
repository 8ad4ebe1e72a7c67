/* requests.c - from players' events to RPCs and back to acknowledgements. */
#include "bridge/requests.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/traceparent.h"
#include "bridge/bridge_internal.h"
#include "bridge/match_requests.h"
#include "bridge/payload.h"
#include "bridge/request.h"
#include "wire/ack_json.h"
#include "wire/json.h"

#include <inttypes.h>
#include <muster/v1/socketio.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Acknowledging --------------------------------------------------------------------------- */

static void acknowledge(struct session *s, struct str ack_id, const struct strbuf *args) {
    if (ack_id.size > 0 && s->socket != NULL) sio_ack(s->socket, ack_id, strbuf_str(args));
}

static void refuse(struct session *s, struct str ack_id, enum err code,
                   const struct err_text *why) {
    struct strbuf args = {0};
    ack_json_error(code, why, &args);
    acknowledge(s, ack_id, &args);
    strbuf_fini(&args);
}

void request_refuse(const struct request *r, enum err code, const struct err_text *why) {
    refuse(r->session, r->ack_id, code, why);
}

/* The api's path of the field at fault, in the words of JoinQueueRequest: the connected player is
 * players[0] of the ticket, party[0] is players[1]; where `queue` was given, it is queues[0]. */
static void field_of_join(const char *field, bool queue_given, char *out, size_t size) {
    unsigned index;
    int end = 0;
    if (sscanf(field, "players[%u]%n", &index, &end) == 1 && end > 0) {
        const char *rest = field + end;
        if (index == 0)
            snprintf(out, size, "%s", rest[0] == '.' ? rest + 1 : rest);
        else
            snprintf(out, size, "party[%u]%s", index - 1, rest);
    } else if (queue_given && sscanf(field, "queues[%u]", &index) == 1) {
        if (index == 0)
            snprintf(out, size, "queue");
        else
            snprintf(out, size, "queues[%u]", index - 1);
    } else {
        snprintf(out, size, "%s", field);
    }
}

static char queue_was_given; /* its address is the context of such a join's call */

void request_end_failed(struct rpc *rpc) {
    char field[sizeof rpc->status.field];
    field_of_join(rpc->status.field, rpc->context == &queue_was_given, field, sizeof field);
    struct strbuf args = {0};
    snprintf(rpc->status.field, sizeof rpc->status.field, "%s", field);
    payload_refused(&rpc->status, &args);
    rpc->session->request_count--;
    acknowledge(rpc->session, str_of(rpc->ack_id), &args);
    strbuf_fini(&args);
}

void request_end_not_found(struct rpc *rpc, const char *what) {
    struct muster_status status = {.code = MUSTER_NOT_FOUND};
    snprintf(status.message, sizeof status.message, "you have no such %s", what);
    rpc->status = status;
    request_end_failed(rpc);
}

void request_end(struct rpc *rpc, const ProtobufCMessage *message) {
    struct strbuf args = {0};
    ack_json_ok(message, &args);
    rpc->session->request_count--;
    acknowledge(rpc->session, str_of(rpc->ack_id), &args);
    strbuf_fini(&args);
}

static void finish_ticket(struct rpc *rpc, Muster__V1__Ticket *ticket, Muster__V1__Match *match) {
    Muster__V1__TicketUpdate update = MUSTER__V1__TICKET_UPDATE__INIT;
    update.ticket = ticket;
    update.match = match;
    request_end(rpc, &update.base);
}

struct rpc *request_rpc(const struct request *r, rpc_done_fn done) {
    r->session->request_count++;
    return rpc_new(r->bridge, done, r->session, r->ack_id);
}

/* --- join_queue ------------------------------------------------------------------------------ */

static void on_created(struct bridge *b, struct rpc *rpc) {
    (void)b;
    if (rpc->status.code != MUSTER_OK) {
        request_end_failed(rpc);
        return;
    }
    finish_ticket(rpc, ((Muster__V1__CreateTicketResponse *)rpc->response)->ticket, NULL);
}

/* Request ids are the realm's: bound to the player, one player's cannot name another's request.
 * Same bytes on every bridge, so that a repeat over another one is a repeat. */
static void bind_request_id(const char *player_id, const char *request_id, char out[40]) {
    char both[2 * LIMIT_NAME_BYTES + 2];
    int size = snprintf(both, sizeof both, "%s/%s", player_id, request_id);
    struct id digest = digest128((struct str){both, (size_t)size});
    snprintf(out, 40, "sio-%016" PRIx64 "%016" PRIx64, digest.hi, digest.lo);
}

/* Both messages have the same two maps, with entry types of their own. Arena-owned. */
static void copy_maps(Muster__V1__Player *player, const Muster__V1__JoinQueueRequest *join,
                      struct arena *arena) {
    player->n_attributes = join->n_attributes;
    player->attributes = arena_alloc(arena, (join->n_attributes + 1) * sizeof(void *));
    for (size_t i = 0; i < join->n_attributes; i++) {
        Muster__V1__Player__AttributesEntry *entry = arena_alloc(arena, sizeof *entry);
        *entry = (Muster__V1__Player__AttributesEntry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
        entry->key = join->attributes[i]->key;
        entry->value = join->attributes[i]->value;
        player->attributes[i] = entry;
    }
    player->n_latencies_ms = join->n_latencies_ms;
    player->latencies_ms = arena_alloc(arena, (join->n_latencies_ms + 1) * sizeof(void *));
    for (size_t i = 0; i < join->n_latencies_ms; i++) {
        Muster__V1__Player__LatenciesMsEntry *entry = arena_alloc(arena, sizeof *entry);
        *entry = (Muster__V1__Player__LatenciesMsEntry)MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
        entry->key = join->latencies_ms[i]->key;
        entry->value = join->latencies_ms[i]->value;
        player->latencies_ms[i] = entry;
    }
}

/* NULL where there is none, or one that is to be ignored. */
static const char *traceparent_of(const Muster__V1__JoinQueueRequest *join,
                                  const Muster__V1__Player *self) {
    struct traceparent trace;
    if (!traceparent_parse(str_of(join->traceparent), &trace)) return NULL;
    LOG_DEBUG("join-asked-for", "player=%s traceparent=%s", self->player_id, join->traceparent);
    return join->traceparent;
}

static void create_ticket(const struct request *r, Muster__V1__JoinQueueRequest *join) {
    struct arena *arena = arena_new(0);
    Muster__V1__CreateTicketRequest create = MUSTER__V1__CREATE_TICKET_REQUEST__INIT;
    Muster__V1__Player self = MUSTER__V1__PLAYER__INIT;
    self.player_id = r->session->player->id;
    copy_maps(&self, join, arena);
    bool queue_given = join->queue[0] != '\0';
    create.queues = arena_alloc(arena, (1 + join->n_queues) * sizeof *create.queues);
    if (queue_given) create.queues[create.n_queues++] = join->queue;
    for (size_t i = 0; i < join->n_queues; i++)
        create.queues[create.n_queues++] = join->queues[i];
    create.n_players = 1 + join->n_party;
    create.players = arena_alloc(arena, create.n_players * sizeof *create.players);
    create.players[0] = &self;
    for (size_t i = 0; i < join->n_party; i++)
        create.players[1 + i] = join->party[i];
    char request_id[40];
    bool named = join->request_id[0] != '\0';
    if (named) bind_request_id(self.player_id, join->request_id, request_id);
    struct rpc *rpc = request_rpc(r, on_created);
    rpc->context = queue_given ? &queue_was_given : NULL;
    rpc->traceparent = traceparent_of(join, &self);
    rpc_call(rpc, "Tickets/CreateTicket", &create.base, named ? request_id : NULL);
    arena_free(arena);
}

static void join_queue(const struct request *r) {
    ProtobufCMessage *message = NULL;
    struct err_text why = {0};
    enum err code =
        json_to_message(r->body, &muster__v1__join_queue_request__descriptor, &message, &why);
    Muster__V1__JoinQueueRequest *join = (Muster__V1__JoinQueueRequest *)message;
    if (code == ERR_OK && join->request_id[0] != '\0' && !str_name_valid(str_of(join->request_id)))
        code = err_set_field(&why, ERR_INVALID_ARGUMENT, "requestId",
                             "requestId: 1..64 of [A-Za-z0-9_.-]");
    if (code == ERR_OK)
        create_ticket(r, join);
    else
        request_refuse(r, code, &why);
    muster_free(message);
}

/* --- get_ticket, leave_queue ----------------------------------------------------------------- */

static bool is_in(const Muster__V1__Ticket *ticket, const struct player *player) {
    for (size_t i = 0; ticket != NULL && i < ticket->n_players; i++)
        if (strcmp(ticket->players[i]->player_id, player->id) == 0) return true;
    return false;
}

/* Whether the answer is OK and of the player's own ticket (NULL: it is of none); if not, the
 * request is over. */
static bool is_own(struct rpc *rpc, const Muster__V1__Ticket *ticket) {
    if (rpc->status.code == MUSTER_OK && is_in(ticket, rpc->session->player)) return true;
    if (rpc->status.code == MUSTER_OK || rpc->status.code == MUSTER_NOT_FOUND)
        request_end_not_found(rpc, "ticket");
    else
        request_end_failed(rpc);
    return false;
}

/* The answer to GetTicket when it is OK and the player's own; else the request is over. */
static Muster__V1__GetTicketResponse *own_ticket(struct rpc *rpc) {
    Muster__V1__GetTicketResponse *response = (Muster__V1__GetTicketResponse *)rpc->response;
    return is_own(rpc, response != NULL ? response->ticket : NULL) ? response : NULL;
}

static void on_got(struct bridge *b, struct rpc *rpc) {
    (void)b;
    Muster__V1__GetTicketResponse *response = own_ticket(rpc);
    if (response != NULL) finish_ticket(rpc, response->ticket, response->match);
}

static void on_cancelled(struct bridge *b, struct rpc *rpc) {
    (void)b;
    if (rpc->status.code != MUSTER_OK)
        request_end_failed(rpc);
    else
        finish_ticket(rpc, ((Muster__V1__CancelTicketResponse *)rpc->response)->ticket, NULL);
}

static void on_got_to_cancel(struct bridge *b, struct rpc *rpc) {
    Muster__V1__GetTicketResponse *response = own_ticket(rpc);
    if (response == NULL) return;
    Muster__V1__CancelTicketRequest cancel = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
    cancel.ticket_id = response->ticket->ticket_id;
    rpc_call(rpc_new(b, on_cancelled, rpc->session, str_of(rpc->ack_id)), "Tickets/CancelTicket",
             &cancel.base, NULL);
}

/* The ticket that the body names; NULL: refused. Free with muster_free. */
static Muster__V1__TicketKey *read_key(const struct request *r) {
    ProtobufCMessage *message = NULL;
    struct err_text why = {0};
    enum err code = json_to_message(r->body, &muster__v1__ticket_key__descriptor, &message, &why);
    if (code != ERR_OK) request_refuse(r, code, &why);
    return (Muster__V1__TicketKey *)message;
}

static void fetch_ticket(const struct request *r, rpc_done_fn done) {
    Muster__V1__GetTicketRequest get = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    Muster__V1__TicketKey *key = read_key(r);
    if (key == NULL) return;
    if (key->ticket_id[0] != '\0') {
        get.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
        get.ticket_id = key->ticket_id;
    } else {
        get.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
        get.player_id = r->session->player->id;
    }
    rpc_call(request_rpc(r, done), "Tickets/GetTicket", &get.base, NULL);
    muster_free(key);
}

static void get_ticket(const struct request *r) {
    fetch_ticket(r, on_got);
}

static void leave_queue(const struct request *r) {
    fetch_ticket(r, on_got_to_cancel);
}

/* --- explain_ticket -------------------------------------------------------------------------- */

/* Other players' tickets are none of his business. */
static void hide_others(Muster__V1__ExplainTicketResponse *response) {
    for (size_t i = 0; i < response->n_queues; i++) {
        Muster__V1__NearestMiss *miss = response->queues[i]->nearest_miss;
        if (miss != NULL && miss->ticket_id[0] != '\0') miss->ticket_id[0] = '\0';
    }
}

static void on_explained(struct bridge *b, struct rpc *rpc) {
    (void)b;
    Muster__V1__ExplainTicketResponse *response =
        (Muster__V1__ExplainTicketResponse *)rpc->response;
    if (!is_own(rpc, response != NULL ? response->ticket : NULL)) return;
    struct strbuf args = {0};
    hide_others(response);
    ack_json_ok(&response->base, &args);
    rpc->session->request_count--;
    acknowledge(rpc->session, str_of(rpc->ack_id), &args);
    strbuf_fini(&args);
}

static void explain_ticket(const struct request *r) {
    Muster__V1__ExplainTicketRequest explain = MUSTER__V1__EXPLAIN_TICKET_REQUEST__INIT;
    Muster__V1__TicketKey *key = read_key(r);
    if (key == NULL) return;
    if (key->ticket_id[0] != '\0') {
        explain.key_case = MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_TICKET_ID;
        explain.ticket_id = key->ticket_id;
    } else {
        explain.key_case = MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_PLAYER_ID;
        explain.player_id = r->session->player->id;
    }
    rpc_call(request_rpc(r, on_explained), "Tickets/ExplainTicket", &explain.base, NULL);
    muster_free(key);
}

/* --- The table ------------------------------------------------------------------------------- */

static void list_queues(const struct request *r) {
    queue_list_ask(r->bridge, r->session, r->ack_id);
}

static const struct {
    const char *name;
    void (*take)(const struct request *r);
} events[] = {
    {"join_queue", join_queue},
    {"leave_queue", leave_queue},
    {"get_ticket", get_ticket},
    {"list_queues", list_queues},
    {"accept_match", match_requests_accept},
    {"decline_match", match_requests_decline},
    {"leave_match", match_requests_leave},
    {"explain_ticket", explain_ticket},
};

/* The first argument's text; an absent one is an empty object. False when it is no object. */
static bool body_of(struct str args, struct strbuf *out) {
    if (!json_element(args, 0, out)) strbuf_add_str(out, STR("{}"));
    return out->size > 0 && out->at[0] == '{';
}

void requests_refuse_binary(struct session *s, struct str name, struct str ack_id) {
    struct err_text why;
    enum err code = err_set(&why, ERR_INVALID_ARGUMENT, "%.*s takes no binary data",
                            (int)(name.size < 64 ? name.size : 64), name.at);
    refuse(s, ack_id, code, &why);
}

void requests_take(struct bridge *b, struct session *s, struct str name, struct str args,
                   struct str ack_id) {
    struct strbuf body = {0};
    struct err_text why;
    size_t index = 0, count = sizeof events / sizeof *events;
    while (index < count && !str_equal(name, str_of(events[index].name)))
        index++;
    if (index == count) {
        enum err code = err_set(&why, ERR_UNIMPLEMENTED,
                                "unknown event \"%.*s\"; known: join_queue, leave_queue, "
                                "get_ticket, explain_ticket, list_queues, accept_match, "
                                "decline_match, leave_match",
                                (int)(name.size < 64 ? name.size : 64), name.at);
        refuse(s, ack_id, code, &why);
    } else if (s->request_count >= REQUESTS_PER_SOCKET) {
        enum err code = err_set(&why, ERR_RESOURCE_EXHAUSTED,
                                "%d requests of this socket are under way", REQUESTS_PER_SOCKET);
        refuse(s, ack_id, code, &why);
    } else if (!body_of(args, &body)) {
        enum err code =
            err_set(&why, ERR_INVALID_ARGUMENT, "%s takes one object", events[index].name);
        refuse(s, ack_id, code, &why);
    } else {
        struct request r = {b, s, ack_id, strbuf_str(&body)};
        events[index].take(&r);
    }
    strbuf_fini(&body);
}
