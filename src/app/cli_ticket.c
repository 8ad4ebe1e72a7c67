/* cli_ticket.c - `muster ticket`: create, get, list, cancel, watch, explain, update,
 * heartbeat. */
#include "app/command.h"

#include "app/cli_explain.h"

#include "wire/json.h"

#include <stdio.h>
#include <string.h>

struct ticket_options {
    struct client_options client;
    char *request_id, *traceparent;
    bool player, json;
    int64_t limit;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"request-id", CONFIG_TEXT, "", 0, 0, "", NULL,
     "create: makes a repeat harmless; empty takes a new one",
     offsetof(struct ticket_options, request_id)},
    {"traceparent", CONFIG_TEXT, "", 0, 0, "", NULL,
     "create: W3C Trace Context of the caller, followed through match and events",
     offsetof(struct ticket_options, traceparent)},
    {"player", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "get, explain: ID is a player's, for his open ticket",
     offsetof(struct ticket_options, player)},
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "explain: print a JSON line",
     offsetof(struct ticket_options, json)},
    {"limit", CONFIG_INT, "100", 1, 1000000, "", NULL, "list: how many",
     offsetof(struct ticket_options, limit)},
};

static const char usage[] =
    "usage: muster ticket create FILE | get ID | cancel ID | watch ID | explain ID\n"
    "                     update FILE | heartbeat ID... | list QUEUE\n\n"
    "create takes a CreateTicketRequest as JSON (- is stdin), for example\n"
    "  "
    "{\"queues\":[\"1v1_duel\"],\"players\":[{\"playerId\":\"ann\",\"attributes\":{\"skill\":90}}]}"
    "\n"
    "update takes an UpdateTicketRequest: ticketId, and what its players bring from now on.\n"
    "list prints the tickets that wait in a queue, the oldest first.\n"
    "watch prints the ticket at each change until it has ended. Output is JSON lines.\n"
    "explain says why the ticket is not matched yet: in words for the player, then in numbers.\n";

static int create(struct muster_client *client, const char *path, const struct ticket_options *o) {
    int end;
    ProtobufCMessage *request =
        command_read_message(path, &muster__v1__create_ticket_request__descriptor, &end);
    if (!request) return end;
    Muster__V1__CreateTicketResponse *answer = NULL;
    struct muster_status status;
    struct muster_call call = {.request_id = o->request_id[0] ? o->request_id : NULL,
                               .traceparent = o->traceparent[0] ? o->traceparent : NULL};
    (void)muster_create_ticket(client, (Muster__V1__CreateTicketRequest *)request, &call, &answer,
                               &status);
    muster_free(request);
    return command_tell(&status, answer, answer ? &answer->ticket->base : NULL);
}

static int get(struct muster_client *client, const char *id, const struct ticket_options *o) {
    Muster__V1__GetTicketRequest request = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    request.key_case = o->player ? MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID
                                 : MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    if (o->player)
        request.player_id = (char *)id;
    else
        request.ticket_id = (char *)id;
    Muster__V1__GetTicketResponse *answer = NULL;
    struct muster_status status;
    (void)muster_get_ticket(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->base : NULL);
}

static int list(struct muster_client *client, char *queue, const struct ticket_options *o) {
    enum { PAGE = 200 };
    Muster__V1__ListTicketsRequest request = MUSTER__V1__LIST_TICKETS_REQUEST__INIT;
    struct muster_status status;
    char token[64] = "";
    int64_t left = o->limit;
    request.queue = queue;
    do {
        Muster__V1__ListTicketsResponse *answer = NULL;
        request.page_token = token;
        request.page_size = left < PAGE ? (uint32_t)left : PAGE;
        if (muster_list_tickets(client, &request, NULL, &answer, &status) != MUSTER_OK)
            return command_fail_status(&status);
        for (size_t i = 0; i < answer->n_tickets; i++)
            command_print(&answer->tickets[i]->base);
        left -= (int64_t)answer->n_tickets;
        snprintf(token, sizeof token, "%s", answer->next_page_token);
        muster_free(answer);
    } while (token[0] && left > 0);
    return EXIT_CODE_OK;
}

