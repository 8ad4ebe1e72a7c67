/* eta_curve.h - the chance to wait longer than t, from waits that ended and waits cut short.
 *
 * The product-limit estimator (Kaplan and Meier 1958) over the buckets of queue_wait_bucket; within
 * a bucket waits lie evenly. One unit of weight is one wait; weights may be any positive numbers,
 * which is how old waits fade. Pure. Thread safety: none.
 */
#ifndef MUSTER_MODEL_ETA_CURVE_H
#define MUSTER_MODEL_ETA_CURVE_H

#include "model/queue.h"

#define ETA_BEYOND INT32_MAX /* ms: longer than anything seen */

struct eta_curve { /* zeroed memory is an empty one */
    float matched[QUEUE_WAIT_BUCKETS];
    float cut[QUEUE_WAIT_BUCKETS]; /* longer than this, and nobody knows how much */
};

struct eta_open { /* waits that go on, as if all had lasted as long as their mean */
    double weight;
    int64_t age_ms;
};

/* The rest of a wait that has lasted `age_ms`: what half, and nine in ten, do not exceed; in ms, at
 * least 1, or ETA_BEYOND. `unit`: the weight of one wait. Quantiles are those of the next wait, not
 * of the sample: (n + 1) q of n, so that few waits give a cautious answer.
 * Returns how many waits lasted that long: what the answer stands on; 0: none did, no answer. */
double eta_curve_rest(const struct eta_curve *c, struct eta_open open, double unit, int64_t age_ms,
                      int32_t out_ms[2]);

#endif
