/* cli_sim.c - `muster sim`: matching in virtual time, no server needed. */
#include "app/command.h"
#include "app/export.h"
#include "base/clock.h"
#include "sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDING_BYTES_MAX ((size_t)1 << 30) /* of a recording: refused above */

struct sim_settings {
    char *config; /* first in every command's options */
    char *matcher, *queue, *rate, *duration, *svg, *journal, *ruleset, *journal_queue, *set,
        *optimum, *budget;
    int64_t seed, seeds, sample, threads;
    bool json, compare;
};

static const struct config_row rows[] = {
    {"config", CONFIG_TEXT, "", 0, 0, "", NULL,
     "read options from this file: lines of `name = value`", offsetof(struct sim_settings, config)},
    {"matcher", CONFIG_TEXT, "", 0, 0, "", NULL,
     "who matches, `all`: one after another; empty: muster. compare: with whom; empty: with all",
     offsetof(struct sim_settings, matcher)},
    {"set", CONFIG_TEXT, "", 0, 0, "", NULL,
     "settings of the matcher: KNOB=NUMBER, comma-separated (patience=4,deadline=60). "
     "compare: of muster, these are not varied (deadline=0: half the timeout)",
     offsetof(struct sim_settings, set)},
    {"queue", CONFIG_TEXT, "", 0, 0, "", NULL, "file with a queue definition to play by",
     offsetof(struct sim_settings, queue)},
    {"rate", CONFIG_TEXT, "0", 0, 0, "1/s", NULL, "tickets per second; 0: the workload's own",
     offsetof(struct sim_settings, rate)},
    {"duration", CONFIG_TEXT, "0", 0, 0, "s", NULL,
     "how long tickets arrive, of which the last nine tenths are measured; 0: the workload's own",
     offsetof(struct sim_settings, duration)},
    {"seed", CONFIG_INT, "1", 0, INT64_MAX, "", NULL, "seed of the arrivals",
     offsetof(struct sim_settings, seed)},
    {"compare", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "play every setting of every matcher, and say whose front is in front",
     offsetof(struct sim_settings, compare)},
    {"optimum", CONFIG_TEXT, "0", 0, 0, "1/s", NULL,
     "set the matchers beside whoever knows the future, at so many rating points per second",
     offsetof(struct sim_settings, optimum)},
    {"seeds", CONFIG_INT, "4", 1, 32, "", NULL, "compare, optimum: traces, from the seed on",
     offsetof(struct sim_settings, seeds)},
    {"sample", CONFIG_INT, "0", 0, 1000, "", NULL,
     "compare: so many settings of each published matcher, drawn by chance; 0: all",
     offsetof(struct sim_settings, sample)},
    {"threads", CONFIG_INT, "0", 0, SIM_THREADS_MAX, "", NULL,
     "compare: runs at a time; 0: one per processor", offsetof(struct sim_settings, threads)},
    {"budget", CONFIG_TEXT, "0", 0, 0, "s", NULL,
     "CPU time after which a run is given up, and said so; 0: never",
     offsetof(struct sim_settings, budget)},
    {"journal", CONFIG_TEXT, "", 0, 0, "", NULL,
     "this recording instead of a workload: a file of `muster events --export`, or a server's "
     "api address",
     offsetof(struct sim_settings, journal)},
    {"ruleset", CONFIG_TEXT, "", 0, 0, "", NULL,
     "journal: file with the queue definition that is tried",
     offsetof(struct sim_settings, ruleset)},
    {"journal-queue", CONFIG_TEXT, "", 0, 0, "", NULL,
     "journal: the recorded queue; empty: the one of the definition's name",
     offsetof(struct sim_settings, journal_queue)},
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "print one JSON object instead of the table",
     offsetof(struct sim_settings, json)},
    {"svg", CONFIG_TEXT, "", 0, 0, "", NULL, "write charts into this folder",
     offsetof(struct sim_settings, svg)},
};

