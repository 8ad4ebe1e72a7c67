/* eta_curve.c - the product-limit estimator, one pass over the buckets. */
#include "model/eta_curve.h"

#include <math.h>

enum { QUANTILES = 2 };
static const double quantiles[QUANTILES] = {0.5, 0.9};

struct bucket {
    double low_ms, high_ms;
    double hazard; /* of those who reach it, the part that is matched in it */
};

/* Where in the bucket the part of those at `from_ms` who wait on falls to `wanted`. */
static double crossing_ms(const struct bucket *b, double from_ms, double wanted) {
    double width = b->high_ms - b->low_ms;
    double before = 1 - b->hazard * (from_ms - b->low_ms) / width;
    return b->low_ms + width * (1 - wanted * before) / b->hazard;
}

static double waits_on(const struct bucket *b, double from_ms) {
    double before = 1 - b->hazard * (from_ms - b->low_ms) / (b->high_ms - b->low_ms);
    return before > 0 ? (1 - b->hazard) / before : 0;
}

static int32_t rest_of(double at_ms, int64_t age_ms) {
    double rest = ceil(at_ms) - (double)age_ms;
    return rest < 1 ? 1 : rest < ETA_BEYOND ? (int32_t)rest : ETA_BEYOND;
}

/* What part of those at hand may wait longer than the quantile. */
static double wanted_part(double quantile, double samples) {
    double part = 1 - quantile * (samples + 1) / samples;
    return part > 0.01 ? part : 0.01;
}

double eta_curve_rest(const struct eta_curve *c, struct eta_open open, double unit, int64_t age_ms,
                      int32_t out_ms[QUANTILES]) {
    unsigned start = queue_wait_bucket(age_ms);
    unsigned open_bucket = queue_wait_bucket(open.age_ms);
    double at_risk = open_bucket >= start ? open.weight : 0;
    for (unsigned b = start; b < QUEUE_WAIT_BUCKETS; b++)
        at_risk += (double)c->matched[b] + (double)c->cut[b];
    double samples = at_risk / unit, waiting = 1;
    int next = 0;
    if (samples < 1) return 0;
    for (unsigned b = start; b < QUEUE_WAIT_BUCKETS && next < QUANTILES; b++) {
        double cut = (double)c->cut[b] + (b == open_bucket ? open.weight : 0);
        double faced = at_risk - cut / 2; /* who is cut short was there for half of it */
        struct bucket at = {
            .low_ms = b ? (double)queue_wait_bucket_ms(b - 1) : 0,
            .high_ms = (double)queue_wait_bucket_ms(b),
            .hazard = faced > 0 ? fmin(1, (double)c->matched[b] / faced) : 0,
        };
        double from_ms = fmin(fmax(at.low_ms, (double)age_ms), at.high_ms);
        double after = waiting * waits_on(&at, from_ms);
        for (; next < QUANTILES; next++) {
            double wanted = wanted_part(quantiles[next], samples);
            if (after > wanted) break;
            out_ms[next] = rest_of(crossing_ms(&at, from_ms, wanted / waiting), age_ms);
        }
        waiting = after;
        at_risk -= (double)c->matched[b] + cut;
    }
    for (; next < QUANTILES; next++)
        out_ms[next] = ETA_BEYOND;
    return samples;
}
