/* backoff.c - doubling waits with jitter. */
#include "store/backoff.h"

enum { FIRST_MS = 10, LAST_MS = 1000 };

void backoff_init(struct backoff *b) {
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    rng_init(&b->rng, seed);
    backoff_reset(b);
}

void backoff_reset(struct backoff *b) {
    b->next_ms = FIRST_MS;
}

int64_t backoff_next_ms(struct backoff *b) {
    int64_t step = b->next_ms;
    b->next_ms = step * 2 > LAST_MS ? LAST_MS : step * 2;
    return step / 2 + (int64_t)rng_below(&b->rng, (uint64_t)(step - step / 2 + 1));
}
