/* clock.h - the only clocks: monotonic for durations, wall for borders, CPU time for measuring.
 *
 * A link seam: simulation links another file. Thread safety: all functions.
 */
#ifndef MUSTER_BASE_CLOCK_H
#define MUSTER_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_us(void);       /* CLOCK_MONOTONIC, microseconds */
int64_t clock_wall_ms(void);       /* milliseconds since 1970-01-01 UTC */
int64_t clock_thread_cpu_ns(void); /* CPU time of the calling thread; a system call */

#endif
