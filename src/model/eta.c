/* eta.c - kinds of tickets, what each knows of its waits, and how that fades. */
#include "model/eta.h"

#include "base/limits.h"
#include "base/mem.h"
#include "model/eta_curve.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASTS = ETA_CASTS * ETA_PARTIES, /* kinds by roles and party size alone */
    KINDS = ETA_SEGMENTS * CASTS,
    NARROW = KINDS * ETA_BANDS,
    THIRDS = 3, /* the bands of the wide kinds: both tails and the middle */
    WIDE = KINDS * THIRDS,
    LEVELS = NARROW + WIDE + CASTS,
    OTHERS = ETA_SEGMENTS - 1,
    OTHER_CASTS = ETA_CASTS - 1,
    KEYS = 256,            /* the bands are drawn from so many keys */
    KEYS_FIRST = 32,       /* and first from these */
    REDRAWN_EVERY = 4096,  /* arrivals; earlier at each doubling */
    CROWD_MIN = 20,        /* open tickets from which on a cast's growth is seen */
    FADED_EVERY_MS = 1000, /* also the longest that a remembered estimate is used */
};

#define GROWTH_MIN 1.3 /* less is chance */

struct cell { /* what one kind knows */
    struct eta_curve curve;
    double unit;                         /* weight of a wait that ends now */
    double known;                        /* weight of all that were matched or expired */
    double waits;                        /* sum of their waits in ms, by weight */
    double flow;                         /* how many they were, fading with time only */
    int64_t born_ms, faded_ms, ended_ms; /* the last wait's end */
    uint32_t instants;                   /* at which waits ended */
    uint32_t open;
    int64_t open_since_ms; /* sum of created_ms over the open ones, counted from eta.zero_ms */
    struct eta_wait fresh; /* remembered: the estimate for a new ticket */
    int64_t fresh_ms;
    uint32_t fresh_after; /* waits that have ended since */
};

struct segment {
    uint64_t partition;
    char region[LIMIT_NAME_BYTES + 1];
    uint8_t region_size;
};

struct eta {
    struct cell whole;
    struct cell *cells[ETA_CELLS_MAX + CASTS];
    uint16_t cell_of[LEVELS]; /* narrow kinds, wide ones, casts: 1 + the cell; 0: none */
    uint32_t cell_count;
    uint32_t casts[OTHER_CASTS]; /* sets of roles, a bit each */
    uint32_t cast_count, cast_cells;
    struct segment segments[OTHERS];
    uint32_t segment_count;
    double edges[ETA_BANDS - 1]; /* upper ends of the bands but the last */
    double lowest, highest;      /* of the keys that the edges were drawn from */
    double keys[KEYS];           /* the latest that count */
    uint64_t arrivals;
    uint32_t keys_seen;
    int64_t zero_ms; /* of the first arrival */
};

struct eta *eta_new(void) {
    return mem_alloc(sizeof(struct eta));
}

void eta_free(struct eta *e) {
    for (uint32_t i = 0; e && i < e->cell_count; i++)
        mem_free(e->cells[i]);
    mem_free(e);
}

/* ---- kinds ---- */

static uint32_t band_of(const struct eta *e, double key) {
    uint32_t band = 0;
    if (e->arrivals < KEYS_FIRST) return ETA_BANDS / 2;
    while (band < ETA_BANDS - 1 && key > e->edges[band])
        band++;
    return band;
}

static uint32_t party_of(uint32_t players) {
    return players <= 2 ? players - 1 : players <= 4 ? 2 : 3;
}

static struct str best_region(const struct ruleset *r, const struct ticket_spec *spec) {
    const struct player *first = &spec->players[0];
    if (first->latency_count == 0 || ruleset_limits_at(r, 0)->latency_ms_max == INT32_MAX)
        return STR_EMPTY;
    uint32_t best = 0;
    for (uint32_t i = 1; i < first->latency_count; i++) {
        if (first->latencies[i].ms < first->latencies[best].ms) best = i;
    }
    return first->latencies[best].region;
}

static bool is_segment(const struct segment *s, uint64_t partition, struct str region) {
    return s->partition == partition && str_equal((struct str){s->region, s->region_size}, region);
}

