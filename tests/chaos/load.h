/* load.h - what a back end of the chaos tests asks with, and notes it by: shared by its rooms.
 *
 * load.c tickets, proposals and matches of pairs; load_game.c matches that play on with others.
 * Thread safety: one thread per back end; say() is for all.
 */
#ifndef MUSTER_TESTS_CHAOS_LOAD_H
#define MUSTER_TESTS_CHAOS_LOAD_H

#include <muster/client.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum {
    BATCH = 60,
    PLAYERS = 150,      /* of a thread's own */
    TIMEOUT_MS = 20000, /* of a call, over all its tries */
};

struct back_end {
    int index;
    unsigned random;
    pthread_t thread;
    long next_request;
    char ids[BATCH][27];          /* open tickets of the last batch */
    char match[27], answered[27]; /* of the ticket last asked for; and the last one answered */
    bool plays_on;                /* the last ticket is of a queue whose matches do */
};

extern struct muster_client *client;
extern volatile sig_atomic_t ending;

/* A line of the history: the members of a JSON object, beside its time. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
unsigned below(struct back_end *b, unsigned bound); /* by chance */
/* A pause between two things, not a wait for one: ends early when all ends. */
void think(unsigned ms);
/* "ok", "fail" when the server said no, "info" when nobody knows. */
const char *phase(enum muster_code code);
void request_id(struct back_end *b, char out[32]);

/* The player plays in b->match for a while: others are looked for, it is said who is in it, and he
 * leaves. */
void play_on(struct back_end *b, char *player);

#endif
