/* bridge_internal.h - the bridge's one struct, and the messages its thread takes from others.
 *
 * Everything in it belongs to the bridge's thread, but for the inbox, the stop flag and the two
 * library handles (their functions are safe from any thread).
 */
#ifndef MUSTER_BRIDGE_BRIDGE_INTERNAL_H
#define MUSTER_BRIDGE_BRIDGE_INTERNAL_H

#include "bridge/admin.h"
#include "bridge/admin_feed.h"
#include "bridge/bridge_role.h"
#include "bridge/census.h"
#include "bridge/dashboard.h"
#include "bridge/feed.h"
#include "bridge/players.h"
#include "bridge/queue_list.h"
#include "bridge/resume.h"
#include "bridge/states.h"
#include "bridge/transport.h"
#include "rt/call.h"
#include "rt/inbox.h"
#include "rt/role_meter.h"
#include "rt/thread.h"

#include <muster/client.h>

enum {
    BRIDGE_REPLY = MESSAGE_ROLE, /* struct rpc */
    BRIDGE_NEWS,                 /* struct news */
    BRIDGE_RESYNC,               /* struct lost */
    BRIDGE_SIGHT,                /* struct sight */
    BRIDGE_TICK,                 /* bridge.tick */
};

struct bridge {
    struct thread thread, pulse;
    struct inbox inbox, pulse_inbox;
    struct role_meter meter;
    struct message tick, pulse_stop;
    atomic_bool tick_pending;
    struct sio_server *server;
    struct transport *transport;
    struct muster_client *client;
    struct muster_subscription *subscription;
    struct players players;
    struct feed feed;
    struct states states;
    struct resume resume;
    struct census census;
    struct queue_list queue_list;
    struct admin admin;
    struct admin_feed admin_feed;
    struct dashboard dashboard;
    char api_trouble[600]; /* why the api's last Check failed; empty = serving */
    bool check_under_way, trouble_logged, heard; /* heard: the event stream has begun */
    uint64_t gaps;
    bool stopped;
};

/* Sends an event to one session, if its socket is still there. `args`: a JSON array. `at`: where he
 * may resume behind it; a zero place is none. */
void bridge_emit(struct session *s, struct str name, struct str args, const struct place *at);

#endif
