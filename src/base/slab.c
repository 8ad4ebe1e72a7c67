/* slab.c - chunks of objects and a list of the free ones. */
#include "base/slab.h"

#include "base/mem.h"

#include <assert.h>
#include <stdint.h>

/* Chunks are half of what there is: big ones lie in huge pages (mem_array). */
enum { LINE_BYTES = 64, CHUNK_BYTES_MIN = 65536, CHUNK_BYTES_MAX = 8 << 20, GROWTH_PART = 2 };

static size_t rounded(const struct slab *s, size_t size) {
    size_t step = s->alignment ? s->alignment : LINE_BYTES;
    return (size + step - 1) / step * step;
}

static size_t next_chunk_bytes(const struct slab *s) {
    size_t bytes = s->bytes / GROWTH_PART;
    if (bytes < CHUNK_BYTES_MIN) return CHUNK_BYTES_MIN;
    return bytes < CHUNK_BYTES_MAX ? bytes : CHUNK_BYTES_MAX;
}

static void add_chunk(struct slab *s) {
    size_t size = rounded(s, s->size), bytes = next_chunk_bytes(s);
    char *chunk = mem_array(bytes, 1);
    s->bytes += bytes;
    *(void **)(void *)chunk = s->chunks;
    s->chunks = chunk;
    uintptr_t first = rounded(s, (uintptr_t)chunk + sizeof(void *));
    s->next = chunk + (first - (uintptr_t)chunk);
    s->chunk_left = (bytes - (size_t)(s->next - chunk)) / size;
    assert(s->chunk_left > 0);
}

void *slab_take(struct slab *s) {
    assert(s->size >= sizeof(void *));
    void *object = s->free;
    if (object) {
        s->free = *(void **)object;
        __builtin_prefetch(s->free); /* it names the next one */
        return object;
    }
    if (s->chunk_left == 0) add_chunk(s);
    object = s->next;
    s->next += rounded(s, s->size);
    s->chunk_left--;
    return object;
}

void slab_give(struct slab *s, void *object) {
    *(void **)object = s->free;
    s->free = object;
}

void slab_fini(struct slab *s) {
    while (s->chunks) {
        void *chunk = s->chunks;
        s->chunks = *(void **)chunk;
        mem_free(chunk);
    }
    *s = (struct slab){.size = s->size, .alignment = s->alignment};
}
