/* mem.h - memory that never fails, and arenas for what one request needs.
 *
 * Out of memory aborts: the journal has the state, the supervisor restarts us. Sizes from outside
 * are checked against a limit before they come here, or use a capped arena.
 * Thread safety: mem_* all functions; an arena has one thread at a time.
 */
#ifndef MUSTER_BASE_MEM_H
#define MUSTER_BASE_MEM_H

#include "base/str.h"

#include <stddef.h>

void *mem_alloc(size_t size);               /* zeroed; free with mem_free */
void *mem_array(size_t count, size_t size); /* zeroed; aborts on overflow */
/* realloc of an array to `count` > 0 elements; the new part is not zeroed. */
void *mem_grow(void *old, size_t count, size_t size);
char *mem_text(struct str s); /* NUL-terminated copy */
void mem_free(void *p);       /* NULL is fine */

/* For who keeps memory for later that others gave back: AddressSanitizer reports whoever touches it
 * before it is lent again. Nothing without that. */
void mem_hide(void *p, size_t size);
void mem_lend(void *p, size_t size);

/* Of a large local that is written before it is read: release builds clear all others. */
#define MEM_UNCLEARED __attribute__((uninitialized))

/* Brings the line into the cache. A prefetch of a page whose address the processor does not know
 * may be dropped (seen on Zen 4 without huge pages); this waits, so do several in a row. */
static inline void mem_touch(const void *p) {
    (void)*(const volatile char *)p;
}

/* A bump allocator: everything allocated from it is freed at once. */
struct arena;

/* `cap_bytes`: total it may hand out, 0 = no cap. */
struct arena *arena_new(size_t cap_bytes);
void arena_free(struct arena *a);  /* NULL is fine */
void arena_reset(struct arena *a); /* frees all content, keeps one block for reuse */
/* Zeroed, 16-byte aligned. Aborts when out of memory, or when the cap is passed: use where the
 * size was checked already. */
void *arena_alloc(struct arena *a, size_t size);
/* As arena_alloc but NULL when the cap is passed: for decoding what strangers sent. */
void *arena_try(struct arena *a, size_t size);
struct str arena_str(struct arena *a, struct str s); /* copy with a NUL behind it */
struct str arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a); /* bytes handed out since new or reset */

#endif
