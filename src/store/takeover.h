/* takeover.h - standing by, and becoming the owner: lease, epoch record, the journal's tail.
 * Private to src/store. */
#ifndef MUSTER_STORE_TAKEOVER_H
#define MUSTER_STORE_TAKEOVER_H

struct pump;

/* One look, connected and WAITING: either the pump LEADS afterwards, or it has followed the journal
 * to its end as it was, and it is set when to look again and the reason is reported. Blocks as long
 * as the replay takes (about 1 us per record), but ends early when a stop is asked for. */
void takeover_try(struct pump *p);

#endif
