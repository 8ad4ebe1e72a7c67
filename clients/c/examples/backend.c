/* backend.c - a game's back end: queues two players, waits, prints who plays whom.
 *
 *     backend tcp://127.0.0.1:7600 1v1_duel alice bob
 */
#include <muster/client.h>

#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, const struct muster_status *status) {
    fprintf(stderr, "%s: %s: %s %s\n", what, muster_code_name(status->code), status->message,
            status->field);
    exit(1);
}

/* One player with a skill and one latency; returns the ticket. */
static Muster__V1__CreateTicketResponse *queue_player(struct muster_client *client, char *queue,
                                                      char *name) {
    Muster__V1__AttributeValue skill = MUSTER__V1__ATTRIBUTE_VALUE__INIT;
    skill.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    skill.number = 100;
    Muster__V1__Player__AttributesEntry attribute = MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
    attribute.key = (char *)"skill";
    attribute.value = &skill;
    Muster__V1__Player__AttributesEntry *attributes[] = {&attribute};
    Muster__V1__Player__LatenciesMsEntry latency = MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
    latency.key = (char *)"eu-west";
    latency.value = 30;
    Muster__V1__Player__LatenciesMsEntry *latencies[] = {&latency};

    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT;
    player.player_id = name;
    player.n_attributes = 1;
    player.attributes = attributes;
    player.n_latencies_ms = 1;
    player.latencies_ms = latencies;
    Muster__V1__Player *players[] = {&player};

    Muster__V1__CreateTicketRequest request = MUSTER__V1__CREATE_TICKET_REQUEST__INIT;
    request.n_queues = 1;
    request.queues = &queue;
    request.n_players = 1;
    request.players = players;
    Muster__V1__CreateTicketResponse *response;
    struct muster_status status;
    if (muster_create_ticket(client, &request, NULL, &response, &status) != MUSTER_OK)
        fail(name, &status);
    return response;
}

/* Long polls until the ticket is not queued any more. */
static Muster__V1__WatchTicketResponse *watch(struct muster_client *client, char *ticket_id) {
    Muster__V1__WatchTicketRequest request = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    request.ticket_id = ticket_id;
    request.known_state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct muster_call call = {.timeout_ms = 30000};
    for (;;) {
        Muster__V1__WatchTicketResponse *response;
        struct muster_status status;
        if (muster_watch_ticket(client, &request, &call, &response, &status) != MUSTER_OK)
            fail(ticket_id, &status);
        if (response->ticket->state != MUSTER__V1__TICKET_STATE__QUEUED) return response;
        muster_free(response);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: backend API QUEUE PLAYER PLAYER\n");
        return 2;
    }
    struct muster_client *client;
    struct muster_status status;
    struct muster_options options = {.api = argv[1]};
    if (muster_open(&client, &options, &status) != MUSTER_OK) fail(argv[1], &status);

    Muster__V1__CreateTicketResponse *first = queue_player(client, argv[2], argv[3]);
    Muster__V1__CreateTicketResponse *second = queue_player(client, argv[2], argv[4]);
    Muster__V1__WatchTicketResponse *end = watch(client, first->ticket->ticket_id);
    if (end->match == NULL) {
        fprintf(stderr, "no match: %s\n", end->ticket->reason);
        return 1;
    }
    printf("match %s in %s, quality %.0f\n", end->match->match_id, end->match->region,
           end->match->quality);
    for (size_t i = 0; i < end->match->n_teams; i++)
        for (size_t k = 0; k < end->match->teams[i]->n_players; k++)
            printf("%s: %s\n", end->match->teams[i]->name,
                   end->match->teams[i]->players[k]->player_id);
    muster_free(first);
    muster_free(second);
    muster_free(end);
    muster_close(client);
    return 0;
}
