/* group_test.c - what a group knows of the rules agrees with the evaluator, on many candidates.
 *
 * A ticket at a time is put to a group, as a search does. Where the group takes them all, has
 * enough players and can be split, the evaluator must find the match legal; where it does not, the
 * evaluator must refuse it. MUSTER_CANDIDATES: how many (a million).
 */
#include "support/model_kit.h"

#include "model/group.h"
#include "model/split.h"

enum { TICKETS = 60, RULES = 10 };

static const struct role_def roles[] = {{.name = {"tank", 4}, .players_min = 1, .players_max = 1},
                                        {.name = {"healer", 6}, .players_min = 0, .players_max = 2},
                                        {.name = {"scout", 5}, .players_min = 1, .players_max = 2}};

static const struct kit_rules rules[RULES] = {
    {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100, .steps = {{20000, 300}}},
    {.teams = 2, .players_min = 2, .players_max = 3, .spread = 400, .latency_ms = 90},
    {.teams = 3, .players_min = 1, .players_max = 2, .spread = 300, .same_mode = true},
    {.teams = 2,
     .players_min = 3,
     .players_max = 3,
     .spread = 200,
     .steps = {{5000, 400}, {30000, 900}},
     .latency_ms = 120},
    {.teams = 1, .players_min = 2, .players_max = 4, .spread = 500},
    {.teams = 4, .players_min = 1, .players_max = 1, .latency_ms = 100},
    {.teams = 2,
     .players_min = 1,
     .players_max = 5,
     .spread = 600,
     .same_mode = true,
     .latency_ms = 150,
     .steps = {{10000, 800}}},
    {.teams = 2,
     .players_min = 2,
     .players_max = 3,
     .spread = 400,
     .roles = roles,
     .role_count = 3},
    {.teams = 2,
     .players_min = 3,
     .players_max = 3,
     .spread = 600,
     .roles = roles,
     .role_count = 3},
    {.teams = 2, .players_min = 2, .players_max = 3, .spread = 300, .avoids = true},
};

static struct rng rng;
static struct arena *arena, *scratch;
static int64_t now_ms;

static struct ticket *random_ticket(void) {
    static const char *const modes[] = {"ice", "sand"};
    static const char *const regions[] = {"as", "eu", "us"};
    static const char *const names[] = {"tank", "healer", "scout"};
    static uint32_t named;
    struct player players[3];
    uint32_t count = rng_below(&rng, 3) ? 1 : 1 + (uint32_t)rng_below(&rng, 3);
    const char *mode = modes[rng_below(&rng, 8) == 0];
    for (uint32_t i = 0; i < count; i++) {
        char id[16], shunned[16];
        snprintf(id, sizeof id, "p%u", named++ % 200);
        snprintf(shunned, sizeof shunned, "p%u", (uint32_t)rng_below(&rng, 200));
        uint32_t first = (uint32_t)rng_below(&rng, 3), more = (uint32_t)rng_below(&rng, 5);
        struct kit_player k = {.id = id, .skill = (double)rng_below(&rng, 500), .mode = mode};
        k.roles[0] = names[first];
        k.roles[1] = more < 3 && more != first ? names[more] : NULL;
        k.avoids[0] = rng_below(&rng, 3) ? shunned : NULL;
        for (int r = 0, n = 0; r < 3; r++) {
            if (rng_below(&rng, 4) == 0) continue;
            k.regions[n] = regions[r];
            k.latencies[n++] = 20 + (int)rng_below(&rng, 110);
        }
        players[i] = kit_player(arena, &k);
    }
    struct ticket_spec spec = {KIT_QUEUE("q"), players, 1, count};
    struct ticket *t = ticket_new(id_new(&rng, now_ms), &spec, NULL);
    t->created_ms = now_ms - (int64_t)rng_below(&rng, 40000);
    return t;
}

static int older_first(const void *a, const void *b) {
    const struct ticket *x = *(struct ticket *const *)a, *y = *(struct ticket *const *)b;
    return (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms);
}

static bool legal(const struct ruleset *r, const struct ticket *const *tickets,
                  const uint32_t *team_of, uint32_t count) {
    int64_t newest_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (tickets[i]->created_ms > newest_ms) newest_ms = tickets[i]->created_ms;
    }
    struct candidate c = {ticket_specs(tickets, count, scratch), team_of, count,
                          now_ms - newest_ms};
    bool is = ruleset_evaluate(r, &c, scratch).legal;
    arena_reset(scratch);
    return is;
}

