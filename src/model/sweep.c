/* sweep.c - stretches of bins, groups of their slots, and the judging of these. */
#include "model/sweep.h"

#include "base/mem.h"
#include "model/group.h"
#include "model/seek.h"
#include "model/split.h"

#include <math.h>
#include <string.h>

enum {
    REFUSALS_MAX = 8,               /* of a class, for one group */
    MISSES_MAX = 32,                /* more than the groups that came about: it leads to nothing */
    PASSED_MAX = 4 * SWEEP_TICKETS, /* of a stretch: the rest is left */
    POINTS_PER_BIN = 6,             /* pool.h: a bin is a sixteenth of 100 */
    AHEAD = 12,                     /* tickets on their way into the cache, so their entries */
};

struct crowd { /* the stretch's tickets of one class */
    const struct bins *bins;
    uint32_t class, bin; /* the next bin */
    struct option *options;
    uint32_t count, head; /* all before `head` are spoken for */
    uint32_t skip, taken; /* those passed before; those that were matched */
    bool cut;             /* the stretch has more than was asked for */
};

struct planned {
    uint32_t first, count; /* in entries and team_of */
    int64_t age_ms;
    double slack; /* points: credit less cost */
};

struct sweep {
    struct pool *pool;
    int64_t now_ms;
    bool shrinking, adds_up; /* of the ruleset: ruleset_key_adds_up */
    uint32_t tickets_max;    /* of a crowd */
    struct worth worth;
    struct crowd crowds[POOL_CLASSES]; /* large parties first */
    uint32_t crowd_count, crowd_of[POOL_CLASSES];
    struct option *options[POOL_CLASSES];
    struct group group;
    struct option *members[LIMIT_MATCH_PLAYERS]; /* of the group, but for its first */
    const struct bin_slot *slots[LIMIT_MATCH_PLAYERS];
    struct split_item items[LIMIT_MATCH_PLAYERS];
    uint32_t roles[LIMIT_MATCH_PLAYERS];
    struct split split;
    struct planned *plan;
    struct pool_entry **entries;
    uint32_t *team_of;
    uint32_t planned, entry_count, taken;
    struct sweep_counts counts;
    bool in_stretch;
    double next; /* where the next stretch begins */
    struct arena *scratch;
    struct pick_result result;
};

struct sweep *sweep_new(void) {
    struct sweep *s = mem_alloc(sizeof *s);
    s->scratch = arena_new(0);
    return s;
}

void sweep_free(struct sweep *s) {
    if (!s) return;
    for (uint32_t i = 0; i < POOL_CLASSES; i++)
        mem_free(s->options[i]);
    mem_free(s->plan);
    mem_free(s->entries);
    mem_free(s->team_of);
    arena_free(s->scratch);
    mem_free(s);
}

/* ---- when, and where next ---- */

static uint32_t clamp(uint64_t tickets) {
    enum { LEAST = 64 };
    if (tickets < LEAST) return LEAST;
    return tickets < SWEEP_TICKETS ? (uint32_t)tickets : SWEEP_TICKETS;
}

bool sweep_is_due(const struct pool *p) {
    if (p->sweep.on) return true;
    return p->sweep.unswept >= SWEEP_MIN && p->fresh_count >= SWEEP_MIN &&
           p->fresh_count >= p->count / 2 && p->parts.count <= SWEEP_PARTS &&
           ruleset_rank_size(p->ruleset) == 0;
}

/* The partition of the least hash from `hash` on; NULL: none. */
static const struct pool_part *part_from(const struct pool *p, uint64_t hash) {
    const struct pool_part *best = NULL, *part;
    for (size_t cursor = 0; (part = map_next(&p->parts, &cursor));) {
        if (part->hash >= hash && (!best || part->hash < best->hash)) best = part;
    }
    return best;
}

static void go_to_next_part(struct pool_sweep *at, const struct pool_part *done) {
    if (done->hash == UINT64_MAX) at->on = false;
    at->part = done->hash + 1;
    at->from = -INFINITY;
    memset(at->passed, 0, sizeof at->passed);
}

/* ---- a stretch ---- */

/* The first bin from `key` on that holds any. */
static uint32_t bin_from(const struct bins *x, double key) {
    uint32_t bin = bins_at(x, key);
    if (x->bins[bin].count == 0 || bins_low(x, bin) < key) bin = bins_next(x, bin);
    return bin;
}

