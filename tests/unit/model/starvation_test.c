/* starvation_test.c - the stated bound on waits, of a realm in virtual time: whoever has waited
 * until the deadline is matched in the turn in which enough compatible players are there.
 *
 * Tickets of some kinds come at random; after each turn those who are past the deadline are set
 * beside who else waits. `enough` of a scenario says whether a legal match could hold that ticket,
 * by counting: all scenarios' rules are wide, so that counts decide.
 */
#include "support/model_kit.h"

#include "model/realm_state.h"

#include <math.h>

enum { T_MS = 20000, STEP_MS = 20, KINDS_MAX = 3, TICKETS_MAX = 8192 };
enum { DUEL, LANDS, SCARCE_ROLE, PARTIES, NEWCOMERS };

static const struct role_def roles[] = {
    {.name = {"tank", 4}, .players_min = 1, .players_max = 1},
    {.name = {"healer", 6}, .players_min = 1, .players_max = 1}};

#define WIDE .spread = 9000, .scale = 100, .patience = 1, .deadline_ms = T_MS
static const struct kit_rules rules[] = {
    [DUEL] = {.teams = 2, .players_min = 1, .players_max = 1, WIDE},
    [LANDS] = {.teams = 2, .players_min = 1, .players_max = 1, .latency_ms = 100, WIDE},
    [SCARCE_ROLE] =
        {.teams = 2, .players_min = 2, .players_max = 2, .roles = roles, .role_count = 2, WIDE},
    [PARTIES] = {.teams = 2, .players_min = 5, .players_max = 5, WIDE},
    [NEWCOMERS] = {.teams = 2, .players_min = 1, .players_max = 1, .uncertainty = "sigma", WIDE},
};

struct kind {
    double per_second, skill, deviation;
    uint32_t players;
    const char *region, *role;
    double sigma;
};

struct scenario {
    unsigned rules;
    struct kind kinds[KINDS_MAX];
    uint32_t kind_count;
    bool unbound[KINDS_MAX]; /* more of them come than have places: no bound */
    bool (*enough)(const uint32_t *waiting, uint32_t of);
    double seconds;
};

static struct kit kit;
static struct watched {
    struct id id;
    uint32_t kind;
} watched[TICKETS_MAX];
static uint32_t watched_count;
static double waits_ms[KINDS_MAX];                   /* sums over those who were matched */
static uint32_t matched[KINDS_MAX], late[KINDS_MAX]; /* late: matched past the deadline */

static void come(const struct scenario *s, uint32_t kind) {
    const struct kind *k = &s->kinds[kind];
    struct kit_player players[5] = {0};
    char names[5][24];
    assert_true(watched_count < TICKETS_MAX);
    for (uint32_t i = 0; i < k->players; i++) {
        snprintf(names[i], sizeof names[i], "p%u", kit.players_named++);
        players[i] = (struct kit_player){.id = names[i],
                                         .skill = k->skill + k->deviation * rng_normal(&kit.rng),
                                         .roles = {k->role},
                                         .sigma = k->sigma};
        if (k->region) players[i].regions[0] = k->region, players[i].latencies[0] = 30;
    }
    watched[watched_count++] = (struct watched){kit_create(&kit, "q", players, k->players), kind};
}

/* Forgets who is matched, and counts those who wait, by kind. */
static void look(uint32_t *waiting) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < watched_count; i++) {
        struct watched w = watched[i];
        const struct ticket *t = realm_ticket(kit.realm, w.id);
        if (t->state == TICKET_QUEUED) {
            watched[kept++] = w;
            waiting[w.kind]++;
            continue;
        }
        assert_int_equal(t->state, TICKET_MATCHED);
        waits_ms[w.kind] += (double)(ticket_ended_ms(t) - t->created_ms);
        late[w.kind] += ticket_ended_ms(t) - t->created_ms > T_MS;
        matched[w.kind]++;
    }
    watched_count = kept;
}

static void audit(const struct scenario *s) {
    uint32_t waiting[KINDS_MAX] = {0};
    look(waiting);
    for (uint32_t i = 0; i < watched_count; i++) {
        int64_t age_ms = kit.now_ms - realm_ticket(kit.realm, watched[i].id)->created_ms;
        uint32_t kind = watched[i].kind;
        if (age_ms <= T_MS || s->unbound[kind] || !s->enough(waiting, kind)) continue;
        fail_msg("kind %u has waited %lld ms beside %u, %u and %u of the kinds", kind,
                 (long long)age_ms, waiting[0], waiting[1], waiting[2]);
    }
}

