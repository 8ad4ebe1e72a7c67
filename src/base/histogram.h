/* histogram.h - how often values came, in buckets as wide as 1/128 of the value, and quantiles.
 *
 *     histogram_record ... -> histogram_quantile
 *
 * Values are whole numbers of any unit, microseconds say. Below 128 each has a bucket of its own;
 * above, a quantile is at most 1/128 larger than the value it stands for. O(1) to record,
 * O(buckets) to ask. 35 kB, no further memory; zeroed memory is an empty histogram.
 * Source: Gil Tene's HdrHistogram.
 * Thread safety: recording from all threads (relaxed atomics); ask when the writers rest.
 */
#ifndef MUSTER_BASE_HISTOGRAM_H
#define MUSTER_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7    /* 128 buckets an octave */
#define HISTOGRAM_VALUE_BITS 40 /* above: counted as the largest, 12 days in microseconds */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
    _Atomic uint64_t count, sum, largest;
};

/* `value` below 0 counts as 0. */
void histogram_record(struct histogram *h, int64_t value);
uint64_t histogram_count(const struct histogram *h);
double histogram_mean(const struct histogram *h); /* exact; 0 of none */
int64_t histogram_max(const struct histogram *h); /* exact; 0 of none */
/* The smallest bound that at least a share `q` (0..1) of all values does not exceed; 0 of none. */
int64_t histogram_quantile(const struct histogram *h, double q);

#endif
