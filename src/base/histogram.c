/* histogram.c - see histogram.h. */
#include "base/histogram.h"

#include <math.h>

#define SUB_COUNT (1u << HISTOGRAM_SUB_BITS)
#define VALUE_MAX ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

/* Octave 0 holds the values below SUB_COUNT one by one; octave n > 0 those of SUB_BITS + n bits. */
static uint32_t bucket_of(uint64_t value) {
    if (value < SUB_COUNT) return (uint32_t)value;
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(value), octave = bits - HISTOGRAM_SUB_BITS;
    return (octave << HISTOGRAM_SUB_BITS) + (uint32_t)((value >> (octave - 1)) - SUB_COUNT);
}

/* The largest value that is counted in the bucket. */
static uint64_t bucket_end(uint32_t bucket) {
    uint32_t octave = bucket >> HISTOGRAM_SUB_BITS;
    if (octave == 0) return bucket;
    uint64_t place = (bucket & (SUB_COUNT - 1)) + SUB_COUNT;
    return ((place + 1) << (octave - 1)) - 1;
}

void histogram_record(struct histogram *h, int64_t value) {
    uint64_t v = value < 0 ? 0 : (uint64_t)value;
    if (v > VALUE_MAX) v = VALUE_MAX;
    atomic_fetch_add_explicit(&h->counts[bucket_of(v)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, v, memory_order_relaxed);
    uint64_t largest = atomic_load_explicit(&h->largest, memory_order_relaxed);
    while (v > largest && !atomic_compare_exchange_weak(&h->largest, &largest, v))
        continue;
}

uint64_t histogram_count(const struct histogram *h) {
    return atomic_load(&h->count);
}

double histogram_mean(const struct histogram *h) {
    uint64_t count = histogram_count(h);
    return count ? (double)atomic_load(&h->sum) / (double)count : 0;
}

int64_t histogram_max(const struct histogram *h) {
    return (int64_t)atomic_load(&h->largest);
}

int64_t histogram_quantile(const struct histogram *h, double q) {
    /* The slack is for shares that are no binary fractions: 0.29 of 100 are 29. */
    uint64_t wanted = (uint64_t)ceil(q * (double)histogram_count(h) - 1e-6), seen = 0;
    if (wanted == 0) wanted = 1;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        if (seen < wanted) continue;
        int64_t end = (int64_t)bucket_end(i), largest = histogram_max(h);
        return end < largest ? end : largest;
    }
    return histogram_max(h);
}
