/* search_bench.c - CPU and results of the matcher alone: the pool, the search, nothing else.
 *
 * Usage: search_bench [most tickets, default 1000000]. Tickets are made beforehand; what is timed
 * is pool_add, pool_wake, pool_take, pick_find, pool_remove and pool_sleep, the judging of each
 * match by ruleset_evaluate included. No records, no look-ups by id, no tickets made or freed.
 * Workloads: W1, W2, W6 are those of the survey: skill N(1500, 350), 300 s to live.
 */
#include "support/model_kit.h"

#include "model/pick.h"
#include "model/pool.h"
#include "model/quality.h"

#include <math.h>
#include <time.h>

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- tickets ---- */

struct workload {
    const char *name;
    struct kit_rules rules;
    double per_second; /* tickets */
    bool parties, regions;
};

static struct rng rng;
static const char *const region_names[4] = {"as", "eu", "sa", "us"};
static const int region_ms[4][4] = {
    {0, 160, 280, 130}, {160, 0, 190, 90}, {280, 190, 0, 120}, {130, 90, 120, 0}};

static uint32_t party_size(const struct workload *w) {
    static const int shares[] = {60, 82, 91, 94, 100};
    if (!w->parties) return 1;
    int draw = (int)rng_below(&rng, 100), size = 0;
    while (draw >= shares[size])
        size++;
    return (uint32_t)size + 1;
}

static uint32_t home_region(void) {
    static const int shares[] = {40, 70, 90, 100};
    int draw = (int)rng_below(&rng, 100);
    uint32_t home = 0;
    while (draw >= shares[home])
        home++;
    return home;
}

static double skill(void) {
    double s = 1500 + 350 * rng_normal(&rng);
    return s < 300 ? 300 : s > 3300 ? 3300 : s;
}

static struct ticket *make_ticket(const struct workload *w, int64_t at_ms) {
    static uint64_t names;
    struct player players[5];
    struct attribute skills[5];
    struct latency latencies[5][4];
    char ids[5][24];
    uint32_t count = party_size(w), home = home_region();
    double mean = skill();
    for (uint32_t i = 0; i < count; i++) {
        double own = count == 1 ? mean : mean + 0.4 * 350 * rng_normal(&rng);
        double access = 35 * exp(0.35 * rng_normal(&rng));
        snprintf(ids[i], sizeof ids[i], "p%llu", (unsigned long long)names++);
        skills[i] =
            (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = own};
        for (uint32_t r = 0; r < 4; r++) {
            latencies[i][r] =
                (struct latency){str_of(region_names[r]), (int)access + region_ms[home][r] + 1};
        }
        players[i] =
            (struct player){str_of(ids[i]), &skills[i], latencies[i], 1, w->regions ? 4 : 0};
    }
    struct ticket_spec spec = {.queues = (struct str[]){STR("q")},
                               .players = players,
                               .queue_count = 1,
                               .player_count = count};
    struct ticket *t = ticket_new(id_new(&rng, at_ms), &spec);
    t->created_ms = at_ms;
    t->state = TICKET_QUEUED;
    return t;
}

/* ---- the matcher ---- */

struct run {
    struct pool *pool;
    struct pick *pick;
    double cpu_us, pause_us;
    uint64_t matches, players, searches, expired;
    double wait_s, mismatch, win_gap, ping;
    float *waits;
    uint64_t wait_count;
    uint64_t digest;
    struct made *made; /* matches, measured after the clock is stopped */
    struct made_ticket *made_tickets;
    uint64_t made_ticket_count;
};

struct made {
    uint64_t first;
    int64_t now_ms;
    double latency_ms;
    uint32_t ticket_count;
};

struct made_ticket {
    const struct ticket *ticket;
    uint32_t team;
};

static void measure(struct run *run, const struct made *m) {
    const struct made_ticket *tickets = &run->made_tickets[m->first];
    double sum = 0, keys[LIMIT_MATCH_PLAYERS], sums[LIMIT_TEAMS] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket *t = tickets[i].ticket;
        for (uint32_t k = 0; k < t->spec.player_count; k++) {
            double s = player_attribute(&t->spec.players[k], STR("skill"))->number;
            keys[n++] = s;
            sum += s;
            sums[tickets[i].team] += s;
            double wait = (double)(m->now_ms - t->created_ms) / 1000;
            run->wait_s += wait;
            if (run->waits) run->waits[run->wait_count++] = (float)wait;
        }
        run->digest = (run->digest ^ t->id.lo) * 1099511628211u + tickets[i].team;
    }
    double deviation = 0;
    for (uint32_t i = 0; i < n; i++)
        deviation += fabs(keys[i] - sum / n);
    run->mismatch += 2 * deviation;
    run->win_gap += n * fabs(0.5 * erfc((sums[1] - sums[0]) / sqrt(2 * n * 200.0 * 200.0)) - 0.5);
    run->ping += m->latency_ms * n;
    run->players += n;
}

static void keep(struct run *run, const struct pick_result *found, int64_t now_ms) {
    run->made[run->matches++] = (struct made){run->made_ticket_count, now_ms,
                                              found->verdict.mean_latency_ms, found->ticket_count};
    for (uint32_t i = 0; i < found->ticket_count; i++) {
        run->made_tickets[run->made_ticket_count++] =
            (struct made_ticket){found->tickets[i], found->team_of[i]};
    }
}

