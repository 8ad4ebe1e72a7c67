/* close.h - closes a socket without trusting nng to come back. */
#ifndef MUSTER_CLIENT_CLOSE_H
#define MUSTER_CLIENT_CLOSE_H

#include <nng/nng.h>

/* nng_close() of 1.5.2 can wait for ever when a pipe goes at the same moment (its issue 1543,
 * mended in 1.8.0), so it runs on a thread of its own. Returns when it is done, or after two
 * seconds: then that thread, and the socket with it, is left behind. */
void muster_close_socket(nng_socket socket);

#endif
