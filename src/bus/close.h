/* close.h - closes an nng socket without trusting that to come back. */
#ifndef MUSTER_BUS_CLOSE_H
#define MUSTER_BUS_CLOSE_H

#include <nng/nng.h>
#include <stdbool.h>

/* nng_close() of 1.5.2 can wait for ever: a read of a message's body that begins while its pipe
 * closes never ends (nng's #1636, mended in 1.6.0), and the one thread that reaps pipes waits for
 * it. So close what is quiet where you can. False after a second of that, sooner for the sockets
 * after it, which cannot be reaped either: the socket is left behind, and so must be what its
 * callbacks use; the process is about to end anyway. */
bool close_socket(nng_socket socket);

#endif
