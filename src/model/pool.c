/* pool.c - partitions of binned tickets, the log of arrivals, and who is searched when. */
#include "model/pool.h"

#include "base/limits.h"
#include "base/mem.h"
#include "model/quality.h"
#include "model/worth.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    BINS_PER_SPREAD = 16, /* members a bin apart differ by 6 of 100: no one can tell (matching) */
    LOG_FIRST = 64,
    STALE_TIMERS_MIN = 1024,
};

_Static_assert(POOL_CLASSES <= 32, "pool_part.occupied has a bit for each");
_Static_assert(sizeof(struct pool_entry) == 64, "an entry is one cache line");
_Static_assert(LIMIT_TICKET_PLAYERS <= UINT8_MAX && LIMIT_TICKET_QUEUES <= UINT8_MAX,
               "slots and entries count in bytes");

/* ---- memory ---- */

static double bin_width(const struct ruleset *r, const struct patience *patience) {
    double width = 100 / quality_points_per_unit(r, patience) / BINS_PER_SPREAD;
    return width > 1e-300 ? width : 1e-300;
}

/* The loosest latency limit of all ages, and whether there is one at any. */
static void set_latency(struct pool *p) {
    p->latency_ms_loosest = 0;
    int64_t age = 0;
    do {
        int32_t at = ruleset_limits_at(p->ruleset, age)->latency_ms_max;
        if (at > p->latency_ms_loosest) p->latency_ms_loosest = at;
        p->has_regions = p->has_regions || at != INT32_MAX;
    } while ((age = ruleset_next_step_ms(p->ruleset, age)) != INT64_MAX);
}

struct pool *pool_new(const struct ruleset *r) {
    struct pool *p = mem_alloc(sizeof *p);
    p->scratch = arena_new(0);
    p->ruleset = r;
    list_init(&p->pasts);
    p->entries.size = sizeof(struct pool_entry);
    p->bin_width = bin_width(r, &p->patience);
    p->youngest_ms = INT64_MIN;
    p->casting = casting_new(r);
    set_latency(p);
    bin_memory_init(&p->blocks, pool_has_travels(p));
    p->avoids = ruleset_avoids(r);
    return p;
}

void pool_set_patience(struct pool *p, const struct patience *patience) {
    assert(p->count == 0);
    p->patience = *patience;
    p->bin_width = bin_width(p->ruleset, patience);
}

static void part_free(struct pool_part *part) {
    for (uint32_t i = 0; i < POOL_CLASSES; i++)
        bins_fini(&part->classes[i]);
    mem_free(part->crowd);
    mem_free(part);
}

static struct pool_extra *extra_of(struct pool_entry *e) {
    if (!e->extra) e->extra = mem_alloc(sizeof *e->extra);
    return e->extra;
}

static void entry_free(struct pool *p, struct pool_entry *e) {
    e->ticket->places[e->place].entry = NULL;
    if (e->extra) mem_free(e->extra->regions);
    mem_free(e->extra);
    e->timer = 0; /* timers that are still under way know it by this */
    slab_give(&p->entries, e);
}

void pool_free(struct pool *p) {
    if (!p) return;
    assert(!heap_started(&p->turn));
    uint64_t at = 0;
    for (struct pool_entry *e; (e = pool_next(p, &at));)
        entry_free(p, e);
    size_t cursor = 0;
    for (struct pool_part *part; (part = map_next(&p->parts, &cursor));)
        part_free(part);
    LIST_EACH (&p->pasts, node)
        mem_free(LIST_OF(node, struct pool_past, use));
    map_fini(&p->pasts_by_hash);
    for (uint32_t i = 0; i < p->region_count; i++)
        mem_free((char *)p->regions[i].at);
    arena_free(p->scratch);
    map_fini(&p->parts);
    mem_free(p->log.at);
    heap_fini(&p->woken);
    heap_fini(&p->elders);
    timers_fini(&p->timers);
    slab_fini(&p->entries);
    bin_memory_fini(&p->blocks);
    mem_free(p->casting);
    mem_free(p);
}

