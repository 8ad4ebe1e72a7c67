/* eio_frame.h - one encoded packet, shared by everyone it is sent to.
 *
 * Text: the packet as it goes into a text message ("42[...]"). Binary: the raw attachment. There is
 * room in front so that a transport can put its header there without a copy; for an unmasked
 * WebSocket that header is the same for all receivers.
 * Memory: counted references; the last drop frees. Thread safety: none.
 */
#ifndef MUSTER_SOCKETIO_EIO_FRAME_H
#define MUSTER_SOCKETIO_EIO_FRAME_H

#include "base/str.h"

#include <stdint.h>

#define EIO_FRAME_HEADROOM 16 /* bytes a transport may overwrite before `bytes` */

struct eio_frame {
    size_t size; /* of bytes */
    uint32_t reference_count;
    bool binary;
    unsigned char headroom[EIO_FRAME_HEADROOM];
    char bytes[];
};

struct eio_frame *eio_frame_new(struct str content, bool binary); /* one reference; copies */
struct eio_frame *eio_frame_hold(struct eio_frame *f);
void eio_frame_drop(struct eio_frame *f); /* NULL is fine */

#endif
