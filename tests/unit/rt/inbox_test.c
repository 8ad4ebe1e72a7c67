/* inbox_test.c - no message lost, none twice, order kept, bounds kept, sleepers woken. */
#include "rt/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "rt/thread.h"

#include <poll.h>
#include <stdbool.h>

static void messages_come_out_oldest_first(void **state) {
    (void)state;
    struct inbox i;
    struct message m[3] = {{.kind = 1}, {.kind = 2}, {.kind = 3}};
    inbox_init(&i, 10, NULL, NULL);
    for (int n = 0; n < 3; n++)
        assert_int_equal(inbox_push(&i, &m[n]), ERR_OK);
    assert_int_equal(inbox_count(&i), 3);
    struct message *first = inbox_take(&i);
    assert_ptr_equal(first, &m[0]);
    assert_ptr_equal(first->next, &m[1]);
    assert_ptr_equal(first->next->next, &m[2]);
    assert_null(m[2].next);
    assert_null(inbox_take(&i));
    assert_int_equal(inbox_count(&i), 0);
    inbox_fini(&i);
}

static void full_inbox_refuses_and_counts_but_takes_what_must_not_be_lost(void **state) {
    (void)state;
    struct inbox i;
    struct message m[4] = {0};
    int64_t refused = metric_get(METRIC_inbox_full_total);
    inbox_init(&i, 2, NULL, NULL);
    assert_int_equal(inbox_push(&i, &m[0]), ERR_OK);
    assert_int_equal(inbox_push(&i, &m[1]), ERR_OK);
    assert_int_equal(inbox_push(&i, &m[2]), ERR_RESOURCE_EXHAUSTED);
    assert_int_equal(metric_get(METRIC_inbox_full_total), refused + 1);
    inbox_push_always(&i, &m[3]);
    assert_int_equal(inbox_count(&i), 3);
    (void)inbox_take(&i);
    assert_int_equal(inbox_push(&i, &m[2]), ERR_OK);
    (void)inbox_take(&i);
    inbox_fini(&i);
}

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void wake_is_set_by_a_push_and_cleared_by_the_take(void **state) {
    (void)state;
    struct inbox i;
    struct message m[2] = {0};
    inbox_init(&i, 10, NULL, NULL);
    assert_false(readable(i.wake_fd));
    inbox_push_always(&i, &m[0]);
    inbox_push_always(&i, &m[1]);
    assert_true(readable(i.wake_fd));
    (void)inbox_take(&i);
    assert_false(readable(i.wake_fd));
    inbox_fini(&i);
}

static void count_wake(void *arg) {
    ++*(int *)arg;
}

static void wake_function_is_called_only_when_the_inbox_was_empty(void **state) {
    (void)state;
    struct inbox i;
    struct message m[3] = {0};
    int wakes = 0;
    inbox_init(&i, 10, count_wake, &wakes);
    inbox_push_always(&i, &m[0]);
    inbox_push_always(&i, &m[1]);
    assert_int_equal(wakes, 1);
    (void)inbox_take(&i);
    inbox_push_always(&i, &m[2]);
    assert_int_equal(wakes, 2);
    (void)inbox_take(&i);
    inbox_fini(&i);
}

static void wait_on_an_empty_inbox_ends_at_its_timeout(void **state) {
    (void)state;
    struct inbox i;
    inbox_init(&i, 10, NULL, NULL);
    assert_null(inbox_wait(&i, 0));
    assert_null(inbox_wait(&i, 5));
    inbox_fini(&i);
}

enum { PUSHERS = 4, MESSAGES = 20000 };

struct numbered {
    struct message message; /* kind: the pusher */
    int number;
};

struct pusher {
    struct inbox *inbox;
    struct numbered *messages;
    int kind;
    struct thread thread;
};

static void push_all(void *arg) {
    struct pusher *p = arg;
    for (int n = 0; n < MESSAGES; n++) {
        p->messages[n].message.kind = p->kind;
        p->messages[n].number = n;
        if (n % 2)
            inbox_push_always(p->inbox, &p->messages[n].message);
        else
            while (inbox_push(p->inbox, &p->messages[n].message) != ERR_OK) {
            }
    }
}

static void many_pushers_lose_nothing_and_each_keeps_its_order(void **state) {
    (void)state;
    struct inbox i;
    struct pusher pushers[PUSHERS] = {0};
    int next[PUSHERS] = {0}, left = PUSHERS * MESSAGES;
    inbox_init(&i, 1000, NULL, NULL);
    for (int p = 0; p < PUSHERS; p++) {
        pushers[p].inbox = &i;
        pushers[p].kind = p;
        pushers[p].messages = mem_array(MESSAGES, sizeof(struct numbered));
        thread_start(&pushers[p].thread, "pusher", push_all, &pushers[p]);
    }
    while (left > 0) {
        struct message *m = inbox_wait(&i, 20000);
        assert_non_null(m); /* a lost wake would end here */
        for (; m; m = m->next, left--)
            assert_int_equal(((struct numbered *)m)->number, next[m->kind]++);
    }
    for (int p = 0; p < PUSHERS; p++) {
        thread_join(&pushers[p].thread);
        assert_int_equal(next[p], MESSAGES);
        mem_free(pushers[p].messages);
    }
    assert_int_equal(inbox_count(&i), 0);
    inbox_fini(&i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_oldest_first),
        cmocka_unit_test(full_inbox_refuses_and_counts_but_takes_what_must_not_be_lost),
        cmocka_unit_test(wake_is_set_by_a_push_and_cleared_by_the_take),
        cmocka_unit_test(wake_function_is_called_only_when_the_inbox_was_empty),
        cmocka_unit_test(wait_on_an_empty_inbox_ends_at_its_timeout),
        cmocka_unit_test(many_pushers_lose_nothing_and_each_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
