/* cli_sim.c - `muster sim`: matching in virtual time, no server needed. */
#include "app/command.h"
#include "base/clock.h"
#include "sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sim_settings {
    char *config; /* first in every command's options */
    char *matcher, *queue, *rate, *duration, *svg;
    int64_t seed, seeds;
    bool json, compare;
};

static const struct config_row rows[] = {
    {"config", CONFIG_TEXT, "", 0, 0, "", NULL,
     "read options from this file: lines of `name = value`", offsetof(struct sim_settings, config)},
    {"matcher", CONFIG_TEXT, "muster", 0, 0, "", NULL, "who matches; `all` plays one after another",
     offsetof(struct sim_settings, matcher)},
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
    {"seeds", CONFIG_INT, "4", 1, 32, "", NULL, "compare: so many traces, from the seed on",
     offsetof(struct sim_settings, seeds)},
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "print one JSON object instead of the table",
     offsetof(struct sim_settings, json)},
    {"svg", CONFIG_TEXT, "", 0, 0, "", NULL, "write charts into this folder",
     offsetof(struct sim_settings, svg)},
};

static const char usage[] =
    "usage: muster sim WORKLOAD [--matcher NAME|all] [--rate R] [--seed N] [--duration S]\n"
    "       muster sim WORKLOAD --compare [--seeds N] [--rate R] [--duration S] [--svg FOLDER]\n"
    "\n"
    "Plays the matcher's own code against made-up arrivals in virtual time, and says how long\n"
    "players waited and what their matches were worth. Needs no server. The same seed gives the\n"
    "same arrivals to every matcher, and the same matches each time. Exit code 1 when a match was\n"
    "not legal.\n";

static void show_progress(void *arg, const char *what, double share) {
    int64_t *shown_us = arg, now_us = clock_mono_us();
    static const char bar[] = "########################################";
    enum { BAR = sizeof bar - 1 };
    if (!isatty(STDERR_FILENO) || now_us - *shown_us < 100000) return;
    *shown_us = now_us;
    int filled = (int)((share < 1 ? share : 1) * BAR);
    fprintf(stderr, "\r%-24.24s [%-*.*s] %3.0f %%", what, BAR, filled, bar,
            100 * (share < 1 ? share : 1));
}

static void end_progress(int64_t shown_us) {
    if (shown_us) fprintf(stderr, "\r%*s\r", 76, "");
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

static enum err read_settings(const struct sim_settings *s, struct sim_options *o,
                              struct strbuf *queue, struct err_text *why) {
    o->matcher = s->matcher;
    o->seed = (uint64_t)s->seed;
    o->seeds = (uint32_t)s->seeds;
    o->compare = s->compare;
    enum err code = read_number("rate", s->rate, &o->rate, why);
    if (code == ERR_OK) code = read_number("duration", s->duration, &o->duration_s, why);
    if (code == ERR_OK && s->queue[0]) code = command_read_file(s->queue, 65535, queue, why);
    o->queue = strbuf_str(queue);
    return code;
}

static int simulate(const struct sim_settings *s, const char *workload) {
    struct sim_options o = {.workload = workload, .progress = show_progress};
    struct sim_output out = {0};
    struct strbuf queue = {0};
    struct err_text why = {0};
    int64_t shown_us = 0;
    o.progress_arg = &shown_us;
    enum err code = read_settings(s, &o, &queue, &why);
    if (code == ERR_OK) code = sim_run(&o, &out, &why);
    end_progress(shown_us);
    if (code == ERR_OK && s->svg[0]) code = write_plots(&out, s->svg, &why);
    int end = code == ERR_OK && out.valid ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
    if (code == ERR_OK) {
        const struct strbuf *text = s->json ? &out.json : &out.table;
        printf("%.*s%s", STR_PRINT(strbuf_str(text)), s->json ? "\n" : "");
    } else {
        (void)command_fail(code, &why); /* the exit code is usage's */
        end = EXIT_CODE_USAGE;
    }
    sim_output_fini(&out);
    strbuf_fini(&queue);
    return end;
}

int sim_command(int argc, char **argv) {
    struct sim_settings s = {0};
    struct config c;
    struct strbuf help = {0};
    strbuf_printf(&help, "%s\n", usage);
    sim_describe(&help);
    config_init(&c, rows, sizeof rows / sizeof rows[0], &s);
    int end = command_options(&c, &argc, argv, help.at);
    if (end < 0 && argc != 2) {
        fprintf(stderr, "muster sim: takes one workload, got %d operands\n%s", argc - 1, usage);
        end = EXIT_CODE_USAGE;
    }
    if (end < 0) end = simulate(&s, argv[1]);
    config_fini(&c);
    strbuf_fini(&help);
    return end;
}
