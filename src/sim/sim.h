/* sim.h - `muster sim`: Muster's own matching and the published algorithms over the same arrivals.
 *
 * Everything a simulation needs comes in as text and numbers, everything it found goes out as text:
 * no files, no network, no clock but the CPU's. Deterministic by seed.
 * Memory: about 700 bytes per simulated ticket. Thread safety: none.
 */
#ifndef MUSTER_SIM_SIM_H
#define MUSTER_SIM_SIM_H

#include "base/err.h"
#include "base/str.h"

/* Called now and then in the caller's thread; `share` 0..1 of what `what` names. */
typedef void (*sim_progress_fn)(void *arg, const char *what, double share);

#define SIM_THREADS_MAX 64

struct sim_options {
    const char *workload; /* "W1" ... */
    const char *matcher;  /* its name, or "all"; "": Muster, in a comparison all */
    const char *set;      /* "KNOB=NUMBER,..." of that matcher; "": its fallbacks. In a comparison:
                           * of Muster's, these are not varied */
    struct str queue;     /* a queue definition instead of the workload's rules; empty: theirs */
    struct str events;    /* a recording (sim_what_if) to play instead of a workload; empty: none */
    const char *events_queue; /* the recorded queue; "": that of the most tickets */
    double rate;              /* tickets per second; 0: the workload's first */
    double duration_s;        /* 0: the workload's own */
    uint64_t seed;
    bool compare;     /* all settings of Muster and the matcher instead of one run */
    double optimum;   /* > 0: points per second at which the best settings of all matchers are set
                       * beside whoever knows the future (ratio.h) */
    uint32_t seeds;   /* of comparison and optimum: 1..32 traces, from `seed` on */
    uint32_t sample;  /* of a comparison: so many settings of each published matcher, drawn by
                       * chance; 0: all */
    uint32_t threads; /* of a comparison: runs at a time, at most SIM_THREADS_MAX; 0: one */
    double budget_s;  /* CPU seconds after which a run is given up, and said so; 0: never */
    sim_progress_fn progress; /* may be NULL */
    void *progress_arg;
};

#define SIM_PLOTS_MAX 8

struct sim_output {
    struct strbuf table; /* for people */
    struct strbuf json;  /* one object */
    struct {
        char name[48]; /* a file name, "waits.svg" */
        struct strbuf svg;
    } plots[SIM_PLOTS_MAX];
    size_t plot_count;
    bool valid; /* every match was found legal by the reference evaluator */
};

/* Plays one matcher, or all, over one workload; or compares them all. INVALID_ARGUMENT: no such
 * workload or matcher, or the queue definition is wrong; the text says what is allowed. */
enum err sim_run(const struct sim_options *o, struct sim_output *out,
                 struct err_text *why) ERR_CHECKED;
/* Recorded arrivals under other rules (what_if.h). */
struct sim_what_if {
    struct str events; /* a recording: muster.v1.Event as JSON lines */
    struct str queue;  /* the new queue definition */
    const char *name;  /* of the recorded queue; "": that of the new definition */
    sim_progress_fn progress;
    void *progress_arg;
};
/* INVALID_ARGUMENT or DATA_LOSS: recording or definition are wrong; NOT_FOUND: no ticket of that
 * queue is in it; FAILED_PRECONDITION: nor its definition. */
enum err sim_what_if(const struct sim_what_if *o, struct sim_output *out,
                     struct err_text *why) ERR_CHECKED;

void sim_output_fini(struct sim_output *out); /* zeroed memory is fine */

/* "W1   1v1 ladder ..." a line each, and the matchers likewise: for help texts. */
void sim_describe(struct strbuf *out);

#endif
