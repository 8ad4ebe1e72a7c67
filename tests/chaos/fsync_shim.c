/* fsync_shim.c - for LD_PRELOAD into redis-server: remembers what a power loss would leave.
 *
 * After each fdatasync or fsync of a file of the append-only kind its size is written to
 * <file>.synced. Who then kills the server cuts each file to that size: exactly what was promised
 * to be on disk is left. FSYNC_SHIM_DELAY_US makes a slow disk of it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void remember(int fd) {
    char link[64], path[PATH_MAX], text[32];
    struct stat s;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 16);
    if (size <= 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) return;
    path[size] = '\0';
    if (!strstr(path, ".aof")) return;
    strcpy(path + size, ".synced");
    int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (out < 0) return;
    int length = snprintf(text, sizeof text, "%020lld", (long long)s.st_size);
    ssize_t wrote = pwrite(out, text, (size_t)length, 0);
    (void)wrote;
    close(out);
}

static void dawdle(void) {
    const char *text = getenv("FSYNC_SHIM_DELAY_US");
    long us = text ? atol(text) : 0;
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    if (us > 0) syscall(SYS_nanosleep, &t, NULL);
}

int fdatasync(int fd) {
    dawdle();
    int failed = (int)syscall(SYS_fdatasync, fd);
    if (!failed) remember(fd);
    return failed;
}

int fsync(int fd) {
    dawdle();
    int failed = (int)syscall(SYS_fsync, fd);
    if (!failed) remember(fd);
    return failed;
}
