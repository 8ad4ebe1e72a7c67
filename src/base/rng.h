/* rng.h - the one seeded random generator (xoshiro256**, Blackman and Vigna 2018).
 *
 * Not for secrets: rng_secret() reads the kernel's. Thread safety: one thread per instance;
 * rng_secret all threads.
 */
#ifndef MUSTER_BASE_RNG_H
#define MUSTER_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* uniform in 0..bound-1; bound > 0 */
double rng_unit(struct rng *r);                    /* uniform in [0, 1) */
double rng_normal(struct rng *r);                  /* mean 0, deviation 1 */
void rng_secret(void *out, size_t size);           /* getrandom(2); aborts when it fails */

#endif
