/* command.c - what the subcommands share. */
#include "app/command.h"

#include "wire/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

extern char **environ;

/* MUSTER_* variables that some command reads: one environment serves them all. */
static const char *const shared_names[] = {
    "MUSTER_ADMIN_TOKEN",
    "MUSTER_AFTER",
    "MUSTER_ALLOW_SHRINKING",
    "MUSTER_API",
    "MUSTER_API_LISTEN",
    "MUSTER_AUTHOR",
    "MUSTER_BATCH",
    "MUSTER_BRIDGE",
    "MUSTER_BRIDGE_API",
    "MUSTER_BRIDGE_EVENTS",
    "MUSTER_BRIDGE_LISTEN",
    "MUSTER_BUDGET",
    "MUSTER_CANCEL_TICKETS",
    "MUSTER_CANCEL_UNFIT",
    "MUSTER_COMMENT",
    "MUSTER_COMPARE",
    "MUSTER_CONFIG",
    "MUSTER_CONNECTIONS_MAX",
    "MUSTER_CONNECTIONS_PER_IP_MAX",
    "MUSTER_CONNECT_TIMEOUT_MS",
    "MUSTER_DASHBOARD",
    "MUSTER_DOOR",
    "MUSTER_DRAIN",
    "MUSTER_DRAIN_MS",
    "MUSTER_DURABILITY",
    "MUSTER_DURATION",
    "MUSTER_EVENTS",
    "MUSTER_EVENTS_LISTEN",
    "MUSTER_EXPORT",
    "MUSTER_HASH_LISTS",
    "MUSTER_JOURNAL",
    "MUSTER_JOURNAL_KEEP_MS",
    "MUSTER_JOURNAL_QUEUE",
    "MUSTER_JSON",
    "MUSTER_KEEP",
    "MUSTER_LEASE_MS",
    "MUSTER_LIMIT",
    "MUSTER_LOG_FORMAT",
    "MUSTER_LOG_LEVEL",
    "MUSTER_MATCH",
    "MUSTER_MATCHER",
    "MUSTER_MATCHER_LISTEN",
    "MUSTER_MATCHER_REMOTE",
    "MUSTER_METRICS",
    "MUSTER_METRICS_LISTEN",
    "MUSTER_OPERATION_MS",
    "MUSTER_OPTIMUM",
    "MUSTER_ORIGINS",
    "MUSTER_OVER",
    "MUSTER_PAYLOAD_BYTES_MAX",
    "MUSTER_PING_INTERVAL_MS",
    "MUSTER_PING_TIMEOUT_MS",
    "MUSTER_PLAYER",
    "MUSTER_PLAYERS",
    "MUSTER_PRINT",
    "MUSTER_QUEUE",
    "MUSTER_QUEUES",
    "MUSTER_QUEUE_BYTES_MAX",
    "MUSTER_RATE",
    "MUSTER_REALM",
    "MUSTER_REASON",
    "MUSTER_REDIS",
    "MUSTER_REPLAY_LISTEN",
    "MUSTER_REPLAY_REMOTE",
    "MUSTER_REQUEST_ID",
    "MUSTER_REQUEUE",
    "MUSTER_ROLES",
    "MUSTER_RULESET",
    "MUSTER_SAMPLE",
    "MUSTER_SEED",
    "MUSTER_SEEDS",
    "MUSTER_SERVER",
    "MUSTER_SET",
    "MUSTER_SOCKETIO_PATH",
    "MUSTER_STATE",
    "MUSTER_SVG",
    "MUSTER_THREADS",
    "MUSTER_TICKETS",
    "MUSTER_TICKET_KEEP_MS",
    "MUSTER_TIMEOUT",
    "MUSTER_TIMEOUT_MS",
    "MUSTER_TLS_CERT",
    "MUSTER_TLS_KEY",
    "MUSTER_TRACEPARENT",
    "MUSTER_TRANSPORTS",
    "MUSTER_UPGRADE_TIMEOUT_MS",
    "MUSTER_VERSION",
};

static bool wants_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

int command_options(struct config *c, int *argc, char **argv, const char *usage) {
    if (wants_help(*argc, argv)) {
        struct strbuf text = {0};
        config_help(c, &text);
        printf("%s\noptions:\n%.*s", usage, STR_PRINT(strbuf_str(&text)));
        strbuf_fini(&text);
        return EXIT_CODE_OK;
    }
    struct err_text why;
    c->others = shared_names;
    c->other_count = sizeof shared_names / sizeof shared_names[0];
    enum err code = config_read_environment(c, environ, &why);
    if (code == ERR_OK) {
        int operands = *argc - 1;
        code = config_read_flags(c, &operands, argv + 1, &why);
        *argc = operands + 1;
    }
    /* The highest source of a value wins whatever is read first, so the file, whose name may come
     * from the environment or a flag, is read last. Each table begins with it. */
    const char *file = *(char **)c->target;
    assert(strcmp(c->rows[0].name, "config") == 0 && c->rows[0].offset == 0);
    if (code == ERR_OK && file[0]) code = config_read_file(c, file, &why);
    if (code == ERR_OK) return -1;
    (void)command_fail(code, &why); /* the exit code is usage's, whatever was wrong */
    return EXIT_CODE_USAGE;
}

