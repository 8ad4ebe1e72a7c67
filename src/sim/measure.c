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
    struct measure_player *players;
    size_t count;
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

/* ---- the matches themselves: legal, and roles ---- */

static void measure_matches(struct measuring *x) {
    const struct play *p = x->play;
    uint32_t tickets[LIMIT_MATCH_PLAYERS];
    struct arena *scratch = arena_new(0);
    x->out->invalid = p->wrong;
    for (size_t i = 0; i < p->match_count; i++) {
        struct field_match m;
        play_read_match(p, i, tickets, &m);
        x->out->invalid += !team_sizes_right(p->field, &m) || !field_legal(p->field, &m, scratch);
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

static void read_ping(const struct field *f, const struct player *p, uint32_t region,
                      struct measure_player *out) {
    double best = INFINITY;
    for (uint32_t k = 0; k < p->latency_count; k++)
        best = fmin(best, p->latencies[k].ms);
    out->has_ping = true;
    out->ping_ms = player_latency_ms(p, str_of(f->regions[region]));
    out->excess_ms = out->ping_ms - best;
    out->ping_cost = field_ping_cost(out->ping_ms, best);
}

static void read_ticket(const struct play *p, const struct match_costs *costs, uint32_t ticket,
                        struct measure_player *out) {
    const struct trace_ticket *t = &p->field->trace->tickets[ticket];
    uint32_t match = p->match_of[ticket];
    bool matched = match != FIELD_NONE;
    int64_t end_ms = matched ? p->matches[match].at_ms : t->leave_ms;
    for (uint32_t k = 0; k < t->spec.player_count; k++, out++) {
        *out = (struct measure_player){.ticket = ticket, .matched = matched};
        out->wait_s = (double)(end_ms - t->at_ms) / 1000;
        if (!matched) continue;
        double own = ruleset_player_key(p->field->ruleset, &t->spec.players[k]);
        out->mismatch = costs[match].mismatch;
        out->deviation = 2 * fabs(own - costs[match].mean);
        out->imbalance = costs[match].imbalance;
        out->win_gap = costs[match].win_gap;
        uint32_t region = p->matches[match].region;
        if (region != FIELD_NONE) read_ping(p->field, &t->spec.players[k], region, out);
    }
}

static bool is_measured(const struct trace *t, size_t i) {
    return t->tickets[i].at_ms >= t->from_ms && t->tickets[i].at_ms < t->to_ms;
}

size_t measure_players(const struct play *p, struct measure_player **out) {
    const struct trace *t = p->field->trace;
    struct match_costs *costs = mem_array(p->match_count + 1, sizeof *costs);
    uint32_t tickets[LIMIT_MATCH_PLAYERS];
    for (size_t i = 0; i < p->match_count; i++) {
        struct field_match m;
        play_read_match(p, i, tickets, &m);
        costs[i] = cost_of(p->field, &m);
    }
    size_t count = 0, written = 0;
    for (size_t i = 0; i < t->count; i++)
        if (is_measured(t, i)) count += t->tickets[i].spec.player_count;
    *out = mem_array(count + 1, sizeof **out);
    for (size_t i = 0; i < t->count; i++) {
        if (!is_measured(t, i)) continue;
        read_ticket(p, costs, (uint32_t)i, *out + written);
        written += t->tickets[i].spec.player_count;
    }
    mem_free(costs);
    return count;
}

double measure_match(const struct field *f, const struct field_match *m) {
    struct match_costs c = cost_of(f, m);
    double ping = 0, players = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket_spec *spec = &f->trace->tickets[m->tickets[i]].spec;
        for (uint32_t k = 0; k < spec->player_count; k++) {
            struct measure_player own = {0};
            if (m->region != FIELD_NONE) read_ping(f, &spec->players[k], m->region, &own);
            ping += own.ping_cost;
            players++;
        }
    }
    return c.mismatch + c.imbalance + PING_WEIGHT * ping / players;
}

double measure_cost(const struct measure_player *p) {
    return p->mismatch + p->imbalance + PING_WEIGHT * p->ping_cost;
}

typedef bool (*chooses_fn)(const struct measuring *x, size_t player, double low, double high);

static bool of_skill(const struct measuring *x, size_t player, double low, double high) {
    double skill = x->play->field->tickets[x->players[player].ticket].skill;
    return skill >= low && skill < high;
}

static bool of_size(const struct measuring *x, size_t player, double low, double high) {
    double players = x->play->field->tickets[x->players[player].ticket].players;
    return players >= low && players < high;
}

static void measure_some(struct measuring *x, chooses_fn chooses, double low, double high,
                         struct measure_waits *out) {
    double *waits = mem_array(x->count + 1, sizeof *waits), sum = 0;
    size_t n = 0;
    *out = (struct measure_waits){0};
    for (size_t i = 0; i < x->count; i++) {
        if (!chooses(x, i, low, high)) continue;
        out->expired += !x->players[i].matched;
        sum += x->players[i].wait_s;
        waits[n++] = x->players[i].wait_s;
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
        skills[i] = x->play->field->tickets[x->players[i].ticket].skill;
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

static void measure_costs(struct measuring *x) {
    struct measure *out = x->out;
    double *deviations = mem_array(x->count + 1, sizeof *deviations);
    double *excess = mem_array(x->count + 1, sizeof *excess), pinged = 0, matched = 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct measure_player *p = &x->players[i];
        if (!p->matched) continue;
        deviations[(size_t)matched++] = p->deviation;
        out->mismatch += p->mismatch;
        out->imbalance += p->imbalance;
        out->win_gap += p->win_gap;
        if (!p->has_ping) continue;
        excess[(size_t)pinged++] = p->excess_ms;
        out->ping_excess_ms += p->excess_ms;
        out->ping_bad_share += p->ping_ms > PING_BAD_MS;
        out->ping_cost += PING_WEIGHT * p->ping_cost;
    }
    double all = fmax(1, matched), some = fmax(1, pinged);
    out->mismatch /= all;
    out->imbalance /= all;
    out->win_gap /= all;
    out->has_pings = pinged > 0;
    out->ping_excess_ms /= some;
    out->ping_bad_share /= some;
    out->ping_cost /= some;
    out->deviation_p95 = measure_quantile(deviations, (size_t)matched, 0.95);
    out->ping_excess_p95_ms = measure_quantile(excess, (size_t)pinged, 0.95);
    out->quality_cost = out->mismatch + out->imbalance + out->ping_cost;
    mem_free(deviations);
    mem_free(excess);
}

static void measure_promises(struct measuring *x) {
    double told = 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct measure_player *p = &x->players[i];
        struct ticket_wait promise = x->play->promises[p->ticket];
        if (promise.p90_ms == 0) continue;
        told++;
        x->out->within_p50 += p->matched && p->wait_s * 1000 <= promise.p50_ms;
        x->out->within_p90 += p->matched && p->wait_s * 1000 <= promise.p90_ms;
    }
    x->out->promised_share = told / fmax(1, (double)x->count);
    x->out->within_p50 /= fmax(1, told);
    x->out->within_p90 /= fmax(1, told);
}

void measure_play(struct measure *out, const struct play *p) {
    *out = (struct measure){.hash = p->hash, .has_roles = p->field->has_roles};
    struct measuring x = {.play = p, .out = out};
    x.count = measure_players(p, &x.players);
    measure_matches(&x);
    measure_bands(&x);
    measure_costs(&x);
    measure_promises(&x);
    for (size_t i = 0; i < p->field->trace->count; i++)
        out->tickets += is_measured(p->field->trace, i);
    out->matches = p->match_count;
    out->matches_per_s = p->end_ms ? (double)p->match_count * 1000 / (double)p->end_ms : 0;
    out->cpu_us_per_ticket = p->arrived ? (double)p->cpu_ns / 1000 / (double)p->arrived : 0;
    mem_free(x.players);
}
