/* bump.c - a list of blocks, the first of which is being filled. */
#include "bump.h"

#include <stdlib.h>

enum { ALIGNMENT = 16, BLOCK_BYTES_FIRST = 8192, BLOCK_BYTES_DOUBLED_MAX = 1 << 23 };

struct bump_block {
    struct bump_block *next;
    size_t size, used; /* bytes of content[] */
    _Alignas(ALIGNMENT) char content[];
};

static size_t next_size(const struct bump *b, size_t least) {
    size_t size = b->blocks ? b->blocks->size : BLOCK_BYTES_FIRST / 2;
    if (size < BLOCK_BYTES_DOUBLED_MAX) size *= 2;
    return size < least ? least : size;
}

void *muster_bump_alloc(struct bump *b, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (b->blocks == NULL || rounded > b->blocks->size - b->blocks->used) {
        size_t block_bytes = next_size(b, rounded);
        struct bump_block *block = malloc(sizeof *block + block_bytes);
        if (block == NULL) return NULL;
        block->next = b->blocks;
        block->size = block_bytes;
        block->used = 0;
        b->blocks = block;
    }
    void *at = b->blocks->content + b->blocks->used;
    b->blocks->used += rounded;
    return at;
}

static void *allocate(void *bump, size_t size) {
    return muster_bump_alloc(bump, size);
}

static void keep(void *bump, void *at) {
    (void)bump;
    (void)at; /* until the reset */
}

ProtobufCAllocator muster_bump_allocator(struct bump *b) {
    return (ProtobufCAllocator){allocate, keep, b};
}

static void free_blocks(struct bump_block *block) {
    while (block != NULL) {
        struct bump_block *next = block->next;
        free(block);
        block = next;
    }
}

void muster_bump_reset(struct bump *b) {
    if (b->blocks == NULL) return;
    if (b->blocks->size > BUMP_KEPT_BYTES) {
        muster_bump_fini(b);
        return;
    }
    free_blocks(b->blocks->next);
    b->blocks->next = NULL;
    b->blocks->used = 0;
}

void muster_bump_fini(struct bump *b) {
    free_blocks(b->blocks);
    b->blocks = NULL;
}
