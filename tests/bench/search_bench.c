/* search_bench.c - CPU and results of the matcher alone: the pool, the search, nothing else.
 *
 * Usage: search_bench [part] [most tickets, default 1000000]. Part: text that is in a line's name
 * ("W1", "bulk 5v5"), or flash, beside, bulk, nakama, memory; default all.
 * Tickets are made beforehand; what is timed is pool_add, pool_wake, pool_take, pick_find,
 * pool_remove and pool_sleep, the judging of each match by ruleset_evaluate included. No records,
 * no look-ups by id, no tickets made or freed: model_bench has those.
 * Beside each bulk pass stands what the same run's memory allows: to read in sequence as many bytes
 * as the slots hold, and as the slots and ticket blocks do.
 * W1, W2, W3: skill N(1500, 350), players of a party 0.4 of that apart, 300 s to live, patience 10.
 */
#include "support/model_kit.h"

#include "model/pick.h"
#include "model/pool.h"
#include "model/quality.h"
#include "model/sweep.h"
#include "model/ticket_home.h"

#include <malloc.h>
#include <math.h>
#include <time.h>

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

#define START_MS 1000000000
#define TICK_MS 50

/* ---- tickets ---- */

struct workload {
    const char *name;
    struct kit_rules rules;
    double per_second; /* tickets */
    bool parties, regions;
    int role_shares[3]; /* per cent of tanks, of them and damage, ...; 0: no roles */
};

static const struct role_def roles[3] = {
    {STR("tank"), 1, 1, NULL, 0}, {STR("damage"), 2, 2, NULL, 0}, {STR("support"), 2, 2, NULL, 0}};

static struct rng rng;
static struct ticket_home *memory_of_tickets;
static struct arena *arena;
static const char *const region_names[4] = {"as", "eu", "sa", "us"};
static const int region_ms[4][4] = {
    {0, 160, 280, 130}, {160, 0, 190, 90}, {280, 190, 0, 120}, {130, 90, 120, 0}};

