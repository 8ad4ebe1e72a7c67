/* inbox.c - a Treiber stack: pushers link to the top, the owner takes the whole and reverses it. */
#include "rt/inbox.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/metrics.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void inbox_init(struct inbox *i, size_t limit, inbox_wake_fn wake, void *wake_arg) {
    assert(limit >= 1 && limit <= LIMIT_INBOX_MESSAGES);
    atomic_init(&i->top, NULL);
    atomic_init(&i->count, 0);
    i->limit = limit;
    i->wake = wake;
    i->wake_arg = wake_arg;
    i->wake_fd = wake ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!wake && i->wake_fd < 0) {
        perror("eventfd");
        abort();
    }
}

void inbox_fini(struct inbox *i) {
    assert(!atomic_load(&i->top));
    if (i->wake_fd >= 0) (void)close(i->wake_fd);
    i->wake_fd = -1;
}

static void wake_owner(struct inbox *i) {
    if (i->wake) {
        i->wake(i->wake_arg);
        return;
    }
    uint64_t one = 1;
    ssize_t wrote;
    do
        wrote = write(i->wake_fd, &one, sizeof one);
    while (wrote < 0 && errno == EINTR);
    /* EAGAIN: the counter is at its end, so the owner is awake anyway. */
    assert(wrote == sizeof one || errno == EAGAIN);
}

static void link_message(struct inbox *i, struct message *m) {
    struct message *top = atomic_load_explicit(&i->top, memory_order_relaxed);
    do
        m->next = top;
    while (!atomic_compare_exchange_weak_explicit(&i->top, &top, m, memory_order_release,
                                                  memory_order_relaxed));
    if (!top) wake_owner(i);
}

enum err inbox_push(struct inbox *i, struct message *m) {
    if (atomic_fetch_add_explicit(&i->count, 1, memory_order_relaxed) >= i->limit) {
        atomic_fetch_sub_explicit(&i->count, 1, memory_order_relaxed);
        metric_add(METRIC_inbox_full_total, 1);
        return ERR_RESOURCE_EXHAUSTED;
    }
    link_message(i, m);
    return ERR_OK;
}

void inbox_push_always(struct inbox *i, struct message *m) {
    atomic_fetch_add_explicit(&i->count, 1, memory_order_relaxed);
    link_message(i, m);
}

struct message *inbox_take(struct inbox *i) {
    if (i->wake_fd >= 0) {
        /* Before the exchange, never after: a push in between then wakes us once too often, not
         * once too seldom. EAGAIN when there was no wake. */
        uint64_t wakes;
        ssize_t got = read(i->wake_fd, &wakes, sizeof wakes);
        (void)got;
    }
    struct message *newest = atomic_exchange_explicit(&i->top, NULL, memory_order_acquire);
    struct message *oldest = NULL;
    size_t taken = 0;
    while (newest) {
        struct message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
        taken++;
    }
    if (taken) atomic_fetch_sub_explicit(&i->count, taken, memory_order_relaxed);
    return oldest;
}

struct message *inbox_wait(struct inbox *i, int timeout_ms) {
    assert(i->wake_fd >= 0);
    int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        struct message *first = inbox_take(i);
        if (first || timeout_ms == 0) return first;
        int left_ms = -1;
        if (timeout_ms > 0) {
            int64_t left_us = until_us - clock_mono_us();
            if (left_us <= 0) return NULL;
            left_ms = (int)((left_us + 999) / 1000);
        }
        struct pollfd wake = {.fd = i->wake_fd, .events = POLLIN};
        if (poll(&wake, 1, left_ms) < 0) assert(errno == EINTR);
    }
}

size_t inbox_count(const struct inbox *i) {
    return atomic_load_explicit(&i->count, memory_order_relaxed);
}

size_t message_count(const struct message *list) {
    size_t count = 0;
    for (; list; list = list->next)
        count++;
    return count;
}
