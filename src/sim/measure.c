/* measure.c - waits and costs over measured players. */
#include "sim/measure.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define BETA 200      /* rating points of a player's noise in one game */
#define PING_WEIGHT 2 /* rating points per point of ping cost */
#define PING_BAD_MS 100

const char *const measure_band_names[MEASURE_BANDS] = {
    "lowest 2 %", "decile 1", "decile 2", "decile 3", "decile 4",  "decile 5",
    "decile 6",   "decile 7", "decile 8", "decile 9", "decile 10", "highest 2 %"};

/* What a match costs each of its players. */
struct match_costs {
    double mean, mismatch, imbalance, win_gap;
};

struct measuring {
    const struct play *play;
    struct measure *out;
    struct match_costs *costs; /* per match */
    double *waits;             /* per measured player, as the four below */
    double *deviations, *excess;
    uint32_t *tickets;
    size_t count, excess_count;
    double ping_cost, bad_pings;
};

static int compare_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_quantile(double *values, size_t count, double q) {
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, compare_double);
    size_t index = (size_t)ceil(q * (double)count);
    return values[index > 0 ? index - 1 : 0];
}

/* ---- matches ---- */

static void team_costs(const double *sums, const uint32_t *players, uint32_t teams,
                       struct match_costs *c) {
    double mean = 0, gaps = 0;
    uint32_t used = 0, pairs = 0;
    for (uint32_t t = 0; t < teams; t++) {
        if (players[t] == 0) continue;
        mean += sums[t] / players[t];
        used++;
    }
    mean /= used;
    for (uint32_t t = 0; t < teams; t++)
        if (players[t]) c->imbalance += 2 * fabs(sums[t] / players[t] - mean) / used;
    for (uint32_t a = 0; a < teams; a++) {
        for (uint32_t b = a + 1; b < teams; b++) {
            if (players[a] == 0 || players[b] == 0) continue;
            double z = (sums[a] - sums[b]) / (BETA * sqrt(players[a] + players[b]));
            gaps += fabs(0.5 * erfc(-z / sqrt(2)) - 0.5);
            pairs++;
        }
    }
    c->win_gap = pairs ? gaps / pairs : 0;
}

static struct match_costs cost_of(const struct field *f, const struct field_match *m) {
    struct match_costs c = {0};
    double sums[LIMIT_TEAMS] = {0}, sum = 0, deviation = 0;
    uint32_t players[LIMIT_TEAMS] = {0}, total = 0, teams = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct field_ticket *t = &f->tickets[m->tickets[i]];
        uint32_t team = m->team_of[i];
        sums[team] += t->sum;
        players[team] += t->players;
        teams = team >= teams ? team + 1 : teams;
        sum += t->sum;
        total += t->players;
    }
    c.mean = sum / total;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket_spec *spec = &f->trace->tickets[m->tickets[i]].spec;
        for (uint32_t k = 0; k < spec->player_count; k++)
            deviation += fabs(ruleset_player_key(f->ruleset, &spec->players[k]) - c.mean);
    }
    c.mismatch = 2 * deviation / total;
    team_costs(sums, players, teams, &c);
    return c;
}

static bool team_sizes_right(const struct field *f, const struct field_match *m) {
    uint32_t players[LIMIT_TEAMS] = {0};
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        if (m->team_of[i] >= f->limits->team_count) return false;
        players[m->team_of[i]] += f->tickets[m->tickets[i]].players;
    }
    for (uint32_t t = 0; t < f->limits->team_count; t++)
        if (players[t] < f->limits->teams[t].players_min) return false;
    return true;
}

/* ---- roles: of the assignments in which most players of a team play a role they accept, the one
 * in which most play their first ---- */

struct role_search {
    const struct ticket_spec *specs[LIMIT_MATCH_PLAYERS]; /* per player of the team */
    uint32_t index[LIMIT_MATCH_PLAYERS];                  /* of the player in his ticket */
    uint32_t count;
    uint32_t left[WORKLOAD_ROLES]; /* places */
    uint32_t best[2];              /* players on first, on other accepted roles */
};

static void assign_roles(struct role_search *s, uint32_t player, uint32_t first, uint32_t other) {
    if (player == s->count) {
        uint32_t accepted = first + other, best = s->best[0] + s->best[1];
        if (accepted > best || (accepted == best && first > s->best[0])) {
            s->best[0] = first;
            s->best[1] = other;
        }
        return;
    }
    const struct player *p = &s->specs[player]->players[s->index[player]];
    const struct attribute *roles = player_attribute(p, STR("roles"));
    for (uint32_t r = 0; r < WORKLOAD_ROLES; r++) {
        if (s->left[r] == 0) continue;
        uint32_t rank = 0;
        while (rank < roles->item_count &&
               !str_equal(roles->items[rank], str_of(workload_roles[r])))
            rank++;
        s->left[r]--;
        assign_roles(s, player + 1, first + (rank == 0),
                     other + (rank > 0 && rank < roles->item_count));
        s->left[r]++;
    }
}

