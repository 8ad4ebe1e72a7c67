/* key_index.c - a two-level sorted array: blocks of slots under an array of fences. */
#include "model/key_index.h"

#include "base/mem.h"
#include "model/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SLOTS = 128, /* 3 KB: a move of half of it costs as much as one cache miss */
    BLOCK_FILLED = 96, /* by appends: with room for inserts in between */
    BLOCK_SPARSE = 32, /* a block below this is merged into its neighbour when both fit in half */
};

struct key_block {
    uint32_t count;
    struct key_slot slots[BLOCK_SLOTS];
};

static int compare(const struct key_slot *a, const struct key_slot *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    if (a->created_ms != b->created_ms) return a->created_ms < b->created_ms ? -1 : 1;
    assert(a->entry && b->entry); /* only a probe has none, and its time is no entry's */
    return id_compare(a->entry->id, b->entry->id);
}

static bool before(const struct key_slot *a, const struct key_slot *b) {
    return compare(a, b) < 0;
}

/* The last block whose first slot is not after `s`, or the first one. */
static uint32_t block_of(const struct key_index *x, const struct key_slot *s) {
    uint32_t low = 0, high = x->block_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (before(s, &x->fences[middle].first))
            high = middle;
        else
            low = middle;
    }
    return low;
}

static uint32_t slot_of(const struct key_block *b, const struct key_slot *s) {
    uint32_t low = 0, high = b->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (before(&b->slots[middle], s))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_block(struct key_index *x, uint32_t at, struct key_block *b) {
    if (x->block_count == x->block_capacity) {
        x->block_capacity = x->block_capacity ? x->block_capacity * 2 : 4;
        x->fences = mem_grow(x->fences, x->block_capacity, sizeof *x->fences);
    }
    memmove(&x->fences[at + 1], &x->fences[at], (x->block_count - at) * sizeof *x->fences);
    x->fences[at] = (struct key_fence){b->slots[0], b};
    x->block_count++;
}

static void drop_block(struct key_index *x, uint32_t at) {
    mem_free(x->fences[at].block);
    x->block_count--;
    memmove(&x->fences[at], &x->fences[at + 1], (x->block_count - at) * sizeof *x->fences);
}

/* Makes room in a full block. At the very end nothing is moved: keys that only grow fill blocks. */
static void split_block(struct key_index *x, uint32_t at, const struct key_slot *coming) {
    struct key_block *old = x->fences[at].block, *upper = mem_alloc(sizeof *upper);
    if (at + 1 == x->block_count && before(&old->slots[old->count - 1], coming)) {
        upper->slots[0] = *coming; /* its fence; the slot itself is written by the insert */
    } else {
        upper->count = BLOCK_SLOTS / 2;
        old->count -= upper->count;
        memcpy(upper->slots, &old->slots[old->count], upper->count * sizeof *upper->slots);
    }
    add_block(x, at + 1, upper);
}

void key_index_insert(struct key_index *x, struct key_slot s) {
    assert(s.key == s.key);
    if (x->block_count == 0) add_block(x, 0, mem_alloc(sizeof(struct key_block)));
    uint32_t at = x->count ? block_of(x, &s) : 0;
    if (x->fences[at].block->count == BLOCK_SLOTS) {
        split_block(x, at, &s);
        if (!before(&s, &x->fences[at + 1].first)) at++;
    }
    struct key_block *b = x->fences[at].block;
    uint32_t slot = slot_of(b, &s);
    memmove(&b->slots[slot + 1], &b->slots[slot], (b->count - slot) * sizeof *b->slots);
    b->slots[slot] = s;
    b->count++;
    if (slot == 0) x->fences[at].first = s;
    x->count++;
}

static void merge_with_next(struct key_index *x, uint32_t at) {
    struct key_block *b = x->fences[at].block, *next = x->fences[at + 1].block;
    if (b->count + next->count > BLOCK_SLOTS / 2) return;
    memcpy(&b->slots[b->count], next->slots, next->count * sizeof *b->slots);
    b->count += next->count;
    drop_block(x, at + 1);
}

void key_index_remove(struct key_index *x, struct key_slot s) {
    assert(x->count > 0);
    uint32_t at = block_of(x, &s);
    struct key_block *b = x->fences[at].block;
    uint32_t slot = slot_of(b, &s);
    assert(slot < b->count && b->slots[slot].entry == s.entry);
    b->count--;
    memmove(&b->slots[slot], &b->slots[slot + 1], (b->count - slot) * sizeof *b->slots);
    x->count--;
    if (b->count == 0) {
        drop_block(x, at);
        return;
    }
    if (slot == 0) x->fences[at].first = b->slots[0];
    if (b->count < BLOCK_SPARSE && at + 1 < x->block_count) merge_with_next(x, at);
}

void key_index_append(struct key_index *x, struct key_slot s) {
    assert(s.key == s.key);
    struct key_block *last = x->block_count ? x->fences[x->block_count - 1].block : NULL;
    if (!last || last->count == BLOCK_FILLED) {
        last = mem_alloc(sizeof *last);
        last->slots[0] = s; /* its fence */
        add_block(x, x->block_count, last);
    }
    last->slots[last->count++] = s;
    x->count++;
}

static int order(const void *a, const void *b) {
    return compare(a, b);
}

static bool is_sorted(const struct key_slot *slots, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        if (before(&slots[i], &slots[i - 1])) return false;
    }
    return true;
}

