/* listen.h - opens the listeners of a serving socket: the part door and publisher share.
 *
 * An ipc path is guarded by an flock on `<path>.lock` for as long as the listeners live; a socket
 * file left by a killed process is removed under that lock. The lock file itself stays. A thread
 * probes these listeners every second (probe.h) and opens anew who is deaf twice in a row: his
 * clients lose their connections and dial again. What nng holds of those whom the deaf one had
 * greeted (about 2 kB and a file descriptor each) is lost.
 *
 *   listen_open -> listen_quiet -> the socket is closed -> listen_fini
 *
 * Thread safety: none.
 */
#ifndef MUSTER_BUS_LISTEN_H
#define MUSTER_BUS_LISTEN_H

#include "base/err.h"
#include "base/str.h"

#include "rt/thread.h"

#include <nng/nng.h>

#define LISTEN_ADDRESSES_MAX 8

struct listen_path { /* a listener on ipc:// */
    char address[NNG_MAXADDRLEN];
    int lock_fd;
    nng_listener listener;
    unsigned deaf_count; /* probes in a row */
};

struct listen {
    struct strbuf bound; /* comma-separated, real ports filled in */
    nng_socket socket;
    struct listen_path paths[LISTEN_ADDRESSES_MAX];
    unsigned path_count;
    struct thread keeper; /* runs when there are paths */
    int wake_fd;          /* ends it */
};

/* `addresses`: comma-separated tcp://host:port and ipc://path. On error the caller closes the
 * socket and calls listen_fini, which leaves nothing behind. `*l` must stay where it is. */
enum err listen_open(struct listen *l, nng_socket socket, const char *addresses,
                     struct err_text *why) ERR_CHECKED;
/* Probes no more; takes three seconds at most. Zeroed memory is fine, and so is again. */
void listen_quiet(struct listen *l);
/* After the socket was closed. Zeroed memory is fine. */
void listen_fini(struct listen *l);

#endif
