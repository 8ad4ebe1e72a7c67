/* record.h - the journal's records: everything that can happen to a realm.
 *
 * A record is complete for whoever reads it (players and queue included), so that events, standbys
 * and audits need nothing else. Texts and arrays are borrowed: from an arena when decided or
 * decoded. The one exception is queue_put.def, owned by the record until realm_apply takes it.
 */
#ifndef MUSTER_MODEL_RECORD_H
#define MUSTER_MODEL_RECORD_H

#include "base/traceparent.h"
#include "model/backfill.h"
#include "model/match.h"
#include "model/queue.h"
#include "model/ticket.h"

enum record_kind {
    RECORD_EPOCH_STARTED = 1,
    RECORD_QUEUE_PUT,
    RECORD_QUEUE_DELETED,
    RECORD_TICKET_CREATED,
    RECORD_TICKET_ENDED,  /* cancelled or expired */
    RECORD_MATCH_CREATED, /* PROPOSED or CONFIRMED; any when carried */
    RECORD_MATCH_ACCEPTED,
    RECORD_MATCH_UPDATED, /* a move of its state, and what becomes of its tickets */
    RECORD_PLAYER_PENALIZED,
    RECORD_TICKET_UPDATED, /* in ticket_created: the ticket as it is now; players have changed */
    RECORD_ROSTER_CHANGED, /* players have left a match that goes on, or joined it */
    RECORD_BACKFILL_PUT,   /* a backfill as it is now */
};

/* What becomes of a ticket without a match. */
struct ticket_fate {
    struct id id;
    enum ticket_state state; /* CANCELLED, EXPIRED, or QUEUED: back from a failed proposal */
    struct str reason;       /* empty when QUEUED */
    const struct str *queues;
    const struct str *player_ids;
    uint32_t queue_count, player_count;
    int64_t created_ms; /* of the ticket */
};

struct record {
    enum record_kind kind;
    bool carried;    /* re-appended by compaction: applying it over what is there changes nothing */
    int64_t time_ms; /* the leader's clock */
    /* Of its ticket, or of each of its match's tickets in their order, where one came with a trace;
     * none for the others. */
    const struct traceparent *traces;
    uint32_t trace_count; /* 0..LIMIT_MATCH_PLAYERS */
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
            struct str author, comment;       /* may be empty */
            int64_t put_ms;                   /* 0: the record's time */
            const struct queue_version *past; /* when carried: its versions before, ascending */
            uint32_t past_count;              /* 0..LIMIT_QUEUE_VERSIONS */
        } queue_put;
        struct {
            struct str name;
            uint32_t version;
        } queue_deleted;
        struct {
            struct id id;
            struct ticket_spec spec;
            enum ticket_state state; /* QUEUED, or any when carried */
            int64_t created_ms, expires_ms, ended_ms, heartbeat_ms;
            struct id match_id;
            struct str reason;
            struct id request_key;
            uint64_t request_hash;       /* 0 without a key */
            struct ticket_wait promised; /* what its creator was told */
        } ticket_created;
        struct ticket_fate ticket_ended; /* CANCELLED or EXPIRED */
        struct match_spec match_created;
        struct { /* some players of a proposal have accepted; others are still asked */
            struct id id;
            struct str queue;
            const struct str *accepted, *waiting; /* all its players */
            uint32_t accepted_count, waiting_count;
            int64_t until_ms;
        } match_accepted;
        struct {
            struct match_spec spec;          /* the match as it is now */
            const struct ticket_fate *fates; /* of its tickets when a proposal failed */
            uint32_t fate_count;
        } match_updated;
        struct {
            struct match_spec spec; /* the match as it is now */
            const struct str *joined, *left;
            uint32_t joined_count, left_count;
            const struct id *ticket_ids; /* MATCHED by it: those of who joined from the queue */
            uint32_t ticket_count;
            struct id proposal_id;         /* the match that asked them, MERGED now; or none */
            struct backfill_spec backfill; /* the match's, as it is now; its id none: it has none */
        } roster_changed;
        struct backfill_spec backfill_put;
        struct { /* a player let a proposal of the queue fail */
            struct str player_id;
            struct str queue;
            uint32_t offences;
            int64_t until_ms;  /* joins of the queue are refused until then */
            int64_t forget_ms; /* all is forgiven then */
        } player_penalized;
    };
};

/* The id of the ticket or match that a record with traces is about. */
struct id record_subject(const struct record *r);

/* Called once per record, in order, during realm_decide and realm_carry only. */
typedef void (*record_fn)(void *arg, struct record *r);

#endif