/* Whether the group takes them all; `*age_ms` is then its age. */
static bool takes(struct group *g, const struct pool *p, const struct ticket *const *tickets,
                  uint32_t count) {
    struct option options[8];
    group_init(g, p, pool_slot(tickets[0]->places[0].entry), now_ms, false);
    for (uint32_t i = 1; i < count; i++) {
        const struct pool_entry *e = tickets[i]->places[0].entry;
        const struct bin_slot *s = pool_slot(e);
        if (e->part != g->x.slot->entry->part) return false;
        options[i] = (struct option){s, pool_regions_within(p, s, g->loosest.latency_ms)};
        if (!(options[i].regions & g->x.regions)) return false;
        if (group_extend(g, &options[i]) != GROUP_FITS) return false;
    }
    return g->x.regions != 0 && group_has_enough(g);
}

/* The evenest split by the sizes of the age, in which all have roles; or any assignment where there
 * is none. */
static bool split(const struct pool *p, const struct ticket *const *tickets, uint32_t count,
                  struct split *out) {
    const struct ruleset *r = p->ruleset;
    struct split_item items[8];
    uint32_t packed[8];
    const struct split_roles cast = {p->casting, packed};
    int64_t newest_ms = 0;
    const struct ticket_spec *specs = ticket_specs(tickets, count, scratch);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct split_item){tickets[i]->player_count, 0};
        packed[i] = p->casting ? casting_pack(r, &specs[i]) : 0;
        if (tickets[i]->created_ms > newest_ms) newest_ms = tickets[i]->created_ms;
    }
    const struct ruleset_limits *l = ruleset_limits_at(r, now_ms - newest_ms);
    struct split_problem problem = {items, count, l->teams, l->team_count, false};
    if (split_find_cast(&problem, p->casting ? &cast : NULL, out, 1)) return true;
    for (uint32_t i = 0; i < count; i++)
        out->team_of[i] = (uint32_t)rng_below(&rng, l->team_count);
    return false;
}

/* Roles are counted as for teams of the most players. */
static bool is_exact(const struct kit_rules *k) {
    return !k->roles || k->players_min == k->players_max;
}

static uint64_t compare(const struct kit_rules *k, uint64_t candidates, uint64_t *agreed_legal) {
    struct ruleset *r = kit_ruleset(k);
    struct pool *p = pool_new(r);
    struct ticket *all[TICKETS];
    struct group *g = mem_alloc(sizeof *g);
    uint64_t done = 0;
    for (int i = 0; i < TICKETS; i++) {
        while (!kit_admits(r, all[i] = random_ticket()))
            ticket_free(all[i]);
    }
    qsort(all, TICKETS, sizeof *all, older_first);
    for (int i = 0; i < TICKETS; i++)
        (void)pool_add(p, all[i], 0);
    for (; done < candidates; done++) {
        const struct ticket *tickets[8];
        uint32_t count = 1 + (uint32_t)rng_below(&rng, 2 * k->teams);
        if (count > 8) count = 8;
        uint32_t at = (uint32_t)rng_below(&rng, TICKETS / count);
        for (uint32_t i = 0; i < count; i++) { /* older first, each once */
            tickets[i] = all[at];
            at += 1 + (uint32_t)rng_below(&rng, (TICKETS - at) / (count - i));
            if (at >= TICKETS) count = i + 1;
        }
        struct split s;
        bool splits = split(p, tickets, count, &s);
        bool fast = takes(g, p, tickets, count) && splits;
        bool slow = legal(r, tickets, s.team_of, count);
        if (fast != slow && (is_exact(k) || slow)) {
            fail_msg("rules %d, candidate %llu of %u tickets: the group says %d, the evaluator %d",
                     (int)(k - rules), (unsigned long long)done, count, fast, slow);
        }
        *agreed_legal += slow;
    }
    pool_free(p);
    for (int i = 0; i < TICKETS; i++)
        ticket_free(all[i]);
    mem_free(g);
    ruleset_free(r);
    return done;
}

static void group_and_evaluator_agree_on_a_million_candidates(void **state) {
    (void)state;
    const char *asked = getenv("MUSTER_CANDIDATES");
    uint64_t wanted = asked ? (uint64_t)atoll(asked) : 1000000, done = 0, agreed_legal = 0;
    for (uint64_t seed = 1; done < wanted; seed++) {
        rng_init(&rng, seed);
        arena = arena_new(0);
        scratch = arena_new(0);
        now_ms = 1000000;
        done += compare(&rules[seed % RULES], 2000, &agreed_legal);
        arena_free(arena);
        arena_free(scratch);
    }
    printf("%llu candidates, %llu legal\n", (unsigned long long)done,
           (unsigned long long)agreed_legal);
    assert_true(agreed_legal >
                done / 100); /* neither all nor none: the comparison says something */
    assert_true(agreed_legal < done / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_and_evaluator_agree_on_a_million_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
