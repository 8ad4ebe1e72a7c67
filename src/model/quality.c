/* quality.c - closeness and fairness of a finished group of tickets. */
#include "model/quality.h"

#include "base/limits.h"

#include <assert.h>
#include <math.h>

static double finite_or_zero(double x) {
    return isfinite(x) ? x : 0;
}

static double base_of(const struct ruleset *r, const struct patience *p) {
    if (p->scale > 0) return p->scale;
    double base = ruleset_limits_at(r, 0)->key_spread_max;
    return base > 0 && isfinite(base) ? base : 100;
}

double quality_points_per_unit(const struct ruleset *r, const struct patience *p) {
    return 100 / base_of(r, p);
}

static double score_of(double cost) {
    return cost >= 0 ? 100 * exp(-cost / 200) : 0; /* NaN: sums of huge keys overflowed */
}

double quality_sigma(const struct patience *p, const struct player *player) {
    if (p->uncertainty.size == 0) return 0;
    const struct attribute *a = player_attribute(player, p->uncertainty);
    return a && a->kind == ATTRIBUTE_NUMBER && a->number > 0 ? a->number : 0;
}

/* What the measures are made of. */
struct sums {
    double keys[LIMIT_MATCH_PLAYERS], total;
    double low, high; /* of keys */
    uint32_t count;
    double team[LIMIT_TEAMS], variance[LIMIT_TEAMS];
    uint32_t players[LIMIT_TEAMS];
};

static void add_ticket(struct sums *s, const struct ruleset *r, const struct patience *p,
                       const struct ticket_spec *spec, uint32_t team) {
    for (uint32_t k = 0; k < spec->player_count; k++) {
        double key = ruleset_player_key(r, &spec->players[k]);
        double sigma = quality_sigma(p, &spec->players[k]);
        assert(s->count < LIMIT_MATCH_PLAYERS && team < LIMIT_TEAMS);
        s->keys[s->count++] = key;
        s->total += key;
        s->low = fmin(s->low, key);
        s->high = fmax(s->high, key);
        s->team[team] += key;
        s->variance[team] += sigma * sigma;
        s->players[team]++;
    }
}

/* Fills the gaps between the strongest and the weakest team. */
static void measure_teams(const struct sums *s, double beta, struct quality *q) {
    uint32_t weak = LIMIT_TEAMS, strong = LIMIT_TEAMS;
    for (uint32_t t = 0; t < LIMIT_TEAMS; t++) {
        if (s->players[t] == 0) continue;
        double mean = s->team[t] / s->players[t];
        if (weak == LIMIT_TEAMS || mean < s->team[weak] / s->players[weak]) weak = t;
        if (strong == LIMIT_TEAMS || mean > s->team[strong] / s->players[strong]) strong = t;
    }
    if (weak == strong) return;
    double gap = s->team[strong] / s->players[strong] - s->team[weak] / s->players[weak];
    double n = s->players[weak] + s->players[strong];
    double deviation = sqrt(n * beta * beta + s->variance[weak] + s->variance[strong]);
    double chance = 0.5 * erfc(-gap * n / 2 / deviation / sqrt(2));
    q->team_gap = finite_or_zero(gap);
    q->win_gap = finite_or_zero(chance - 0.5);
}

struct quality quality_measure(const struct ruleset *r, const struct patience *p,
                               const struct candidate *c, double soft) {
    struct quality q = {.score = score_of(soft)};
    if (!ruleset_has_key(r)) return q;
    struct sums s = {.low = INFINITY, .high = -INFINITY};
    for (uint32_t i = 0; i < c->ticket_count; i++)
        add_ticket(&s, r, p, &c->specs[i], c->team_of[i]);
    double deviation = 0, base = base_of(r, p);
    for (uint32_t i = 0; i < s.count; i++)
        deviation += fabs(s.keys[i] - s.total / s.count);
    q.spread = finite_or_zero(s.high - s.low);
    measure_teams(&s, 2 * base, &q);
    q.score = score_of((2 * deviation / s.count + q.team_gap) * 100 / base + soft);
    return q;
}