/* ---- regions as bits ---- */

static uint32_t region_bit(struct pool *p, struct str name) {
    for (uint32_t i = 0; i < p->region_count; i++) {
        if (str_equal(p->regions[i], name)) return i;
    }
    if (p->region_count == 64) return 63;
    p->regions[p->region_count] = (struct str){mem_text(name), name.size};
    return p->region_count++;
}

/* 0: somebody has no latency to it, or the queue does not play there. */
static int32_t worst_latency(const struct pool *p, const struct ticket_spec *spec,
                             struct latency first) {
    int32_t worst = ruleset_plays_in(p->ruleset, first.region) ? first.ms : 0;
    for (uint32_t k = 1; k < spec->player_count && worst > 0; k++) {
        int32_t ms = player_latency_ms(&spec->players[k], first.region);
        worst = ms == 0 ? 0 : ms > worst ? ms : worst;
    }
    return worst;
}

static void add_region(struct pool *p, struct pool_entry *e, struct bin_travel *s,
                       struct pool_region region) {
    if (region.worst_ms <= p->latency_ms_loosest) s->regions |= UINT64_C(1) << region.bit;
    uint16_t ms = region.worst_ms < UINT16_MAX ? (uint16_t)region.worst_ms : UINT16_MAX;
    if (s->best_ms == 0 || ms < s->best_ms) s->best_ms = ms;
    if (region.bit < SLOT_REGIONS) {
        s->latency_ms[region.bit] = ms;
        return;
    }
    struct pool_extra *extra = extra_of(e);
    if (!extra->regions) extra->regions = mem_array(LIMIT_REGIONS, sizeof *extra->regions);
    extra->regions[extra->region_count++] = region;
}

_Static_assert(LIMIT_LATENCY_MS < UINT16_MAX, "latencies fit into a slot");

static void fill_regions(struct pool *p, struct pool_entry *e, struct bin_travel *s,
                         const struct ticket_spec *spec) {
    const struct player *first = &spec->players[0];
    for (uint32_t i = 0; i < first->latency_count; i++) {
        int32_t worst = worst_latency(p, spec, first->latencies[i]);
        if (worst == 0) continue;
        add_region(p, e, s, (struct pool_region){region_bit(p, first->latencies[i].region), worst});
    }
}

uint64_t pool_regions_within(const struct pool *p, const struct bin_slot *s,
                             int32_t latency_ms_max) {
    if (latency_ms_max == INT32_MAX) return UINT64_MAX;
    const struct bin_travel *travel = bin_travel(s);
    if (latency_ms_max >= p->latency_ms_loosest) return travel->regions;
    uint64_t set = 0;
    for (uint32_t i = 0; i < SLOT_REGIONS; i++) {
        bool within = travel->latency_ms[i] && travel->latency_ms[i] <= latency_ms_max;
        set |= (uint64_t)within << i;
    }
    const struct pool_extra *extra = p->region_count > SLOT_REGIONS ? s->entry->extra : NULL;
    for (uint32_t i = 0; extra && i < extra->region_count; i++) {
        const struct pool_region *r = &extra->regions[i];
        if (r->worst_ms <= latency_ms_max) set |= UINT64_C(1) << r->bit;
    }
    return set;
}

int32_t pool_latency_beyond_ms(const struct bin_slot *s, uint32_t region) {
    const struct pool_extra *extra = s->entry->extra;
    for (uint32_t i = 0; extra && i < extra->region_count; i++) {
        if (extra->regions[i].bit == region) return extra->regions[i].worst_ms;
    }
    return 0;
}

/* ---- the log ---- */

static struct pool_entry **log_at(const struct pool_log *l, uint64_t place) {
    return &l->at[place & (l->capacity - 1)];
}

