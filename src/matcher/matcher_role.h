/* matcher_role.h - the role that owns a realm: decides, has it journaled, answers.
 *
 * A reply leaves when everything it could have seen is durable: replies wait for the batch that
 * was open when they were made. Calls arrive in matcher_inbox (MESSAGE_CALL, decoded struct
 * request as command). While another process leads, or Redis is away at start, calls are answered
 * UNAVAILABLE with the reason. Deadlines are kept even while Redis is away.
 *
 *     matcher_start --> [matcher_drain] --> matcher_stop --> matcher_free
 *
 * Runs a thread of its own and the store's. Thread safety: one thread calls these functions, but
 * for matcher_inbox, matcher_leading and matcher_following.
 */
#ifndef MUSTER_MATCHER_MATCHER_ROLE_H
#define MUSTER_MATCHER_MATCHER_ROLE_H

#include "base/err.h"
#include "rt/inbox.h"

struct matcher;

struct matcher_options {
    const char *redis, *state_folder, *realm, *durability; /* as pump_options */
    const char *version;
    const char *const *roles; /* of this process, for GetStatus */
    size_t role_count;
    int64_t lease_ms, operation_ms; /* as pump_options */
    int64_t keep_ms;         /* 0..86400000: how long ended tickets and matches stay readable */
    int64_t journal_keep_ms; /* retention for replay before compaction trims */
    uint64_t seed;           /* 0 = from the kernel; logged */
};

/* Starts the threads and returns at once; leading comes later. Texts are borrowed for the call; the
 * caller owns `*out`. Errors: pump_start's; then `*out` is NULL. */
enum err matcher_start(struct matcher **out, const struct matcher_options *o,
                       struct err_text *why) ERR_CHECKED;
struct inbox *matcher_inbox(struct matcher *m);  /* takes ROUTE_MATCHER calls */
bool matcher_leading(const struct matcher *m);   /* any thread */
bool matcher_following(const struct matcher *m); /* it stands by, warm; any thread */
/* Answers the long polls that are held and holds none from now on: before api_drain. */
void matcher_drain(struct matcher *m);
/* Refuses new calls, flushes, answers what is pending, hands back the lease, joins. At most 5 s. */
void matcher_stop(struct matcher *m);
void matcher_free(struct matcher *m); /* after matcher_stop; NULL is fine */

#endif
