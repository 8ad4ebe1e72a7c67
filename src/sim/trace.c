/* trace.c - draws arrivals from a workload. */
#include "sim/trace.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>

#define SKILL_LOW 300
#define SKILL_HIGH 3300
#define PARTY_SD 0.4        /* of members around their party's skill, in the population's */
#define ACCESS_MEDIAN_MS 35 /* a player's own way to the net: log-normal */
#define ACCESS_SIGMA 0.35   /* of its logarithm */
#define FLASH_FROM_S 60     /* when the crowd comes */
#define FLASH_S 10          /* and how long it takes to */
#define FLASH_RATES 200     /* times the rate meanwhile */
#define DAY_S 86400         /* of SHAPE_DAY */
#define DAY_LOW 0.1         /* the share of a region's peak rate in its deepest night */
#define STRESS_PARTY 3      /* players: two such parties fill no team of five */

/* Hours by which a region's day is behind the first one's. */
static const double time_zone_h[WORKLOAD_REGIONS] = {0, 6, 9, 17, 4, 14};

struct drawing {
    struct trace *trace;
    const struct workload *workload;
    struct rng rng;
    uint32_t players;
};

void trace_add(struct trace *t, const struct trace_ticket *ticket) {
    assert(t->count == 0 || t->tickets[t->count - 1].at_ms <= ticket->at_ms);
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 1024;
        t->tickets = mem_grow(t->tickets, t->capacity, sizeof *t->tickets);
    }
    t->tickets[t->count++] = *ticket;
}

void trace_fini(struct trace *t) {
    mem_free(t->tickets);
    arena_free(t->arena);
    *t = (struct trace){0};
}

/* An index drawn by shares that add up to 1. */
static uint32_t draw_index(struct rng *rng, const double *shares, uint32_t count) {
    double u = rng_unit(rng);
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (u < shares[i]) return i;
        u -= shares[i];
    }
    uint32_t last = count - 1;
    while (last > 0 && shares[last] <= 0)
        last--;
    return last;
}

static double clipped(double skill) {
    return fmin(SKILL_HIGH, fmax(SKILL_LOW, skill));
}

static struct latency *draw_latencies(struct drawing *d, uint32_t home, uint32_t *count) {
    const struct workload *w = d->workload;
    struct latency *all = arena_alloc(d->trace->arena, WORKLOAD_REGIONS * sizeof *all);
    double access = ACCESS_MEDIAN_MS * exp(ACCESS_SIGMA * rng_normal(&d->rng));
    for (int i = 0; i < WORKLOAD_REGIONS; i++) {
        int region = workload_regions_by_name[i];
        if (w->homes[region] <= 0) continue;
        int32_t ms = (int32_t)lround(access) + workload_rtt_ms[home][region];
        all[(*count)++] = (struct latency){str_of(workload_regions[region]), ms > 0 ? ms : 1};
    }
    return all;
}

static void draw_roles(struct drawing *d, struct attribute *out) {
    const struct workload *w = d->workload;
    struct str *items = arena_alloc(d->trace->arena, 2 * sizeof *items);
    uint32_t first = draw_index(&d->rng, w->roles, WORKLOAD_ROLES), count = 1;
    items[0] = str_of(workload_roles[first]);
    if (rng_unit(&d->rng) < w->second_role) {
        uint32_t other = (first + 1 + (uint32_t)rng_below(&d->rng, 2)) % WORKLOAD_ROLES;
        items[count++] = str_of(workload_roles[other]);
    }
    *out = (struct attribute){
        .name = STR("roles"), .kind = ATTRIBUTE_LIST, .item_count = count, .items = items};
}

static struct player draw_player(struct drawing *d, double skill, uint32_t home) {
    struct arena *a = d->trace->arena;
    struct player p = {.id = arena_printf(a, "p%u", d->players++)};
    struct attribute *attributes = arena_alloc(a, 2 * sizeof *attributes);
    if (d->workload->roles[0] > 0) draw_roles(d, &attributes[p.attribute_count++]);
    attributes[p.attribute_count++] =
        (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = skill};
    p.attributes = attributes;
    if (d->workload->latency_ms) p.latencies = draw_latencies(d, home, &p.latency_count);
    return p;
}

