/* load.c - a back end for tests: queues many tickets over the typed client, and looks for them.
 *
 *   load create API QUEUE PREFIX COUNT BATCH SKILL STEP   player PREFIX-i with skill SKILL + STEP*i
 *        prints "player ticket" per acknowledged ticket, one write(2) per answer, so that killing
 *        anything never loses a line that was acknowledged
 *   load check API        reads those lines from stdin, prints "queued N matched N ended N missing
 * N wrong N": missing = the server does not know an acknowledged ticket, wrong = it names other
 * players
 */
#include <muster/client.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_MAX = 1000, TIMEOUT_MS = 60000 };

struct ticket_parts { /* one CreateTicketRequest and all it points to */
    Muster__V1__CreateTicketRequest request;
    Muster__V1__Player player;
    Muster__V1__AttributeValue skill;
    Muster__V1__Player__AttributesEntry attribute;
    Muster__V1__Player__LatenciesMsEntry latency;
    Muster__V1__Player__AttributesEntry *attributes[1];
    Muster__V1__Player__LatenciesMsEntry *latencies[1];
    Muster__V1__Player *players[1];
    char *queues[1];
    char id[64];
};

static void fill(struct ticket_parts *t, const char *queue, const char *prefix, long index,
                 double skill) {
    muster__v1__create_ticket_request__init(&t->request);
    muster__v1__player__init(&t->player);
    muster__v1__attribute_value__init(&t->skill);
    t->attribute = (Muster__V1__Player__AttributesEntry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
    t->latency = (Muster__V1__Player__LatenciesMsEntry)MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
    snprintf(t->id, sizeof t->id, "%s-%ld", prefix, index);
    t->skill.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    t->skill.number = skill;
    t->attribute.key = (char *)"skill";
    t->attribute.value = &t->skill;
    t->latency.key = (char *)"eu-west";
    t->latency.value = 30;
    t->attributes[0] = &t->attribute;
    t->latencies[0] = &t->latency;
    t->player.player_id = t->id;
    t->player.n_attributes = t->player.n_latencies_ms = 1;
    t->player.attributes = t->attributes;
    t->player.latencies_ms = t->latencies;
    t->players[0] = &t->player;
    t->queues[0] = (char *)queue;
    t->request.n_queues = t->request.n_players = 1;
    t->request.queues = t->queues;
    t->request.players = t->players;
}

static void print_acknowledged(const Muster__V1__CreateTicketsResponse *answer,
                               const struct ticket_parts *parts) {
    static char out[BATCH_MAX * 128];
    size_t size = 0;
    for (size_t i = 0; i < answer->n_ticket_ids; i++)
        if (answer->ticket_ids[i][0])
            size += (size_t)snprintf(out + size, sizeof out - size, "%s %s\n", parts[i].id,
                                     answer->ticket_ids[i]);
    if (write(STDOUT_FILENO, out, size) != (ssize_t)size) exit(5);
    for (size_t i = 0; i < answer->n_failures; i++)
        fprintf(stderr, "refused %s: %s\n", parts[answer->failures[i]->index].id,
                answer->failures[i]->status->message);
}

static int create(struct muster_client *client, char **argv) {
    const char *queue = argv[0], *prefix = argv[1];
    long count = atol(argv[2]), batch = atol(argv[3]), failed = 0;
    double skill = atof(argv[4]), step = atof(argv[5]);
    static struct ticket_parts parts[BATCH_MAX];
    static Muster__V1__CreateTicketRequest *requests[BATCH_MAX];
    if (batch < 1 || batch > BATCH_MAX) return 2;
    for (long done = 0; done < count; done += batch) {
        Muster__V1__CreateTicketsRequest request = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
        Muster__V1__CreateTicketsResponse *answer = NULL;
        struct muster_call call = {.timeout_ms = TIMEOUT_MS};
        struct muster_status status;
        long size = count - done < batch ? count - done : batch;
        for (long i = 0; i < size; i++) {
            fill(&parts[i], queue, prefix, done + i, skill + step * (double)(done + i));
            requests[i] = &parts[i].request;
        }
        request.n_tickets = (size_t)size;
        request.tickets = requests;
        if (muster_create_tickets(client, &request, &call, &answer, &status) == MUSTER_OK) {
            failed += (long)answer->n_failures;
            print_acknowledged(answer, parts);
        } else {
            fprintf(stderr, "%s: %s\n", muster_code_name(status.code), status.message);
            failed += size;
        }
        muster_free(answer);
    }
    return failed ? 1 : 0;
}

struct counts {
    long queued, matched, ended, missing, wrong;
};

static void look_at(struct muster_client *client, const char *player, char *ticket,
                    struct counts *n) {
    Muster__V1__GetTicketRequest request = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    Muster__V1__GetTicketResponse *answer = NULL;
    struct muster_call call = {.timeout_ms = TIMEOUT_MS};
    struct muster_status status;
    request.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    request.ticket_id = ticket;
    if (muster_get_ticket(client, &request, &call, &answer, &status) != MUSTER_OK) {
        fprintf(stderr, "%s %s: %s\n", player, ticket, status.message);
        n->missing++;
    } else if (answer->ticket->n_players != 1 ||
               strcmp(answer->ticket->players[0]->player_id, player) != 0) {
        n->wrong++;
    } else if (answer->ticket->state == MUSTER__V1__TICKET_STATE__QUEUED) {
        n->queued++;
    } else if (answer->ticket->state == MUSTER__V1__TICKET_STATE__MATCHED) {
        n->matched++;
    } else {
        n->ended++;
    }
    muster_free(answer);
}

static int check(struct muster_client *client) {
    struct counts n = {0};
    char player[80], ticket[40];
    while (scanf("%79s %39s", player, ticket) == 2)
        look_at(client, player, ticket, &n);
    printf("queued %ld matched %ld ended %ld missing %ld wrong %ld\n", n.queued, n.matched, n.ended,
           n.missing, n.wrong);
    return n.missing || n.wrong ? 1 : 0;
}

int main(int argc, char **argv) {
    bool creating = argc == 9 && strcmp(argv[1], "create") == 0;
    if (!creating && !(argc == 3 && strcmp(argv[1], "check") == 0)) {
        fputs("usage: load create API QUEUE PREFIX COUNT BATCH SKILL STEP | load check API\n",
              stderr);
        return 2;
    }
    struct muster_client *client = NULL;
    struct muster_options options = {.api = argv[2]};
    struct muster_status status;
    if (muster_open(&client, &options, &status) != MUSTER_OK) {
        fprintf(stderr, "%s\n", status.message);
        return 2;
    }
    int end = creating ? create(client, argv + 3) : check(client);
    muster_close(client);
    return end;
}
