/* worth.c - credit, its beginning, and the moment at which it is enough. */
#include "model/worth.h"

#include "base/mem.h"
#include "model/quality.h"

#include <math.h>

static const double GROWTH = 1;         /* g */
static const double SHARE = 0.1;        /* A */
static const double PACE = 1.2;         /* measured, 1v1: players then wait half of what is asked */
static const double PARTY_POINTS = 10;  /* per step between the largest parties of two teams */
static const double EVEN_POINTS = 10;   /* what ratings cannot tell apart */
static const double START_MAX = 100000; /* points: nobody comes */

enum { DEADLINE_PARTS = 20 };

/* c of a queue that gives none. */
static double derived_patience(const struct worth *w, const struct arrivals *a, uint32_t players) {
    double density = arrivals_density(a) / w->unit; /* players a second and point */
    if (!(density > 0)) return EVEN_POINTS;
    double wait_s = players / (2 * EVEN_POINTS * density);
    double most_s = w->deadline_ms / 1000 / DEADLINE_PARTS;
    if (wait_s > most_s) wait_s = most_s;
    return players / (PACE * density * wait_s * wait_s);
}

struct worth worth_of(const struct patience *p, const struct ruleset *r, const struct arrivals *a,
                      int64_t now_ms) {
    struct worth w = {.unit = quality_points_per_unit(r, p),
                      .deadline_ms = (double)p->deadline_ms,
                      .patience = p->points_per_s,
                      .now_ms = now_ms};
    if (p->is_derived) {
        w.patience = derived_patience(&w, a, ruleset_limits_at(r, 0)->players_max);
    }
    w.per_ms = GROWTH * w.patience / 1000;
    return w;
}

double worth_start(const struct worth *w, const struct arrivals *a, const struct arrival *of,
                   const struct worth_prospect *p) {
    enum { STEPS = 8 };
    double target =
        2 * SHARE * p->players * w->patience / (p->scarcity > 0.01 ? p->scarcity : 0.01);
    double start = EVEN_POINTS, there = arrivals_there(a, of->regions);
    for (int i = 0; i < STEPS; i++) { /* one step where keys are spread evenly */
        double had = start * there * arrivals_share(a, of->key, start / w->unit);
        double factor = had * 64 > target ? sqrt(target / had) : 8;
        start *= factor;
        if (start > START_MAX) start = START_MAX;
        if (factor > 0.97 && factor < 1.03) break;
    }
    double widened = p->sigma * w->unit;
    return sqrt(start * start + widened * widened);
}

double worth_uneven(const struct worth *w, const struct split_item *items, const struct split *s,
                    uint32_t count) {
    MEM_UNCLEARED uint32_t players[LIMIT_TEAMS];
    MEM_UNCLEARED uint32_t largest[LIMIT_TEAMS];
    uint32_t teams = 0, least = UINT32_MAX, most = 0;
    bool several = false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t team = s->team_of[i];
        for (; teams <= team; teams++)
            players[teams] = largest[teams] = 0;
        players[team] += items[i].players;
        if (items[i].players > largest[team]) largest[team] = items[i].players;
        several = several || players[team] > 1;
    }
    if (!several) return 0;
    for (uint32_t t = 0; t < teams; t++) {
        if (largest[t] < least) least = largest[t];
        if (largest[t] > most) most = largest[t];
    }
    return s->gap * w->unit + PARTY_POINTS * (most - least);
}

/* What the group's credit lacks of its cost; at most 0 when it is affordable. */
static double lack_at(const struct worth *w, const struct worth_group *g, int64_t at_ms) {
    double sum = 0;
    for (uint32_t i = 0; i < g->count; i++)
        sum += worth_credit_at(w, g->slots[i], at_ms) * g->slots[i]->players;
    return g->cost - sum / g->players;
}

/* How fast the mean credit grows then, points per ms; of a group of which nobody is urgent. */
static double growth_at(const struct worth *w, const struct worth_group *g, int64_t at_ms) {
    double sum = 0, rush = 4 * WORTH_RUSH / w->deadline_ms;
    for (uint32_t i = 0; i < g->count; i++) {
        double part = (double)(at_ms - g->slots[i]->created_ms) / w->deadline_ms;
        if (part > 0) sum += part * part * part * g->slots[i]->players;
    }
    return w->per_ms + rush * sum / g->players;
}

/* When the group's cost is covered at last, whatever it is; or, where nobody may become urgent,
 * when its credit has ceased to grow. */
static int64_t last_ms(const struct worth *w, const struct worth_group *g, bool *crowded) {
    int64_t urgent_ms = INT64_MAX, ceased_ms = 0;
    *crowded = false;
    for (uint32_t i = 0; i < g->count; i++) {
        int64_t at_ms = g->slots[i]->created_ms + (int64_t)ceil(w->deadline_ms);
        *crowded = *crowded || g->slots[i]->crowded;
        if (at_ms > ceased_ms) ceased_ms = at_ms;
        if (!g->slots[i]->crowded && at_ms < urgent_ms) urgent_ms = at_ms;
    }
    return urgent_ms < INT64_MAX ? urgent_ms : ceased_ms;
}

/* Credit never shrinks; where somebody's ceases to grow it is not convex. */
static int64_t bisected_ms(const struct worth *w, const struct worth_group *g, int64_t last) {
    int64_t low = w->now_ms, high = last; /* not covered at `low` */
    if (high <= low || lack_at(w, g, high) > 0) return INT64_MAX;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (lack_at(w, g, middle) > 0)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Newton's method from the right: credit is convex in time, so it comes down to the moment and
 * never passes it by more than rounding. */
int64_t worth_affordable_ms(const struct worth *w, const struct worth_group *g) {
    enum { STEPS_MAX = 12 };
    bool crowded;
    int64_t urgent_ms = last_ms(w, g, &crowded);
    double lack = lack_at(w, g, w->now_ms), linear = lack / w->per_ms;
    if (lack <= 0) return w->now_ms;
    if (crowded) return bisected_ms(w, g, urgent_ms);
    int64_t at_ms = urgent_ms;
    if (linear < (double)(urgent_ms - w->now_ms)) at_ms = w->now_ms + (int64_t)ceil(linear);
    if (at_ms == urgent_ms && lack_at(w, g, at_ms - 1) > 0) return urgent_ms;
    if (at_ms == urgent_ms) at_ms--;
    for (int i = 0; i < STEPS_MAX; i++) {
        int64_t back = (int64_t)(-lack_at(w, g, at_ms) / growth_at(w, g, at_ms));
        if (back <= 0) break;
        at_ms -= back;
    }
    while (at_ms < urgent_ms && lack_at(w, g, at_ms) > 0)
        at_ms++;
    while (at_ms > w->now_ms && lack_at(w, g, at_ms - 1) <= 0)
        at_ms--;
    return at_ms;
}