/* Into a ring twice as large, or of the same size without its gaps where these are half of it. */
static void log_make_room(struct pool *p) {
    struct pool_log old = p->log, *l = &p->log;
    bool close_gaps = p->count <= old.capacity / 2 && old.capacity > 0;
    if (!close_gaps) l->capacity = old.capacity ? old.capacity * 2 : LOG_FIRST;
    l->at = mem_array(l->capacity, sizeof(struct pool_entry *));
    uint64_t fresh = UINT64_MAX;
    if (close_gaps) l->tail = l->head;
    for (uint64_t i = old.head; i != old.tail; i++) {
        struct pool_entry *e = *log_at(&old, i);
        if (i == p->fresh) fresh = l->tail;
        if (!close_gaps) {
            *log_at(l, i) = e;
        } else if (e) {
            e->logged = (uint32_t)l->tail;
            *log_at(l, l->tail++) = e;
        }
    }
    if (close_gaps) p->fresh = p->touched = fresh == UINT64_MAX ? l->tail : fresh;
    mem_free(old.at);
}

static void log_append(struct pool *p, struct pool_entry *e) {
    struct pool_log *l = &p->log;
    if (l->tail - l->head == l->capacity) log_make_room(p);
    e->logged = (uint32_t)l->tail;
    *log_at(l, l->tail++) = e;
}

/* Of two in the log at one time. */
static bool is_logged_before(const struct pool_entry *a, const struct pool_entry *b) {
    return (int32_t)(a->logged - b->logged) < 0;
}

static void log_remove(struct pool *p, struct pool_entry *e) {
    struct pool_log *l = &p->log;
    *log_at(l, e->logged) = NULL; /* capacities are below 2^32 */
    while (l->head != l->tail && !*log_at(l, l->head))
        l->head++;
    if (p->fresh < l->head) p->fresh = l->head;
}

struct pool_entry *pool_next(const struct pool *p, uint64_t *cursor) {
    const struct pool_log *l = &p->log;
    for (uint64_t i = l->head + *cursor; i != l->tail; i++) {
        if (!*log_at(l, i)) continue;
        *cursor = i + 1 - l->head;
        return *log_at(l, i);
    }
    *cursor = l->tail - l->head;
    return NULL;
}

struct pool_entry *pool_from(const struct pool *p, uint64_t *place, uint64_t look_max) {
    const struct pool_log *l = &p->log;
    if (*place < l->head) *place = l->head;
    for (uint64_t looked = 0; *place < l->tail && looked < look_max; looked++, ++*place)
        if (*log_at(l, *place)) return *log_at(l, *place);
    return NULL;
}

bool pool_ended(const struct pool *p, uint64_t place) {
    return place >= p->log.tail;
}

static uint64_t older_by_age(const struct pool *p, const struct pool_entry *e) {
    uint64_t older = 0, at = 0;
    for (const struct pool_entry *o; (o = pool_next(p, &at));)
        older += pool_created_ms(o) < pool_created_ms(e);
    return older;
}

/* The log is in the order of age but for the elders, which are few. */
uint64_t pool_position(const struct pool *p, const struct pool_entry *e) {
    if (heap_started(&e->elder)) return 1 + older_by_age(p, e);
    uint64_t older = 0;
    for (uint64_t i = p->log.head; *log_at(&p->log, i) != e; i++)
        older += *log_at(&p->log, i) != NULL;
    for (size_t i = 0; i < p->elders.count; i++) {
        const struct pool_entry *o = HEAP_OF(heap_nth(&p->elders, i), struct pool_entry, elder);
        if (is_logged_before(o, e)) older--;
        if (pool_created_ms(o) < pool_created_ms(e)) older++;
    }
    return 1 + older;
}

/* ---- membership ---- */

static bool part_equal(const void *value, const void *key) {
    return ((const struct pool_part *)value)->hash == *(const uint64_t *)key;
}

struct pool_part *pool_find_part(const struct pool *p, uint64_t hash) {
    return map_get(&p->parts, hash, part_equal, &hash);
}

