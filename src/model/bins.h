/* bins.h - waiting tickets by key, in bins: each a FIFO of flat slots, a bitmap says which hold
 * any.
 *
 *   bins:   |  .  |  #  |  .  |  .  | ### |  #  |       a bin is 1/16 of the spread allowed at
 * first |                       | [slot slot ....] -> [slot slot slot ...]    blocks of BIN_SLOTS,
 * oldest first
 *
 * A slot is all that a search wants to know of a candidate, in one cache line. Insert, remove and
 * the step to the next bin that holds any are O(1). The range follows what comes: keys beyond it
 * stand in the outermost bins until they are more than a sixteenth of all, then the bins are made
 * more, and where they are too many already, wider (O(bins), amortised O(1)).
 * Slots stay where they are but for inserts and removes. Thread safety: none.
 */
#ifndef MUSTER_MODEL_BINS_H
#define MUSTER_MODEL_BINS_H

#include "base/slab.h"

#include <stdbool.h>
#include <stdint.h>

#define BIN_SLOTS 8
#define BINS_MAX 65536
#define BINS_NONE UINT32_MAX
#define SLOT_REGIONS 8

struct pool_entry;

struct bin_slot {
    double key; /* not NaN */
    int64_t created_ms;
    struct pool_entry *entry;
    uint64_t regions; /* those in which some age's latency rule could hold, one bit each */
    uint16_t latency_ms[SLOT_REGIONS]; /* to the pool's first regions, the party's worst; 0: none */
    float start;                       /* credit of a fresh ticket, points */
    uint32_t tie;                      /* orders those of one millisecond */
    uint16_t players;
    uint16_t best_ms; /* of its regions, 0 without any */
    uint32_t roles;   /* its players' (casting.h) */
};

struct bin_block {
    struct bin_block *next, *previous;
    uint32_t used, end; /* a bit per slot that is taken; all slots from `end` on are free */
    struct bin_slot slots[BIN_SLOTS] __attribute__((aligned(64)));
};

struct bin {
    struct bin_block *first, *last;
    uint64_t count;
};

struct bins {     /* zeroed but for `width` and `blocks` is an empty one */
    double width; /* of a bin, in units of the key */
    struct slab *blocks;
    struct bin *bins;
    uint32_t bin_count;
    int64_t base;       /* number of the first bin: floor(key / width) */
    uint64_t *occupied; /* a bit per bin, then a bit per word of those */
    uint64_t *summary;
    uint64_t count, below, above; /* slots; of them those of keys outside the range */
};

/* Sets the entry's block and seat. */
void bins_insert(struct bins *x, struct pool_entry *e, const struct bin_slot *slot);
void bins_remove(struct bins *x, struct pool_entry *e);
void bins_fini(struct bins *x); /* gives the blocks back */

/* The bin of the key, whether or not it holds any. Not for an empty one. */
uint32_t bins_at(const struct bins *x, double key);
uint32_t bins_next(const struct bins *x, uint32_t bin);     /* BINS_NONE: none holds any */
uint32_t bins_previous(const struct bins *x, uint32_t bin); /* likewise */
/* No key of the bin, or of one beyond it, is nearer to `key`; 0 within the bin. */
double bins_distance(const struct bins *x, uint32_t bin, double key);

#endif
