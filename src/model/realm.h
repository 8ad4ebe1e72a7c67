/* realm.h - one game's queues, tickets and matches as a pure state machine.
 *
 *   realm_decide(state, command, now) -> records        what should happen, and the answer
 *   realm_apply(state, record)                          make it so
 *
 * Live service, recovery, standby and simulation are these two functions. realm_decide calls
 * realm_apply itself for each record right after it hands it to the sink, so that a command is
 * decided on the state its own earlier records made. No I/O, no clock, no hidden chance: time and
 * the rng come in. Same journal -> same state.
 *
 * Rooms: realm.c memory and look-ups; realm_apply.c records, realm_ticket.c, realm_match.c,
 * realm_backfill.c and realm_penalty.c what they do; realm_decide.c commands on tickets,
 * realm_proposal.c acceptance, realm_live.c made matches, realm_roster.c who is in them,
 * realm_recruit.c (with realm_present.c) their backfills, realm_queue.c queues; realm_search.c and
 * realm_fill.c turns; realm_carry.c, realm_digest.c, realm_replay.c the journal's needs.
 *
 * Invariants kept here: a player is in at most one open ticket, or live match of a queue that holds
 * its players; a ticket is in the pool of each of
 * its queues exactly while QUEUED, and the first match takes it out of all; a request key creates
 * one ticket; a ticket has one end; a PROPOSED match has PROPOSED tickets only, and ends once; a
 * match has one active backfill at most.
 *
 * Ended tickets and matches stay readable for `keep_ms`, under each owner anew, then are forgotten
 * (no record: only a request that is repeated later than that depends on them).
 * Costs: create, cancel, get O(log n); realm_search bounded by its budget.
 * Thread safety: none; one thread owns a realm at a time.
 */
#ifndef MUSTER_MODEL_REALM_H
#define MUSTER_MODEL_REALM_H

#include "base/rng.h"
#include "model/record.h"

struct realm;
struct penalty; /* penalty.h */

struct realm *realm_new(int64_t keep_ms); /* keep_ms: 0..86400000, how long ended things are kept */
void realm_free(struct realm *r);         /* NULL is fine */

/* Makes the record so. For a record from the journal as well as for one just decided. A record
 * that contradicts the state (a match of a ticket that has ended, a second open ticket of a player)
 * is skipped and counted: realm_skipped. What names objects not known yet does not contradict: a
 * journal that was cut has them later, carried (a ticket may come before its queue, a match or an
 * end before its ticket). Carried records over existing objects change nothing. Takes
 * queue_put.def. */
void realm_apply(struct realm *r, struct record *record);
uint64_t realm_skipped(const struct realm *r);

/* Embraces the replay of a journal into an empty realm: the same state in the end, made faster, for
 * pools and timers are built once for what is then left. In between only realm_apply, realm_expect
 * and realm_free may be called. The end costs O(n log n) of the open tickets. */
void realm_replay_begin(struct realm *r);
void realm_replay_end(struct realm *r);
/* A hint that changes nothing: the record is applied soon, so fetch what it will be looked up in.
 * With a few dozen records in between, their cache misses overlap. */
void realm_expect(const struct realm *r, const struct record *record);

enum command_kind {
    COMMAND_CREATE_TICKET = 1,
    COMMAND_CANCEL_TICKET,
    COMMAND_PUT_QUEUE,
    COMMAND_DELETE_QUEUE,
    COMMAND_ACCEPT_MATCH,
    COMMAND_DECLINE_MATCH,
    COMMAND_ASSIGN_MATCH,
    COMMAND_COMPLETE_MATCH,
    COMMAND_CANCEL_MATCH,
    COMMAND_UPDATE_TICKET,
    COMMAND_LEAVE_MATCH,
    COMMAND_CREATE_BACKFILL,
    COMMAND_UPDATE_BACKFILL,
    COMMAND_CANCEL_BACKFILL,
};

