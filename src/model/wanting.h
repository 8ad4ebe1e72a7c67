/* wanting.h - groups that were found not to be worth it yet, and what they cost at least.
 *
 * Every member of the best group there is finds it when it is searched. What its teams and its soft
 * costs come to does not change while it waits, so whoever finds it again need not have it split
 * and judged once more to know that its credit does not cover that.
 * The last WANTING_GROUPS of them, the oldest forgotten first. O(WANTING_GROUPS). Thread safety:
 * none.
 */
#ifndef MUSTER_MODEL_WANTING_H
#define MUSTER_MODEL_WANTING_H

#include <stdint.h>

#define WANTING_GROUPS 32

struct wanting {                    /* zeroed is an empty one */
    uint64_t group[WANTING_GROUPS]; /* a hash of its tickets and of all that its cost depends on */
    double cost[WANTING_GROUPS];    /* points */
    uint32_t next;                  /* of them to be overwritten */
};

/* 0: the group is not known. */
static inline double wanting_cost(const struct wanting *w, uint64_t group) {
    for (uint32_t i = 0; i < WANTING_GROUPS; i++) {
        if (w->group[i] == group) return w->cost[i];
    }
    return 0;
}

static inline void wanting_note(struct wanting *w, uint64_t group, double cost) {
    uint32_t at = 0;
    while (at < WANTING_GROUPS && w->group[at] != group)
        at++;
    if (at == WANTING_GROUPS) at = w->next, w->next = (w->next + 1) % WANTING_GROUPS;
    w->group[at] = group;
    w->cost[at] = cost;
}

#endif
