/* arrivals.h - who has been coming: how many players a second, of which keys, for which regions.
 *
 * Counts that decay over 1, 8, 64 and 512 s give the rate: the fastest that rests on 16 players or
 * more, so that a flash crowd shows in a tenth of a second and the night is not noise. A histogram
 * of 64 bins, which halves itself every 65,536 players, gives the keys; slow shares the regions.
 * Deterministic. note O(1) amortised, all else O(1). Thread safety: none.
 */
#ifndef MUSTER_MODEL_ARRIVALS_H
#define MUSTER_MODEL_ARRIVALS_H

#include <stdint.h>

#define ARRIVALS_BINS 64
#define ARRIVALS_SCALES 4
#define ARRIVALS_ROLES 6

struct arrival {
    double key;
    uint32_t players;
    uint64_t regions; /* a bit for each it could play in; 0: regions do not matter */
    uint32_t roles;   /* a bit for each that one of its players could have; 0: likewise */
    uint32_t only;    /* of `roles`: the one that all its players play and nothing else; 0: none */
    int64_t time_ms;
};

struct arrivals { /* zeroed but for `width` is an empty one */
    double width; /* of a bin, in units of the key; doubles, at most 16 times, to follow keys */
    double low;   /* of the first bin */
    double counts[ARRIVALS_BINS], total;
    double below[ARRIVALS_BINS + 1]; /* share of players in the bins before this one */
    double meeting;                  /* likewise: the chance that two stand in one bin */
    double near[ARRIVALS_SCALES], window_s[ARRIVALS_SCALES]; /* decayed players and time */
    double reach[64], reached;            /* players by region, and those who have any */
    double plays[ARRIVALS_ROLES], played; /* likewise by role */
    double only[ARRIVALS_ROLES];          /* those who play nothing else */
    int64_t last_ms;
    uint32_t noted; /* since `below` was brought up to date */
    uint32_t doublings;
};

void arrivals_note(struct arrivals *a, const struct arrival *of);

/* Players a second of all keys, in the most visited of `regions`. */
double arrivals_there(const struct arrivals *a, uint64_t regions);

/* Share of the players whose key is within `distance`. */
double arrivals_share(const struct arrivals *a, double key, double distance);

/* Players a second per unit of the key, as the average player sees it around him. */
double arrivals_density(const struct arrivals *a);

/* Share of the players who could have the role; 1 while nothing is known. */
double arrivals_role_share(const struct arrivals *a, uint32_t role);

/* Share of the players who play that role only; 0 before 64 of them have come. */
double arrivals_only_share(const struct arrivals *a, uint32_t role);

double arrivals_rate(const struct arrivals *a); /* players a second, all together */

#endif
