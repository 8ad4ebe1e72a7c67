/* seating_test.c - dealing whole tickets with roles agrees with trying every way to deal. */
#include "support/model_kit.h"

#include "model/seating.h"

static const struct role_def roles[3] = {
    {STR("tank"), 1, 1, NULL, 0}, {STR("damage"), 1, 3, NULL, 0}, {STR("support"), 1, 2, NULL, 0}};
static const struct kit_rules fives = {
    .teams = 2, .players_min = 5, .players_max = 5, .roles = roles, .role_count = 3};

struct party {
    uint32_t packed, players;
};

static bool any_way(const struct casting *k, const struct party *parties, uint32_t count,
                    struct casting_counts *teams) {
    if (count == 0) return true;
    const struct party *p = &parties[count - 1];
    bool found = false;
    for (int t = 0; t < 2 && !found; t++) {
        casting_add(k, &teams[t], p->packed, p->players);
        found = casting_fits(k, &teams[t], &k->teams[t]) && any_way(k, parties, count - 1, teams);
        casting_take(k, &teams[t], p->packed, p->players);
    }
    return found;
}

static struct party random_party(struct rng *rng) {
    struct party p = {0, 1 + (uint32_t)(rng_below(rng, 3) == 0) + (uint32_t)rng_below(rng, 2)};
    for (uint32_t i = 0; i < p.players; i++)
        p.packed |= (1 + (uint32_t)rng_below(rng, 7)) << (i * CASTING_ROLES);
    return p;
}

static void seating_agrees_with_trying_every_way_to_deal(void **state) {
    (void)state;
    struct ruleset *r = kit_ruleset(&fives);
    struct casting *k = casting_new(r);
    struct seating *s = mem_alloc(sizeof *s);
    struct rng rng;
    rng_init(&rng, 77);
    uint32_t refused = 0, refused_in_teams_only = 0, full = 0;
    for (int round = 0; round < 3000; round++) {
        struct party seated[10];
        uint32_t count = 0, players = 0;
        struct casting_counts all = {{0}};
        seating_begin(s, 2);
        for (int tries = 0; tries < 14; tries++) {
            struct party p = random_party(&rng);
            if (players + p.players > 10) continue;
            if (count > 0 && rng_below(&rng, 8) == 0) { /* the last one leaves again */
                count--;
                casting_take(k, &all, seated[count].packed, seated[count].players);
                players -= seated[count].players;
                seating_cut(s, k, count);
            }
            struct casting_counts teams[2] = {{{0}}, {{0}}};
            seated[count] = p;
            bool fits = seating_add(s, k, p.packed, p.players);
            assert_true(fits == any_way(k, seated, count + 1, teams));
            struct casting_counts with = all;
            casting_add(k, &with, p.packed, p.players);
            refused += !fits;
            refused_in_teams_only += !fits && casting_fits(k, &with, &k->match);
            if (!fits) continue;
            all = with;
            count++;
            players += p.players;
        }
        full += players == 10;
    }
    assert_true(refused > 1000 && refused_in_teams_only > 100 && full > 100);
    mem_free(s);
    mem_free(k);
    ruleset_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seating_agrees_with_trying_every_way_to_deal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
