/* cluster.h - the processes of a deployment on simulated machines, and what befalls them.
 *
 * Three matchers (m0..), two apis (f0, f1), an events role (e0, publishing as p0); everything in
 * them but the ports is the production code. A node that was killed starts again by itself.
 * Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_CLUSTER_H
#define MUSTER_TESTS_SIMULATION_CLUSTER_H

#include "simulation/world.h"

enum { CLUSTER_LEASE_MS = 500 };
enum { CLUSTER_MATCHERS = 3, CLUSTER_APIS = 2, CLUSTER_EVENTS = 1 };
#define CLUSTER_DOORS "f0,f1"
#define CLUSTER_PUBLISHER "p0"
#define CLUSTER_REALM "game"

struct cluster_plan { /* what a seed does, drawn from it */
    bool everysec;    /* a crash of Redis loses what was written in the last second */
    bool trims;       /* the journal is kept for a second only */
    bool jumps;       /* wall clocks jump by up to an hour, either way */
    int64_t fault_min_us, fault_max_us; /* between two faults */
};

struct matcher;
struct realm;

struct cluster_plan cluster_draw_plan(void);
void cluster_begin(const struct cluster_plan *plan);
void cluster_heal(void); /* no more faults; everything comes up again */
void cluster_end(void);
unsigned cluster_faults(void);    /* so far */
unsigned cluster_rollbacks(void); /* of Redis' data, so far */
/* The realm of the matcher that leads with everything it decided durable; NULL: none now. */
const struct realm *cluster_leader(void);

#endif
