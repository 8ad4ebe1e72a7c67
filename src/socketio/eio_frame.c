/* eio_frame.c - one encoded packet, shared by everyone it is sent to. */
#include "socketio/eio_frame.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

_Static_assert(offsetof(struct eio_frame, bytes) ==
                   offsetof(struct eio_frame, headroom) + EIO_FRAME_HEADROOM,
               "the headroom ends where the bytes begin");

struct eio_frame *eio_frame_new(struct str content, bool binary) {
    struct eio_frame *f = mem_alloc(sizeof *f + content.size);
    f->size = content.size;
    f->reference_count = 1;
    f->binary = binary;
    if (content.size) memcpy(f->bytes, content.at, content.size);
    return f;
}

struct eio_frame *eio_frame_hold(struct eio_frame *f) {
    assert(f->reference_count > 0 && f->reference_count < UINT32_MAX);
    f->reference_count++;
    return f;
}

void eio_frame_drop(struct eio_frame *f) {
    if (!f) return;
    assert(f->reference_count > 0);
    if (--f->reference_count == 0) mem_free(f);
}
