/* backoff.h - how long to wait before the next try: 10 ms doubling to 1 s, with jitter.
 *
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_STORE_BACKOFF_H
#define MUSTER_STORE_BACKOFF_H

#include "base/rng.h"

struct backoff {
    int64_t next_ms;
    struct rng rng;
};

void backoff_init(struct backoff *b); /* seeded from the kernel: peers must not march in step */
void backoff_reset(struct backoff *b);
/* Half of the current step plus a random part of the other half; then the step doubles. */
int64_t backoff_next_ms(struct backoff *b);

#endif
