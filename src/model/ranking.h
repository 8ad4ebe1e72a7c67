/* ranking.h - numbered candidates, of which the best is taken, then the next best, and so on.
 *
 *   ranking_put(r, 0, v) ranking_put(r, 1, v) ... -> ranking_close(r, count) -> ranking_take(r)
 *
 * For a few hundred of which a few are taken: value and number stand in one integer, and the best
 * of every eight of them beside these, so that nothing is sorted or moved and there is no branch
 * to guess wrong. put, close O(1) each, take O(count / 8). Of equal values (to 2^-43 of their size)
 * the smaller number is taken first. Thread safety: none.
 */
#ifndef MUSTER_MODEL_RANKING_H
#define MUSTER_MODEL_RANKING_H

#include <stdint.h>
#include <string.h>

#define RANKING_MAX 512 /* numbers are below it */
#define RANKING_NONE UINT32_MAX

enum { RANKING_BLOCK = 8 };

struct ranking {
    uint64_t places[RANKING_MAX]; /* value and number; 0: absent, or taken */
    uint64_t best[RANKING_MAX / RANKING_BLOCK];
    uint32_t blocks;
};

/* The bits of a double in an order that integers have: NaN above everything. */
static inline uint64_t ranking_bits(double value) {
    uint64_t bits;
    value += 0.0; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* `bits`: the more, the earlier; the lowest nine do not count. 0: it is never taken. */
static inline void ranking_put(struct ranking *r, uint32_t number, uint64_t bits) {
    uint64_t place = (bits & ~(uint64_t)(RANKING_MAX - 1)) | (RANKING_MAX - 1 - number);
    r->places[number] = bits ? place : 0;
}

static inline void ranking_weigh(struct ranking *r, uint32_t block) {
    const uint64_t *places = &r->places[block * RANKING_BLOCK];
    uint64_t best = 0;
    for (int i = 0; i < RANKING_BLOCK; i++)
        best = places[i] > best ? places[i] : best;
    r->best[block] = best;
}

/* All numbers below `count` were put. */
static inline void ranking_close(struct ranking *r, uint32_t count) {
    for (; count % RANKING_BLOCK; count++)
        r->places[count] = 0;
    r->blocks = count / RANKING_BLOCK;
    for (uint32_t block = 0; block < r->blocks; block++)
        ranking_weigh(r, block);
}

/* The number of the best; RANKING_NONE: all were taken. */
static inline uint32_t ranking_take(struct ranking *r) {
    uint64_t best = 0;
    for (uint32_t block = 0; block < r->blocks; block++)
        best = r->best[block] > best ? r->best[block] : best;
    if (best == 0) return RANKING_NONE;
    uint32_t number = RANKING_MAX - 1 - (uint32_t)(best & (RANKING_MAX - 1));
    r->places[number] = 0;
    ranking_weigh(r, number / RANKING_BLOCK);
    return number;
}

#endif
