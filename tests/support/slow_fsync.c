/* slow_fsync.c - for LD_PRELOAD: each fdatasync takes SLOW_FSYNC_US longer, as on a slow disk. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd) {
    const char *text = getenv("SLOW_FSYNC_US");
    long us = text ? strtol(text, NULL, 10) : 0;
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void)nanosleep(&pause, NULL);
    return (int)syscall(SYS_fdatasync, fd);
}
