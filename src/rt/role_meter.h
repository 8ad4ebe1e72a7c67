/* role_meter.h - what a role's loop tells of itself: messages taken per turn, and how long it
 * works.
 *
 *   role_meter_init -> each turn: role_meter_begin(take what came), work, role_meter_end
 *
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_RT_ROLE_METER_H
#define MUSTER_RT_ROLE_METER_H

#include "rt/inbox.h"

#include <stdint.h>

struct metric_series;

struct role_meter {
    struct metric_series *messages, *pass;
    int64_t began_us;
};

void role_meter_init(struct role_meter *m, const char *role); /* "api", "events" */
/* Behind the wait: `list` is what the inbox gave. O(messages). */
void role_meter_begin(struct role_meter *m, const struct message *list);
void role_meter_end(struct role_meter *m);

#endif
