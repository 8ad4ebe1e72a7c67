/* worth.h - patience: when a legal match is good enough to be taken.
 *
 * Everything is in points of quality.h (100: the key spread that rules allow a fresh ticket).
 *
 *   credit_i(t) = D_i + g c age + R (age / T)^4          what ticket i puts up with; age >= T: all
 *   cost(G)     = mean over players of phi(|s_i - m|)    skill; m: the group's mean
 *               + K mean over players of ping_i          ms beyond the own best region
 *               + team gap + 10 per step of party size   of the best split; see worth_uneven
 *               + soft costs of the ruleset
 *   phi(d) = 2 d + d^2 / 200        ping = (ms - max(best, 40))+ + 2 (ms - 100)+
 *
 * Of a role that more players come for than have places in as many matches as the scarcest role
 * allows (bin_slot.crowded), some must wait whatever is done: their credit ceases to grow at T and
 * is never unlimited, or the crowd would buy the others poor matches.
 *
 * A group is taken when the mean credit of its players covers its cost. c is the queue's patience,
 * points per second: what a player would rather bear than wait a second longer. D_i is the distance
 * at which enough partners are expected: the smallest D with D Lambda(D) >= 2 A N c, Lambda(D) the
 * players a second that come within D of ticket i (arrivals.h) and N those of a match. So a crowded
 * middle starts strict and a lonely tail generous. An uncertain rating (deviation sigma) widens it:
 * sqrt(D^2 + sigma^2).
 * Without a given patience, c asks for matches as even as ratings are exact (10 points) where that
 * costs at most a twentieth of the deadline, and else for what a twentieth of it buys.
 * Why these: minimising mismatch + c wait at threshold D, wait N / (2 lambda D), gives
 * D = sqrt(A N c / lambda), A = 0.5, and no growth at all. But then the lonely wait long: A = 0.1
 * and g = 1 are measured (`muster sim --compare`): 7 to 11 % less cost at the same p95 wait than
 * A = 0.3 and g = 0.5, 2 to 4 % more at the same mean. K and phi are flat optima.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_MODEL_WORTH_H
#define MUSTER_MODEL_WORTH_H

#include "model/arrivals.h"
#include "model/bins.h"
#include "model/queue.h"
#include "model/split.h"

#define WORTH_RUSH 200.0    /* R, points */
#define WORTH_URGENT 1e12   /* the credit of who has waited until the deadline, if not crowded */
#define WORTH_UNLIMITED 1e9 /* a mean that only an urgent one can lift so far */

struct worth {          /* of one partition, now */
    double unit;        /* points per unit of the key */
    double per_ms;      /* g c: credit a millisecond of waiting adds */
    double deadline_ms; /* T */
    double patience;    /* c, points per second */
    int64_t now_ms;
};

struct worth worth_of(const struct patience *p, const struct ruleset *r, const struct arrivals *a,
                      int64_t now_ms);

struct worth_prospect { /* what a fresh ticket may expect */
    uint32_t players;   /* of a full match */
    double scarcity;    /* share of the arrivals that the scarcest role lets into matches: 0..1 */
    double sigma;       /* the deviation of its rating in units of the key; 0: certain */
};

/* D_i in points. */
double worth_start(const struct worth *w, const struct arrivals *a, const struct arrival *of,
                   const struct worth_prospect *p);

static inline double worth_credit_at(const struct worth *w, const struct bin_slot *s,
                                     int64_t now_ms) {
    double age_ms = now_ms > s->created_ms ? (double)(now_ms - s->created_ms) : 0;
    if (s->crowded && age_ms > w->deadline_ms) age_ms = w->deadline_ms;
    double part = age_ms / w->deadline_ms, square = part * part;
    double credit = (double)s->start + w->per_ms * age_ms + WORTH_RUSH * square * square;
    bool is_urgent = part >= 1 && !s->crowded;
    return is_urgent ? WORTH_URGENT + credit : credit; /* still the nearer ones before the far */
}

static inline double worth_credit(const struct worth *w, const struct bin_slot *s) {
    return worth_credit_at(w, s, w->now_ms);
}

static inline double worth_phi(double points) {
    double cost = points * 2 + points * points / 200;
    return cost < 1e8 ? cost : 1e8; /* an urgent one's credit covers it */
}

/* In points, K included. What even the best region costs is nobody's choice. */
static inline double worth_ping(int32_t ms, int32_t best_ms) {
    enum { K = 2, FREE_MS = 40, FAR_MS = 100 };
    int32_t free_ms = best_ms > FREE_MS ? best_ms : FREE_MS;
    int32_t beyond = ms > free_ms ? ms - free_ms : 0;
    int32_t far_from = free_ms > FAR_MS ? free_ms : FAR_MS;
    int32_t far = ms > far_from ? ms - far_from : 0;
    return K * (beyond + 2 * far);
}

/* What uneven teams cost: the gap of their means and of their largest parties. Teams of one player
 * are as uneven as the group is: 0. */
double worth_uneven(const struct worth *w, const struct split_item *items, const struct split *s,
                    uint32_t count);

struct worth_group { /* of slots; what it lacks is time */
    const struct bin_slot *const *slots;
    uint32_t count, players;
    double cost;
};

/* The earliest time, now or later, at which the mean credit covers the cost: at the latest when the
 * first of the group becomes urgent. INT64_MAX: never, all are of crowded roles. */
int64_t worth_affordable_ms(const struct worth *w, const struct worth_group *g);

#endif
