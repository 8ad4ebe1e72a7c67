/* measure.h - what a run was worth to the players: waits, closeness, fairness, pings, roles.
 *
 *   mismatch = 2 * mean |s_i - mean(s)|   of a match; in 1v1 the difference of the two
 *   imbalance = 2 * mean |m_t - mean(m)|  of the teams' means; of two teams their difference
 *   ping cost = 2 * mean of field_ping_cost over the players, in the match's region
 *   Q = mismatch + imbalance + ping cost  in rating points, smaller is better
 *   p = Phi((sum A - sum B) / (200 sqrt(players of both)));  gap = |p - 0.5|, mean over team pairs
 *
 * All means and quantiles are over measured players; one whose ticket expired counts in the waits
 * with the whole time that he waited. Pure. Thread safety: all functions.
 */
#ifndef MUSTER_SIM_MEASURE_H
#define MUSTER_SIM_MEASURE_H

#include "sim/play.h"

struct measure_waits { /* seconds */
    double mean, p50, p95, p99, max;
    uint64_t players, expired;
};

enum { MEASURE_BANDS = 12 }; /* lowest 2 %, ten deciles of skill, highest 2 % */

struct measure {
    struct measure_waits waits;
    struct measure_waits bands[MEASURE_BANDS];
    struct measure_waits sizes[WORKLOAD_SIZES]; /* by players of the ticket; 5 and more together */
    double mismatch, deviation_p95, imbalance, ping_cost, quality_cost; /* the last is Q */
    double win_gap;                                                     /* 0..0.5 */
    double ping_excess_ms, ping_excess_p95_ms, ping_bad_share; /* above the own best; above 100 */
    double role_share[3];               /* players on first, other accepted, not accepted role */
    double promised_share;              /* players who were told a wait when they came */
    double within_p50, within_p90;      /* of them: matched within it */
    uint64_t tickets, matches, invalid; /* invalid: refused by the reference evaluator, or wrong */
    double matches_per_s, cpu_us_per_ticket;
    uint64_t hash;
    bool has_pings, has_roles;
};

extern const char *const measure_band_names[MEASURE_BANDS];

/* What came of a measured player. Costs are 0 for whoever was not matched. */
struct measure_player {
    uint32_t ticket;
    bool matched, has_ping;
    double wait_s;
    double mismatch, deviation, imbalance, win_gap; /* of his match; deviation: his own */
    double ping_ms, excess_ms, ping_cost;           /* without PING_WEIGHT */
};

/* One row per measured player, in the order of arrival; the caller frees it with mem_free. */
size_t measure_players(const struct play *p, struct measure_player **out);
/* Q of one match, over its players. */
double measure_match(const struct field *f, const struct field_match *m);
/* The row's part of Q. */
double measure_cost(const struct measure_player *player);

/* O(players log players) and one evaluation per match. */
void measure_play(struct measure *out, const struct play *p);
/* The q-quantile of values, which are sorted by this call; 0 of none. */
double measure_quantile(double *values, size_t count, double q);

#endif
