/* model_bench.c - CPU per ticket of the pure model: create, search, match; no I/O.
 *
 * Usage: model_bench [tickets queued, default 100000] [memory]. Prints microseconds of CPU per
 * ticket, then (or only) the bytes of memory that a queued ticket takes in a whole realm.
 */
#include "support/model_kit.h"

#include "model/pool.h"
#include "model/realm_state.h"

#include <malloc.h>
#include <time.h>

static struct realm *realm;
static struct rng rng;
static struct arena *arena;
static int64_t now_ms = 1000000;
static uint64_t matches, matched_tickets, names;
static double quality;
static bool with_request_ids;

static void count(void *arg, struct record *r) {
    (void)arg;
    if (r->kind != RECORD_MATCH_CREATED) return;
    matches++;
    matched_tickets += r->match_created.ticket_count;
    quality += r->match_created.quality;
}

static struct decision decision(void) {
    return (struct decision){now_ms, &rng, arena, count, NULL};
}

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void start(const struct kit_rules *rules) {
    realm_free(realm);
    realm = realm_new(0);
    rng_init(&rng, 1);
    matches = matched_tickets = names = 0;
    quality = 0;
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    c.put_queue.def = kit_def("q", "0", rules);
    struct decision d = decision();
    struct outcome out;
    struct err_text why;
    if (realm_decide(realm, &c, &d, &out, &why) != ERR_OK) abort();
}

static void create(const struct kit_player *as, uint32_t count_of) {
    struct player players[5];
    char id[5][24];
    for (uint32_t i = 0; i < count_of; i++) {
        struct kit_player k = *as;
        snprintf(id[i], sizeof id[i], "player-%llu", (unsigned long long)names++);
        k.id = id[i];
        players[i] = kit_player(arena, &k);
    }
    const struct str queue = STR("q");
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){&queue, players, 1, count_of};
    if (with_request_ids) c.create_ticket.request_key = id_new(&rng, now_ms);
    struct decision d = decision();
    struct outcome out;
    struct err_text why;
    if (realm_decide(realm, &c, &d, &out, &why) != ERR_OK) {
        fprintf(stderr, "%s\n", why.text);
        abort();
    }
}

static void search(void) {
    struct decision d = decision();
    while (realm_search(realm, &d, 100000))
        arena_reset(arena);
    realm_expire(realm, &d, 1000000);
    arena_reset(arena);
}

static void report(const char *what, double us, double tickets) {
    printf("%-52s %8.2f us/ticket  (%llu queued, %llu matches, quality %.0f)\n", what, us / tickets,
           (unsigned long long)realm_tickets_open(realm), (unsigned long long)matches,
           matches ? quality / (double)matches : 0);
    fflush(stdout);
}

static void duels_beside_a_queue_of(int queued) {
    const struct kit_rules rules = {
        .teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .timeout_ms = 43200000};
    start(&rules);
    double begin = cpu_us();
    for (int i = 0; i < queued; i++)
        create(&(struct kit_player){.skill = i * 1000.0}, 1);
    arena_reset(arena);
    report("create (unmatchable among themselves)", cpu_us() - begin, queued);
    begin = cpu_us();
    search();
    report("first search of each", cpu_us() - begin, queued);
    enum { PAIRS = 100000 };
    begin = cpu_us();
    for (int i = 0; i < PAIRS; i++) {
        double skill = (double)rng_below(&rng, (uint64_t)queued) * 1000 + 500;
        create(&(struct kit_player){.skill = skill}, 1);
        create(&(struct kit_player){.skill = skill + 50}, 1);
        now_ms++;
        search();
    }
    report("1v1: create, match, forget beside them", cpu_us() - begin, 2.0 * PAIRS);
}

static void bulk_duels(int queued) {
    const struct kit_rules rules = {
        .teams = 2, .players_min = 1, .players_max = 1, .spread = 75, .timeout_ms = 43200000};
    start(&rules);
    for (int i = 0; i < queued; i++) {
        if (i % 100 == 0) now_ms++;
        create(&(struct kit_player){.skill = 1500 + 300 * rng_normal(&rng)}, 1);
        if (i % 10000 == 0) arena_reset(arena);
    }
    double begin = cpu_us();
    search();
    report("bulk 1v1: all of the queue in one tick", cpu_us() - begin, queued);
}

static void random_five(void) {
    static const uint32_t sizes[] = {1, 1, 1, 1, 1, 2, 2, 3, 4, 5};
    static const char *const regions[] = {"as", "eu", "sa", "us"};
    uint64_t home = rng_below(&rng, 4);
    struct kit_player p = {.skill = 1500 + 300 * rng_normal(&rng)};
    for (int r = 0, n = 0; r < 4 && n < 3; r++) {
        if ((uint64_t)r == (home + 2) % 4) continue;
        p.regions[n] = regions[r];
        p.latencies[n++] = (uint64_t)r == home ? 30 : 80 + (int)rng_below(&rng, 100);
    }
    create(&p, sizes[rng_below(&rng, 10)]);
}

