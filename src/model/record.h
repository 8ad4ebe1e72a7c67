/* record.h - the journal's records: everything that can happen to a realm.
 *
 * A record is complete for whoever reads it (players and queue included), so that events, standbys
 * and audits need nothing else. Texts and arrays are borrowed: from an arena when decided or
 * decoded. The one exception is queue_put.def, owned by the record until realm_apply takes it.
 */
#ifndef MUSTER_MODEL_RECORD_H
#define MUSTER_MODEL_RECORD_H

#include "model/match.h"
#include "model/queue.h"
#include "model/ticket.h"

enum record_kind {
    RECORD_EPOCH_STARTED = 1,
    RECORD_QUEUE_PUT,
    RECORD_QUEUE_DELETED,
    RECORD_TICKET_CREATED,
    RECORD_TICKET_ENDED, /* cancelled or expired */
    RECORD_MATCH_CREATED,
};

struct record {
    enum record_kind kind;
    bool carried;    /* re-appended by compaction: applying it over what is there changes nothing */
    int64_t time_ms; /* the leader's clock */
    union {
        struct {
            struct str owner;
        } epoch_started;
        struct {
            struct queue_def *def; /* NULL after realm_apply took it */
            struct str name;
            struct str json;
            bool allow_shrinking;
            uint32_t version;
        } queue_put;
        struct {
            struct str name;
            uint32_t version;
        } queue_deleted;
        struct {
            struct id id;
            struct ticket_spec spec;
            enum ticket_state state; /* QUEUED, or any when carried */
            int64_t created_ms, expires_ms, ended_ms;
            struct id match_id;
            struct str reason;
            struct id request_key;
            uint64_t request_hash;
            struct ticket_wait promised; /* what its creator was told */
        } ticket_created;
        struct {
            struct id id;
            enum ticket_state state; /* CANCELLED or EXPIRED */
            const struct str *queues;
            const struct str *player_ids;
            uint32_t queue_count, player_count;
            struct str reason;
        } ticket_ended;
        struct match_spec match_created;
    };
};

/* Called once per record, in order, during realm_decide and realm_carry only. */
typedef void (*record_fn)(void *arg, struct record *r);

#endif