static bool past_equal(const void *value, const void *key) {
    return ((const struct pool_past *)value)->hash == *(const uint64_t *)key;
}

static void forget_a_past(struct pool *p) {
    LIST_EACH (&p->pasts, node) {
        struct pool_past *past = LIST_OF(node, struct pool_past, use);
        if (past->has_part) continue;
        list_remove(&p->pasts, &past->use);
        map_remove(&p->pasts_by_hash, past->hash, past);
        mem_free(past);
        return;
    }
}

static struct pool_past *past_of(struct pool *p, uint64_t hash) {
    struct pool_past *past = map_get(&p->pasts_by_hash, hash, past_equal, &hash);
    if (past) return past;
    if (p->pasts.count >= POOL_PASTS_MAX) forget_a_past(p);
    past = mem_alloc(sizeof *past);
    past->hash = hash;
    past->arrivals.width = 50 / quality_points_per_unit(p->ruleset, &p->patience);
    map_put(&p->pasts_by_hash, hash, past);
    list_append(&p->pasts, &past->use);
    return past;
}

static void note(struct pool *p, struct pool_past *past, const struct arrival *of) {
    arrivals_note(&past->arrivals, of);
    if (past->use.next == &p->pasts.head) return;
    list_remove(&p->pasts, &past->use);
    list_append(&p->pasts, &past->use);
}

static struct pool_part *part_of(struct pool *p, uint64_t hash) {
    struct pool_part *part = map_get(&p->parts, hash, part_equal, &hash);
    if (part) return part;
    part = mem_alloc(sizeof *part);
    part->hash = hash;
    if (p->casting) part->crowd = mem_alloc(sizeof *part->crowd);
    for (uint32_t i = 0; i < POOL_CLASSES; i++) {
        part->classes[i].width = p->bin_width;
        part->classes[i].memory = &p->blocks;
    }
    part->past = past_of(p, hash);
    part->past->has_part = true;
    map_put(&p->parts, hash, part);
    return part;
}

static void make_woken(struct pool *p, struct pool_entry *e) {
    e->state = POOL_WOKEN;
    heap_start(&p->woken, &e->woken, pool_created_ms(e));
}

static const struct bins *bins_of(const struct pool_entry *e) {
    return &e->part->classes[e->class];
}

static uint8_t class_of(const struct pool *p, uint32_t players, uint32_t roles) {
    uint32_t size = players < POOL_SIZES ? players - 1u : POOL_SIZES - 1u;
    uint32_t role = p->casting ? casting_only_role(roles, players) : CASTING_ROLES;
    return (uint8_t)(size + POOL_SIZES * (role == CASTING_ROLES ? 0 : role + 1));
}

/* The largest deviation that a player of the ticket gives. */
static double uncertainty_of(const struct pool *p, const struct ticket_spec *spec) {
    double most = 0;
    for (uint32_t i = 0; i < spec->player_count; i++)
        most = fmax(most, quality_sigma(&p->patience, &spec->players[i]));
    return most;
}

/* How much of what a match needs of its scarcest role comes. */
static double scarcity(const struct pool *p, const struct arrivals *a) {
    double least = 1;
    for (uint32_t role = 0; p->casting && role < ruleset_role_count(p->ruleset); role++) {
        double needed = casting_need(p->casting, role);
        if (needed > 0) least = fmin(least, arrivals_role_share(a, role) / needed);
    }
    return least;
}

/* Whether more players come who play that role only than have places in as many matches as the
 * scarcest role allows. */
static bool is_crowded(const struct pool *p, const struct arrivals *a, uint32_t role,
                       double scarcity) {
    const double margin = 1.05;
    return arrivals_only_share(a, role) > margin * scarcity * casting_need(p->casting, role);
}

