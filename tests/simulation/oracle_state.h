/* oracle_state.h - what the oracle knows while it walks the journal: shared by its rooms.
 *
 * oracle.c tickets, positions, answers and events; oracle_proposal.c matches that ask (I17);
 * oracle_roster.c matches that players leave and join (I20).
 * Memory: the arena's. Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_ORACLE_STATE_H
#define MUSTER_TESTS_SIMULATION_ORACLE_STATE_H

#include "base/map.h"
#include "model/record.h"
#include "simulation/history.h"
#include "simulation/load.h"
#include "simulation/oracle.h"

enum { TICKET_PLAYERS_MAX = 4 };

struct known { /* a ticket as the journal tells it */
    struct id id;
    enum ticket_state state;
    int players[TICKET_PLAYERS_MAX];
    uint32_t player_count;
    int64_t created_ms; /* as the journal says it */
    struct id match_id; /* while PROPOSED */
    struct id request_key;
    int64_t created_us, ended_us; /* when Redis took the entry */
};

struct proposal { /* a match that asks, as the journal tells it */
    struct id id;
    enum match_state state;
    int64_t until_ms;
    enum match_answer answer_of[LOAD_PLAYERS];
    int64_t accepted_us[LOAD_PLAYERS]; /* when Redis took it; 0: he has not */
    int64_t ended_us;                  /* confirmed, cancelled or merged */
    struct id joins_id, backfill_id;   /* of newcomers to a running match; else none */
};

struct running { /* a match of a queue whose matches play on */
    struct id id;
    bool is_over;
    bool is_in[LOAD_PLAYERS];
    uint32_t player_count;
    struct id backfill_id; /* the active one; none: it does not look for players */
};

struct roster { /* who is in a match, as a backfill's record says */
    struct roster *before;
    int64_t taken_us; /* when Redis took it */
    uint32_t players; /* a bit each */
};

struct looking { /* a backfill */
    struct id id, match_id;
    enum backfill_state state;
    struct id proposal_id; /* that asks newcomers; none: nobody is asked */
    int64_t begun_us, ended_us;
    struct roster *last;
};

struct barred {              /* a player, from LOAD_DODGE_QUEUE */
    uint32_t offences, owed; /* owed: he let a proposal fail, and no record says so yet */
    int64_t until_ms, forget_ms;
    int64_t first_us; /* when Redis took the first penalty; 0: none */
};

struct oracle {
    unsigned violations;
    struct arena *arena;
    struct map tickets;   /* struct known by id */
    struct map proposals; /* struct proposal by id */
    struct map running;   /* struct running by id */
    struct map looking;   /* struct looking by id */
    const struct running *playing[LOAD_PLAYERS];
    const struct known *open_of[LOAD_PLAYERS];
    struct barred barred[LOAD_PLAYERS];
    struct event *events;
    size_t event_count, event_capacity;
    const struct entry *entry; /* being walked */
    uint32_t index;
    uint64_t epoch, seq;
    struct str owner;
    struct realm *realm; /* I18 */
    struct oracle_counts *counts;
};

__attribute__((format(printf, 3, 4))) void oracle_violation(struct oracle *o, const char *name,
                                                            const char *format, ...);
struct known *oracle_ticket(const struct oracle *o, struct id id); /* or NULL */
const char *oracle_text(struct id id);                             /* valid for four more calls */
int oracle_player(struct str name);                                /* "p7" -> 7 */
void oracle_end_ticket(struct oracle *o, struct id id, enum ticket_state to);
/* A rollback took away what was acknowledged after that; it is announced, not kept (I16). */
bool oracle_lost_since(int64_t begin_us);
/* A lease that Redis' clock ended early lets its owner answer for one lease more. */
bool oracle_may_be_old(const struct op *op);

/* ---- oracle_roster.c ---- */

void oracle_walk_begun(struct oracle *o, const struct match_spec *m); /* made, not proposed */
/* MATCH_UPDATED; false: it does not run, so it asks. */
bool oracle_walk_over(struct oracle *o, const struct match_spec *m);
void oracle_walk_roster(struct oracle *o, const struct record *r);
void oracle_walk_backfill(struct oracle *o, const struct record *r);
/* Newcomers are asked; and it has failed. */
void oracle_walk_asked(struct oracle *o, const struct match_spec *proposal);
void oracle_walk_declined(struct oracle *o, const struct match_spec *proposal);
void oracle_check_look(struct oracle *o,
                       const struct op *op); /* of OP_LOOK, OP_SAY, OP_STOP_LOOK */

/* ---- oracle_proposal.c ---- */

void oracle_walk_proposed(struct oracle *o, const struct match_spec *m);
void oracle_walk_accepted(struct oracle *o, const struct record *r);
void oracle_walk_settled(struct oracle *o, const struct record *r); /* MATCH_UPDATED */
/* All newcomers have accepted: their tickets' matching is the roster's. */
void oracle_walk_merged(struct oracle *o, const struct record *r); /* ROSTER_CHANGED */
void oracle_walk_penalty(struct oracle *o, const struct record *r);
void oracle_check_carried_match(struct oracle *o, const struct match_spec *m);
/* A ticket of these players is created. */
void oracle_check_barred(struct oracle *o, const struct record *created);
void oracle_check_entry(struct oracle *o);                            /* after each entry */
void oracle_check_answer(struct oracle *o, const struct op *op);      /* accept, decline */
void oracle_check_refused(struct oracle *o, const struct op *create); /* FAILED_PRECONDITION */
void oracle_check_settled(struct oracle *o);                          /* in the end */

#endif
