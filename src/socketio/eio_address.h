/* eio_address.h - how many connections each peer has, against a limit.
 *
 * A peer is an IPv4 address, or the /64 network of an IPv6 one: whoever has one address of that has
 * them all. O(1). Memory: 90 bytes per peer that is connected. Thread safety: none.
 */
#ifndef MUSTER_SOCKETIO_EIO_ADDRESS_H
#define MUSTER_SOCKETIO_EIO_ADDRESS_H

#include "base/map.h"

#define EIO_ADDRESS_BYTES 46 /* INET6_ADDRSTRLEN */

struct eio_addresses {
    struct map by_text;
    size_t limit; /* per peer; 0 = none, and nothing is counted */
};

/* Counts one in; false, and nothing is counted, at the limit. `address`: its IP as text. */
bool eio_address_enter(struct eio_addresses *a, const char *address);
void eio_address_leave(struct eio_addresses *a, const char *address); /* undoes enter */
void eio_address_fini(struct eio_addresses *a);                       /* zeroed memory is fine */

#endif
