/* queue.c - a queue's definition, and its waits as a histogram of quarter octaves. */
#include "model/queue.h"

#include "base/mem.h"

#include <math.h>

void queue_def_free(struct queue_def *d) {
    if (!d) return;
    ruleset_free(d->ruleset);
    mem_free((char *)d->name.at);
    mem_free((char *)d->json.at);
    mem_free(d);
}

/* Bucket 0 ends at 8 ms; bucket b ends at 8 * 2^(b/4) ms; the last one has no end. */
unsigned queue_wait_bucket(int64_t wait_ms) {
    unsigned low = 0, high = QUEUE_WAIT_BUCKETS - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (wait_ms <= queue_wait_bucket_ms(middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int64_t queue_wait_bucket_ms(unsigned bucket) {
    static const double quarter_octaves[4] = {1, 1.189207115002721, 1.4142135623730951,
                                              1.681792830507429};
    return (int64_t)lround(ldexp(8 * quarter_octaves[bucket % 4], (int)(bucket / 4)));
}

int64_t queue_wait_quantile_ms(const struct queue_stats *s, double fraction) {
    uint64_t total = 0;
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++)
        total += s->waits[b];
    if (total == 0) return 0;
    uint64_t wanted = (uint64_t)ceil(fraction * (double)total);
    if (wanted == 0) wanted = 1;
    uint64_t seen = 0;
    unsigned b = 0;
    while ((seen += s->waits[b]) < wanted && b + 1 < QUEUE_WAIT_BUCKETS)
        b++;
    return queue_wait_bucket_ms(b);
}
