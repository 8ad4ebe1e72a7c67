/* ratio.h - how far matchers are from whoever knows the future.
 */
#ifndef MUSTER_SIM_RATIO_H
#define MUSTER_SIM_RATIO_H

#include "sim/sim.h"
#include "sim/stage.h"

#define RATIO_TICKETS 600 /* of an instance; exact matching takes a second for so many */

/* Plays every setting of every matcher over traces whose first RATIO_TICKETS are measured, one for
 * each seed, and sets the best of each beside the optimum (matches of two) or the best that
 * annealing finds (others); for `points_per_s` see optimum.h. FAILED_PRECONDITION: the workload has
 * parties or regions. */
enum err ratio_run(const struct trace_request *request, double points_per_s,
                   const struct sim_options *o, struct sim_output *out,
                   struct err_text *why) ERR_CHECKED;

#endif