static int cancel(struct muster_client *client, const char *id) {
    Muster__V1__CancelTicketRequest request = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
    request.ticket_id = (char *)id;
    Muster__V1__CancelTicketResponse *answer = NULL;
    struct muster_status status;
    (void)muster_cancel_ticket(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->ticket->base : NULL);
}

static int update(struct muster_client *client, const char *path) {
    int end;
    ProtobufCMessage *request =
        command_read_message(path, &muster__v1__update_ticket_request__descriptor, &end);
    if (!request) return end;
    Muster__V1__UpdateTicketResponse *answer = NULL;
    struct muster_status status;
    (void)muster_update_ticket(client, (Muster__V1__UpdateTicketRequest *)request, NULL, &answer,
                               &status);
    muster_free(request);
    return command_tell(&status, answer, answer ? &answer->ticket->base : NULL);
}

static int heartbeat(struct muster_client *client, int count, char **ids) {
    Muster__V1__HeartbeatTicketsRequest request = MUSTER__V1__HEARTBEAT_TICKETS_REQUEST__INIT;
    Muster__V1__HeartbeatTicketsResponse *answer = NULL;
    struct muster_status status;
    request.n_ticket_ids = (size_t)count;
    request.ticket_ids = ids;
    (void)muster_heartbeat_tickets(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->base : NULL);
}

static bool open_state(Muster__V1__TicketState state) {
    return state == MUSTER__V1__TICKET_STATE__QUEUED || state == MUSTER__V1__TICKET_STATE__PROPOSED;
}

/* Each long poll ends at a change or after half a minute; the ticket's own timeout bounds them. */
static int watch(struct muster_client *client, const char *id) {
    Muster__V1__WatchTicketRequest request = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    struct muster_call call = {.timeout_ms = 30000};
    request.ticket_id = (char *)id;
    do {
        Muster__V1__WatchTicketResponse *answer = NULL;
        struct muster_status status;
        if (muster_watch_ticket(client, &request, &call, &answer, &status) != MUSTER_OK)
            return command_fail_status(&status);
        if (answer->ticket->state != request.known_state) command_print(&answer->base);
        request.known_state = answer->ticket->state;
        muster_free(answer);
    } while (open_state(request.known_state));
    return EXIT_CODE_OK;
}

static int explain(struct muster_client *client, const char *id, const struct ticket_options *o) {
    Muster__V1__ExplainTicketRequest request = MUSTER__V1__EXPLAIN_TICKET_REQUEST__INIT;
    request.key_case = o->player ? MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_PLAYER_ID
                                 : MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_TICKET_ID;
    if (o->player)
        request.player_id = (char *)id;
    else
        request.ticket_id = (char *)id;
    Muster__V1__ExplainTicketResponse *answer = NULL;
    struct muster_status status;
    if (muster_explain_ticket(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    if (o->json)
        command_print(&answer->base);
    else
        cli_explain_print(answer);
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int run_verb(struct muster_client *client, int argc, char **argv,
                    const struct ticket_options *o) {
    const char *verb = argv[1], *operand = argv[2];
    if (strcmp(verb, "create") == 0) return create(client, operand, o);
    if (strcmp(verb, "get") == 0) return get(client, operand, o);
    if (strcmp(verb, "list") == 0) return list(client, argv[2], o);
    if (strcmp(verb, "cancel") == 0) return cancel(client, operand);
    if (strcmp(verb, "explain") == 0) return explain(client, operand, o);
    if (strcmp(verb, "update") == 0) return update(client, operand);
    if (strcmp(verb, "heartbeat") == 0) return heartbeat(client, argc - 2, argv + 2);
    return watch(client, operand);
}

int ticket_command(int argc, char **argv) {
    static const char *const verbs[] = {"create",  "get",    "cancel",    "watch",
                                        "explain", "update", "heartbeat", "list"};
    struct ticket_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) {
        const char *verb = command_verb(argc, argv, verbs, sizeof verbs / sizeof verbs[0], usage);
        bool several = verb && strcmp(verb, "heartbeat") == 0;
        struct muster_client *client = NULL;
        end = EXIT_CODE_USAGE;
        if (verb && (several ? command_operands_from(argc, argv, 1, usage)
                             : command_operands(argc, argv, 1, usage)))
            client = command_client(&o.client);
        if (client) end = run_verb(client, argc, argv, &o);
        muster_close(client);
    }
    config_fini(&c);
    return end;
}
