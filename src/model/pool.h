/* pool.h - the waiting tickets of one queue, and when each is to be searched for next.
 *
 *   pool_add --> DIRTY --pool_take--> (searched) --pool_sleep--> ASLEEP --pool_wake--> DIRTY
 *                                         |                         |
 *                                         +------ pool_remove ------+
 *
 * Tickets are split by ruleset_partition, then stand in bins by key. Work is event-driven: an
 * entry is DIRTY when something about it changed (it arrived, reached an expansion step, came back,
 * the ruleset was replaced, or a search that could not look at everything retries), and only dirty
 * entries are searched, oldest first.
 *
 *   log     | . | a | . | b | c | d |   every entry in order of arrival; a removed one leaves a gap
 *                           ^fresh      from here on they are dirty and were never searched
 *
 * Costs: add, remove, sleep O(1) amortised; take O(1) for arrivals, O(log dirty) for those woken.
 * Memory: an entry and its slot 64 + 32 bytes, 64 + 64 where latencies or roles are asked for, and
 * 8 in the log, 24 for a timer, 1 or 2 to stand in a block of a crowd. Kept until the pool
 * is freed: it grows with the most that ever waited. Thread safety: none.
 */
#ifndef MUSTER_MODEL_POOL_H
#define MUSTER_MODEL_POOL_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timers.h"
#include "model/arrivals.h"
#include "model/bins.h"
#include "model/casting.h"
#include "model/queue.h"
#include "model/wanting.h"

/* A crowd of one kind must not hide the few of another that a match needs: each has its own bins.
 */
#define POOL_SIZES 4 /* parties of 1, 2, 3, and more */
#define POOL_CLASSES (POOL_SIZES * (CASTING_ROLES + 1))

struct pool_part { /* the tickets of one partition */
    uint64_t hash;
    struct bins classes[POOL_CLASSES]; /* by party size and role: pool_class_players, _role */
    uint32_t occupied;                 /* a bit for each class that holds any */
    uint64_t count, players;
    struct casting_crowd *crowd; /* NULL: no roles are counted */
    struct pool_past *past;
    struct wanting wanting; /* of a patient queue: pick.c */
};

/* Who has come to a partition, in a patient queue: kept while nobody waits there, for at most
 * POOL_PASTS_MAX partitions; then the one that nobody came to for the longest is forgotten. */
#define POOL_PASTS_MAX 256
struct pool_past {
    uint64_t hash;
    struct list_node use; /* pool.pasts, the latest last */
    bool has_part;
    struct arrivals arrivals;
};

struct pool_region {
    uint32_t bit;     /* this pool's number of the region, 0..63 */
    int32_t worst_ms; /* of the ticket's players */
};

enum pool_state {
    POOL_FRESH = 1, /* dirty: in the log behind pool.fresh */
    POOL_WOKEN,     /* dirty: in pool.woken */
    POOL_TAKEN,
    POOL_ASLEEP,
};

struct pool_extra {              /* of the entries of some queues */
    uint64_t marks, avoided;     /* ruleset_avoid_marks */
    struct pool_region *regions; /* those that the slot has no room for */
    uint32_t region_count;
};

struct pool_entry { /* one cache line */
    struct ticket *ticket;
    struct pool_part *part;
    struct bin_slot *slot;    /* in a block of its bin: pool_slot */
    struct pool_extra *extra; /* NULL: the pool does not avoid, and all regions are in the slot */
    double key_sum;           /* of the players' keys */
    uint32_t logged;          /* place in the log, its low 32 bits */
    uint32_t timer;           /* number of its timer; 0: none is meant */
    struct heap_node woken;   /* pool.woken by age */
    struct heap_node elder;   /* pool.elders, when it arrived after younger ones */
    uint16_t retries;         /* searches in a row that could not look at everything */
    uint16_t skip;            /* nearest neighbours that the next one passes over */
    uint8_t seat;             /* the slot's number in its block */
    uint8_t place;            /* which of the ticket's queues this is: index into ticket.places */
    uint8_t class;            /* of pool_part.classes */
    uint8_t state;            /* enum pool_state */
};

struct pool_sweep { /* how far a pass over all bins has come: sweep.h */
    bool on;
    uint64_t part;                 /* its hash: partitions go by it */
    double from;                   /* key */
    uint64_t unswept;              /* tickets that came since it began */
    uint64_t taken, refused;       /* planned groups, by the evaluator */
    uint32_t passed[POOL_CLASSES]; /* of each class, from there on: looked at, and left */
};

struct pool_log { /* a ring; places only grow */
    struct pool_entry **at;
    uint64_t head, tail, capacity; /* capacity: a power of two */
};

