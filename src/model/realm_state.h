/* realm_state.h - the fields of a realm and what its files share; for src/model/realm*.c only. */
#ifndef MUSTER_MODEL_REALM_STATE_H
#define MUSTER_MODEL_REALM_STATE_H

#include "base/map.h"
#include "model/fill.h"
#include "model/penalty.h"
#include "model/pick.h"
#include "model/realm.h"
#include "model/refusal.h"
#include "model/sweep.h"
#include "model/ticket_home.h"

struct realm {
    int64_t keep_ms;
    int64_t owned_from_ms; /* when this owner began: his clock may be far ahead of the last one's,
                            * and for that nothing that has ended is forgotten, nor does a ticket
                            * count as silent before he could hear it */
    bool replaying;        /* pools, expiries and turns are still to be built */
    struct map tickets;    /* by id: all that are known, open and ended */
    struct map players;    /* by player id -> his open ticket */
    struct map requests;   /* by request key -> the ticket it made, while that is known */
    struct map matches;    /* by id */
    struct map penalties;  /* by player id and queue */
    struct map holders;    /* by player id -> the live match that holds him */
    struct map backfills;  /* by id */
    struct map backfilled; /* by match id -> its active backfill */
    struct map backfill_requests; /* by request key -> the backfill it made, while that is known */
    struct queue **queues;        /* by name */
    uint32_t queue_count, queue_capacity;
    struct heap expiries;      /* ticket.expiry: QUEUED tickets, due in ms */
    struct heap turns;         /* pool.turn: queues whose search has something to do, due in ms */
    struct heap pulses;        /* ticket.pulse: QUEUED tickets that must show signs of life */
    struct heap match_ends;    /* match.due: those that end by themselves, in ms */
    struct heap match_forgets; /* match.due: all others, in ms */
    struct heap penalty_ends;  /* penalty.due */
    struct heap backfill_expiries;  /* backfill.expiry: OPEN ones that expire, in ms */
    struct list backfill_orphans;   /* backfill.kept: active, their queue's record is to come */
    struct list backfills_ended;    /* backfill.kept: in the order they ended */
    struct list backfills_recorded; /* backfill.recorded: likewise as below */
    struct map orphans;             /* tickets by id: open, but a queue's record is still to come */
    struct list held;               /* ticket_end.kept: their match may look for players yet */
    struct list ended;              /* ticket_end.kept: in the order they ended */
    struct list matches_kept;       /* match.kept: oldest first */
    struct list tickets_recorded;   /* ticket.recorded: the longest not recorded whole first */
    struct list matches_recorded;   /* match.recorded: likewise */
    struct list penalties_recorded; /* penalty.recorded: likewise */
    struct list_node *carried_match; /* match.kept of the last one inserted by age; or NULL */
    uint64_t tickets_open;
    uint64_t tickets_traced; /* known ones that came with a trace */
    uint32_t carries;        /* passes of realm_carry that began: whole records know theirs */
    uint64_t skipped;
    struct realm_counts counts;
    struct pick *pick;
    struct refusal *refusal;
    struct sweep *sweep;
    struct fill *fill;
    struct ticket_home *home; /* of all tickets */
    struct arena *scratch;    /* for tickets' specs: who uses it resets it */
};

/* Adds to the record the traces of the tickets it is about (realm_trace.c). O(tickets), or O(1)
 * while no known ticket has one. */
void realm_trace_record(const struct realm *r, struct record *record, struct arena *arena);
/* Hands the record to the sink, then makes it so. */
void realm_emit(struct realm *r, const struct decision *d, struct record *record);
/* The place of the name among the queues, or where it would be inserted. */
uint32_t realm_queue_place(const struct realm *r, struct str name, bool *found);
struct queue *realm_find_queue(const struct realm *r, struct str name);     /* or NULL */
struct ticket *realm_find_ticket(const struct realm *r, struct id id);      /* or NULL */
struct match *realm_find_match(const struct realm *r, struct id id);        /* or NULL */
struct ticket *realm_find_request(const struct realm *r, struct id key);    /* or NULL */
struct ticket *realm_find_player(const struct realm *r, struct str player); /* open; or NULL */
/* The live match that holds the player; or NULL. */
struct match *realm_find_holder(const struct realm *r, struct str player);
/* Brings the queue's place in r->turns up to date, after any change of its pool. */
void realm_set_turn(struct realm *r, struct queue *q);
/* When what ended (or was made) then may be forgotten. */
int64_t realm_kept_until_ms(const struct realm *r, int64_t since_ms);
/* Forget an ended ticket, a match, a penalty: nothing refers to them any more. */
void realm_forget_ticket(struct realm *r, struct ticket *t);
void realm_forget_match(struct realm *r, struct match *m);
void realm_forget_penalty(struct realm *r, struct penalty *p);
void realm_forget_backfill(struct realm *r, struct backfill *b);
void realm_free_queue(struct realm *r, struct queue *q);

