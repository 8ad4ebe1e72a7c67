/* takeover.h - becoming the owner: lease, epoch record, replay. Private to src/store. */
#ifndef MUSTER_STORE_TAKEOVER_H
#define MUSTER_STORE_TAKEOVER_H

struct pump;

/* One try, connected and WAITING: either the pump LEADS afterwards, or it is set when to try again
 * and the reason is reported. Blocks as long as the replay takes (about 1 us per record), but ends
 * early when a stop is asked for. */
void takeover_try(struct pump *p);

#endif