/* Where the segment is, or would be: segment_count where it is not known yet. */
static uint32_t segment_of(const struct eta *e, uint64_t partition, struct str region) {
    uint32_t i = 0;
    while (i < e->segment_count && !is_segment(&e->segments[i], partition, region))
        i++;
    return i;
}

/* All roles that its players play; 0 without roles. */
static uint32_t roles_of(const struct ruleset *r, const struct ticket_spec *spec) {
    uint32_t roles = 0;
    for (uint32_t i = 0; ruleset_has_roles(r) && i < spec->player_count; i++)
        roles |= ruleset_roles_of(r, &spec->players[i]);
    return roles;
}

/* As segment_of. Without roles all are of the first cast. */
static uint32_t cast_of(const struct eta *e, uint32_t roles) {
    uint32_t i = 0;
    while (roles && i < e->cast_count && e->casts[i] != roles)
        i++;
    return i;
}

struct place { /* of a kind, as far as they are not limited yet */
    uint32_t segment, cast, players, band;
};

static uint16_t number_kind(const struct place *p) {
    uint32_t segment = p->segment < OTHERS ? p->segment : OTHERS;
    uint32_t cast = p->cast < OTHER_CASTS ? p->cast : OTHER_CASTS;
    uint32_t kind = (segment * ETA_CASTS + cast) * ETA_PARTIES + party_of(p->players);
    return (uint16_t)(kind * ETA_BANDS + p->band);
}

uint16_t eta_kind_of(const struct eta *e, const struct ruleset *r, const struct ticket_spec *spec) {
    uint32_t segment = segment_of(e, ruleset_partition(r, spec), best_region(r, spec));
    uint32_t cast = cast_of(e, roles_of(r, spec));
    return number_kind(
        &(struct place){segment, cast, spec->player_count, band_of(e, ruleset_key(r, spec))});
}

/* ---- bands ---- */

static int compare_keys(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The outer bands are narrower: waits differ most there. Later drawings move the edges by half. */
static void draw_bands(struct eta *e) {
    static const double parts[ETA_BANDS - 1] = {.02, .06, .15, .3, .5, .7, .85, .94, .98};
    double sorted[KEYS];
    uint32_t count = e->keys_seen < KEYS ? e->keys_seen : KEYS;
    memcpy(sorted, e->keys, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_keys);
    bool first = e->arrivals == KEYS_FIRST;
    for (uint32_t i = 0; i < ETA_BANDS - 1; i++) {
        double edge = sorted[(uint32_t)(parts[i] * count)];
        e->edges[i] = first ? edge : e->edges[i] / 2 + edge / 2;
    }
    e->lowest = sorted[0];
    e->highest = sorted[count - 1];
}

static bool is_power_of_two(uint64_t n) {
    return (n & (n - 1)) == 0;
}

static void learn_key(struct eta *e, double key) {
    uint64_t stride = e->arrivals < REDRAWN_EVERY ? 1 : REDRAWN_EVERY / KEYS;
    if (e->arrivals++ % stride == 0) e->keys[e->keys_seen++ % KEYS] = key;
    bool due = e->arrivals < REDRAWN_EVERY ? is_power_of_two(e->arrivals)
                                           : e->arrivals % REDRAWN_EVERY == 0;
    if (e->arrivals >= KEYS_FIRST && due) draw_bands(e);
}

static uint32_t learn_segment(struct eta *e, uint64_t partition, struct str region) {
    uint32_t at = segment_of(e, partition, region);
    if (at < e->segment_count || at == OTHERS || region.size > LIMIT_NAME_BYTES) return at;
    struct segment *s = &e->segments[e->segment_count++];
    s->partition = partition;
    s->region_size = (uint8_t)region.size;
    if (region.size) memcpy(s->region, region.at, region.size);
    return at;
}

static uint32_t learn_cast(struct eta *e, uint32_t roles) {
    uint32_t at = cast_of(e, roles);
    if (roles && at == e->cast_count && at < OTHER_CASTS) e->casts[e->cast_count++] = roles;
    return at;
}

/* ---- levels: the kinds that a ticket counts for ---- */

static uint32_t wide_of(uint16_t kind) {
    static const uint8_t third_of[ETA_BANDS] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2};
    return NARROW + kind / ETA_BANDS * THIRDS + third_of[kind % ETA_BANDS];
}

static uint32_t cast_level_of(uint16_t kind) {
    return NARROW + WIDE + kind / ETA_BANDS % CASTS;
}

