/* main.c - the `muster` program: finds the subcommand and runs it. */
#include "app/command.h"
#include "base/log.h"
#include "wire/json.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int version_command(int argc, char **argv) {
    (void)argc; /* takes no arguments */
    (void)argv;
    printf("muster %s\n", MUSTER_VERSION);
    return EXIT_CODE_OK;
}

struct subcommand {
    const char *name, *text;
    command_fn run;
};

static const struct subcommand subcommands[] = {
    {"serve", "run the server: all roles, or some with --roles", serve_command},
    {"queue", "put, get, list, delete, check or explain queues", queue_command},
    {"ticket", "create, get, cancel or watch tickets", ticket_command},
    {"match", "get, list, answer, assign, complete, cancel or leave matches", match_command},
    {"backfill", "find players for running matches", backfill_command},
    {"events", "follow what happens, as JSON lines", events_command},
    {"status", "show the state of a server", status_command},
    {"demo", "play simulated players against a server", demo_command},
    {"sim", "simulate matching in virtual time, without a server", sim_command},
    {"bench", "measure a server under a named workload", bench_command},
    {"version", "print the version", version_command},
};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof subcommands[0] };

static void usage(FILE *out) {
    fputs("usage: muster COMMAND [options]\n\ncommands:\n", out);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].text);
    fputs("\n`muster COMMAND --help` lists a command's options. Each option also has an\n"
          "environment form, MUSTER_ and its name in upper case: MUSTER_LOG_LEVEL=debug.\n\n"
          "exit codes: 0 done, 1 refused, 2 wrong usage, 3 no server or it cannot serve now,\n"
          "4 no answer in time\n",
          out);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); /* hiredis writes without MSG_NOSIGNAL */
    log_setup(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    json_start();
    if (argc < 2) {
        usage(stderr);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_CODE_OK;
    }
    if (strcmp(argv[1], "--version") == 0) return version_command(argc, argv);
    const char *names[SUBCOMMAND_COUNT];
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        names[i] = subcommands[i].name;
        if (strcmp(argv[1], names[i]) == 0) return subcommands[i].run(argc - 1, argv + 1);
    }
    const char *near = str_nearest(str_of(argv[1]), names, SUBCOMMAND_COUNT);
    fprintf(stderr, "muster: unknown command \"%s\"%s%s%s\n", argv[1],
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    usage(stderr);
    return EXIT_CODE_USAGE;
}
