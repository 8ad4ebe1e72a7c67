/* open_match_matcher.c - Open Match's teamshooter example: a window that slides over the sorted
 * pool.
 *
 * Published behaviour: each cycle, per region: sort by skill; every window of consecutive tickets
 * that fills a match within the width is a proposal, worth minus its sum of squared deviations; the
 * evaluator takes the best first and drops those that collide. Charity: the width grows with the
 * oldest member's wait (`growth` per minute), and tickets that do not fit the window are passed
 * over, since the original knows neither.
 */
#include "base/mem.h"
#include "sim/crowd.h"

#include <math.h>
#include <stdlib.h>

enum { CYCLE_MS = 1000 };

struct proposal {
    double badness;        /* sum of squared deviations */
    uint32_t first, count; /* in `members` */
};

struct open_match {
    struct crowd crowd;
    struct proposal *proposals;
    size_t count, capacity;
    uint32_t *members;
    size_t member_count, member_capacity;
    double widest; /* width that the oldest who waits would allow */
};

static struct matcher *open(const struct matcher_setup *setup) {
    struct open_match *o = mem_alloc(sizeof *o);
    crowd_init(&o->crowd, setup, CYCLE_MS);
    return (struct matcher *)(void *)o;
}

static void shut(struct matcher *m) {
    struct open_match *o = (struct open_match *)(void *)m;
    mem_free(o->proposals);
    mem_free(o->members);
    crowd_close(m);
}

static void propose(struct open_match *o, const struct assembly *a) {
    if (o->count == o->capacity) {
        o->capacity = o->capacity ? 2 * o->capacity : 256;
        o->proposals = mem_grow(o->proposals, o->capacity, sizeof *o->proposals);
    }
    if (o->member_count + a->count > o->member_capacity) {
        o->member_capacity = 2 * (o->member_capacity + a->count);
        o->members = mem_grow(o->members, o->member_capacity, sizeof *o->members);
    }
    double sum = 0, badness = 0;
    for (uint32_t i = 0; i < a->count; i++)
        sum += o->crowd.field->tickets[a->members[i]].sum;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field_ticket *t = &o->crowd.field->tickets[a->members[i]];
        badness += t->players * pow(t->skill - sum / a->players, 2);
        o->members[o->member_count + i] = a->members[i];
    }
    o->proposals[o->count++] = (struct proposal){badness, (uint32_t)o->member_count, a->count};
    o->member_count += a->count;
}

/* What a group whose oldest came at that time may span. */
static double width_at(const struct crowd *c, int64_t oldest_ms, int64_t now_ms) {
    double minutes = (double)(now_ms - oldest_ms) / 60000;
    return c->setup.knobs[0] * (1 + c->setup.knobs[1] * minutes);
}

/* The window that begins at place `from`, of tickets that reach `region` (all: FIELD_NONE). */
static void slide(struct open_match *o, size_t from, uint32_t region, int64_t now_ms) {
    const struct crowd *c = &o->crowd;
    const struct field_ticket *tickets = c->field->tickets;
    struct assembly a;
    assembly_begin(&a, c->field);
    if (region != FIELD_NONE) a.regions = (uint64_t)1 << region;
    double low = tickets[c->by_skill[from]].skill, width = 0;
    int64_t oldest_ms = now_ms;
    for (size_t i = from; i < c->count && !assembly_full(&a); i++) {
        if (assembly_refused(&a, c->kinds[i])) continue;
        uint32_t t = c->by_skill[i];
        if (tickets[t].skill - low > o->widest) return;
        if (!assembly_add(&a, t)) {
            if (i == from) return;
            continue;
        }
        int64_t at_ms = c->field->trace->tickets[t].at_ms;
        oldest_ms = at_ms < oldest_ms ? at_ms : oldest_ms;
        width = width_at(c, oldest_ms, now_ms);
    }
    double high = tickets[a.members[a.count - 1]].skill;
    if (assembly_full(&a) && high - low <= width) propose(o, &a);
}

static int best_first(const void *a, const void *b) {
    const struct proposal *x = a, *y = b;
    if (x->badness != y->badness) return x->badness < y->badness ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static void evaluate(struct open_match *o, int64_t now_ms) {
    struct crowd *c = &o->crowd;
    if (o->count) qsort(o->proposals, o->count, sizeof *o->proposals, best_first);
    for (size_t p = 0; p < o->count; p++) {
        struct assembly a;
        assembly_begin(&a, c->field);
        const uint32_t *members = o->members + o->proposals[p].first;
        uint32_t i = 0;
        while (i < o->proposals[p].count && c->waiting[members[i]] && assembly_add(&a, members[i]))
            i++;
        if (assembly_full(&a)) (void)crowd_match(c, &a, now_ms); /* refused: they wait on */
    }
    o->count = o->member_count = 0;
}

static void turn(struct matcher *m, int64_t now_ms) {
    struct open_match *o = (struct open_match *)(void *)m;
    struct crowd *c = &o->crowd;
    crowd_begin_turn(c, now_ms);
    crowd_sort(c);
    if (c->count == 0) return;
    o->widest = width_at(c, c->field->trace->tickets[c->by_age[0]].at_ms, now_ms);
    bool regional = c->field->limits->latency_ms_max != INT32_MAX;
    for (uint32_t r = 0; r < (regional ? c->field->region_count : 1); r++)
        for (size_t i = 0; i < c->count && !crowd_gives_up(c); i++)
            slide(o, i, regional ? r : FIELD_NONE, now_ms);
    evaluate(o, now_ms);
}

const struct matcher_kind open_match_matcher = {
    .name = "open-match",
    .text = "Open Match: best windows over the sorted pool, each second",
    .knobs = {{.name = "width", .fallback = 100, .grid = {10, 25, 50, 100, 200, 400, NAN}},
              {.name = "growth", .fallback = 2, .grid = {0, 2, 10, NAN}},
              [CROWD_DETOUR_KNOB] = CROWD_DETOUR},
    .open = open,
    .arrive = crowd_arrive,
    .leave = crowd_leave,
    .due_ms = crowd_due_ms,
    .turn = turn,
    .close = shut,
};
