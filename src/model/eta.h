/* eta.h - how long a ticket will wait: learnt from a queue's own waits, with an interval.
 *
 *   eta_kind_of  where a ticket belongs: skill band, region and partition, party size, roles
 *   eta_arrive   it waits now             eta_leave   it waits no more, and why
 *   eta_at       the rest of its wait, given how long it has waited
 *
 * Each kind of ticket has a histogram of waits on a logarithmic scale: those that ended in a match,
 * and those that were cut short (cancelled, expired, replaced by a match elsewhere) or are still
 * open, which say only "longer than this". The product-limit estimator over both (Kaplan and Meier
 * 1958) gives the chance to wait longer than t; given an age a it is S(t) / S(a). So an estimate is
 * for whoever is still waiting, and a queue that gives up is not taken for a fast one.
 * An estimate comes from the narrowest kind that knows enough: band, region, party and roles; a
 * third of the bands with these; where there are roles, roles and party alone; the queue; else
 * nothing is known. Levels ask for ETA_KNOWN_MIN ended waits.
 * A quantile that lies beyond the ticket's end is not told: where more than one in ten expire, as
 * of a role that too many play, there is no time within which nine in ten are matched.
 *
 * Old waits fade: half in ETA_HALF_LIFE_MS, and ETA_SAMPLES_MAX new ones replace them; but time
 * alone leaves ETA_SAMPLES_MIN, so that a queue which sleeps at night does not forget.
 * Bands are tenths of the keys seen lately, the outer ones narrower, so they need no scale.
 *
 * A pure function of its calls, so of the journal's records: a realm that is rebuilt from a journal
 * knows again what that still holds; what compaction cut is learnt anew.
 * Costs: O(1) a call, about 0.15 us a ticket's life; memory: 10 kB, and at most ETA_CELLS_MAX cells
 * of 0.8 kB and one for each set of roles and party size.
 * Thread safety: none.
 */
#ifndef MUSTER_MODEL_ETA_H
#define MUSTER_MODEL_ETA_H

#include "model/ruleset.h"

#define ETA_HALF_LIFE_MS 300000
#define ETA_SAMPLES_MIN 64
#define ETA_SAMPLES_MAX 512
#define ETA_KNOWN_MIN 20 /* waits, */
#define ETA_INSTANTS_MIN                                                                       \
    10                    /* which ended at so many instants: before that a kind knows nothing \
                           */
#define ETA_CELLS_MAX 256 /* per queue: kinds beyond have no histogram of their own */
#define ETA_CASTS 8       /* sets of roles, in order of appearance; the last: all others */
#define ETA_BANDS 10
#define ETA_SEGMENTS                                                                            \
    8                 /* regions times partitions, in order of appearance; the last: all others \
                       */
#define ETA_PARTIES 4 /* 1, 2, 3 to 4, 5 and more */

struct eta;

enum eta_end { ETA_MATCHED, ETA_EXPIRED, ETA_CUT };

/* What an estimate stands on. */
enum eta_basis { ETA_UNKNOWN, ETA_QUEUE, ETA_CAST, ETA_WIDE, ETA_NARROW };

struct eta_wait {
    struct ticket_wait rest; /* 0 with a basis: as many are not matched before they must leave */
    enum eta_basis basis;
    uint32_t samples; /* ended waits it stands on, as far as they have not faded */
};

struct eta *eta_new(void);
void eta_free(struct eta *e); /* NULL is fine */

/* The ticket's kind, a small number to keep with it. The spec was admitted by `r`. */
uint16_t eta_kind_of(const struct eta *e, const struct ruleset *r, const struct ticket_spec *spec);
/* It began to wait at `created_ms`; learns of bands and regions. Returns its kind. */
uint16_t eta_arrive(struct eta *e, const struct ruleset *r, const struct ticket_spec *spec,
                    int64_t created_ms);
void eta_leave(struct eta *e, uint16_t kind, int64_t created_ms, int64_t now_ms, enum eta_end end);
/* The rules have changed: what was learnt counts little from now on. */
void eta_doubt(struct eta *e);

struct eta_ask {
    int64_t now_ms, age_ms;
    int64_t left_ms; /* the ticket expires then: later quantiles are not told */
};
struct eta_wait eta_at(struct eta *e, uint16_t kind, const struct eta_ask *ask);

/* For people: a new ticket's wait, over all tickets of a band, a segment or a party size. */
enum eta_cut { ETA_BY_QUEUE, ETA_BY_BAND, ETA_BY_SEGMENT, ETA_BY_PARTY };
struct eta_row {
    struct eta_wait wait;
    double key_low, key_high; /* ETA_BY_BAND */
    struct str region;        /* ETA_BY_SEGMENT: borrowed; empty for none, and for all others */
    uint32_t players_min, players_max; /* ETA_BY_PARTY; players_max 0: no bound */
};
/* False when there is no such row, or nothing is known of it. O(cells). */
bool eta_summary(const struct eta *e, enum eta_cut cut, uint32_t index, const struct eta_ask *ask,
                 struct eta_row *out);

#endif
