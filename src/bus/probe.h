/* probe.h - asks a listener on a unix socket whether it still takes clients.
 *
 * nng 1.5.2 stops taking any when a client disappears at the instant it is greeted: it takes the
 * broken pipe for the listener's own closing (nng's #1518, mended in 1.6.0). It goes on accepting
 * and greeting, so that clients believe they are connected. A probe therefore greets as a peer of
 * another protocol: whoever is alive hangs up at once. Thread safety: all functions.
 */
#ifndef MUSTER_BUS_PROBE_H
#define MUSTER_BUS_PROBE_H

#include <stdbool.h>

/* True: nobody listens at the path, or who does has greeted and then said nothing for
 * `patience_ms`. Not when there is no greeting: that is a process which is busy, or out of file
 * descriptors. Blocks for at most three times `patience_ms`. */
bool probe_is_deaf(const char *path, int patience_ms);

#endif
