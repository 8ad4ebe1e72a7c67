/* close.c - a bounded nng_close. */
#include "bus/close.h"

#include "base/log.h"
#include "rt/thread.h"

#include <stdatomic.h>

enum { CLOSE_MS = 1000, CLOSE_STUCK_MS = 50 };

static atomic_bool reaper_stuck; /* nng has one for the whole process */

static void run(void *arg) {
    (void)nng_close((nng_socket){.id = (uint32_t)(uintptr_t)arg}); /* what is closed stays so */
}

bool close_socket(nng_socket socket) {
    struct thread t = {0};
    thread_start(&t, "nng-close", run, (void *)(uintptr_t)socket.id);
    if (thread_join_within(&t, atomic_load(&reaper_stuck) ? CLOSE_STUCK_MS : CLOSE_MS)) return true;
    atomic_store(&reaper_stuck, true);
    LOG_WARN("socket-left-open", "text=\"nng did not close it in time\"");
    return false;
}
