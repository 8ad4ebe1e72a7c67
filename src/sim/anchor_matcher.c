/* anchor_matcher.c - a tolerance window around an anchor, widened in steps by its wait.
 *
 * Published behaviour: a cycle every two seconds; the anchor with the lowest skill first; of the
 * tickets within its tolerance (x 1, after 20 s x 2, after 60 s x 4) the largest parties first,
 * first fit. Charity: every ticket is an anchor in each cycle, not one per cycle.
 */
#include "base/mem.h"
#include "sim/crowd.h"

#include <math.h>

enum { CYCLE_MS = 2000 };

struct anchor {
    struct crowd crowd;
};

static struct matcher *open(const struct matcher_setup *setup) {
    struct anchor *a = mem_alloc(sizeof *a);
    crowd_init(&a->crowd, setup, CYCLE_MS);
    return (struct matcher *)(void *)a;
}

static double tolerance(const struct crowd *c, uint32_t ticket, int64_t now_ms) {
    int64_t age_ms = now_ms - c->field->trace->tickets[ticket].at_ms;
    return c->setup.knobs[0] * (age_ms < 20000 ? 1 : age_ms < 60000 ? 2 : 4);
}

static void try_anchor(struct crowd *c, uint32_t anchor, int64_t now_ms) {
    struct assembly a;
    size_t range[2];
    double skill = c->field->tickets[anchor].skill, within = tolerance(c, anchor, now_ms);
    crowd_range(c, skill - within, skill + within, range);
    assembly_begin(&a, c->field);
    if (!assembly_add(&a, anchor)) return;
    uint32_t largest = 0;
    for (uint32_t t = 0; t < c->field->limits->team_count; t++)
        largest = (uint32_t)fmax(largest, c->field->limits->teams[t].players_max);
    for (uint32_t players = largest; players > 0 && !assembly_full(&a); players--) {
        for (size_t i = range[0]; i < range[1] && !assembly_full(&a); i++) {
            if (assembly_refused(&a, c->kinds[i])) continue;
            uint32_t t = c->by_skill[i];
            if (c->field->tickets[t].players != players || t == anchor || !c->waiting[t]) continue;
            (void)assembly_add(&a, t); /* first fit: whoever does not is passed over */
        }
    }
    if (assembly_full(&a)) (void)crowd_match(c, &a, now_ms); /* refused: they wait on */
}

static void turn(struct matcher *m, int64_t now_ms) {
    struct crowd *c = (struct crowd *)(void *)m;
    crowd_begin_turn(c, now_ms);
    crowd_sort(c);
    for (size_t i = 0; i < c->count && !crowd_gives_up(c); i++)
        if (c->waiting[c->by_skill[i]]) try_anchor(c, c->by_skill[i], now_ms);
}

const struct matcher_kind anchor_matcher = {
    .name = "anchor",
    .text = "window around an anchor, widened in steps",
    .knobs = {{.name = "tolerance", .fallback = 75, .grid = {15, 30, 50, 75, 120, 200, 350, NAN}},
              [CROWD_DETOUR_KNOB] = CROWD_DETOUR},
    .open = open,
    .arrive = crowd_arrive,
    .leave = crowd_leave,
    .due_ms = crowd_due_ms,
    .turn = turn,
    .close = crowd_close,
};
