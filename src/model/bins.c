/* bins.c - FIFOs of flat slots under a two-level bitmap. */
#include "model/bins.h"

#include "base/mem.h"
#include "model/pool.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS_FIRST = 64,
    BINS_FEW = 512, /* so many are allowed whatever they hold: 12 KB */
    WORD = 64,
};

/* ---- which bin ---- */

static const int64_t FAR = INT64_C(1) << 60; /* outside of every range */

/* Monotone in the key; doubling the width halves it, exactly, but for those that are far away. */
static int64_t number_of(const struct bins *x, double key) {
    const double exact = 4503599627370496.0; /* 2^52: whole numbers of doubles */
    double number = floor(key / x->width);
    if (number >= exact) return FAR;
    return number <= -exact ? -FAR : (int64_t)number;
}

static uint32_t clamped(const struct bins *x, int64_t number) {
    if (number < x->base) return 0;
    int64_t last = x->base + x->bin_count - 1;
    return (uint32_t)((number < last ? number : last) - x->base);
}

uint32_t bins_at(const struct bins *x, double key) {
    assert(x->bin_count > 0);
    return clamped(x, number_of(x, key));
}

double bins_low(const struct bins *x, uint32_t bin) {
    return (double)(x->base + bin) * x->width;
}

double bins_distance(const struct bins *x, uint32_t bin, double key) {
    double low = bins_low(x, bin), high = low + x->width;
    if (key < low && bin == 0 && x->below > 0) return 0; /* the outermost hold what is beyond */
    if (key > high && bin == x->bin_count - 1 && x->above > 0) return 0;
    double distance = key < low ? low - key : key > high ? key - high : 0;
    return distance - 1e-6 * x->width > 0 ? distance : 0; /* rounding at the edge */
}

/* ---- which bins hold any ---- */

static void set_occupied(struct bins *x, uint32_t bin) {
    x->occupied[bin / WORD] |= UINT64_C(1) << bin % WORD;
    x->summary[bin / WORD / WORD] |= UINT64_C(1) << bin / WORD % WORD;
}

static void clear_occupied(struct bins *x, uint32_t bin) {
    uint64_t *word = &x->occupied[bin / WORD];
    *word &= ~(UINT64_C(1) << bin % WORD);
    if (*word == 0) x->summary[bin / WORD / WORD] &= ~(UINT64_C(1) << bin / WORD % WORD);
}

static uint64_t bits_above(uint64_t word, uint32_t bit) {
    return bit == WORD - 1 ? 0 : word & (UINT64_MAX << (bit + 1));
}

static uint64_t bits_below(uint64_t word, uint32_t bit) {
    return word & ~(UINT64_MAX << bit);
}

static uint32_t lowest(uint64_t word) {
    return (uint32_t)__builtin_ctzll(word);
}

static uint32_t highest(uint64_t word) {
    return WORD - 1 - (uint32_t)__builtin_clzll(word);
}

uint32_t bins_next(const struct bins *x, uint32_t bin) {
    uint32_t word = bin / WORD;
    uint64_t bits = bits_above(x->occupied[word], bin % WORD);
    if (bits) return word * WORD + lowest(bits);
    uint32_t top = word / WORD, tops = (x->bin_count - 1) / WORD / WORD + 1;
    bits = bits_above(x->summary[top], word % WORD);
    while (!bits) {
        if (++top == tops) return BINS_NONE;
        bits = x->summary[top];
    }
    word = top * WORD + lowest(bits);
    return word * WORD + lowest(x->occupied[word]);
}

uint32_t bins_previous(const struct bins *x, uint32_t bin) {
    uint32_t word = bin / WORD;
    uint64_t bits = bits_below(x->occupied[word], bin % WORD);
    if (bits) return word * WORD + highest(bits);
    uint32_t top = word / WORD;
    bits = bits_below(x->summary[top], word % WORD);
    while (!bits) {
        if (top-- == 0) return BINS_NONE;
        bits = x->summary[top];
    }
    word = top * WORD + highest(bits);
    return word * WORD + highest(x->occupied[word]);
}

/* ---- FIFOs ---- */

_Static_assert(sizeof(struct bin_slot) == 32 && sizeof(struct bin_travel) == 32 &&
                   sizeof(struct bin_block) == 32,
               "a head is a slot, and with a travel a cache line");

