/* bump.h - the memory of one received message: handed out in order, freed all at once.
 *
 * protobuf-c asks for each sub-message, array and text of a message singly; one batch of events is
 * thousands of them. Blocks double in size; a reset keeps the largest for the next message, up to
 * BUMP_KEPT_BYTES. Zeroed memory is an empty one. Thread safety: one thread per instance.
 */
#ifndef MUSTER_CLIENT_BUMP_H
#define MUSTER_CLIENT_BUMP_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

enum { BUMP_KEPT_BYTES = 1 << 20 };

struct bump {
    struct bump_block *blocks; /* the newest and largest first: only it is filled */
};

/* 16-byte aligned, not zeroed. NULL when out of memory. */
void *muster_bump_alloc(struct bump *b, size_t size);
/* For unpacking into `b`: what is unpacked is never freed singly. Borrows `b`. */
ProtobufCAllocator muster_bump_allocator(struct bump *b);
void muster_bump_reset(struct bump *b); /* frees all content */
void muster_bump_fini(struct bump *b);

#endif
