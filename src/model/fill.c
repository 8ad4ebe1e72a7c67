/* fill.c - places newcomers beside those who are there, and has the ruleset judge. */
#include "model/fill.h"

#include "base/mem.h"
#include "model/gather.h"
#include "model/worth.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct places { /* of the match, as far as it is filled */
    uint32_t players[LIMIT_TEAMS];
    double sums[LIMIT_TEAMS]; /* of keys */
    uint32_t total;
};

struct fill {
    const struct fill_ask *ask;
    const struct ruleset *rules;
    const struct ruleset_limits *limits;
    struct places present, now;
    struct worth worth; /* of a patient queue */
    uint32_t region;    /* the pool's number of the match's; 64: none of them */
    uint32_t tries_left;
    struct gathered near;
    struct arena *scratch;
    struct fill_result result;
    double keys[LIMIT_MATCH_PLAYERS]; /* of its tickets */
};

struct fill *fill_new(void) {
    struct fill *f = mem_alloc(sizeof *f);
    f->scratch = arena_new(0);
    return f;
}

void fill_free(struct fill *f) {
    if (!f) return;
    arena_free(f->scratch);
    mem_free(f);
}

/* ---- numbers ---- */

static const struct ruleset_limits *limits_of(const struct fill_ask *ask) {
    const struct backfill *b = ask->backfill;
    return ruleset_limits_at(ask->pool->ruleset, backfill_age_ms(&b->spec, ask->now_ms));
}

static uint32_t region_of(const struct fill_ask *ask) {
    const struct pool *p = ask->pool;
    uint32_t i = 0;
    while (i < p->region_count && !str_equal(p->regions[i], ask->backfill->spec.region))
        i++;
    return i < p->region_count ? i : 64;
}

/* Within the spread that the rules allow with those present. */
static bool key_fits(const struct backfill *b, const struct ruleset_limits *l, double key) {
    double low = fmin(b->key_low, key), high = fmax(b->key_high, key);
    return !(high - low > l->key_spread_max);
}

static bool region_fits(const struct fill_ask *ask, const struct ruleset_limits *l,
                        const struct bin_slot *s, uint32_t region) {
    if (l->latency_ms_max == INT32_MAX) return true;
    if (region > 63) return false;
    return pool_regions_within(ask->pool, s, l->latency_ms_max) >> region & 1;
}

static bool has_room(const struct backfill *b, const struct ruleset_limits *l, uint32_t players) {
    uint32_t taken[LIMIT_TEAMS];
    if (b->player_count + players > l->players_max) return false;
    memset(taken, 0, l->team_count * sizeof *taken);
    for (uint32_t i = 0; i < b->spec.party_count; i++)
        taken[b->team_of[i]] += b->spec.parties[i].player_count;
    for (uint32_t t = 0; t < l->team_count; t++)
        if (taken[t] + players <= l->teams[t].players_max) return true;
    return false;
}

bool fill_may(const struct fill_ask *ask, const struct pool_entry *x) {
    const struct backfill *b = ask->backfill;
    const struct bin_slot *s = pool_slot(x);
    if (x->part->hash != b->partition) return false;
    const struct ruleset_limits *l = limits_of(ask);
    return key_fits(b, l, s->key) && has_room(b, l, s->players) &&
           region_fits(ask, l, s, region_of(ask));
}

/* ---- worth ---- */

/* What he costs is covered by his credit and by how long the match has looked. */
static bool is_worth(const struct fill *f, const struct bin_slot *s) {
    const struct patience *p = f->ask->patience;
    const struct backfill *b = f->ask->backfill;
    if (!p->is_on) return true;
    int64_t waited_ms = f->ask->now_ms - b->spec.created_ms;
    if (waited_ms >= p->deadline_ms) return true;
    double cost = worth_phi(fabs(s->key - b->key) * f->worth.unit);
    if (f->ask->pool->has_regions && f->region < 64) {
        int32_t ms = pool_latency_ms(s, f->region);
        if (ms > 0) cost += worth_ping(ms, (int32_t)bin_travel(s)->best_ms);
    }
    return worth_credit(&f->worth, s) + f->worth.per_ms * (double)waited_ms >= cost;
}

/* ---- placing ---- */

static void seat(struct fill *f, struct places *to, const struct ticket *t, uint32_t team,
                 double key) {
    struct fill_result *r = &f->result;
    f->keys[r->ticket_count] = key;
    r->tickets[r->ticket_count] = t;
    r->team_of[r->ticket_count++] = team;
    r->nodes++;
    to->players[team] += t->player_count;
    to->sums[team] += key * t->player_count;
    to->total += t->player_count;
}

