/* map.c - linear probing from a Fibonacci-scrambled home slot; removal shifts back. */
#include "base/map.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

enum { SLOTS_FIRST = 16, VALUE_BITS = 48 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a slot's parts are read as one number");

/* ---- slots ---- */

/* The top half of the product: a caller's hash that is weak in its low bits does no harm. */
static uint32_t short_hash(uint64_t hash) {
    return (uint32_t)((hash * 0x9E3779B97F4A7C15u) >> 32);
}

static inline uint32_t hash_of(const struct map_slot *s) {
    uint32_t hash;
    memcpy(&hash, s, sizeof hash);
    return hash;
}

static inline void *value_of(const struct map_slot *s) {
    uint64_t bits; /* half of the hash, then the value */
    memcpy(&bits, &s->part[1], sizeof bits);
    return (void *)(uintptr_t)(bits >> (64 - VALUE_BITS));
}

static struct map_slot slot_of(uint32_t hash, const void *value) {
    uint64_t bits = (uintptr_t)value;
    assert(bits >> VALUE_BITS == 0);
    struct map_slot s;
    memcpy(&s, &hash, sizeof hash);
    memcpy(&s.part[2], &bits, VALUE_BITS / 8);
    return s;
}

/* ---- places ---- */

static size_t home_of(const struct map *m, uint32_t hash) {
    return hash >> (32 - __builtin_ctzll(m->slot_count));
}

static size_t after(const struct map *m, size_t slot) {
    return (slot + 1) & (m->slot_count - 1);
}

static void place(struct map *m, const struct map_slot *s) {
    size_t slot = home_of(m, hash_of(s));
    while (value_of(&m->slots[slot]))
        slot = after(m, slot);
    m->slots[slot] = *s;
}

static void grow(struct map *m) {
    struct map old = *m;
    m->slot_count = old.slot_count ? old.slot_count * 2 : SLOTS_FIRST;
    assert(m->slot_count <= (size_t)1 << 32);
    m->slots = mem_array(m->slot_count, sizeof *m->slots);
    for (size_t i = 0; i < old.slot_count; i++)
        if (value_of(&old.slots[i])) place(m, &old.slots[i]);
    mem_free(old.slots);
}

/* Pulls later entries of the run into the hole wherever that brings them no earlier than home. */
static void close_hole(struct map *m, size_t hole) {
    size_t mask = m->slot_count - 1;
    for (size_t slot = after(m, hole); value_of(&m->slots[slot]); slot = after(m, slot)) {
        size_t home = home_of(m, hash_of(&m->slots[slot]));
        if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
        m->slots[hole] = m->slots[slot];
        hole = slot;
    }
    m->slots[hole] = (struct map_slot){0};
}

/* ---- the map ---- */

void *map_get(const struct map *m, uint64_t hash, map_equal_fn equal, const void *key) {
    if (m->count == 0) return NULL;
    uint32_t wanted = short_hash(hash);
    for (size_t slot = home_of(m, wanted);; slot = after(m, slot)) {
        void *value = value_of(&m->slots[slot]);
        if (!value) return NULL;
        if (hash_of(&m->slots[slot]) == wanted && equal(value, key)) return value;
    }
}

void map_put(struct map *m, uint64_t hash, void *value) {
    assert(value);
    if (m->count + 1 > m->slot_count / 8 * 7) grow(m);
    struct map_slot s = slot_of(short_hash(hash), value);
    place(m, &s);
    m->count++;
}

void map_expect(const struct map *m, uint64_t hash) {
    if (m->count) __builtin_prefetch(&m->slots[home_of(m, short_hash(hash))], 1);
}

bool map_remove(struct map *m, uint64_t hash, const void *value) {
    if (m->count == 0) return false;
    uint32_t wanted = short_hash(hash);
    size_t slot = home_of(m, wanted);
    for (const void *at; (at = value_of(&m->slots[slot])); slot = after(m, slot)) {
        if (at != value || hash_of(&m->slots[slot]) != wanted) continue;
        close_hole(m, slot);
        m->count--;
        return true;
    }
    return false;
}

void *map_next(const struct map *m, size_t *cursor) {
    while (*cursor < m->slot_count) {
        void *value = value_of(&m->slots[(*cursor)++]);
        if (value) return value;
    }
    return NULL;
}

void map_fini(struct map *m) {
    mem_free(m->slots);
    *m = (struct map){0};
}
