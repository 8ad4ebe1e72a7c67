/* bins.h - waiting tickets by key, in bins: each a FIFO of flat slots, a bitmap says which hold
 * any.
 *
 *   bins:   |  .  |  #  |  .  |  .  | ### |  #  |       a bin is 1/16 of the spread allowed at
 * first |                       | head [slot slot slot] -> head [slot slot slot slot slot ...]
 * oldest first, in blocks that grow with what the bin holds: 3, 7, 15, 31, 63 slots
 *
 * A slot is all that a search always wants to know of a candidate: half a cache line, or a whole
 * one where a queue asks for latencies or roles. A block is one stretch of memory, so a crowd is
 * read at the pace of memory, and a lonely ticket costs two lines. Insert, remove and the step to
 * the next bin that holds any are O(1). The range follows what comes: keys beyond it stand in the
 * outermost bins until they are more than a sixteenth of all, then the bins are made more, and
 * where they are too many already, wider (O(bins), amortised O(1)). Slots stay where they are but
 * for inserts and removes. Thread safety: none.
 */
#ifndef MUSTER_MODEL_BINS_H
#define MUSTER_MODEL_BINS_H

#include "base/slab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIN_SEATS_MAX 63
#define BIN_SIZES 5 /* of blocks: 3, 7, 15, 31, 63 seats */
#define BINS_MAX (1 << 19)
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

struct bin_travel {   /* behind a slot, in a queue with latency rules or roles */
    uint64_t regions; /* those in which some age's latency rule could hold, one bit each */
    uint16_t latency_ms[SLOT_REGIONS]; /* to the pool's first regions, the party's worst; 0: none */
    uint32_t roles;                    /* its players' (casting.h) */
    uint32_t best_ms;                  /* of its regions, 0 without any */
};

/* The other half of a slot that stands in a block; for who knows that there is one. */
static inline const struct bin_travel *bin_travel(const struct bin_slot *s) {
    return (const struct bin_travel *)(const void *)(s + 1);
}

struct bin_block { /* its head, in the place of a slot; the seats follow */
    struct bin_block *next, *previous;
    uint64_t used;      /* a bit per seat that is taken */
    uint8_t end, seats; /* all seats from `end` on are free */
    uint8_t spare[6];
};

/* `slot_bytes`: of the memory that the block is from. */
static inline struct bin_slot *bin_seat(const struct bin_block *b, uint32_t seat,
                                        size_t slot_bytes) {
    return (struct bin_slot *)(void *)((char *)(uintptr_t)b + (seat + 1) * slot_bytes);
}

struct bin_memory { /* for the blocks of any number of bins; bin_memory_init before all else */
    size_t slot_bytes;
    struct slab sizes[BIN_SIZES];
};
void bin_memory_init(struct bin_memory *m, bool has_travels);
void bin_memory_fini(struct bin_memory *m);

struct bin {
    struct bin_block *first, *last;
    uint64_t count;
};

struct bins {     /* zeroed but for `width` and `memory` is an empty one */
    double width; /* of a bin, in units of the key */
    struct bin_memory *memory;
    struct bin *bins;
    uint32_t bin_count;
    int64_t base;       /* number of the first bin: floor(key / width) */
    uint64_t *occupied; /* a bit per bin, then a bit per word of those */
    uint64_t *summary;
    uint64_t count, below, above; /* slots; of them those of keys outside the range */
};

/* Sets the slot and seat of the slot's entry. `travel` is ignored where bins have none. */
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

/* A hint that changes nothing: a slot of that key is inserted soon. */
void bins_expect(const struct bins *x, double key);

struct bins_look {
    const struct bins *bins;
    double key;
};
#define BINS_LOOKS_MAX 16
/* Brings what walks from these keys meet first into the cache, in the time of one cache miss behind
 * the other for all of them, not for each. */
void bins_touch(const struct bins_look *looks, uint32_t count);

#endif
