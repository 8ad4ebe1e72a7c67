/* net.h - the simulated network's weather: how long a message takes, and whether it comes at all.
 * Thread safety: one thread. */
#ifndef MUSTER_TESTS_SIMULATION_NET_H
#define MUSTER_TESTS_SIMULATION_NET_H

#include "simulation/world.h"

struct net_weather {
    double slow;      /* share of messages that take 1..30 ms */
    double very_slow; /* ... up to a second */
    double loss;      /* of messages between processes */
    double twice;     /* of requests */
    double reset;     /* of operations on a Redis connection */
};

void net_begin(const struct net_weather *w); /* copied */
const struct net_weather *net_weather(void);
void net_calm(void); /* from now on nothing is lost or late */
int64_t net_delay_us(void);
/* A node that can be reached by nobody, or only not by Redis, until then. */
void net_cut(const struct node *n, bool redis_only, int64_t us);
/* How long until a message from here to there could get through; 0: now. NULL: nowhere special. */
int64_t net_cut_left_us(const struct node *from, const struct node *to, bool to_redis);

#endif
