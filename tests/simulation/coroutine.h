/* coroutine.h - stacks of their own, switched by hand: what the simulated threads run on.
 *
 *     coroutine_new -> coroutine_resume (runs until coroutine_yield or its end) ... ->
 * coroutine_free
 *
 * A coroutine may be freed at any point between two resumes: what its stack refers to is then the
 * caller's to mourn (a crashed process frees nothing). Stacks are kept and used again.
 * Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_COROUTINE_H
#define MUSTER_TESTS_SIMULATION_COROUTINE_H

#include <stdbool.h>

struct coroutine;

typedef void (*coroutine_fn)(void *arg);

struct coroutine *coroutine_new(coroutine_fn run, void *arg);
void coroutine_free(struct coroutine *c); /* not from within itself */
/* False when it has returned from `run`. From the main stack only. */
bool coroutine_resume(struct coroutine *c);
void coroutine_yield(void); /* from within a coroutine: back to whoever resumed it */

#endif