static void unseat(struct fill *f, struct places *from) {
    struct fill_result *r = &f->result;
    const struct ticket *t = r->tickets[--r->ticket_count];
    uint32_t team = r->team_of[r->ticket_count];
    from->players[team] -= t->player_count;
    from->sums[team] -= f->keys[r->ticket_count] * t->player_count;
    from->total -= t->player_count;
}

static uint32_t lack(const struct fill *f, uint32_t team) {
    uint32_t least = f->limits->teams[team].players_min;
    return least > f->now.players[team] ? least - f->now.players[team] : 0;
}

static bool is_complete(const struct fill *f) {
    for (uint32_t t = 0; t < f->limits->team_count; t++)
        if (lack(f, t) > 0) return false;
    return f->now.total >= f->limits->players_min;
}

/* The gap of the teams' means, were the players of such a key in that team. */
static double gap_with(const struct fill *f, uint32_t team, double key, uint32_t players) {
    enum { EVEN_TEAMS = 16 }; /* of more it is not asked: it costs their square */
    if (f->limits->team_count > EVEN_TEAMS) return 0;
    double low = INFINITY, high = -INFINITY;
    for (uint32_t t = 0; t < f->limits->team_count; t++) {
        uint32_t count = f->now.players[t] + (t == team ? players : 0);
        if (count == 0) continue;
        double mean = (f->now.sums[t] + (t == team ? key * players : 0)) / count;
        low = fmin(low, mean);
        high = fmax(high, mean);
    }
    return high - low;
}

/* The best team among those not tried yet (a bit each) with room for the ticket. */
static uint32_t best_team(const struct fill *f, const bool *tried, double key, uint32_t players) {
    uint32_t best = RULESET_NONE;
    double least = 0;
    for (uint32_t t = 0; t < f->limits->team_count; t++) {
        if (tried[t] || f->now.players[t] + players > f->limits->teams[t].players_max) continue;
        double gap = gap_with(f, t, key, players);
        bool better = best == RULESET_NONE || lack(f, t) > lack(f, best) ||
                      (lack(f, t) == lack(f, best) && gap < least);
        if (!better) continue;
        best = t;
        least = gap;
    }
    return best;
}

static bool judge(struct fill *f) {
    struct fill_result *r = &f->result;
    if (f->tries_left == 0) {
        r->truncated = true;
        return false;
    }
    f->tries_left--;
    struct candidate c = {ticket_specs(r->tickets, r->ticket_count, f->scratch), r->team_of,
                          r->ticket_count, r->age_ms};
    struct verdict v = ruleset_evaluate(f->rules, &c, f->scratch);
    arena_reset(f->scratch);
    if (v.legal) r->verdict = v;
    return v.legal;
}

static bool is_present(const struct fill *f, const struct ticket *t) {
    const char *at = NULL;
    for (uint32_t i = 0; i < t->player_count; i++)
        if (backfill_has_player(&f->ask->backfill->spec, ticket_next_player(t, &at))) return true;
    return false;
}

/* Into the first team, best first, with which nothing is wrong. `*legal`: everyone was judged. */
static bool place(struct fill *f, const struct bin_slot *s, bool *legal) {
    const struct ticket *t = s->entry->ticket;
    bool tried[LIMIT_TEAMS] = {false};
    *legal = false;
    if (f->now.total + s->players > f->limits->players_max) return false;
    if (!key_fits(f->ask->backfill, f->limits, s->key)) return false;
    if (!region_fits(f->ask, f->limits, s, f->region)) return false;
    if (!is_worth(f, s) || is_present(f, t)) return false;
    for (uint32_t team; (team = best_team(f, tried, s->key, s->players)) != RULESET_NONE;) {
        tried[team] = true;
        seat(f, &f->now, t, team, s->key);
        if (!is_complete(f)) return true;
        if ((*legal = judge(f))) return true;
        unseat(f, &f->now);
        if (f->tries_left == 0) return false;
    }
    return false;
}

static bool is_full(const struct fill *f) {
    if (f->now.total >= f->limits->players_max) return true;
    for (uint32_t t = 0; t < f->limits->team_count; t++)
        if (f->now.players[t] < f->limits->teams[t].players_max) return false;
    return true;
}

/* From the first of the candidates on and around; how many tickets are in the last legal match. */
static uint32_t place_near(struct fill *f, uint32_t first, const struct pool_entry *x) {
    uint32_t legal_count = 0;
    for (uint32_t k = 0; k < f->near.count && !is_full(f); k++) {
        const struct bin_slot *s = f->near.in_order[(first + k) % f->near.count]->slot;
        bool legal, placed = s->entry != x && place(f, s, &legal);
        if (placed && legal) legal_count = f->result.ticket_count;
        if (!placed && k == 0 && !x) return 0; /* a beginning that leads nowhere */
    }
    return legal_count;
}

/* ---- around the backfill ---- */

