/* pick.c - builds groups around one ticket and has the ruleset judge them. */
#include "model/pick.h"

#include "base/mem.h"
#include "model/gather.h"
#include "model/split.h"

#include <math.h>
#include <string.h>

/* A ruleset's limits as far as they may cut a search short: at one age, or where expansions may
 * shrink, the loosest of all ages. */
struct bounds {
    const struct ruleset_limits *sizes;
    double spread;
    int32_t latency_ms;
    uint32_t players_min;
};

/* What a group of the first n members has come to. */
struct extent {
    uint32_t players;
    bool solos; /* tickets of one player only */
    double low, high;
    int64_t oldest_ms, newest_ms;
    uint64_t regions;
    const struct ruleset_limits *sizes;
};

struct pick {
    const struct pool *pool;
    const struct ruleset *ruleset;
    int64_t now_ms;
    bool shrinking;
    struct bounds loosest;
    struct option x;
    struct gathered near;
    const struct option *members[LIMIT_MATCH_PLAYERS]; /* the first is x */
    struct extent extents[LIMIT_MATCH_PLAYERS];        /* of members[0..i] */
    uint32_t depth;
    uint32_t tries_left, fills_left;
    bool splits_left_out; /* an attempt failed without seeing all its splits */
    struct split_item items[LIMIT_MATCH_PLAYERS]; /* the members of an attempt */
    struct split splits[SPLIT_RESULTS];
    struct arena *scratch;
    struct pick_result result;
};

struct key_window {
    double low, high;
};

static const struct key_window everywhere = {-INFINITY, INFINITY};

struct pick *pick_new(void) {
    struct pick *p = mem_alloc(sizeof *p);
    p->scratch = arena_new(0);
    return p;
}

void pick_free(struct pick *p) {
    if (!p) return;
    arena_free(p->scratch);
    mem_free(p);
}

/* ---- limits ---- */

static int64_t age_since(const struct pick *p, int64_t created_ms) {
    return p->now_ms > created_ms ? p->now_ms - created_ms : 0;
}

static int64_t group_age(const struct pick *p, const struct extent *e) {
    return age_since(p, ruleset_age_is_newest(p->ruleset) ? e->newest_ms : e->oldest_ms);
}

static struct bounds bounds_of(const struct ruleset_limits *l) {
    return (struct bounds){l, l->key_spread_max, l->latency_ms_max, l->players_min};
}

static struct bounds bounds_at(const struct pick *p, int64_t age_ms) {
    return p->shrinking ? p->loosest : bounds_of(ruleset_limits_at(p->ruleset, age_ms));
}

static struct bounds loosest_of_all_ages(const struct ruleset *r) {
    struct bounds b = bounds_of(ruleset_limits_at(r, 0));
    for (int64_t age = 0; (age = ruleset_next_step_ms(r, age)) != INT64_MAX;) {
        struct bounds step = bounds_of(ruleset_limits_at(r, age));
        if (step.sizes->players_max > b.sizes->players_max) b.sizes = step.sizes;
        if (step.spread > b.spread) b.spread = step.spread;
        if (step.latency_ms > b.latency_ms) b.latency_ms = step.latency_ms;
        if (step.players_min < b.players_min) b.players_min = step.players_min;
    }
    return b;
}

/* The loosest limits a group with x can have now: no group is younger than its youngest member,
 * none is older than the queue's oldest ticket. */
static struct bounds loosest_for(const struct pick *p) {
    if (p->shrinking) return loosest_of_all_ages(p->ruleset);
    int64_t since = ruleset_age_is_newest(p->ruleset) ? p->x.slot->created_ms
                                                      : pool_oldest(p->pool)->created_ms;
    return bounds_of(ruleset_limits_at(p->ruleset, age_since(p, since)));
}

/* ---- groups ---- */

