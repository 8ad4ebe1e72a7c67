/* call.h - one RPC on its way through the roles: what the door took in, and how to answer it.
 *
 * The door (api) makes a call, decodes it into a command, and pushes it to the inbox of the role
 * that serves the method. Whoever holds the call answers it exactly once with call_reply, which
 * also frees it; after that the pointer is dead. An unanswered call is a bug (api_free asserts).
 * Thread safety: one thread at a time holds a call; call_reply from any.
 */
#ifndef MUSTER_RT_CALL_H
#define MUSTER_RT_CALL_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/traceparent.h"
#include "rt/inbox.h"

#include <stdbool.h>

struct call;
struct method; /* wire/method.h */

/* Sends the encoded response and gives back the transport's part. Called once, by call_reply.
 * `why` may be NULL when code is OK; payload is borrowed for the call. */
typedef void (*call_reply_fn)(void *transport, enum err code, const struct err_text *why,
                              struct str payload);

struct call {
    struct message message;          /* first; kind MESSAGE_CALL */
    const struct method *method;     /* static table row */
    struct arena *arena;             /* freed with the call; holds everything below */
    void *command;                   /* what the door decoded, in the arena: the role's to know */
    struct str payload;              /* the request message's bytes, in the arena */
    struct str request_id;           /* may be empty on reads */
    const struct traceparent *trace; /* the caller's, in the arena; NULL: none */
    bool handed_on;      /* by another process, which tries elsewhere when UNAVAILABLE */
    int64_t deadline_us; /* clock_mono_us; later it is answered DEADLINE_EXCEEDED */
    call_reply_fn reply;
    void *transport;
};

enum { MESSAGE_CALL = 1, MESSAGE_STOP = 2, MESSAGE_ROLE = 16 /* roles count on from here */ };

/* A call with an own arena (`cap_bytes` as arena_new). */
struct call *call_new(size_t cap_bytes, call_reply_fn reply, void *transport);
void call_reply(struct call *c, enum err code, const struct err_text *why, struct str payload);
bool call_expired(const struct call *c, int64_t now_us);
/* Calls made and not yet answered in this process: 0 once every role has stopped. */
size_t call_open_count(void);

#endif
