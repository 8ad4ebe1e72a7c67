/* beats.h - a connected player is his ticket's sign of life: HeartbeatTickets for all of them.
 *
 * A ticket is told of three times within its heartbeat_ms, so that a lost call or a crowded second
 * costs no ticket. Whoever loses his connection has what is left of it to come back. Bridge's
 * thread.
 */
#ifndef MUSTER_BRIDGE_BEATS_H
#define MUSTER_BRIDGE_BEATS_H

#include <stdint.h>

struct bridge;
struct player;

/* His open ticket wants a sign of life so often; 0: none. */
void beats_want(struct player *player, int64_t heartbeat_ms);
void beats_tick(struct bridge *b); /* each second. O(players connected) */

#endif