static void gather_near(struct fill *f, uint32_t skip) {
    const struct fill_ask *ask = f->ask;
    struct gather_query q = {
        .pool = ask->pool,
        .part = pool_find_part(ask->pool, ask->backfill->partition),
        .key = ask->backfill->key,
        .spread = f->limits->key_spread_max,
        .regions = f->region < 64 ? UINT64_C(1) << f->region : 0,
        .latency_ms_max = f->limits->latency_ms_max,
        .players_max = f->limits->players_max - f->present.total,
        .want = FILL_OPTIONS,
        .skip = skip,
        .visits = FILL_VISITS,
    };
    f->near.count = 0;
    f->near.truncated = false;
    if (!q.part) return;
    if (q.latency_ms_max == INT32_MAX) q.regions = UINT64_MAX;
    gather_run(&f->near, &q);
    gather_sort(&f->near, ask->pool, ask->backfill->tickets[0], f->result.age_ms);
    f->result.nodes += f->near.visited / 64 + 1;
}

/* Only those present, as before any newcomer. */
static void clear(struct fill *f) {
    f->now = f->present;
    f->result.ticket_count = f->result.present;
}

static void begin(struct fill *f, const struct fill_ask *ask) {
    const struct backfill *b = ask->backfill;
    struct fill_result *r = &f->result;
    f->ask = ask;
    f->rules = ask->pool->ruleset;
    f->limits = limits_of(ask);
    f->region = region_of(ask);
    f->tries_left = FILL_TRIES;
    f->present = (struct places){{0}, {0}, 0};
    r->found = r->truncated = false;
    r->nodes = 1;
    r->ticket_count = 0;
    r->age_ms = backfill_age_ms(&b->spec, ask->now_ms);
    for (uint32_t i = 0; i < b->spec.party_count; i++) {
        struct ticket_spec spec = backfill_spec_of(b, i);
        seat(f, &f->present, b->tickets[i], b->team_of[i], ruleset_key(f->rules, &spec));
    }
    r->present = r->ticket_count;
    struct pool_part *part = pool_find_part(ask->pool, b->partition);
    if (ask->patience->is_on && part)
        f->worth = worth_of(ask->patience, f->rules, &part->past->arrivals, ask->now_ms);
    clear(f);
}

static bool found(struct fill *f, uint32_t legal_count) {
    f->result.ticket_count = legal_count;
    return f->result.found = legal_count > f->result.present;
}

/* With x in it. */
static bool fill_around(struct fill *f, struct pool_entry *x) {
    bool legal;
    if (!place(f, pool_slot(x), &legal)) return false;
    uint32_t legal_count = legal ? f->result.ticket_count : 0;
    if (!is_full(f)) {
        gather_near(f, 0);
        uint32_t more = place_near(f, 0, x);
        if (more) legal_count = more;
    }
    return found(f, legal_count);
}

/* With anybody. */
static bool fill_anyhow(struct fill *f) {
    uint32_t skip = f->ask->backfill->skip;
    gather_near(f, skip);
    f->result.truncated = f->near.truncated;
    f->ask->backfill->skip = f->near.truncated ? skip + FILL_OPTIONS / 2 : 0;
    uint32_t firsts = f->near.count < FILL_FIRSTS ? f->near.count : FILL_FIRSTS;
    for (uint32_t first = 0, tried = 0; first < f->near.count && tried < firsts; first++) {
        clear(f);
        uint64_t before = f->result.nodes;
        if (found(f, place_near(f, first, NULL))) return true;
        tried += f->result.nodes > before; /* who is ruled out by numbers costs nothing */
    }
    return false;
}

const struct fill_result *fill_find(struct fill *f, const struct fill_ask *ask,
                                    struct pool_entry *x) {
    assert(ask->backfill->fits);
    begin(f, ask);
    if (is_full(f)) return &f->result;
    f->result.found = x ? fill_around(f, x) : fill_anyhow(f);
    return &f->result;
}

int64_t fill_retry_ms(const struct fill_ask *ask, const struct fill_result *result) {
    enum { TRUNCATED_MS = 1000, AGAIN_MS = 5000, MOST_MS = 60000 };
    const struct backfill_spec *s = &ask->backfill->spec;
    int64_t age_ms = backfill_age_ms(s, ask->now_ms);
    int64_t waited_ms = age_ms - s->waited_ms,
            least_ms = result->truncated ? TRUNCATED_MS : AGAIN_MS;
    int64_t wait_ms = waited_ms / 2 > least_ms ? waited_ms / 2 : least_ms;
    if (wait_ms > MOST_MS) wait_ms = MOST_MS;
    int64_t step_ms = ruleset_next_step_ms(ask->pool->ruleset, age_ms);
    if (step_ms != INT64_MAX && step_ms - age_ms < wait_ms) wait_ms = step_ms - age_ms;
    return ask->now_ms + wait_ms;
}
