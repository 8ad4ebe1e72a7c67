/* redis_fixture.h - a real redis-server of a test's own, on a unix socket in a fresh folder.
 *
 *     redis_fixture_start -> (redis_fixture_kill -> redis_fixture_again)* -> redis_fixture_stop
 *
 * Runs with appendonly yes, appendfsync always unless `extra` says otherwise. Failing to start or
 * to answer within 10 s fails the test. Its wall clock can be shifted while it runs.
 * Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_REDIS_FIXTURE_H
#define MUSTER_TESTS_REDIS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_fixture {
    char folder[64]; /* removed by redis_fixture_stop */
    char socket[96];
    char address[128]; /* unix:<socket>: for --redis */
    const char *const *extra;
    pid_t pid;             /* 0: not running */
    int64_t *clock_offset; /* us, mapped into the server: clock_shim.c */
};

/* `extra`: further arguments of redis-server, NULL-terminated, borrowed; NULL for none. */
void redis_fixture_start(struct redis_fixture *f, const char *const *extra);
void redis_fixture_stop(struct redis_fixture *f);  /* kills, removes the folder */
void redis_fixture_kill(struct redis_fixture *f);  /* kill -9 */
void redis_fixture_again(struct redis_fixture *f); /* same folder, same files */
/* A pair on TCP as well, the second replicating the first; returns once it does. */
struct redis_pair {
    struct redis_fixture primary, replica;
    char port[8]; /* the primary's */
    const char *primary_extra[8], *replica_extra[8];
};
void redis_pair_start(struct redis_pair *p);
void redis_pair_stop(struct redis_pair *p);
/* The link between them is cut, both live on. */
void redis_pair_cut(struct redis_pair *p);
void redis_pair_heal(struct redis_pair *p); /* the link again; returns once it is up */
/* From now on its wall clock is off by so many seconds. */
void redis_fixture_shift_clock(struct redis_fixture *f, int64_t seconds);
/* Runs one command, words up to a NULL, on a connection of its own; an error reply fails the test.
 * The reply's text or number goes to `out` (may be NULL), cut to `capacity`. */
void redis_fixture_run(struct redis_fixture *f, char *out, size_t capacity, ...);
/* 5 ms: for loops that wait for a condition and have a deadline. */
void redis_fixture_nap(void);
/* A folder of mkdtemp(3) under /tmp, and its removal with all content. */
void redis_fixture_folder(char out[64]);
void redis_fixture_remove(const char *folder);

#endif