static void begin_group(struct pick *p) {
    const struct bin_slot *x = p->x.slot;
    p->members[0] = &p->x;
    p->extents[0] = (struct extent){x->players,    x->players == 1, x->key,       x->key,
                                    x->created_ms, x->created_ms,   p->x.regions, NULL};
    p->extents[0].sizes = bounds_at(p, group_age(p, &p->extents[0])).sizes;
    p->depth = 1;
}

static const struct extent *extent_now(const struct pick *p) {
    return &p->extents[p->depth - 1];
}

static bool has_common_region(const struct pick *p, const struct extent *e, int32_t latency_ms,
                              const struct option *coming) {
    if (latency_ms == INT32_MAX) return true;
    if (e->regions == 0) return false;
    if (latency_ms == p->loosest.latency_ms) return true;
    uint64_t set = pool_regions_within(p->pool, coming->slot, latency_ms);
    for (uint32_t i = 0; i < p->depth && set; i++) {
        set &= pool_regions_within(p->pool, p->members[i]->slot, latency_ms);
    }
    return set != 0;
}

static bool packs_with(const struct pick *p, const struct extent *e, const struct option *coming) {
    if (e->solos) return true; /* the total was checked */
    if (coming->slot->players == 1 && e->sizes == extent_now(p)->sizes)
        return true; /* fits any gap */
    uint32_t sizes[LIMIT_MATCH_PLAYERS];
    for (uint32_t i = 0; i < p->depth; i++)
        sizes[i] = p->members[i]->slot->players;
    sizes[p->depth] = coming->slot->players;
    return split_fits(sizes, p->depth + 1, e->sizes->teams, e->sizes->team_count);
}

enum fit { FIT_YES, FIT_NO, FIT_NO_ROOM };

/* Takes the option into the group where the known limits still hold. */
static enum fit extend(struct pick *p, const struct option *o) {
    const struct bin_slot *s = o->slot;
    struct extent e = *extent_now(p);
    e.players += s->players;
    e.solos = e.solos && s->players == 1;
    e.low = s->key < e.low ? s->key : e.low;
    e.high = s->key > e.high ? s->key : e.high;
    e.oldest_ms = s->created_ms < e.oldest_ms ? s->created_ms : e.oldest_ms;
    e.newest_ms = s->created_ms > e.newest_ms ? s->created_ms : e.newest_ms;
    e.regions &= o->regions;
    struct bounds b = bounds_at(p, group_age(p, &e));
    e.sizes = b.sizes;
    if (!(e.high - e.low <= b.spread)) return FIT_NO;
    if (!has_common_region(p, &e, b.latency_ms, o)) return FIT_NO;
    if (e.players > b.sizes->players_max || !packs_with(p, &e, o)) return FIT_NO_ROOM;
    p->members[p->depth] = o;
    p->extents[p->depth++] = e;
    return FIT_YES;
}

static bool has_enough(const struct pick *p) {
    const struct extent *e = extent_now(p);
    return e->players >= bounds_at(p, group_age(p, e)).players_min;
}

static bool is_full(const struct pick *p) {
    return extent_now(p)->players == extent_now(p)->sizes->players_max;
}

static uint32_t wrapped(uint32_t i, uint32_t count) {
    return i < count ? i : i - count;
}

/* Fills the group from the candidates, oldest first from the `first`-th on and then around;
 * cuts it to its largest beginning that has enough players. False: there is none. */
static bool fill(struct pick *p, struct key_window w, uint32_t first) {
    begin_group(p);
    p->result.nodes++;
    uint32_t enough = has_enough(p) ? p->depth : 0;
    uint32_t too_big = UINT32_MAX; /* the smallest ticket there was no room for */
    for (uint32_t k = 0; k < p->near.count && !is_full(p); k++) {
        const struct option *o = p->near.in_order[wrapped(first + k, p->near.count)];
        const struct bin_slot *s = o->slot;
        if (s->players >= too_big || s->key < w.low || s->key > w.high) continue;
        enum fit fit = extend(p, o);
        if (fit == FIT_NO_ROOM && !p->shrinking) too_big = s->players;
        if (fit == FIT_YES && has_enough(p)) enough = p->depth;
        if (fit != FIT_YES && k == 0 && first > 0) return false;
    }
    p->depth = enough;
    return enough > 0;
}

