/* realm_state.h - the fields of a realm and what its files share; for src/model/realm*.c only. */
#ifndef MUSTER_MODEL_REALM_STATE_H
#define MUSTER_MODEL_REALM_STATE_H

#include "base/map.h"
#include "model/pick.h"
#include "model/realm.h"

struct realm {
    int64_t keep_ms;
    int64_t kept_from_ms;  /* when this owner began: his clock may be far ahead of the last one's,
                            * and  what has ended must not be forgotten for that */
    bool replaying;        /* pools, expiries and turns are still to be built */
    struct map tickets;    /* by id: all that are known, open and ended */
    struct map players;    /* by player id -> his open ticket */
    struct map requests;   /* by request key -> the ticket it made, while that is known */
    struct map matches;    /* by id */
    struct queue **queues; /* by name */
    uint32_t queue_count, queue_capacity;
    struct heap expiries;     /* ticket.expiry: open tickets, due in ms */
    struct heap turns;        /* pool.turn: queues whose search has something to do, due in ms */
    struct list ended;        /* ticket.kept: in the order they ended */
    struct list orphans;      /* ticket.kept: open, but their queue's record is still to come */
    struct list matches_kept; /* match.kept: oldest first */
    struct list tickets_recorded;    /* ticket.recorded: the longest not recorded whole first */
    struct list matches_recorded;    /* match.recorded: likewise */
    struct list_node *carried_match; /* match.kept of the last one inserted by age; or NULL */
    uint64_t tickets_open;
    uint64_t recorded_serial; /* counts whole records */
    uint64_t skipped;
    struct realm_counts counts;
    struct pick *pick;
};

/* Hands the record to the sink, then makes it so. */
void realm_emit(struct realm *r, const struct decision *d, struct record *record);
/* The place of the name among the queues, or where it would be inserted. */
uint32_t realm_queue_place(const struct realm *r, struct str name, bool *found);
struct queue *realm_find_queue(const struct realm *r, struct str name);     /* or NULL */
struct ticket *realm_find_ticket(const struct realm *r, struct id id);      /* or NULL */
struct match *realm_find_match(const struct realm *r, struct id id);        /* or NULL */
struct ticket *realm_find_request(const struct realm *r, struct id key);    /* or NULL */
struct ticket *realm_find_player(const struct realm *r, struct str player); /* open; or NULL */
/* Brings the queue's place in r->turns up to date, after any change of its pool. */
void realm_set_turn(struct realm *r, struct queue *q);
/* When what ended (or was made) then may be forgotten. */
int64_t realm_kept_until_ms(const struct realm *r, int64_t since_ms);
/* Forget an ended ticket, a match: nothing refers to them any more. */
void realm_forget_ticket(struct realm *r, struct ticket *t);
void realm_forget_match(struct realm *r, struct match *m);
void realm_free_queue(struct realm *r, struct queue *q);

#endif
