/* ticket.h - a ticket: 1..N players who want a match together, and its one state machine.
 *
 *            +--> CANCELLED
 *   QUEUED --+--> EXPIRED
 *     |  ^   |
 *     v  |   +--> MATCHED
 *   PROPOSED --(same three)
 *
 * A ticket_spec is what was asked for, in borrowed memory. A ticket is one block that holds it
 * packed. Only the realm makes, moves and frees tickets. Thread safety: none.
 */
#ifndef MUSTER_MODEL_TICKET_H
#define MUSTER_MODEL_TICKET_H

#include "base/heap.h"
#include "base/id.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/traceparent.h"

enum attribute_kind { ATTRIBUTE_NUMBER, ATTRIBUTE_TEXT, ATTRIBUTE_LIST, ATTRIBUTE_MAP };

struct attribute {
    struct str name; /* 1..LIMIT_NAME_BYTES */
    enum attribute_kind kind;
    uint32_t item_count; /* 0 but of LIST and MAP */
    union {
        double number;   /* NUMBER: finite */
        struct str text; /* TEXT */
        struct {
            const struct str *items; /* LIST: values, MAP: keys */
            const double *numbers;   /* MAP: values beside items; else NULL */
        };
    };
};

struct latency {
    struct str region;
    int32_t ms; /* 1..LIMIT_LATENCY_MS */
};

struct player {
    struct str id;                      /* a valid name */
    const struct attribute *attributes; /* sorted by name, names unique */
    const struct latency *latencies;    /* sorted by region, regions unique */
    uint32_t attribute_count;
    uint32_t latency_count;
};

struct ticket_spec {
    const struct str *queues;     /* valid names, unique; matched in whichever comes first */
    const struct player *players; /* ids unique */
    uint32_t queue_count;         /* 1..LIMIT_TICKET_QUEUES */
    uint32_t player_count;        /* 1..LIMIT_TICKET_PLAYERS */
};

enum ticket_state {
    TICKET_QUEUED = 1, /* the numbers are those of muster.v1.TicketState */
    TICKET_PROPOSED,
    TICKET_MATCHED,
    TICKET_CANCELLED,
    TICKET_EXPIRED,
};

/* An estimate of the time until a match: half of such tickets wait no longer than p50, nine in ten
 * no longer than p90. */
struct ticket_wait {
    int32_t p50_ms, p90_ms; /* 0: not known, or not before the ticket expires */
};

struct form;        /* packed.h */
struct ticket_home; /* ticket_home.h */
struct queue;       /* queue.h */
struct pool_entry;  /* pool.h */

struct ticket_place {         /* where an open ticket stands in one of its queues */
    struct queue *queue;      /* NULL: the queue's record is to come */
    struct pool_entry *entry; /* in the queue's pool; NULL unless QUEUED */
    uint16_t eta_kind;        /* of the waits there: eta.h */
};

struct ticket_end {        /* what is known of an ended one */
    struct list_node kept; /* realm.ended, or realm.held */
    int64_t ended_ms;
    char *reason; /* owned; NULL unless CANCELLED or EXPIRED */
};

struct ticket_request { /* that created it */
    struct id key;
    uint64_t hash; /* of its content */
};

/* Of a million that wait each byte counts: what is never there together shares its room, what is
 * rare stands behind, where it is there, and what was asked for is packed.
 *
 *   | struct ticket | places, or its end | request | trace | values |
 *        |                                                  packed.h: ids, numbers, latencies
 *        +--> form: names of queues, attributes, regions; of all tickets that say the same
 *
 * A solo ticket with one number takes about 150 bytes, and 4 regions 8 more.
 */
