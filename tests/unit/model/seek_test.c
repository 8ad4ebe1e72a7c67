/* seek_test.c - patient queues: good matches early, any legal one by the deadline. */
#include "support/model_kit.h"

#include "model/pool.h"
#include "model/realm_state.h"

#include <math.h>

enum { DUEL, FIVES, REGIONS, RESIDUAL, QUICK, MODES };

#define T_MS 30000

static const struct kit_rules rules[] = {
    [DUEL] = {.teams = 2,
              .players_min = 1,
              .players_max = 1,
              .spread = 3000,
              .scale = 100,
              .patience = 10,
              .deadline_ms = T_MS},
    [FIVES] = {.teams = 2,
               .players_min = 5,
               .players_max = 5,
               .spread = 3000,
               .scale = 100,
               .patience = 10,
               .deadline_ms = T_MS},
    [REGIONS] = {.teams = 2,
                 .players_min = 1,
                 .players_max = 1,
                 .spread = 3000,
                 .latency_ms = 200,
                 .scale = 100,
                 .patience = 10,
                 .deadline_ms = T_MS},
    [RESIDUAL] = {.teams = 2,
                  .players_min = 1,
                  .players_max = 1,
                  .spread = 3000,
                  .scale = 100,
                  .patience = 10,
                  .deadline_ms = T_MS,
                  .extra = {{"max(flatten(teams[*].players.attributes[flag]))", 0}}},
    [QUICK] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 3000, .scale = 100},
    [MODES] = {.teams = 2,
               .players_min = 1,
               .players_max = 1,
               .spread = 3000,
               .same_mode = true,
               .scale = 100,
               .patience = 10,
               .deadline_ms = T_MS},
};

static struct kit kit;

static void open_queue(unsigned index) {
    kit_init(&kit, rules, 41);
    kit_put(&kit, "q", index);
}

/* Players around 1500 come and go for a while, so that the queue knows what to expect. */
static void crowd(double per_second, double seconds, const char *region) {
    int64_t end_ms = kit.now_ms + (int64_t)(seconds * 1000);
    char name[24];
    while (kit.now_ms < end_ms) {
        snprintf(name, sizeof name, "crowd%u", kit.players_named++);
        struct kit_player p = {.id = name, .skill = 1500 + 100 * rng_normal(&kit.rng)};
        if (region) p.regions[0] = region, p.latencies[0] = 30;
        kit_create(&kit, "q", &p, 1);
        kit_search_at(&kit, kit.now_ms + 1 + (int64_t)(1000 / per_second));
    }
}

/* Nobody is left who could interfere. */
static void clear(void) {
    while (realm_tickets_open(kit.realm)) {
        const struct queue *q = realm_queue(kit.realm, STR("q"));
        assert_int_equal(kit_cancel(&kit, pool_oldest(q->pool)->ticket->id), ERR_OK);
    }
}

static struct id solo_in(const char *id, double skill, const char *region) {
    return kit_create(
        &kit, "q",
        &(struct kit_player){.id = id, .skill = skill, .regions = {region}, .latencies = {30}}, 1);
}

/* Turns as the matcher does it: whenever the realm says that there is something to do. */
static void run_until(int64_t end_ms) {
    for (int64_t due; (due = realm_next_due_ms(kit.realm)) <= end_ms;) {
        if (due > kit.now_ms) kit.now_ms = due;
        kit_search(&kit);
        struct decision d = kit_decision(&kit);
        (void)realm_expire(kit.realm, &d, 1000);
        if (realm_next_due_ms(kit.realm) <= kit.now_ms) kit.now_ms++;
    }
    kit.now_ms = end_ms;
}

static int64_t wait_of(struct id ticket) {
    const struct ticket *t = realm_ticket(kit.realm, ticket);
    return ticket_ended_ms(t) - t->created_ms;
}

static void in_a_crowd_a_poor_match_waits_for_a_better_one(void **state) {
    (void)state;
    open_queue(DUEL);
    crowd(20, 20, NULL);
    clear();
    struct id a = kit_solo(&kit, "q", 1500), b = kit_solo(&kit, "q", 1560);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    uint64_t searches = realm_counted(kit.realm).searches;
    run_until(kit.now_ms + T_MS);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    assert_true(wait_of(a) > 1000 && wait_of(a) < 20000);
    assert_true(realm_counted(kit.realm).searches - searches <=
                2); /* at the moment it is worth it */
    kit_fini(&kit);
}