static double wall_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void search(struct run *run, int64_t now_ms) {
    struct pool *p = run->pool;
    double begin = wall_us();
    pool_wake(p, now_ms);
    for (struct pool_entry *x; (x = pool_take(p));) {
        const struct pick_result *found = pick_find(run->pick, p, x, now_ms, false);
        run->searches++;
        if (!found->found) {
            pool_sleep(p, x, pick_retry_ms(p, x, now_ms, found));
            continue;
        }
        keep(run, found, now_ms);
        for (uint32_t i = 0; i < found->ticket_count; i++)
            pool_remove(p, found->tickets[i]->places[0].entry);
    }
    double spent = wall_us() - begin;
    if (spent > run->pause_us) run->pause_us = spent;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(struct run *run, const struct workload *w, uint64_t tickets) {
    qsort(run->waits, run->wait_count, sizeof *run->waits, by_value);
    double n = run->players ? (double)run->players : 1;
    double p95 = run->wait_count ? run->waits[run->wait_count * 95 / 100] : 0;
    double most = run->wait_count ? run->waits[run->wait_count - 1] : 0;
    printf("%-26s %7.2f us/ticket %5.2f searches  wait %6.2f p95 %6.1f max %6.1f s  mismatch %6.1f"
           "  win gap %.3f  ping %5.1f  left %llu  %016llx\n",
           w->name, run->cpu_us / (double)tickets, (double)run->searches / (double)tickets,
           run->wait_s / n, p95, most, run->mismatch / n, run->win_gap / n, run->ping / n,
           (unsigned long long)pool_count(run->pool), (unsigned long long)run->digest);
    fflush(stdout);
}

static void play(const struct workload *w, uint64_t tickets) {
    struct run run = {.pick = pick_new()};
    struct queue_def *def = kit_def("q", "0", &w->rules);
    struct ticket **all = mem_array(tickets, sizeof *all);
    rng_init(&rng, 1);
    run.pool = pool_new(def->ruleset);
    pool_set_patience(run.pool, &def->patience);
    run.waits = mem_array(tickets * 5, sizeof *run.waits);
    double at_ms = 1e9;
    for (uint64_t i = 0; i < tickets; i++) {
        at_ms -= log(1 - rng_unit(&rng)) * 1000 / w->per_second;
        all[i] = make_ticket(w, (int64_t)at_ms);
    }
    run.made = mem_array(tickets, sizeof *run.made);
    run.made_tickets = mem_array(tickets, sizeof *run.made_tickets);
    uint64_t next = 0, oldest = 0;
    double begin = cpu_us();
    for (int64_t now_ms = 1000000000; next < tickets; now_ms += 50) {
        for (; next < tickets && all[next]->created_ms <= now_ms; next++)
            (void)pool_add(run.pool, all[next], 0);
        search(&run, now_ms);
        for (; oldest < next && all[oldest]->created_ms + 300000 <= now_ms; oldest++) {
            if (!all[oldest]->places[0].entry) continue;
            pool_remove(run.pool, all[oldest]->places[0].entry);
            run.expired++;
        }
    }
    run.cpu_us = cpu_us() - begin;
    for (uint64_t i = 0; i < run.matches; i++)
        measure(&run, &run.made[i]);
    report(&run, w, tickets);
    mem_free(run.made);
    mem_free(run.made_tickets);
    pool_free(run.pool);
    for (uint64_t i = 0; i < tickets; i++)
        ticket_free(all[i]);
    mem_free(all);
    mem_free(run.waits);
    pick_free(run.pick);
    queue_def_free(def);
}

#define DUEL .teams = 2, .players_min = 1, .players_max = 1, .timeout_ms = 300000
#define FIVES .teams = 2, .players_min = 5, .players_max = 5, .timeout_ms = 300000

int main(int argc, char **argv) {
    static const struct workload workloads[] = {
        {"W1 1v1 0.5/s c=10",
         {DUEL, .spread = 3000, .scale = 100, .patience = 10},
         0.5,
         false,
         false},
        {"W1 1v1 5/s c=10", {DUEL, .spread = 3000, .scale = 100, .patience = 10}, 5, false, false},
        {"W1 1v1 50/s c=10",
         {DUEL, .spread = 3000, .scale = 100, .patience = 10},
         50,
         false,
         false},
        {"W1 1v1 500/s c=10",
         {DUEL, .spread = 3000, .scale = 100, .patience = 10},
         500,
         false,
         false},
        {"W2 5v5 2/s c=10",
         {FIVES, .spread = 3000, .scale = 100, .latency_ms = 200, .patience = 10},
         2,
         true,
         true},
        {"W2 5v5 20/s c=10",
         {FIVES, .spread = 3000, .scale = 100, .latency_ms = 200, .patience = 10},
         20,
         true,
         true},
        {"W2 5v5 100/s c=10",
         {FIVES, .spread = 3000, .scale = 100, .latency_ms = 200, .patience = 10},
         100,
         true,
         true},
        {"W2s 5v5 solo 20/s c=10",
         {FIVES, .spread = 3000, .scale = 100, .patience = 10},
         20,
         false,
         false},
        {"W2 5v5 20/s no patience",
         {FIVES, .spread = 100, .steps = {{10000, 200}, {30000, 400}}, .latency_ms = 200},
         20,
         true,
         true},
    };
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (argc > 1 && !strstr(workloads[i].name, argv[1])) continue;
        double seconds = 1200;
        uint64_t most = argc > 2 ? (uint64_t)atoll(argv[2]) : 100000;
        uint64_t tickets = (uint64_t)(workloads[i].per_second * seconds);
        play(&workloads[i], tickets > most ? most : tickets);
    }
    return 0;
}
