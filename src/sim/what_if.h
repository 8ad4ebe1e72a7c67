/* what_if.h - a recorded past replayed under other rules: what would have changed.
 *
 * Three columns: as recorded; replayed in the simulator under the rules that were in force, which
 * says how far the simulator can be trusted; and replayed under the new rules. The change is
 * between the two replays, with a 95 % interval by block bootstrap: the past is cut into
 * WHAT_IF_BLOCKS stretches of time, and whole stretches are resampled, because tickets that wait
 * together depend on each other. Pure. Thread safety: none.
 */
#ifndef MUSTER_SIM_WHAT_IF_H
#define MUSTER_SIM_WHAT_IF_H

#include "sim/history.h"
#include "sim/measure.h"
#include "sim/sim.h"

#define WHAT_IF_BLOCKS 40

enum what_if_run { WHAT_IF_RECORDED, WHAT_IF_REPLAYED, WHAT_IF_NEW, WHAT_IF_RUNS };

enum what_if_row {
    ROW_WAIT_MEAN,
    ROW_WAIT_P50,
    ROW_WAIT_P95,
    ROW_WAIT_P99,
    ROW_UNMATCHED,
    ROW_LOWEST_P95,
    ROW_HIGHEST_P95,
    ROW_MISMATCH,
    ROW_IMBALANCE,
    ROW_PING,
    ROW_Q,
    ROW_WIN_GAP,
    WHAT_IF_ROWS,
};

struct what_if {
    double values[WHAT_IF_RUNS][WHAT_IF_ROWS];
    double change[WHAT_IF_ROWS], low[WHAT_IF_ROWS], high[WHAT_IF_ROWS]; /* new - replayed */
    double max_s[WHAT_IF_RUNS];                                         /* the longest wait */
    uint64_t matches[WHAT_IF_RUNS], invalid[WHAT_IF_RUNS];
    uint64_t tickets, players; /* measured */
    uint64_t refused;          /* tickets that the new rules do not admit at all */
    struct err_text refusal;   /* the first one's */
};

/* FAILED_PRECONDITION: the recording has no definition of the queue; INVALID_ARGUMENT: the new one
 * is wrong. */
enum err what_if_run(struct what_if *w, struct history *h, struct str new_json,
                     const struct sim_what_if *o, struct err_text *why) ERR_CHECKED;
void what_if_report(const struct what_if *w, const struct history *h, struct sim_output *out);

#endif
