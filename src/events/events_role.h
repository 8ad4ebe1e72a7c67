/* events_role.h - the role that relays the journal to nng pub and answers replays. */
#ifndef MUSTER_EVENTS_EVENTS_ROLE_H
#define MUSTER_EVENTS_EVENTS_ROLE_H

#include "base/err.h"
#include "rt/inbox.h"

#include <stdbool.h>

struct events;

struct events_options {
    const char *redis, *state_folder, *realm; /* as reader_options */
    int64_t operation_ms;
    bool replicated;     /* publishes what a replica of Redis has, nothing that a failover undoes */
    const char *publish; /* addresses for publisher_open */
};

enum err events_start(struct events **out, const struct events_options *o,
                      struct err_text *why) ERR_CHECKED;
struct inbox *events_inbox(struct events *e);         /* takes REPLAY_EVENTS calls */
const char *events_addresses(const struct events *e); /* where it publishes, borrowed */
void events_stop(struct events *e);                   /* joins; at most 2 s */
void events_free(struct events *e);

#endif
