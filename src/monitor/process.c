/* process.c - reads /proc/self. */
#include "monitor/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void add(struct strbuf *out, const char *name, const char *help, double value) {
    bool total = strstr(name, "_total");
    strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name,
                  total ? "counter" : "gauge", name, value);
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The text behind the command's name: its fields count from the third of proc(5). */
static bool read_stat(char *text, size_t size) {
    FILE *f = fopen("/proc/self/stat", "r");
    if (!f) return false;
    size_t got = fread(text, 1, size - 1, f);
    (void)fclose(f);
    text[got] = '\0';
    return strrchr(text, ')') != NULL;
}

static double start_time_seconds(const char *after_name) {
    unsigned long long ticks = 0;
    struct timespec wall, boot;
    if (sscanf(after_name,
               "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %llu",
               &ticks) != 1)
        return 0;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    double booted = (double)(wall.tv_sec - boot.tv_sec);
    return booted + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double resident_bytes(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void) {
    DIR *d = opendir("/proc/self/fd");
    if (!d) return 0;
    double count = -3; /* ".", ".." and the folder itself */
    while (readdir(d))
        count++;
    (void)closedir(d);
    return count;
}

void process_text(struct strbuf *out) {
    struct rusage used;
    struct rlimit files;
    char stat[1024];
    (void)getrusage(RUSAGE_SELF, &used);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    add(out, "process_cpu_seconds_total", "user and system time used",
        seconds(used.ru_utime) + seconds(used.ru_stime));
    add(out, "process_resident_memory_bytes", "memory resident", resident_bytes());
    add(out, "process_open_fds", "open files and sockets", open_fds());
    add(out, "process_max_fds", "most files and sockets it may open", (double)files.rlim_cur);
    if (read_stat(stat, sizeof stat))
        add(out, "process_start_time_seconds", "when it started, since 1970",
            start_time_seconds(strrchr(stat, ')') + 1));
}