/* Larger parties first: the small ones fill what they leave. */
static void list_crowds(struct sweep *s, const struct pool_part *part,
                        const struct pool_sweep *at) {
    s->crowd_count = 0;
    for (uint32_t size = POOL_SIZES; size-- > 0;) {
        for (uint32_t class = size; class < POOL_CLASSES; class += POOL_SIZES) {
            if (!(part->occupied >> class & 1)) continue;
            const struct bins *bins = &part->classes[class];
            s->crowd_of[class] = s->crowd_count;
            s->crowds[s->crowd_count++] = (struct crowd){.bins = bins,
                                                         .class = class,
                                                         .bin = bin_from(bins, at->from),
                                                         .skip = at->passed[class]};
        }
    }
}

/* The lower edge of the first bin that any crowd has left; INFINITY: none has. */
static double lowest_edge(const struct sweep *s) {
    double low = INFINITY;
    for (uint32_t i = 0; i < s->crowd_count; i++) {
        const struct crowd *c = &s->crowds[i];
        if (c->bin != BINS_NONE) low = fmin(low, bins_low(c->bins, c->bin));
    }
    return low;
}

/* The next block is fetched while this one is read. */
static inline void expect_next(const struct bin_block *b, uint32_t seat, size_t slot_bytes) {
    if (b->next) __builtin_prefetch(bin_seat(b->next, seat, slot_bytes));
}

static void collect_bin(struct sweep *s, struct crowd *c, int32_t latency_ms) {
    size_t slot_bytes = s->pool->blocks.slot_bytes;
    for (const struct bin_block *b = c->bins->bins[c->bin].first; b; b = b->next) {
        for (uint64_t bits = b->used; bits; bits &= bits - 1) {
            uint32_t seat = (uint32_t)__builtin_ctzll(bits);
            expect_next(b, seat, slot_bytes);
            if (c->skip > 0) {
                c->skip--;
                continue;
            }
            if (c->count == s->tickets_max) {
                c->cut = true;
                return;
            }
            const struct bin_slot *slot = bin_seat(b, seat, slot_bytes);
            c->options[c->count++] =
                (struct option){slot, pool_regions_within(s->pool, slot, latency_ms)};
        }
    }
}

static void collect(struct sweep *s, struct crowd *c, double high, int32_t latency_ms) {
    if (!s->options[c->class])
        s->options[c->class] = mem_array(SWEEP_TICKETS, sizeof(struct option));
    c->options = s->options[c->class];
    for (; c->bin != BINS_NONE && bins_low(c->bins, c->bin) < high && !c->cut;
         c->bin = bins_next(c->bins, c->bin))
        collect_bin(s, c, latency_ms);
}

/* ---- groups ---- */

static void make_room(struct sweep *s, uint32_t tickets) {
    s->plan = mem_grow(s->plan, tickets, sizeof *s->plan);
    s->entries = mem_grow(s->entries, tickets, sizeof *s->entries);
    s->team_of = mem_grow(s->team_of, tickets, sizeof *s->team_of);
}

static void skip_taken(struct crowd *c) {
    while (c->head < c->count && !c->options[c->head].slot)
        c->head++;
}

/* Adds the crowd's oldest that fit, as long as there is room. */
static void extend_from(struct sweep *s, struct crowd *c, uint32_t *enough) {
    struct group *g = &s->group;
    uint32_t refusals = 0;
    bool one_size = c->class % POOL_SIZES != POOL_SIZES - 1;
    skip_taken(c);
    for (uint32_t i = c->head; i < c->count && !group_is_full(g) && refusals < REFUSALS_MAX; i++) {
        struct option *o = &c->options[i];
        if (!o->slot) continue;
        enum group_fit fit = group_extend(g, o);
        if (fit == GROUP_NO_ROOM && one_size && !s->shrinking) return;
        if (fit != GROUP_FITS) {
            refusals++;
            continue;
        }
        s->members[g->depth - 2] = o;
        if (group_has_enough(g)) *enough = g->depth;
    }
}

/* The options' regions are those of the loosest latency of all ages. */
static void begin_group(struct sweep *s, const struct option *x) {
    struct group *g = &s->group;
    group_init(g, s->pool, x->slot, s->now_ms, s->shrinking);
    if (!s->pool->has_regions) return;
    g->loosest.latency_ms = s->pool->latency_ms_loosest;
    g->x.regions = x->regions;
    group_begin(g);
}

