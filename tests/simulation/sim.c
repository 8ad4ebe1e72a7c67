/* sim.c - runs seeds: each is a deployment, its load and its misfortunes, judged by the oracle.
 *
 *   sim [--seeds N] [--from SEED] [--jobs J] [--until-seconds S]   N seeds from SEED on
 *   sim --seed SEED [--trace]                                      one, with all that happened
 *   sim --expect-violations                                        the negative control: the run
 *                                                                  fails unless some are found
 * Exit status 1 when a seed (or, expected, none) broke an invariant; the failing seeds are printed.
 */
#include "base/str.h"
#include "simulation/bus.h"
#include "simulation/cluster.h"
#include "simulation/fake_client.h"
#include "simulation/fake_rt.h"
#include "simulation/history.h"
#include "simulation/load.h"
#include "simulation/net.h"
#include "simulation/oracle.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FAULTY_US = 3000 * MS, /* how long things go wrong */
    HEALED_US = 4500 * MS, /* how long they then have to become right */
    CHUNK = 50,            /* seeds per child: what crashed nodes leave behind ends with it */
    JOBS_MAX = 64,
};

struct tally { /* shared with the children: one line each at its end */
    unsigned long seeds, failed, faults, rollbacks, ops, entries, heard;
    struct oracle_counts journal;
};

struct options {
    unsigned long seeds, from, jobs;
    bool one, trace, expect_violations;
};

/* ---- one seed ---- */

static bool settled(void) {
    return load_idle();
}

static bool at_rest(void) {
    return cluster_leader() != NULL;
}

static unsigned run_seed(uint64_t seed, bool trace, struct tally *t) {
    world_begin(seed, trace);
    fake_fd_reset();
    history_begin();
    bus_begin();
    fake_client_begin();
    struct cluster_plan plan = cluster_draw_plan();
    struct net_weather weather = {
        .slow = 0.05 * rng_unit(world_rng()),
        .very_slow = 0.01 * rng_unit(world_rng()),
        .loss = 0.05 * rng_unit(world_rng()),
        .twice = 0.05 * rng_unit(world_rng()),
        .reset = 0.01 * rng_unit(world_rng()),
    };
    net_begin(&weather);
    cluster_begin(&plan);
    load_begin();
    int64_t begin_us = world_now_us();
    world_run(begin_us + FAULTY_US, NULL);
    world_trace("healed");
    cluster_heal();
    load_stop();
    world_run(begin_us + FAULTY_US + HEALED_US, settled);
    world_run(begin_us + FAULTY_US + HEALED_US, NULL);
    world_run(begin_us + FAULTY_US + HEALED_US + 1000 * MS, at_rest);
    unsigned violations = oracle_judge(cluster_leader(), &t->journal);
    t->seeds++;
    t->failed += violations > 0;
    t->faults += cluster_faults();
    t->rollbacks += cluster_rollbacks();
    t->ops += history()->op_count;
    t->entries += history()->entry_count;
    t->heard += history()->heard_count;
    load_end();
    cluster_end();
    world_end();
    bus_end();
    history_end();
    return violations;
}

/* ---- many ---- */

static void run_chunk(unsigned long from, unsigned long count, int out) {
    struct tally t = {0};
    for (unsigned long i = 0; i < count; i++)
        if (run_seed(from + i, false, &t)) printf("seed %lu FAILED\n", from + i);
    (void)fflush(stdout);
    if (write(out, &t, sizeof t) != sizeof t) abort();
}

static void add(struct tally *sum, const struct tally *t) {
    sum->seeds += t->seeds;
    sum->failed += t->failed;
    sum->faults += t->faults;
    sum->rollbacks += t->rollbacks;
    sum->ops += t->ops;
    sum->entries += t->entries;
    sum->heard += t->heard;
    sum->journal.tickets += t->journal.tickets;
    sum->journal.matches += t->journal.matches;
    sum->journal.proposals += t->journal.proposals;
    sum->journal.proposals_failed += t->journal.proposals_failed;
    sum->journal.penalties += t->journal.penalties;
    sum->journal.left += t->journal.left;
    sum->journal.joined += t->journal.joined;
    sum->journal.joined_asked += t->journal.joined_asked;
    sum->journal.named += t->journal.named;
}

