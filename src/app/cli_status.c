/* cli_status.c - `muster status`: what a server says of itself. */
#include "app/command.h"

#include <inttypes.h>
#include <stdio.h>

struct status_options {
    struct client_options client;
    bool json;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "print the whole answer as JSON",
     offsetof(struct status_options, json)},
};

static const char usage[] = "usage: muster status [--json]\n\n"
                            "Exit code 0 when the server's matcher leads its realm, 3 otherwise.\n";

static void print_status(const Muster__V1__GetStatusResponse *s) {
    printf("version   %s\nrealm     %s\nroles    ", s->version, s->realm);
    for (size_t i = 0; i < s->n_roles; i++)
        printf(" %s", s->roles[i]);
    printf("\nrole      %s\nposition  %" PRIu64 "-%" PRIu64 "\nuptime    %" PRId64 " s\n",
           s->leading ? "leader" : "standby", s->epoch, s->seq, s->uptime_ms / 1000);
    if (s->lease_age_ms >= 0)
        printf("lease     seen renewed %" PRId64 " ms ago\n", s->lease_age_ms);
    if (!s->leading && s->lag_ms >= 0)
        printf("lag       %" PRIu64 " entries at its last look, %" PRId64 " ms ago\n",
               s->lag_entries, s->lag_ms);
    if (s->trouble[0]) printf("trouble   %s\n", s->trouble);
    printf("queues    %u\nqueued    %" PRIu64 " tickets\nmatches   %" PRIu64 " kept\n",
           s->queue_count, s->tickets_queued, s->matches_kept);
}

static int show(const struct status_options *o) {
    struct muster_client *client = command_client(&o->client);
    if (!client) return EXIT_CODE_USAGE;
    Muster__V1__GetStatusRequest request = MUSTER__V1__GET_STATUS_REQUEST__INIT;
    Muster__V1__GetStatusResponse *answer = NULL;
    struct muster_status status;
    int end;
    if (muster_get_status(client, &request, NULL, &answer, &status) != MUSTER_OK) {
        end = command_fail_status(&status);
    } else {
        if (o->json)
            command_print(&answer->base);
        else
            print_status(answer);
        end = answer->leading ? EXIT_CODE_OK : EXIT_CODE_UNAVAILABLE;
    }
    muster_free(answer);
    muster_close(client);
    return end;
}

int status_command(int argc, char **argv) {
    struct status_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) end = command_no_operands(argc, argv, usage) ? show(&o) : EXIT_CODE_USAGE;
    config_fini(&c);
    return end;
}
