/* backfill.h - a running match that looks for players: who is in it, and since when it looks.
 *
 *               +--> FILLED       no place is open any more
 *   OPEN -------+--> CANCELLED    by request, by a newer one of its match, with its match
 *    |  ^       +--> EXPIRED
 *    v  |       |
 *   PROPOSED ---'                 newcomers are asked to accept
 *
 * Those present stand in parties, as they came: a party is one ticket to the rules, and in one
 * team. It is judged at its own age, which goes on from the one the match was made at. A
 * backfill_spec is borrowed memory; a backfill owns a deep copy. Only the realm makes, moves and
 * frees backfills. Thread safety: none.
 */
#ifndef MUSTER_MODEL_BACKFILL_H
#define MUSTER_MODEL_BACKFILL_H

#include "base/heap.h"
#include "base/id.h"
#include "base/list.h"
#include "model/ticket.h"

enum backfill_state {
    BACKFILL_OPEN = 1, /* the numbers are those of muster.v1.BackfillState */
    BACKFILL_PROPOSED,
    BACKFILL_FILLED,
    BACKFILL_CANCELLED,
    BACKFILL_EXPIRED,
};

struct backfill_party {
    struct str team;
    struct id ticket_id;          /* by which they came; none: the game named them */
    const struct player *players; /* 1..LIMIT_MATCH_PLAYERS */
    uint32_t player_count;
};

struct backfill_spec {
    struct id id, match_id;
    enum backfill_state state;
    struct str queue, region; /* region: of the match; may be empty */
    const struct backfill_party *parties;
    uint32_t party_count; /* 1..LIMIT_MATCH_PLAYERS */
    int64_t created_ms;
    int64_t expires_ms;    /* 0: it looks as long as its match lives */
    int64_t ended_ms;      /* 0 while OPEN or PROPOSED */
    int64_t waited_ms;     /* its age when it was created */
    struct id proposal_id; /* PROPOSED: the match that asks the newcomers */
    bool automatic;        /* by the queue's settings: its match has places open */
    struct str reason;     /* of CANCELLED, EXPIRED */
    struct id request_key; /* none: no idempotency */
    uint64_t request_hash;
};

struct queue; /* queue.h */

struct backfill {
    struct backfill_spec spec; /* owned */
    struct arena *arena;       /* of all that is the backfill's, itself too */
    struct ticket **tickets;   /* owned: the parties as a search takes them; spec borrows texts */
    struct queue *queue;       /* NULL: it is over, or its queue's record is to come */
    uint32_t *team_of;         /* per party: index into ruleset_limits.teams; while in a queue */
    uint32_t player_count;
    bool fits;                     /* its teams and players are in the queue's rules; if so: */
    double key, key_low, key_high; /* of the parties */
    uint64_t partition;
    uint32_t skip;           /* nearest candidates that the next search passes over */
    struct heap_node due;    /* queue.backfill_dues: OPEN, when it is searched for next, in ms */
    struct heap_node expiry; /* realm.backfill_expiries: OPEN, in ms */
    struct list_node kept;   /* queue.backfills, or realm.backfill_orphans; realm.backfills_ended */
    struct list_node recorded; /* realm.backfills_recorded, by the last record that holds it */
    int64_t recorded_ms;
    uint32_t recorded_in; /* realm.carries then */
};

/* A deep copy of `spec`, in no list yet; free with backfill_free. */
struct backfill *backfill_new(const struct backfill_spec *spec);
void backfill_free(struct backfill *b); /* NULL is fine; must be in no list or heap */

/* What party `index` asks for as a ticket of its own; borrowed. */
struct ticket_spec backfill_spec_of(const struct backfill *b, uint32_t index);

bool backfill_may_move(enum backfill_state from, enum backfill_state to);
bool backfill_is_active(const struct backfill_spec *b); /* OPEN or PROPOSED */
const char *backfill_state_name(enum backfill_state s); /* "BACKFILL_OPEN"; static */
int64_t backfill_age_ms(const struct backfill_spec *b, int64_t now_ms);
bool backfill_has_player(const struct backfill_spec *b, struct str player); /* O(players) */

#endif