/* A child that dies (an assert of the server's, say) is a failure of its seeds. */
static unsigned long reap(void) {
    int status;
    pid_t pid = wait(&status);
    if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return 0;
    printf("a child died with status 0x%x: its seeds are the ones that are missing\n",
           (unsigned)status);
    return 1;
}

static struct tally run_many(const struct options *o) {
    struct tally sum = {0}, t;
    int pipe_ends[2];
    unsigned long running = 0, dead = 0;
    if (pipe(pipe_ends) != 0) abort();
    for (unsigned long done = 0; done < o->seeds; done += CHUNK) {
        if (running == o->jobs) {
            dead += reap();
            running--;
        }
        unsigned long count = o->seeds - done < CHUNK ? o->seeds - done : CHUNK;
        (void)fflush(stdout);
        pid_t pid = fork();
        if (pid < 0) abort();
        if (pid == 0) {
            run_chunk(o->from + done, count, pipe_ends[1]);
            _exit(0);
        }
        running++;
        /* A pipe holds more than all chunks of a run write between two looks. */
        if (done / CHUNK % 100 == 99)
            while (running > 0) {
                dead += reap();
                running--;
            }
    }
    while (running-- > 0)
        dead += reap();
    (void)close(pipe_ends[1]);
    while (read(pipe_ends[0], &t, sizeof t) == sizeof t)
        add(&sum, &t);
    (void)close(pipe_ends[0]);
    sum.failed += dead;
    return sum;
}

static bool parse(int argc, char **argv, struct options *o) {
    static const struct option rows[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"seed", required_argument, NULL, 's'},
        {"trace", no_argument, NULL, 't'},
        {"expect-violations", no_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    *o = (struct options){
        .seeds = 1000, .from = 1, .jobs = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN)};
    for (int c; (c = getopt_long(argc, argv, "", rows, NULL)) != -1;) {
        if (c == 'n') o->seeds = strtoul(optarg, NULL, 10);
        if (c == 'f' || c == 's') o->from = strtoul(optarg, NULL, 10);
        if (c == 'j') o->jobs = strtoul(optarg, NULL, 10);
        if (c == 's') o->one = true;
        if (c == 't') o->trace = true;
        if (c == 'x') o->expect_violations = true;
        if (c == '?') return false;
    }
    if (o->jobs < 1) o->jobs = 1;
    if (o->jobs > JOBS_MAX) o->jobs = JOBS_MAX;
    return optind == argc;
}

static double seconds(void) {
    static struct timespec began;
    struct timespec now;
    (void)timespec_get(&now, TIME_UTC);
    if (!began.tv_sec) began = now;
    return (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
}

int main(int argc, char **argv) {
    struct options o;
    if (!parse(argc, argv, &o)) {
        (void)fputs("usage: sim [--seeds N] [--from SEED] [--jobs J] [--expect-violations]\n"
                    "       sim --seed SEED [--trace]\n",
                    stderr);
        return 2;
    }
    (void)seconds();
    world_begin(0, false);
    (void)str_hash(STR("drawn once per process")); /* its seed, so that no run draws it */
    struct tally t = {0};
    if (o.one)
        (void)run_seed(o.from, o.trace, &t);
    else
        t = run_many(&o);
    printf("seeds %lu..%lu: %lu failed; %lu faults, %lu rollbacks, %lu calls, %lu entries, %lu "
           "events heard; %.1f s\n",
           o.from, o.from + t.seeds - 1, t.failed, t.faults, t.rollbacks, t.ops, t.entries, t.heard,
           seconds());
    printf(
        "%lu tickets, %lu matches, %lu proposals of which %lu failed, %lu penalties, %lu players "
        "left, %lu tickets joined by backfill, %lu of them asked before, %lu players by the game's "
        "word\n",
        t.journal.tickets, t.journal.matches, t.journal.proposals, t.journal.proposals_failed,
        t.journal.penalties, t.journal.left, t.journal.joined, t.journal.joined_asked,
        t.journal.named);
    if (t.failed && !o.expect_violations) printf("again: sim --seed SEED --trace\n");
    return o.expect_violations ? t.failed == 0 : t.failed > 0 || t.seeds == 0;
}