static int exit_code_of(enum err code) {
    switch (code) {
    case ERR_OK:
        return EXIT_CODE_OK;
    case ERR_UNAVAILABLE:
        return EXIT_CODE_UNAVAILABLE;
    case ERR_DEADLINE_EXCEEDED:
        return EXIT_CODE_DEADLINE;
    default:
        return EXIT_CODE_REFUSED;
    }
}

int command_fail(enum err code, const struct err_text *why) {
    fprintf(stderr, "muster: %s: %s\n", err_name(code), why->text);
    return exit_code_of(code);
}

int command_fail_status(const struct muster_status *status) {
    struct err_text why = {0};
    snprintf(why.text, sizeof why.text, "%s", status->message);
    return command_fail(err_from_code(status->code), &why);
}

struct muster_client *command_client(const struct client_options *o) {
    struct muster_client *client = NULL;
    struct muster_status status;
    struct muster_options options = {.api = o->api, .timeout_ms = (uint32_t)o->timeout_ms};
    if (muster_open(&client, &options, &status) == MUSTER_OK) return client;
    (void)command_fail_status(&status); /* the caller returns its own code */
    return NULL;
}

enum err command_read_file(const char *path, size_t limit, struct strbuf *out,
                           struct err_text *why) {
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!f) return err_set(why, ERR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    enum err code = ERR_OK;
    while (code == ERR_OK) {
        char *at = strbuf_reserve(out, 65536);
        size_t got = fread(at, 1, 65536, f);
        out->size += got;
        if (out->size > limit)
            code = err_set(why, ERR_INVALID_ARGUMENT, "%s is larger than %zu bytes", path, limit);
        if (got == 0) break;
    }
    if (code == ERR_OK && ferror(f))
        code = err_set(why, ERR_INVALID_ARGUMENT, "cannot read %s: %s", path, strerror(errno));
    if (f != stdin) fclose(f);
    return code;
}

void command_print(const ProtobufCMessage *m) {
    struct strbuf text = {0};
    json_from_message(m, &text);
    printf("%.*s\n", STR_PRINT(strbuf_str(&text)));
    fflush(stdout);
    strbuf_fini(&text);
}

int command_tell(const struct muster_status *status, void *answer, const ProtobufCMessage *told) {
    int end = answer ? EXIT_CODE_OK : command_fail_status(status);
    if (answer) command_print(told);
    muster_free(answer);
    return end;
}

ProtobufCMessage *command_read_message(const char *path, const ProtobufCMessageDescriptor *type,
                                       int *end) {
    enum { MESSAGE_BYTES = 1048576 };
    struct strbuf json = {0};
    struct err_text why = {0};
    ProtobufCMessage *message = NULL;
    enum err code = command_read_file(path, MESSAGE_BYTES, &json, &why);
    if (code == ERR_OK) code = json_to_message(strbuf_str(&json), type, &message, &why);
    strbuf_fini(&json);
    *end = code == ERR_OK ? EXIT_CODE_OK : command_fail(code, &why);
    return message;
}

const char *command_verb(int argc, char **argv, const char *const *verbs, size_t verb_count,
                         const char *usage) {
    for (size_t i = 0; argc > 1 && i < verb_count; i++)
        if (strcmp(argv[1], verbs[i]) == 0) return argv[1];
    const char *near = argc > 1 ? str_nearest(str_of(argv[1]), verbs, verb_count) : NULL;
    if (argc > 1) {
        fprintf(stderr, "muster %s: unknown verb \"%s\"%s%s%s\n", argv[0], argv[1],
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    fputs(usage, stderr);
    return NULL;
}

bool command_operands(int argc, char **argv, int count, const char *usage) {
    if (argc - 2 == count) return true;
    fprintf(stderr, "muster %s %s: takes %d operand%s, got %d\n", argv[0], argv[1], count,
            count == 1 ? "" : "s", argc - 2);
    fputs(usage, stderr);
    return false;
}

bool command_operands_from(int argc, char **argv, int count, const char *usage) {
    if (argc - 2 >= count) return true;
    fprintf(stderr, "muster %s %s: takes at least %d operands, got %d\n", argv[0], argv[1], count,
            argc - 2);
    fputs(usage, stderr);
    return false;
}

bool command_no_operands(int argc, char **argv, const char *usage) {
    if (argc == 1) return true;
    fprintf(stderr, "muster %s: takes no operands, got \"%s\"\n", argv[0], argv[1]);
    fputs(usage, stderr);
    return false;
}
