/* world.h - simulated time, and the machines in it: one seed is one history.
 *
 * A node is a process on a machine of its own: it has clocks, can be paused, and dies with all its
 * tasks. A task is one of its threads, a coroutine that gives way only where it would block
 * (task_wait). An event is a function called at an instant. Whatever runs takes no time by itself.
 *
 *     world_begin -> (node_add, task_start, world_at) -> world_run ... -> world_end
 *
 * Thread safety: one thread, one world.
 */
#ifndef MUSTER_TESTS_SIMULATION_WORLD_H
#define MUSTER_TESTS_SIMULATION_WORLD_H

#include "base/rng.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define MS 1000 /* simulated time is in microseconds */
#define NEVER INT64_MAX

struct task;

struct node {
    char name[16];
    bool up;
    uint32_t life; /* counts its starts */
    int64_t paused_until_us;
    int64_t mono_offset_us, wall_offset_ms; /* of its clocks */
    struct task *tasks;
};

void world_begin(uint64_t seed, bool trace);
void world_end(void);
/* Until that instant, or until `done` says so (may be NULL). */
void world_run(int64_t until_us, bool (*done)(void));
int64_t world_now_us(void);
struct rng *world_rng(void);
bool world_chance(double probability);
/* Uniform in low..high. */
int64_t world_between(int64_t low, int64_t high);
struct node *world_node(void); /* whose code is running; NULL: nobody's */
bool world_traces(void);
void world_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

typedef void (*event_fn)(void *arg);

/* `arg` is one block of malloc's (or NULL) that is freed after the event. On a node (may be NULL)
 * it waits while the node is paused, and is dropped when the node has died since. */
void world_at(struct node *n, int64_t delay_us, event_fn run, void *arg);

void node_start(struct node *n, const char *name);
void node_kill(struct node *n); /* all its tasks end where they are */
void node_pause(struct node *n, int64_t us);

/* A thread of this node; its first step comes soon. */
struct task *task_start(struct node *n, event_fn run, void *arg);
struct task *task_current(void);
/* Gives way until task_wake or for so long; true: woken. */
bool task_wait(int64_t us);
void task_wake(struct task *t);
bool task_ended(const struct task *t);

#endif
