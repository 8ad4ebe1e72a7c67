/* map.c - linear probing from a Fibonacci-scrambled home slot; removal shifts back. */
#include "base/map.h"

#include "base/mem.h"

#include <assert.h>

enum { SLOTS_FIRST = 16 };

/* The top bits of the product: a caller's hash that is weak in its low bits does no harm. */
static size_t home_of(const struct map *m, uint64_t hash) {
    int bits = __builtin_ctzll(m->slot_count);
    return (size_t)((hash * 0x9E3779B97F4A7C15u) >> (64 - bits));
}

static size_t after(const struct map *m, size_t slot) {
    return (slot + 1) & (m->slot_count - 1);
}

static void place(struct map *m, struct map_slot entry) {
    size_t slot = home_of(m, entry.hash);
    while (m->slots[slot].value)
        slot = after(m, slot);
    m->slots[slot] = entry;
}

static void grow(struct map *m) {
    struct map old = *m;
    m->slot_count = old.slot_count ? old.slot_count * 2 : SLOTS_FIRST;
    m->slots = mem_array(m->slot_count, sizeof *m->slots);
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].value) place(m, old.slots[i]);
    mem_free(old.slots);
}

void *map_get(const struct map *m, uint64_t hash, map_equal_fn equal, const void *key) {
    if (m->count == 0) return NULL;
    for (size_t slot = home_of(m, hash); m->slots[slot].value; slot = after(m, slot)) {
        const struct map_slot *s = &m->slots[slot];
        if (s->hash == hash && equal(s->value, key)) return s->value;
    }
    return NULL;
}

void map_put(struct map *m, uint64_t hash, void *value) {
    assert(value);
    if (m->count + 1 > m->slot_count / 8 * 7) grow(m);
    place(m, (struct map_slot){hash, value});
    m->count++;
}

void map_expect(const struct map *m, uint64_t hash) {
    if (m->count) __builtin_prefetch(&m->slots[home_of(m, hash)], 1);
}

/* Pulls later entries of the run into the hole wherever that brings them no earlier than home. */
static void close_hole(struct map *m, size_t hole) {
    size_t mask = m->slot_count - 1;
    for (size_t slot = after(m, hole); m->slots[slot].value; slot = after(m, slot)) {
        size_t home = home_of(m, m->slots[slot].hash);
        if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
        m->slots[hole] = m->slots[slot];
        hole = slot;
    }
    m->slots[hole] = (struct map_slot){0};
}

bool map_remove(struct map *m, uint64_t hash, const void *value) {
    if (m->count == 0) return false;
    size_t slot = home_of(m, hash);
    while (m->slots[slot].value && (m->slots[slot].value != value || m->slots[slot].hash != hash))
        slot = after(m, slot);
    if (!m->slots[slot].value) return false;
    close_hole(m, slot);
    m->count--;
    return true;
}

void *map_next(const struct map *m, size_t *cursor) {
    while (*cursor < m->slot_count) {
        void *value = m->slots[(*cursor)++].value;
        if (value) return value;
    }
    return NULL;
}

void map_fini(struct map *m) {
    mem_free(m->slots);
    *m = (struct map){0};
}