struct command {
    enum command_kind kind;
    union {
        struct {
            struct ticket_spec spec; /* borrowed, valid in itself (wire checked every field) */
            struct id request_key;   /* none: no idempotency */
            uint64_t request_hash;   /* of the request's content: one key, one content */
            const struct traceparent *trace; /* the request's; NULL: none */
        } create_ticket;
        struct {
            struct id ticket_id;
            struct str reason; /* "cancelled by request" ... */
        } cancel_ticket;
        struct {
            struct queue_def *def;      /* taken (set to NULL) only when a new version is made */
            struct str author, comment; /* LIMIT_NAME_BYTES, LIMIT_COMMENT_BYTES of UTF-8 at most */
            bool cancel_unfit;          /* waiting tickets that it does not admit; else refused */
        } put_queue;
        struct {
            struct str name;
            bool
                cancel_tickets; /* at most LIMIT_DELETE_TICKETS; else refused while there are any */
        } delete_queue;
        struct {
            struct id ticket_id;
            const struct player *players; /* borrowed, valid, the same ids as the ticket's */
            uint32_t player_count;
        } update_ticket;
        struct {
            struct id match_id;
            const struct str *player_ids; /* 1..LIMIT_MATCH_PLAYERS, unique */
            uint32_t player_count;
        } answer_match; /* ACCEPT_MATCH, DECLINE_MATCH, LEAVE_MATCH */
        struct {
            struct id match_id;
            struct str connection; /* 1..LIMIT_CONNECTION_BYTES of UTF-8 */
        } assign_match;
        struct {
            struct id match_id;
            const struct team_result *results; /* teams unique, ranks 1..LIMIT_TEAMS */
            uint32_t result_count;
        } complete_match;
        struct {
            struct id match_id;
            struct str reason; /* may be empty */
            bool requeue;      /* its tickets wait again, as old as they were */
        } cancel_match;
        struct {
            struct id match_id;                   /* none: a new match of the game's own */
            const struct backfill_party *parties; /* borrowed; none: as the realm knows them */
            uint32_t party_count;
            struct str queue, region, connection; /* of a match that is not known */
            int64_t waited_ms;                    /* likewise: what its rules were judged at */
            int64_t timeout_ms;                   /* 0: the queue's ticket timeout */
            struct id request_key;                /* none: no idempotency */
            uint64_t request_hash;
        } create_backfill;
        struct {
            struct id backfill_id;
            const struct backfill_party *parties; /* borrowed, 1.. */
            uint32_t party_count;
        } update_backfill;
        struct {
            struct id backfill_id;
        } cancel_backfill;
    };
};

/* Where records go and what deciding may use. The sink encodes or copies: a created ticket's
 * content is borrowed from the command, a carried object's from the realm until its next change. */
struct decision {
    int64_t now_ms; /* never below an earlier one of this realm */
    struct rng *rng;
    struct arena *arena; /* for the records' content: free after the records were encoded */
    record_fn sink;
    void *sink_arg;
};

/* The answer. Pointers are borrowed from the realm, valid until its next change. */
struct outcome {
    const struct ticket *ticket; /* create: the new one or the one of the same request; cancel */
    const struct queue *queue;   /* put_queue */
    const struct match *match;   /* the commands on matches and backfills; else NULL */
    const struct backfill *backfill; /* the commands on backfills */
    bool changed;                    /* false: idempotent repeat, nothing new happened */
};

/* Errors (nothing changed, no record):
 *
 * - create_ticket: NOT_FOUND no such queue; INVALID_ARGUMENT a queue's ruleset cannot admit it
 * (text says which and why), or the request key was used with other content; ALREADY_EXISTS a
 * player is in an open ticket (text names both); FAILED_PRECONDITION, with retry_after_ms, a player
 * is barred from a queue for a while; RESOURCE_EXHAUSTED LIMIT_TICKETS.
 * - cancel_ticket: NOT_FOUND; FAILED_PRECONDITION it is MATCHED or EXPIRED (a repeat is OK). A
 *   PROPOSED one declines its match.
 * - accept_match: NOT_FOUND no such match (any more); INVALID_ARGUMENT a player is not in it;
 *   FAILED_PRECONDITION it was cancelled (text says why). Accepting again is OK.
 * - decline_match: the same, and FAILED_PRECONDITION when it is made already. Who has accepted may
 *   still decline while others are asked. Declining again is OK.
 * - assign_match: NOT_FOUND; FAILED_PRECONDITION it is not CONFIRMED (the same connection again is
 *   OK). complete_match: NOT_FOUND; INVALID_ARGUMENT no such team; FAILED_PRECONDITION it is
 *   PROPOSED or CANCELLED (again is OK: the first result holds). cancel_match: NOT_FOUND;
 *   FAILED_PRECONDITION it is COMPLETED (again is OK). With requeue a ticket of a made match is
 *   created anew, with its old time, where it is kept, still admitted, and its players are free.
 * - leave_match: NOT_FOUND; INVALID_ARGUMENT a player is not in it (who has left may leave again);
 *   FAILED_PRECONDITION it is PROPOSED or over. The last one's leaving cancels it.
 * - create_backfill: NOT_FOUND no such match (and no parties to take one in), or no queue;
 *   INVALID_ARGUMENT a team or player that the queue does not admit, a player named twice, or the
 *   request key was used with other content; ALREADY_EXISTS a player who is held elsewhere;
 *   FAILED_PRECONDITION the match is PROPOSED or over, no place is open, or what its players
 *   brought is not kept; RESOURCE_EXHAUSTED LIMIT_BACKFILLS.
 * - update_backfill: likewise, and FAILED_PRECONDITION it is over; cancel_backfill: NOT_FOUND;
 *   FAILED_PRECONDITION it is FILLED or EXPIRED (again is OK).
 * - update_ticket: NOT_FOUND; FAILED_PRECONDITION it is not QUEUED; INVALID_ARGUMENT other players,
 *   or a queue does not admit it so.
 * - put_queue: RESOURCE_EXHAUSTED LIMIT_QUEUES; FAILED_PRECONDITION a waiting ticket cannot be
 *   admitted by the new ruleset (text names one).
 * - delete_queue: NOT_FOUND; FAILED_PRECONDITION open tickets in it.
 *
 * An answer to a proposal whose time is over ends it first, so then there is a record. */