static void measure_roles(struct measuring *x, const struct field_match *m) {
    const struct field *f = x->play->field;
    for (uint32_t team = 0; team < f->limits->team_count; team++) {
        struct role_search s = {.count = 0};
        for (uint32_t r = 0; r < WORKLOAD_ROLES; r++)
            s.left[r] = workload_role_slots[r];
        for (uint32_t i = 0; i < m->ticket_count; i++) {
            const struct ticket_spec *spec = &f->trace->tickets[m->tickets[i]].spec;
            for (uint32_t k = 0; m->team_of[i] == team && k < spec->player_count; k++) {
                s.specs[s.count] = spec;
                s.index[s.count++] = k;
            }
        }
        assign_roles(&s, 0, 0, 0);
        x->out->role_share[0] += s.best[0];
        x->out->role_share[1] += s.best[1];
        x->out->role_share[2] += s.count - s.best[0] - s.best[1];
    }
}

static void measure_matches(struct measuring *x) {
    const struct play *p = x->play;
    uint32_t tickets[LIMIT_MATCH_PLAYERS];
    struct arena *scratch = arena_new(0);
    x->out->invalid = p->wrong;
    for (size_t i = 0; i < p->match_count; i++) {
        struct field_match m;
        play_read_match(p, i, tickets, &m);
        x->out->invalid += !team_sizes_right(p->field, &m) || !field_legal(p->field, &m, scratch);
        x->costs[i] = cost_of(p->field, &m);
        if (p->field->has_roles) measure_roles(x, &m);
    }
    arena_free(scratch);
    double all = 0;
    for (int i = 0; i < 3; i++)
        all += x->out->role_share[i];
    for (int i = 0; i < 3 && all > 0; i++)
        x->out->role_share[i] /= all;
}

/* ---- players ---- */

static void add_ping(struct measuring *x, const struct player *p, uint32_t region) {
    const struct field *f = x->play->field;
    double best = INFINITY;
    for (uint32_t k = 0; k < p->latency_count; k++)
        best = fmin(best, p->latencies[k].ms);
    double ms = player_latency_ms(p, str_of(f->regions[region]));
    x->excess[x->excess_count++] = ms - best;
    x->bad_pings += ms > PING_BAD_MS;
    x->ping_cost += field_ping_cost(ms, best);
}

static void add_ticket(struct measuring *x, uint32_t ticket) {
    const struct play *p = x->play;
    const struct trace_ticket *t = &p->field->trace->tickets[ticket];
    uint32_t match = p->match_of[ticket];
    int64_t end_ms = match == FIELD_NONE ? t->leave_ms : p->matches[match].at_ms;
    x->out->tickets++;
    for (uint32_t k = 0; k < t->spec.player_count; k++) {
        x->tickets[x->count] = ticket;
        x->waits[x->count++] = (double)(end_ms - t->at_ms) / 1000;
        if (match == FIELD_NONE) continue;
        const struct match_costs *c = &x->costs[match];
        double own = ruleset_player_key(p->field->ruleset, &t->spec.players[k]);
        x->deviations[x->count - 1] = 2 * fabs(own - c->mean);
        x->out->mismatch += c->mismatch;
        x->out->imbalance += c->imbalance;
        x->out->win_gap += c->win_gap;
        uint32_t region = p->matches[match].region;
        if (region != FIELD_NONE) add_ping(x, &t->spec.players[k], region);
    }
}

static bool is_measured(const struct trace *t, size_t i) {
    return t->tickets[i].at_ms >= t->from_ms && t->tickets[i].at_ms < t->to_ms;
}

typedef bool (*chooses_fn)(const struct measuring *x, size_t player, double low, double high);

static bool of_skill(const struct measuring *x, size_t player, double low, double high) {
    double skill = x->play->field->tickets[x->tickets[player]].skill;
    return skill >= low && skill < high;
}

static bool of_size(const struct measuring *x, size_t player, double low, double high) {
    double players = x->play->field->tickets[x->tickets[player]].players;
    return players >= low && players < high;
}

