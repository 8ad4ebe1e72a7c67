/* clock.c - the clocks of production: the kernel's. */
#include "base/clock.h"

#include <time.h>

static struct timespec read_clock(clockid_t which) {
    struct timespec now;
    (void)clock_gettime(which, &now); /* cannot fail for these clocks */
    return now;
}

int64_t clock_mono_us(void) {
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void) {
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_thread_cpu_ns(void) {
    struct timespec now = read_clock(CLOCK_THREAD_CPUTIME_ID);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