static struct cell *cell_at(const struct eta *e, uint32_t index) {
    return e->cell_of[index] ? e->cells[e->cell_of[index] - 1] : NULL;
}

static struct cell *level(struct eta *e, uint16_t kind, enum eta_basis basis) {
    assert(kind < NARROW);
    if (basis == ETA_QUEUE) return &e->whole;
    if (basis == ETA_CAST) return cell_at(e, cast_level_of(kind));
    return cell_at(e, basis == ETA_WIDE ? wide_of(kind) : kind);
}

static void need_cell(struct eta *e, uint32_t index, int64_t now_ms) {
    uint32_t others = e->cell_count - e->cast_cells;
    bool is_cast = index >= NARROW + WIDE;
    if (e->cell_of[index] || (!is_cast && others == ETA_CELLS_MAX)) return;
    struct cell *c = e->cells[e->cell_count++] = mem_alloc(sizeof(struct cell));
    e->cell_of[index] = (uint16_t)e->cell_count;
    e->cast_cells += is_cast;
    c->born_ms = c->faded_ms = now_ms;
    c->unit = 1;
}

uint16_t eta_arrive(struct eta *e, const struct ruleset *r, const struct ticket_spec *spec,
                    int64_t created_ms) {
    double key = ruleset_key(r, spec);
    if (e->arrivals == 0) {
        e->zero_ms = e->whole.faded_ms = created_ms;
        e->whole.unit = 1;
    }
    learn_key(e, key);
    uint32_t segment = learn_segment(e, ruleset_partition(r, spec), best_region(r, spec));
    uint32_t roles = roles_of(r, spec), cast = learn_cast(e, roles);
    uint16_t kind =
        number_kind(&(struct place){segment, cast, spec->player_count, band_of(e, key)});
    if (roles) need_cell(e, cast_level_of(kind), created_ms);
    need_cell(e, kind, created_ms);
    need_cell(e, wide_of(kind), created_ms);
    for (enum eta_basis b = ETA_QUEUE; b <= ETA_NARROW; b++) {
        struct cell *c = level(e, kind, b);
        if (!c) continue;
        c->open++;
        c->open_since_ms += created_ms - e->zero_ms;
    }
    return kind;
}

/* ---- what a kind knows ---- */

static double samples_of(const struct cell *c) {
    return c->known / c->unit;
}

/* Waits that ended together, in one match or tick, are much alike: they are not many. */
static bool knows(const struct cell *c) {
    return samples_of(c) >= ETA_KNOWN_MIN && c->instants >= ETA_INSTANTS_MIN;
}

static void scale(struct cell *c, double by) {
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++) {
        c->curve.matched[b] *= (float)by;
        c->curve.cut[b] *= (float)by;
    }
    c->known *= by;
    c->waits *= by;
    c->unit *= by;
}

static void fade(struct cell *c, int64_t now_ms) {
    int64_t passed = now_ms - c->faded_ms;
    if (passed < FADED_EVERY_MS) return;
    c->faded_ms = now_ms;
    double keep = exp2(-(double)passed / ETA_HALF_LIFE_MS), samples = samples_of(c);
    c->flow *= keep;
    if (samples > ETA_SAMPLES_MIN) c->unit /= fmax(keep, ETA_SAMPLES_MIN / samples);
    if (c->unit > 1e18) scale(c, 1 / c->unit); /* floats end at 1e38 */
}

static void add_wait(struct cell *c, int64_t wait_ms, int64_t now_ms, enum eta_end end) {
    unsigned bucket = queue_wait_bucket(wait_ms);
    fade(c, now_ms);
    c->fresh_after++;
    if (end != ETA_MATCHED) c->curve.cut[bucket] += (float)c->unit;
    if (end == ETA_CUT) return;
    if (end == ETA_MATCHED) c->curve.matched[bucket] += (float)c->unit;
    if (now_ms != c->ended_ms) c->instants++;
    c->ended_ms = now_ms;
    c->known += c->unit;
    c->waits += c->unit * (double)wait_ms;
    c->flow++;
    if (samples_of(c) > ETA_SAMPLES_MAX) c->unit *= 1 + 1.0 / ETA_SAMPLES_MAX;
}

