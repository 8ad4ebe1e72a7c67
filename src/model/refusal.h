/* refusal.h - what a search that found nothing is put down to, in one word: for statistics.
 *
 * The first of these that is so:
 *
 *   patience   its best group is legal, but not worth taking yet
 *   a rule     that whole groups were refused by
 *   a rule     that keeps one of the nearest tickets out of every match with it: of the nearest
 *              such ticket the first such rule
 *   a rule     that divides the queue, when nobody waits on its side
 *   roles      all who are near fit, but nobody waits for some role
 *   too few    all who are near fit, but they are no match
 *
 * why.h says it in full, and costs a hundred times as much: here about REFUSAL_NEAR judgements of
 * two tickets. Thread safety: one thread per instance.
 */
#ifndef MUSTER_MODEL_REFUSAL_H
#define MUSTER_MODEL_REFUSAL_H

#include "model/pick.h"

#define REFUSAL_NEAR 8 /* tickets looked at */

/* Instead of a rule's index. */
#define REFUSAL_TOO_FEW (UINT32_MAX - 1)
#define REFUSAL_PATIENCE (UINT32_MAX - 2)

struct refusal; /* its buffers */

struct refusal *refusal_new(void);
void refusal_free(struct refusal *f); /* NULL is fine */

/* `result`: of the search around `x` that has just found nothing, with nothing changed since. */
uint32_t refusal_find(struct refusal *f, const struct pool *pool, const struct pool_entry *x,
                      int64_t now_ms, const struct pick_result *result);

#endif
