/* faf_matcher.c - Forged Alliance Forever's matchmaker (server/matchmaker).
 *
 * Published behaviour: pops when about 2.5 matches' players are expected, at most 90 s apart, by
 * the rate of the last five pops; at a pop each party takes its neighbours in skill, alternately
 * below and above, until the match is full; quality = 1 - sqrt(unfairness^2 + variety^2) + a bonus
 * per round that failed, with unfairness = difference of the teams' sums and variety = deviation of
 * the parties' ratings, both over 500; games of at least the least quality, best first, without
 * collisions. Charity: the evenest split, not the approximation; the bonus has no ceiling.
 */
#include "base/mem.h"
#include "sim/crowd.h"

#include <math.h>
#include <stdlib.h>

enum { POPS_REMEMBERED = 5, POP_MAX_MS = 90000, POP_MIN_MS = 50 };
#define DESIRED_MATCHES 2.5
#define RATING_SCALE 500

struct game {
    double quality;
    struct assembly *members;
};

struct faf {
    struct crowd crowd;
    uint16_t *failed; /* rounds, per ticket of the trace */
    double players[POPS_REMEMBERED], ms[POPS_REMEMBERED];
    uint32_t pops;
    int64_t last_ms;
    struct game *games;
    size_t count, capacity;
};

static struct matcher *open(const struct matcher_setup *setup) {
    struct faf *f = mem_alloc(sizeof *f);
    crowd_init(&f->crowd, setup, POP_MIN_MS);
    f->failed = mem_array(setup->field->trace->count + 1, sizeof *f->failed);
    f->crowd.due_ms = POP_MAX_MS / 2;
    return (struct matcher *)(void *)f;
}

static void shut(struct matcher *m) {
    struct faf *f = (struct faf *)(void *)m;
    for (size_t i = 0; i < f->capacity; i++)
        mem_free(f->games[i].members);
    mem_free(f->games);
    mem_free(f->failed);
    crowd_close(m);
}

/* When the players of the desired matches will have come, at the rate of the last pops. */
static int64_t time_to_next_pop(struct faf *f, int64_t now_ms) {
    double players = 0, ms = 0, waiting = 0;
    for (size_t i = 0; i < f->crowd.count; i++)
        waiting += f->crowd.field->tickets[f->crowd.by_age[i]].players;
    f->players[f->pops % POPS_REMEMBERED] = waiting;
    f->ms[f->pops++ % POPS_REMEMBERED] = (double)(now_ms - f->last_ms);
    f->last_ms = now_ms;
    for (uint32_t i = 0; i < POPS_REMEMBERED; i++) {
        players += f->players[i];
        ms += f->ms[i];
    }
    if (players == 0) return POP_MAX_MS;
    double next = DESIRED_MATCHES * f->crowd.field->match_players * ms / players;
    return (int64_t)fmin(POP_MAX_MS, fmax(POP_MIN_MS, next));
}

static bool take_neighbours(const struct crowd *c, size_t index, struct assembly *a) {
    size_t lower = index, higher = index;
    assembly_begin(a, c->field);
    for (uint32_t i = 0; !assembly_full(a); i++) {
        if (lower == 0 && higher == c->count) return false;
        bool up = i % 2 == 0;
        if (up ? higher == c->count : lower == 0) continue;
        size_t at = up ? higher++ : --lower;
        if (!assembly_refused(a, c->kinds[at]))
            (void)assembly_add(a, c->by_skill[at]); /* whoever does not fit is passed over */
    }
    return true;
}

static double quality_of(struct faf *f, const struct assembly *a, int64_t now_ms) {
    struct crowd *c = &f->crowd;
    struct field_match m;
    if (!assembly_finish(a, now_ms, &m, c->scratch)) return -INFINITY;
    double teams[LIMIT_TEAMS] = {0}, sum = 0, squares = 0, failed = 0, low = INFINITY, high = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field_ticket *t = &c->field->tickets[a->members[i]];
        teams[m.team_of[i]] += t->sum;
        sum += t->skill;
        squares += t->skill * t->skill;
        failed += f->failed[a->members[i]];
    }
    for (uint32_t t = 0; t < c->field->limits->team_count; t++) {
        low = fmin(low, teams[t]);
        high = fmax(high, teams[t]);
    }
    double mean = sum / a->count, variance = fmax(0, squares / a->count - mean * mean);
    double unfair = (high - low) / RATING_SCALE, variety = sqrt(variance) / RATING_SCALE;
    return 1 - sqrt(unfair * unfair + variety * variety) + c->setup.knobs[1] * failed / a->count;
}

static void propose(struct faf *f, const struct assembly *a, double quality) {
    if (f->count == f->capacity) {
        size_t old = f->capacity;
        f->capacity = old ? 2 * old : 64;
        f->games = mem_grow(f->games, f->capacity, sizeof *f->games);
        for (size_t i = old; i < f->capacity; i++)
            f->games[i].members = mem_alloc(sizeof *a);
    }
    *f->games[f->count].members = *a;
    f->games[f->count++].quality = quality;
}

static int best_first(const void *a, const void *b) {
    const struct game *x = a, *y = b;
    if (x->quality != y->quality) return x->quality > y->quality ? -1 : 1;
    return (x->members->members[0] > y->members->members[0]) -
           (x->members->members[0] < y->members->members[0]);
}

static void turn(struct matcher *m, int64_t now_ms) {
    struct faf *f = (struct faf *)(void *)m;
    struct crowd *c = &f->crowd;
    crowd_begin_turn(c, now_ms);
    c->due_ms = now_ms + time_to_next_pop(f, now_ms);
    crowd_sort(c);
    struct assembly a;
    for (size_t i = 0; i < c->count && !crowd_gives_up(c); i++) {
        double quality = take_neighbours(c, i, &a) ? quality_of(f, &a, now_ms) : -INFINITY;
        if (quality >= c->setup.knobs[0]) propose(f, &a, quality);
    }
    if (f->count) qsort(f->games, f->count, sizeof *f->games, best_first);
    for (size_t g = 0; g < f->count; g++) {
        const struct assembly *game = f->games[g].members;
        bool free_of_collisions = true;
        for (uint32_t i = 0; i < game->count; i++)
            free_of_collisions = free_of_collisions && c->waiting[game->members[i]];
        if (free_of_collisions) (void)crowd_match(c, game, now_ms); /* refused: they wait on */
    }
    f->count = 0;
    for (size_t i = 0; i < c->count; i++)
        f->failed[c->by_age[i]] += f->failed[c->by_age[i]] < UINT16_MAX;
}

const struct matcher_kind faf_matcher = {
    .name = "faf",
    .text = "FAF: best-quality neighbours at adaptive pops",
    .knobs = {{.name = "quality", .fallback = 0.4, .grid = {-1, 0, 0.4, 0.6, 0.8, 0.9, 0.95, NAN}},
              {.name = "bonus", .fallback = 0.05, .grid = {0.01, 0.05, NAN}},
              [CROWD_DETOUR_KNOB] = CROWD_DETOUR},
    .open = open,
    .arrive = crowd_arrive,
    .leave = crowd_leave,
    .due_ms = crowd_due_ms,
    .turn = turn,
    .close = shut,
};