static void a_better_match_that_comes_in_time_is_taken(void **state) {
    (void)state;
    open_queue(DUEL);
    crowd(20, 20, NULL);
    clear();
    struct id a = kit_solo(&kit, "q", 1500), b = kit_solo(&kit, "q", 1560);
    kit_search_at(&kit, kit.now_ms + 100);
    struct id c = kit_solo(&kit, "q", 1501);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_QUEUED);
    assert_int_equal(kit_state(&kit, c), TICKET_MATCHED);
    kit_fini(&kit);
}

static void without_patience_the_first_legal_match_is_taken(void **state) {
    (void)state;
    open_queue(QUICK);
    crowd(20, 20, NULL);
    clear();
    struct id a = kit_solo(&kit, "q", 100), b = kit_solo(&kit, "q", 2900);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    kit_fini(&kit);
}

static void nobody_waits_longer_than_the_deadline_while_a_legal_partner_is_there(void **state) {
    (void)state;
    open_queue(DUEL);
    crowd(20, 20, NULL);
    struct id rare = kit_solo(&kit, "q", 4200); /* legal with all from 1200 on */
    crowd(20, 40, NULL);
    assert_int_equal(kit_state(&kit, rare), TICKET_MATCHED);
    assert_true(wait_of(rare) > 1000);
    assert_true(wait_of(rare) <= T_MS + 100);
    kit_fini(&kit);
}

static void past_the_deadline_the_first_who_may_is_taken(void **state) {
    (void)state;
    open_queue(REGIONS);
    crowd(20, 20, "eu");
    struct id lone = solo_in("lone", 1500, "mars");
    crowd(20, 45, "eu");
    assert_int_equal(kit_state(&kit, lone), TICKET_QUEUED);
    struct id late = solo_in("late", 4400, "mars"); /* far from even */
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(kit_state(&kit, lone), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, late), TICKET_MATCHED);
    kit_fini(&kit);
}

static void where_few_come_the_first_partners_are_taken(void **state) {
    (void)state;
    open_queue(DUEL);
    struct id first = kit_solo(&kit, "q", 1500);
    kit_search_at(&kit, kit.now_ms + 10000);
    struct id second = kit_solo(&kit, "q", 1600);
    kit_search_at(&kit, kit.now_ms + 1); /* where many come, 100 apart is far */
    assert_int_equal(kit_state(&kit, first), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, second), TICKET_MATCHED);
    kit_fini(&kit);
}

static void a_rule_that_only_the_evaluator_knows_does_not_hide_a_partner(void **state) {
    (void)state;
    open_queue(RESIDUAL);
    crowd(20, 20, NULL);
    clear();
    for (int i = 0; i < 5; i++) {
        char name[24];
        snprintf(name, sizeof name, "outcast%d", i);
        kit_create(&kit, "q", &(struct kit_player){.id = name, .skill = 1500, .flag = 1}, 1);
    }
    struct id a = kit_solo(&kit, "q", 1500), b = kit_solo(&kit, "q", 1504);
    run_until(kit.now_ms + T_MS);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    assert_int_equal(realm_tickets_open(kit.realm), 5);
    kit_fini(&kit);
}

static void parties_are_whole_and_teams_are_even(void **state) {
    (void)state;
    open_queue(FIVES);
    for (int i = 0; i < 400; i++) {
        kit_party(&kit, "q", 1500 + 200 * rng_normal(&kit.rng),
                  1 + (uint32_t)rng_below(&kit.rng, 4));
        kit_search_at(&kit, kit.now_ms + 50);
    }
    assert_true(realm_matches_kept(kit.realm) > 60);
    double gaps = 0;
    for (const struct match *m = NULL; (m = realm_next_match(kit.realm, m));) {
        assert_int_equal(m->spec.team_count, 2);
        assert_int_equal(m->spec.teams[0].member_count, 5);
        assert_int_equal(m->spec.teams[1].member_count, 5);
        assert_true(m->spec.win_gap >= 0 && m->spec.win_gap <= 0.5);
        assert_true(m->spec.mean_wait_ms <= (double)m->spec.longest_wait_ms);
        gaps += m->spec.win_gap;
    }
    assert_true(gaps / (double)realm_matches_kept(kit.realm) < 0.1);
    kit_fini(&kit);
}

static float start_of_another(struct realm *realm, const char *mode) {
    struct realm *before = kit.realm;
    kit.realm = realm;
    char name[24];
    snprintf(name, sizeof name, "another%u", kit.players_named++);
    struct kit_player p = {.id = name, .skill = 1700, .mode = mode};
    const struct ticket *t = realm_ticket(realm, kit_create(&kit, "q", &p, 1));
    float start = pool_slot(t->places[0].entry)->start;
    kit.realm = before;
    return start;
}