struct ticket {
    struct id id;
    struct list_node recorded; /* realm.tickets_recorded, by the last record that holds it whole */
    int64_t recorded_ms;
    int64_t created_ms;          /* wall clock of the leader */
    struct ticket_wait promised; /* when it was created */
    union {
        struct {              /* while it is QUEUED: */
            int64_t alive_ms; /* its last sign of life that this owner knows; not journaled */
            struct heap_node expiry; /* realm.expiries, due in ms */
            struct heap_node pulse;  /* realm.pulses, due in ms: look whether it is alive */
        };
        struct id match_id; /* later: ticket_match_id */
    };
    struct form *form;    /* a use of it is owned */
    uint32_t lasts_ms;    /* from created_ms: ticket_expires_ms */
    int32_t heartbeat_ms; /* it expires so long after its last sign of life; 0: never */
    uint32_t recorded_in; /* realm.carries then */
    enum ticket_state state : 8;
    uint32_t player_count : 8, queue_count : 4;
    uint32_t units : 5; /* of its block: ticket_home.h */
    uint32_t has_request : 1, has_trace : 1;
    uint32_t was_changed : 1;     /* its players bring other values, in a block of their own */
    uint32_t held : 1;            /* ended, and kept longer: its match may look for players */
    struct ticket_place places[]; /* of an open one, one for each of its queues */
};

/* Where it came from; borrowed. */
struct ticket_origin {
    struct ticket_request request;   /* no key: none */
    const struct traceparent *trace; /* NULL: none */
    struct ticket_home *home;        /* where it lives; NULL: by itself */
};

/* The wait of who waits for both, in queues that know nothing of each other: the shorter one. */
struct ticket_wait ticket_wait_first(struct ticket_wait a, struct ticket_wait b);

/* A QUEUED ticket that asks for what `spec` does (a copy), in no list yet; free with ticket_free.
 * `origin`: NULL is that of a ticket which came without. */
struct ticket *ticket_new(struct id id, const struct ticket_spec *spec,
                          const struct ticket_origin *origin);
/* What it asks for: arrays in the arena, texts borrowed from the ticket until it is freed or
 * changed. O(bytes of its values). */
struct ticket_spec ticket_spec(const struct ticket *t, struct arena *arena);
/* The same of each of the tickets. */
const struct ticket_spec *ticket_specs(const struct ticket *const *tickets, uint32_t count,
                                       struct arena *arena);
/* A hint that changes nothing: the ticket is judged soon. */
void ticket_expect(const struct ticket *t);
struct str ticket_queue(const struct ticket *t, uint32_t index); /* its name; the ticket's */
/* Its players' ids one by one: start with *at = NULL, call player_count times at most. */
struct str ticket_next_player(const struct ticket *t, const char **at);
bool ticket_has_player(const struct ticket *t, struct str id);
/* Replaces what the ticket's players (as many as it has, the same ids) bring: a copy. `spec` is
 * wholly that of the ticket now. */
void ticket_change(struct ticket *t, const struct ticket_spec *spec);
/* From 0 to 49 days after its creation; beyond: as long as that. */
void ticket_set_times(struct ticket *t, int64_t created_ms, int64_t expires_ms);
int64_t ticket_expires_ms(const struct ticket *t);
void ticket_free(struct ticket *t);          /* NULL is fine; must be in no list, heap or pool */
bool ticket_is_open(const struct ticket *t); /* QUEUED or PROPOSED */
bool ticket_may_move(enum ticket_state from, enum ticket_state to);
/* Asserts that it may, and that what it has as one that is QUEUED (timers) or open (places in
 * pools) was given up. Then it has what its new state has, empty. */
void ticket_move(struct ticket *t, enum ticket_state to);
struct ticket_end *ticket_end(const struct ticket *t); /* of one that has ended */
int64_t ticket_ended_ms(const struct ticket *t);       /* 0 while open */
struct str ticket_reason(const struct ticket *t);      /* empty: none */
struct id ticket_match_id(const struct ticket *t);     /* none until it was PROPOSED or MATCHED */
void ticket_set_match(struct ticket *t, struct id match_id);    /* of one that is not QUEUED */
void ticket_set_reason(struct ticket *t, struct str reason);    /* of one that has ended */
struct ticket_request ticket_request(const struct ticket *t);   /* no key: none */
const struct traceparent *ticket_trace(const struct ticket *t); /* NULL: it came without */
const char *ticket_state_name(enum ticket_state s);             /* "QUEUED"; static */

/* The player's attribute of that name, NULL when he gave none. Binary search. */
const struct attribute *player_attribute(const struct player *p, struct str name);
/* His latency to the region in ms, 0 when he gave none. Binary search. */
int32_t player_latency_ms(const struct player *p, struct str region);

#endif
