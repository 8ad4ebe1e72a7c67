/* close.c - a bounded nng_close. */
#include "close.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { CLOSE_S = 2 };

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
    until.tv_sec += CLOSE_S;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) pthread_detach(thread);
}
