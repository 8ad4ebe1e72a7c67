/* cli_bench.c - `muster bench`: a workload through a server's real doors, measured. */
#include "app/bench.h"
#include "app/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_settings {
    struct client_options client;
    char *events, *bridge, *realm, *metrics, *redis, *server, *door, *rate, *duration;
    int64_t seed, batch, drain_s;
    bool keep, list, json;
};

#define AT(field) offsetof(struct bench_settings, field)
static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"events", CONFIG_TEXT, "tcp://127.0.0.1:7601", 0, 0, "", NULL, "address of the event stream",
     AT(events)},
    {"bridge", CONFIG_TEXT, "http://127.0.0.1:7602", 0, 0, "", NULL, "address of the bridge",
     AT(bridge)},
    {"metrics", CONFIG_TEXT, "http://127.0.0.1:7603", 0, 0, "", NULL,
     "metrics doors to read CPU and memory from: URL or NAME=URL, comma-separated; empty: none",
     AT(metrics)},
    {"redis", CONFIG_TEXT, "", 0, 0, "", NULL,
     "the server's Redis, to read its cost as well; of an embedded one unix:STATE/redis.sock",
     AT(redis)},
    {"realm", CONFIG_TEXT, "default", 0, 0, "", NULL, "the realm the server serves", AT(realm)},
    {"server", CONFIG_CHOICE, "given", 0, 0, "", "given|one|split",
     "given: the one at these addresses; one, split: a server of its own, in a process or a "
     "process "
     "per role",
     AT(server)},
    {"door", CONFIG_CHOICE, "rpc", 0, 0, "", "rpc|batch|socket",
     "how tickets come: a call each, calls of many, or Socket.IO players", AT(door)},
    {"rate", CONFIG_TEXT, "0", 0, 0, "1/s", NULL,
     "tickets per second; 0: the workload's own. Not of those that come at once", AT(rate)},
    {"duration", CONFIG_TEXT, "10", 0, 0, "s", NULL, "how long tickets come", AT(duration)},
    {"drain", CONFIG_INT, "15", 0, 3600, "s", NULL,
     "how long to wait for matches after the last ticket, at most", AT(drain_s)},
    {"batch", CONFIG_INT, "100", 1, 1000, "", NULL, "most tickets of a call through the batch door",
     AT(batch)},
    {"seed", CONFIG_INT, "1", 0, INT64_MAX, "", NULL, "seed of the arrivals", AT(seed)},
    {"keep", CONFIG_BOOL, "false", 0, 0, "", NULL, "leave the queue and what waits in it",
     AT(keep)},
    {"list", CONFIG_ACTION, "false", 0, 0, "", NULL, "list the workloads", AT(list)},
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "print one JSON object instead of the table",
     AT(json)},
};

static const char usage[] =
    "usage: muster bench WORKLOAD [--door rpc|batch|socket] [--rate R] [--duration S] [--json]\n"
    "                             [--server one|split]\n"
    "       muster bench --list\n"
    "\n"
    "Offers a server the tickets of a named workload through its real doors, and says how many a\n"
    "second it took and matched, how long each waited for its answer and its match, what CPU,\n"
    "memory and disk a ticket cost, and what the matches were worth.\n"
    "Arrivals are an open loop: every time counts from the instant at which the ticket was due,\n"
    "so a server that stalls is seen to. The queue has a name of its own and is deleted at the "
    "end.\n"
    "Exit code 1 when a ticket failed, was lost or was matched twice, or when the server counted\n"
    "something else.\n";

static enum err read_number(const char *name, const char *text, double *out, struct err_text *why) {
    if (str_to_double(str_of(text), out) && *out >= 0 && *out <= 1e7) return ERR_OK;
    return err_set_field(why, ERR_INVALID_ARGUMENT, name, "%s is \"%s\", allowed is 0..10000000",
                         name, text);
}

static enum err read_settings(const struct bench_settings *s, struct bench_options *o,
                              struct err_text *why) {
    o->arrivals.seed = (uint64_t)s->seed;
    o->door.kind = strcmp(s->door, "rpc") == 0     ? BENCH_RPC
                   : strcmp(s->door, "batch") == 0 ? BENCH_BATCH
                                                   : BENCH_SOCKET;
    o->door.api = s->client.api;
    o->door.bridge = s->bridge;
    o->door.timeout_ms = (uint32_t)s->client.timeout_ms;
    o->door.batch = (size_t)s->batch;
    o->events = s->events;
    o->realm = s->realm;
    o->metrics = s->metrics;
    o->redis = s->redis;
    o->split = strcmp(s->server, "split") == 0;
    o->own = o->split || strcmp(s->server, "one") == 0;
    o->keep = s->keep;
    o->drain_s = (double)s->drain_s;
    enum err code = read_number("rate", s->rate, &o->arrivals.rate, why);
    if (code == ERR_OK) code = read_number("duration", s->duration, &o->arrivals.duration_s, why);
    if (code == ERR_OK && o->arrivals.duration_s == 0)
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "duration", "duration must be above 0");
    return code;
}

static int measure(const struct bench_settings *s, const char *workload) {
    struct bench_options o = {.arrivals = {.workload = workload}};
    struct bench_result *r = mem_alloc(sizeof *r);
    struct err_text why = {0};
    struct strbuf text = {0};
    int end;
    enum err code = read_settings(s, &o, &why);
    if (code == ERR_OK) code = bench_run(r, &o, &why);
    if (code == ERR_OK) {
        (s->json ? bench_report_json : bench_report_table)(r, &o, &text);
        printf("%.*s%s", STR_PRINT(strbuf_str(&text)), s->json ? "\n" : "");
        end = bench_result_good(r) ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
    } else {
        end = command_fail(code, &why);
        if (code == ERR_INVALID_ARGUMENT) end = EXIT_CODE_USAGE;
    }
    strbuf_fini(&text);
    bench_result_fini(r);
    mem_free(r);
    return end;
}

static int list(void) {
    struct strbuf text = {0};
    arrivals_describe(&text);
    printf("%.*s", STR_PRINT(strbuf_str(&text)));
    strbuf_fini(&text);
    return EXIT_CODE_OK;
}

int bench_command(int argc, char **argv) {
    struct bench_settings s = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &s);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0 && s.list) end = list();
    if (end < 0 && argc != 2) {
        fprintf(stderr, "muster bench: takes one workload, got %d operands\n%s", argc - 1, usage);
        end = EXIT_CODE_USAGE;
    }
    if (end < 0) end = measure(&s, argv[1]);
    config_fini(&c);
    return end;
}