void eta_leave(struct eta *e, uint16_t kind, int64_t created_ms, int64_t now_ms, enum eta_end end) {
    int64_t wait_ms = now_ms > created_ms ? now_ms - created_ms : 0;
    for (enum eta_basis b = ETA_QUEUE; b <= ETA_NARROW; b++) {
        struct cell *c = level(e, kind, b);
        if (!c) continue;
        c->open--;
        c->open_since_ms -= created_ms - e->zero_ms;
        add_wait(c, wait_ms, now_ms, end);
    }
}

static void doubt(struct cell *c) {
    if (samples_of(c) > ETA_KNOWN_MIN) c->unit = c->known / ETA_KNOWN_MIN;
    c->fresh.samples = 0;
}

void eta_doubt(struct eta *e) {
    if (e->arrivals == 0) return;
    doubt(&e->whole);
    for (uint32_t i = 0; i < e->cell_count; i++)
        doubt(e->cells[i]);
    e->arrivals = 1; /* the keys may be others: bands are drawn afresh */
    e->keys_seen = 0;
}

/* ---- estimates ---- */

/* In a steady queue the open ones are as many as arrive in a mean wait (Little 1961), and each is
 * seen to its end. More of them mean that waits grow, or that the kind is new and only its fast
 * ones have ended: these count as waits that last at least as long as they do on the average. */
static struct eta_open open_of(const struct eta *e, const struct cell *c, int64_t now_ms) {
    struct eta_open open = {0};
    if (c->open == 0) return open;
    double flow = c->flow * exp2(-(double)(now_ms - c->faded_ms) / ETA_HALF_LIFE_MS);
    double usual = c->known > 0 ? c->waits / c->known * (M_LN2 / ETA_HALF_LIFE_MS) : 0;
    double more = c->open / fmax(flow, 1) - usual; /* in parts of the flow */
    double mean_ms = (double)(now_ms - e->zero_ms) - (double)c->open_since_ms / c->open;
    if (more > 0) open.weight = c->known * fmin(4, more);
    if (mean_ms > 0) open.age_ms = (int64_t)mean_ms;
    return open;
}

/* How many times as long as those who leave now a new one of the cast will wait. As many wait as
 * leave in a mean wait (Little 1961), or a crowd grows, and whoever comes last waits until those
 * before him are gone: of a role that too many play, the scarce ones decide how fast that is. */
static double growth_of(const struct cell *cast, int64_t now_ms) {
    if (!cast || cast->open < CROWD_MIN || cast->waits <= 0) return 1;
    double kept = exp2(-(double)(now_ms - cast->faded_ms) / ETA_HALF_LIFE_MS);
    double past = 1 - exp2(-(double)(now_ms - cast->born_ms) / ETA_HALF_LIFE_MS);
    double per_ms = cast->flow * kept / (past * ETA_HALF_LIFE_MS / M_LN2);
    double growth = cast->open / per_ms / (cast->waits / cast->known);
    return growth > GROWTH_MIN ? growth : 1;
}

static int32_t stretched(int32_t ms, double growth) {
    double longer = ms * growth;
    return longer < ETA_BEYOND ? (int32_t)longer : ETA_BEYOND;
}

static void leave_out_later(struct eta_wait *w, int64_t left_ms) {
    if (w->rest.p50_ms > left_ms) w->rest.p50_ms = 0;
    if (w->rest.p90_ms > left_ms) w->rest.p90_ms = 0;
}

static bool estimate(const struct eta *e, const struct cell *c, const struct eta_ask *ask,
                     struct eta_wait *out) {
    enum { REACHED_MIN = 5 }; /* waits that lasted as long as the one asked for */
    int32_t ms[2];
    double samples =
        eta_curve_rest(&c->curve, open_of(e, c, ask->now_ms), c->unit, ask->age_ms, ms);
    if (samples < REACHED_MIN) return false;
    *out = (struct eta_wait){.rest = {ms[0], ms[1]}, .samples = (uint32_t)samples};
    return true;
}

/* For a new ticket: remembered until much has happened. */
static bool estimate_fresh(const struct eta *e, struct cell *c, const struct eta_ask *ask,
                           struct eta_wait *out) {
    double much = fmax(8, samples_of(c) / 8);
    bool stale = c->fresh_after > 0 && ask->now_ms - c->fresh_ms >= FADED_EVERY_MS;
    if (c->fresh.samples == 0 || c->fresh_after >= much || stale) {
        if (!estimate(e, c, ask, &c->fresh)) return false;
        c->fresh_ms = ask->now_ms;
        c->fresh_after = 0;
    }
    *out = c->fresh;
    return true;
}

