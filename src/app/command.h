/* command.h - the subcommands of `muster`, and what they share: exit codes, errors, the client.
 */
#ifndef MUSTER_APP_COMMAND_H
#define MUSTER_APP_COMMAND_H

#include "base/config.h"
#include "base/err.h"
#include "base/str.h"

#include <muster/client.h>

/* Exit codes: for scripts as well as people. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_REFUSED = 1,     /* the server, or a check, said no */
    EXIT_CODE_USAGE = 2,       /* the command line or configuration is wrong */
    EXIT_CODE_UNAVAILABLE = 3, /* no server, or it cannot serve now */
    EXIT_CODE_DEADLINE = 4,    /* no answer in time */
};

/* argv[0] is the subcommand's name. */
typedef int (*command_fn)(int argc, char **argv);

int serve_command(int argc, char **argv);
int queue_command(int argc, char **argv);
int ticket_command(int argc, char **argv);
int match_command(int argc, char **argv);
int backfill_command(int argc, char **argv);
int events_command(int argc, char **argv);
int status_command(int argc, char **argv);
int demo_command(int argc, char **argv);
int sim_command(int argc, char **argv);
int bench_command(int argc, char **argv);

/* Options that every client command takes. First member of their option structs. */
struct client_options {
    char *config; /* first in every command's options */
    char *api;
    int64_t timeout_ms;
};

/* The rows of struct client_options, for the head of a command's table. */
#define CLIENT_ROWS                                                                          \
    {"config",                                                                               \
     CONFIG_TEXT,                                                                            \
     "",                                                                                     \
     0,                                                                                      \
     0,                                                                                      \
     "",                                                                                     \
     NULL,                                                                                   \
     "read options from this file: lines of `name = value`",                                 \
     offsetof(struct client_options, config)},                                               \
        {"api",                                                                              \
         CONFIG_TEXT,                                                                        \
         "tcp://127.0.0.1:7600",                                                             \
         0,                                                                                  \
         0,                                                                                  \
         "",                                                                                 \
         NULL,                                                                               \
         "address of the RPC API",                                                           \
         offsetof(struct client_options, api)},                                              \
    {                                                                                        \
        "timeout-ms", CONFIG_INT, "5000", 1, 60000, "ms", NULL, "patience with one request", \
            offsetof(struct client_options, timeout_ms)                                      \
    }

/* Reads environment, flags and the configuration file into c->target; prints the error, or the help
 * when --help is among the arguments. Returns -1 to go on, else the exit code. *argc and argv keep
 * the operands (argv[0] stays the name). */
int command_options(struct config *c, int *argc, char **argv, const char *usage);
/* Prints "muster: CODE: message" to stderr; returns the exit code that fits. */
int command_fail(enum err code, const struct err_text *why);
int command_fail_status(const struct muster_status *status);
/* Opens the client or prints why not. NULL on failure. */
struct muster_client *command_client(const struct client_options *o);
/* The whole file, or stdin for "-", at most `limit` bytes. INVALID_ARGUMENT, NOT_FOUND. */
enum err command_read_file(const char *path, size_t limit, struct strbuf *out,
                           struct err_text *why) ERR_CHECKED;
/* The message of this type that the file, or stdin, has as JSON; muster_free. NULL: it says why
 * not, and `*end` is the exit code. */
ProtobufCMessage *command_read_message(const char *path, const ProtobufCMessageDescriptor *type,
                                       int *end);
/* argv[1] when it is one of the verbs; else prints what is allowed and gives NULL. */
const char *command_verb(int argc, char **argv, const char *const *verbs, size_t verb_count,
                         const char *usage);
/* Whether exactly `count` operands follow the verb (argv[0] name, argv[1] verb); says so if not. */
bool command_operands(int argc, char **argv, int count, const char *usage);
/* Whether at least `count` operands follow the verb; says so if not. */
bool command_operands_from(int argc, char **argv, int count, const char *usage);
/* For commands without verbs: whether nothing follows the name; says so if not. */
bool command_no_operands(int argc, char **argv, const char *usage);
/* Prints a message as a line of JSON on stdout. */
void command_print(const ProtobufCMessage *m);
/* Ends a verb that is one call: frees its answer, which is NULL when the call failed, and prints
 * `told` of it, or the status. Returns the exit code. */
int command_tell(const struct muster_status *status, void *answer, const ProtobufCMessage *told);

#endif
