/* leading.h - the owner's work on the journal: append, resolve a lost reply, trim, renew the lease,
 * step down. Private to src/store. */
#ifndef MUSTER_STORE_LEADING_H
#define MUSTER_STORE_LEADING_H

struct pump;

/* After each new connection while LEADING: compares the journal's top with what was acknowledged.
 * May acknowledge the batch in hand, step down, or disconnect. */
void leading_verify(struct pump *p);
/* Connected and LEADING: does the orders in hand, renews the lease when due. */
void leading_work(struct pump *p);

#endif