/* A group around the first of crowd `first`, which has one. */
static bool assemble(struct sweep *s, uint32_t first) {
    struct crowd *c = &s->crowds[first];
    begin_group(s, &c->options[c->head++]);
    uint32_t enough = group_has_enough(&s->group) ? 1 : 0;
    for (uint32_t i = first; i < s->crowd_count && !group_is_full(&s->group); i++)
        extend_from(s, &s->crowds[i], &enough);
    s->group.depth = enough;
    return enough > 0;
}

/* Into `slots`, oldest first, as the evaluator and the split want them. */
static void sort_members(struct sweep *s) {
    const struct group *g = &s->group;
    for (uint32_t i = 0; i < g->depth; i++) {
        uint32_t k = i;
        for (; k > 0 && pool_is_older(g->members[i]->slot, s->slots[k - 1]); k--)
            s->slots[k] = s->slots[k - 1];
        s->slots[k] = g->members[i]->slot;
    }
    for (uint32_t i = 0; i < g->depth; i++) {
        const struct bin_slot *slot = s->slots[i];
        double sum = s->adds_up ? slot->key * slot->players : slot->entry->key_sum;
        s->items[i] = (struct split_item){slot->players, sum};
        s->roles[i] = s->pool->casting ? pool_roles(slot) : 0;
    }
}

static bool split_teams(struct sweep *s, int64_t age_ms) {
    const struct group *g = &s->group;
    const struct ruleset_limits *l = ruleset_limits_at(s->pool->ruleset, age_ms);
    uint32_t players = group_extent(g)->players;
    if (players < l->players_min || players > l->players_max) return false;
    struct split_problem problem = {s->items, g->depth, l->teams, l->team_count, false};
    const struct split_roles roles = {s->pool->casting, s->roles};
    double point = s->pool->bin_width / POINTS_PER_BIN;
    return split_find_soon(&problem, roles.casting ? &roles : NULL, point, &s->split);
}

/* What the group's credit is above its cost, of a patient queue. */
static double slack_of(const struct sweep *s) {
    const struct worth *w = &s->worth;
    double cost = seek_cost(&s->group, w);
    cost += worth_uneven(w, s->items, &s->split, s->group.depth);
    return seek_credit(&s->group, w, NULL) - cost;
}

static bool plan_group(struct sweep *s, uint32_t first) {
    if (!assemble(s, first)) return false;
    struct planned p = {s->entry_count, s->group.depth, group_age_ms(&s->group), 0};
    sort_members(s);
    if (!split_teams(s, p.age_ms)) return false;
    if (s->pool->patience.is_on && (p.slack = slack_of(s)) < 0) return false;
    for (uint32_t i = 0; i < p.count; i++) {
        s->team_of[s->entry_count] = s->split.team_of[i];
        s->entries[s->entry_count++] = s->slots[i]->entry;
    }
    for (uint32_t i = 0; i + 1 < p.count; i++)
        s->members[i]->slot = NULL;
    s->plan[s->planned++] = p;
    return true;
}

static void plan_groups(struct sweep *s) {
    uint32_t misses = 0;
    for (uint32_t i = 0; i < s->crowd_count; i++) {
        struct crowd *c = &s->crowds[i];
        for (skip_taken(c); c->head < c->count; skip_taken(c)) {
            misses += !plan_group(s, i);
            if (misses > MISSES_MAX + s->planned) return;
        }
    }
}

/* ---- groups of two ---- */

static bool is_duel(const struct ruleset_limits *l) {
    return l->team_count == 2 && l->players_min == 2 && l->players_max == 2 &&
           l->teams[0].players_max == 1 && l->teams[1].players_max == 1;
}

/* Whether keys and ages are all there is to know of a pair. */
static bool plays_duels(const struct sweep *s) {
    const struct pool *p = s->pool;
    if (p->has_regions || p->casting || p->avoids || s->shrinking) return false;
    if (s->crowd_count != 1 || s->crowds[0].class != 0) return false;
    int64_t age = 0;
    do {
        if (!is_duel(ruleset_limits_at(p->ruleset, age))) return false;
    } while ((age = ruleset_next_step_ms(p->ruleset, age)) != INT64_MAX);
    return true;
}

