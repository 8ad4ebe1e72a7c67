/* clock_shim.c - for LD_PRELOAD: a program's wall clock, shifted while it runs.
 *
 * CLOCK_SHIM_FILE names a file of 8 bytes, an int64 of microseconds that is added to the wall
 * clock; whoever writes into it (a shared mapping) moves the program's time at once. The monotonic
 * clock stays true. Raw system calls only, and no allocation: jemalloc asks for the time before the
 * C library is ready (libfaketime recurses there).
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *offset_us;

__attribute__((constructor)) static void map_offset(void) {
    const char *path = getenv("CLOCK_SHIM_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *offset_us, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at != MAP_FAILED) offset_us = at;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    long failed = syscall(SYS_clock_gettime, clock, out);
    if (failed || !offset_us || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)failed;
    int64_t shift_us = atomic_load(offset_us);
    int64_t ns = out->tv_nsec + shift_us % 1000000 * 1000;
    out->tv_sec += shift_us / 1000000;
    if (ns < 0) out->tv_sec--, ns += 1000000000;
    if (ns >= 1000000000) out->tv_sec++, ns -= 1000000000;
    out->tv_nsec = ns;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
