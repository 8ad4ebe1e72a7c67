/* field.c - numbers of a trace's tickets. */
#include "sim/field.h"

#include <math.h>
#include <string.h>

#define BEST_MS 40 /* a better ping than this is worth nothing */
#define BAD_MS 100 /* above it each ms counts BAD_FACTOR times */
#define BAD_FACTOR 3

uint32_t field_region(const struct field *f, struct str name) {
    for (uint32_t i = 0; i < f->region_count; i++)
        if (str_equal(str_of(f->regions[i]), name)) return i;
    return FIELD_NONE;
}

static void collect_regions(struct field *f) {
    for (size_t i = 0; i < f->trace->count; i++) {
        const struct player *p = &f->trace->tickets[i].spec.players[0];
        for (uint32_t k = 0; k < p->latency_count; k++) {
            if (f->region_count == 64) return;
            if (field_region(f, p->latencies[k].region) != FIELD_NONE) continue;
            f->regions[f->region_count++] = arena_str(f->arena, p->latencies[k].region).at;
        }
    }
}

static void measure_latencies(struct field *f, size_t ticket) {
    const struct ticket_spec *spec = &f->trace->tickets[ticket].spec;
    struct field_ticket *t = &f->tickets[ticket];
    for (uint32_t r = 0; r < f->region_count; r++) {
        double sum = 0;
        int32_t worst = 0;
        for (uint32_t k = 0; k < spec->player_count; k++) {
            int32_t ms = player_latency_ms(&spec->players[k], str_of(f->regions[r]));
            if (ms == 0) sum = NAN;
            sum += ms;
            worst = ms > worst ? ms : worst;
        }
        f->latencies[ticket * f->region_count + r] = sum / spec->player_count;
        if (!isnan(sum) && worst <= f->limits->latency_ms_max) t->regions |= (uint64_t)1 << r;
    }
    if (f->limits->latency_ms_max == INT32_MAX) t->regions = UINT64_MAX;
}

static uint8_t role_bits(const struct player *p) {
    const struct attribute *a = player_attribute(p, STR("roles"));
    uint8_t bits = 0;
    for (uint32_t i = 0; a && a->kind == ATTRIBUTE_LIST && i < a->item_count; i++)
        for (int r = 0; r < WORKLOAD_ROLES; r++)
            if (str_equal(a->items[i], str_of(workload_roles[r]))) bits |= (uint8_t)(1 << r);
    return bits;
}

static void measure_ticket(struct field *f, size_t i) {
    const struct trace_ticket *from = &f->trace->tickets[i];
    struct field_ticket *t = &f->tickets[i];
    t->players = from->spec.player_count;
    for (uint32_t k = 0; k < t->players; k++)
        t->sum += ruleset_player_key(f->ruleset, &from->spec.players[k]);
    t->skill = t->sum / t->players;
    measure_latencies(f, i);
    if (!f->has_roles) return;
    uint8_t *roles = arena_alloc(f->arena, t->players);
    for (uint32_t k = 0; k < t->players; k++)
        roles[k] = role_bits(&from->spec.players[k]);
    t->roles = roles;
}

static bool is_of_kind(const struct field_ticket *a, const struct field_ticket *b) {
    if (a->players != b->players || a->regions != b->regions) return false;
    return !a->roles || memcmp(a->roles, b->roles, a->players) == 0;
}

void field_find_kinds(struct field *f) {
    const struct field_ticket *first[FIELD_MIXED]; /* of each kind */
    uint32_t kinds = 0;
    for (size_t i = 0; i < f->trace->count; i++) {
        uint32_t k = 0;
        while (k < kinds && !is_of_kind(first[k], &f->tickets[i]))
            k++;
        if (k == kinds && kinds < FIELD_MIXED) first[kinds++] = &f->tickets[i];
        f->tickets[i].kind = (uint8_t)k;
    }
}

void field_init(struct field *f, const struct trace *trace, const struct ruleset *rules,
                bool roles) {
    *f = (struct field){.trace = trace, .ruleset = rules, .has_roles = roles};
    f->arena = arena_new(0);
    f->limits = ruleset_limits_at(rules, 0);
    f->match_players = f->limits->players_max;
    f->tickets = mem_array(trace->count + 1, sizeof *f->tickets);
    uint32_t largest = 1;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->tickets[i].spec.player_count > largest)
            largest = trace->tickets[i].spec.player_count;
    packing_init(&f->packing, f->limits, largest);
    collect_regions(f);
    f->latencies = mem_array(trace->count * f->region_count + 1, sizeof *f->latencies);
    for (size_t i = 0; i < trace->count; i++)
        measure_ticket(f, i);
    field_find_kinds(f);
}

void field_fini(struct field *f) {
    mem_free(f->tickets);
    mem_free(f->latencies);
    packing_fini(&f->packing);
    arena_free(f->arena);
    *f = (struct field){0};
}

double field_latency_ms(const struct field *f, uint32_t ticket, uint32_t region) {
    return f->latencies[(size_t)ticket * f->region_count + region];
}

double field_ping_cost(double ms, double best_ms) {
    double base = fmax(best_ms, BEST_MS);
    return fmax(0, fmin(ms, BAD_MS) - base) + BAD_FACTOR * fmax(0, ms - fmax(BAD_MS, base));
}

bool field_legal(const struct field *f, const struct field_match *m, struct arena *scratch) {
    MEM_UNCLEARED struct ticket_spec specs[LIMIT_MATCH_PLAYERS];
    int64_t oldest = INT64_MAX, newest = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct trace_ticket *t = &f->trace->tickets[m->tickets[i]];
        specs[i] = t->spec;
        oldest = t->at_ms < oldest ? t->at_ms : oldest;
        newest = t->at_ms > newest ? t->at_ms : newest;
    }
    struct candidate c = {specs, m->team_of, m->ticket_count,
                          m->at_ms - (ruleset_age_is_newest(f->ruleset) ? newest : oldest)};
    bool legal = ruleset_evaluate(f->ruleset, &c, scratch).legal;
    arena_reset(scratch);
    return legal;
}
