/* measure.c - see measure.h. */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t measure_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void measure_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

const char *measure_text(char **argv, const char *name, const char *fallback) {
    size_t size = strlen(name);
    for (char **word = argv + 1; *word; word++)
        if (strncmp(*word, name, size) == 0 && (*word)[size] == '=') return *word + size + 1;
    return fallback;
}

long measure_number(char **argv, const char *name, long fallback) {
    const char *text = measure_text(argv, name, NULL);
    return text ? strtol(text, NULL, 10) : fallback;
}

static void read_proc(long pid, const char *file, char *out, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    FILE *f = fopen(path, "r");
    if (!f) measure_fail("no process %ld to measure", pid);
    size_t size = fread(out, 1, room - 1, f);
    out[size] = 0;
    fclose(f);
}

int64_t measure_cpu_us(long pid) {
    char text[1024];
    unsigned long user, system;
    if (!pid) return 0;
    read_proc(pid, "stat", text, sizeof text);
    const char *end = strrchr(text, ')'); /* the name before it may hold anything */
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                       &system) != 2)
        measure_fail("cannot read the CPU time of %ld", pid);
    return (int64_t)(user + system) * (1000000 / sysconf(_SC_CLK_TCK));
}

int64_t measure_rss_bytes(long pid) {
    char text[4096];
    long kib;
    if (!pid) return 0;
    read_proc(pid, "status", text, sizeof text);
    const char *line = strstr(text, "VmRSS:");
    if (!line || sscanf(line, "VmRSS: %ld", &kib) != 1)
        measure_fail("cannot read the memory of %ld", pid);
    return (int64_t)kib * 1024;
}

void samples_add(struct samples *s, int64_t value) {
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 1024;
        s->at = realloc(s->at, s->room * sizeof *s->at);
        if (!s->at) measure_fail("out of memory");
    }
    s->at[s->count++] = value;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t samples_quantile(struct samples *s, double fraction) {
    if (!s->count) return 0;
    qsort(s->at, s->count, sizeof *s->at, compare);
    size_t index = (size_t)(fraction * (double)s->count);
    return s->at[index < s->count ? index : s->count - 1];
}

void samples_fini(struct samples *s) {
    free(s->at);
    *s = (struct samples){0};
}

void measure_row(const char *prefix, const char *name, double value, const char *unit) {
    printf("row %s.%s %.6g %s\n", prefix, name, value, unit);
    fflush(stdout);
}

void measure_quantiles(const char *prefix, struct samples *ns, double unit_ns, const char *unit) {
    measure_row(prefix, "p50", (double)samples_quantile(ns, 0.50) / unit_ns, unit);
    measure_row(prefix, "p99", (double)samples_quantile(ns, 0.99) / unit_ns, unit);
    measure_row(prefix, "max", (double)samples_quantile(ns, 1.00) / unit_ns, unit);
}