static uint32_t seats_of(uint32_t size) {
    return (4u << size) - 1;
}

_Static_assert((4 << (BIN_SIZES - 1)) - 1 == BIN_SEATS_MAX && BIN_SEATS_MAX < 64,
               "a bit of `used` for each seat of the largest");

void bin_memory_init(struct bin_memory *m, bool has_travels) {
    *m = (struct bin_memory){.slot_bytes = sizeof(struct bin_slot) * (has_travels ? 2 : 1)};
    for (uint32_t i = 0; i < BIN_SIZES; i++)
        m->sizes[i].size = (seats_of(i) + 1) * m->slot_bytes;
}

void bin_memory_fini(struct bin_memory *m) {
    for (uint32_t i = 0; i < BIN_SIZES; i++)
        slab_fini(&m->sizes[i]);
}

static struct slab *slab_of(const struct bins *x, uint32_t seats) {
    return &x->memory->sizes[(uint32_t)__builtin_ctz(seats + 1) - 2];
}

static struct bin_block *take_block(struct bins *x, uint32_t seats) {
    struct bin_block *block = slab_take(slab_of(x, seats));
    *block = (struct bin_block){.seats = (uint8_t)seats};
    return block;
}

static void give_block(struct bins *x, struct bin_block *block) {
    slab_give(slab_of(x, block->seats), block);
}

static struct bin_slot *seat_at(const struct bins *x, const struct bin_block *block,
                                uint32_t seat) {
    return bin_seat(block, seat, x->memory->slot_bytes);
}

/* `slot` stands in a block. */
static const struct bin_travel *travel_of(const struct bins *x, const struct bin_slot *slot) {
    return x->memory->slot_bytes > sizeof *slot ? bin_travel(slot) : NULL;
}

static void take_seat(struct bins *x, struct bin_block *block, const struct bin_slot *slot,
                      const struct bin_travel *travel) {
    uint32_t at = block->end++;
    struct bin_slot *s = seat_at(x, block, at);
    block->used |= UINT64_C(1) << at;
    *s = *slot;
    if (travel) *(struct bin_travel *)(void *)(s + 1) = *travel;
    s->entry->slot = s;
    s->entry->seat = (uint8_t)at;
}

/* Of the block that comes next where so many stand: sizes grow, so half of the seats at most are
 * empty, and the blocks of a crowd are the largest. */
static uint32_t seats_beyond(uint64_t count) {
    uint32_t size = 0;
    for (uint64_t before = seats_of(0); size < BIN_SIZES - 1 && count >= before; size++)
        before += seats_of(size + 1);
    return seats_of(size);
}

static void push(struct bins *x, uint32_t bin, const struct bin_slot *slot,
                 const struct bin_travel *travel) {
    struct bin *b = &x->bins[bin];
    struct bin_block *block = b->last;
    if (!block || block->end == block->seats) {
        block = take_block(x, seats_beyond(b->count));
        block->previous = b->last;
        *(b->last ? &b->last->next : &b->first) = block;
        b->last = block;
    }
    if (b->count++ == 0) set_occupied(x, bin);
    take_seat(x, block, slot, travel);
}

static void unlink_block(struct bins *x, struct bin *b, struct bin_block *block) {
    *(block->next ? &block->next->previous : &b->last) = block->previous;
    *(block->previous ? &block->previous->next : &b->first) = block->next;
    give_block(x, block);
}

/* Moves the slots of one block behind those of another, which has room. */
static void move_slots(struct bins *x, struct bin_block *to, const struct bin_block *from) {
    for (uint64_t bits = from->used; bits; bits &= bits - 1) {
        const struct bin_slot *s = seat_at(x, from, lowest(bits));
        take_seat(x, to, s, travel_of(x, s));
    }
}

/* Whether the block had room for what the next one holds. */
static bool merge_with_next(struct bins *x, struct bin *b, struct bin_block *block) {
    struct bin_block *next = block->next;
    if (!next || block->end + __builtin_popcountll(next->used) > block->seats) return false;
    move_slots(x, block, next);
    unlink_block(x, b, next);
    return true;
}

