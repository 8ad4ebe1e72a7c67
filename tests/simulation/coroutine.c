/* coroutine.c - ucontext makes a stack, setjmp switches to it: no system call per switch.
 *
 * AddressSanitizer must be told of the stacks; it follows swapcontext with its fiber calls only,
 * so that is what is used there.
 */
#include "simulation/coroutine.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_BYTES = 256 << 10 };

struct coroutine {
    struct coroutine *next_free;
    ucontext_t context;
    sigjmp_buf here;
    char *stack;
    coroutine_fn run;
    void *arg;
    bool started, ended;
};

static struct coroutine *unused, *running;

#ifdef __SANITIZE_ADDRESS__
static ucontext_t main_context;
static const void *main_stack;
static size_t main_stack_bytes;

static void leave_main(struct coroutine *c) {
    void *fake;
    __sanitizer_start_switch_fiber(&fake, c->stack, STACK_BYTES);
    swapcontext(&main_context, &c->context);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void leave(struct coroutine *c) {
    void *fake;
    __sanitizer_start_switch_fiber(&fake, main_stack, main_stack_bytes);
    swapcontext(&c->context, &main_context);
    __sanitizer_finish_switch_fiber(fake, &main_stack, &main_stack_bytes);
}

static void arrive(void) {
    __sanitizer_finish_switch_fiber(NULL, &main_stack, &main_stack_bytes);
}

static void clean_stack(struct coroutine *c) {
    __asan_unpoison_memory_region(c->stack, STACK_BYTES);
}
#else
static sigjmp_buf main_here;

static void leave_main(struct coroutine *c) {
    if (sigsetjmp(main_here, 0)) return;
    if (c->started) siglongjmp(c->here, 1);
    c->started = true;
    setcontext(&c->context);
}

static void leave(struct coroutine *c) {
    if (sigsetjmp(c->here, 0) == 0) siglongjmp(main_here, 1);
}

static void arrive(void) {
}

static void clean_stack(struct coroutine *c) {
    (void)c;
}
#endif

static void begin(void) {
    struct coroutine *c = running;
    arrive();
    c->run(c->arg);
    c->ended = true;
    leave(c);
    abort(); /* resumed after its end */
}

static struct coroutine *new_stack(void) {
    struct coroutine *c = calloc(1, sizeof *c);
    char *at =
        mmap(NULL, STACK_BYTES + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!c || at == MAP_FAILED || mprotect(at, 4096, PROT_NONE) != 0) {
        perror("coroutine");
        abort();
    }
    c->stack = at + 4096;
    return c;
}

/* Apart: getcontext may return twice, as far as the compiler knows. */
static void prepare(struct coroutine *c) {
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK_BYTES;
    c->context.uc_link = NULL;
    makecontext(&c->context, begin, 0);
}

struct coroutine *coroutine_new(coroutine_fn run, void *arg) {
    struct coroutine *c = unused;
    if (c)
        unused = c->next_free;
    else
        c = new_stack();
    clean_stack(c);
    prepare(c);
    c->run = run;
    c->arg = arg;
    c->started = c->ended = false;
    return c;
}

void coroutine_free(struct coroutine *c) {
    c->next_free = unused;
    unused = c;
}

bool coroutine_resume(struct coroutine *c) {
    running = c;
    leave_main(c);
    running = NULL;
    return !c->ended;
}

void coroutine_yield(void) {
    leave(running);
}