static void live(const struct scenario *s, uint64_t seed) {
    print_message("seed %llu\n", (unsigned long long)seed);
    kit_init(&kit, rules, seed);
    kit_put(&kit, "q", s->rules);
    watched_count = 0;
    memset(waits_ms, 0, sizeof waits_ms);
    memset(matched, 0, sizeof matched);
    memset(late, 0, sizeof late);
    int64_t end_ms = kit.now_ms + (int64_t)(s->seconds * 1000);
    while (kit.now_ms < end_ms) {
        for (uint32_t k = 0; k < s->kind_count; k++)
            if (rng_unit(&kit.rng) < s->kinds[k].per_second * STEP_MS / 1000) come(s, k);
        kit_search_at(&kit, kit.now_ms + STEP_MS);
        audit(s);
    }
    kit_fini(&kit);
}

static bool two_of_any(const uint32_t *waiting, uint32_t of) {
    (void)of;
    return waiting[0] + waiting[1] >= 2;
}

static void the_rarely_skilled_wait_no_longer_than_the_deadline(void **state) {
    (void)state;
    static const struct scenario s = {
        .rules = DUEL,
        .kinds = {{20, 1500, 100, 1, NULL, NULL, 0}, {0.3, 4500, 100, 1, NULL, NULL, 0}},
        .kind_count = 2,
        .enough = two_of_any,
        .seconds = 120};
    live(&s, 51);
    assert_true(matched[1] > 15 && waits_ms[1] / matched[1] <= T_MS);
    assert_true(waits_ms[0] / matched[0] < waits_ms[1] / matched[1]);
}

static bool two_of_one_region(const uint32_t *waiting, uint32_t of) {
    return waiting[of] >= 2;
}

static void a_lone_region_waits_for_its_second_player_and_no_longer(void **state) {
    (void)state;
    static const struct scenario s = {
        .rules = LANDS,
        .kinds = {{20, 1500, 300, 1, "eu", NULL, 0}, {0.04, 1500, 900, 1, "mars", NULL, 0}},
        .kind_count = 2,
        .enough = two_of_one_region,
        .seconds = 600};
    live(&s, 52);
    assert_true(matched[1] >= 10);
    assert_true(late[1] > 0); /* else nothing was put to the test */
}

static bool two_of_each_role(const uint32_t *waiting, uint32_t of) {
    (void)of;
    return waiting[0] >= 2 && waiting[1] >= 2;
}

/* Healers are one in four of those who come and half of a match; tanks are left over. */
static void a_scarce_role_is_matched_by_the_deadline_however_far_in_skill(void **state) {
    (void)state;
    static const struct scenario s = {.rules = SCARCE_ROLE,
                                      .kinds = {{3, 1500, 300, 1, NULL, "tank", 0},
                                                {0.95, 1500, 100, 1, NULL, "healer", 0},
                                                {0.05, 4500, 100, 1, NULL, "healer", 0}},
                                      .kind_count = 3,
                                      .unbound = {true, false, false},
                                      .enough = two_of_each_role,
                                      .seconds = 200};
    live(&s, 53);
    assert_true(matched[1] > 150 && matched[2] > 3);
    assert_true(waits_ms[1] / matched[1] < T_MS / 2);
}

static bool both_teams_of_four_and_one(const uint32_t *waiting, uint32_t of) {
    (void)of;
    return waiting[0] >= 2 && waiting[1] >= 2;
}

static void parties_that_lack_one_each_wait_for_two_and_no_longer(void **state) {
    (void)state;
    static const struct scenario s = {
        .rules = PARTIES,
        .kinds = {{0.5, 1500, 400, 4, NULL, NULL, 0}, {0.4, 1500, 800, 1, NULL, NULL, 0}},
        .kind_count = 2,
        .enough = both_teams_of_four_and_one,
        .seconds = 300};
    live(&s, 54);
    assert_true(matched[0] > 50 && late[0] > 0);
}

/* The same skill, far from the others; a newcomer's may be anything, so he gets more credit. */
static void newcomers_match_and_sooner_than_those_whose_rating_is_certain(void **state) {
    (void)state;
    static const struct scenario s = {.rules = NEWCOMERS,
                                      .kinds = {{20, 1500, 100, 1, NULL, NULL, 0},
                                                {0.2, 2300, 50, 1, NULL, NULL, 0},
                                                {0.2, 2300, 50, 1, NULL, NULL, 700}},
                                      .kind_count = 3,
                                      .enough = two_of_any,
                                      .seconds = 200};
    live(&s, 55);
    assert_true(matched[1] > 20 && matched[2] > 20);
    assert_true(waits_ms[2] / matched[2] < 0.7 * waits_ms[1] / matched[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rarely_skilled_wait_no_longer_than_the_deadline),
        cmocka_unit_test(a_lone_region_waits_for_its_second_player_and_no_longer),
        cmocka_unit_test(a_scarce_role_is_matched_by_the_deadline_however_far_in_skill),
        cmocka_unit_test(parties_that_lack_one_each_wait_for_two_and_no_longer),
        cmocka_unit_test(newcomers_match_and_sooner_than_those_whose_rating_is_certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
