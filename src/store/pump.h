/* pump.h - the realm's store thread: lease, epoch, replay, appends, trim; all that touches Redis
 * on the writing side.
 *
 *   WAITING --lease and epoch taken--> REPLAYING --> LEADING --lost--> WAITING ...
 *
 * WAITING, another leads: looks at the lease every 100 ms and follows the journal into a realm of
 * its own, so that taking over needs only the tail.
 * Taking over: the lease; epoch = max(epoch of the stream's top id + 1, Redis TIME in us);
 * append the epoch record first (the fence: from then on every older owner's append is refused);
 * then replay what is left of the stream and hand the realm to the owner's inbox.
 * The realm's clock goes on where the last leader's was, which it tells with the lease: a host
 * whose wall clock is wrong cannot expire tickets by taking over. Only who was told nothing (a cold
 * start) begins with its wall clock, or the latest time in the journal when that is later.
 * While LEADING: one batch at a time is appended as entry <epoch>-<seq>; its acknowledgement goes
 * to the owner's inbox. A lost reply is resolved by reconnecting and reading the id back.
 * With `replicated` a batch that is written but on no replica stays in hand, unacknowledged, until
 * one has it, or until a failover has shown which way it went: then it is there, or written again.
 * It steps down (PUMP_LOST) when the stream's top is above its own (another owner) or below what
 * was acknowledged (rollback), and starts over with a new epoch. When Redis is merely away it
 * keeps the batch and retries until the connection is back: the owner's deadlines do the rest.
 * An idle leader hears its connection end at once, and PUMP_STATE is not empty from then on until
 * the journal of the Redis that came back was compared.
 * The lease only serves liveness; correctness rests on the ids.
 * With `embedded` it also starts, restarts and stops a private redis-server.
 *
 * Thread safety: pump_append, pump_trim, pump_stop are called by the owner's thread only.
 */
#ifndef MUSTER_STORE_PUMP_H
#define MUSTER_STORE_PUMP_H

#include "base/err.h"
#include "model/realm.h"
#include "rt/call.h"
#include "rt/inbox.h"

struct pump;

struct pump_options {
    const char *redis;        /* store/address.h; NULL or empty = embedded */
    const char *state_folder; /* for the embedded server and its socket */
    const char *realm;        /* valid name */
    const char *owner;        /* unique per process start */
    int64_t lease_ms;         /* 500..60000: how long a dead owner blocks the next; default 1000 */
    int64_t operation_ms;     /* one Redis operation, default 1000 */
    int64_t keep_ms;          /* realm_new */
    /* "fsync"; "replicated": acknowledged when a replica has it as well (WAIT 1); "everysec" (a
     * warning). Checked against CONFIG GET. */
    const char *durability;
};

/* Messages to the owner's inbox. The owner frees each with pump_message_free, before pump_free.
 * After PUMP_LOST: drop the realm, free the message, and append nothing until the next
 * PUMP_LEADING. Freeing it tells the pump that batches of the old leadership have ended; only then
 * does it try to lead again. */
enum {
    PUMP_LEADING = MESSAGE_ROLE, /* realm and epoch are set: the owner owns the realm now */
    PUMP_APPENDED,               /* the batch with `tag` is durable at position epoch-seq */
    PUMP_LOST,                   /* no longer the owner: drop the realm; `why` says it */
    PUMP_TRIMMED,
    PUMP_STATE,    /* `why`: what keeps it from writing (Redis away or unfit, another
                    * process leads); empty when all is well again */
    PUMP_STANDING, /* how it stands, at each look at the lease: see struct pump_message */
    PUMP_STOPPED   /* after pump_stop: the last message; lease handed back */
};

struct pump_message {
    struct message message; /* first */
    struct realm *realm;    /* PUMP_LEADING: owned by the receiver */
    uint64_t epoch, seq;
    uint64_t tag;
    int64_t time_ms, time_us; /* PUMP_LEADING: the realm's clock is time_ms at clock_mono_us
                               * time_us; no clock of this realm was ever later */
    uint64_t behind;  /* PUMP_STANDING: entries not yet applied when it looked, applied now */
    int64_t lease_us; /* PUMP_STANDING, PUMP_LEADING: clock_mono_us when the lease was last seen
                       * renewed, or, of a leader, when its last renewal was asked for: nobody else
                       * leads before lease_ms after that */
    struct err_text why;
};

/* Starts the thread. Configuration errors that waiting cannot heal are returned here
 * (INVALID_ARGUMENT: a malformed address; FAILED_PRECONDITION: redis-server not installed). */
enum err pump_start(struct pump **out, const struct pump_options *o, struct inbox *owner,
                    struct err_text *why) ERR_CHECKED;
/* Hands over one batch of encoded records (journal_encode); the pump owns the bytes (a strbuf's
 * memory, moved). Only while LEADING and with at most one un-acknowledged before it. A batch above
 * LIMIT_ENTRY_BYTES is refused by assert: the owner splits. */
void pump_append(struct pump *p, struct strbuf *batch, uint32_t record_count, uint64_t tag);
/* Drops entries below this place (XTRIM MINID), after everything living was carried above it. */
void pump_trim(struct pump *p, uint64_t epoch, uint64_t seq);
/* Finishes the batch in hand (up to 1 s), hands back the lease, stops the embedded server, sends
 * PUMP_STOPPED. The pump is freed by pump_free after that. */
void pump_stop(struct pump *p);
void pump_free(struct pump *p);
void pump_message_free(struct pump_message *m);

#endif
