/* close.h - closes an nng socket without trusting that to come back. */
#ifndef MUSTER_BUS_CLOSE_H
#define MUSTER_BUS_CLOSE_H

#include <nng/nng.h>
#include <stdbool.h>

/* nng_close() of 1.5.2 can wait for ever when a pipe goes at the same moment (its issue 1543,
 * mended in 1.8.0). False after a second of that: the socket is left behind, and so must be what
 * its callbacks use; the process is about to end anyway. */
bool close_socket(nng_socket socket);

#endif
