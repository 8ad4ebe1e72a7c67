/* pump_core.h - what the files of the pump share: its state, and how it speaks to the owner.
 *
 *     WAITING --takeover_try--> LEADING --leading_lose--> LOST --owner freed PUMP_LOST--> WAITING
 *
 * WAITING follows the journal, so that takeover_try has only its tail to read.
 * LOST exists because batches of the old leadership may still be on their way from the owner: they
 * are thrown away until the owner has shown, by freeing the message, that it knows.
 * pump.c: thread, connection, orders. takeover.c: lease, epoch, replay. leading.c: append, resolve,
 * trim, renew. Private to src/store. Thread safety: the pump's thread only.
 */
#ifndef MUSTER_STORE_PUMP_CORE_H
#define MUSTER_STORE_PUMP_CORE_H

#include "rt/thread.h"
#include "store/backoff.h"
#include "store/checks.h"
#include "store/embedded.h"
#include "store/follower.h"
#include "store/lease.h"
#include "store/pump.h"

enum pump_phase { PHASE_WAITING, PHASE_LEADING, PHASE_LOST };

enum { ORDER_APPEND = 1, ORDER_TRIM, ORDER_STOP, ORDER_LOST_SEEN };

/* From the owner to the pump. */
struct order {
    struct message message; /* first */
    struct order *next;     /* in pump.orders */
    struct strbuf batch;
    uint32_t record_count;
    uint64_t tag;
    struct position trim_from;
    bool tried;   /* sent once, outcome unknown */
    bool written; /* in the journal; with `replicated` a replica is still to have it */
};

struct pump {
    struct thread thread;
    struct inbox inbox; /* orders */
    struct inbox *owner_inbox;
    atomic_bool stop_asked; /* seen during a long replay, before the order is */

    char *owner;
    int64_t operation_ms;
    struct address address;
    struct embedded *embedded; /* NULL: a Redis of the user's */
    struct stream stream;
    struct lease lease;
    struct checks checks;

    struct redis *redis; /* NULL while away */
    bool was_connected;
    struct backoff backoff;
    int64_t retry_due_us;          /* next try to connect, or to take over */
    char reported[ERR_TEXT_BYTES]; /* last PUMP_STATE */

    enum pump_phase phase;
    struct follower follower;   /* WAITING */
    struct position last;       /* LEADING: the last acknowledged entry */
    bool replicated;            /* acknowledged means: a replica has it too */
    bool unconfirmed;           /* no replica says so, for now */
    int64_t clock_ms, clock_us; /* the realm's clock read clock_ms at clock_mono_us; 0 = unknown */
    int64_t renew_due_us;
    struct order *orders; /* oldest first */
    bool stopping;
    int64_t stop_due_us;
};

/* A message for the owner, to be filled and sent. */
struct pump_message *pump_core_message(struct pump *p, int kind);
void pump_core_send(struct pump *p, struct pump_message *m);
/* Tells log and owner when the state changed; an empty text: all is well. `code`: log level. */
void pump_core_report(struct pump *p, enum err code, const char *text);
/* Reports why, closes the connection, tries again after a back-off. */
void pump_core_disconnect(struct pump *p, enum err code, const struct err_text *why);
void pump_core_retry_after(struct pump *p, int64_t ms);
/* The realm's clock, as the last leader told it and as it went on since; 0 = never heard of. */
int64_t pump_core_clock_ms(const struct pump *p);
/* Tells the owner how things stand (PUMP_STANDING). `behind`: entries that were still to be
 * applied at the last look; `lease_us`: when the lease was last seen renewed. */
void pump_core_stand(struct pump *p, struct position at, uint64_t behind, int64_t lease_us);
struct order *pump_core_take_order(struct pump *p); /* the oldest one, or NULL */
void pump_core_free_order(struct order *o);

#endif
