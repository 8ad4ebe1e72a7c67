/* thread_test.c - threads run, carry their name and leave signals alone. */
#include "rt/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <signal.h>

struct seen {
    char name[16];
    int term_blocked, ran;
};

static void look(void *arg) {
    struct seen *s = arg;
    sigset_t blocked;
    (void)pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    s->term_blocked = sigismember(&blocked, SIGTERM);
    s->ran = 1;
}

static void thread_runs_named_with_signals_blocked(void **state) {
    (void)state;
    struct thread t = {0};
    struct seen s = {0};
    thread_start(&t, "fifteen-bytes-x", look, &s);
    thread_join(&t);
    assert_int_equal(s.ran, 1);
    assert_string_equal(s.name, "fifteen-bytes-x");
    assert_int_equal(s.term_blocked, 1);
}

static void starting_a_thread_leaves_the_callers_signals_open(void **state) {
    (void)state;
    struct thread t = {0};
    struct seen s = {0};
    sigset_t blocked;
    thread_start(&t, "x", look, &s);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    thread_join(&t);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
}

static void joining_what_never_started_or_twice_is_harmless(void **state) {
    (void)state;
    struct thread t = {0};
    struct seen s = {0};
    thread_join(&t);
    thread_start(&t, "x", look, &s);
    thread_join(&t);
    thread_join(&t);
    assert_int_equal(t.started, 0);
}

static void wait_released(void *arg) {
    sem_t *released = arg;
    while (sem_wait(released) != 0)
        continue;
}

static void thread_that_does_not_return_is_left_behind(void **state) {
    (void)state;
    static sem_t released; /* outlives the thread */
    struct thread t = {0};
    assert_int_equal(sem_init(&released, 0, 0), 0);
    thread_start(&t, "x", wait_released, &released);
    assert_false(thread_join_within(&t, 20));
    assert_int_equal(t.started, 0);
    assert_int_equal(sem_post(&released), 0);
    thread_start(&t, "x", wait_released, &released);
    assert_int_equal(sem_post(&released), 0);
    assert_true(thread_join_within(&t, 10000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_runs_named_with_signals_blocked),
        cmocka_unit_test(starting_a_thread_leaves_the_callers_signals_open),
        cmocka_unit_test(joining_what_never_started_or_twice_is_harmless),
        cmocka_unit_test(thread_that_does_not_return_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
