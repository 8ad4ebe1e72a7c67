/* history.h - what was asked, answered, journaled and received in one run: all the oracle knows.
 *
 * Times are the world's, in microseconds. Memory: owned; history_end frees. Thread safety: one
 * thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_HISTORY_H
#define MUSTER_TESTS_SIMULATION_HISTORY_H

#include "base/err.h"
#include "base/id.h"
#include "wire/event_codec.h"

enum op_kind {
    OP_CREATE,
    OP_CANCEL,
    OP_GET,
    OP_WATCH,
    OP_ACCEPT,
    OP_DECLINE,
    OP_LOOK,     /* CreateBackfill */
    OP_SAY,      /* UpdateBackfill */
    OP_STOP_LOOK /* CancelBackfill */
};

enum { OP_PLAYERS_MAX = 2 };

struct op { /* one call, over all its tries */
    enum op_kind kind;
    int64_t begin_us, end_us; /* end 0: no answer yet */
    enum err code;
    struct id ticket_id; /* asked for, or created */
    struct id match_id;  /* that was accepted or declined, or looks for players */
    struct id backfill_id;
    int state;       /* muster.v1.TicketState of the answer */
    uint32_t roster; /* OP_SAY: who is in the match, a bit for each player */
    char request_id[32];
    int players[OP_PLAYERS_MAX]; /* numbers; -1: none */
};

struct entry { /* of the journal, in the order Redis took them */
    struct position at;
    struct str bytes, owner; /* owned */
    int64_t time_us;
    int64_t lost_us; /* when a rollback took it away; 0: it is there */
};

struct heard { /* by a subscriber */
    int watcher;
    bool resync; /* nothing else is set then */
    struct position at;
    uint32_t index;
    struct str id; /* owned: of the ticket or match */
    int64_t time_us;
};

struct history {
    struct op *ops;
    size_t op_count, op_capacity;
    struct entry *entries;
    size_t entry_count, entry_capacity;
    struct heard *heard;
    size_t heard_count, heard_capacity;
    int64_t *jumps_us; /* when Redis' clock went forward */
    size_t jump_count, jump_capacity;
};

void history_begin(void);
void history_end(void);
struct history *history(void);
size_t history_op(const struct op *op); /* its place */
void history_entry(struct position at, const struct str *fields, size_t count);
/* A rollback: entries younger than that are gone. */
void history_lose(int64_t after_us);
void history_jump(void);
void history_heard(const struct heard *h);

#endif
