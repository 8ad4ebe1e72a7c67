/* pick.h - the search: one match around one waiting ticket.
 *
 * A group must contain the searched ticket x. Candidates are its neighbours by key within the
 * widest spread that could hold for x, nearest first, those without a common region left out; of
 * them older ones are taken first. Groups are filled towards players_max and accepted from the
 * minima on; the split of smallest team gap goes to ruleset_evaluate, which alone decides. When it
 * says no, other splits, then other groups are tried, so that neither an unmatchable old ticket
 * nor a rule that the search knows nothing of hides a legal match:
 *
 *   1. oldest first;  2. oldest first within each key window that holds enough players;
 *   3. each candidate once as the first pick;  4. with few candidates, every subset.
 *
 * A patient queue (worth.h) first builds the one group of most slack (seek.h). Credit that does not
 * cover its cost ends the search: `due_ms` says when it will. The four ways come after it only
 * where a rule that the search knows nothing of refused it, or where there was none and x is
 * urgent, and take no group that is not worth it.
 *
 * Bounded: PICK_OPTIONS candidates, PICK_TRIES evaluations, PICK_FILLS groups. `truncated` says
 * that a bound was met, so that a legal match may have been missed: retry later. Otherwise no
 * legal group contains x now, and only a new ticket or an expansion step can change that; both
 * are events of their own. (Above SPLIT_EXACT_ITEMS tickets, or of more than SPLIT_RESULTS splits,
 * not all splits are tried: truncated too.)
 * Deterministic: ties by age, then ticket id. Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_PICK_H
#define MUSTER_MODEL_PICK_H

#include "base/limits.h"
#include "model/pool.h"

#define PICK_OPTIONS 128    /* or twice the players of a match where that is more */
#define PICK_VISITS 1024    /* slots looked at for them */
#define PICK_TRIES 192      /* splits evaluated per search; four times that for pairs, subsets */
#define PICK_FILLS 256      /* groups built per search */
#define PICK_SKIP_MAX 16384 /* how far from x a retry starts looking */

struct pick; /* the search's buffers */

struct pick_result {
    bool found;
    bool truncated;
    uint64_t nodes; /* work done: groups built or evaluated, plus candidates / 64 */
    uint32_t ticket_count;
    const struct ticket *tickets[LIMIT_MATCH_PLAYERS]; /* oldest first */
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    int64_t age_ms; /* of the ticket that selects the expansion step */
    struct verdict verdict;
    /* not found, of a patient queue: when the best group seen will be worth taking; INT64_MAX */
    int64_t due_ms;
    uint32_t refused_by; /* the rule that the last group judged failed; RULESET_NONE: none did */
};

struct pick *pick_new(void);
void pick_free(struct pick *p); /* NULL is fine */

/* Searches for a match of `x`, which waits in `pool`. `shrinking`: the ruleset may have expansion
 * steps that narrow a limit, so that limits say nothing about those of another age.
 * Sets x->retries and x->skip: each retry begins elsewhere. The result is borrowed from `p` until
 * the next search. */
const struct pick_result *pick_find(struct pick *p, const struct pool *pool, struct pool_entry *x,
                                    int64_t now_ms, bool shrinking);

/* When a ticket whose search found nothing is to be searched again: at its next expansion step,
 * when its best group is worth it or it becomes urgent, or after a truncated search at the latest
 * in max(1 s, half its age). Of a crowd whose role is over-represented, who has been searched for
 * twice among many: at its next expansion step only. INT64_MAX: at no time. */
int64_t pick_retry_ms(const struct pool *pool, const struct pool_entry *x, int64_t now_ms,
                      const struct pick_result *result);

#endif
