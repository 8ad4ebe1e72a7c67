/* forward.h - hands calls on to another process that serves them: several doors, one of which may
 * lead.
 *
 *     forward_new -> forward_call ... (forward_take, forward_due for what comes back) ->
 * forward_stop
 *
 * A call goes to the door that served last. With several doors one that is away, silent for
 * TRY_MS or UNAVAILABLE (it stands by) sends it on to the next, round after round with a growing
 * pause, until its deadline: the request id makes a repeat harmless. With one door its answer is
 * the answer. What is handed on carries a mark and is handed on once.
 * Thread safety: one thread (the api's), but for the answers, which come on the client library's.
 */
#ifndef MUSTER_API_FORWARD_H
#define MUSTER_API_FORWARD_H

#include "rt/call.h"

struct forward;

/* The call's end: a whole Response from a door and the code in it, or, when relayed.at is NULL, why
 * there is none. Any thread. */
typedef void (*forward_done_fn)(struct call *c, struct str relayed, enum err code,
                                const struct err_text *why);

/* `addresses`: comma-separated, at most 16. `inbox`: gets messages of `kind`, each to be given to
 * forward_take by its thread. Errors: INVALID_ARGUMENT: a malformed address, or too many. */
struct forward_options {
    const char *addresses;
    struct inbox *inbox;
    int kind;
    forward_done_fn done;
};
enum err forward_new(struct forward **out, const struct forward_options *o,
                     struct err_text *why) ERR_CHECKED;
void forward_free(struct forward *f); /* after forward_stop; NULL is fine */

/* `bytes`: the encoded Request, borrowed until the end. */
void forward_call(struct forward *f, struct call *c, struct str bytes);
void forward_take(struct message *m);            /* goes on with a call that was not served there */
void forward_due(struct forward *f);             /* goes on with those whose pause is over */
int64_t forward_due_us(const struct forward *f); /* INT64_MAX: none rests */
/* Ends all calls: those in flight are refused before it returns, those that rest as well; messages
 * taken afterwards too. */
void forward_stop(struct forward *f);

#endif
