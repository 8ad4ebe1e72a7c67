/* cli_backfill.c - `muster backfill`: create, get, update, cancel. */
#include "app/command.h"

#include "wire/json.h"

#include <stdio.h>
#include <string.h>

struct backfill_options {
    struct client_options client;
    char *request_id;
    bool match;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"request-id", CONFIG_TEXT, "", 0, 0, "", NULL,
     "create: makes a repeat harmless; empty takes a new one",
     offsetof(struct backfill_options, request_id)},
    {"match", CONFIG_BOOL, "false", 0, 0, "", NULL, "get: ID is a match's, for its active backfill",
     offsetof(struct backfill_options, match)},
};

static const char usage[] =
    "usage: muster backfill create FILE | get ID [--match] | update FILE | cancel ID\n\n"
    "create takes a CreateBackfillRequest as JSON (- is stdin): a running match looks for players\n"
    "for its open places. For a match of Muster's its id is enough, {\"matchId\":\"01M8...\"}.\n"
    "update takes an UpdateBackfillRequest: backfillId, and in parties who is in the match now.\n"
    "Prints backfills as JSON lines.\n";

static int create(struct muster_client *client, const char *path,
                  const struct backfill_options *o) {
    int end;
    ProtobufCMessage *request =
        command_read_message(path, &muster__v1__create_backfill_request__descriptor, &end);
    if (!request) return end;
    Muster__V1__CreateBackfillResponse *answer = NULL;
    struct muster_status status;
    struct muster_call call = {.request_id = o->request_id[0] ? o->request_id : NULL};
    (void)muster_create_backfill(client, (Muster__V1__CreateBackfillRequest *)request, &call,
                                 &answer, &status);
    muster_free(request);
    return command_tell(&status, answer, answer ? &answer->backfill->base : NULL);
}

static int get(struct muster_client *client, const char *id, const struct backfill_options *o) {
    Muster__V1__GetBackfillRequest request = MUSTER__V1__GET_BACKFILL_REQUEST__INIT;
    request.key_case = o->match ? MUSTER__V1__GET_BACKFILL_REQUEST__KEY_MATCH_ID
                                : MUSTER__V1__GET_BACKFILL_REQUEST__KEY_BACKFILL_ID;
    request.backfill_id = (char *)id;
    if (o->match) request.match_id = (char *)id;
    Muster__V1__GetBackfillResponse *answer = NULL;
    struct muster_status status;
    (void)muster_get_backfill(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->backfill->base : NULL);
}

static int update(struct muster_client *client, const char *path) {
    int end;
    ProtobufCMessage *request =
        command_read_message(path, &muster__v1__update_backfill_request__descriptor, &end);
    if (!request) return end;
    Muster__V1__UpdateBackfillResponse *answer = NULL;
    struct muster_status status;
    (void)muster_update_backfill(client, (Muster__V1__UpdateBackfillRequest *)request, NULL,
                                 &answer, &status);
    muster_free(request);
    return command_tell(&status, answer, answer ? &answer->backfill->base : NULL);
}

static int cancel(struct muster_client *client, const char *id) {
    Muster__V1__CancelBackfillRequest request = MUSTER__V1__CANCEL_BACKFILL_REQUEST__INIT;
    Muster__V1__CancelBackfillResponse *answer = NULL;
    struct muster_status status;
    request.backfill_id = (char *)id;
    (void)muster_cancel_backfill(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->backfill->base : NULL);
}

static int run_verb(const char *verb, struct muster_client *client, const char *operand,
                    const struct backfill_options *o) {
    if (strcmp(verb, "create") == 0) return create(client, operand, o);
    if (strcmp(verb, "update") == 0) return update(client, operand);
    if (strcmp(verb, "cancel") == 0) return cancel(client, operand);
    return get(client, operand, o);
}

int backfill_command(int argc, char **argv) {
    static const char *const verbs[] = {"create", "get", "update", "cancel"};
    struct backfill_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) {
        const char *verb = command_verb(argc, argv, verbs, sizeof verbs / sizeof verbs[0], usage);
        struct muster_client *client = NULL;
        end = EXIT_CODE_USAGE;
        if (verb && command_operands(argc, argv, 1, usage)) client = command_client(&o.client);
        if (client) end = run_verb(verb, client, argv[2], &o);
        muster_close(client);
    }
    config_fini(&c);
    return end;
}
