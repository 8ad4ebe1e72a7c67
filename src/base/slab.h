/* slab.h - many objects of one size at addresses that stay: taken and given back in O(1).
 *
 * What was given back last is taken next, while it is still in the cache. Objects begin on a cache
 * line, or as the slab says. Memory: grows by chunks and keeps them until slab_fini. Thread safety:
 * none.
 */
#ifndef MUSTER_BASE_SLAB_H
#define MUSTER_BASE_SLAB_H

#include <stddef.h>

struct slab {         /* zeroed but for `size` and `alignment` is an empty one */
    size_t size;      /* bytes of an object, at least a pointer's; rounded up to its alignment */
    size_t alignment; /* of objects, 8..64; 0: a cache line */
    void *free;
    void *chunks;
    size_t bytes;      /* of all chunks */
    size_t chunk_left; /* objects of the newest chunk that were never taken */
    char *next;
};

void *slab_take(struct slab *s); /* not zeroed */
void slab_give(struct slab *s, void *object);
void slab_fini(struct slab *s); /* all objects are gone; NULL is not fine */

#endif