struct pool {
    const struct ruleset *ruleset; /* borrowed */
    struct map parts;
    struct map pasts_by_hash;
    struct list pasts; /* pool_past.use */
    struct slab entries;
    struct bin_memory blocks;
    struct pool_log log;
    uint64_t fresh, fresh_count;
    uint64_t touched; /* of the fresh, those before it are in the cache */
    struct pool_sweep sweep;
    struct heap woken, elders;
    struct timers timers;
    uint32_t timer_last;
    uint64_t asleep; /* entries with a timer */
    int64_t youngest_ms;
    int64_t search_from_ms; /* the queue's next tick */
    uint64_t count, players;
    int32_t latency_ms_loosest; /* of the ruleset at any age */
    struct patience patience;   /* its text is borrowed from the queue's definition */
    double bin_width;
    bool knows_past;         /* while it is filled: the arrivals were noted before */
    bool avoids;             /* the ruleset has avoid lists that keep tickets out of one match */
    bool has_regions;        /* it asks for latencies at some age */
    struct casting *casting; /* NULL: without roles that are counted */
    struct str regions[64];  /* owned copies of the names, in order of appearance */
    uint32_t region_count;
    struct arena *scratch; /* for tickets' specs: who uses it resets it */
    struct queue *queue;   /* set by the realm */
    struct heap_node turn; /* realm.turns, due in ms */
};

struct pool *pool_new(const struct ruleset *r);
/* Before anything is added: tickets get credit to wait for good matches. */
void pool_set_patience(struct pool *p, const struct patience *patience);
void pool_free(struct pool *p); /* NULL is fine; frees the entries, not their tickets */

/* The ticket's entry, dirty; also in t->places[place]. The ticket was admitted by the ruleset. */
struct pool_entry *pool_add(struct pool *p, struct ticket *t, uint32_t place);
void pool_remove(struct pool *p, struct pool_entry *e); /* frees it, clears the ticket's place */
/* A hint that changes nothing: the ticket is judged soon, and then removed. */
void pool_expect_removal(const struct pool *p, const struct pool_entry *e);
/* Many at once into an empty pool: pool_fill for each, in about the order of age, then pool_filled
 * before anything else is done with the pool or its tickets. */
void pool_fill(struct pool *p, struct ticket *t, uint32_t place);
/* Before that, of each ticket that came, whether it still waits or not: so the arrivals are known,
 * and those who wait, who are not like them, do not count again. */
void pool_note(struct pool *p, const struct ticket *t);
void pool_filled(struct pool *p);

void pool_wake(struct pool *p, int64_t now_ms); /* whose time has come becomes dirty */
struct pool_entry *pool_take(struct pool *p);   /* the oldest dirty one; NULL when none */
void pool_sleep(struct pool *p, struct pool_entry *e, int64_t due_ms); /* INT64_MAX: no timer */
bool pool_is_dirty(const struct pool *p); /* whether pool_take has one to give */

/* The tickets of the partition; NULL: it never had any. */
struct pool_part *pool_find_part(const struct pool *p, uint64_t hash);

/* When a search may have something to do: INT64_MAX when nothing is dirty nor timed. */
int64_t pool_due_ms(const struct pool *p);
uint64_t pool_count(const struct pool *p);
struct pool_entry *pool_oldest(const struct pool *p); /* NULL when empty */
/* All entries in order of arrival: start with *cursor = 0; NULL at the end. No change meanwhile. */
struct pool_entry *pool_next(const struct pool *p, uint64_t *cursor);

/* The first entry at `place` or behind it in order of arrival (pool_entry.logged); NULL: none
 * within `look_max` places, and `*place` is where to go on; it is the end when pool_ended() says
 * so. */
struct pool_entry *pool_from(const struct pool *p, uint64_t *place, uint64_t look_max);
bool pool_ended(const struct pool *p, uint64_t place);

/* 1 + how many entries are older. A look at 8 bytes for each, so 0.1 ms with 100,000. */
uint64_t pool_position(const struct pool *p, const struct pool_entry *e);

/* What a search sees of the entry. Valid until the pool's next change. */
static inline const struct bin_slot *pool_slot(const struct pool_entry *e) {
    return e->slot;
}

/* Whether its slots have travels. */
static inline bool pool_has_travels(const struct pool *p) {
    return p->has_regions || p->casting;
}

static inline int64_t pool_created_ms(const struct pool_entry *e) {
    return pool_slot(e)->created_ms;
}

/* Of a pool that has travels. */
static inline uint32_t pool_roles(const struct bin_slot *s) {
    return bin_travel(s)->roles;
}

/* The fewest players of a ticket in the class. */
static inline uint32_t pool_class_players(uint32_t class) {
    return class % POOL_SIZES + 1;
}

/* The regions that every player of the ticket reaches within `latency_ms_max`, and within what the
 * rules allow at some age, one bit each. All bits with no bound. Two names share bit 63 when there
 * are more than 64: then a common bit is necessary, not sufficient. */
uint64_t pool_regions_within(const struct pool *p, const struct bin_slot *s,
                             int32_t latency_ms_max);

/* The worst latency of the ticket's players to the pool's region, 0: somebody has none. O(1) for
 * the first SLOT_REGIONS regions, else O(regions of the ticket). */
int32_t pool_latency_beyond_ms(const struct bin_slot *s, uint32_t region); /* of the others */
static inline int32_t pool_latency_ms(const struct bin_slot *s, uint32_t region) {
    return region < SLOT_REGIONS ? bin_travel(s)->latency_ms[region]
                                 : pool_latency_beyond_ms(s, region);
}

/* Older first: by creation, then by id. */
bool pool_is_older(const struct bin_slot *a, const struct bin_slot *b);

#endif
