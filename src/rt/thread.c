/* thread.c - starts a role's thread with every signal blocked: only main handles signals. */
#include "rt/thread.h"

#include "base/mem.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct start {
    thread_fn run;
    void *arg;
    char name[16]; /* the kernel's TASK_COMM_LEN */
};

static void *run_thread(void *arg) {
    struct start start = *(struct start *)arg;
    mem_free(arg);
    (void)pthread_setname_np(pthread_self(), start.name);
    start.run(start.arg);
    return NULL;
}

void thread_start(struct thread *t, const char *name, thread_fn run, void *arg) {
    assert(!t->started && strlen(name) < sizeof((struct start *)0)->name);
    struct start *start = mem_alloc(sizeof *start);
    start->run = run;
    start->arg = arg;
    memcpy(start->name, name, strlen(name));

    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&t->handle, NULL, run_thread, start);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        (void)fprintf(stderr, "level=error id=thread-start-failed name=%s error=%d\n", name,
                      failed);
        abort();
    }
    t->started = 1;
}

void thread_join(struct thread *t) {
    if (!t->started) return;
    int failed = pthread_join(t->handle, NULL);
    assert(!failed);
    (void)failed;
    t->started = 0;
}

bool thread_join_within(struct thread *t, int timeout_ms) {
    if (!t->started) return true;
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until); /* the clock of timedjoin; cannot fail */
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    t->started = 0;
    if (pthread_timedjoin_np(t->handle, NULL, &until) == 0) return true;
    (void)pthread_detach(t->handle); /* it is ours and not joined: cannot fail */
    return false;
}
