/* cli_match.c - `muster match`: get, list. */
#include "app/command.h"

#include <stdio.h>
#include <string.h>

struct match_options {
    struct client_options client;
    char *queue;
    int64_t limit;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"queue", CONFIG_TEXT, "", 0, 0, "", NULL, "list: only this queue's",
     offsetof(struct match_options, queue)},
    {"limit", CONFIG_INT, "100", 1, 1000000, "", NULL, "list: at most so many, newest first",
     offsetof(struct match_options, limit)},
};

static const char usage[] = "usage: muster match get ID | list [--queue NAME] [--limit N]\n\n"
                            "Prints matches as JSON lines.\n";

static int get_match(struct muster_client *client, const char *id) {
    Muster__V1__GetMatchRequest request = MUSTER__V1__GET_MATCH_REQUEST__INIT;
    request.match_id = (char *)id;
    Muster__V1__GetMatchResponse *answer = NULL;
    struct muster_status status;
    if (muster_get_match(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    command_print(&answer->match->base);
    muster_free(answer);
    return EXIT_CODE_OK;
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

int match_command(int argc, char **argv) {
    static const char *const verbs[] = {"get", "list"};
    struct match_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) {
        const char *verb = command_verb(argc, argv, verbs, 2, usage);
        bool get = verb && strcmp(verb, "get") == 0;
        struct muster_client *client = NULL;
        end = EXIT_CODE_USAGE;
        if (verb && command_operands(argc, argv, get ? 1 : 0, usage))
            client = command_client(&o.client);
        if (client) end = get ? get_match(client, argv[2]) : list_matches(client, &o);
        muster_close(client);
    }
    config_fini(&c);
    return end;
}