static const char usage[] =
    "usage: muster sim WORKLOAD [--matcher NAME|all] [--set KNOB=N,...] [--rate R]\n"
    "                          [--seed N] [--duration S] [--svg FOLDER] [--json]\n"
    "       muster sim WORKLOAD --compare [--matcher NAME] [--seeds N] [--rate R] [--duration S]\n"
    "                          [--set KNOB=N,...] [--sample N] [--budget S] [--threads N]\n"
    "                          [--svg FOLDER]\n"
    "       muster sim W1|W2s --optimum C [--seeds N] [--rate R]\n"
    "       muster sim --journal FILE|ADDRESS [--matcher NAME|all] [--set KNOB=N,...] [--json]\n"
    "       muster sim --journal FILE|ADDRESS --ruleset DEFINITION [--json]\n"
    "\n"
    "Plays the matcher's own code against made-up arrivals in virtual time, and says how long\n"
    "players waited and what their matches were worth. Needs no server. The same seed gives the\n"
    "same arrivals to every matcher, and the same matches each time. Exit code 1 when a match was\n"
    "not legal.\n"
    "--journal takes recorded arrivals instead; with --ruleset it says what would have changed "
    "under\n"
    "other rules: waits, quality, who was left waiting, each with a 95 % interval.\n";

struct progress {
    int64_t began_us, shown_us; /* shown_us 0: nothing yet */
};

/* The bar, and how long the rest takes if it goes on like this. */
static void show_progress(void *arg, const char *what, double share) {
    static const char bar[] = "##############################";
    enum { BAR = sizeof bar - 1 };
    struct progress *p = arg;
    int64_t now_us = clock_mono_us();
    if (!isatty(STDERR_FILENO) || now_us - p->shown_us < 100000) return;
    if (!p->shown_us) p->began_us = now_us;
    p->shown_us = now_us;
    double done = share < 1 ? share : 1, passed_s = (double)(now_us - p->began_us) / 1e6;
    fprintf(stderr, "\r%-30.30s [%-*.*s] %3.0f %%", what, BAR, (int)(done * BAR), bar, 100 * done);
    if (passed_s > 2 && done > 0) fprintf(stderr, ", %.0f s left ", passed_s * (1 - done) / done);
}

static void end_progress(const struct progress *p) {
    if (p->shown_us) fprintf(stderr, "\r%*s\r", 90, "");
}

