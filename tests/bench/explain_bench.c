/* explain_bench.c - CPU of an explanation in a crowd, and of wait estimates per ticket; no I/O.
 *
 * Usage: explain_bench [tickets queued, default 100000]. Explains 200 of them, spread over the
 * queue, and prints the median and the longest; then what learning and asking cost a ticket.
 */
#include "support/model_kit.h"

#include "model/eta.h"
#include "model/why.h"

#include <time.h>

enum { EXPLAINED = 200, LEARNT = 2000000 };

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void explain_in_a_crowd(const char *what, const struct kit_rules *rules, uint32_t queued,
                               uint32_t party) {
    struct kit k;
    struct id *ids = mem_array(queued, sizeof *ids);
    double took[EXPLAINED];
    kit_init(&k, rules, 1);
    kit_put(&k, "q", 0);
    for (uint32_t i = 0; i < queued; i++) {
        struct kit_player players[5] = {0};
        char names[5][24];
        for (uint32_t n = 0; n < party; n++) {
            snprintf(names[n], sizeof names[n], "p%u-%u", i, n);
            players[n] =
                (struct kit_player){.id = names[n],
                                    .skill = (double)rng_below(&k.rng, 3000),
                                    .regions = {"eu", "us", "as"},
                                    .latencies = {(int)rng_below(&k.rng, 200) + 1, 90, 160}};
        }
        ids[i] = kit_create(&k, "q", players, party);
        k.now_ms++;
    }
    for (uint32_t i = 0; i < EXPLAINED; i++) {
        struct arena *arena = arena_new(0);
        struct why w;
        double begin = cpu_us();
        why_explain(realm_ticket(k.realm, ids[(uint64_t)i * queued / EXPLAINED]), 0, k.now_ms,
                    arena, &w);
        took[i] = cpu_us() - begin;
        arena_free(arena);
    }
    qsort(took, EXPLAINED, sizeof took[0], compare);
    printf("%-44s median %6.0f us, longest %6.0f us (%u queued)\n", what, took[EXPLAINED / 2],
           took[EXPLAINED - 1], queued);
    mem_free(ids);
    kit_fini(&k);
}

static void learn_waits(const struct kit_rules *rules) {
    struct ruleset *r = kit_ruleset(rules);
    struct arena *arena = arena_new(0);
    struct eta *e = eta_new();
    struct ticket_spec specs[64];
    struct rng rng;
    int64_t promised = 0;
    rng_init(&rng, 1);
    for (int i = 0; i < 64; i++) {
        struct player *p = arena_alloc(arena, sizeof *p);
        *p = kit_player(arena, &(struct kit_player){.id = "p",
                                                    .skill = 1500 + 300 * rng_normal(&rng),
                                                    .regions = {"eu", "us", "as"},
                                                    .latencies = {30, 90, 160}});
        specs[i] = (struct ticket_spec){.players = p, .player_count = 1};
    }
    double begin = cpu_us();
    for (int i = 0; i < LEARNT; i++) {
        const struct ticket_spec *spec = &specs[i % 64];
        int64_t now_ms = 1000000 + i / 10, wait_ms = (int64_t)rng_below(&rng, 20000);
        struct eta_ask ask = {now_ms, 0, 600000};
        promised += eta_at(e, eta_kind_of(e, r, spec), &ask).rest.p90_ms;
        uint16_t kind = eta_arrive(e, r, spec, now_ms - wait_ms);
        eta_leave(e, kind, now_ms - wait_ms, now_ms, ETA_MATCHED);
    }
    printf("%-44s %.3f us a ticket (mean p90 %.0f ms)\n",
           "estimate, arrive, leave at 10,000 tickets/s", (cpu_us() - begin) / LEARNT,
           (double)promised / LEARNT);
    eta_free(e);
    ruleset_free(r);
    arena_free(arena);
}

int main(int argc, char **argv) {
    static const struct kit_rules duel = {.teams = 2,
                                          .players_min = 1,
                                          .players_max = 1,
                                          .spread = 75,
                                          .steps = {{20000, 150}, {60000, 300}},
                                          .timeout_ms = 43200000};
    static const struct kit_rules arena = {
        .teams = 2,
        .players_min = 5,
        .players_max = 5,
        .spread = 100,
        .steps = {{20000, 200}, {60000, 400}},
        .latency_ms = 100,
        .extra = {{"count(flatten(teams[*].players.attributes[flag]))", 10},
                  {"max(flatten(teams[*].players.attributes[flag]))", 1}},
        .timeout_ms = 43200000};
    uint32_t queued = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    explain_in_a_crowd("1v1, one rule", &duel, queued, 1);
    explain_in_a_crowd("5v5, four rules, three regions", &arena, queued, 1);
    explain_in_a_crowd("5v5, the same, tickets of five", &arena, queued, 5);
    learn_waits(&arena);
    return 0;
}
