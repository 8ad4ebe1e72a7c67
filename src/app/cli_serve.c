/* cli_serve.c - `muster serve`: options, signals, the sample queues, ready, and the end. */
#include "app/command.h"
#include "app/serve.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "wire/queue_json.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STOP_LIMIT_S = 10, READY_POLL_MS = 5, EXIT_STOP_STUCK = 70 };

static const char usage[] =
    "usage: muster serve [options]\n\n"
    "Runs the server in the foreground. Prints each door on stdout, then `ready`.\n"
    "SIGTERM or SIGINT stops it in order within 10 s and --drain-ms; SIGKILL is supported: "
    "nothing\n"
    "that was acknowledged is lost.\n";

static void raise_file_limit(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        LOG_WARN("file-limit", "error=%s", log_quote(str_of(strerror(errno))));
}

static void setup_log(const struct serve_options *o) {
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    int level = LOG_LEVEL_INFO;
    for (int i = 0; i < 4; i++)
        if (strcmp(o->log_level, levels[i]) == 0) level = i;
    log_setup((enum log_level)level,
              strcmp(o->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
}

/* Checks the file when `client` is NULL, else puts each of its queues. No file: nothing to do. */
static enum err put_queues(struct muster_client *client, const struct serve_options *o,
                           struct err_text *why) {
    if (!o->queues[0]) return ERR_OK;
    struct strbuf file = {0};
    struct queue_texts texts = {0};
    enum err code = command_read_file(o->queues, (size_t)LIMIT_RULESET_BYTES * 64, &file, why);
    struct problem fault;
    if (code == ERR_OK) {
        code = queue_json_split(strbuf_str(&file), &texts, &fault);
        if (code) problem_text(&fault, why);
    }
    for (size_t i = 0; code == ERR_OK && i < texts.count; i++) {
        struct queue_def *def = NULL;
        code = queue_json_parse(texts.at[i], o->allow_shrinking, &def, NULL, why);
        queue_def_free(def);
        if (code != ERR_OK || !client) continue;
        Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
        put.definition_json = (char *)texts.at[i].at;
        put.allow_shrinking = o->allow_shrinking;
        Muster__V1__PutQueueResponse *answer = NULL;
        struct muster_status status;
        if (muster_put_queue(client, &put, NULL, &answer, &status) != MUSTER_OK)
            code = err_set(why, err_from_code(status.code), "%s", status.message);
        else if (answer->changed)
            LOG_INFO("queue-put", "queue=%s version=%u", answer->queue->name,
                     answer->queue->version);
        muster_free(answer);
    }
    queue_texts_fini(&texts);
    strbuf_fini(&file);
    return code;
}

static enum err put_sample(const struct server *s, const struct serve_options *o,
                           struct err_text *why) {
    if (!o->queues[0]) return ERR_OK;
    if (!server_api(s))
        return err_set_field(why, ERR_INVALID_ARGUMENT, "queues",
                             "--queues needs the api role in this process, or use "
                             "`muster queue put`");
    if (!server_reaches_leader(s)) {
        LOG_WARN("queues-not-put",
                 "file=%s text=\"this process stands by and knows no leader: "
                 "set matcher-remote\"",
                 log_quote(str_of(o->queues)));
        return ERR_OK;
    }
    struct client_options c = {.api = (char *)server_api(s), .timeout_ms = 30000};
    struct muster_client *client = command_client(&c);
    if (!client) return err_set(why, ERR_INTERNAL, "cannot open a client to the own api");
    enum err code = put_queues(client, o, why);
    muster_close(client);
    return code;
}

/* Waits for a signal, at most `timeout_ms` (-1: no end). Returns it, 0 when none came. */
static int wait_signal(int fd, int timeout_ms) {
    struct pollfd p = {fd, POLLIN, 0};
    struct signalfd_siginfo info;
    if (poll(&p, 1, timeout_ms) <= 0) return 0;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static int block_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigprocmask(SIG_BLOCK, set, NULL);
    return signalfd(-1, set, SFD_CLOEXEC);
}

static void end_at_once(int signal_number) {
    static const char late[] = "muster: did not stop in time; ending at once\n";
    static const char again[] = "muster: interrupted again; ending at once\n";
    bool alarmed = signal_number == SIGALRM;
    if (write(STDERR_FILENO, alarmed ? late : again, alarmed ? sizeof late - 1 : sizeof again - 1) <
        0)
        _exit(EXIT_STOP_STUCK);
    _exit(EXIT_STOP_STUCK);
}

/* A supervisor may repeat SIGTERM (timeout(1) always sends two), and the alarm bounds the stop
 * anyway; who presses Ctrl-C twice does not want to wait. */
static void bound_stop(const sigset_t *blocked, int64_t drain_ms) {
    signal(SIGALRM, end_at_once);
    signal(SIGINT, end_at_once);
    signal(SIGTERM, SIG_IGN);
    alarm(STOP_LIMIT_S + (unsigned)(drain_ms / 1000));
    sigprocmask(SIG_UNBLOCK, blocked, NULL);
}

static int run(const struct serve_options *o) {
    sigset_t set;
    struct err_text why = {0};
    int signals = block_signals(&set);
    struct server *s = NULL;
    enum err code = put_queues(NULL, o, &why); /* a bad file ends it before anything is opened */
    if (code == ERR_OK) code = server_start(&s, o, &why);
    if (code != ERR_OK) return command_fail(code, &why);
    int stop = 0;
    while (!stop && !server_ready(s))
        stop = wait_signal(signals, READY_POLL_MS);
    if (!stop) {
        code = put_sample(s, o, &why);
        if (code == ERR_OK) {
            server_print(s);
            puts("ready");
            fflush(stdout);
            stop = wait_signal(signals, -1);
        }
    }
    LOG_INFO("stopping", "signal=%d", stop);
    bound_stop(&set, o->drain_ms);
    server_stop(s);
    close(signals);
    LOG_INFO("stopped", "code=%s", err_name(code));
    return code == ERR_OK ? EXIT_CODE_OK : command_fail(code, &why);
}

/* Returns -1 to go on, else the exit code. */
static int read_config(struct config *c, const struct serve_options *o, int argc, char **argv) {
    struct err_text why = {0};
    int end = command_options(c, &argc, argv, usage);
    if (end >= 0) return end;
    enum err code = ERR_OK;
    if (argc > 1)
        code = err_set(&why, ERR_INVALID_ARGUMENT, "serve takes no operands, got \"%s\"", argv[1]);
    if (code == ERR_OK) code = server_check(o, &why);
    if (code == ERR_OK) return -1;
    (void)command_fail(code, &why); /* the exit code is usage's, whatever was wrong */
    return EXIT_CODE_USAGE;
}

static int print_config(const struct config *c) {
    struct strbuf text = {0};
    config_print(c, &text);
    printf("%.*s", STR_PRINT(strbuf_str(&text)));
    strbuf_fini(&text);
    return EXIT_CODE_OK;
}

/* deploy/REFERENCE.md. */
static int print_reference(const struct config *c) {
    struct strbuf text = {0};
    strbuf_add_str(&text,
                   STR("# Reference\n\nWhat `muster serve --print-reference` prints; a test "
                       "compares.\n\n## Options\n\nEach as a flag `--lease-ms 500`, in the "
                       "environment `MUSTER_LEASE_MS=500`, and in a file\n(`--config`) "
                       "`lease-ms = 500`. A flag counts before the environment, that before the "
                       "file.\n\n"));
    config_reference(c, &text);
    strbuf_add_str(&text,
                   STR("\n## Metrics\n\nOn `http://METRICS-LISTEN/metrics`, beside the usual "
                       "`process_…`. Counters count from the start of the process.\n\n"));
    metrics_reference(&text);
    printf("%.*s", STR_PRINT(strbuf_str(&text)));
    strbuf_fini(&text);
    return EXIT_CODE_OK;
}

static int check_config(const struct serve_options *o) {
    struct err_text why = {0};
    enum err code = put_queues(NULL, o, &why);
    if (code != ERR_OK) return command_fail(code, &why);
    puts("configuration ok");
    return EXIT_CODE_OK;
}

int serve_command(int argc, char **argv) {
    struct serve_options o = {0};
    struct config c;
    config_init(&c, serve_rows, serve_row_count, &o);
    int end = read_config(&c, &o, argc, argv);
    if (end < 0) {
        setup_log(&o);
        raise_file_limit();
        end = o.print_config      ? print_config(&c)
              : o.print_reference ? print_reference(&c)
              : o.check_config    ? check_config(&o)
                                  : run(&o);
    }
    config_fini(&c);
    return end;
}
