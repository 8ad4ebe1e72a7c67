/* flexmatch_matcher.c - GameLift FlexMatch as documented: batches, each around its oldest ticket.
 *
 * Published behaviour: waiting tickets are put into batches (at random, or sorted by an attribute);
 * in a batch, sorted by age, a match is built around the oldest ticket by testing the others
 * against the rules; expansions are steps in time chosen by the newest (default) or the oldest
 * ticket of the proposal. Assumed, since not published: batches each second, of 100 tickets or
 * five times a match's players; steps of 1.5, 2, 3 and 5 times the distance after 10, 20, 30 and
 * 60 s.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "sim/crowd.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH_TICKETS_MIN = 100, BATCH_MATCHES = 5 };

struct flexmatch {
    struct crowd crowd;
    struct rng rng;
    size_t batch_tickets;
    bool sorted, oldest_expands;
};

static struct matcher *open(const struct matcher_setup *setup) {
    struct flexmatch *f = mem_alloc(sizeof *f);
    crowd_init(&f->crowd, setup, 1000);
    rng_init(&f->rng, setup->seed);
    f->batch_tickets = BATCH_MATCHES * (size_t)setup->field->match_players;
    if (f->batch_tickets < BATCH_TICKETS_MIN) f->batch_tickets = BATCH_TICKETS_MIN;
    f->sorted = setup->knobs[1] > 0;
    f->oldest_expands = setup->knobs[2] > 0;
    return (struct matcher *)(void *)f;
}

static double distance_at(const struct crowd *c, int64_t age_ms) {
    static const struct {
        int64_t from_ms;
        double factor;
    } steps[] = {{60000, 5}, {30000, 3}, {20000, 2}, {10000, 1.5}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (age_ms >= steps[i].from_ms) return steps[i].factor * c->setup.knobs[0];
    return c->setup.knobs[0];
}

/* Tickets of a batch are indexes, hence their order is that of age. */
static int oldest_first(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void build_around(struct flexmatch *f, const uint32_t *batch, size_t count, int64_t now_ms) {
    struct crowd *c = &f->crowd;
    struct assembly a;
    assembly_begin(&a, c->field);
    if (!assembly_add(&a, batch[0])) return;
    double low = c->field->tickets[batch[0]].skill, high = low;
    for (size_t i = 1; i < count && !assembly_full(&a); i++) {
        uint32_t t = batch[i];
        if (assembly_refused(&a, c->field->tickets[t].kind)) continue;
        if (!c->waiting[t]) continue;
        double skill = c->field->tickets[t].skill;
        int64_t since = c->field->trace->tickets[f->oldest_expands ? batch[0] : t].at_ms;
        if (fmax(high, skill) - fmin(low, skill) > distance_at(c, now_ms - since)) continue;
        if (!assembly_add(&a, t)) continue;
        low = fmin(low, skill);
        high = fmax(high, skill);
    }
    if (assembly_full(&a)) (void)crowd_match(c, &a, now_ms); /* refused: they wait on */
}

static void shuffle(struct flexmatch *f, uint32_t *tickets, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t k = rng_below(&f->rng, i);
        uint32_t t = tickets[i - 1];
        tickets[i - 1] = tickets[k];
        tickets[k] = t;
    }
}

static void turn(struct matcher *m, int64_t now_ms) {
    struct flexmatch *f = (struct flexmatch *)(void *)m;
    struct crowd *c = &f->crowd;
    crowd_begin_turn(c, now_ms);
    crowd_sort(c);
    if (!f->sorted) shuffle(f, c->by_skill, c->count);
    for (size_t from = 0; from < c->count && !crowd_gives_up(c); from += f->batch_tickets) {
        uint32_t *batch = c->by_skill + from;
        size_t count = c->count - from < f->batch_tickets ? c->count - from : f->batch_tickets;
        qsort(batch, count, sizeof *batch, oldest_first);
        for (size_t i = 0; i < count; i++)
            if (c->waiting[batch[i]]) build_around(f, batch + i, count - i, now_ms);
    }
}

const struct matcher_kind flexmatch_matcher = {
    .name = "flexmatch",
    .text = "FlexMatch: batches, each around its oldest ticket",
    .knobs = {{.name = "distance", .fallback = 100, .grid = {15, 30, 60, 120, 250, 500, NAN}},
              {.name = "sorted", .fallback = 0, .grid = {0, 1, NAN}},
              {.name = "oldest", .fallback = 0, .grid = {0, 1, NAN}},
              [CROWD_DETOUR_KNOB] = CROWD_DETOUR},
    .open = open,
    .arrive = crowd_arrive,
    .leave = crowd_leave,
    .due_ms = crowd_due_ms,
    .turn = turn,
    .close = crowd_close,
};
