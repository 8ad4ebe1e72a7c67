/* fake_rt.c - the simulated clock, chance, threads, inboxes and log: the ports of base and rt. */
#include "simulation/fake_rt.h"

#include "base/clock.h"
#include "base/log.h"
#include "rt/inbox.h"
#include "rt/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2026-03-01: any time will do that is after the epochs of earlier Redis clocks. */
#define WALL_BASE_MS INT64_C(1772323200000)

enum { FD_FIRST = 1000, FDS_MAX = 4096, TURN_US = 20 };

/* ---- clocks and chance ---- */

int64_t clock_mono_us(void) {
    const struct node *n = world_node();
    return world_now_us() + (n ? n->mono_offset_us : 0);
}

int64_t clock_wall_ms(void) {
    const struct node *n = world_node();
    return WALL_BASE_MS + world_now_us() / 1000 + (n ? n->wall_offset_ms : 0);
}

void rng_secret(void *out, size_t size) {
    unsigned char *at = out;
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)rng_next(world_rng());
}

/* Linked in the place of getpid(2): it is in names, and names are in the journal. */
int __wrap_getpid(void);
int __wrap_getpid(void) {
    return 1;
}

/* ---- the log: only a trace shows it ---- */

void log_setup(enum log_level level, enum log_format format) {
    (void)level;
    (void)format;
}

bool log_enabled(enum log_level level) {
    (void)level;
    return world_traces();
}

void log_write(enum log_level level, const char *id, const char *format, ...) {
    if (!world_traces()) return;
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    world_trace("%s %s %s", level <= LOG_LEVEL_WARN ? "WARN" : "info", id, text);
}

const char *log_quote(struct str s) {
    static char text[512];
    (void)snprintf(text, sizeof text, "\"%.*s\"", STR_PRINT(s));
    return text;
}

/* ---- file numbers ---- */

static struct {
    bool used, ready;
    struct task *waiter;
    struct node *node;
    uint32_t life;
} fds[FDS_MAX];

void fake_fd_reset(void) {
    memset(fds, 0, sizeof fds);
}

static bool stale(size_t i) {
    return fds[i].node && (!fds[i].node->up || fds[i].node->life != fds[i].life);
}

int fake_fd_new(void) {
    for (size_t i = 0; i < FDS_MAX; i++) {
        if (fds[i].used && !stale(i)) continue;
        memset(&fds[i], 0, sizeof fds[i]);
        fds[i].used = true;
        fds[i].node = world_node();
        fds[i].life = fds[i].node ? fds[i].node->life : 0;
        return FD_FIRST + (int)i;
    }
    abort();
}

void fake_fd_close(int fd) {
    fds[fd - FD_FIRST].used = false;
}

void fake_fd_ready(int fd, bool ready) {
    size_t i = (size_t)(fd - FD_FIRST);
    fds[i].ready = ready;
    if (ready && fds[i].waiter && !stale(i)) task_wake(fds[i].waiter);
}

static bool any_ready(struct pollfd *list, nfds_t count) {
    bool any = false;
    for (nfds_t i = 0; i < count; i++) {
        bool ready = list[i].fd >= FD_FIRST && fds[list[i].fd - FD_FIRST].ready;
        list[i].revents = ready ? POLLIN : 0;
        any = any || ready;
    }
    return any;
}

static void set_waiter(const struct pollfd *list, nfds_t count, struct task *waiter) {
    for (nfds_t i = 0; i < count; i++)
        if (list[i].fd >= FD_FIRST) fds[list[i].fd - FD_FIRST].waiter = waiter;
}

static int wait_for(struct pollfd *list, nfds_t count, int64_t us) {
    int64_t until_us = us == NEVER ? NEVER : world_now_us() + us;
    (void)task_wait(world_between(1, TURN_US)); /* a turn of a loop is not for nothing */
    while (!any_ready(list, count)) {
        int64_t left_us = until_us == NEVER ? NEVER : until_us - world_now_us();
        if (left_us <= 0) return 0;
        set_waiter(list, count, task_current());
        (void)task_wait(left_us);
        set_waiter(list, count, NULL);
    }
    return 1;
}

bool fake_fd_wait(int fd, int64_t us) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return wait_for(&one, 1, us) > 0;
}

/* Linked in the place of poll(2) for the code under test. */
int __wrap_poll(struct pollfd *list, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *list, nfds_t count, int timeout_ms) {
    return wait_for(list, count, timeout_ms < 0 ? NEVER : (int64_t)timeout_ms * MS);
}

/* ---- threads ---- */

void thread_start(struct thread *t, const char *name, thread_fn run, void *arg) {
    (void)name;
    struct task *task = task_start(world_node(), run, arg);
    static_assert(sizeof task <= sizeof t->handle, "a task's pointer fits a pthread_t");
    memcpy(&t->handle, &task, sizeof task);
    t->started = 1;
}

static struct task *task_of(const struct thread *t) {
    struct task *task;
    memcpy(&task, &t->handle, sizeof task);
    return task;
}

void thread_join(struct thread *t) {
    if (!t->started) return;
    while (!task_ended(task_of(t)))
        (void)task_wait(MS);
    t->started = 0;
}

bool thread_join_within(struct thread *t, int timeout_ms) {
    for (int waited = 0; t->started && !task_ended(task_of(t)) && waited < timeout_ms; waited++)
        (void)task_wait(MS);
    bool ended = !t->started || task_ended(task_of(t));
    t->started = 0;
    return ended;
}

/* ---- inboxes ---- */

void inbox_init(struct inbox *i, size_t limit, inbox_wake_fn wake, void *wake_arg) {
    *i = (struct inbox){.limit = limit, .wake = wake, .wake_arg = wake_arg};
    i->wake_fd = wake ? -1 : fake_fd_new();
}

void inbox_fini(struct inbox *i) {
    assert(!atomic_load(&i->top));
    if (i->wake_fd >= 0) fake_fd_close(i->wake_fd);
    i->wake_fd = -1;
}

void inbox_push_always(struct inbox *i, struct message *m) {
    m->next = atomic_load(&i->top);
    atomic_store(&i->top, m);
    atomic_fetch_add(&i->count, 1);
    if (i->wake)
        i->wake(i->wake_arg);
    else
        fake_fd_ready(i->wake_fd, true);
}

enum err inbox_push(struct inbox *i, struct message *m) {
    if (atomic_load(&i->count) >= i->limit) return ERR_RESOURCE_EXHAUSTED;
    inbox_push_always(i, m);
    return ERR_OK;
}

struct message *inbox_take(struct inbox *i) {
    struct message *newest = atomic_load(&i->top), *oldest = NULL;
    while (newest) {
        struct message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    atomic_store(&i->top, NULL);
    atomic_store(&i->count, 0);
    if (i->wake_fd >= 0) fake_fd_ready(i->wake_fd, false);
    return oldest;
}

struct message *inbox_wait(struct inbox *i, int timeout_ms) {
    (void)fake_fd_wait(i->wake_fd, timeout_ms < 0 ? NEVER : (int64_t)timeout_ms * MS);
    return inbox_take(i);
}

size_t inbox_count(const struct inbox *i) {
    return atomic_load(&i->count);
}

size_t message_count(const struct message *list) {
    size_t count = 0;
    for (; list; list = list->next)
        count++;
    return count;
}
