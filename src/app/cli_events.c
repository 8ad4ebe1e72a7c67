/* cli_events.c - `muster events`: follows the event stream, a JSON line each. */
#include "app/command.h"
#include "app/export.h"

#include <muster/v1/socketio.pb-c.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct events_options {
    struct client_options client;
    char *events, *realm, *queue, *after, *export_to, *hash_lists;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"events", CONFIG_TEXT, "tcp://127.0.0.1:7601", 0, 0, "", NULL, "address of the event stream",
     offsetof(struct events_options, events)},
    {"realm", CONFIG_TEXT, "default", 0, 0, "", NULL, "the realm to follow",
     offsetof(struct events_options, realm)},
    {"queue", CONFIG_TEXT, "", 0, 0, "", NULL, "only this queue's events",
     offsetof(struct events_options, queue)},
    {"after", CONFIG_TEXT, "", 0, 0, "", NULL, "start after this position, EPOCH-SEQ",
     offsetof(struct events_options, after)},
    {"export", CONFIG_TEXT, "", 0, 0, "", NULL,
     "write all recorded events into this file, players anonymised, and end",
     offsetof(struct events_options, export_to)},
    {"hash-lists", CONFIG_TEXT, "", 0, 0, "", NULL,
     "export: further attributes, comma-separated, whose lists hold players' ids",
     offsetof(struct events_options, hash_lists)},
};

static const char usage[] =
    "usage: muster events [--queue NAME] [--after EPOCH-SEQ]\n"
    "       muster events --export FILE [--hash-lists NAME,...]\n\n"
    "Prints every event once, in order, until interrupted. A line with nothing\n"
    "but a `reason` is a resync: events before it are not in the journal any more.\n"
    "--export writes what the journal still holds and ends; every player's id, and those of avoid\n"
    "lists, becomes a hash with a key that nobody keeps. `muster sim --journal FILE` replays it.\n";

static void on_event(void *arg, const Muster__V1__Event *event) {
    (void)arg; /* all goes to stdout */
    command_print(&event->base);
}

static void on_resync(void *arg, const char *reason) {
    (void)arg; /* all goes to stdout */
    Muster__V1__Resync resync = MUSTER__V1__RESYNC__INIT;
    resync.reason = (char *)reason;
    command_print(&resync.base);
}

static int follow(const struct events_options *o) {
    struct muster_subscribe_options s = {.events = o->events, .realm = o->realm};
    char topic[80];
    if (o->after[0] &&
        sscanf(o->after, "%" SCNu64 "-%" SCNu64, &s.after_epoch, &s.after_seq) != 2) {
        struct err_text why;
        (void)command_fail(err_set(&why, ERR_INVALID_ARGUMENT,
                                   "after is \"%s\", allowed is EPOCH-SEQ, two numbers", o->after),
                           &why); /* the exit code is usage's */
        return EXIT_CODE_USAGE;
    }
    snprintf(topic, sizeof topic, "%s/", o->queue);
    if (o->queue[0]) s.topic = topic;
    s.on_event = on_event;
    s.on_resync = on_resync;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before threads start, so that only sigwait sees them */
    struct muster_client *client = command_client(&o->client);
    if (!client) return EXIT_CODE_USAGE;
    struct muster_subscription *subscription = NULL;
    struct muster_status status;
    int end = EXIT_CODE_OK, got;
    if (muster_subscribe(&subscription, client, &s, &status) != MUSTER_OK)
        end = command_fail_status(&status);
    else
        sigwait(&set, &got);
    if (subscription) muster_unsubscribe(subscription);
    muster_close(client);
    return end;
}

static bool write_line(void *arg, struct str line) {
    return fwrite(line.at, 1, line.size, arg) == line.size;
}

static int export_to(const struct events_options *o) {
    struct err_text why = {0};
    struct muster_client *client = command_client(&o->client);
    if (!client) return EXIT_CODE_USAGE;
    FILE *f = fopen(o->export_to, "wb");
    struct export e = {.client = client, .hash_lists = o->hash_lists, .line = write_line, .arg = f};
    enum err code = f ? export_events(&e, &why)
                      : err_set(&why, ERR_INVALID_ARGUMENT, "cannot write %s: %s", o->export_to,
                                strerror(errno));
    if (f && fclose(f) != 0 && code == ERR_OK)
        code = err_set(&why, ERR_CANCELLED, "cannot write %s: %s", o->export_to, strerror(errno));
    muster_close(client);
    if (code != ERR_OK) return command_fail(code, &why);
    printf("%" PRIu64 " events\n", e.events);
    return EXIT_CODE_OK;
}

int events_command(int argc, char **argv) {
    struct events_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0 && !command_no_operands(argc, argv, usage)) end = EXIT_CODE_USAGE;
    if (end < 0) end = o.export_to[0] ? export_to(&o) : follow(&o);
    config_fini(&c);
    return end;
}
