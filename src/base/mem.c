/* mem.c - allocation that aborts instead of failing, and a bump allocator of doubling blocks. */
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

enum { HUGE_PAGE_BYTES = 2 << 20 };
enum { ALIGNMENT = 16, BLOCK_BYTES_FIRST = 4096, BLOCK_BYTES_MAX = 65536 };

static void *or_abort(void *p, size_t size) {
    if (p) return p;
    (void)fprintf(stderr, "level=error id=out-of-memory bytes=%zu\n", size);
    abort();
}

void *mem_alloc(size_t size) {
    return or_abort(calloc(1, size ? size : 1), size);
}

/* A big table is read at random: with huge pages most of its places are in the TLB. */
static void ask_for_huge_pages(void *p, size_t size) {
    uintptr_t start = ((uintptr_t)p + HUGE_PAGE_BYTES - 1) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    uintptr_t end = ((uintptr_t)p + size) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    if (end > start) (void)madvise((void *)start, end - start, MADV_HUGEPAGE); /* or do without */
}

void *mem_array(size_t count, size_t size) {
    assert(size > 0);
    void *p = or_abort(calloc(count ? count : 1, size), count); /* calloc checks the product */
    if (count > (size_t)2 * HUGE_PAGE_BYTES / size) ask_for_huge_pages(p, count * size);
    return p;
}

void *mem_grow(void *old, size_t count, size_t size) {
    assert(count > 0 && size > 0);
    return or_abort(reallocarray(old, count, size), count);
}

char *mem_text(struct str s) {
    char *copy = mem_alloc(s.size + 1);
    if (s.size) memcpy(copy, s.at, s.size);
    return copy;
}

void mem_free(void *p) {
    free(p);
}

void mem_hide(void *p, size_t size) {
#ifdef __SANITIZE_ADDRESS__
    __asan_poison_memory_region(p, size);
#else
    (void)p, (void)size;
#endif
}

void mem_lend(void *p, size_t size) {
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(p, size);
#else
    (void)p, (void)size;
#endif
}

struct block {
    struct block *next;
    size_t size, used; /* bytes of content[] */
    _Alignas(ALIGNMENT) char content[];
};

struct arena {
    struct block *blocks; /* the newest first: only it is filled */
    size_t cap_bytes, used_bytes;
    size_t block_bytes_next;
};

struct arena *arena_new(size_t cap_bytes) {
    struct arena *a = mem_alloc(sizeof *a);
    a->cap_bytes = cap_bytes;
    a->block_bytes_next = BLOCK_BYTES_FIRST;
    return a;
}

static void free_blocks(struct block *b) {
    while (b) {
        struct block *next = b->next;
        mem_free(b);
        b = next;
    }
}

void arena_free(struct arena *a) {
    if (!a) return;
    free_blocks(a->blocks);
    mem_free(a);
}

void arena_reset(struct arena *a) {
    a->used_bytes = 0;
    if (!a->blocks) return;
    free_blocks(a->blocks->next);
    a->blocks->next = NULL;
    a->blocks->used = 0;
    /* One outsized request must not pin its block for the arena's life. */
    if (a->blocks->size > BLOCK_BYTES_MAX) {
        free_blocks(a->blocks);
        a->blocks = NULL;
    }
}

static void add_block(struct arena *a, size_t least) {
    size_t size = a->block_bytes_next;
    if (size < least) size = least;
    if (a->block_bytes_next < BLOCK_BYTES_MAX) a->block_bytes_next *= 2;
    struct block *b = or_abort(malloc(sizeof *b + size), size);
    b->next = a->blocks;
    b->size = size;
    b->used = 0;
    a->blocks = b;
}

void *arena_try(struct arena *a, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded == 0) rounded = ALIGNMENT;
    if (a->cap_bytes && rounded > a->cap_bytes - a->used_bytes) return NULL;
    if (!a->blocks || rounded > a->blocks->size - a->blocks->used) add_block(a, rounded);
    void *p = a->blocks->content + a->blocks->used;
    a->blocks->used += rounded;
    a->used_bytes += rounded;
    return memset(p, 0, rounded);
}

void *arena_alloc(struct arena *a, size_t size) {
    return or_abort(arena_try(a, size), size);
}

struct str arena_str(struct arena *a, struct str s) {
    char *copy = arena_alloc(a, s.size + 1);
    if (s.size) memcpy(copy, s.at, s.size);
    return (struct str){copy, s.size};
}

struct str arena_printf(struct arena *a, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *text = arena_alloc(a, (size_t)size + 1);
    (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return (struct str){text, (size_t)size};
}

size_t arena_used(const struct arena *a) {
    return a->used_bytes;
}