static void measure_some(struct measuring *x, chooses_fn chooses, double low, double high,
                         struct measure_waits *out) {
    double *waits = mem_array(x->count + 1, sizeof *waits), sum = 0;
    size_t n = 0;
    *out = (struct measure_waits){0};
    for (size_t i = 0; i < x->count; i++) {
        if (!chooses(x, i, low, high)) continue;
        out->expired += x->play->match_of[x->tickets[i]] == FIELD_NONE;
        sum += x->waits[i];
        waits[n++] = x->waits[i];
    }
    out->players = n;
    out->mean = n ? sum / (double)n : 0;
    out->p50 = measure_quantile(waits, n, 0.5);
    out->p95 = measure_quantile(waits, n, 0.95);
    out->p99 = measure_quantile(waits, n, 0.99);
    out->max = n ? waits[n - 1] : 0;
    mem_free(waits);
}

/* Bands are of the measured players' tickets by mean skill. */
static void measure_bands(struct measuring *x) {
    double *skills = mem_array(x->count + 1, sizeof *skills);
    for (size_t i = 0; i < x->count; i++)
        skills[i] = x->play->field->tickets[x->tickets[i]].skill;
    double edges[11];
    edges[0] = -INFINITY;
    edges[10] = INFINITY;
    for (int d = 1; d < 10; d++)
        edges[d] = measure_quantile(skills, x->count, d / 10.0);
    struct measure *out = x->out;
    for (int d = 0; d < 10; d++)
        measure_some(x, of_skill, edges[d], edges[d + 1], &out->bands[d + 1]);
    double low = measure_quantile(skills, x->count, 0.02);
    double high = measure_quantile(skills, x->count, 0.98);
    mem_free(skills);
    measure_some(x, of_skill, -INFINITY, low, &out->bands[0]);
    measure_some(x, of_skill, high, INFINITY, &out->bands[MEASURE_BANDS - 1]);
    measure_some(x, of_skill, -INFINITY, INFINITY, &out->waits);
    for (int s = 0; s < WORKLOAD_SIZES; s++)
        measure_some(x, of_size, s + 1, s + 1 < WORKLOAD_SIZES ? s + 2 : INFINITY, &out->sizes[s]);
}

static void finish_means(struct measuring *x) {
    struct measure *out = x->out;
    double matched = (double)(out->waits.players - out->waits.expired);
    if (matched > 0) {
        out->mismatch /= matched;
        out->imbalance /= matched;
        out->win_gap /= matched;
        size_t n = 0; /* deviations of the matched only */
        for (size_t i = 0; i < x->count; i++)
            if (x->play->match_of[x->tickets[i]] != FIELD_NONE)
                x->deviations[n++] = x->deviations[i];
        out->deviation_p95 = measure_quantile(x->deviations, n, 0.95);
    }
    if (x->excess_count > 0) {
        double n = (double)x->excess_count, sum = 0;
        for (size_t i = 0; i < x->excess_count; i++)
            sum += x->excess[i];
        out->has_pings = true;
        out->ping_excess_ms = sum / n;
        out->ping_excess_p95_ms = measure_quantile(x->excess, x->excess_count, 0.95);
        out->ping_bad_share = x->bad_pings / n;
        out->ping_cost = PING_WEIGHT * x->ping_cost / n;
    }
    out->quality_cost = out->mismatch + out->imbalance + out->ping_cost;
}

void measure_play(struct measure *out, const struct play *p) {
    *out = (struct measure){.hash = p->hash, .has_roles = p->field->has_roles};
    const struct trace *t = p->field->trace;
    size_t players = 0;
    for (size_t i = 0; i < t->count; i++)
        if (is_measured(t, i)) players += t->tickets[i].spec.player_count;
    struct measuring x = {.play = p, .out = out};
    x.costs = mem_array(p->match_count + 1, sizeof *x.costs);
    x.waits = mem_array(players + 1, sizeof *x.waits);
    x.deviations = mem_array(players + 1, sizeof *x.deviations);
    x.excess = mem_array(players + 1, sizeof *x.excess);
    x.tickets = mem_array(players + 1, sizeof *x.tickets);
    measure_matches(&x);
    for (size_t i = 0; i < t->count; i++)
        if (is_measured(t, i)) add_ticket(&x, (uint32_t)i);
    measure_bands(&x);
    finish_means(&x);
    out->matches = p->match_count;
    out->matches_per_s = p->end_ms ? (double)p->match_count * 1000 / (double)p->end_ms : 0;
    out->cpu_us_per_ticket = p->arrived ? (double)p->cpu_ns / 1000 / (double)p->arrived : 0;
    mem_free(x.costs);
    mem_free(x.waits);
    mem_free(x.deviations);
    mem_free(x.excess);
    mem_free(x.tickets);
}
