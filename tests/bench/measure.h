/* measure.h - what the bench programs share: options, clock, samples, a process's cost, rows.
 *
 * A program is told `name=value` words and prints rows, "row NAME VALUE UNIT", which run.py reads.
 * Thread safety: measure_now_ns and the process figures from any thread, the rest one thread.
 */
#ifndef MUSTER_BENCH_MEASURE_H
#define MUSTER_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

int64_t measure_now_ns(void); /* CLOCK_MONOTONIC */

/* The value of the word `name=value`, else `fallback`; borrowed from argv. */
const char *measure_text(char **argv, const char *name, const char *fallback);
long measure_number(char **argv, const char *name, long fallback);

/* CPU (user + system, all threads) a process has used; 10 ms steps. 0 for pid 0. Ends the program
 * when there is no such process: a figure of a dead server is none. */
int64_t measure_cpu_us(long pid);
int64_t measure_rss_bytes(long pid);

struct samples {
    int64_t *at;
    size_t count, room;
};

void samples_add(struct samples *s, int64_t value);
/* Sorts; the smallest sample that a share `fraction` (0..1) of all do not exceed; 0 when empty. */
int64_t samples_quantile(struct samples *s, double fraction);
void samples_fini(struct samples *s);

void measure_row(const char *prefix, const char *name, double value, const char *unit);
/* Rows p50, p99 and max in `unit`, which is `unit_ns` nanoseconds long. */
void measure_quantiles(const char *prefix, struct samples *ns, double unit_ns, const char *unit);
/* Prints the reason and ends the program. */
_Noreturn void measure_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
