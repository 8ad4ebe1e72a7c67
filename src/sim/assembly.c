/* assembly.c - room, regions, roles and fair teams of a group. */
#include "sim/assembly.h"

#include "model/split.h"

#include <math.h>
#include <string.h>

#define ROLE_SETS (1 << WORKLOAD_ROLES)

void assembly_begin(struct assembly *a, const struct field *f) {
    a->field = f;
    a->count = a->players = a->packed = 0;
    a->regions = UINT64_MAX;
    memset(a->role_counts, 0, sizeof a->role_counts);
    memset(a->refused, 0, sizeof a->refused);
}

/* Hall's condition: no set of roles is wanted by more players than it has places. */
static bool roles_suffice(const uint32_t *counts, uint32_t teams) {
    for (uint32_t set = 0; set < ROLE_SETS; set++) {
        uint32_t wanted = 0, places = 0;
        for (uint32_t s = 0; s < ROLE_SETS; s++)
            if ((s & ~set) == 0) wanted += counts[s];
        for (uint32_t r = 0; r < WORKLOAD_ROLES; r++)
            if (set >> r & 1) places += teams * workload_role_slots[r];
        if (wanted > places) return false;
    }
    return true;
}

static bool packs(const struct assembly *a, const struct field_ticket *coming) {
    const struct packing *p = &a->field->packing;
    if (coming->players == 1) return true; /* fits any gap */
    if (p->fits) return p->fits[a->packed + p->steps[coming->players]];
    uint32_t sizes[LIMIT_MATCH_PLAYERS];
    for (uint32_t i = 0; i < a->count; i++)
        sizes[i] = a->field->tickets[a->members[i]].players;
    sizes[a->count] = coming->players;
    const struct ruleset_limits *l = a->field->limits;
    return split_fits(sizes, a->count + 1, l->teams, l->team_count);
}

/* Counts its players' roles, where there are any, if they leave a place for everybody. */
static bool takes_roles(struct assembly *a, const struct field_ticket *t) {
    if (!t->roles) return true;
    for (uint32_t k = 0; k < t->players; k++)
        a->role_counts[t->roles[k]]++;
    if (roles_suffice(a->role_counts, a->field->limits->team_count)) return true;
    for (uint32_t k = 0; k < t->players; k++)
        a->role_counts[t->roles[k]]--;
    return false;
}

bool assembly_add(struct assembly *a, uint32_t ticket) {
    const struct field_ticket *t = &a->field->tickets[ticket];
    if (assembly_refused(a, t->kind)) return false;
    if (a->players + t->players > a->field->match_players || (a->regions & t->regions) == 0 ||
        !packs(a, t) || !takes_roles(a, t)) {
        if (t->kind != FIELD_MIXED) a->refused[t->kind / 64] |= (uint64_t)1 << t->kind % 64;
        return false;
    }
    a->members[a->count++] = ticket;
    a->players += t->players;
    if (a->field->packing.fits) a->packed += a->field->packing.steps[t->players];
    a->regions &= t->regions;
    return true;
}

static bool team_has_roles(const struct assembly *a, uint32_t bits, uint32_t team) {
    uint32_t counts[ROLE_SETS] = {0};
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field_ticket *t = &a->field->tickets[a->members[i]];
        if ((bits >> i & 1) != team) continue;
        for (uint32_t k = 0; k < t->players; k++)
            counts[t->roles[k]]++;
    }
    return roles_suffice(counts, 1);
}

/* Two teams with roles: all splits of at most ten tickets. */
static bool split_by_roles(const struct assembly *a, uint32_t *team_of) {
    uint32_t each = a->field->limits->teams[0].players_max, best = FIELD_NONE;
    double least = INFINITY;
    for (uint32_t bits = 0; bits < (uint32_t)1 << (a->count - 1); bits++) {
        uint32_t players = 0;
        double gap = 0;
        for (uint32_t i = 0; i < a->count; i++) {
            const struct field_ticket *t = &a->field->tickets[a->members[i]];
            players += bits >> i & 1 ? t->players : 0;
            gap += bits >> i & 1 ? t->sum : -t->sum;
        }
        if (players != each || fabs(gap) >= least) continue;
        if (!team_has_roles(a, bits, 0) || !team_has_roles(a, bits, 1)) continue;
        least = fabs(gap);
        best = bits;
    }
    for (uint32_t i = 0; i < a->count; i++)
        team_of[i] = best >> i & 1;
    return best != FIELD_NONE;
}

static bool split_evenly(const struct assembly *a, uint32_t *team_of) {
    struct split_item items[LIMIT_MATCH_PLAYERS];
    const struct ruleset_limits *l = a->field->limits;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field_ticket *t = &a->field->tickets[a->members[i]];
        items[i] = (struct split_item){t->players, t->sum};
    }
    struct split_problem p = {items, a->count, l->teams, l->team_count, false};
    struct split found;
    if (split_find(&p, &found, 1) == 0) return false;
    for (uint32_t i = 0; i < a->count; i++)
        team_of[i] = found.team_of[i];
    return true;
}

static uint32_t nearest_region(const struct assembly *a) {
    const struct field *f = a->field;
    uint32_t best = FIELD_NONE;
    double least = INFINITY;
    for (uint32_t r = 0; r < f->region_count; r++) {
        if ((a->regions >> r & 1) == 0) continue;
        double sum = 0;
        for (uint32_t i = 0; i < a->count; i++)
            sum += f->tickets[a->members[i]].players * field_latency_ms(f, a->members[i], r);
        if (sum < least) {
            least = sum;
            best = r;
        }
    }
    return best;
}

bool assembly_finish(const struct assembly *a, int64_t now_ms, struct field_match *out,
                     struct arena *scratch) {
    *out = (struct field_match){.tickets = a->members, .ticket_count = a->count, .at_ms = now_ms};
    bool roles = a->field->has_roles && a->field->limits->team_count == 2;
    if (!(roles ? split_by_roles(a, out->team_of) : split_evenly(a, out->team_of))) return false;
    out->region = nearest_region(a);
    return field_legal(a->field, out, scratch);
}
