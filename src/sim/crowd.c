/* crowd.c - who waits, in the order of age and of skill. */
#include "sim/crowd.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Takes the regions away that are too far off the ticket's best. */
static void narrow_regions(struct field *f, double detour_ms) {
    for (size_t i = 0; i < f->trace->count; i++) {
        double best = INFINITY;
        for (uint32_t r = 0; r < f->region_count; r++)
            best = fmin(best, field_latency_ms(f, (uint32_t)i, r));
        for (uint32_t r = 0; r < f->region_count; r++)
            if (field_latency_ms(f, (uint32_t)i, r) > best + detour_ms)
                f->tickets[i].regions &= ~((uint64_t)1 << r);
    }
    field_find_kinds(f);
}

void crowd_init(struct crowd *c, const struct matcher_setup *setup, int64_t period_ms) {
    c->setup = *setup;
    c->own = *setup->field;
    c->own.tickets = mem_array(setup->field->trace->count + 1, sizeof *c->own.tickets);
    memcpy(c->own.tickets, setup->field->tickets,
           setup->field->trace->count * sizeof *c->own.tickets);
    narrow_regions(&c->own, setup->knobs[CROWD_DETOUR_KNOB]);
    c->field = &c->own;
    c->period_ms = period_ms;
    c->due_ms = INT64_MAX;
    c->waiting = mem_array(setup->field->trace->count + 1, sizeof *c->waiting);
    c->scratch = arena_new(0);
}

void crowd_fini(struct crowd *c) {
    mem_free(c->own.tickets);
    mem_free(c->by_age);
    mem_free(c->by_skill);
    mem_free(c->kinds);
    mem_free(c->waiting);
    arena_free(c->scratch);
}

static struct crowd *crowd_of(struct matcher *m) {
    return (struct crowd *)(void *)m;
}

static int64_t next_turn(const struct crowd *c, int64_t now_ms) {
    return (now_ms / c->period_ms + 1) * c->period_ms;
}

void crowd_arrive(struct matcher *m, uint32_t ticket, int64_t now_ms) {
    struct crowd *c = crowd_of(m);
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 1024;
        c->by_age = mem_grow(c->by_age, c->capacity, sizeof *c->by_age);
        c->by_skill = mem_grow(c->by_skill, c->capacity, sizeof *c->by_skill);
        c->kinds = mem_grow(c->kinds, c->capacity, sizeof *c->kinds);
    }
    c->by_age[c->count++] = ticket;
    c->waiting[ticket] = true;
    if (c->due_ms == INT64_MAX) c->due_ms = next_turn(c, now_ms);
}

void crowd_leave(struct matcher *m, uint32_t ticket, int64_t now_ms) {
    (void)now_ms;
    crowd_of(m)->waiting[ticket] = false;
}

int64_t crowd_due_ms(const struct matcher *m) {
    return ((const struct crowd *)(const void *)m)->due_ms;
}

void crowd_close(struct matcher *m) {
    crowd_fini(crowd_of(m));
    mem_free(m);
}

void crowd_begin_turn(struct crowd *c, int64_t now_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->waiting[c->by_age[i]]) c->by_age[kept++] = c->by_age[i];
    c->count = kept;
    c->due_ms = kept ? next_turn(c, now_ms) : INT64_MAX;
}

static int compare_skill(const void *a, const void *b, void *arg) {
    const struct field_ticket *tickets = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (tickets[x].skill != tickets[y].skill) return tickets[x].skill < tickets[y].skill ? -1 : 1;
    return (x > y) - (x < y);
}

void crowd_sort(struct crowd *c) {
    for (size_t i = 0; i < c->count; i++)
        c->by_skill[i] = c->by_age[i];
    if (c->count)
        qsort_r(c->by_skill, c->count, sizeof *c->by_skill, compare_skill, c->field->tickets);
    for (size_t i = 0; i < c->count; i++)
        c->kinds[i] = c->field->tickets[c->by_skill[i]].kind;
}

/* The first place whose skill is at least `skill`, or above it. */
static size_t place_of(const struct crowd *c, double skill, bool above) {
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double s = c->field->tickets[c->by_skill[middle]].skill;
        if (s < skill || (above && s == skill))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void crowd_range(const struct crowd *c, double low, double high, size_t range[2]) {
    range[0] = place_of(c, low, false);
    range[1] = place_of(c, high, true);
}

bool crowd_match(struct crowd *c, const struct assembly *a, int64_t now_ms) {
    struct field_match m;
    if (!assembly_finish(a, now_ms, &m, c->scratch)) return false;
    for (uint32_t i = 0; i < a->count; i++)
        c->waiting[a->members[i]] = false;
    c->setup.sink(c->setup.sink_arg, &m);
    return true;
}
