/* bootstrap.h - how sure a mean is: percentile intervals by resampling (Efron 1979).
 *
 * Resampling is over runs of different seeds (tickets inside one run depend on each other), with a
 * fixed seed of its own: the same numbers give the same interval. Thread safety: all functions.
 */
#ifndef MUSTER_SIM_BOOTSTRAP_H
#define MUSTER_SIM_BOOTSTRAP_H

#include <stddef.h>

struct interval { /* 95 % */
    double mean, low, high;
};

/* Of the mean of the values; low = high = mean where there is one value only. */
struct interval bootstrap_mean(const double *values, size_t count);

#endif