static struct arrival arrival_of(const struct pool *p, const struct ticket *t, double key,
                                 uint64_t regions, uint32_t roles) {
    uint32_t players = t->player_count;
    struct arrival of = {key, players, regions, 0, 0, t->created_ms};
    if (!p->casting) return of;
    uint32_t only = casting_only_role(roles, players);
    of.roles = casting_any_role(roles, players);
    of.only = only < CASTING_ROLES ? 1u << only : 0;
    return of;
}

void pool_note(struct pool *p, const struct ticket *t) {
    if (!p->patience.is_on) return;
    struct ticket_spec spec = ticket_spec(t, p->scratch);
    double key = ruleset_key(p->ruleset, &spec);
    const struct player *first = &spec.players[0];
    uint64_t regions = 0;
    for (uint32_t i = 0; p->has_regions && i < first->latency_count; i++) {
        int32_t worst = worst_latency(p, &spec, first->latencies[i]);
        if (worst == 0 || worst > p->latency_ms_loosest) continue;
        regions |= UINT64_C(1) << region_bit(p, first->latencies[i].region);
    }
    uint32_t roles = p->casting ? casting_pack(p->ruleset, &spec) : 0;
    struct arrival of = arrival_of(p, t, key == key ? key : 0, regions, roles);
    note(p, past_of(p, ruleset_partition(p->ruleset, &spec)), &of);
    p->knows_past = true;
    arena_reset(p->scratch);
}

/* The ticket counts as an arrival, unless it was noted, and gets the credit to begin with. */
static void start_credit(struct pool *p, const struct ticket_spec *spec, struct bin_slot *s,
                         const struct bin_travel *travel) {
    const struct pool_entry *e = s->entry;
    const struct arrivals *a = &e->part->past->arrivals;
    struct arrival of = arrival_of(p, e->ticket, s->key, travel->regions, travel->roles);
    if (!p->knows_past) note(p, e->part->past, &of);
    double scarce = scarcity(p, a);
    s->crowded = of.only && is_crowded(p, a, (uint32_t)__builtin_ctz(of.only), scarce);
    struct worth w = worth_of(&p->patience, p->ruleset, a, s->created_ms);
    struct worth_prospect prospect = {ruleset_limits_at(p->ruleset, 0)->players_max, scarce,
                                      uncertainty_of(p, spec)};
    s->start = (float)worth_start(&w, a, &of, &prospect);
}

static struct pool_entry *entry_new(struct pool *p, struct ticket *t, uint32_t place,
                                    struct bin_slot *s, struct bin_travel *travel) {
    assert(!t->places[place].entry && t->state == TICKET_QUEUED);
    struct pool_entry *e = slab_take(&p->entries);
    struct ticket_spec spec = ticket_spec(t, p->scratch);
    double key = ruleset_key(p->ruleset, &spec);
    *e = (struct pool_entry){.ticket = t, .place = (uint8_t)place};
    *s = (struct bin_slot){.key = key == key ? key : 0,
                           .created_ms = t->created_ms,
                           .entry = e,
                           .players = t->player_count & UINT8_MAX,
                           .tie = (t->id.hi << 7 | t->id.lo >> 57) & 0x7FFFFF};
    *travel = (struct bin_travel){0};
    if (p->casting) travel->roles = casting_pack(p->ruleset, &spec);
    e->part = part_of(p, ruleset_partition(p->ruleset, &spec));
    e->class = class_of(p, s->players, travel->roles);
    bins_expect(bins_of(e), s->key);
    for (uint32_t i = 0; i < t->player_count; i++) {
        e->key_sum += ruleset_player_key(p->ruleset, &spec.players[i]);
    }
    if (p->has_regions) fill_regions(p, e, travel, &spec);
    if (p->avoids) {
        struct pool_extra *extra = extra_of(e);
        ruleset_avoid_marks(p->ruleset, &spec, &extra->marks, &extra->avoided);
    }
    if (p->patience.is_on) start_credit(p, &spec, s, travel);
    t->places[place].entry = e;
    arena_reset(p->scratch);
    return e;
}