/* Moves the few slots that are left of a large block into a small one in its place. */
static void shrink(struct bins *x, struct bin *b, struct bin_block *block) {
    enum { SMALL = 1 };
    struct bin_block *small = take_block(x, seats_of(SMALL));
    move_slots(x, small, block);
    small->next = block->next;
    small->previous = block->previous;
    *(block->next ? &block->next->previous : &b->last) = small;
    *(block->previous ? &block->previous->next : &b->first) = small;
    give_block(x, block);
}

/* A block that most have left must not keep its memory, nor be a long way to few. */
static void tidy(struct bins *x, struct bin *b, struct bin_block *block) {
    enum { EIGHTH = 8 };
    if (block->used == 0) {
        unlink_block(x, b, block);
        return;
    }
    if (block->end <= block->seats / 2 && merge_with_next(x, b, block)) return;
    if (__builtin_popcountll(block->used) * EIGHTH <= block->seats) shrink(x, b, block);
}

static void pull(struct bins *x, uint32_t bin, struct pool_entry *e) {
    struct bin *b = &x->bins[bin];
    struct bin_block *block = (void *)((char *)e->slot - (e->seat + 1u) * x->memory->slot_bytes);
    assert(block->used >> e->seat & 1 && e->slot->entry == e);
    block->used &= ~(UINT64_C(1) << e->seat);
    block->end = block->used ? (uint8_t)(highest(block->used) + 1) : 0;
    if (--b->count == 0) clear_occupied(x, bin);
    tidy(x, b, block);
    e->slot = NULL;
}

void bins_expect(const struct bins *x, double key) {
    if (x->bins) __builtin_prefetch(x->bins[bins_at(x, key)].last, 1);
}

static void touch_block(const struct bins *x, const struct bin_block *block, uint32_t seats) {
    enum { LINE_BYTES = 64 };
    mem_touch(block);
    for (size_t at = LINE_BYTES; at < (seats + 1) * x->memory->slot_bytes; at += LINE_BYTES)
        __builtin_prefetch((const char *)block + at);
}

void bins_touch(const struct bins_look *looks, uint32_t count) {
    enum { BLOCKS = 2 };
    const struct bin_block *blocks[BINS_LOOKS_MAX];
    assert(count <= BINS_LOOKS_MAX);
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = looks[i].bins->bins[bins_at(looks[i].bins, looks[i].key)].first;
    for (uint32_t size = 0; size < BLOCKS; size++) {
        for (uint32_t i = 0; i < count; i++)
            if (blocks[i]) touch_block(looks[i].bins, blocks[i], seats_of(size));
        for (uint32_t i = 0; i < count; i++)
            if (blocks[i]) blocks[i] = blocks[i]->next;
    }
}

/* ---- the range ---- */

static void allocate(struct bins *x, int64_t base, uint32_t bin_count) {
    uint32_t words = (bin_count - 1) / WORD + 1;
    x->base = base;
    x->bin_count = bin_count;
    x->bins = mem_array(bin_count, sizeof *x->bins);
    x->occupied = mem_array(words, sizeof *x->occupied);
    x->summary = mem_array((words - 1) / WORD + 1, sizeof *x->summary);
}

static void free_arrays(struct bins *x) {
    mem_free(x->bins);
    mem_free(x->occupied);
    mem_free(x->summary);
}

static bool is_below(const struct bins *x, int64_t number) {
    return number < x->base;
}

static bool is_above(const struct bins *x, int64_t number) {
    return number >= x->base + x->bin_count;
}

static void file(struct bins *x, const struct bin_slot *slot, const struct bin_travel *travel) {
    int64_t number = number_of(x, slot->key);
    x->below += is_below(x, number);
    x->above += is_above(x, number);
    push(x, clamped(x, number), slot, travel);
}

static void append_chain(struct bins *x, uint32_t bin, const struct bin *from) {
    struct bin *to = &x->bins[bin];
    if (!to->first) {
        *to = *from;
        set_occupied(x, bin);
        return;
    }
    to->last->next = from->first;
    from->first->previous = to->last;
    to->last = from->last;
    to->count += from->count;
}

static void file_each(struct bins *x, struct bin *from) {
    for (struct bin_block *block = from->first, *next; block; block = next) {
        next = block->next;
        for (uint64_t bits = block->used; bits; bits &= bits - 1) {
            const struct bin_slot *s = seat_at(x, block, lowest(bits));
            file(x, s, travel_of(x, s));
        }
        give_block(x, block);
    }
}

