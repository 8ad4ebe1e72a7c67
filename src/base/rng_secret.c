/* rng_secret.c - chance from the kernel; a file of its own, for simulation links another. */
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void rng_secret(void *out, size_t size) {
    char *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            perror("getrandom");
            abort();
        }
        at += got;
        size -= (size_t)got;
    }
}