/* ---- judging ---- */

static uint32_t sort_members(const struct pick *p, struct split_item *items,
                             const struct ticket **tickets) {
    const struct bin_slot *sorted[LIMIT_MATCH_PLAYERS];
    for (uint32_t i = 0; i < p->depth; i++) {
        uint32_t k = i;
        for (; k > 0 && pool_is_older(p->members[i]->slot, sorted[k - 1]); k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = p->members[i]->slot;
    }
    for (uint32_t i = 0; i < p->depth; i++) {
        items[i] = (struct split_item){sorted[i]->players, sorted[i]->entry->key_sum};
        tickets[i] = sorted[i]->entry->ticket;
    }
    return p->depth;
}

static bool judge(struct pick *p, const struct split *s) {
    struct pick_result *r = &p->result;
    for (uint32_t i = 0; i < r->ticket_count; i++)
        r->team_of[i] = s->team_of[i];
    struct candidate c = {r->tickets, r->team_of, r->ticket_count, r->age_ms};
    r->nodes++;
    if (p->tries_left) p->tries_left--;
    r->verdict = ruleset_evaluate(p->ruleset, &c, p->scratch);
    arena_reset(p->scratch);
    return r->found = r->verdict.legal;
}

static bool is_split(const struct split *s, const uint32_t *team_of, uint32_t count) {
    return memcmp(s->team_of, team_of, count * sizeof *team_of) == 0;
}

/* The evenest split first; where the rules refuse it, those that differ by more than team names. */
static bool attempt(struct pick *p) {
    struct pick_result *r = &p->result;
    r->ticket_count = sort_members(p, p->items, r->tickets);
    r->age_ms = group_age(p, extent_now(p));
    const struct ruleset_limits *l = ruleset_limits_at(p->ruleset, r->age_ms);
    uint32_t players = extent_now(p)->players;
    if (players < l->players_min || players > l->players_max) return false;
    struct split_problem problem = {p->items, r->ticket_count, l->teams, l->team_count, false};
    if (split_find(&problem, p->splits, 1) == 0) return false;
    if (judge(p, &p->splits[0])) return true;
    if (l->team_count == 1) return false;
    uint32_t refused[LIMIT_MATCH_PLAYERS];
    memcpy(refused, r->team_of, r->ticket_count * sizeof *refused);
    problem.names_matter = true;
    uint32_t count = split_find(&problem, p->splits, SPLIT_RESULTS);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_split(&p->splits[i], refused, r->ticket_count) && judge(p, &p->splits[i])) {
            return true;
        }
    }
    if (count == SPLIT_RESULTS || r->ticket_count > SPLIT_EXACT_ITEMS) p->splits_left_out = true;
    return false;
}

/* ---- the four ways, in order ---- */

static bool may_go_on(struct pick *p) {
    if (p->tries_left > 0 && p->fills_left > 0) {
        p->fills_left--;
        return true;
    }
    p->result.truncated = true;
    return false;
}

static double key_at(const struct pick *p, uint32_t i) { /* by key, x at its place */
    if (i == p->near.below) return p->x.slot->key;
    return p->near.by_key[i < p->near.below ? i : i - 1]->slot->key;
}

static uint32_t players_at(const struct pick *p, uint32_t i) {
    if (i == p->near.below) return p->x.slot->players;
    return p->near.by_key[i < p->near.below ? i : i - 1]->slot->players;
}

/* True ends the visit: a match, or no more may be tried. */
static bool try_window(struct pick *p, struct key_window w, bool *found) {
    *found = false;
    if (!may_go_on(p)) return true;
    return *found = fill(p, w, 0) && attempt(p);
}

/* Visits the key windows that start at a candidate, hold x, and hold enough players. With
 * `search`, fills and judges each; without, stops at the first: is there any? */
