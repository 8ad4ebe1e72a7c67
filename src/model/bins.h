/* bins.h - waiting tickets by key, in bins: each a FIFO of flat slots, a bitmap says which hold
 * any.
 *
 *   bins:   |  .  |  #  |  .  |  .  | ### |  #  |       a bin is 1/16 of the spread allowed at
 * first |                       | [slot slot ....] -> [slot slot slot ...]    blocks of BIN_SLOTS,
 * oldest first
 *
 * A slot is all that a search always wants to know of a candidate, half a cache line; what only
 * some queues ask for stands in another array of the block. Insert, remove and the step to the next
 * bin that holds any are O(1). The range follows what comes: keys beyond it stand in the outermost
 * bins until they are more than a sixteenth of all, then the bins are made more, and where they are
 * too many already, wider (O(bins), amortised O(1)). Slots stay where they are but for inserts and
 * removes. Thread safety: none.
 */
#ifndef MUSTER_MODEL_BINS_H
#define MUSTER_MODEL_BINS_H

#include "base/slab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIN_SLOTS 7
#define BINS_MAX 65536
#define BINS_NONE UINT32_MAX
#define SLOT_REGIONS 8

struct pool_entry;

struct bin_slot {
    double key; /* not NaN */
    int64_t created_ms;
    struct pool_entry *entry;
    float start; /* credit of a fresh ticket, points */
    uint32_t players : 8;
    uint32_t tie : 23;    /* orders those of one millisecond */
    uint32_t crowded : 1; /* more of its role come than have places: worth.h */
};

struct bin_travel {   /* of a slot in a queue with latency rules or roles */
    uint64_t regions; /* those in which some age's latency rule could hold, one bit each */
    uint16_t latency_ms[SLOT_REGIONS]; /* to the pool's first regions, the party's worst; 0: none */
    uint32_t roles;                    /* its players' (casting.h) */
    uint32_t best_ms;                  /* of its regions, 0 without any */
};

struct bin_block {
    struct bin_block *next, *previous;
    uint32_t used, end; /* a bit per slot that is taken; all slots from `end` on are free */
    uint64_t spare;
    struct bin_slot slots[BIN_SLOTS];
    struct bin_travel travels[]; /* none, or BIN_SLOTS */
};

/* The other half of a slot that stands in a block; for who knows that there is one. */
static inline const struct bin_travel *bin_travel(const struct bin_slot *s) {
    return (const struct bin_travel *)(const void *)(s + BIN_SLOTS);
}

struct bin {
    struct bin_block *first, *last;
    uint64_t count;
};

struct bins {            /* zeroed but for `width`, `blocks` and `has_travels` is an empty one */
    double width;        /* of a bin, in units of the key */
    struct slab *blocks; /* bins_block_size(has_travels) each */
    bool has_travels;
    struct bin *bins;
    uint32_t bin_count;
    int64_t base;       /* number of the first bin: floor(key / width) */
    uint64_t *occupied; /* a bit per bin, then a bit per word of those */
    uint64_t *summary;
    uint64_t count, below, above; /* slots; of them those of keys outside the range */
};

static inline size_t bins_block_size(bool has_travels) {
    return sizeof(struct bin_block) + (has_travels ? BIN_SLOTS * sizeof(struct bin_travel) : 0);
}

/* Sets the block and seat of the slot's entry. `travel` is ignored where bins have none. */
void bins_insert(struct bins *x, const struct bin_slot *slot, const struct bin_travel *travel);
void bins_remove(struct bins *x, struct pool_entry *e);
void bins_fini(struct bins *x); /* gives the blocks back */

/* The bin of the key, whether or not it holds any. Not for an empty one. */
uint32_t bins_at(const struct bins *x, double key);
uint32_t bins_next(const struct bins *x, uint32_t bin);     /* BINS_NONE: none holds any */
uint32_t bins_previous(const struct bins *x, uint32_t bin); /* likewise */
double bins_low(const struct bins *x, uint32_t bin);        /* its lower edge */
/* No key of the bin, or of one beyond it, is nearer to `key`; 0 within the bin. */
double bins_distance(const struct bins *x, uint32_t bin, double key);

#endif
