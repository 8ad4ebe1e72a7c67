/* packing.h - whether parties fit into the teams whole, looked up by how many there are of each
 * size.
 *
 *   at = 0; p->fits[at + p->steps[players]] before each party is taken, which adds the step
 *
 * Parties of one fit any gap and do not count. A table of at most PACKING_ENTRIES answers of
 * split_fits is made once; larger problems have none. Read only once made: all threads may ask.
 */
#ifndef MUSTER_SIM_PACKING_H
#define MUSTER_SIM_PACKING_H

#include "model/ruleset.h"

#define PACKING_PARTY 5 /* players of the largest party that is tabulated */
#define PACKING_ENTRIES 131072

struct packing {
    uint32_t steps[PACKING_PARTY + 1]; /* in the table, for one more party of that size */
    bool *fits;                        /* NULL: not tabulated */
};

/* For groups of at most the teams' players, of parties of at most `largest` players. */
void packing_init(struct packing *p, const struct ruleset_limits *l, uint32_t largest);
void packing_fini(struct packing *p);

#endif