static void draw_ticket(struct drawing *d, double at_s, uint32_t players, uint32_t home) {
    const struct workload *w = d->workload;
    struct player *all = arena_alloc(d->trace->arena, players * sizeof *all);
    bool expert = w->expert_share > 0 && rng_unit(&d->rng) < w->expert_share;
    double mean = expert ? w->expert_mean : w->skill_mean;
    double sd = expert ? w->expert_sd : w->skill_sd;
    double inside = players > 1 ? PARTY_SD * sd : 0;
    double party = mean + sqrt(sd * sd - inside * inside) * rng_normal(&d->rng);
    for (uint32_t i = 0; i < players; i++) {
        double own = inside > 0 ? inside * rng_normal(&d->rng) : 0;
        all[i] = draw_player(d, clipped(party + own), home);
    }
    int64_t at_ms = (int64_t)(at_s * 1000);
    struct trace_ticket t = {
        at_ms, at_ms + (int64_t)w->timeout_s * 1000, {d->trace->queue, all, 1, players}};
    trace_add(d->trace, &t);
}

/* The rate at a time in a region, as a factor of the mean. */
static double rate_factor(const struct workload *w, double at_s, uint32_t home) {
    if (w->shape == SHAPE_FLASH && at_s >= FLASH_FROM_S && at_s < FLASH_FROM_S + FLASH_S)
        return FLASH_RATES;
    if (w->shape != SHAPE_DAY) return 1;
    double day = (at_s / 3600 - time_zone_h[home]) / 24;
    double level = (1 + DAY_LOW) / 2 - (1 - DAY_LOW) / 2 * cos(2 * acos(-1) * day);
    return level * 2 / (1 + DAY_LOW);
}

/* Upper bound of rate_factor until the next time it may jump, which is written to *until_s. */
static double rate_bound(const struct workload *w, double at_s, double *until_s) {
    *until_s = INFINITY;
    if (w->shape == SHAPE_DAY) return 2 / (1 + DAY_LOW);
    if (w->shape != SHAPE_FLASH || at_s >= FLASH_FROM_S + FLASH_S) return 1;
    *until_s = at_s < FLASH_FROM_S ? FLASH_FROM_S : FLASH_FROM_S + FLASH_S;
    return at_s < FLASH_FROM_S ? 1 : FLASH_RATES;
}

/* A Poisson process by thinning (Lewis and Shedler 1979). */
static void draw_arrivals(struct drawing *d, double rate, double end_s) {
    const struct workload *w = d->workload;
    double at_s = 0;
    for (;;) {
        double until_s, bound = rate_bound(w, at_s, &until_s);
        double next_s = at_s - log(1 - rng_unit(&d->rng)) / (rate * bound);
        at_s = fmin(next_s, until_s);
        if (at_s >= end_s) return;
        if (next_s > until_s) continue; /* no memory: begin anew at the jump */
        uint32_t home = draw_index(&d->rng, w->homes, WORKLOAD_REGIONS);
        if (rng_unit(&d->rng) * bound >= rate_factor(w, at_s, home)) continue;
        draw_ticket(d, at_s, 1 + draw_index(&d->rng, w->sizes, WORKLOAD_SIZES), home);
    }
}

void trace_generate(struct trace *t, const struct trace_request *q) {
    const struct workload *w = q->workload;
    *t = (struct trace){.arena = arena_new(0)};
    struct str *queue = arena_alloc(t->arena, sizeof *queue);
    *queue = arena_str(t->arena, q->queue);
    t->queue = queue;
    struct drawing d = {.trace = t, .workload = w};
    rng_init(&d.rng, q->seed);
    for (uint32_t i = 0; w->shape == SHAPE_STRESS && i < w->crowd; i++)
        draw_ticket(&d, 0, STRESS_PARTY, 0);
    double tail_s = q->ends ? 0 : fmin(w->timeout_s, 60 + 20000 / q->rate);
    draw_arrivals(&d, q->rate, q->duration_s + tail_s);
    t->from_ms = (int64_t)(q->duration_s * 100);
    t->to_ms = (int64_t)(q->duration_s * 1000);
}