static uint32_t party_size(const struct workload *w) {
    static const int shares[] = {60, 82, 91, 94, 100};
    if (w->role_shares[0]) return rng_below(&rng, 100) < 85 ? 1 : 2;
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

static double fixed_skill, last_skill; /* fixed: not 0 */

static double skill(void) {
    if (fixed_skill != 0) return fixed_skill;
    double s = 1500 + 350 * rng_normal(&rng);
    return s < 300 ? 300 : s > 3300 ? 3300 : s;
}

/* A first role by the workload's shares, of three in ten players a second one. */
static struct attribute random_roles(const struct workload *w, struct str wishes[2]) {
    int draw = (int)rng_below(&rng, 100);
    int first = draw < w->role_shares[0] ? 0 : draw < w->role_shares[1] ? 1 : 2;
    uint32_t count = rng_below(&rng, 100) < 30 ? 2 : 1;
    wishes[0] = roles[first].name;
    wishes[1] = roles[(first + 1 + (int)rng_below(&rng, 2)) % 3].name;
    return (struct attribute){
        .name = STR("roles"), .kind = ATTRIBUTE_LIST, .item_count = count, .items = wishes};
}

static struct ticket *make_ticket(const struct workload *w, int64_t at_ms) {
    static uint64_t names;
    struct player players[5];
    struct attribute attributes[5][2];
    struct str wishes[5][2];
    struct latency latencies[5][4];
    char ids[5][24];
    uint32_t count = party_size(w), home = home_region();
    double mean = skill();
    for (uint32_t i = 0; i < count; i++) {
        double own = count == 1 ? mean : mean + 0.4 * 350 * rng_normal(&rng);
        double access = 35 * exp(0.35 * rng_normal(&rng));
        snprintf(ids[i], sizeof ids[i], "p%llu", (unsigned long long)names++);
        attributes[i][1] =
            (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = own};
        attributes[i][0] = random_roles(w, wishes[i]);
        bool has_roles = w->role_shares[0] > 0;
        for (uint32_t r = 0; r < 4; r++) {
            latencies[i][r] =
                (struct latency){str_of(region_names[r]), (int)access + region_ms[home][r] + 1};
        }
        players[i] = (struct player){str_of(ids[i]), &attributes[i][!has_roles], latencies[i],
                                     1 + has_roles, w->regions ? 4 : 0};
    }
    struct ticket_spec spec = {.queues = (struct str[]){STR("q")},
                               .players = players,
                               .queue_count = 1,
                               .player_count = count};
    struct ticket_origin origin = {.home = memory_of_tickets};
    struct ticket *t = ticket_new(id_new(&rng, at_ms), &spec, &origin);
    ticket_set_times(t, at_ms, at_ms + 300000);
    return t;
}

/* ---- the matcher ---- */

struct run {
    struct pool *pool;
    struct pick *pick;
    struct sweep *sweep;
    double cpu_us, pause_us, plan_us;
    uint64_t matches, players, searches, expired;
    double wait_s, mismatch, win_gap, ping;

    float *waits;
    uint64_t wait_count;
    uint64_t digest;
    struct made *made; /* matches, measured after the clock is stopped */
    struct made_ticket *made_tickets;
    uint64_t made_ticket_count;
    struct queue_def *def;
    struct ticket **all;
    uint64_t tickets;
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
        struct ticket_spec spec = ticket_spec(t, arena);
        for (uint32_t k = 0; k < spec.player_count; k++) {
            double s = player_attribute(&spec.players[k], STR("skill"))->number;
            keys[n++] = s;
            sum += s;
            sums[tickets[i].team] += s;
            double wait = (double)(m->now_ms - t->created_ms) / 1000;
            run->wait_s += wait;
            if (run->waits) run->waits[run->wait_count++] = (float)wait;
        }
        run->digest = (run->digest ^ t->id.lo) * 1099511628211u + tickets[i].team;
    }
    arena_reset(arena);
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

static void take(struct run *run, const struct pick_result *found, int64_t now_ms) {
    keep(run, found, now_ms);
    for (uint32_t i = 0; i < found->ticket_count; i++)
        pool_remove(run->pool, found->tickets[i]->places[0].entry);
}

static void search(struct run *run, int64_t now_ms) {
    struct pool *p = run->pool;
    bool timed = p->fresh_count >= 100; /* to read the clock costs as much as a search */
    double begin = timed ? cpu_us() : 0;
    pool_wake(p, now_ms);
    while (sweep_is_due(p)) {
        double planning = cpu_us();
        sweep_plan(run->sweep, p, now_ms, (struct sweep_plan){false, SWEEP_TICKETS});
        run->plan_us += cpu_us() - planning;
        for (const struct pick_result *found; (found = sweep_take(run->sweep));)
            take(run, found, now_ms);
    }
    for (struct pool_entry *x; (x = pool_take(p));) {
        const struct pick_result *found = pick_find(run->pick, p, x, now_ms, false);
        run->searches++;
        if (!found->found) {
            pool_sleep(p, x, pick_retry_ms(p, x, now_ms, found));
            continue;
        }
        take(run, found, now_ms);
    }
    double spent = timed ? cpu_us() - begin : 0;
    if (spent > run->pause_us) run->pause_us = spent;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(struct run *run, const char *name, uint64_t tickets) {
    qsort(run->waits, run->wait_count, sizeof *run->waits, by_value);
    double n = run->players ? (double)run->players : 1;
    double p95 = run->wait_count ? run->waits[run->wait_count * 95 / 100] : 0;
    double p99 = run->wait_count ? run->waits[run->wait_count * 99 / 100] : 0;
    double most = run->wait_count ? run->waits[run->wait_count - 1] : 0;
    printf("%-26s %6.2f us/ticket %5.2f searches  wait %6.2f p95 %6.1f p99 %6.1f max %6.1f s  "
           "apart %5.1f  win gap %.3f  ping %5.1f  longest turn %6.2f ms  left %llu  %016llx\n",
           name, run->cpu_us / (double)tickets, (double)run->searches / (double)tickets,
           run->wait_s / n, p95, p99, most, run->mismatch / n, run->win_gap / n, run->ping / n,
           run->pause_us / 1000, (unsigned long long)pool_count(run->pool),
           (unsigned long long)run->digest);
    fflush(stdout);
}

/* ---- runs ---- */

static const char *only = ""; /* the part asked for */

static void begin_run(struct run *run, const struct workload *w, uint64_t tickets) {
    *run = (struct run){.pick = pick_new(), .sweep = sweep_new()};
    run->def = kit_def("q", "0", &w->rules);
    run->all = mem_array(tickets, sizeof *run->all);
    run->tickets = tickets;
    memory_of_tickets = ticket_home_new();
    rng_init(&rng, 1);
    run->pool = pool_new(run->def->ruleset);
    pool_set_patience(run->pool, &run->def->patience);
    run->waits = mem_array(tickets * 5, sizeof *run->waits);
    run->made = mem_array(tickets, sizeof *run->made);
    run->made_tickets = mem_array(tickets, sizeof *run->made_tickets);
}

static void end_run(struct run *run) {
    pool_free(run->pool);
    for (uint64_t i = 0; i < run->tickets; i++)
        ticket_free(run->all[i]);
    ticket_home_free(memory_of_tickets);
    mem_free(run->all);
    mem_free(run->waits);
    mem_free(run->made);
    mem_free(run->made_tickets);
    pick_free(run->pick);
    sweep_free(run->sweep);
    queue_def_free(run->def);
}

/* Arrivals as the workload says; with a flash crowd, 100,000 come in ten seconds after a minute. */
static void draw_arrivals(struct run *run, const struct workload *w, bool flash) {
    double at_ms = START_MS;
    for (uint64_t i = 0; i < run->tickets; i++) {
        bool crowd = flash && at_ms > START_MS + 60000 && at_ms < START_MS + 70000;
        at_ms -= log(1 - rng_unit(&rng)) * 1000 / (crowd ? 10000 : w->per_second);
        while (!kit_admits(run->def->ruleset, run->all[i] = make_ticket(w, (int64_t)at_ms)))
            ticket_free(run->all[i]); /* two who are both tanks */
    }
}

static void live(struct run *run) {
    uint64_t next = 0, oldest = 0;
    double begin = cpu_us();
    for (int64_t now_ms = START_MS; next < run->tickets; now_ms += TICK_MS) {
        for (; next < run->tickets && run->all[next]->created_ms <= now_ms; next++)
            (void)pool_add(run->pool, run->all[next], 0);
        if (pool_due_ms(run->pool) <= now_ms) search(run, now_ms); /* a realm is not asked before */
        for (; oldest < next && run->all[oldest]->created_ms + 300000 <= now_ms; oldest++) {
            struct pool_entry *e = run->all[oldest]->places[0].entry;
            if (e) pool_remove(run->pool, e);
        }
    }
    run->cpu_us = cpu_us() - begin;
    for (uint64_t i = 0; i < run->matches; i++)
        measure(run, &run->made[i]);
}

static void play(const struct workload *w, uint64_t tickets, bool flash) {
    struct run run;
    char name[64];
    snprintf(name, sizeof name, "%s%s", flash ? "flash " : "", w->name);
    if (!strstr(name, only)) return;
    begin_run(&run, w, tickets);
    draw_arrivals(&run, w, flash);
    live(&run);
    report(&run, name, tickets);
    end_run(&run);
}

static size_t heap_bytes(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static volatile uint64_t seen; /* so that reading is not left out */

/* Bytes a microsecond that this thread reads of memory in sequence: the floor of every pass. The
 * best of a few rounds over more than the caches hold. */
static double reading_pace(void) {
    enum { WORDS = 32 << 20, ROUNDS = 3 };
    uint64_t *words = mem_array(WORDS, sizeof *words);
    memset(words, 1, WORDS * sizeof *words);
    double least_us = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t sum = 0;
        double begin = cpu_us();
        for (size_t i = 0; i < WORDS; i++)
            sum += words[i];
        seen += sum;
        least_us = fmin(least_us, cpu_us() - begin);
    }
    mem_free(words);
    return WORDS * sizeof *words / least_us;
}

/* One look at each slot in the order of arrival: nobody has read ahead of it. */
static double look_at_each(const struct run *run) {
    double begin = cpu_us();
    for (uint64_t at = 0; at < run->tickets; at++)
        seen += (uint64_t)pool_slot(run->all[at]->places[0].entry)->created_ms;
    return cpu_us() - begin;
}

/* All of a queue is dirty at once, as after a restart or a change of rules. */
static void bulk(const char *part, const struct workload *w, uint64_t tickets) {
    struct run run;
    char name[64];
    snprintf(name, sizeof name, "%s %s", part, w->name);
    if (!strstr(name, only)) return;
    begin_run(&run, w, tickets);
    size_t before = heap_bytes();
    for (uint64_t i = 0; i < tickets; i++)
        run.all[i] = make_ticket(w, START_MS + (int64_t)(i / 100));
    double n = (double)tickets, block_bytes = (double)(heap_bytes() - before);
    for (uint64_t i = 0; i < tickets; i++)
        (void)pool_add(run.pool, run.all[i], 0);
    double looked = look_at_each(&run), pace = reading_pace();
    double slots_us = n * (double)run.pool->blocks.slot_bytes / pace;
    double all_us = slots_us + block_bytes / pace;
    double begin = cpu_us();
    search(&run, START_MS + 100000);
    double spent = cpu_us() - begin;
    for (uint64_t i = 0; i < run.matches; i++)
        measure(&run, &run.made[i]);
    printf("%-24s %8llu tickets %8.2f ms %5.2f us/ticket, %.1f x reading slots and tickets "
           "(%.2f ms); groups planned in %.2f ms, %.1f x reading the slots (%.2f ms; %.2f by "
           "arrival); %llu matches, %llu left  %016llx\n",
           name, (unsigned long long)tickets, spent / 1000, spent / n, spent / all_us,
           all_us / 1000, run.plan_us / 1000, run.plan_us / slots_us, slots_us / 1000,
           looked / 1000, (unsigned long long)run.matches, (unsigned long long)pool_count(run.pool),
           (unsigned long long)run.digest);
    fflush(stdout);
    end_run(&run);
}

/* `queued` tickets that cannot be matched among themselves, then others come and go beside them. */
static void beside(const struct workload *w, uint64_t queued, uint64_t tickets) {
    struct run run;
    char name[64];
    snprintf(name, sizeof name, "beside %s", w->name);
    if (!strstr(name, only)) return;
    begin_run(&run, w, queued + tickets);
    for (uint64_t i = 0; i < queued; i++) {
        fixed_skill = 1e6 + (double)i * 1e4;
        run.all[i] = make_ticket(w, START_MS);
    }
    for (uint64_t i = queued; i < queued + tickets; i++) {
        fixed_skill = 1e6 + (double)rng_below(&rng, queued) * 1e4 + 5000 + 20 * rng_normal(&rng);
        if (i % 2) fixed_skill = last_skill + 10;
        last_skill = fixed_skill;
        run.all[i] = make_ticket(w, START_MS + 1000 + (int64_t)((i - queued) / 50));
    }
    fixed_skill = 0;
    for (uint64_t i = 0; i < queued; i++)
        (void)pool_add(run.pool, run.all[i], 0);
    search(&run, START_MS + 1);
    uint64_t next = queued;
    double begin = cpu_us();
    run.pause_us = 0;
    for (int64_t now_ms = START_MS + 1000; next < queued + tickets; now_ms += TICK_MS) {
        for (; next < queued + tickets && run.all[next]->created_ms <= now_ms; next++)
            (void)pool_add(run.pool, run.all[next], 0);
        search(&run, now_ms);
    }
    double spent = cpu_us() - begin;
    for (uint64_t i = 0; i < run.matches; i++)
        measure(&run, &run.made[i]);
    printf("%-20s %8llu queued %6.2f us/ticket  %llu matches; longest turn (of 2,500 arrivals) "
           "%.2f ms  %016llx\n",
           name, (unsigned long long)queued, spent / (double)tickets,
           (unsigned long long)run.matches, run.pause_us / 1000, (unsigned long long)run.digest);
    fflush(stdout);
    end_run(&run);
}

/* Sizes of Nakama's benchmark: so many waiting, one process over all of them. */
static void nakama(const struct workload *w) {
    static const uint64_t sizes[] = {100, 500, 1000, 10000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        bulk("nakama", w, sizes[i]);
}

static void memory(const struct workload *w, uint64_t tickets) {
    struct run run;
    begin_run(&run, w, tickets);
    size_t before = heap_bytes();
    for (uint64_t i = 0; i < tickets; i++)
        run.all[i] = make_ticket(w, START_MS);
    size_t made = heap_bytes();
    for (uint64_t i = 0; i < tickets; i++)
        (void)pool_add(run.pool, run.all[i], 0);
    size_t pooled = heap_bytes();
    printf("memory %-22s ticket block %.0f bytes, in the pool %.0f bytes each\n", w->name,
           (double)(made - before) / (double)tickets, (double)(pooled - made) / (double)tickets);
    end_run(&run);
}

#define PATIENT .spread = 3000, .scale = 100, .patience = 10
#define DUEL .teams = 2, .players_min = 1, .players_max = 1, .timeout_ms = 300000
#define FIVES .teams = 2, .players_min = 5, .players_max = 5, .timeout_ms = 300000
#define ROLES .roles = roles, .role_count = 3

static const struct workload workloads[] = {
    {"W1 1v1 0.5/s", {DUEL, PATIENT}, 0.5, false, false, {0}},
    {"W1 1v1 5/s", {DUEL, PATIENT}, 5, false, false, {0}},
    {"W1 1v1 50/s", {DUEL, PATIENT}, 50, false, false, {0}},
    {"W1 1v1 500/s", {DUEL, PATIENT}, 500, false, false, {0}},
    {"W2 5v5 parties 2/s", {FIVES, PATIENT, .latency_ms = 200}, 2, true, true, {0}},
    {"W2 5v5 parties 20/s", {FIVES, PATIENT, .latency_ms = 200}, 20, true, true, {0}},
    {"W2 5v5 parties 100/s", {FIVES, PATIENT, .latency_ms = 200}, 100, true, true, {0}},
    {"W2s 5v5 solo 20/s", {FIVES, PATIENT}, 20, false, false, {0}},
    {"W3 5v5 roles 20/s", {FIVES, PATIENT, ROLES}, 20, false, false, {19, 64, 100}},
    {"W3x roles, few tanks", {FIVES, PATIENT, ROLES}, 20, false, false, {12, 72, 100}},
    {"5v5 20/s first legal", {FIVES, .spread = 100, .latency_ms = 200}, 20, true, true, {0}},
};

int main(int argc, char **argv) {
    arena = arena_new(0);
    static const struct workload duel = {"1v1", {DUEL, .spread = 75}, 50, false, false, {0}};
    static const struct workload fives = {
        "5v5 parties", {FIVES, .spread = 100, .latency_ms = 200}, 50, true, true, {0}};
    static const struct workload patient = {"1v1 patient", {DUEL, PATIENT}, 50, false, false, {0}};
    static const struct workload patient_fives = {
        "5v5 patient", {FIVES, PATIENT, .latency_ms = 200}, 50, true, true, {0}};
    static const struct workload min_max = {
        "min-max 4-10",
        {.teams = 1, .players_min = 4, .players_max = 10, .timeout_ms = 300000, .spread = 300},
        50,
        false,
        false,
        {0}};
    if (argc > 1) only = argv[1];
    uint64_t most = argc > 2 ? (uint64_t)atoll(argv[2]) : 1000000;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        double tickets = fmin(fmax(workloads[i].per_second * 1200, 10000), 100000);
        play(&workloads[i], (uint64_t)tickets, false);
    }
    play(&patient, 110000, true);
    play(&patient_fives, 110000, true);
    for (uint64_t queued = 10000; queued <= most; queued *= 10) {
        beside(&duel, queued, 100000);
        beside(&patient, queued, 100000);
    }
    for (uint64_t n = 10000; n <= most; n *= 10) {
        bulk("bulk", &duel, n);
        bulk("bulk", &fives, n);
        bulk("bulk", &patient, n);
        bulk("bulk", &patient_fives, n);
    }
    nakama(&duel);
    nakama(&min_max);
    if (strstr("memory", only)) memory(&duel, most);
    if (strstr("memory", only)) memory(&fives, most);
    arena_free(arena);
    return 0;
}