enum err realm_decide(struct realm *r, struct command *c, const struct decision *d,
                      struct outcome *out, struct err_text *why) ERR_CHECKED;

/* As realm_expect, for a command that is decided soon: a few ahead in a batch. */
void realm_expect_command(const struct realm *r, const struct command *c);

/* Ends what is due: tickets and backfills expire, tickets give no sign of life, matches were not
 * accepted, assigned or completed in time. At most `max`;
 * returns how many. Also forgets what was kept long enough. */
unsigned realm_expire(struct realm *r, const struct decision *d, unsigned max);
/* What realm_expire forgets, for who only follows a journal and decides nothing. */
void realm_forget(struct realm *r, int64_t now_ms, unsigned max);

/* A sign of life of the ticket; false: it is not open (any more). Nothing is journaled. */
bool realm_heartbeat(struct realm *r, struct id ticket_id, int64_t now_ms);
/* An owner begins, as his record of the epoch says, or when he leads with all of it in memory: what
 * has ended is kept anew, and he has heard of no ticket's life yet, so all count as alive now. */
void realm_lead(struct realm *r, int64_t now_ms);

/* Searches the queues whose tick has come, oldest tickets first, and records the matches made.
 * Stops when about `node_budget` candidate groups were looked at, a match counting as several;
 * returns true when work was left for the next call. A node is 0.2 to 1.7 us of CPU. */
bool realm_search(struct realm *r, const struct decision *d, uint64_t node_budget);

/* What the realm has done since realm_new; no part of its state. */
struct realm_counts {
    uint64_t searches;
    uint64_t groups;          /* candidate groups looked at in them */
    uint64_t truncated;       /* searches that met a bound of pick.h: tried again later */
    uint64_t forgotten_early; /* at a limit: what has ended, versions of queues */
    uint64_t forms_unshared;  /* at a limit (ticket_home.h): tickets with names of their own */
    uint64_t fills;           /* searches for backfills */
    uint64_t
        backfills_missed; /* automatic ones that could not begin: LIMIT_BACKFILLS, or too big */
};
struct realm_counts realm_counted(const struct realm *r);

/* The time (same clock as now_ms) at which realm_expire or realm_search has work next;
 * INT64_MAX when nothing is timed. */
int64_t realm_next_due_ms(const struct realm *r);

/* Re-records (carried) every living object that `upto_ms` may have left behind: all queues (in the
 * first slice, beyond `max`), then open tickets and kept things whose last whole record is not
 * younger than that time. Bounded slices: start with *cursor = 0, call until it returns false;
 * other changes of the realm in between are fine. queue_put.def is NULL in these records. */
bool realm_carry(struct realm *r, const struct decision *d, int64_t upto_ms, uint64_t *cursor,
                 unsigned max);

const struct ticket *realm_ticket(const struct realm *r, struct id id); /* or NULL */
/* His open ticket, or NULL. */
const struct ticket *realm_player_ticket(const struct realm *r, struct str player);
const struct match *realm_match(const struct realm *r, struct id id); /* or NULL */
const struct penalty *realm_penalty(const struct realm *r, struct str player_id,
                                    struct str queue); /* what bars him from it; or NULL */
const struct queue *realm_queue(const struct realm *r, struct str name); /* or NULL */
/* Queues in name order: start with previous = NULL; NULL at the end. O(log queues). */
const struct queue *realm_next_queue(const struct realm *r, const struct queue *previous);
/* Kept matches newest first: start with previous = NULL; NULL at the end. O(1). */
const struct match *realm_next_match(const struct realm *r, const struct match *previous);
const struct backfill *realm_backfill(const struct realm *r, struct id id); /* or NULL */
/* The active one of the match, or NULL. */
const struct backfill *realm_backfill_of(const struct realm *r, struct id match_id);
uint64_t realm_backfills_active(const struct realm *r);
uint64_t realm_tickets_open(const struct realm *r);
uint64_t realm_matches_kept(const struct realm *r);
/* Waiting time of the queue's oldest ticket; 0 when empty. */
int64_t realm_oldest_wait_ms(const struct realm *r, const struct queue *q, int64_t now_ms);
/* What is left of the ticket's wait (eta.h); zeros when it has ended or nothing is known. */
struct ticket_wait realm_wait(const struct realm *r, const struct ticket *t, int64_t now_ms);

/* Digest of all state that replay must reproduce: queues, open tickets, proposals and their
 * answers, active backfills
 * (not stats, nor what has ended or is forgiven, which each owner forgets in its own time). Equal
 * journals, equal digests, anywhere. */
uint64_t realm_digest(const struct realm *r);

#endif