/* Bins of 2^widen times the width over a new range; the outermost are filed one by one, and where
 * bins are made one, those of few slots. */
static void rebuild(struct bins *x, unsigned widen, int64_t base, uint32_t bin_count) {
    struct bins old = *x;
    x->width = ldexp(x->width, (int)widen);
    x->below = x->above = 0;
    allocate(x, base, bin_count);
    for (uint32_t i = 0; i < old.bin_count; i++) {
        struct bin *b = &old.bins[i];
        if (b->count == 0) continue;
        bool few = widen > 0 && b->count <= BIN_SEATS_MAX; /* into fewer blocks */
        if (few || i == 0 || i + 1 == old.bin_count)
            file_each(x, b);
        else
            append_chain(x, clamped(x, (old.base + i) >> widen), b);
    }
    free_arrays(&old);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The middle one of the numbers outside the range on one side, whose bin is `edge`. */
static int64_t middle_outside(const struct bins *x, uint32_t edge, uint64_t count) {
    int64_t *numbers = mem_array(count, sizeof *numbers);
    uint64_t found = 0;
    for (const struct bin_block *block = x->bins[edge].first; block; block = block->next) {
        for (uint64_t bits = block->used; bits; bits &= bits - 1) {
            int64_t number = number_of(x, seat_at(x, block, lowest(bits))->key);
            if (edge == 0 ? is_below(x, number) : is_above(x, number)) numbers[found++] = number;
        }
    }
    assert(found == count);
    qsort(numbers, found, sizeof *numbers, by_number);
    int64_t middle = numbers[found / 2];
    mem_free(numbers);
    return middle;
}

static bool is_many(const struct bins *x, uint64_t outside) {
    return outside > 8 + x->count / 16;
}

/* Four for each slot while they are not many, then one. */
static uint64_t bins_allowed(uint64_t slots) {
    enum { MANY = 65536 };
    uint64_t most = slots * 4 < MANY ? slots * 4 : MANY;
    if (most < slots) most = slots;
    return most < BINS_FEW ? BINS_FEW : most < BINS_MAX ? most : BINS_MAX;
}

/* Stretches the range over half of those outside, where these are many. */
static void follow(struct bins *x) {
    if (!is_many(x, x->below) && !is_many(x, x->above)) return;
    int64_t low = x->base, high = x->base + x->bin_count - 1;
    if (is_many(x, x->below)) low = middle_outside(x, 0, x->below);
    if (is_many(x, x->above)) high = middle_outside(x, x->bin_count - 1, x->above);
    uint64_t most = bins_allowed(x->count);
    unsigned widen = 0;
    while ((uint64_t)((high >> widen) - (low >> widen)) >= most / 2)
        widen++;
    uint32_t bin_count = BINS_FIRST;
    while (bin_count < 2 * (uint64_t)((high >> widen) - (low >> widen) + 1))
        bin_count *= 2;
    int64_t middle = (low >> widen) + ((high >> widen) - (low >> widen)) / 2;
    rebuild(x, widen, middle - bin_count / 2, bin_count);
}

static int64_t first_base(const struct bins *x, double key) {
    int64_t number = number_of(x, key);
    return number == FAR || number == -FAR ? 0 : number - BINS_FIRST / 2;
}

void bins_insert(struct bins *x, const struct bin_slot *slot, const struct bin_travel *travel) {
    assert(slot->key == slot->key);
    if (!x->bins) allocate(x, first_base(x, slot->key), BINS_FIRST);
    x->count++;
    file(x, slot, x->memory->slot_bytes > sizeof *slot ? travel : NULL);
    follow(x);
}

void bins_remove(struct bins *x, struct pool_entry *e) {
    int64_t number = number_of(x, e->slot->key);
    x->below -= is_below(x, number);
    x->above -= is_above(x, number);
    pull(x, clamped(x, number), e);
    x->count--;
}

void bins_fini(struct bins *x) {
    for (uint32_t i = 0; i < x->bin_count; i++) {
        for (struct bin_block *block = x->bins[i].first, *next; block; block = next) {
            next = block->next;
            give_block(x, block);
        }
    }
    free_arrays(x);
    *x = (struct bins){.width = x->width, .memory = x->memory};
}