/* Into the log and the bins; entries that come in order of age are fresh. */
static void enter(struct pool *p, struct pool_entry *e, const struct bin_slot *s,
                  const struct bin_travel *travel) {
    bool in_order = s->created_ms >= p->youngest_ms;
    log_append(p, e);
    e->part->players += s->players;
    p->players += s->players;
    p->count++;
    e->part->count++;
    if (e->part->crowd) casting_crowd_add(e->part->crowd, travel->roles, s->players);
    e->part->occupied |= 1u << e->class;
    bins_insert(&e->part->classes[e->class], s, travel);
    if (in_order) {
        p->youngest_ms = s->created_ms;
        e->state = POOL_FRESH;
        p->fresh_count++;
        p->sweep.unswept++;
    } else {
        heap_start(&p->elders, &e->elder, s->created_ms);
        make_woken(p, e);
    }
}

struct pool_entry *pool_add(struct pool *p, struct ticket *t, uint32_t place) {
    struct bin_slot s;
    struct bin_travel travel;
    struct pool_entry *e = entry_new(p, t, place, &s, &travel);
    enter(p, e, &s, &travel);
    return e;
}

/* Until pool_filled the log alone holds them. */
void pool_fill(struct pool *p, struct ticket *t, uint32_t place) {
    assert(!t->places[place].entry);
    struct pool_entry *e = slab_take(&p->entries);
    *e = (struct pool_entry){.ticket = t, .place = (uint8_t)place};
    log_append(p, e);
    p->count++;
}

static int by_age(const void *a, const void *b) {
    const struct pool_entry *x = *(struct pool_entry *const *)a;
    const struct pool_entry *y = *(struct pool_entry *const *)b;
    int64_t x_ms = x->ticket->created_ms, y_ms = y->ticket->created_ms;
    return x_ms < y_ms || (x_ms == y_ms && is_logged_before(x, y)) ? -1 : 1;
}

void pool_filled(struct pool *p) {
    uint64_t count = p->count;
    struct pool_entry **all = mem_array(count, sizeof *all);
    for (uint64_t i = 0, at = 0; i < count; i++)
        all[i] = pool_next(p, &at);
    bool sorted = true;
    for (uint64_t i = 1; i < count && sorted; i++)
        sorted = by_age(&all[i - 1], &all[i]) < 0;
    if (!sorted) qsort(all, count, sizeof *all, by_age);
    p->log.head = p->log.tail;
    p->fresh = p->log.tail;
    p->count = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct pool_entry old = *all[i];
        slab_give(&p->entries, all[i]); /* and taken again at once */
        (void)pool_add(p, old.ticket, old.place);
    }
    p->knows_past = false;
    mem_free(all);
}

static void unschedule(struct pool *p, struct pool_entry *e) {
    if (e->state == POOL_FRESH) p->fresh_count--;
    if (e->state == POOL_WOKEN) heap_stop(&p->woken, &e->woken);
    if (e->timer) p->asleep--;
    e->timer = 0;
}

void pool_remove(struct pool *p, struct pool_entry *e) {
    struct pool_part *part = e->part;
    uint32_t players = pool_slot(e)->players;
    if (part->crowd) casting_crowd_take(part->crowd, pool_roles(pool_slot(e)), players);
    unschedule(p, e);
    heap_stop(&p->elders, &e->elder);
    log_remove(p, e);
    bins_remove(&part->classes[e->class], e);
    if (part->classes[e->class].count == 0) part->occupied &= ~(1u << e->class);
    part->count--;
    part->players -= players;
    p->players -= players;
    p->count--;
    if (part->count == 0 && part->hash != 0) { /* 0: the one part of most queues */
        map_remove(&p->parts, part->hash, part);
        part->past->has_part = false;
        part_free(part);
    }
    entry_free(p, e);
}

void pool_expect_removal(const struct pool *p, const struct pool_entry *e) {
    ticket_expect(e->ticket);
    __builtin_prefetch(log_at(&p->log, e->logged), 1);
    __builtin_prefetch(e->slot, 1);
}