static void fives_at(int per_second, int total) {
    const struct kit_rules rules = {.teams = 2,
                                    .players_min = 5,
                                    .players_max = 5,
                                    .spread = 100,
                                    .steps = {{10000, 200}, {30000, 400}},
                                    .latency_ms = 120,
                                    .tick_ms = 50};
    start(&rules);
    double begin = cpu_us();
    int per_tick = per_second / 20;
    for (int i = 0; i < total; i++) {
        random_five();
        if (i % per_tick) continue;
        now_ms += 50;
        search();
    }
    char what[64];
    snprintf(what, sizeof what, "5v5, parties, 4 regions, %d tickets/s", per_second);
    report(what, cpu_us() - begin, total);
}

static void bulk_fives(int queued) {
    const struct kit_rules rules = {
        .teams = 2, .players_min = 5, .players_max = 5, .spread = 100, .latency_ms = 120};
    start(&rules);
    for (int i = 0; i < queued; i++) {
        random_five();
        if (i % 10000 == 0) arena_reset(arena);
    }
    double begin = cpu_us();
    search();
    report("bulk 5v5: all of the queue in one tick", cpu_us() - begin, queued);
}

static void crowd_that_no_rule_admits(int queued) {
    const struct kit_rules rules = {
        .teams = 2,
        .players_min = 5,
        .players_max = 5,
        .spread = 100,
        .extra = {{"max(flatten(teams[*].players.attributes[flag]))", 0}}};
    start(&rules);
    double begin = cpu_us();
    for (int i = 0; i < queued; i++)
        create(&(struct kit_player){.skill = 1500, .flag = 1}, 1);
    search();
    report("worst case: a crowd that a residual rule refuses", cpu_us() - begin, queued);
    begin = cpu_us();
    int64_t end_ms = now_ms + 60000;
    for (; now_ms < end_ms; now_ms += 50)
        search();
    printf("%-52s %8.2f us/ticket per minute\n", "  its retries in the first minute",
           (cpu_us() - begin) / queued);
}

static double bytes_held(void) {
    struct mallinfo2 m = mallinfo2();
    return (double)(m.uordblks + m.hblkhd);
}

static double map_bytes(const struct map *m) {
    return (double)(m->slot_count * sizeof *m->slots);
}

static double heap_bytes(const struct heap *h) {
    return (double)(h->capacity * sizeof *h->slots);
}

/* All that malloc holds for a realm whose tickets wait, its own headers and what arrays hold in
 * reserve included; nothing has been searched for yet, so no ticket has a timer in its pool. */
static void memory_of(const char *what, const struct kit_rules *rules, int queued, bool fives) {
    start(rules);
    double before = bytes_held();
    for (int i = 0; i < queued; i++) {
        if (fives)
            random_five();
        else
            create(&(struct kit_player){.skill = 1500 + 300 * rng_normal(&rng)}, 1);
        if (i % 10000 == 0) arena_reset(arena);
    }
    arena_reset(arena);
    double n = queued, all = bytes_held() - before;
    double maps =
        map_bytes(&realm->tickets) + map_bytes(&realm->players) + map_bytes(&realm->requests);
    double timers = heap_bytes(&realm->expiries) + heap_bytes(&realm->pulses);
    const struct pool *p = realm->queues[0]->pool;
    double pool = (double)(p->entries.bytes + p->log.capacity * sizeof *p->log.at);
    for (size_t i = 0; i < BIN_SIZES; i++)
        pool += (double)p->blocks.sizes[i].bytes;
    printf(
        "memory %-24s %4.0f bytes/ticket: block %.0f, pool %.0f, found by id, player and request "
        "%.0f, expiry %.0f\n",
        what, all / n, (all - maps - timers - pool) / n, pool / n, maps / n, timers / n);
    fflush(stdout);
}

static void memory(int queued) {
    const struct kit_rules duel = {
        .teams = 2, .players_min = 1, .players_max = 1, .spread = 75, .timeout_ms = 43200000};
    const struct kit_rules fives = {
        .teams = 2, .players_min = 5, .players_max = 5, .spread = 100, .latency_ms = 120};
    memory_of("1v1", &duel, queued, false);
    memory_of("5v5, parties, 3 regions", &fives, queued, true);
    with_request_ids = true;
    memory_of("1v1, with request ids", &duel, queued, false);
}

int main(int argc, char **argv) {
    int queued = argc > 1 ? atoi(argv[1]) : 100000;
    arena = arena_new(0);
    if (argc > 2 && strcmp(argv[2], "memory") == 0) {
        memory(queued);
        realm_free(realm);
        arena_free(arena);
        return 0;
    }
    duels_beside_a_queue_of(queued);
    bulk_duels(queued);
    fives_at(200, 50000);
    fives_at(2000, 200000);
    bulk_fives(queued);
    crowd_that_no_rule_admits(queued > 2000 ? 2000 : queued);
    memory(queued);
    realm_free(realm);
    arena_free(arena);
    return 0;
}
