/* pick.c - builds groups around one ticket and has the ruleset judge them. */
#include "model/pick.h"

#include "base/mem.h"
#include "model/group.h"
#include "model/seek.h"
#include "model/split.h"

#include <math.h>
#include <string.h>

struct pick {
    const struct ruleset *ruleset;
    struct group group;
    struct gathered near;
    bool patient;
    struct worth worth;
    struct seek seek;
    struct seek_payers payers;
    uint32_t tries_left, fills_left;
    bool splits_left_out; /* an attempt failed without seeing all its splits */
    bool refused;         /* an attempt failed by the rules */
    double bare;          /* points, of the attempt: but for teams and soft costs */
    double cost;          /* points, of the attempt, as far as it is known */
    double lacked;        /* the least cost of the attempt that was not covered */
    const struct bin_slot *slots[LIMIT_MATCH_PLAYERS]; /* the members of an attempt */
    struct split_item items[LIMIT_MATCH_PLAYERS];      /* likewise */
    uint32_t roles[LIMIT_MATCH_PLAYERS];
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

static int64_t age_since(const struct pick *p, int64_t created_ms) {
    return p->group.now_ms > created_ms ? p->group.now_ms - created_ms : 0;
}

/* ---- groups ---- */

static uint32_t wrapped(uint32_t i, uint32_t count) {
    return i < count ? i : i - count;
}

/* Fills the group from the candidates, oldest first from the `first`-th on and then around;
 * cuts it to its largest beginning that has enough players. False: there is none. */
static bool fill(struct pick *p, struct key_window w, uint32_t first) {
    struct group *g = &p->group;
    group_begin(g);
    p->result.nodes++;
    uint32_t enough = group_has_enough(g) ? g->depth : 0;
    uint32_t too_big = UINT32_MAX; /* the smallest ticket there was no room for */
    for (uint32_t k = 0; k < p->near.count && !group_is_full(g); k++) {
        const struct option *o = p->near.in_order[wrapped(first + k, p->near.count)];
        const struct bin_slot *s = o->slot;
        if (s->players >= too_big || s->key < w.low || s->key > w.high) continue;
        enum group_fit fit = group_extend(g, o);
        if (fit == GROUP_NO_ROOM && !g->shrinking) too_big = s->players;
        if (fit == GROUP_FITS && group_has_enough(g)) enough = g->depth;
        if (fit != GROUP_FITS && k == 0 && first > 0) return false;
    }
    g->depth = enough;
    return enough > 0;
}

/* ---- judging ---- */

static uint32_t sort_members(struct pick *p) {
    const struct group *g = &p->group;
    const struct bin_slot **sorted = p->slots;
    for (uint32_t i = 0; i < g->depth; i++) {
        uint32_t k = i;
        for (; k > 0 && pool_is_older(g->members[i]->slot, sorted[k - 1]); k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = g->members[i]->slot;
    }
    for (uint32_t i = 0; i < g->depth; i++) {
        p->items[i] = (struct split_item){sorted[i]->players, sorted[i]->entry->key_sum};
        p->roles[i] = g->pool->casting ? pool_roles(sorted[i]) : 0;
        p->result.tickets[i] = sorted[i]->entry->ticket;
    }
    return g->depth;
}

/* When its payers' credit will cover its cost is when x is to be searched again. */
static void note_due(struct pick *p, double cost) {
    struct worth_group lacking = {p->payers.slots, p->payers.count, p->payers.players, cost};
    int64_t now_ms = p->group.now_ms, due_ms = worth_affordable_ms(&p->worth, &lacking);
    if (due_ms <= now_ms) due_ms = now_ms + 1;
    if (due_ms < p->result.due_ms) p->result.due_ms = due_ms;
}

/* Its specs are in scratch. */
static struct candidate candidate_of(const struct pick *p) {
    const struct pick_result *r = &p->result;
    return (struct candidate){ticket_specs(r->tickets, r->ticket_count, p->scratch), r->team_of,
                              r->ticket_count, r->age_ms};
}

static bool is_covered(struct pick *p) {
    if (seek_credit(&p->group, &p->worth, &p->payers) >= p->cost) return true;
    if (p->cost < p->lacked) p->lacked = p->cost;
    note_due(p, p->cost);
    return false;
}

/* Whether the members' credit covers what the group costs in these teams. */
static bool is_worth(struct pick *p, const struct split *s) {
    p->cost = p->bare + worth_uneven(&p->worth, p->items, s, p->group.depth);
    return is_covered(p);
}

/* And what only a legal match is known to cost. */
static bool is_worth_softly(struct pick *p, const struct candidate *c) {
    if (!p->patient || !ruleset_has_soft_cost(p->ruleset)) return true;
    p->cost += ruleset_soft_cost(p->ruleset, c, p->result.verdict.region, p->scratch);
    return is_covered(p);
}

static bool judge(struct pick *p, const struct split *s) {
    struct pick_result *r = &p->result;
    for (uint32_t i = 0; i < r->ticket_count; i++)
        r->team_of[i] = s->team_of[i];
    struct candidate c = candidate_of(p);
    r->nodes++;
    if (p->tries_left) p->tries_left--;
    r->verdict = ruleset_evaluate(p->ruleset, &c, p->scratch);
    p->refused = p->refused || !r->verdict.legal;
    if (!r->verdict.legal) r->refused_by = r->verdict.failed_rule;
    r->found = r->verdict.legal && is_worth_softly(p, &c);
    arena_reset(p->scratch);
    return r->found;
}

static bool is_split(const struct split *s, const uint32_t *team_of, uint32_t count) {
    return memcmp(s->team_of, team_of, count * sizeof *team_of) == 0;
}

/* The evenest split first; where the rules refuse it, those that differ by more than team names. */
static bool attempt_group(struct pick *p) {
    struct pick_result *r = &p->result;
    struct group *g = &p->group;
    r->ticket_count = sort_members(p);
    r->age_ms = group_age_ms(g);
    const struct ruleset_limits *l = ruleset_limits_at(p->ruleset, r->age_ms);
    uint32_t players = group_extent(g)->players;
    if (players < l->players_min || players > l->players_max) return false;
    struct split_problem problem = {p->items, r->ticket_count, l->teams, l->team_count, false};
    const struct split_roles roles = {g->pool->casting, p->roles},
                             *cast = roles.casting ? &roles : NULL;
    if (split_find_cast(&problem, cast, p->splits, 1) == 0) return false;
    if (p->patient && !is_worth(p, &p->splits[0])) return false;
    if (judge(p, &p->splits[0])) return true;
    if (l->team_count == 1) return false;
    MEM_UNCLEARED uint32_t refused[LIMIT_MATCH_PLAYERS];
    memcpy(refused, p->splits[0].team_of, r->ticket_count * sizeof *refused);
    problem.names_matter = true;
    uint32_t count = split_find_cast(&problem, cast, p->splits, SPLIT_RESULTS);
    for (uint32_t i = 0; i < count; i++) {
        if (is_split(&p->splits[i], refused, r->ticket_count)) continue;
        if (p->patient && !is_worth(p, &p->splits[i])) return false; /* the rest are less even */
        if (judge(p, &p->splits[i])) return true;
    }
    if (count == SPLIT_RESULTS || r->ticket_count > SPLIT_EXACT_ITEMS) p->splits_left_out = true;
    return false;
}

static bool attempt(struct pick *p) {
    if (p->patient) p->bare = seek_cost(&p->group, &p->worth);
    return attempt_group(p);
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

static const struct bin_slot *slot_at(const struct pick *p, uint32_t i) { /* by key, x in place */
    if (i == p->near.below) return p->group.x.slot;
    return p->near.by_key[i < p->near.below ? i : i - 1]->slot;
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
    const struct group_bounds *loosest = &p->group.loosest;
    uint32_t end = 0, total = p->near.count + 1, players = 0;
    bool found = !search;
    for (uint32_t start = 0; start <= p->near.below; start++) {
        double low = slot_at(p, start)->key;
        while (end < total && slot_at(p, end)->key - low <= loosest->spread) {
            players += slot_at(p, end++)->players;
        }
        if (players >= loosest->players_min && end > p->near.below) {
            struct key_window w = {low, slot_at(p, end - 1)->key};
            if (!search || try_window(p, w, &found)) return found;
        }
        if (end > start)
            players -= slot_at(p, start)->players;
        else
            end = start + 1;
    }
    return false;
}

static bool try_each_as_first(struct pick *p) {
    uint32_t n = p->near.count, retries = p->group.x.slot->entry->retries;
    uint32_t offset = n ? retries * (PICK_TRIES / (SPLIT_RESULTS + 2)) % n : 0;
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
        if (group_extend(&p->group, p->near.in_order[i]) != GROUP_FITS) continue;
        if (try_every_subset(p, i + 1)) return true;
        p->group.depth--;
    }
    return group_has_enough(&p->group) && attempt(p);
}

static bool try_alone(struct pick *p) {
    group_begin(&p->group);
    return group_has_enough(&p->group) && attempt(p);
}

/* Every subset of few candidates. Of more, nothing is left to see when a match has two tickets at
 * most, for the third way saw each pair: but for x alone. */
static bool search_subsets(struct pick *p) {
    enum { SUBSETS_OF_MAX = 14 };
    if (p->near.count > SUBSETS_OF_MAX) {
        if (p->group.loosest.sizes->players_max <= 2) return try_alone(p);
        p->result.truncated = true;
        return false;
    }
    group_begin(&p->group);
    p->tries_left = 4 * PICK_TRIES;
    p->fills_left = 1u << SUBSETS_OF_MAX;
    p->result.truncated = p->near.truncated;
    return try_every_subset(p, 0);
}

/* Of two players: each candidate in turn, the oldest first, then x alone. */
static bool search_pairs(struct pick *p) {
    struct gathered *near = &p->near;
    for (uint32_t k = 0; k < near->count; k++) {
        for (uint32_t i = k + 1; i < near->count; i++) {
            if (!pool_is_older(near->options[i].slot, near->options[k].slot)) continue;
            struct option older = near->options[i];
            near->options[i] = near->options[k];
            near->options[k] = older;
        }
        if (!may_go_on(p)) return false;
        group_begin(&p->group);
        p->result.nodes++;
        if (group_extend(&p->group, &near->options[k]) != GROUP_FITS) continue;
        if (group_has_enough(&p->group) && attempt(p)) return true;
    }
    return try_alone(p);
}

static bool has_enough_near(const struct pick *p) {
    uint32_t players = p->group.x.slot->players, wanted = p->group.loosest.players_min;
    for (uint32_t i = 0; i < p->near.count && players < wanted; i++)
        players += p->near.options[i].slot->players;
    return players >= wanted;
}

/* As unlike another ticket's as its id, which is farther away. Mixed as in splitmix64. */
static uint64_t slot_hash(const struct bin_slot *s) {
    uint64_t z = ((uint64_t)s->created_ms << 23 | s->tie) + ranking_bits(s->key);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Of the group's tickets, whatever their order, and of the expansion step at which it is judged. */
static uint64_t group_hash(const struct group *g) {
    uint64_t hash = (uint64_t)ruleset_next_step_ms(g->pool->ruleset, group_age_ms(g));
    for (uint32_t i = 0; i < g->depth; i++)
        hash += slot_hash(g->members[i]->slot);
    return hash;
}

/* Of a group that was found wanting before, only when it is no more. */
static bool attempt_best(struct pick *p, struct wanting *known) {
    bool has_splits = p->group.depth > 2; /* of two tickets there is one, soon judged */
    uint64_t group = has_splits ? group_hash(&p->group) : 0;
    double least = has_splits ? wanting_cost(known, group) : 0;
    p->bare = seek_cost(&p->group, &p->worth);
    p->cost = least > p->bare ? least : p->bare;
    if (!is_covered(p)) return false;
    p->lacked = INFINITY;
    if (attempt_group(p)) return true;
    if (has_splits && !p->refused && p->lacked < INFINITY) wanting_note(known, group, p->lacked);
    return false;
}

/* The best group by contribution. False: none is worth it yet, or it must be sought otherwise
 * (p->refused): rules that only the evaluator knows refuse it, or x is urgent and none was found.
 */
static bool search_best(struct pick *p) {
    bool any = seek_best(&p->seek, &p->group, &p->near, &p->worth);
    p->result.nodes += p->seek.groups;
    p->refused = !any && worth_credit(&p->worth, p->group.x.slot) >= WORTH_URGENT;
    return any && attempt_best(p, &p->group.x.slot->entry->part->wanting);
}

static bool search_gathered(struct pick *p, uint32_t tries) {
    bool pairs = p->group.loosest.sizes->players_max <= 2;
    bool unordered = ruleset_rank_size(p->ruleset) == 0;
    p->tries_left = pairs ? 4 * PICK_TRIES : tries;
    p->fills_left = PICK_FILLS;
    p->splits_left_out = false;
    p->result.truncated = p->near.truncated;
    p->result.nodes += p->near.visited / 64 + 1;
    if (!has_enough_near(p)) return false;
    if (p->patient) {
        p->refused = false;
        if (search_best(p)) return true;
        if (!p->refused) return false;
    }
    if (pairs && unordered) return search_pairs(p);
    gather_sort(&p->near, p->group.pool, p->group.x.slot->entry->ticket,
                age_since(p, p->group.x.slot->created_ms));
    gather_sort_keys(&p->near, p->group.x.slot->key);
    if (!visit_windows(p, false)) return false;
    if (fill(p, everywhere, 0) && attempt(p)) return true;
    if (!pairs && isfinite(p->group.loosest.spread) && visit_windows(p, true)) return true;
    if (try_each_as_first(p) || search_subsets(p)) return true;
    if (p->splits_left_out) p->result.truncated = true;
    return false;
}

/* ---- one ticket ---- */

static void gather_around(struct pick *p, uint32_t want, uint32_t skip) {
    const struct group *g = &p->group;
    struct gather_query q = gather_query_of(g->pool, g->x.slot->entry, g->loosest.latency_ms);
    q.spread = g->loosest.spread;
    q.players_max = g->loosest.sizes->players_max - g->x.slot->players;
    q.want = want;
    q.skip = skip;
    q.visits = PICK_VISITS;
    gather_run(&p->near, &q);
}

static bool can_match_at_all(const struct group *g) {
    const struct pool_part *part = g->x.slot->entry->part;
    if (part->crowd && !casting_crowd_suffices(part->crowd, g->pool->casting)) return false;
    return g->x.slot->players <= g->loosest.sizes->players_max && g->x.regions != 0 &&
           part->players >= g->loosest.players_min;
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Of two players a patient search weighs the nearest four, since others come around theirs. */
static uint32_t wanted_near(const struct pick *p) {
    uint32_t wanted = 4 * p->group.loosest.sizes->players_max;
    if (p->patient) return wanted == 8 ? 4 : wanted;
    return wanted < 16 ? 16 : wanted;
}

/* Fewer where a wider look is still to come. */
static uint32_t tries_near(const struct pick *p) {
    return p->near.truncated ? PICK_TRIES / 4 : PICK_TRIES;
}

/* Near ones first: in a crowd they are enough. A retry starts farther away each time, until it
 * has seen the whole window. */
static bool search_around(struct pick *p) {
    struct pool_entry *x = p->group.x.slot->entry;
    uint32_t players = p->group.loosest.sizes->players_max;
    uint32_t most = clamp(2 * players, PICK_OPTIONS, GATHER_MAX);
    bool x_is_crowded = p->group.x.slot->crowded; /* others look farther, for what it lacks */
    if (x->skip > 0 && x->skip <= PICK_SKIP_MAX) {
        gather_around(p, most, x->skip);
        if (p->near.count > 0 && search_gathered(p, PICK_TRIES)) return true;
        if (p->near.truncated) {
            x->skip = (uint16_t)(x->skip + PICK_OPTIONS / 2);
            p->result.truncated = true; /* whatever subsets said: this was a part */
            return false;
        }
    }
    x->skip = 0;
    if (ruleset_rank_size(p->ruleset) == 0) { /* a sort wants to choose among many */
        gather_around(p, clamp(wanted_near(p), 4, most), 0);
        if (search_gathered(p, tries_near(p))) return true;
        if (!p->near.truncated || p->result.due_ms != INT64_MAX || x_is_crowded) return false;
    }
    gather_around(p, most, 0);
    if (search_gathered(p, PICK_TRIES)) return true;
    if (p->near.truncated) x->skip = PICK_OPTIONS / 2;
    return false;
}

const struct pick_result *pick_find(struct pick *p, const struct pool *pool, struct pool_entry *x,
                                    int64_t now_ms, bool shrinking) {
    p->ruleset = pool->ruleset;
    p->patient = pool->patience.is_on;
    p->result.found = p->result.truncated = false;
    p->result.nodes = 1;
    p->result.due_ms = INT64_MAX;
    p->result.refused_by = RULESET_NONE;
    group_init(&p->group, pool, pool_slot(x), now_ms, shrinking);
    if (p->patient) {
        p->worth = worth_of(&pool->patience, p->ruleset, &x->part->past->arrivals, now_ms);
    }
    if (!can_match_at_all(&p->group)) {
        x->retries = x->skip = 0;
        return &p->result;
    }
    p->result.found = search_around(p);
    if (!p->result.found) x->retries = p->result.truncated ? (uint16_t)(x->retries + 1) : 0;
    return &p->result;
}

/* When x becomes urgent, if it ever will: whoever else knows of a group with it may have thought of
 * better ones only. */
static int64_t urgent_ms(const struct pool *pool, const struct pool_entry *x, int64_t age_ms) {
    int64_t deadline_ms = pool->patience.deadline_ms;
    if (!pool->patience.is_on || pool_slot(x)->crowded || age_ms >= deadline_ms) return INT64_MAX;
    return pool_created_ms(x) + deadline_ms;
}

/* Of a role that more come for than have places, and in a crowd of them: whatever match may come of
 * it, one of those who are scarce is searched for in time, and has enough of the others near. */
static bool is_one_of_many(const struct pool_entry *x) {
    return pool_slot(x)->crowded && x->retries > 1;
}

int64_t pick_retry_ms(const struct pool *pool, const struct pool_entry *x, int64_t now_ms,
                      const struct pick_result *result) {
    enum { RETRY_MIN_MS = 1000, WIDER_MIN_MS = 5000 };
    int64_t created_ms = pool_created_ms(x), age = now_ms > created_ms ? now_ms - created_ms : 0;
    int64_t step = ruleset_next_step_ms(pool->ruleset, age);
    int64_t due = step == INT64_MAX ? INT64_MAX : created_ms + step;
    if (is_one_of_many(x)) return due;
    if (result->due_ms < due) due = result->due_ms;
    if (urgent_ms(pool, x, age) < due) due = urgent_ms(pool, x, age);
    if (!result->truncated) return due;
    int64_t least = result->due_ms == INT64_MAX ? RETRY_MIN_MS : WIDER_MIN_MS;
    int64_t retry = now_ms + (age / 2 > least ? age / 2 : least);
    return retry < due ? retry : due;
}