struct eta_wait eta_at(struct eta *e, uint16_t kind, const struct eta_ask *ask) {
    double growth = growth_of(level(e, kind, ETA_CAST), ask->now_ms);
    struct eta_ask own = *ask; /* on the time scale of those who leave now */
    own.age_ms = (int64_t)((double)ask->age_ms / growth);
    for (enum eta_basis b = ETA_NARROW; b > ETA_UNKNOWN && e->arrivals; b--) {
        struct cell *c = level(e, kind, b);
        struct eta_wait wait = {0};
        if (!c || !knows(c)) continue;
        if (own.age_ms > 0 ? !estimate(e, c, &own, &wait) : !estimate_fresh(e, c, &own, &wait))
            continue;
        wait.basis = b;
        wait.rest.p50_ms = stretched(wait.rest.p50_ms, growth);
        wait.rest.p90_ms = stretched(wait.rest.p90_ms, growth);
        leave_out_later(&wait, ask->left_ms);
        return wait;
    }
    return (struct eta_wait){0};
}

/* ---- for people ---- */

static bool is_in(enum eta_cut cut, uint32_t index, uint32_t kind) {
    if (cut == ETA_BY_BAND) return kind % ETA_BANDS == index;
    if (cut == ETA_BY_PARTY) return kind / ETA_BANDS % ETA_PARTIES == index;
    return kind / ETA_BANDS / CASTS == index;
}

/* Adds `weight` waits, as the cell's are. */
static void add_cell(struct cell *sum, const struct cell *c, double weight) {
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++) {
        sum->curve.matched[b] += (float)(weight * (double)c->curve.matched[b] / c->known);
        sum->curve.cut[b] += (float)(weight * (double)c->curve.cut[b] / c->known);
    }
    sum->known += weight;
    sum->instants += c->instants;
}

/* All narrow cells of the row as one. They keep about as many waits whatever their traffic, so each
 * counts by its share of that. */
static void add_cells(const struct eta *e, enum eta_cut cut, uint32_t index, struct cell *sum) {
    double flow = 0, samples = 0;
    for (uint32_t i = 0; i < NARROW; i++) {
        const struct cell *c = cell_at(e, i);
        if (!c || c->known <= 0 || !is_in(cut, index, i)) continue;
        flow += c->flow + 1;
        samples += samples_of(c);
    }
    for (uint32_t i = 0; i < NARROW; i++) {
        const struct cell *c = cell_at(e, i);
        if (!c || c->known <= 0 || !is_in(cut, index, i)) continue;
        add_cell(sum, c, samples * (c->flow + 1) / flow);
    }
}

static void label(const struct eta *e, enum eta_cut cut, uint32_t index, struct eta_row *out) {
    static const uint32_t party_max[ETA_PARTIES] = {1, 2, 4, 0};
    if (cut == ETA_BY_BAND) {
        out->key_low = index ? e->edges[index - 1] : e->lowest;
        out->key_high = index < ETA_BANDS - 1 ? e->edges[index] : e->highest;
    } else if (cut == ETA_BY_SEGMENT && index < e->segment_count) {
        out->region = (struct str){e->segments[index].region, e->segments[index].region_size};
    } else if (cut == ETA_BY_PARTY) {
        out->players_min = index ? party_max[index - 1] + 1 : 1;
        out->players_max = party_max[index];
    }
}

bool eta_summary(const struct eta *e, enum eta_cut cut, uint32_t index, const struct eta_ask *ask,
                 struct eta_row *out) {
    struct cell sum = {.unit = 1, .faded_ms = ask->now_ms};
    *out = (struct eta_row){0};
    if (e->arrivals == 0) return false;
    if (cut != ETA_BY_QUEUE) add_cells(e, cut, index, &sum);
    const struct cell *c = cut == ETA_BY_QUEUE ? &e->whole : &sum;
    if (!knows(c) || !estimate(e, c, ask, &out->wait)) return false;
    label(e, cut, index, out);
    out->wait.basis = cut == ETA_BY_QUEUE ? ETA_QUEUE : ETA_WIDE;
    leave_out_later(&out->wait, ask->left_ms);
    return true;
}
