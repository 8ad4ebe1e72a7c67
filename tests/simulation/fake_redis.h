/* fake_redis.h - the one simulated Redis server behind the port store/redis.h.
 *
 * The server is a node with a redis_model: it can be paused, killed, started again with what was on
 * its disk, and its wall clock can jump. An operation whose client has given up may still be
 * executed later. Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_FAKE_REDIS_H
#define MUSTER_TESTS_SIMULATION_FAKE_REDIS_H

#include "simulation/redis_model.h"
#include "simulation/world.h"

void fake_redis_begin(void);
void fake_redis_end(void);
struct node *fake_redis_node(void);
struct model *fake_redis_model(void);
void fake_redis_kill(void); /* power off: every connection breaks */
void fake_redis_restart(bool lose_unsynced);
void fake_redis_jump(int64_t us);           /* of its wall clock */
void fake_redis_drop(const struct node *n); /* the node has died: its connections close */

#endif