static enum err write_plots(const struct sim_output *out, const char *folder,
                            struct err_text *why) {
    for (size_t i = 0; i < out->plot_count; i++) {
        struct strbuf path = {0};
        strbuf_printf(&path, "%s/%s", folder, out->plots[i].name);
        FILE *f = fopen(path.at, "wb");
        size_t size = out->plots[i].svg.size;
        bool whole = f && fwrite(out->plots[i].svg.at, 1, size, f) == size;
        if (f) whole = fclose(f) == 0 && whole;
        enum err code = ERR_OK;
        if (!whole)
            code =
                err_set(why, ERR_INVALID_ARGUMENT, "cannot write %s: %s", path.at, strerror(errno));
        strbuf_fini(&path);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

/* A number above 0, or 0 for the workload's own. */
static enum err read_number(const char *name, const char *text, double *out, struct err_text *why) {
    if (str_to_double(str_of(text), out) && *out >= 0 && *out <= 1e7) return ERR_OK;
    return err_set_field(why, ERR_INVALID_ARGUMENT, name, "%s is \"%s\", allowed is 0..10000000",
                         name, text);
}

static uint32_t threads_of(const struct sim_settings *s) {
    long processors = s->threads ? s->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1                 ? 1
           : processors < SIM_THREADS_MAX ? (uint32_t)processors
                                          : SIM_THREADS_MAX;
}

static enum err read_settings(const struct sim_settings *s, struct sim_options *o,
                              struct strbuf *queue, struct err_text *why) {
    o->matcher = s->matcher;
    o->set = s->set;
    o->seed = (uint64_t)s->seed;
    o->seeds = (uint32_t)s->seeds;
    o->compare = s->compare;
    o->sample = (uint32_t)s->sample;
    o->threads = threads_of(s);
    enum err code = read_number("rate", s->rate, &o->rate, why);
    if (code == ERR_OK) code = read_number("duration", s->duration, &o->duration_s, why);
    if (code == ERR_OK) code = read_number("budget", s->budget, &o->budget_s, why);
    if (code == ERR_OK) code = read_number("optimum", s->optimum, &o->optimum, why);
    if (code == ERR_OK && s->queue[0]) code = command_read_file(s->queue, 65535, queue, why);
    o->queue = strbuf_str(queue);
    return code;
}

/* Prints what was found, or why nothing was. The exit code. */
static int finish(const struct sim_settings *s, enum err code, struct sim_output *out,
                  struct err_text *why) {
    if (code == ERR_OK && s->svg[0]) code = write_plots(out, s->svg, why);
    int end = out->valid ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
    if (code == ERR_OK) {
        const struct strbuf *text = s->json ? &out->json : &out->table;
        printf("%.*s%s", STR_PRINT(strbuf_str(text)), s->json ? "\n" : "");
    } else {
        end = command_fail(code, why);
        if (code == ERR_INVALID_ARGUMENT) end = EXIT_CODE_USAGE;
    }
    sim_output_fini(out);
    return end;
}

static bool take_line(void *arg, struct str line) {
    struct strbuf *events = arg;
    strbuf_add_str(events, line);
    return events->size <= RECORDING_BYTES_MAX;
}

static enum err read_recording(const char *source, struct strbuf *events, struct err_text *why) {
    if (!strstr(source, "://")) return command_read_file(source, RECORDING_BYTES_MAX, events, why);
    struct client_options c = {.api = (char *)source, .timeout_ms = 30000};
    struct export e = {.hash_lists = "", .line = take_line, .arg = events};
    e.client = command_client(&c);
    if (!e.client) return err_set(why, ERR_INVALID_ARGUMENT, "cannot use %s", source);
    enum err code = export_events(&e, why);
    muster_close(e.client);
    return code;
}

static int simulate(const struct sim_settings *s, const char *workload) {
    struct sim_options o = {.workload = workload, .progress = show_progress};
    struct sim_output out = {0};
    struct strbuf queue = {0}, events = {0};
    struct err_text why = {0};
    struct progress progress = {0};
    o.progress_arg = &progress;
    enum err code = read_settings(s, &o, &queue, &why);
    if (code == ERR_OK && s->journal[0]) code = read_recording(s->journal, &events, &why);
    o.events = strbuf_str(&events);
    o.events_queue = s->journal_queue;
    if (code == ERR_OK) code = sim_run(&o, &out, &why);
    end_progress(&progress);
    strbuf_fini(&events);
    strbuf_fini(&queue);
    return finish(s, code, &out, &why);
}

static int try_rules(const struct sim_settings *s) {
    struct sim_what_if o = {.name = s->journal_queue, .progress = show_progress};
    struct sim_output out = {0};
    struct strbuf events = {0}, queue = {0};
    struct err_text why = {0};
    struct progress progress = {0};
    o.progress_arg = &progress;
    enum err code = command_read_file(s->ruleset, 65535, &queue, &why);
    if (code == ERR_OK) code = read_recording(s->journal, &events, &why);
    o.events = strbuf_str(&events);
    o.queue = strbuf_str(&queue);
    if (code == ERR_OK) code = sim_what_if(&o, &out, &why);
    end_progress(&progress);
    strbuf_fini(&events);
    strbuf_fini(&queue);
    return finish(s, code, &out, &why);
}

/* -1 to go on, else the exit code. */
static int check_operands(const struct sim_settings *s, int argc) {
    bool replays = s->journal[0] != 0;
    if (replays && argc == 1) return -1;
    if (!replays && argc == 2 && !s->ruleset[0]) return -1;
    if (!replays && s->ruleset[0])
        fprintf(stderr, "muster sim: --ruleset needs a --journal\n%s", usage);
    else
        fprintf(stderr, "muster sim: takes one workload, or --journal, got %d operands\n%s",
                argc - 1, usage);
    return EXIT_CODE_USAGE;
}

int sim_command(int argc, char **argv) {
    struct sim_settings s = {0};
    struct config c;
    struct strbuf help = {0};
    strbuf_printf(&help, "%s\n", usage);
    sim_describe(&help);
    config_init(&c, rows, sizeof rows / sizeof rows[0], &s);
    int end = command_options(&c, &argc, argv, help.at);
    if (end < 0) end = check_operands(&s, argc);
    if (end < 0) end = s.ruleset[0] ? try_rules(&s) : simulate(&s, argv[1]);
    config_fini(&c);
    strbuf_fini(&help);
    return end;
}
