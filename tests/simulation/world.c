/* world.c - a heap of events, and the coroutines they resume. */
#include "simulation/world.h"

#include "simulation/coroutine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAKE_MIN_US = 2, WAKE_MAX_US = 60 }; /* what a wake-up and a turn of a loop take */

struct task {
    struct task *next; /* of the node */
    struct node *node;
    struct coroutine *coroutine;
    event_fn run;
    void *arg;
    uint64_t wait; /* counts its waits: an older wake-up is for nothing */
    bool waiting, woken, ended;
};

struct event {
    int64_t due_us;
    uint64_t serial;
    struct node *node;
    uint32_t life;
    event_fn run; /* NULL: resumes `task` */
    void *arg;
    struct task *task;
    uint64_t wait;
};

static struct world {
    int64_t now_us;
    uint64_t serial;
    struct rng rng;
    bool trace;
    struct event *heap;
    size_t count, capacity;
    struct node *node;
    struct task *task;
    struct task *dead; /* of killed nodes, freed at the end */
} world;

/* ---- the heap ---- */

static bool earlier(const struct event *a, const struct event *b) {
    if (a->due_us != b->due_us) return a->due_us < b->due_us;
    return a->serial < b->serial;
}

static void push(struct event e) {
    if (world.count == world.capacity) {
        world.capacity = world.capacity ? 2 * world.capacity : 1024;
        world.heap = realloc(world.heap, world.capacity * sizeof *world.heap);
        if (!world.heap) abort();
    }
    e.serial = world.serial++;
    size_t at = world.count++;
    for (; at > 0 && earlier(&e, &world.heap[(at - 1) / 2]); at = (at - 1) / 2)
        world.heap[at] = world.heap[(at - 1) / 2];
    world.heap[at] = e;
}

static struct event pop(void) {
    struct event first = world.heap[0], last = world.heap[--world.count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < world.count; at = child) {
        if (child + 1 < world.count && earlier(&world.heap[child + 1], &world.heap[child])) child++;
        if (!earlier(&world.heap[child], &last)) break;
        world.heap[at] = world.heap[child];
    }
    world.heap[at] = last;
    return first;
}

/* ---- running ---- */

static void resume(struct task *t) {
    t->waiting = false;
    world.task = t;
    bool more = coroutine_resume(t->coroutine);
    world.task = NULL;
    if (more) return;
    coroutine_free(t->coroutine);
    t->coroutine = NULL;
    t->ended = true;
}

static void happen(struct event *e) {
    struct node *n = e->node;
    if (n && (!n->up || n->life != e->life)) {
        free(e->arg);
        return;
    }
    if (e->task && (!e->task->waiting || e->task->wait != e->wait)) return;
    if (n && n->paused_until_us > world.now_us) {
        e->due_us = n->paused_until_us;
        push(*e);
        return;
    }
    world.node = n;
    if (e->run) {
        e->run(e->arg);
        free(e->arg);
    } else {
        resume(e->task);
    }
    world.node = NULL;
}

void world_run(int64_t until_us, bool (*done)(void)) {
    while (world.count && world.heap[0].due_us <= until_us && !(done && done())) {
        struct event e = pop();
        if (e.due_us > world.now_us) world.now_us = e.due_us;
        happen(&e);
    }
    if (world.now_us < until_us && !(done && done())) world.now_us = until_us;
}

void world_begin(uint64_t seed, bool trace) {
    world.now_us = 1000000;
    world.serial = 0;
    world.count = 0;
    world.trace = trace;
    rng_init(&world.rng, seed);
}

static void free_tasks(struct task *list) {
    for (struct task *t = list, *next; t; t = next) {
        next = t->next;
        if (t->coroutine) coroutine_free(t->coroutine);
        free(t);
    }
}

void world_end(void) {
    while (world.count)
        free(world.heap[--world.count].arg);
    free_tasks(world.dead);
    world.dead = NULL;
}

int64_t world_now_us(void) {
    return world.now_us;
}

struct rng *world_rng(void) {
    return &world.rng;
}

bool world_chance(double probability) {
    return rng_unit(&world.rng) < probability;
}

int64_t world_between(int64_t low, int64_t high) {
    return low + (int64_t)rng_below(&world.rng, (uint64_t)(high - low + 1));
}

struct node *world_node(void) {
    return world.node;
}

bool world_traces(void) {
    return world.trace;
}

void world_trace(const char *format, ...) {
    if (!world.trace) return;
    va_list arguments;
    va_start(arguments, format);
    (void)printf("%10.6f %-9s ", (double)world.now_us / 1e6, world.node ? world.node->name : "-");
    (void)vprintf(format, arguments);
    (void)putchar('\n');
    va_end(arguments);
}

void world_at(struct node *n, int64_t delay_us, event_fn run, void *arg) {
    push((struct event){.due_us = world.now_us + delay_us,
                        .node = n,
                        .life = n ? n->life : 0,
                        .run = run,
                        .arg = arg});
}

/* ---- nodes ---- */

void node_start(struct node *n, const char *name) {
    (void)snprintf(n->name, sizeof n->name, "%s", name);
    n->up = true;
    n->life++;
    n->paused_until_us = 0;
    n->tasks = NULL;
}

void node_kill(struct node *n) {
    n->up = false;
    n->paused_until_us = 0;
    for (struct task *t = n->tasks, *next; t; t = next) {
        next = t->next;
        if (t->coroutine) coroutine_free(t->coroutine);
        t->coroutine = NULL;
        t->ended = true;
        t->next = world.dead;
        world.dead = t;
    }
    n->tasks = NULL;
}

void node_pause(struct node *n, int64_t us) {
    n->paused_until_us = world.now_us + us;
}

/* ---- tasks ---- */

static void begin_task(void *arg) {
    struct task *t = arg;
    t->run(t->arg);
}

struct task *task_start(struct node *n, event_fn run, void *arg) {
    assert(n->up);
    struct task *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->node = n;
    t->run = run;
    t->arg = arg;
    t->coroutine = coroutine_new(begin_task, t);
    t->next = n->tasks;
    n->tasks = t;
    t->waiting = true;
    task_wake(t);
    return t;
}

struct task *task_current(void) {
    return world.task;
}

static void schedule(struct task *t, int64_t delay_us) {
    push((struct event){.due_us = world.now_us + delay_us,
                        .node = t->node,
                        .life = t->node->life,
                        .task = t,
                        .wait = t->wait});
}

bool task_wait(int64_t us) {
    struct task *t = world.task;
    struct node *n = world.node;
    assert(t && "only a task may wait");
    t->wait++;
    t->waiting = true;
    t->woken = false;
    if (us != NEVER) schedule(t, us < WAKE_MIN_US ? WAKE_MIN_US : us);
    coroutine_yield();
    world.node = n;
    return t->woken;
}

void task_wake(struct task *t) {
    if (!t->waiting || t->woken) return;
    t->woken = true;
    schedule(t, world_between(WAKE_MIN_US, WAKE_MAX_US));
}

bool task_ended(const struct task *t) {
    return t->ended;
}
