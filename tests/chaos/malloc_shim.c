/* malloc_shim.c - for LD_PRELOAD: a program's allocations fail now and then while it runs.
 *
 * MALLOC_SHIM_FILE names a file of 8 bytes, an int64 N: one allocation in about N fails (0: none);
 * whoever writes into it (a shared mapping) begins and ends the shortage at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static _Atomic int64_t *one_in;
static _Atomic uint64_t drawn;

__attribute__((constructor)) static void map_rate(void) {
    const char *path = getenv("MALLOC_SHIM_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *one_in, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at != MAP_FAILED) one_in = at;
}

static bool fails(void) {
    int64_t n = one_in ? atomic_load(one_in) : 0;
    if (n <= 0) return false;
    uint64_t x = atomic_fetch_add(&drawn, 0x9e3779b97f4a7c15u); /* splitmix64 */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    if ((x ^ (x >> 31)) % (uint64_t)n != 0) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    return fails() ? NULL : __libc_realloc(old, size);
}
