/* quality.c - closeness and fairness of a finished group of tickets. */
#include "model/quality.h"

#include "base/limits.h"

#include <assert.h>
#include <math.h>

static double finite_or_zero(double x) {
    return isfinite(x) ? x : 0;
}

static double base_of(const struct ruleset *r) {
    double base = ruleset_limits_at(r, 0)->key_spread_max;
    return base > 0 && isfinite(base) ? base : 100;
}

static double gap_of_teams(const double *sums, const uint32_t *players) {
    double low = INFINITY, high = -INFINITY;
    for (uint32_t t = 0; t < LIMIT_TEAMS; t++) {
        if (players[t] == 0) continue;
        double mean = sums[t] / players[t];
        low = fmin(low, mean);
        high = fmax(high, mean);
    }
    return finite_or_zero(high - low);
}

static double score_of(double cost) {
    return cost >= 0 ? 100 * exp(-cost / 200) : 0; /* NaN: sums of huge keys overflowed */
}

struct quality quality_measure(const struct ruleset *r, const struct candidate *c, double soft) {
    struct quality q = {.score = score_of(soft)};
    if (!ruleset_has_key(r)) return q;
    double keys[LIMIT_MATCH_PLAYERS], sums[LIMIT_TEAMS] = {0}, total = 0;
    double low = INFINITY, high = -INFINITY;
    uint32_t players[LIMIT_TEAMS] = {0}, count = 0;
    for (uint32_t i = 0; i < c->ticket_count; i++) {
        const struct ticket_spec *spec = &c->tickets[i]->spec;
        for (uint32_t k = 0; k < spec->player_count; k++) {
            double key = ruleset_player_key(r, &spec->players[k]);
            assert(count < LIMIT_MATCH_PLAYERS && c->team_of[i] < LIMIT_TEAMS);
            keys[count++] = key;
            total += key;
            low = fmin(low, key);
            high = fmax(high, key);
            sums[c->team_of[i]] += key;
            players[c->team_of[i]]++;
        }
    }
    double deviation = 0;
    for (uint32_t i = 0; i < count; i++)
        deviation += fabs(keys[i] - total / count);
    q.spread = finite_or_zero(high - low);
    q.team_gap = gap_of_teams(sums, players);
    q.score = score_of((2 * deviation / count + q.team_gap) * 100 / base_of(r) + soft);
    return q;
}
