/* budget.h - the CPU time that one run may take.
 *
 *   budget_start -> budget_spent ... wherever long work can stop
 *
 * Some settings of some matchers leave crowds unmatched over which every turn then works: a
 * comparison of hundreds of settings gives them up and says so. Looks at the clock, a system call,
 * once in BUDGET_ASKED. Thread safety: one thread per instance, the same throughout.
 */
#ifndef MUSTER_SIM_BUDGET_H
#define MUSTER_SIM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_ASKED 64

struct budget {       /* zeroed: no bound */
    int64_t until_ns; /* of the thread's CPU time; 0: no bound */
    uint32_t asked;
    bool spent; /* for good */
};

void budget_start(struct budget *b, double cpu_s); /* 0: no bound */
bool budget_spent(struct budget *b);

#endif
