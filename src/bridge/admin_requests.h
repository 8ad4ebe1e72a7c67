/* admin_requests.h - what a dashboard asks for: each event stands for one RPC, a row of one table.
 *
 * Payload: none, or one object in proto3's JSON mapping of the RPC's request. Acknowledged with
 * {ok:true, ...the RPC's answer} or {ok:false, error:{code, message, field}}, once. Those that
 * change something are for simulated players, and refused unless the dashboard's mode is play.
 * Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_ADMIN_REQUESTS_H
#define MUSTER_BRIDGE_ADMIN_REQUESTS_H

#include "base/str.h"

struct bridge;
struct viewer;

struct admin_event {
    struct str name, args, ack_id; /* as in struct sio_handlers */
};

/* All borrowed for the call. */
void admin_requests_take(struct bridge *b, struct viewer *v, const struct admin_event *e);

#endif
