/* live_test.c - matches that are made: assigned, completed, cancelled; and signs of life. */
#include "support/model_kit.h"

#include "model/realm_state.h"

enum { PLAIN, TIMED, HELD, BEATING, ASKED };

#define DUEL .teams = 2, .players_min = 1, .players_max = 1, .spread = 100

static const struct kit_rules rules[] = {
    [PLAIN] = {DUEL},
    [TIMED] = {DUEL, .life = {.assign_ms = 10000, .match_ms = 60000}},
    [HELD] = {DUEL, .life = {.match_ms = 60000, .holds_players = true}},
    [BEATING] = {DUEL, .life.heartbeat_ms = 10000},
    [ASKED] = {DUEL, .life = {.acceptance_ms = 20000,
                              .assign_ms = 10000,
                              .holds_players = true,
                              .match_ms = 60000}},
};

static struct kit kit;
static struct id a, b, match;

/* Tickets a of p0 and b of p1 are in a match. */
static void play(unsigned rule) {
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", rule);
    a = kit_solo(&kit, "q", 1000);
    kit.now_ms += 500;
    b = kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search(&kit), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
}

static const struct match_spec *spec(void) {
    return &realm_match(kit.realm, match)->spec;
}

static enum err join(const char *player) {
    struct outcome out;
    struct kit_player p = {.id = player, .skill = 1000};
    return kit_try_create(&kit, "q", &p, 1, &out);
}

static void match_is_assigned_once_and_again_with_the_same_connection_only(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_assign(&kit, match, "10.0.0.7:7777"), ERR_OK);
    assert_int_equal(spec()->state, MATCH_ASSIGNED);
    assert_true(str_equal(spec()->connection, STR("10.0.0.7:7777")));
    size_t records = kit.record_count;
    assert_int_equal(kit_assign(&kit, match, "10.0.0.7:7777"), ERR_OK);
    assert_int_equal(kit.record_count, records);
    assert_int_equal(kit_assign(&kit, match, "10.0.0.8:7777"), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_assign(&kit, (struct id){1, 1}, "x"), ERR_NOT_FOUND);
    kit_fini(&kit);
}

static void match_is_completed_with_its_first_result(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_complete(&kit, match, "nobody"), ERR_INVALID_ARGUMENT);
    assert_int_equal(kit_complete(&kit, match, "b"), ERR_OK); /* without a server: peer to peer */
    assert_int_equal(spec()->state, MATCH_COMPLETED);
    assert_int_equal(spec()->ended_ms, kit.now_ms);
    assert_int_equal(spec()->result_count, 1);
    assert_true(str_equal(spec()->results[0].team, STR("b")));
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    assert_true(str_equal(spec()->results[0].team, STR("b")));
    assert_int_equal(kit_cancel_match(&kit, match, true), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_assign(&kit, match, "x"), ERR_FAILED_PRECONDITION);
    kit_fini(&kit);
}

static void cancelled_match_queues_its_players_again_as_old_as_they_were(void **state) {
    (void)state;
    play(PLAIN);
    int64_t created_ms = realm_ticket(kit.realm, a)->created_ms;
    kit.now_ms += 5000;
    assert_int_equal(join("p1"), ERR_OK); /* he has found himself something else */
    assert_int_equal(kit_cancel_match(&kit, match, true), ERR_OK);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_true(str_equal(spec()->reason, STR("no server")));
    const struct ticket *t = realm_player_ticket(kit.realm, STR("p0"));
    assert_non_null(t);
    assert_false(id_equal(t->id, a)); /* a ticket has one end */
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(t->created_ms, created_ms);
    assert_int_equal(ticket_expires_ms(t), ticket_expires_ms(realm_ticket(kit.realm, a)));
    assert_int_equal(realm_tickets_open(kit.realm), 2);
    assert_int_equal(kit_cancel_match(&kit, match, true), ERR_OK);
    assert_int_equal(realm_tickets_open(kit.realm), 2);
    kit_fini(&kit);
}

static void cancelled_match_lets_its_players_go_when_not_asked_to_queue_them(void **state) {
    (void)state;
    play(PLAIN);
    assert_int_equal(kit_cancel_match(&kit, match, false), ERR_OK);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void cancelled_proposal_is_nobodys_fault(void **state) {
    (void)state;
    for (int requeue = 0; requeue < 2; requeue++) {
        play(ASKED);
        assert_int_equal(kit_assign(&kit, match, "x"), ERR_FAILED_PRECONDITION);
        assert_int_equal(kit_complete(&kit, match, ""), ERR_FAILED_PRECONDITION);
        assert_int_equal(kit_cancel_match(&kit, match, requeue), ERR_OK);
        assert_int_equal(kit_state(&kit, a), requeue ? TICKET_QUEUED : TICKET_CANCELLED);
        assert_int_equal(kit_state(&kit, b), requeue ? TICKET_QUEUED : TICKET_CANCELLED);
        if (!requeue)
            assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, a)), STR("no server")));
        kit_fini(&kit);
    }
}

