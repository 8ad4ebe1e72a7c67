/* load.h - virtual back ends that queue, look, watch, cancel, accept, decline and sleep through
 * what they are asked, leave matches that run, ask for players for them and say who is in them, and
 * services that follow the events.
 *
 * Back ends call through the apis with the retries of the client library; services are the real
 * subscription.c. What they see goes to the history. Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_LOAD_H
#define MUSTER_TESTS_SIMULATION_LOAD_H

#include "base/str.h"
#include "simulation/world.h"

enum { LOAD_BACK_ENDS = 6, LOAD_WATCHERS = 2, LOAD_PLAYERS = 32 };

void load_begin(void);
void load_stop(void); /* asks for nothing new */
bool load_idle(void); /* and every answer is there */
void load_end(void);

/* What the queues demand; also the oracle's. */
double load_skill(int player);
#define LOAD_SKILL_DISTANCE 40.0
bool load_queue_asks(struct str queue); /* whether its matches are proposed to their players */
uint32_t load_team_min(struct str queue);
uint32_t load_team_max(struct str queue);
/* Its matches look for players by themselves, and hold those they have. */
bool load_plays_on(struct str queue);

/* Of the one queue whose players are barred when they let a proposal fail. */
#define LOAD_DODGE_QUEUE STR("ready")
enum { LOAD_DODGE_FIRST_MS = 1000, LOAD_DODGE_NEXT_MS = 2000, LOAD_DODGE_DECAY_MS = 10000 };

#endif