static struct realm *take_over(void) {
    struct realm *copy = realm_new(0);
    realm_replay_begin(copy);
    kit_replay(&kit, copy, 0, kit.record_count);
    realm_replay_end(copy);
    return copy;
}

/* Most who came are matched and gone; those who wait are the odd ones. */
static void a_realm_that_takes_over_knows_who_has_been_coming(void **state) {
    (void)state;
    open_queue(DUEL);
    crowd(20, 30, NULL);
    struct realm *copy = take_over();
    assert_true(start_of_another(kit.realm, NULL) == start_of_another(copy, NULL));
    realm_free(copy);
    kit_fini(&kit);
}

/* One in twenty of the quiet mode, so many ms apart. */
static void play_modes(int count, int64_t apart_ms) {
    for (int i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "mode%u", kit.players_named++);
        struct kit_player p = {.id = name, .mode = i % 20 ? "busy" : "quiet"};
        p.skill = 1500 + 100 * rng_normal(&kit.rng);
        kit_create(&kit, "q", &p, 1);
        kit_search_at(&kit, kit.now_ms + apart_ms);
    }
}

/* Who comes to the busy mode is of no concern to the quiet one. */
static void it_knows_so_of_each_partition(void **state) {
    (void)state;
    open_queue(MODES);
    play_modes(600, 51);
    struct realm *copy = take_over();
    float busy = start_of_another(kit.realm, "busy"), quiet = start_of_another(kit.realm, "quiet");
    assert_true(start_of_another(copy, "busy") == busy);
    assert_true(start_of_another(copy, "quiet") == quiet);
    assert_true(quiet > 2 * busy);
    realm_free(copy);
    kit_fini(&kit);
}

/* Nobody may wait in it for a while: who came is known still, of the latest partitions. */
static void the_latest_partitions_are_known_while_they_are_empty(void **state) {
    (void)state;
    open_queue(MODES);
    const struct pool *pool = realm_queue(kit.realm, STR("q"))->pool;
    char name[24], mode[24];
    for (unsigned i = 0; i < POOL_PASTS_MAX + 40; i++) {
        snprintf(mode, sizeof mode, "mode%u", i);
        for (int twin = 0; twin < 2; twin++) {
            snprintf(name, sizeof name, "twin%d-%u", twin, i);
            struct kit_player p = {.id = name, .skill = 1500, .mode = mode};
            kit_create(&kit, "q", &p, 1);
        }
        kit_search_at(&kit, kit.now_ms + 51);
    }
    assert_int_equal(pool->count, 0);
    assert_int_equal(pool->parts.count, 0);
    assert_int_equal(pool->pasts.count, POOL_PASTS_MAX);
    const struct pool_past *oldest = LIST_OF(list_first(&pool->pasts), const struct pool_past, use);
    assert_true(oldest->arrivals.total == 2 && oldest->arrivals.last_ms == 1000000 + 40 * 51);
    kit_fini(&kit);
}

static void same_commands_same_matches(void **state) {
    (void)state;
    uint64_t digests[2];
    size_t records[2];
    for (int run = 0; run < 2; run++) {
        open_queue(REGIONS);
        crowd(100, 10, "eu");
        crowd(100, 5, "us");
        run_until(kit.now_ms + 5000);
        digests[run] = realm_digest(kit.realm);
        for (const struct match *m = NULL; (m = realm_next_match(kit.realm, m));)
            digests[run] = digests[run] * 31 + m->spec.ticket_ids[0].lo;
        records[run] = kit.record_count;
        kit_fini(&kit);
    }
    assert_true(digests[0] == digests[1]);
    assert_int_equal(records[0], records[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_crowd_a_poor_match_waits_for_a_better_one),
        cmocka_unit_test(a_better_match_that_comes_in_time_is_taken),
        cmocka_unit_test(without_patience_the_first_legal_match_is_taken),
        cmocka_unit_test(nobody_waits_longer_than_the_deadline_while_a_legal_partner_is_there),
        cmocka_unit_test(past_the_deadline_the_first_who_may_is_taken),
        cmocka_unit_test(where_few_come_the_first_partners_are_taken),
        cmocka_unit_test(a_rule_that_only_the_evaluator_knows_does_not_hide_a_partner),
        cmocka_unit_test(parties_are_whole_and_teams_are_even),
        cmocka_unit_test(a_realm_that_takes_over_knows_who_has_been_coming),
        cmocka_unit_test(it_knows_so_of_each_partition),
        cmocka_unit_test(the_latest_partitions_are_known_while_they_are_empty),
        cmocka_unit_test(same_commands_same_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
