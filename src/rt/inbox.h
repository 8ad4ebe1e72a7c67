/* inbox.h - where threads meet: a bounded multi-producer, single-consumer list with a wake.
 *
 * Any thread pushes; the owner takes everything at once, oldest first. The wake is an eventfd the
 * owner polls, or a function for an owner that sleeps elsewhere (libwebsockets). It fires only
 * when the inbox was empty. Lock-free (Treiber stack, reversed by the taker).
 * Memory: messages belong to the pusher until pushed, to the taker after.
 */
#ifndef MUSTER_RT_INBOX_H
#define MUSTER_RT_INBOX_H

#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    struct message *next; /* the inbox's while pushed; the taker's list after */
    int kind;             /* the receiver's enum */
};

/* Called by a pushing thread; must not block or push. */
typedef void (*inbox_wake_fn)(void *arg);

struct inbox {
    _Atomic(struct message *) top;
    _Atomic size_t count;
    size_t limit;
    int wake_fd; /* -1 with a wake function */
    inbox_wake_fn wake;
    void *wake_arg;
};

/* `limit`: 1..LIMIT_INBOX_MESSAGES. Without `wake` an eventfd is made; aborts if that fails. */
void inbox_init(struct inbox *i, size_t limit, inbox_wake_fn wake, void *wake_arg);
void inbox_fini(struct inbox *i); /* must be empty */
/* RESOURCE_EXHAUSTED when full: the message stays the caller's, and a metric counts it. */
enum err inbox_push(struct inbox *i, struct message *m) ERR_CHECKED;
/* For messages that must not be lost (replies, acknowledgements, stop): ignores the limit. */
void inbox_push_always(struct inbox *i, struct message *m);
/* All messages, oldest first, linked by next; NULL when none. Clears the wake. Owner only. */
struct message *inbox_take(struct inbox *i);
/* Waits up to `timeout_ms` (-1 = no end) for the wake, then takes. eventfd form only. */
struct message *inbox_wait(struct inbox *i, int timeout_ms);
size_t inbox_count(const struct inbox *i);
size_t message_count(const struct message *list); /* of what was taken; O(n) */

#endif