struct backfill *realm_find_backfill(const struct realm *r, struct id id); /* or NULL */
/* The active one of the match; or NULL. */
struct backfill *realm_find_backfill_of(const struct realm *r, struct id match_id);
struct backfill *realm_find_backfill_request(const struct realm *r, struct id key); /* or NULL */
/* The team's place in ruleset_limits.teams; RULESET_NONE: there is none of that name. */
uint32_t realm_team_index(const struct ruleset *rules, struct str name);

/* ---- deciding ---- */

/* A zeroed record of the decision's arena and time. */
struct record *realm_new_record(const struct decision *d, enum record_kind kind);
/* What becomes of the ticket, with copies of its names in the decision's arena. */
struct ticket_fate realm_fate(const struct decision *d, const struct ticket *t,
                              enum ticket_state state, struct str reason);

/* The shortest heartbeat that a queue of the ticket asks for; 0: none does. */
int64_t realm_heartbeat_ms(const struct realm *r, const struct ticket_spec *spec);

/* Commands (realm_proposal.c); errors as in realm.h. */
enum err realm_accept_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_decline_match(struct realm *r, const struct command *c, const struct decision *d,
                             struct outcome *out, struct err_text *why) ERR_CHECKED;
/* Ends the proposal of a PROPOSED ticket that is cancelled: its players count as declining. */
void realm_cancel_proposed(struct realm *r, const struct decision *d, const struct ticket *t,
                           struct str reason);
/* Ends a proposal for which nobody is at fault: tickets return, or with `cancel_tickets` are
 * cancelled with the reason. */
void realm_withdraw_proposal(struct realm *r, const struct decision *d, const struct match *m,
                             struct str reason, bool cancel_tickets);
/* Ends a proposal that was not accepted in time. */
void realm_time_out_proposal(struct realm *r, const struct decision *d, const struct match *m);

/* The match's content as a copy in the decision's arena, whose members' answers may be written. */
struct match_spec realm_copy_match(const struct match *m, const struct decision *d);

/* Records the end of a QUEUED ticket. */
void realm_emit_end(struct realm *r, const struct decision *d, const struct ticket *t,
                    enum ticket_state state, struct str reason);