static bool visit_windows(struct pick *p, bool search) {
    uint32_t end = 0, total = p->near.count + 1, players = 0;
    bool found = !search;
    for (uint32_t start = 0; start <= p->near.below; start++) {
        double low = key_at(p, start);
        while (end < total && key_at(p, end) - low <= p->loosest.spread) {
            players += players_at(p, end++);
        }
        if (players >= p->loosest.players_min && end > p->near.below) {
            struct key_window w = {low, key_at(p, end - 1)};
            if (!search || try_window(p, w, &found)) return found;
        }
        if (end > start)
            players -= players_at(p, start);
        else
            end = start + 1;
    }
    return false;
}

static bool try_each_as_first(struct pick *p) {
    uint32_t n = p->near.count;
    uint32_t offset = n ? p->x.slot->entry->retries * (PICK_TRIES / (SPLIT_RESULTS + 2)) % n : 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t first = (offset + k) % n;
        if (first == 0) continue; /* that was the first way */
        if (!may_go_on(p)) return false;
        if (fill(p, everywhere, first) && attempt(p)) return true;
    }
    return false;
}

static bool try_every_subset(struct pick *p, uint32_t from) {
    for (uint32_t i = from; i < p->near.count; i++) {
        if (!may_go_on(p)) return false;
        p->result.nodes++;
        if (extend(p, p->near.in_order[i]) != FIT_YES) continue;
        if (try_every_subset(p, i + 1)) return true;
        p->depth--;
    }
    return has_enough(p) && attempt(p);
}

/* Of two players: each candidate in turn, the oldest first, then x alone. */
static bool search_pairs(struct pick *p) {
    struct gathered *g = &p->near;
    for (uint32_t k = 0; k < g->count; k++) {
        for (uint32_t i = k + 1; i < g->count; i++) {
            if (!pool_is_older(g->options[i].slot, g->options[k].slot)) continue;
            struct option older = g->options[i];
            g->options[i] = g->options[k];
            g->options[k] = older;
        }
        if (!may_go_on(p)) return false;
        begin_group(p);
        p->result.nodes++;
        if (extend(p, &g->options[k]) == FIT_YES && has_enough(p) && attempt(p)) return true;
    }
    begin_group(p);
    return has_enough(p) && attempt(p);
}

static bool has_enough_near(const struct pick *p) {
    uint32_t players = p->x.slot->players;
    for (uint32_t i = 0; i < p->near.count && players < p->loosest.players_min; i++)
        players += p->near.options[i].slot->players;
    return players >= p->loosest.players_min;
}

/* Every subset of few candidates. Of more, nothing is left to see when a match has two tickets at
 * most, for the third way saw each pair: but for x alone. */
static bool search_subsets(struct pick *p) {
    enum { SUBSETS_OF_MAX = 14 };
    bool pairs = p->loosest.sizes->players_max <= 2;
    begin_group(p);
    if (p->near.count > SUBSETS_OF_MAX) {
        if (pairs) return has_enough(p) && attempt(p);
        p->result.truncated = true;
        return false;
    }
    p->tries_left = 4 * PICK_TRIES;
    p->fills_left = 1u << SUBSETS_OF_MAX;
    p->result.truncated = p->near.truncated;
    return try_every_subset(p, 0);
}

static bool search_gathered(struct pick *p, uint32_t tries) {
    bool pairs = p->loosest.sizes->players_max <= 2;
    p->tries_left = pairs ? 4 * PICK_TRIES : tries;
    p->fills_left = PICK_FILLS;
    p->splits_left_out = false;
    p->result.truncated = p->near.truncated;
    p->result.nodes += p->near.visited / 64 + 1;
    if (!has_enough_near(p)) return false;
    if (pairs && ruleset_rank_size(p->ruleset) == 0) return search_pairs(p);
    gather_sort(&p->near, p->ruleset, p->x.slot->entry, age_since(p, p->x.slot->created_ms));
    gather_sort_keys(&p->near, p->x.slot->key);
    if (!visit_windows(p, false)) return false;
    if (fill(p, everywhere, 0) && attempt(p)) return true;
    if (!pairs && isfinite(p->loosest.spread) && visit_windows(p, true)) return true;
    if (try_each_as_first(p) || search_subsets(p)) return true;
    if (p->splits_left_out) p->result.truncated = true;
    return false;
}

