/* key_index.h - tickets in order of key, then age, then id: a search's neighbourhood.
 *
 * Sorted blocks under one sorted array of fences: finding is a binary search in two contiguous
 * arrays, a neighbour is the next slot. Insert and remove O(log n) plus a bounded move of memory
 * (at most a block, and rarely a part of the fences). 24 bytes per ticket in full blocks.
 * A cursor is valid until the next insert or remove. Thread safety: none.
 */
#ifndef MUSTER_MODEL_KEY_INDEX_H
#define MUSTER_MODEL_KEY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct pool_entry;

struct key_slot {
    double key; /* not NaN */
    int64_t created_ms;
    struct pool_entry *entry; /* its id breaks ties */
};

struct key_block;

struct key_fence {
    struct key_slot first; /* the block's first slot */
    struct key_block *block;
};

struct key_index { /* zeroed memory is an empty one */
    struct key_fence *fences;
    uint32_t block_count, block_capacity;
    uint64_t count;
};

struct key_cursor {
    uint32_t block, slot;
};

void key_index_insert(struct key_index *x, struct key_slot s);
void key_index_remove(struct key_index *x, struct key_slot s); /* asserts that it is there */
void key_index_fini(struct key_index *x);

/* Many at once: appends in any order to an empty index, then one sort before anything else is done
 * with it. O(n log n), with no search and no move per slot. */
void key_index_append(struct key_index *x, struct key_slot s);
void key_index_sort(struct key_index *x);

/* The first slot whose key is not below `key`; may be the end. O(log n). */
struct key_cursor key_index_lower(const struct key_index *x, double key);
/* NULL at the end. O(1), as the two below. */
const struct key_slot *key_index_at(const struct key_index *x, struct key_cursor c);
struct key_cursor key_index_next(const struct key_index *x, struct key_cursor c);
/* Steps back; false, and `c` unchanged, at the first slot. */
bool key_index_previous(const struct key_index *x, struct key_cursor *c);
bool key_cursor_equal(struct key_cursor a, struct key_cursor b);

#endif
