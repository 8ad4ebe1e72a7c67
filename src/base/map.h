/* map.h - hash map from a caller-computed 64-bit hash to a pointer, open addressing.
 *
 * The map stores (half of the hash, value) only; the caller's `equal` decides among values of one
 * hash. Hash keys from outside with str_hash (seeded) so that nobody can aim at one bucket.
 * O(1) expected; grows by doubling at 7/8 full; deletion shifts back, no tombstones.
 * Memory: 10 bytes per slot, so 11 to 23 for a value: a pointer is one of user space, which has 48
 * bits on x86-64 and on AArch64 unless a program asks for more. Thread safety: none.
 */
#ifndef MUSTER_BASE_MAP_H
#define MUSTER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint16_t part[5]; /* 2 of the hash, 3 of the value, low ones first; no value: empty */
};

struct map {
    struct map_slot *slots; /* NULL until the first put */
    size_t slot_count;      /* a power of two */
    size_t count;
};

/* Called in the caller's thread, during the call only. */
typedef bool (*map_equal_fn)(const void *value, const void *key);

void *map_get(const struct map *m, uint64_t hash, map_equal_fn equal, const void *key);
/* Adds without looking for an equal one: get first. `value` is not NULL. */
void map_put(struct map *m, uint64_t hash, void *value);
/* A hint: the hash is looked up soon. Starts to fetch its place from memory. */
void map_expect(const struct map *m, uint64_t hash);
/* Removes exactly `value` under that hash (it may be there under others); false: it is not. */
bool map_remove(struct map *m, uint64_t hash, const void *value);
/* Walks: start with *cursor = 0; NULL at the end. No change of the map meanwhile. */
void *map_next(const struct map *m, size_t *cursor);
void map_fini(struct map *m); /* frees the slots, not the values; zeroed memory is fine */

#endif