/* ---- one ticket ---- */

static void gather_around(struct pick *p, uint32_t want, uint32_t skip) {
    struct gather_query q = {
        .pool = p->pool,
        .x = p->x.slot->entry,
        .spread = p->loosest.spread,
        .latency_ms_max = p->loosest.latency_ms,
        .players_max = p->loosest.sizes->players_max - p->x.slot->players,
        .want = want,
        .skip = skip,
        .visits = PICK_VISITS,
    };
    gather_run(&p->near, &q);
}

static bool can_match_at_all(const struct pick *p) {
    return p->x.slot->players <= p->loosest.sizes->players_max && p->x.regions != 0 &&
           p->x.slot->entry->part->players >= p->loosest.players_min;
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Fewer where a wider look is still to come. */
static uint32_t tries_near(const struct pick *p) {
    return p->near.truncated ? PICK_TRIES / 4 : PICK_TRIES;
}

/* Near ones first: in a crowd they are enough. A retry starts farther away each time, until it
 * has seen the whole window. */
static bool search_around(struct pick *p) {
    struct pool_entry *x = p->x.slot->entry;
    uint32_t players = p->loosest.sizes->players_max;
    uint32_t most = clamp(2 * players, PICK_OPTIONS, GATHER_MAX);
    if (x->skip > 0 && x->skip <= PICK_SKIP_MAX) {
        gather_around(p, most, x->skip);
        if (p->near.count > 0 && search_gathered(p, PICK_TRIES)) return true;
        if (p->near.truncated) {
            x->skip += PICK_OPTIONS / 2;
            p->result.truncated = true; /* whatever subsets said: this was a part */
            return false;
        }
    }
    x->skip = 0;
    if (ruleset_rank_size(p->ruleset) == 0) { /* a sort wants to choose among many */
        gather_around(p, clamp(4 * players, 16, most), 0);
        if (search_gathered(p, tries_near(p))) return true;
        if (!p->near.truncated) return false;
    }
    gather_around(p, most, 0);
    if (search_gathered(p, PICK_TRIES)) return true;
    if (p->near.truncated) x->skip = PICK_OPTIONS / 2;
    return false;
}

const struct pick_result *pick_find(struct pick *p, const struct pool *pool, struct pool_entry *x,
                                    int64_t now_ms, bool shrinking) {
    p->pool = pool;
    p->ruleset = pool->ruleset;
    p->now_ms = now_ms;
    p->shrinking = shrinking;
    p->x = (struct option){pool_slot(x), UINT64_MAX};
    p->loosest = loosest_for(p);
    p->x.regions = pool_regions_within(pool, p->x.slot, p->loosest.latency_ms);
    p->result.found = p->result.truncated = false;
    p->result.nodes = 1;
    if (!can_match_at_all(p)) {
        x->retries = x->skip = 0;
        return &p->result;
    }
    p->result.found = search_around(p);
    if (!p->result.found) x->retries = p->result.truncated ? x->retries + 1 : 0;
    return &p->result;
}

int64_t pick_retry_ms(const struct pool *pool, const struct pool_entry *x, int64_t now_ms,
                      bool truncated) {
    enum { RETRY_MIN_MS = 1000 };
    int64_t age = now_ms > x->created_ms ? now_ms - x->created_ms : 0;
    int64_t step = ruleset_next_step_ms(pool->ruleset, age);
    int64_t due = step == INT64_MAX ? INT64_MAX : x->created_ms + step;
    if (!truncated) return due;
    int64_t retry = now_ms + (age / 2 > RETRY_MIN_MS ? age / 2 : RETRY_MIN_MS);
    return retry < due ? retry : due;
}
