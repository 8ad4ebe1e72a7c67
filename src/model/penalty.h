/* penalty.h - what is remembered of a player who let proposals of a queue fail.
 *
 * Each offence bars him from the queue for longer; one is forgiven each `decay_ms`. Kept until all
 * are. Only the realm makes and frees them. Thread safety: none.
 */
#ifndef MUSTER_MODEL_PENALTY_H
#define MUSTER_MODEL_PENALTY_H

#include "base/heap.h"
#include "base/list.h"
#include "model/queue.h"

struct penalty {
    struct str player_id, queue; /* owned, in its block */
    uint32_t offences;           /* at the time of the last one */
    int64_t until_ms;            /* joins are refused until then */
    int64_t forget_ms;           /* all is forgiven then */
    struct heap_node due;        /* realm.penalty_ends, at forget_ms */
    struct list_node recorded;   /* realm.penalties_recorded */
    int64_t recorded_ms;
    uint32_t recorded_in; /* realm.carries then */
};

/* His offences with one more at `now_ms`, and what it brings. `p`: NULL when he had none. The
 * queue has a dodge penalty. Pure. */
struct penalty_sentence {
    uint32_t offences;
    int64_t until_ms, forget_ms;
};
struct penalty_sentence penalty_after(const struct penalty *p, const struct dodge_penalty *rules,
                                      int64_t now_ms);

struct penalty *penalty_new(struct str player_id, struct str queue);
void penalty_free(struct penalty *p); /* NULL is fine; must be in no list or heap */

#endif
