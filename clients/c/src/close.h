/* close.h - closes a socket without trusting nng to come back. */
#ifndef MUSTER_CLIENT_CLOSE_H
#define MUSTER_CLIENT_CLOSE_H

#include <nng/nng.h>

/* nng_close() of 1.5.2 can wait for ever: a read of a message's body that begins while its pipe
 * closes never ends (nng's #1636, mended in 1.6.0), and the one thread that reaps pipes waits for
 * it. So it runs on a thread of its own. Returns when it is done, or after a second (sooner for the
 * sockets after one that was stuck): then that thread, and the socket with it, is left behind. */
void muster_close_socket(nng_socket socket);

#endif