struct duels { /* planned straight from the slots, as they stand in the bins */
    bool age_is_newest, patient;
    int64_t now_ms;
    int64_t from_ms, until_ms; /* the ages at which the spread is so */
    double spread;
    const struct bin_slot *waiting; /* without a partner; NULL: none */
    uint32_t misses;
};

static void begin_duels(const struct sweep *s, struct duels *d) {
    const struct pool *p = s->pool;
    *d = (struct duels){.age_is_newest = ruleset_age_is_newest(p->ruleset),
                        .patient = p->patience.is_on,
                        .now_ms = s->now_ms};
}

static double spread_at(const struct ruleset *r, struct duels *d, int64_t age_ms) {
    if (age_ms >= d->from_ms && age_ms < d->until_ms) return d->spread;
    d->from_ms = 0;
    while ((d->until_ms = ruleset_next_step_ms(r, d->from_ms)) <= age_ms)
        d->from_ms = d->until_ms;
    d->spread = ruleset_limits_at(r, age_ms)->key_spread_max;
    return d->spread;
}

/* What plan_group does, for two of one player each. */
static bool plan_pair(struct sweep *s, struct duels *d, const struct bin_slot *a,
                      const struct bin_slot *b) {
    const struct bin_slot *older = pool_is_older(b, a) ? b : a, *younger = older == a ? b : a;
    int64_t created_ms = d->age_is_newest ? younger->created_ms : older->created_ms;
    int64_t age_ms = d->now_ms > created_ms ? d->now_ms - created_ms : 0;
    double apart = fabs(a->key - b->key), slack = 0;
    if (!(apart <= spread_at(s->pool->ruleset, d, age_ms))) return false;
    if (d->patient) {
        slack = (worth_credit(&s->worth, a) + worth_credit(&s->worth, b)) / 2 -
                worth_phi(apart / 2 * s->worth.unit);
        if (slack < 0) return false;
    }
    bool swapped = older->key < younger->key; /* as split_find puts them */
    uint32_t first = s->entry_count;
    s->entries[first] = older->entry;
    s->entries[first + 1] = younger->entry;
    s->team_of[first] = swapped;
    s->team_of[first + 1] = !swapped;
    s->entry_count = first + 2;
    s->plan[s->planned++] = (struct planned){first, 2, age_ms, slack};
    return true;
}

/* The oldest with the next oldest, and so on. */
static void plan_bin(struct sweep *s, struct crowd *c, struct duels *d) {
    for (const struct bin_block *b = c->bins->bins[c->bin].first; b; b = b->next) {
        for (uint64_t bits = b->used; bits; bits &= bits - 1) {
            uint32_t seat = (uint32_t)__builtin_ctzll(bits);
            const struct bin_slot *slot = bin_seat(b, seat, sizeof *slot);
            expect_next(b, seat, sizeof *slot);
            if (c->skip > 0) {
                c->skip--;
                continue;
            }
            if (c->count == s->tickets_max) {
                c->cut = true;
                return;
            }
            c->count++;
            if (d->misses > MISSES_MAX + s->planned) continue;
            bool paired = d->waiting && plan_pair(s, d, d->waiting, slot);
            d->misses += d->waiting && !paired;
            d->waiting = paired ? NULL : slot;
        }
    }
}

static void plan_duels(struct sweep *s, double high) {
    struct crowd *c = &s->crowds[0];
    struct duels d;
    make_room(s, s->tickets_max);
    begin_duels(s, &d);
    for (; c->bin != BINS_NONE && bins_low(c->bins, c->bin) < high && !c->cut;
         c->bin = bins_next(c->bins, c->bin))
        plan_bin(s, c, &d);
}

static void plan_crowds(struct sweep *s, double high) {
    int32_t latency_ms = s->pool->has_regions ? s->pool->latency_ms_loosest : INT32_MAX;
    uint32_t tickets = 0;
    for (uint32_t i = 0; i < s->crowd_count; i++) {
        collect(s, &s->crowds[i], high, latency_ms);
        tickets += s->crowds[i].count;
    }
    make_room(s, tickets);
    plan_groups(s);
}