/* ---- who is searched when ---- */

static bool is_meant(const struct timer *t) {
    return ((const struct pool_entry *)t->what)->timer == t->number;
}

void pool_wake(struct pool *p, int64_t now_ms) {
    for (struct timer t; timers_take(&p->timers, now_ms, &t);) {
        if (!is_meant(&t)) continue;
        struct pool_entry *e = t.what;
        unschedule(p, e);
        make_woken(p, e);
    }
}

/* In a large pool whatever a search looks at first is a cache miss, each behind the one before.
 * Those of the coming tickets overlap when they are looked at together. */
static void touch_coming(struct pool *p) {
    enum { LARGE = 16384 };
    struct bins_look looks[BINS_LOOKS_MAX];
    uint32_t count = 0;
    if (p->count < LARGE || p->fresh < p->touched) return;
    uint64_t end = p->fresh + BINS_LOOKS_MAX;
    for (p->touched = p->fresh; p->touched < end && p->touched < p->log.tail; p->touched++) {
        const struct pool_entry *e = *log_at(&p->log, p->touched);
        if (e) looks[count++] = (struct bins_look){bins_of(e), e->slot->key};
    }
    bins_touch(looks, count);
}

/* The first of those that were never searched; NULL when none. */
static struct pool_entry *first_fresh(struct pool *p) {
    if (p->fresh_count == 0) {
        p->fresh = p->log.tail;
        return NULL;
    }
    for (;; p->fresh++) {
        struct pool_entry *e = *log_at(&p->log, p->fresh);
        touch_coming(p);
        if (e && e->state == POOL_FRESH) return e;
    }
}

struct pool_entry *pool_take(struct pool *p) {
    struct pool_entry *e = first_fresh(p);
    struct heap_node *n = heap_first(&p->woken);
    struct pool_entry *woken = n ? HEAP_OF(n, struct pool_entry, woken) : NULL;
    if (!e && !woken) return NULL;
    if (!e || (woken && pool_created_ms(woken) < pool_created_ms(e))) e = woken;
    unschedule(p, e);
    e->state = POOL_TAKEN;
    return e;
}

void pool_sleep(struct pool *p, struct pool_entry *e, int64_t due_ms) {
    unschedule(p, e);
    e->state = POOL_ASLEEP;
    if (due_ms == INT64_MAX) return;
    if (++p->timer_last == 0) p->timer_last = 1; /* 0: none */
    e->timer = p->timer_last;
    p->asleep++;
    timers_add(&p->timers, (struct timer){due_ms, e, e->timer});
    if (p->timers.count > 2 * p->asleep + STALE_TIMERS_MIN) timers_sweep(&p->timers, is_meant);
}

bool pool_is_dirty(const struct pool *p) {
    return p->fresh_count > 0 || p->woken.count > 0;
}

int64_t pool_due_ms(const struct pool *p) {
    if (pool_is_dirty(p)) return p->search_from_ms;
    int64_t due = p->asleep ? timers_due(&p->timers) : INT64_MAX;
    return due > p->search_from_ms ? due : p->search_from_ms;
}

uint64_t pool_count(const struct pool *p) {
    return p->count;
}

struct pool_entry *pool_oldest(const struct pool *p) {
    if (p->count == 0) return NULL;
    struct pool_entry *first = *log_at(&p->log, p->log.head);
    struct heap_node *n = heap_first(&p->elders);
    struct pool_entry *elder = n ? HEAP_OF(n, struct pool_entry, elder) : first;
    return pool_created_ms(elder) < pool_created_ms(first) ? elder : first;
}

bool pool_is_older(const struct bin_slot *a, const struct bin_slot *b) {
    if (a->created_ms != b->created_ms) return a->created_ms < b->created_ms;
    if (a->tie != b->tie) return a->tie < b->tie;
    return id_compare(a->entry->ticket->id, b->entry->ticket->id) < 0;
}
