/* pool.h - the waiting tickets of one queue, and when each is to be searched for next.
 *
 *   pool_add --> DIRTY --pool_take--> (searched) --pool_sleep--> ASLEEP --pool_wake--> DIRTY
 *                                         |                         |
 *                                         +------ pool_remove ------+
 *
 * Tickets are split by ruleset_partition, then ordered by (key, age, id). Work is event-driven: an
 * entry is DIRTY when something about it changed (it arrived, reached an expansion step, came back,
 * the ruleset was replaced, or a search that could not look at everything retries), and only dirty
 * entries are searched, oldest first. All costs O(log n). Thread safety: none.
 */
#ifndef MUSTER_MODEL_POOL_H
#define MUSTER_MODEL_POOL_H

#include "base/map.h"
#include "model/key_index.h"
#include "model/ruleset.h"

struct pool_part { /* the tickets of one partition */
    uint64_t hash;
    struct key_index index;
    uint64_t players;
};

struct pool_region {
    uint32_t bit;     /* this pool's number of the region, 0..63 */
    int32_t worst_ms; /* of the ticket's players */
};

struct pool_entry {
    struct ticket *ticket;
    uint32_t place; /* which of the ticket's queues this is: index into ticket.places */
    struct pool_part *part;
    struct id id;
    double key;
    double key_sum; /* of the players' keys */
    int64_t created_ms;
    uint32_t players;
    uint32_t retries; /* searches in a row that could not look at everything */
    uint32_t skip;    /* nearest neighbours that the next one passes over */
    bool dirty;
    struct heap_node when; /* pool.dirty by age, or pool.asleep by due ms */
    struct heap_node age;  /* pool.ages */
    uint32_t region_count;
    struct pool_region regions[]; /* those every player has a latency to */
};

struct pool {
    const struct ruleset *ruleset; /* borrowed */
    struct map parts;
    struct heap dirty, asleep, ages;
    int64_t search_from_ms; /* the queue's next tick */
    uint64_t players;
    struct str regions[64]; /* owned copies of the names, in order of appearance */
    uint32_t region_count;
    struct queue *queue;   /* set by the realm */
    struct heap_node turn; /* realm.turns, due in ms */
};

struct pool *pool_new(const struct ruleset *r);
void pool_free(struct pool *p); /* NULL is fine; frees the entries, not their tickets */

/* The ticket's entry, dirty; also in t->places[place]. The ticket was admitted by the ruleset. */
struct pool_entry *pool_add(struct pool *p, struct ticket *t, uint32_t place);
void pool_remove(struct pool *p, struct pool_entry *e); /* frees it, clears the ticket's place */
/* Many at once into an empty pool: pool_fill for each, as pool_add but not yet in order, then
 * pool_filled before anything else is done with the pool. */
void pool_fill(struct pool *p, struct ticket *t, uint32_t place);
void pool_filled(struct pool *p);

void pool_wake(struct pool *p, int64_t now_ms); /* whose time has come becomes dirty */
struct pool_entry *pool_take(struct pool *p);   /* the oldest dirty one; NULL when none */
void pool_sleep(struct pool *p, struct pool_entry *e, int64_t due_ms); /* INT64_MAX: no timer */

/* When a search has something to do: INT64_MAX when nothing is dirty nor timed. */
int64_t pool_due_ms(const struct pool *p);
uint64_t pool_count(const struct pool *p);
struct pool_entry *pool_oldest(const struct pool *p); /* NULL when empty */
/* The i-th entry, i < pool_count, in an order that changes with every add and remove. */
struct pool_entry *pool_nth(const struct pool *p, uint64_t i);

/* The regions that every player of the ticket reaches within `latency_ms_max`, one bit each. All
 * bits with no bound. Two names share bit 63 when there are more than 64: then a common bit is
 * necessary, not sufficient. */
uint64_t pool_regions_within(const struct pool_entry *e, int32_t latency_ms_max);

/* Older first: by creation, then by id. */
bool pool_is_older(const struct pool_entry *a, const struct pool_entry *b);

#endif