static void match_without_a_server_in_time_is_cancelled_and_queued_again(void **state) {
    (void)state;
    play(TIMED);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 10000);
    kit_expire_at(&kit, kit.now_ms + 10000);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_true(str_equal(spec()->reason, STR("not assigned in time")));
    assert_int_equal(realm_tickets_open(kit.realm), 2);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1); /* and they find each other again */
    kit_fini(&kit);
}

static void assigned_match_without_a_result_in_time_is_cancelled(void **state) {
    (void)state;
    play(TIMED);
    kit.now_ms += 9999;
    assert_int_equal(kit_assign(&kit, match, "x"), ERR_OK);
    kit_expire_at(&kit, kit.now_ms + 50000);
    assert_int_equal(spec()->state, MATCH_ASSIGNED);
    kit_expire_at(&kit, kit.now_ms + 1);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_true(str_equal(spec()->reason, STR("no result in time")));
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void live_match_is_kept_until_it_is_over_and_a_while_longer(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    realm_free(kit.realm);
    kit.realm = realm_new(1000);
    kit_put(&kit, "q", TIMED);
    kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1000);
    kit_search(&kit);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_assign(&kit, match, "x"), ERR_OK);
    kit_expire_at(&kit, kit.now_ms + 30000);
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    kit_expire_at(&kit, kit.now_ms + 999);
    assert_non_null(realm_match(kit.realm, match));
    kit_expire_at(&kit, kit.now_ms + 1);
    assert_null(realm_match(kit.realm, match));
    kit_fini(&kit);
}

static void players_of_a_live_match_join_nothing_where_the_queue_holds_them(void **state) {
    (void)state;
    play(HELD);
    assert_int_equal(join("p0"), ERR_ALREADY_EXISTS);
    assert_non_null(strstr(kit.why.text, "is in live match"));
    assert_int_equal(kit_assign(&kit, match, "x"), ERR_OK);
    assert_int_equal(join("p1"), ERR_ALREADY_EXISTS);
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    assert_int_equal(join("p0"), ERR_OK);
    assert_int_equal(join("p1"), ERR_OK);
    kit_fini(&kit);
    play(HELD);
    kit_expire_at(&kit, kit.now_ms + 60000); /* a server that never reports holds nobody for ever */
    assert_int_equal(join("p0"), ERR_OK);
    kit_fini(&kit);
    play(PLAIN);
    assert_int_equal(join("p0"), ERR_OK);
    kit_fini(&kit);
}

static void held_players_are_queued_again_when_their_match_is_cancelled(void **state) {
    (void)state;
    play(HELD);
    assert_int_equal(kit_cancel_match(&kit, match, true), ERR_OK);
    assert_int_equal(realm_tickets_open(kit.realm), 2);
    assert_int_equal(kit.realm->holders.count, 0);
    kit_fini(&kit);
}

/* ---- signs of life ---- */

static void silent_ticket_expires(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", BEATING);
    a = kit_solo(&kit, "q", 1000);
    assert_int_equal(realm_ticket(kit.realm, a)->heartbeat_ms, 10000);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 9999), 0);
    assert_true(realm_heartbeat(kit.realm, a, kit.now_ms));
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 9999), 0);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 1), 1);
    assert_int_equal(kit_state(&kit, a), TICKET_EXPIRED);
    assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, a)), STR("no sign of life")));
    assert_false(realm_heartbeat(kit.realm, a, kit.now_ms));
    assert_false(realm_heartbeat(kit.realm, (struct id){1, 1}, kit.now_ms));
    kit_fini(&kit);
}

static void new_owner_counts_every_ticket_as_alive_when_it_begins(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", BEATING);
    a = kit_solo(&kit, "q", 1000);
    struct realm *copy = realm_new(3600000), *old = kit.realm;
    realm_replay_begin(copy);
    kit_replay(&kit, copy, 0, kit.record_count);
    realm_replay_end(copy);
    kit.realm = copy;
    kit.now_ms += 60000;
    realm_lead(copy, kit.now_ms);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 9999), 0);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 1), 1);
    realm_free(old);
    kit_fini(&kit);
}

static void shortest_heartbeat_of_its_queues_counts(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    kit_put(&kit, "plain", PLAIN);
    kit_put(&kit, "beating", BEATING);
    struct outcome out;
    struct kit_player p = {.id = "ann", .skill = 1};
    assert_int_equal(kit_try_create(&kit, "plain beating", &p, 1, &out), ERR_OK);
    assert_int_equal(out.ticket->heartbeat_ms, 10000);
    kit_fini(&kit);
}

/* ---- the journal is the truth ---- */

/* One of the players that the match began with. */
static void leave_one(const struct record *r) {
    char player[16];
    snprintf(player, sizeof player, "%.*s",
             STR_PRINT(r->match_created.teams[rng_below(&kit.rng, 2)].members[0].player_id));
    (void)!kit_leave(&kit, r->match_created.id, player);
}

