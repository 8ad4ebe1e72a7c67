/* admin.h - the Socket.IO namespace /admin: operators' dashboards, and what they are sent.
 *
 * A viewer is one socket of it. He is sent `stats` each second, `match` and `happening`
 * (admin_feed.h), and asks by events that are acknowledged (admin_requests.h); the messages are
 * those of admin.proto. Who may be one: with a token whoever knows it; without one whoever
 * connects from this machine, but no page that another one has served. Bridge's thread only, but
 * for admin_watched().
 */
#ifndef MUSTER_BRIDGE_ADMIN_H
#define MUSTER_BRIDGE_ADMIN_H

#include "bridge/census.h"
#include "socketio/socketio.h"

#include <stdatomic.h>
#include <stdint.h>

#define ADMIN_VIEWERS_MAX 64         /* more are refused */
#define ADMIN_QUEUES_MAX 100         /* of `stats`: those with the most tickets waiting */
#define ADMIN_RULES_MAX 12           /* of each queue in `stats`: those that reject most */
#define ADMIN_REQUESTS_PER_VIEWER 32 /* under way: more are refused */

enum admin_mode { ADMIN_OFF, ADMIN_ON, ADMIN_PLAY }; /* play: simulated players may be added */

struct viewer {
    struct list_node link;
    struct sio_socket *socket; /* NULL once disconnected */
    size_t refs;               /* the socket, and each request under way */
    size_t request_count;
};

struct admin {
    enum admin_mode mode;
    char *token;            /* owned; empty: none */
    char *realm;            /* owned */
    struct list viewers;    /* viewer.link */
    atomic_size_t watching; /* viewers.count, for other threads */
    struct census_asker asker;
};

struct bridge_options;

void admin_init(struct bridge *b, const struct bridge_options *o); /* declares the namespace */
void admin_fini(struct admin *a);                                  /* no viewers are left */
void admin_tick(struct bridge *b);                                 /* each second */
bool admin_watched(const struct admin *a); /* any thread: somebody is looking */
/* To every viewer; `args` is a JSON array. */
void admin_send(struct bridge *b, const char *name, struct str args);
void admin_tell(struct bridge *b, const char *name, const ProtobufCMessage *m);

void viewer_ref(struct viewer *v);
void viewer_unref(struct viewer *v);

#endif
