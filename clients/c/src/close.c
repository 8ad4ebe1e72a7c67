/* close.c - a bounded nng_close. */
#include "close.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { CLOSE_MS = 1000, CLOSE_STUCK_MS = 50 };

static atomic_bool reaper_stuck; /* nng has one for the whole process */

static void *run(void *arg) {
    nng_close((nng_socket){.id = (uint32_t)(uintptr_t)arg});
    return NULL;
}

void muster_close_socket(nng_socket socket) {
    pthread_t thread;
    struct timespec until;
    if (pthread_create(&thread, NULL, run, (void *)(uintptr_t)socket.id) != 0) {
        nng_close(socket);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until); /* the clock of timedjoin */
    until.tv_nsec += 1000000L * (atomic_load(&reaper_stuck) ? CLOSE_STUCK_MS : CLOSE_MS);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0) return;
    atomic_store(&reaper_stuck, true);
    pthread_detach(thread);
}