static void live(uint32_t steps) {
    static const char *const queues[] = {"plain", "timed", "held", "beating", "asked"};
    for (uint32_t i = 0; i < steps; i++) {
        kit.now_ms += (int64_t)rng_below(&kit.rng, 1500);
        uint64_t dice = rng_below(&kit.rng, 100);
        const struct record *r =
            kit.record_count ? kit.journal[rng_below(&kit.rng, kit.record_count)] : NULL;
        if (dice < 40) {
            struct outcome out;
            char name[16];
            snprintf(name, sizeof name, "n%u", (unsigned)rng_below(&kit.rng, 60));
            struct kit_player p = {.id = name, .skill = 100};
            (void)!kit_try_create(&kit, queues[rng_below(&kit.rng, 5)], &p, 1, &out);
        } else if (dice < 70 && r && r->kind == RECORD_MATCH_CREATED) {
            struct id id = r->match_created.id;
            uint64_t what = rng_below(&kit.rng, 6);
            if (what == 5) leave_one(r);
            if (what == 0) (void)!kit_assign(&kit, id, "here");
            if (what == 1) (void)!kit_complete(&kit, id, "a");
            if (what == 2) (void)!kit_cancel_match(&kit, id, rng_below(&kit.rng, 2));
            if (what > 2 && what < 5 && r->match_created.state == MATCH_PROPOSED)
                for (uint32_t t = 0; t < 2; t++) {
                    char player[16];
                    snprintf(player, sizeof player, "%.*s",
                             STR_PRINT(r->match_created.teams[t].members[0].player_id));
                    (void)!kit_accept(&kit, id, player);
                }
        } else if (dice < 80 && r && r->kind == RECORD_TICKET_CREATED) {
            (void)realm_heartbeat(kit.realm, r->ticket_created.id, kit.now_ms);
        } else {
            kit_take_turn(&kit);
        }
    }
}

static void open_random_realm(uint64_t seed) {
    kit_init(&kit, rules, seed);
    kit_put(&kit, "plain", PLAIN);
    kit_put(&kit, "timed", TIMED);
    kit_put(&kit, "held", HELD);
    kit_put(&kit, "beating", BEATING);
    kit_put(&kit, "asked", ASKED);
}

/* No player is in two open tickets or live matches that hold him, and the index says who is. */
static void assert_unique(const struct realm *r, uint64_t seed) {
    uint64_t held = 0;
    size_t cursor = 0;
    for (struct match *m; (m = map_next(&r->matches, &cursor));) {
        bool holds =
            m->spec.holds_players && match_is_live(&m->spec) && m->spec.state != MATCH_PROPOSED;
        for (uint32_t t = 0; holds && t < m->spec.team_count; t++) {
            for (uint32_t i = 0; i < m->spec.teams[t].member_count; i++, held++) {
                struct str player = m->spec.teams[t].members[i].player_id;
                if (realm_find_holder(r, player) != m || realm_player_ticket(r, player))
                    fail_msg("seed %llu: in two places", (unsigned long long)seed);
            }
        }
    }
    assert_int_equal(held, r->holders.count);
}

static void random_lives_keep_players_unique_and_replay(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        open_random_realm(seed);
        for (int i = 0; i < 6; i++) {
            live(80);
            assert_unique(kit.realm, seed);
        }
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, 0, kit.record_count);
        assert_unique(copy, seed);
        assert_int_equal(realm_skipped(copy), 0);
        if (realm_digest(copy) != realm_digest(kit.realm))
            fail_msg("seed %llu: digests differ", (unsigned long long)seed);
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void cut_journals_replay_to_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 125; seed++) {
        open_random_realm(seed);
        size_t cut = kit_live_over_cut(&kit, live);
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, cut, kit.record_count);
        assert_unique(copy, seed);
        if (realm_digest(copy) != realm_digest(kit.realm))
            fail_msg("seed %llu: digests differ", (unsigned long long)seed);
        assert_int_equal(copy->matches.count, kit.realm->matches.count);
        realm_free(copy);
        kit_fini(&kit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_is_assigned_once_and_again_with_the_same_connection_only),
        cmocka_unit_test(match_is_completed_with_its_first_result),
        cmocka_unit_test(cancelled_match_queues_its_players_again_as_old_as_they_were),
        cmocka_unit_test(cancelled_match_lets_its_players_go_when_not_asked_to_queue_them),
        cmocka_unit_test(cancelled_proposal_is_nobodys_fault),
        cmocka_unit_test(match_without_a_server_in_time_is_cancelled_and_queued_again),
        cmocka_unit_test(assigned_match_without_a_result_in_time_is_cancelled),
        cmocka_unit_test(live_match_is_kept_until_it_is_over_and_a_while_longer),
        cmocka_unit_test(players_of_a_live_match_join_nothing_where_the_queue_holds_them),
        cmocka_unit_test(held_players_are_queued_again_when_their_match_is_cancelled),
        cmocka_unit_test(silent_ticket_expires),
        cmocka_unit_test(new_owner_counts_every_ticket_as_alive_when_it_begins),
        cmocka_unit_test(shortest_heartbeat_of_its_queues_counts),
        cmocka_unit_test(random_lives_keep_players_unique_and_replay),
        cmocka_unit_test(cut_journals_replay_to_the_same_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
