/* bootstrap.c - resampled means. */
#include "sim/bootstrap.h"

#include "base/rng.h"
#include "sim/measure.h"

enum { RESAMPLES = 1000, SEED = 1 };

struct interval bootstrap_mean(const double *values, size_t count) {
    double means[RESAMPLES], sum = 0;
    struct rng rng;
    rng_init(&rng, SEED);
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    double mean = count ? sum / (double)count : 0;
    if (count < 2) return (struct interval){mean, mean, mean};
    for (int r = 0; r < RESAMPLES; r++) {
        sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += values[rng_below(&rng, count)];
        means[r] = sum / (double)count;
    }
    double low = measure_quantile(means, RESAMPLES, 0.025);
    return (struct interval){mean, low, measure_quantile(means, RESAMPLES, 0.975)};
}