static void plan_stretch(struct sweep *s, const struct pool_part *part, double low) {
    s->next = fmax(low + s->pool->bin_width, nextafter(low, INFINITY));
    if (s->pool->patience.is_on) {
        s->worth = worth_of(&s->pool->patience, s->pool->ruleset, &part->past->arrivals, s->now_ms);
    }
    if (plays_duels(s))
        plan_duels(s, s->next);
    else
        plan_crowds(s, s->next);
    s->in_stretch = true;
}

/* The rules are such that only the evaluator knows them. */
static bool leads_to_nothing(const struct pool_sweep *at) {
    return at->refused > MISSES_MAX + at->taken;
}

void sweep_plan(struct sweep *s, struct pool *p, int64_t now_ms, struct sweep_plan wanted) {
    struct pool_sweep *at = &p->sweep;
    if (!at->on) *at = (struct pool_sweep){.on = true, .from = -INFINITY};
    s->pool = p;
    s->now_ms = now_ms;
    s->shrinking = wanted.shrinking;
    s->tickets_max = clamp(wanted.tickets);
    s->adds_up = ruleset_key_adds_up(p->ruleset);
    s->planned = s->entry_count = s->taken = 0;
    s->in_stretch = false;
    const struct pool_part *part = part_from(p, at->part);
    if (!part || leads_to_nothing(at)) {
        at->on = false;
        return;
    }
    list_crowds(s, part, at);
    double low = lowest_edge(s);
    if (low < INFINITY)
        plan_stretch(s, part, low);
    else
        go_to_next_part(at, part);
}

/* ---- judging ---- */

/* Of tickets that are judged soon: first the entry, then what it names, so that all their cache
 * misses overlap. */
static void fetch_ahead_of(const struct sweep *s, const struct planned *p) {
    for (uint32_t i = p->first + AHEAD; i < p->first + AHEAD + p->count; i++) {
        if (i + AHEAD < s->entry_count) __builtin_prefetch(s->entries[i + AHEAD], 1);
        if (i < s->entry_count) pool_expect_removal(s->pool, s->entries[i]);
    }
}

static bool judge(struct sweep *s, const struct planned *p) {
    struct pick_result *r = &s->result;
    r->found = true;
    r->ticket_count = p->count;
    r->age_ms = p->age_ms;
    for (uint32_t i = 0; i < p->count; i++) {
        r->tickets[i] = s->entries[p->first + i]->ticket;
        r->team_of[i] = s->team_of[p->first + i];
    }
    const struct ruleset *rules = s->pool->ruleset;
    struct candidate c = {ticket_specs(r->tickets, r->ticket_count, s->scratch), r->team_of,
                          r->ticket_count, r->age_ms};
    r->verdict = ruleset_evaluate(rules, &c, s->scratch);
    bool taken = r->verdict.legal;
    if (taken && s->pool->patience.is_on && ruleset_has_soft_cost(rules))
        taken = ruleset_soft_cost(rules, &c, r->verdict.region, s->scratch) <= p->slack;
    arena_reset(s->scratch);
    return taken;
}

static void count_taken(struct sweep *s) {
    const struct planned *p = &s->plan[s->taken - 1];
    for (uint32_t i = 0; i < p->count; i++)
        s->crowds[s->crowd_of[s->entries[p->first + i]->class]].taken++;
}

/* To the next stretch, or to what this one still has. */
static void go_on(struct sweep *s) {
    struct pool_sweep *at = &s->pool->sweep;
    uint64_t passed = 0;
    bool cut = false;
    for (uint32_t i = 0; i < s->crowd_count; i++) {
        const struct crowd *c = &s->crowds[i];
        passed += at->passed[c->class] += c->count - c->taken;
        cut = cut || c->cut;
    }
    s->in_stretch = false;
    if (cut && passed <= PASSED_MAX) return;
    at->from = s->next;
    memset(at->passed, 0, sizeof at->passed);
}

struct sweep_counts sweep_counted(const struct sweep *s) {
    return s->counts;
}

const struct pick_result *sweep_take(struct sweep *s) {
    while (s->taken < s->planned) {
        fetch_ahead_of(s, &s->plan[s->taken]);
        if (judge(s, &s->plan[s->taken++])) {
            s->counts.taken++;
            s->pool->sweep.taken++;
            count_taken(s);
            return &s->result;
        }
        s->counts.refused++;
        s->pool->sweep.refused++;
    }
    if (s->in_stretch) go_on(s);
    return NULL;
}
