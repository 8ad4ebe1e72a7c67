/* thread.h - the only place that starts threads: one per role, named, signals blocked. */
#ifndef MUSTER_RT_THREAD_H
#define MUSTER_RT_THREAD_H

#include <pthread.h>
#include <stdbool.h>

struct thread {
    pthread_t handle;
    int started; /* 0 or 1 */
};

typedef void (*thread_fn)(void *arg); /* the role's loop: returns when told to stop */

/* `name`: at most 15 bytes, shown by ps and gdb. Aborts when no thread can be had. */
void thread_start(struct thread *t, const char *name, thread_fn run, void *arg);
void thread_join(struct thread *t); /* harmless when not started */
/* As thread_join, for at most `timeout_ms`. False: it still runs, and is left behind; what it was
 * given must stay. For a library's call that may never return. */
bool thread_join_within(struct thread *t, int timeout_ms);

#endif
