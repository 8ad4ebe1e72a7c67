/* cli_match.c - `muster match`: look, answer a proposal, assign, complete, cancel, leave. */
#include "app/command.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

struct match_options {
    struct client_options client;
    char *queue;
    int64_t limit;
    char *reason;
    bool requeue;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"queue", CONFIG_TEXT, "", 0, 0, "", NULL, "list: only this queue's",
     offsetof(struct match_options, queue)},
    {"limit", CONFIG_INT, "100", 1, 1000000, "", NULL, "list: at most so many, newest first",
     offsetof(struct match_options, limit)},
    {"reason", CONFIG_TEXT, "", 0, 0, "", NULL, "cancel: told to the players",
     offsetof(struct match_options, reason)},
    {"requeue", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "cancel: its tickets wait again, as old as they were",
     offsetof(struct match_options, requeue)},
};

static const char usage[] =
    "usage: muster match get ID | list [--queue NAME] [--limit N]\n"
    "                    accept ID PLAYER... | decline ID PLAYER...\n"
    "                    assign ID CONNECTION | complete ID [TEAM=RANK[:SCORE]]...\n"
    "                    cancel ID [--reason TEXT] [--requeue] | leave ID PLAYER...\n\n"
    "accept and decline answer for players of a proposed match. assign tells where to play,\n"
    "complete who won (rank 1 is best). leave takes players out of a match that goes on.\n"
    "Prints matches as JSON lines.\n";

