/* pool.c - partitions of key-ordered tickets, and the two heaps that say who is searched when. */
#include "model/pool.h"

#include "base/mem.h"

#include <assert.h>

struct pool *pool_new(const struct ruleset *r) {
    struct pool *p = mem_alloc(sizeof *p);
    p->ruleset = r;
    return p;
}

static void part_free(struct pool_part *part) {
    key_index_fini(&part->index);
    mem_free(part);
}

static void entry_free(struct pool_entry *e) {
    e->ticket->places[e->place].entry = NULL;
    mem_free(e);
}

void pool_free(struct pool *p) {
    if (!p) return;
    assert(!heap_started(&p->turn));
    for (uint64_t i = 0; i < pool_count(p); i++)
        entry_free(pool_nth(p, i));
    size_t cursor = 0;
    for (struct pool_part *part; (part = map_next(&p->parts, &cursor));)
        part_free(part);
    for (uint32_t i = 0; i < p->region_count; i++)
        mem_free((char *)p->regions[i].at);
    map_fini(&p->parts);
    heap_fini(&p->dirty);
    heap_fini(&p->asleep);
    heap_fini(&p->ages);
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

static uint32_t region_count_max(const struct ticket_spec *spec) {
    return spec->player_count ? spec->players[0].latency_count : 0;
}

static void fill_regions(struct pool *p, struct pool_entry *e, const struct ticket_spec *spec) {
    const struct player *first = &spec->players[0];
    for (uint32_t i = 0; i < region_count_max(spec); i++) {
        struct str name = first->latencies[i].region;
        int32_t worst = first->latencies[i].ms;
        for (uint32_t k = 1; k < spec->player_count && worst > 0; k++) {
            int32_t ms = player_latency_ms(&spec->players[k], name);
            worst = ms == 0 ? 0 : ms > worst ? ms : worst;
        }
        if (worst == 0) continue; /* somebody has no latency to it */
        e->regions[e->region_count++] = (struct pool_region){region_bit(p, name), worst};
    }
}

uint64_t pool_regions_within(const struct pool_entry *e, int32_t latency_ms_max) {
    if (latency_ms_max == INT32_MAX) return UINT64_MAX;
    uint64_t set = 0;
    for (uint32_t i = 0; i < e->region_count; i++) {
        if (e->regions[i].worst_ms <= latency_ms_max) set |= UINT64_C(1) << e->regions[i].bit;
    }
    return set;
}

/* ---- membership ---- */

static bool part_equal(const void *value, const void *key) {
    return ((const struct pool_part *)value)->hash == *(const uint64_t *)key;
}

static struct pool_part *part_of(struct pool *p, uint64_t hash) {
    struct pool_part *part = map_get(&p->parts, hash, part_equal, &hash);
    if (part) return part;
    part = mem_alloc(sizeof *part);
    part->hash = hash;
    map_put(&p->parts, hash, part);
    return part;
}

static struct key_slot slot_of(struct pool_entry *e) {
    return (struct key_slot){e->key, e->created_ms, e};
}

static void make_dirty(struct pool *p, struct pool_entry *e) {
    e->dirty = true;
    heap_start(&p->dirty, &e->when, e->created_ms);
}

static struct pool_entry *entry_new(struct pool *p, struct ticket *t, uint32_t place) {
    assert(!t->places[place].entry && t->state == TICKET_QUEUED);
    struct pool_entry *e =
        mem_alloc(sizeof *e + region_count_max(&t->spec) * sizeof(struct pool_region));
    double key = ruleset_key(p->ruleset, &t->spec);
    e->ticket = t;
    e->place = place;
    e->id = t->id;
    e->key = key == key ? key : 0;
    e->created_ms = t->created_ms;
    e->players = t->spec.player_count;
    for (uint32_t i = 0; i < e->players; i++) {
        e->key_sum += ruleset_player_key(p->ruleset, &t->spec.players[i]);
    }
    e->part = part_of(p, ruleset_partition(p->ruleset, &t->spec));
    fill_regions(p, e, &t->spec);
    e->part->players += e->players;
    p->players += e->players;
    heap_start(&p->ages, &e->age, e->created_ms);
    make_dirty(p, e);
    t->places[place].entry = e;
    return e;
}

struct pool_entry *pool_add(struct pool *p, struct ticket *t, uint32_t place) {
    struct pool_entry *e = entry_new(p, t, place);
    key_index_insert(&e->part->index, slot_of(e));
    return e;
}

void pool_fill(struct pool *p, struct ticket *t, uint32_t place) {
    struct pool_entry *e = entry_new(p, t, place);
    key_index_append(&e->part->index, slot_of(e));
}

void pool_filled(struct pool *p) {
    size_t cursor = 0;
    for (struct pool_part *part; (part = map_next(&p->parts, &cursor));)
        key_index_sort(&part->index);
}

static void unschedule(struct pool *p, struct pool_entry *e) {
    heap_stop(e->dirty ? &p->dirty : &p->asleep, &e->when);
    e->dirty = false;
}

void pool_remove(struct pool *p, struct pool_entry *e) {
    struct pool_part *part = e->part;
    unschedule(p, e);
    heap_stop(&p->ages, &e->age);
    key_index_remove(&part->index, slot_of(e));
    part->players -= e->players;
    p->players -= e->players;
    if (part->index.count == 0 && part->hash != 0) { /* 0: the one part of most queues */
        map_remove(&p->parts, part->hash, part);
        part_free(part);
    }
    entry_free(e);
}

/* ---- who is searched when ---- */

void pool_wake(struct pool *p, int64_t now_ms) {
    for (struct heap_node *n; (n = heap_take_due(&p->asleep, now_ms));) {
        make_dirty(p, HEAP_OF(n, struct pool_entry, when));
    }
}

struct pool_entry *pool_take(struct pool *p) {
    struct heap_node *n = heap_first(&p->dirty);
    if (!n) return NULL;
    struct pool_entry *e = HEAP_OF(n, struct pool_entry, when);
    unschedule(p, e);
    return e;
}

void pool_sleep(struct pool *p, struct pool_entry *e, int64_t due_ms) {
    unschedule(p, e);
    if (due_ms != INT64_MAX) heap_start(&p->asleep, &e->when, due_ms);
}

int64_t pool_due_ms(const struct pool *p) {
    if (p->dirty.count) return p->search_from_ms;
    int64_t due = heap_due(&p->asleep);
    return due > p->search_from_ms ? due : p->search_from_ms;
}

uint64_t pool_count(const struct pool *p) {
    return p->ages.count;
}

struct pool_entry *pool_oldest(const struct pool *p) {
    struct heap_node *n = heap_first(&p->ages);
    return n ? HEAP_OF(n, struct pool_entry, age) : NULL;
}

struct pool_entry *pool_nth(const struct pool *p, uint64_t i) {
    return HEAP_OF(heap_nth(&p->ages, i), struct pool_entry, age);
}

bool pool_is_older(const struct pool_entry *a, const struct pool_entry *b) {
    if (a->created_ms != b->created_ms) return a->created_ms < b->created_ms;
    return id_compare(a->id, b->id) < 0;
}
