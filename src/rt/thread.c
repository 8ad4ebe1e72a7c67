/* thread.c - starts a role's thread with every signal blocked: only main handles signals. */
#include "rt/thread.h"

#include "base/mem.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
