/* listen.h - opens the listeners of a serving socket: the part door and publisher share.
 *
 * An ipc path is guarded by an flock on `<path>.lock` for as long as the listeners live; a socket
 * file left by a killed process is removed under that lock. The lock file itself stays.
 * Thread safety: none.
 */
#ifndef MUSTER_BUS_LISTEN_H
#define MUSTER_BUS_LISTEN_H

#include "base/err.h"
#include "base/str.h"

#include <nng/nng.h>

#define LISTEN_ADDRESSES_MAX 8

struct listen {
    struct strbuf bound; /* comma-separated, real ports filled in */
    int lock_fds[LISTEN_ADDRESSES_MAX];
    unsigned lock_count;
};

/* `addresses`: comma-separated tcp://host:port and ipc://path. On error the caller closes the
 * socket and calls listen_fini, which leaves nothing behind. */
enum err listen_open(struct listen *l, nng_socket socket, const char *addresses,
                     struct err_text *why) ERR_CHECKED;
/* After the socket was closed. Zeroed memory is fine. */
void listen_fini(struct listen *l);

#endif