void key_index_sort(struct key_index *x) {
    struct key_slot *all = mem_grow(NULL, x->count + 1, sizeof *all), *at = all;
    for (uint32_t i = 0; i < x->block_count; i++) {
        const struct key_block *b = x->fences[i].block;
        memcpy(at, b->slots, b->count * sizeof *at);
        at += b->count;
    }
    if (!is_sorted(all, x->count)) qsort(all, x->count, sizeof *all, order);
    at = all;
    for (uint32_t i = 0; i < x->block_count; i++) {
        struct key_block *b = x->fences[i].block;
        memcpy(b->slots, at, b->count * sizeof *at);
        x->fences[i].first = b->slots[0];
        at += b->count;
    }
    mem_free(all);
}

void key_index_fini(struct key_index *x) {
    for (uint32_t i = 0; i < x->block_count; i++)
        mem_free(x->fences[i].block);
    mem_free(x->fences);
    *x = (struct key_index){0};
}

struct key_cursor key_index_lower(const struct key_index *x, double key) {
    if (x->count == 0) return (struct key_cursor){0, 0};
    struct key_slot probe = {key, INT64_MIN, NULL}; /* before every ticket of that key */
    uint32_t block = block_of(x, &probe);
    uint32_t slot = slot_of(x->fences[block].block, &probe);
    if (slot == x->fences[block].block->count) return (struct key_cursor){block + 1, 0};
    return (struct key_cursor){block, slot};
}

const struct key_slot *key_index_at(const struct key_index *x, struct key_cursor c) {
    return c.block < x->block_count ? &x->fences[c.block].block->slots[c.slot] : NULL;
}

struct key_cursor key_index_next(const struct key_index *x, struct key_cursor c) {
    if (c.slot + 1 < x->fences[c.block].block->count) {
        return (struct key_cursor){c.block, c.slot + 1};
    }
    return (struct key_cursor){c.block + 1, 0};
}

bool key_index_previous(const struct key_index *x, struct key_cursor *c) {
    if (c->slot > 0) {
        c->slot--;
        return true;
    }
    if (c->block == 0) return false;
    c->block--;
    c->slot = x->fences[c->block].block->count - 1;
    return true;
}

bool key_cursor_equal(struct key_cursor a, struct key_cursor b) {
    return a.block == b.block && a.slot == b.slot;
}