/* Commands (realm_queue.c). */
enum err realm_put_queue(struct realm *r, struct command *c, const struct decision *d,
                         struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_delete_queue(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) ERR_CHECKED;
/* Commands (realm_live.c). */
enum err realm_assign_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_complete_match(struct realm *r, const struct command *c, const struct decision *d,
                              struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_cancel_match(struct realm *r, const struct command *c, const struct decision *d,
                            struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_get_match(const struct realm *r, struct id id, const struct match **out,
                         struct err_text *why) ERR_CHECKED; /* NOT_FOUND */
/* FAILED_PRECONDITION: the match is in its state, but only ... */
enum err realm_refuse_match(const struct match *m, const char *needed,
                            struct err_text *why) ERR_CHECKED;
/* Records that the match, of which `s` is a copy, was cancelled: fills what says so. */
void realm_emit_cancelled(struct realm *r, const struct decision *d, struct match_spec *s,
                          struct str reason);
/* Commands (realm_roster.c). */
enum err realm_leave_match(struct realm *r, const struct command *c, const struct decision *d,
                           struct outcome *out, struct err_text *why) ERR_CHECKED;
/* Brings what a copy says beside its teams in line with them: tickets that nobody is in any more
 * go, and who has joined has not left. */
void realm_note_roster(struct match_spec *s, const struct str *joined, uint32_t count,
                       struct arena *arena);
/* Players have left: the latest are remembered. */
void realm_note_left(struct match_spec *s, const struct str *gone, uint32_t count,
                     struct arena *arena);

/* Who is present (realm_present.c). */
struct realm_seat {
    struct str region, role; /* empty: none */
};
struct realm_parties {
    struct backfill_party *at; /* the arena's */
    uint32_t count;
    struct arena *arena;
};
/* The player as the rules see him once he plays: borrows from him, the ruleset and the arena. */
struct player realm_present_player(const struct ruleset *rules, const struct player *p,
                                   const struct realm_seat *seat, struct arena *arena);
/* The match's players as their tickets brought them; false: one is not kept any more. */
bool realm_present_parties(const struct realm *r, const struct queue *q, const struct match_spec *m,
                           struct realm_parties *out);
/* Those of the backfill who are in the match still. */
void realm_parties_without(const struct backfill_spec *b, const struct match_spec *m,
                           struct realm_parties *out);
/* How many places are open, and of each team (LIMIT_TEAMS of room). */
uint32_t realm_room(const struct queue *q, const struct backfill_spec *b, int64_t now_ms,
                    uint32_t *of_team);
size_t realm_player_bytes(const struct player *p); /* what a record needs for him, about */
size_t realm_parties_bytes(const struct backfill_party *parties, uint32_t count);

/* Commands (realm_recruit.c). */
enum err realm_create_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_update_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) ERR_CHECKED;
enum err realm_cancel_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) ERR_CHECKED;
/* Cancels the match's active backfill, if it has one; newcomers who are asked wait on. */
void realm_end_backfill(struct realm *r, const struct decision *d, struct id match_id,
                        struct str reason);
void realm_expire_backfill(struct realm *r, const struct decision *d, const struct backfill *b);
/* Newcomers who are asked wait on, for who is in the match is about to change. */
void realm_hold_off_newcomers(struct realm *r, const struct decision *d, struct id match_id);
/* The match, which is made now, looks for players where its queue says so and a place is open. */
void realm_begin_backfill(struct realm *r, const struct decision *d, const struct match_spec *s);
/* The backfill of a match that players have left, which is `s` now; or that begins by itself. */
void realm_renew_backfill(struct realm *r, const struct decision *d, const struct match_spec *s,
                          struct backfill_spec *out);

/* Turns (realm_fill.c). */
struct realm_turn {
    struct queue *queue;
    const struct decision *decision;
    uint64_t *budget;
};
enum realm_fill_when { FILL_BEFORE, FILL_AFTER }; /* the ticket's search for a new match */
/* Whether the entry, which was taken from the pool, joined a running match or is asked to. */
bool realm_fill_with(struct realm *r, struct realm_turn *turn, struct pool_entry *x,
                     enum realm_fill_when when);
/* Searches for the backfills that are due. */
void realm_fill_due(struct realm *r, struct realm_turn *turn);
void realm_spend(uint64_t *budget, uint64_t nodes);
/* All newcomers of the proposal have accepted: a copy of it with their answers. */
void realm_join_accepted(struct realm *r, const struct decision *d,
                         const struct match_spec *proposal);

/* Ends a match whose until_ms has come. */
void realm_end_match_in_time(struct realm *r, const struct decision *d, const struct match *m);
/* When a match that is made now, or at its creation, ends by itself: fills until_ms, result_due_ms
 * and holds_players. */
void realm_time_match(struct match_spec *s, const struct queue *q, int64_t now_ms);

/* Records that the player let a proposal of the queue fail, where the queue penalizes that. */
void realm_penalize(struct realm *r, const struct decision *d, struct str player_id,
                    const struct queue *q);
/* FAILED_PRECONDITION when a player of the ticket may not join the queue yet. */
enum err realm_check_penalties(const struct realm *r, const struct ticket_spec *spec,
                               const struct queue *q, int64_t now_ms,
                               struct err_text *why) ERR_CHECKED;
struct penalty *realm_find_penalty(const struct realm *r, struct str player_id,
                                   struct str queue); /* or NULL */

/* ---- applying ---- */

void realm_apply_ticket_created(struct realm *r, const struct record *record);
void realm_apply_ticket_updated(struct realm *r, const struct record *record);
void realm_apply_ticket_ended(struct realm *r, const struct record *record);
void realm_apply_match_created(struct realm *r, const struct record *record);
void realm_apply_match_accepted(struct realm *r, const struct record *record);
void realm_apply_match_updated(struct realm *r, const struct record *record);
void realm_apply_roster_changed(struct realm *r, const struct record *record);
void realm_apply_player_penalized(struct realm *r, const struct record *record);

/* The backfill becomes so (realm_backfill.c). */
void realm_put_backfill(struct realm *r, const struct backfill_spec *s, int64_t time_ms,
                        bool carried);
/* OPEN -> PROPOSED, and back. */
void realm_ask_backfill(struct realm *r, struct id id, struct id proposal_id);
void realm_reopen_backfill(struct realm *r, struct id id);
/* The timers of an OPEN one. */
void realm_start_backfill(struct realm *r, struct backfill *b);
/* A queue is known now that backfills have waited for; it has new rules. */
void realm_adopt_backfills(struct realm *r);
void realm_refit_backfills(struct realm *r, struct queue *q);

/* A ticket's moves. propose: QUEUED -> PROPOSED. return: PROPOSED -> QUEUED, searched at once. */
void realm_propose_ticket(struct realm *r, struct ticket *t, struct id match_id);
void realm_return_ticket(struct realm *r, struct ticket *t, int64_t time_ms);
/* CANCELLED or EXPIRED, counted. */
void realm_end_ticket(struct realm *r, struct ticket *t, const struct ticket_fate *fate,
                      int64_t time_ms);
struct realm_ending {
    enum ticket_state state;
    int64_t time_ms;
    const struct queue *matched_in; /* MATCHED: the queue of the match; its other queues lose it */
};
void realm_close_ticket(struct realm *r, struct ticket *t, const struct realm_ending *e);
/* Those of a QUEUED ticket. */
void realm_start_timers(struct realm *r, struct ticket *t);
/* A queue is known now that open tickets have waited for. */
void realm_adopt_orphans(struct realm *r);
/* The first of realm.ended or realm.held; NULL: none. */
struct ticket *realm_first_ended(const struct list *l);
/* Whether the ended ticket's match lives in a queue whose matches look for players by themselves.
 */
bool realm_may_be_needed(const struct realm *r, const struct ticket *t);
void realm_hold_ticket(struct realm *r, struct ticket *t); /* it is kept longer */
/* The match is over, or some of its tickets are not its any more: kept as others from now on. */
void realm_release_tickets(struct realm *r, const struct match_spec *m);
/* Whether the match ends by itself. */
bool realm_match_is_timed(const struct match *m);

#endif