static int get_match(struct muster_client *client, const char *id) {
    Muster__V1__GetMatchRequest request = MUSTER__V1__GET_MATCH_REQUEST__INIT;
    request.match_id = (char *)id;
    Muster__V1__GetMatchResponse *answer = NULL;
    struct muster_status status;
    (void)muster_get_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

static int list_matches(struct muster_client *client, const struct match_options *o) {
    Muster__V1__ListMatchesRequest request = MUSTER__V1__LIST_MATCHES_REQUEST__INIT;
    struct muster_status status;
    char token[64] = "";
    int64_t left = o->limit;
    request.queue = o->queue;
    do {
        Muster__V1__ListMatchesResponse *answer = NULL;
        request.page_token = token;
        request.page_size = left < 1000 ? (uint32_t)left : 1000;
        if (muster_list_matches(client, &request, NULL, &answer, &status) != MUSTER_OK)
            return command_fail_status(&status);
        for (size_t i = 0; i < answer->n_matches; i++)
            command_print(&answer->matches[i]->base);
        left -= (int64_t)answer->n_matches;
        snprintf(token, sizeof token, "%s", answer->next_page_token);
        muster_free(answer);
    } while (token[0] && left > 0);
    return EXIT_CODE_OK;
}

/* `operands`: the match, then players. */
static int accept_match(struct muster_client *client, int count, char **operands) {
    Muster__V1__AcceptMatchRequest request = MUSTER__V1__ACCEPT_MATCH_REQUEST__INIT;
    Muster__V1__AcceptMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = operands[0];
    request.player_ids = operands + 1;
    request.n_player_ids = (size_t)count - 1;
    (void)muster_accept_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

static int decline_match(struct muster_client *client, int count, char **operands) {
    Muster__V1__DeclineMatchRequest request = MUSTER__V1__DECLINE_MATCH_REQUEST__INIT;
    Muster__V1__DeclineMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = operands[0];
    request.player_ids = operands + 1;
    request.n_player_ids = (size_t)count - 1;
    (void)muster_decline_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

static int assign_match(struct muster_client *client, char **operands) {
    Muster__V1__AssignMatchRequest request = MUSTER__V1__ASSIGN_MATCH_REQUEST__INIT;
    Muster__V1__AssignMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = operands[0];
    request.connection = operands[1];
    (void)muster_assign_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

/* "red=1" or "red=1:12.5"; cuts the operand at its marks. */
static bool read_result(char *operand, Muster__V1__TeamResult *out) {
    *out = (Muster__V1__TeamResult)MUSTER__V1__TEAM_RESULT__INIT;
    char *rank = strrchr(operand, '=');
    if (!rank) return false;
    *rank++ = '\0';
    char *score = strchr(rank, ':');
    if (score) *score++ = '\0';
    int64_t number;
    out->team = operand;
    bool ok = str_to_int64(str_of(rank), &number) && number >= 1 && number <= LIMIT_TEAMS;
    out->rank = ok ? (uint32_t)number : 0;
    return ok && (!score || str_to_double(str_of(score), &out->score));
}

static int complete_match(struct muster_client *client, int count, char **operands) {
    Muster__V1__TeamResult results[LIMIT_TEAMS], *pointers[LIMIT_TEAMS];
    Muster__V1__CompleteMatchRequest request = MUSTER__V1__COMPLETE_MATCH_REQUEST__INIT;
    Muster__V1__CompleteMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = operands[0];
    request.results = pointers;
    for (int i = 1; i < count && i <= LIMIT_TEAMS; i++) {
        pointers[i - 1] = &results[i - 1];
        if (!read_result(operands[i], &results[i - 1])) {
            fprintf(stderr,
                    "muster match complete: a result is TEAM=RANK or TEAM=RANK:SCORE, "
                    "with a rank of 1..%d\n",
                    LIMIT_TEAMS);
            return EXIT_CODE_USAGE;
        }
        request.n_results++;
    }
    (void)muster_complete_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

static int cancel_match(struct muster_client *client, const char *id,
                        const struct match_options *o) {
    Muster__V1__CancelMatchRequest request = MUSTER__V1__CANCEL_MATCH_REQUEST__INIT;
    Muster__V1__CancelMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = (char *)id;
    request.reason = o->reason;
    request.requeue = o->requeue;
    (void)muster_cancel_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

/* `operands`: the match, then players. */
static int leave_match(struct muster_client *client, int count, char **operands) {
    Muster__V1__LeaveMatchRequest request = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
    Muster__V1__LeaveMatchResponse *answer = NULL;
    struct muster_status status;
    request.match_id = operands[0];
    request.player_ids = operands + 1;
    request.n_player_ids = (size_t)count - 1;
    (void)muster_leave_match(client, &request, NULL, &answer, &status);
    return command_tell(&status, answer, answer ? &answer->match->base : NULL);
}

enum verb { GET, LIST, ACCEPT, DECLINE, ASSIGN, COMPLETE, CANCEL, LEAVE, VERBS };

static const char *const verbs[VERBS] = {"get",    "list",     "accept", "decline",
                                         "assign", "complete", "cancel", "leave"};

static bool operands_fit(enum verb verb, int argc, char **argv) {
    switch (verb) {
    case LIST:
        return command_operands(argc, argv, 0, usage);
    case ACCEPT:
    case DECLINE:
    case LEAVE:
        return command_operands_from(argc, argv, 2, usage);
    case ASSIGN:
        return command_operands(argc, argv, 2, usage);
    case COMPLETE:
        return command_operands_from(argc, argv, 1, usage);
    default:
        return command_operands(argc, argv, 1, usage);
    }
}

static int run_verb(enum verb verb, struct muster_client *client, int argc, char **argv,
                    const struct match_options *o) {
    switch (verb) {
    case LIST:
        return list_matches(client, o);
    case ACCEPT:
        return accept_match(client, argc - 2, argv + 2);
    case DECLINE:
        return decline_match(client, argc - 2, argv + 2);
    case ASSIGN:
        return assign_match(client, argv + 2);
    case COMPLETE:
        return complete_match(client, argc - 2, argv + 2);
    case CANCEL:
        return cancel_match(client, argv[2], o);
    case LEAVE:
        return leave_match(client, argc - 2, argv + 2);
    default:
        return get_match(client, argv[2]);
    }
}

static enum verb verb_of(const char *name) {
    enum verb verb = GET;
    while (strcmp(verbs[verb], name) != 0)
        verb++;
    return verb;
}

int match_command(int argc, char **argv) {
    struct match_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) {
        const char *name = command_verb(argc, argv, verbs, VERBS, usage);
        struct muster_client *client = NULL;
        end = EXIT_CODE_USAGE;
        if (name && operands_fit(verb_of(name), argc, argv)) client = command_client(&o.client);
        if (client) end = run_verb(verb_of(name), client, argc, argv, &o);
        muster_close(client);
    }
    config_fini(&c);
    return end;
}
