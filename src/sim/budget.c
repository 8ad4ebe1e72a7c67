/* budget.c - a bound on a thread's CPU time. */
#include "sim/budget.h"

#include "base/clock.h"

void budget_start(struct budget *b, double cpu_s) {
    *b = (struct budget){0};
    if (cpu_s > 0) b->until_ns = clock_thread_cpu_ns() + (int64_t)(cpu_s * 1e9);
}

bool budget_spent(struct budget *b) {
    if (b->until_ns == 0 || b->spent) return b->spent;
    if (++b->asked % BUDGET_ASKED == 0) b->spent = clock_thread_cpu_ns() >= b->until_ns;
    return b->spent;
}
