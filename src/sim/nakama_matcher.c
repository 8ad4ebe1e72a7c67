/* nakama_matcher.c - Nakama's matchmaker (server/matchmaker_process.go, version 3.40).
 *
 * Published behaviour: at each interval every active ticket runs its query (here: skill within a
 * range that the client asked for, and a region in common); hits, oldest first, are put first-fit
 * into combinations until one has exactly the wanted number of players. A ticket that wants one
 * number only is active for one interval; afterwards it is a hit for others. No expansion.
 * Charity: a hit that would leave no way to make the teams is passed over; active tickets go
 * oldest first, not in the random order of a Go map.
 */
#include "base/mem.h"
#include "sim/crowd.h"

#include <math.h>

enum { COMBINATIONS_MAX = 16 };

struct nakama {
    struct crowd crowd;
    bool *was_active; /* per ticket of the trace */
    struct assembly combinations[COMBINATIONS_MAX];
};

static struct matcher *open(const struct matcher_setup *setup) {
    struct nakama *n = mem_alloc(sizeof *n);
    crowd_init(&n->crowd, setup, (int64_t)(setup->knobs[1] * 1000));
    n->was_active = mem_array(setup->field->trace->count + 1, sizeof *n->was_active);
    return (struct matcher *)(void *)n;
}

static void shut(struct matcher *m) {
    mem_free(((struct nakama *)(void *)m)->was_active);
    crowd_close(m);
}

/* The combination that took the hit; NULL: there is none. */
static struct assembly *combine(struct nakama *n, uint32_t active, uint32_t hit, uint32_t *count) {
    for (uint32_t i = 0; i < *count; i++)
        if (assembly_add(&n->combinations[i], hit)) return &n->combinations[i];
    if (*count == COMBINATIONS_MAX) return NULL;
    struct assembly *fresh = &n->combinations[*count];
    assembly_begin(fresh, n->crowd.field);
    if (!assembly_add(fresh, active) || !assembly_add(fresh, hit)) return NULL;
    (*count)++;
    return fresh;
}

static void process(struct nakama *n, uint32_t active, int64_t now_ms) {
    struct crowd *c = &n->crowd;
    uint32_t count = 0;
    bool closed[FIELD_KINDS] = {false}; /* no combination takes that kind any more */
    const struct field_ticket *tickets = c->field->tickets;
    double skill = tickets[active].skill, range = c->setup.knobs[0];
    if (tickets[active].players == c->field->match_players) return;
    for (size_t i = 0; i < c->count; i++) {
        uint32_t hit = c->by_age[i];
        if (hit == active || !c->waiting[hit] || closed[tickets[hit].kind]) continue;
        if (fabs(tickets[hit].skill - skill) > range) continue;
        const struct assembly *a = combine(n, active, hit, &count);
        closed[tickets[hit].kind] = !a && tickets[hit].kind != FIELD_MIXED;
        if (a && assembly_full(a) && crowd_match(c, a, now_ms)) return;
    }
}

static void turn(struct matcher *m, int64_t now_ms) {
    struct nakama *n = (struct nakama *)(void *)m;
    struct crowd *c = &n->crowd;
    crowd_begin_turn(c, now_ms);
    for (size_t i = 0; i < c->count && !crowd_gives_up(c); i++) {
        uint32_t t = c->by_age[i];
        if (!c->waiting[t] || n->was_active[t]) continue;
        n->was_active[t] = true;
        process(n, t, now_ms);
    }
}

const struct matcher_kind nakama_matcher = {
    .name = "nakama",
    .text = "Nakama: queries of new tickets at intervals, first fit by age",
    .knobs = {{.name = "range", .fallback = 100, .grid = {25, 50, 100, 200, 400, 800, NAN}},
              {.name = "interval", .fallback = 15, .grid = {15, 5, 1, NAN}},
              [CROWD_DETOUR_KNOB] = CROWD_DETOUR},
    .open = open,
    .arrive = crowd_arrive,
    .leave = crowd_leave,
    .due_ms = crowd_due_ms,
    .turn = turn,
    .close = shut,
};
