/* queue.h - a named, versioned ruleset plus its settings, and the tickets that wait in it.
 *
 * Only the realm makes, changes and frees queues. Thread safety: none.
 */
#ifndef MUSTER_MODEL_QUEUE_H
#define MUSTER_MODEL_QUEUE_H

#include "base/limits.h"
#include "model/queue_history.h"
#include "model/ruleset.h"

struct eta;  /* eta.h */
struct pool; /* pool.h */

/* When a legal match is good enough (worth.h), and what it is measured by (quality.h).
 * Off: the first legal match is taken. */
struct patience {
    bool is_on, is_derived; /* derived: from the arrivals */
    double points_per_s;    /* 0..10000, of quality for a second of waiting; unless derived */
    int64_t deadline_ms;    /* 1000..43200000: who has waited as long takes any legal match */
    struct str uncertainty; /* owned; attribute: the deviation of a player's key; empty: none */
    double scale; /* units of the key that are 100 points; 0: the spread allowed at first */
};

/* Players who let proposals fail may not join for a while: longer each time, less as time passes.
 */
struct dodge_penalty {
    int64_t steps_ms[LIMIT_DODGE_STEPS]; /* by offence, the last for all further ones; ascending */
    uint32_t step_count;                 /* 0: nobody is penalized */
    int64_t decay_ms;                    /* one offence is forgiven each time it passes */
};

/* The life of tickets and matches, beside the rules. 0: there is no such limit. */
struct queue_life {
    int64_t acceptance_ms; /* 1000..600000: a match waits so long for each player's yes */
    struct dodge_penalty dodge;
    int64_t heartbeat_ms; /* 5000..3600000: a waiting ticket expires without a sign of life */
    int64_t assign_ms; /* 1000..86400000: without a server a match is cancelled, its tickets wait */
    int64_t match_ms;  /* 1000..604800000: without a result a match is cancelled; 0: it is kept no
                          longer than one that is over */
    bool holds_players; /* a match's players join nothing before it is over; needs match_ms */
    bool backfills;     /* a match with open places looks for players by itself; needs match_ms */
};

/* A parsed queue definition. Owns all it points to. */
struct queue_def {
    struct str name; /* 1..LIMIT_NAME_BYTES */
    struct str json; /* the definition as it was put */
    bool allow_shrinking;
    struct ruleset *ruleset;
    int64_t ticket_timeout_ms; /* 1000..43200000: a ticket expires after it; default 600000 */
    int64_t tick_ms;           /* 1..60000: the least time between two searches; default 50 */
    struct patience patience;
    struct queue_life life;
};

void queue_def_free(struct queue_def *d); /* NULL is fine */

#define QUEUE_RULES (LIMIT_RULES + 2) /* those of a document, avoid lists and roles */

/* What searches met, since this version was put or this state was built. */
struct queue_search_stats {
    uint64_t refused[QUEUE_RULES];                 /* refusals looked into, by rule */
    uint64_t refused_few, refused_patience;        /* refusal.h */
    uint64_t expanded[RULESET_EXPANSIONS_COUNTED]; /* matches made after it had begun to widen */
};

#define QUEUE_WAIT_BUCKETS 92 /* up to 16 hours: the longest ticket_timeout_ms is in it */

struct queue_stats { /* since this state was built; players weighted equally in waits */
    uint64_t created, matched, cancelled, expired, matches;
    uint64_t proposals, proposals_failed; /* failed: declined, timed out or withdrawn */
    uint64_t proposals_accepted, proposals_declined, proposals_timed_out;
    uint64_t backfills, backfills_filled, backfills_cancelled, backfills_expired;
    uint64_t players_backfilled;        /* who joined running matches */
    double quality_sum;                 /* of `matches` values of 0..100 */
    uint64_t waits[QUEUE_WAIT_BUCKETS]; /* players by wait, bucket = queue_wait_bucket */
    uint64_t estimated;                 /* of `matched`: those told a wait when they joined */
    uint64_t kept;                      /* of them: matched within their p90 */
    struct queue_search_stats search;
};

struct queue {
    struct queue_def *def;      /* owned */
    uint32_t version;           /* 1, then one more with each change */
    int64_t updated_ms;         /* wall clock of the leader */
    struct str author, comment; /* owned: of this version, as queue_version's */
    struct queue_history history;
    struct pool *pool; /* owned */
    struct eta *eta;   /* owned: what its waits have taught */
    struct queue_stats stats;
    uint64_t tickets_queued, players_queued; /* that wait in it */
    uint64_t tickets_open;                   /* with those that are proposed a match */
    int64_t ask_from_ms;                     /* when refusals are looked into again */
    uint32_t asked;                          /* refusals since then */
    struct list backfills;                   /* backfill.kept: the active ones, oldest first */
    struct list_node *backfill_next;         /* of them: where tickets go on to look; or NULL */
    struct heap backfill_dues;               /* backfill.due: open ones, searched for then, in ms */
};

struct queue_version queue_version_now(const struct queue *q); /* borrowed from it */
/* The present one or one that is kept; false: neither. */
bool queue_version_find(const struct queue *q, uint32_t number, struct queue_version *out);

/* 4 buckets per octave of milliseconds from 8 ms on: about 19 % resolution. Longer waits than the
 * last bucket's are in it. */
unsigned queue_wait_bucket(int64_t wait_ms);
int64_t queue_wait_bucket_ms(unsigned bucket); /* its upper edge */
/* The wait that `fraction` (0..1) of the matched players did not exceed; 0 with no match yet. */
int64_t queue_wait_quantile_ms(const struct queue_stats *s, double fraction);

#endif
