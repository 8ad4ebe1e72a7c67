/* realm_test.c - commands, their refusals, and that the journal is the truth. */
#include "support/model_kit.h"

#include "model/pool.h"
#include "model/realm_state.h"

#include <math.h>

enum { DUEL, WIDE, TEAMS, LATENCY, RULES };

static const struct kit_rules rules[] = {
    [DUEL] = {.teams = 2,
              .players_min = 1,
              .players_max = 1,
              .spread = 100,
              .steps = {{5000, 200}},
              .timeout_ms = 60000},
    [WIDE] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 5000},
    [TEAMS] = {.teams = 2,
               .players_min = 1,
               .players_max = 3,
               .spread = 150,
               .steps = {{3000, 300}, {9000, 900}},
               .timeout_ms = 20000,
               .tick_ms = 100},
    [LATENCY] = {.teams = 2, .players_min = 1, .players_max = 1, .latency_ms = 100},
};

static struct kit kit;

static void open_realm(void) {
    kit_init(&kit, rules, 42);
    kit_put(&kit, "duel", DUEL);
}

static void create_then_get_then_cancel(void **state) {
    (void)state;
    open_realm();
    struct id id = kit_solo(&kit, "duel", 1000);
    const struct ticket *t = realm_ticket(kit.realm, id);
    assert_int_equal(t->state, TICKET_QUEUED);
    assert_int_equal(ticket_expires_ms(t), kit.now_ms + 60000);
    assert_ptr_equal(realm_player_ticket(kit.realm, STR("p0")), t);
    assert_int_equal(kit_cancel(&kit, id), ERR_OK);
    assert_int_equal(t->state, TICKET_CANCELLED);
    assert_true(str_equal(ticket_reason(t), STR("cancelled by request")));
    assert_null(realm_player_ticket(kit.realm, STR("p0")));
    assert_int_equal(kit_cancel(&kit, id), ERR_OK); /* repeating is fine */
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void unknown_queue_and_ticket_are_not_found(void **state) {
    (void)state;
    open_realm();
    struct outcome out;
    struct kit_player p = {.id = "a"};
    assert_int_equal(kit_try_create(&kit, "nope", &p, 1, &out), ERR_NOT_FOUND);
    assert_string_equal(kit.why.text, "no queue \"nope\"");
    assert_int_equal(kit_cancel(&kit, (struct id){1, 1}), ERR_NOT_FOUND);
    kit_fini(&kit);
}

static void player_cannot_be_in_two_open_tickets(void **state) {
    (void)state;
    open_realm();
    struct outcome out;
    struct kit_player p = {.id = "ann", .skill = 10};
    struct id first = kit_create(&kit, "duel", &p, 1);
    size_t records = kit.record_count;
    assert_int_equal(kit_try_create(&kit, "duel", &p, 1, &out), ERR_ALREADY_EXISTS);
    assert_non_null(strstr(kit.why.text, "ann"));
    assert_int_equal(kit.record_count, records);
    assert_int_equal(kit_cancel(&kit, first), ERR_OK);
    assert_int_equal(kit_try_create(&kit, "duel", &p, 1, &out), ERR_OK);
    kit_fini(&kit);
}

static void party_larger_than_a_team_is_refused(void **state) {
    (void)state;
    open_realm();
    struct outcome out;
    struct kit_player players[] = {{.id = "a"}, {.id = "b"}};
    assert_int_equal(kit_try_create(&kit, "duel", players, 2, &out), ERR_INVALID_ARGUMENT);
    kit_fini(&kit);
}

static enum err create_with_key(struct id key, uint64_t hash, const char *player,
                                struct outcome *out) {
    struct player p = kit_player(kit.arena, &(struct kit_player){.id = player, .skill = 1});
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){KIT_QUEUE("duel"), &p, 1, 1};
    c.create_ticket.request_key = key;
    c.create_ticket.request_hash = hash;
    struct decision d = kit_decision(&kit);
    return realm_decide(kit.realm, &c, &d, out, &kit.why);
}

static void repeated_request_gives_the_same_ticket(void **state) {
    (void)state;
    open_realm();
    struct outcome first, again;
    struct id key = {7, 7};
    assert_int_equal(create_with_key(key, 99, "ann", &first), ERR_OK);
    assert_true(first.changed);
    assert_int_equal(create_with_key(key, 99, "ann", &again), ERR_OK);
    assert_false(again.changed);
    assert_ptr_equal(first.ticket, again.ticket);
    assert_int_equal(create_with_key(key, 98, "bob", &again), ERR_INVALID_ARGUMENT);
    assert_int_equal(kit_cancel(&kit, first.ticket->id), ERR_OK);
    assert_int_equal(create_with_key(key, 99, "ann", &again), ERR_OK); /* its ticket has ended */
    assert_false(again.changed);
    assert_int_equal(again.ticket->state, TICKET_CANCELLED);
    kit_fini(&kit);
}

static void ticket_expires_in_time_and_is_forgotten_after_keeping(void **state) {
    (void)state;
    open_realm();
    struct id id = kit_solo(&kit, "duel", 1000);
    kit_search(&kit);
    struct decision d = kit_decision(&kit);
    d.now_ms = kit.now_ms + 59999;
    assert_int_equal(realm_expire(kit.realm, &d, 10), 0);
    d.now_ms = kit.now_ms + 60000;
    assert_int_equal(realm_expire(kit.realm, &d, 10), 1);
    assert_int_equal(kit_state(&kit, id), TICKET_EXPIRED);
    assert_int_equal(realm_next_due_ms(kit.realm), d.now_ms + 3600000);
    d.now_ms += 3599999;
    realm_expire(kit.realm, &d, 10);
    assert_non_null(realm_ticket(kit.realm, id));
    d.now_ms += 1;
    realm_expire(kit.realm, &d, 10);
    assert_null(realm_ticket(kit.realm, id));
    assert_int_equal(realm_next_due_ms(kit.realm), INT64_MAX);
    kit_fini(&kit);
}

/* Whose clock may be an hour ahead: a request that is repeated meanwhile must not do twice. */
static void what_has_ended_is_kept_under_a_new_owner_anew(void **state) {
    (void)state;
    open_realm();
    struct id id = kit_solo(&kit, "duel", 1000);
    assert_int_equal(kit_cancel(&kit, id), ERR_OK);
    struct decision d = kit_decision(&kit);
    d.now_ms = kit.now_ms + 7200000;
    struct record epoch = {.kind = RECORD_EPOCH_STARTED, .time_ms = d.now_ms};
    epoch.epoch_started.owner = STR("next");
    realm_apply(kit.realm, &epoch);
    d.now_ms += 3599999;
    realm_expire(kit.realm, &d, 10);
    assert_non_null(realm_ticket(kit.realm, id));
    d.now_ms += 1;
    realm_expire(kit.realm, &d, 10);
    assert_null(realm_ticket(kit.realm, id));
    kit_fini(&kit);
}

static void expiring_stops_at_its_maximum(void **state) {
    (void)state;
    open_realm();
    for (int i = 0; i < 5; i++)
        kit_solo(&kit, "duel", i * 1000);
    struct decision d = kit_decision(&kit);
    d.now_ms += 60000;
    assert_int_equal(realm_expire(kit.realm, &d, 3), 3);
    assert_int_equal(realm_expire(kit.realm, &d, 3), 2);
    kit_fini(&kit);
}

static void match_names_teams_members_and_waits(void **state) {
    (void)state;
    open_realm();
    struct id a = kit_solo(&kit, "duel", 1000);
    kit.now_ms += 700;
    struct id b = kit_solo(&kit, "duel", 1100);
    assert_int_equal(kit_search(&kit), 1);
    const struct match_spec *m = &realm_next_match(kit.realm, NULL)->spec;
    assert_int_equal(m->team_count, 2);
    assert_true(str_equal(m->teams[0].name, STR("a")));
    assert_int_equal(m->teams[0].member_count, 1);
    assert_int_equal(m->teams[1].member_count, 1);
    assert_true(id_equal(m->ticket_ids[0], a));
    assert_true(id_equal(m->ticket_ids[1], b));
    assert_int_equal(m->longest_wait_ms, 700);
    assert_float_equal(m->skill_spread, 100, 1e-9);
    assert_float_equal(m->team_gap, 100, 1e-9);
    assert_float_equal(m->quality, 100 * exp(-1), 1e-6); /* at the bound of age 0 */
    assert_int_equal(m->queue_version, 1);
    assert_true(id_equal(ticket_match_id(realm_ticket(kit.realm, a)), m->id));
    assert_int_equal(kit_cancel(&kit, a), ERR_FAILED_PRECONDITION);
    const struct queue *q = realm_queue(kit.realm, STR("duel"));
    assert_int_equal(q->stats.matched, 2);
    assert_int_equal(q->stats.matches, 1);
    assert_true(q->stats.estimated == 0 && q->stats.kept == 0); /* nobody was promised a wait */
    assert_int_equal(q->players_queued, 0);
    assert_int_equal(queue_wait_quantile_ms(&q->stats, 1),
                     queue_wait_bucket_ms(queue_wait_bucket(700)));
    kit_fini(&kit);
}

static void two_searches_of_a_queue_are_a_tick_apart(void **state) {
    (void)state;
    kit_init(&kit, rules, 1);
    kit_put(&kit, "teams", TEAMS);
    kit_solo(&kit, "teams", 100);
    assert_int_equal(kit_search(&kit), 0);
    kit_solo(&kit, "teams", 100);
    assert_int_equal(kit_search(&kit), 0);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 100);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 99), 0);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    kit_fini(&kit);
}

static void search_stops_at_its_budget_and_goes_on(void **state) {
    (void)state;
    open_realm();
    for (int i = 0; i < 400; i++)
        kit_solo(&kit, "duel", 1000);
    struct decision d = kit_decision(&kit);
    assert_true(realm_search(kit.realm, &d, 50));
    assert_true(kit.match_count > 0 && kit.match_count < 60);
    assert_true(realm_next_due_ms(kit.realm) <= d.now_ms);
    int calls = 1;
    while (realm_search(kit.realm, &d, 50))
        calls++;
    assert_true(calls > 4);
    assert_int_equal(kit.match_count, 200);
    kit_fini(&kit);
}

static void searches_and_what_they_looked_at_are_counted(void **state) {
    (void)state;
    open_realm();
    assert_int_equal(realm_counted(kit.realm).searches, 0);
    kit_solo(&kit, "duel", 1000);
    kit_search_at(&kit, kit.now_ms + 100);
    struct realm_counts alone = realm_counted(kit.realm);
    assert_int_equal(alone.searches, 1);
    assert_int_equal(alone.truncated, 0);
    kit_solo(&kit, "duel", 1000);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 100), 1);
    struct realm_counts both = realm_counted(kit.realm);
    assert_int_equal(both.searches, 2);
    assert_true(both.groups > alone.groups);
    kit_fini(&kit);
}

static void put_of_the_same_definition_changes_nothing(void **state) {
    (void)state;
    open_realm();
    struct outcome out;
    assert_int_equal(kit_try_put(&kit, "duel", DUEL, &out), ERR_OK);
    assert_false(out.changed);
    assert_int_equal(out.queue->version, 1);
    assert_int_equal(kit_try_put(&kit, "duel", WIDE, &out), ERR_OK);
    assert_true(out.changed);
    assert_int_equal(out.queue->version, 2);
    kit_fini(&kit);
}

static void new_version_keeps_the_waiting_and_searches_them_afresh(void **state) {
    (void)state;
    open_realm();
    struct id a = kit_solo(&kit, "duel", 1000), b = kit_solo(&kit, "duel", 3000);
    assert_int_equal(kit_search(&kit), 0);
    kit_put(&kit, "duel", WIDE);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 10), 1);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    assert_int_equal(realm_next_match(kit.realm, NULL)->spec.queue_version, 2);
    kit_fini(&kit);
}

static void version_that_cannot_admit_the_waiting_is_refused(void **state) {
    (void)state;
    open_realm();
    struct outcome out;
    kit_solo(&kit, "duel", 1000); /* no latencies */
    assert_int_equal(kit_try_put(&kit, "duel", LATENCY, &out), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(kit.why.text, "waiting ticket"));
    assert_int_equal(realm_queue(kit.realm, STR("duel"))->version, 1);
    kit_fini(&kit);
}

static void queue_with_open_tickets_is_not_deleted(void **state) {
    (void)state;
    open_realm();
    struct id id = kit_solo(&kit, "duel", 1000);
    struct command c = {.kind = COMMAND_DELETE_QUEUE, .delete_queue.name = STR("duel")};
    struct decision d = kit_decision(&kit);
    struct outcome out;
    assert_int_equal(realm_decide(kit.realm, &c, &d, &out, &kit.why), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_cancel(&kit, id), ERR_OK);
    assert_int_equal(realm_decide(kit.realm, &c, &d, &out, &kit.why), ERR_OK);
    assert_null(realm_queue(kit.realm, STR("duel")));
    assert_int_equal(realm_decide(kit.realm, &c, &d, &out, &kit.why), ERR_NOT_FOUND);
    kit_fini(&kit);
}

static void queues_are_walked_in_name_order(void **state) {
    (void)state;
    kit_init(&kit, rules, 1);
    const char *const names[] = {"mid", "alpha", "zeta", "beta"};
    const char *const sorted[] = {"alpha", "beta", "mid", "zeta"};
    for (int i = 0; i < 4; i++)
        kit_put(&kit, names[i], DUEL);
    const struct queue *q = NULL;
    for (int i = 0; i < 4; i++) {
        q = realm_next_queue(kit.realm, q);
        assert_true(str_equal(q->def->name, str_of(sorted[i])));
    }
    assert_null(realm_next_queue(kit.realm, q));
    kit_fini(&kit);
}

static void contradicting_records_are_skipped_and_counted(void **state) {
    (void)state;
    open_realm();
    struct id a = kit_solo(&kit, "duel", 1000);
    kit_solo(&kit, "duel", 1000);
    kit_search(&kit);
    size_t end = kit.record_count;
    kit_replay(&kit, kit.realm, 0, end); /* everything happened already */
    assert_int_equal(realm_skipped(kit.realm), end);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(realm_matches_kept(kit.realm), 1);
    kit_fini(&kit);
}

/* ---- several queues ---- */

static void ticket_of_two_queues_is_matched_in_one_and_leaves_the_other(void **state) {
    (void)state;
    open_realm();
    kit_put(&kit, "wide", WIDE);
    struct outcome out;
    struct kit_player ann = {.id = "ann", .skill = 1000};
    assert_int_equal(kit_try_create(&kit, "duel wide", &ann, 1, &out), ERR_OK);
    const struct ticket *t = out.ticket;
    const struct queue *duel = realm_queue(kit.realm, STR("duel"));
    const struct queue *wide = realm_queue(kit.realm, STR("wide"));
    assert_int_equal(duel->tickets_queued, 1);
    assert_int_equal(wide->tickets_queued, 1);
    assert_int_equal(ticket_expires_ms(t), kit.now_ms + 60000); /* the shorter of the two */
    kit_solo(&kit, "wide", 3000);                               /* too far away for a duel */
    assert_int_equal(kit_search(&kit), 1);
    assert_int_equal(t->state, TICKET_MATCHED);
    assert_true(str_equal(realm_match(kit.realm, ticket_match_id(t))->spec.queue, STR("wide")));
    assert_int_equal(duel->tickets_queued + wide->tickets_queued, 0);
    assert_int_equal(pool_count(duel->pool), 0);
    assert_int_equal(duel->stats.created, 1);
    assert_int_equal(duel->stats.matched, 0);
    kit_solo(&kit, "duel", 1000);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 100), 0);
    kit_fini(&kit);
}

static void ticket_of_two_queues_is_in_one_match_when_both_have_partners(void **state) {
    (void)state;
    open_realm();
    kit_put(&kit, "wide", WIDE);
    struct outcome out;
    struct kit_player ann = {.id = "ann", .skill = 1000};
    assert_int_equal(kit_try_create(&kit, "duel wide", &ann, 1, &out), ERR_OK);
    kit_solo(&kit, "duel", 1000);
    kit_solo(&kit, "wide", 1000);
    assert_int_equal(kit_search(&kit), 1);
    assert_int_equal(realm_tickets_open(kit.realm), 1);
    assert_int_equal(realm_matches_kept(kit.realm), 1);
    kit_fini(&kit);
}

static void ticket_must_be_admitted_by_each_of_its_queues(void **state) {
    (void)state;
    open_realm();
    kit_put(&kit, "near", LATENCY);
    struct outcome out;
    struct kit_player ann = {.id = "ann", .skill = 1};
    assert_int_equal(kit_try_create(&kit, "duel near", &ann, 1, &out), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kit.why.text, "queue \"near\": "));
    assert_int_equal(kit_try_create(&kit, "duel nope", &ann, 1, &out), ERR_NOT_FOUND);
    assert_string_equal(kit.why.field, "queues[1]");
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void cancelled_ticket_leaves_all_of_its_queues(void **state) {
    (void)state;
    open_realm();
    kit_put(&kit, "wide", WIDE);
    struct outcome out;
    struct kit_player ann = {.id = "ann", .skill = 1};
    assert_int_equal(kit_try_create(&kit, "duel wide", &ann, 1, &out), ERR_OK);
    assert_int_equal(kit_cancel(&kit, out.ticket->id), ERR_OK);
    const struct record *end = kit.journal[kit.record_count - 1];
    assert_int_equal(end->ticket_ended.queue_count, 2);
    for (const struct queue *q = NULL; (q = realm_next_queue(kit.realm, q));) {
        assert_int_equal(q->tickets_queued, 0);
        assert_int_equal(q->stats.cancelled, 1);
    }
    kit_fini(&kit);
}

/* ---- random lives ---- */

static void live(uint32_t steps) {
    static const char *const queues[] = {"duel", "teams", "teams duel"};
    struct decision d;
    struct outcome out;
    for (uint32_t i = 0; i < steps; i++) {
        kit.now_ms += (int64_t)rng_below(&kit.rng, 400);
        uint64_t dice = rng_below(&kit.rng, 100);
        if (dice < 60) {
            struct kit_player players[3] = {0};
            char names[3][8];
            bool teams = rng_below(&kit.rng, 2);
            uint32_t count = teams ? 1 + (uint32_t)rng_below(&kit.rng, 3) : 1;
            uint32_t first = (uint32_t)rng_below(&kit.rng, 300);
            for (uint32_t k = 0; k < count; k++) {
                snprintf(names[k], sizeof names[k], "n%u", first + k);
                players[k] =
                    (struct kit_player){.id = names[k], .skill = (double)rng_below(&kit.rng, 3000)};
            }
            bool both = count == 1 && rng_below(&kit.rng, 3) == 0;
            (void)!kit_try_create(&kit, queues[both ? 2 : teams], players, count, &out);
        } else if (dice < 72 && kit.record_count > 3) {
            const struct record *r = kit.journal[rng_below(&kit.rng, kit.record_count)];
            if (r->kind == RECORD_TICKET_CREATED) (void)!kit_cancel(&kit, r->ticket_created.id);
        } else if (dice == 99) {
            (void)!kit_try_put(&kit, "duel", (unsigned)rng_below(&kit.rng, 2), &out);
        } else {
            d = kit_decision(&kit);
            realm_expire(kit.realm, &d, 5);
            realm_search(kit.realm, &d, 1 + rng_below(&kit.rng, 60));
        }
    }
}

static void open_random_realm(uint64_t seed) {
    kit_init(&kit, rules, seed);
    kit_put(&kit, "duel", DUEL);
    kit_put(&kit, "teams", TEAMS);
}

static void assert_consistent(const struct realm *r, uint64_t seed) {
    uint64_t open = 0, places = 0, in_pools = 0, busy_players = 0;
    size_t cursor = 0;
    for (struct ticket *t; (t = map_next(&r->tickets, &cursor));) {
        bool is_open = ticket_is_open(t);
        for (uint32_t i = 0; i < t->queue_count; i++) {
            if (!is_open) continue;
            if (!t->places[i].entry) fail_msg("seed %llu: entry", (unsigned long long)seed);
            assert_non_null(t->places[i].queue);
            places++;
        }
        open += is_open;
        assert_true(is_open == (ticket_ended_ms(t) == 0));
        assert_true((t->state == TICKET_MATCHED) == !id_is_none(ticket_match_id(t)));
        const char *at = NULL;
        for (uint32_t i = 0; i < t->player_count; i++) {
            const struct ticket *his = realm_player_ticket(r, ticket_next_player(t, &at));
            if (is_open && his != t) fail_msg("seed %llu: two tickets", (unsigned long long)seed);
            busy_players += is_open;
        }
    }
    for (const struct queue *q = NULL; (q = realm_next_queue(r, q));) {
        in_pools += pool_count(q->pool);
        assert_int_equal(q->players_queued, q->pool->players);
        assert_int_equal(q->tickets_queued, pool_count(q->pool));
    }
    assert_int_equal(open, realm_tickets_open(r));
    assert_int_equal(places, in_pools);
    assert_int_equal(busy_players, r->players.count);
    assert_int_equal(open + r->ended.count, r->tickets.count);
}

/* Each match by the ruleset of its version: legal, tickets whole, each ticket in one match. */
static void assert_matches_legal(uint64_t seed) {
    struct ruleset *by_rule[RULES] = {NULL};
    unsigned duel_rule[1000] = {0}, version = 0;
    struct arena *scratch = arena_new(0);
    for (unsigned i = 0; i < RULES; i++)
        by_rule[i] = kit_ruleset(&rules[i]);
    for (size_t i = 0; i < kit.record_count; i++) {
        const struct record *r = kit.journal[i];
        if (r->carried) continue;
        if (r->kind == RECORD_QUEUE_PUT && str_equal(r->queue_put.name, STR("duel"))) {
            version = r->queue_put.version;
            duel_rule[version] = (unsigned)(r->queue_put.json.at[0] - '0');
        }
        if (r->kind != RECORD_MATCH_CREATED) continue;
        const struct match_spec *m = &r->match_created;
        const struct ticket *tickets[8];
        uint32_t team_of[8], seen = 0;
        int64_t newest_ms = 0;
        assert_true(m->ticket_count <= 8);
        for (uint32_t k = 0; k < m->ticket_count; k++) {
            tickets[k] = realm_ticket(kit.realm, m->ticket_ids[k]);
            assert_true(id_equal(ticket_match_id(tickets[k]), m->id));
            if (tickets[k]->created_ms > newest_ms) newest_ms = tickets[k]->created_ms;
            for (uint32_t t = 0, own = 0; t < m->team_count; t++, own = 0) {
                for (uint32_t p = 0; p < m->teams[t].member_count; p++) {
                    own += id_equal(m->teams[t].members[p].ticket_id, m->ticket_ids[k]);
                }
                if (own == 0) continue;
                assert_int_equal(own, tickets[k]->player_count);
                team_of[k] = t;
                seen++;
            }
        }
        assert_int_equal(seen, m->ticket_count);
        bool duel = str_equal(m->queue, STR("duel"));
        struct candidate c = {ticket_specs(tickets, m->ticket_count, scratch), team_of,
                              m->ticket_count, m->created_ms - newest_ms};
        struct verdict v =
            ruleset_evaluate(by_rule[duel ? duel_rule[m->queue_version] : TEAMS], &c, scratch);
        if (!v.legal)
            fail_msg("seed %llu: illegal match in record %zu", (unsigned long long)seed, i);
    }
    for (unsigned i = 0; i < RULES; i++)
        ruleset_free(by_rule[i]);
    arena_free(scratch);
}

static void random_lives_keep_every_invariant(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        open_random_realm(seed);
        for (int i = 0; i < 10; i++) {
            live(60);
            assert_consistent(kit.realm, seed);
        }
        assert_matches_legal(seed);
        assert_int_equal(realm_skipped(kit.realm), 0);
        assert_true(kit.match_count > 20);
        kit_fini(&kit);
    }
}

static void replay_gives_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 115; seed++) {
        open_random_realm(seed);
        live(500);
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, 0, kit.record_count);
        assert_consistent(copy, seed);
        assert_int_equal(realm_skipped(copy), 0);
        if (realm_digest(copy) != realm_digest(kit.realm)) {
            fail_msg("seed %llu: digests differ", (unsigned long long)seed);
        }
        assert_int_equal(copy->tickets.count, kit.realm->tickets.count);
        assert_int_equal(copy->matches.count, kit.realm->matches.count);
        realm_free(copy);
        kit_fini(&kit);
    }
}

/* As kit_replay of the whole journal, in bulk. */
static struct realm *bulk_copy(size_t from) {
    struct realm *copy = realm_new(3600000);
    realm_replay_begin(copy);
    for (size_t i = from; i < kit.record_count; i++) {
        realm_expect(copy, kit.journal[i]);
        kit_replay(&kit, copy, i, i + 1);
    }
    realm_replay_end(copy);
    return copy;
}

/* In any order: whose turn it is among queues of one due time depends on their history. */
static void add_match(void *arg, struct record *r) {
    uint64_t *sum = arg, match = 1;
    if (r->kind != RECORD_MATCH_CREATED) return;
    for (uint32_t i = 0; i < r->match_created.ticket_count; i++)
        match = (match + r->match_created.ticket_ids[i].lo) * 31;
    *sum += match;
}

/* What a leader of this state does in the next minutes, as one number. */
static uint64_t future_of(struct realm *r) {
    uint64_t sum = 1;
    struct rng rng;
    rng_init(&rng, 7);
    for (int64_t now_ms = kit.now_ms; now_ms < kit.now_ms + 120000; now_ms += 5000) {
        struct decision d = {now_ms, &rng, kit.arena, add_match, &sum};
        realm_expire(r, &d, 1000);
        while (realm_search(r, &d, 50)) {
        }
    }
    return sum;
}

static void replay_in_bulk_gives_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 400; seed < 415; seed++) {
        open_random_realm(seed);
        live(500);
        struct realm *copy = realm_new(3600000), *bulk = bulk_copy(0);
        kit_replay(&kit, copy, 0, kit.record_count);
        assert_consistent(bulk, seed);
        assert_int_equal(realm_skipped(bulk), 0);
        assert_true(realm_digest(bulk) == realm_digest(kit.realm));
        assert_int_equal(realm_next_due_ms(bulk), realm_next_due_ms(copy));
        assert_int_equal(bulk->tickets.count, copy->tickets.count);
        assert_int_equal(bulk->requests.count, copy->requests.count);
        assert_int_equal(bulk->matches.count, copy->matches.count);
        realm_free(bulk);
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void replay_in_bulk_has_the_same_future(void **state) {
    (void)state;
    for (uint64_t seed = 420; seed < 430; seed++) {
        open_random_realm(seed);
        for (int i = 0; i < 400; i++) {
            kit.now_ms += (int64_t)rng_below(&kit.rng, 3);
            kit_party(&kit, "teams", (double)rng_below(&kit.rng, 4000),
                      1 + (uint32_t)rng_below(&kit.rng, 2));
            kit_solo(&kit, "duel", (double)rng_below(&kit.rng, 100000));
            if (i % 50 == 0) kit_search(&kit);
        }
        struct realm *copy = realm_new(3600000), *bulk = bulk_copy(0);
        kit_replay(&kit, copy, 0, kit.record_count);
        uint64_t open = realm_tickets_open(bulk);
        if (future_of(bulk) != future_of(copy)) {
            fail_msg("seed %llu: futures differ", (unsigned long long)seed);
        }
        assert_true(realm_tickets_open(bulk) < open);
        assert_true(realm_digest(bulk) == realm_digest(copy));
        assert_consistent(bulk, seed);
        realm_free(bulk);
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void cut_journal_replays_in_bulk_to_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 500; seed < 510; seed++) {
        open_random_realm(seed);
        live(200);
        kit.now_ms += 1;
        int64_t upto_ms = kit.now_ms;
        size_t cut = kit.record_count;
        live(150);
        uint64_t cursor = 0;
        struct decision d = kit_decision(&kit);
        while (realm_carry(kit.realm, &d, upto_ms, &cursor, 7)) {
            live(3);
            d = kit_decision(&kit);
        }
        live(50);
        struct realm *bulk = bulk_copy(cut); /* tickets before their queues, ends before tickets */
        assert_true(realm_digest(bulk) == realm_digest(kit.realm));
        assert_consistent(bulk, seed);
        realm_free(bulk);
        kit_fini(&kit);
    }
}

static void replay_that_breaks_off_can_be_freed(void **state) {
    (void)state;
    open_random_realm(1);
    live(100);
    struct realm *copy = realm_new(3600000);
    realm_replay_begin(copy);
    kit_replay(&kit, copy, 0, kit.record_count);
    realm_free(copy);
    kit_fini(&kit);
}

/* Carries in slices of 7 with life between them; returns the first carried record. */
static size_t carry_all(int64_t upto_ms) {
    size_t start = kit.record_count;
    uint64_t cursor = 0;
    struct decision d = kit_decision(&kit);
    while (realm_carry(kit.realm, &d, upto_ms, &cursor, 7)) {
        live(3);
        d = kit_decision(&kit);
    }
    return start;
}

static void journal_cut_at_a_carry_replays_to_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 200; seed < 215; seed++) {
        open_random_realm(seed);
        live(300);
        uint64_t before = realm_digest(kit.realm);
        uint64_t cursor = 0;
        struct decision d = kit_decision(&kit);
        size_t start = kit.record_count;
        while (realm_carry(kit.realm, &d, kit.now_ms, &cursor, 7)) {
        }
        assert_true(realm_digest(kit.realm) == before); /* carrying changes nothing */
        assert_int_equal(kit.record_count - start,
                         2 + kit.realm->tickets.count + kit.realm->matches.count);
        live(50);
        size_t cut = carry_all(kit.now_ms);
        live(100);
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, cut, kit.record_count);
        kit_replay(&kit, copy, start, start + 2); /* carried again over what is there: nothing */
        if (realm_digest(copy) != realm_digest(kit.realm)) {
            fail_msg("seed %llu: digests differ", (unsigned long long)seed);
        }
        assert_consistent(copy, seed);
        assert_int_equal(realm_skipped(copy), 0);
        assert_int_equal(copy->tickets.count, kit.realm->tickets.count);
        assert_int_equal(copy->matches.count, kit.realm->matches.count);
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void journal_cut_before_a_carry_replays_to_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 300; seed < 315; seed++) {
        open_random_realm(seed);
        live(200);
        kit.now_ms += 1;
        int64_t upto_ms = kit.now_ms;
        size_t cut = kit.record_count;
        live(150);
        carry_all(upto_ms);
        live(50);
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, cut, kit.record_count);
        if (realm_digest(copy) != realm_digest(kit.realm)) {
            fail_msg("seed %llu: digests differ", (unsigned long long)seed);
        }
        assert_consistent(copy, seed);
        assert_int_equal(copy->tickets.count, kit.realm->tickets.count);
        assert_int_equal(copy->matches.count, kit.realm->matches.count);
        const struct match *a = NULL, *b = NULL;
        while ((a = realm_next_match(kit.realm, a))) {
            b = realm_next_match(copy, b);
            assert_int_equal(a->spec.created_ms, b->spec.created_ms);
        }
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void restarted_realm_matches_what_it_finds_waiting(void **state) {
    (void)state;
    open_realm();
    for (int i = 0; i < 100; i++)
        kit_solo(&kit, "duel", 1000);
    struct realm *copy = realm_new(0), *old = kit.realm;
    kit_replay(&kit, copy, 0, kit.record_count);
    kit.realm = copy;
    assert_int_equal(kit_search(&kit), 50);
    realm_free(old);
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_then_get_then_cancel),
        cmocka_unit_test(unknown_queue_and_ticket_are_not_found),
        cmocka_unit_test(player_cannot_be_in_two_open_tickets),
        cmocka_unit_test(party_larger_than_a_team_is_refused),
        cmocka_unit_test(repeated_request_gives_the_same_ticket),
        cmocka_unit_test(ticket_expires_in_time_and_is_forgotten_after_keeping),
        cmocka_unit_test(what_has_ended_is_kept_under_a_new_owner_anew),
        cmocka_unit_test(expiring_stops_at_its_maximum),
        cmocka_unit_test(match_names_teams_members_and_waits),
        cmocka_unit_test(two_searches_of_a_queue_are_a_tick_apart),
        cmocka_unit_test(search_stops_at_its_budget_and_goes_on),
        cmocka_unit_test(searches_and_what_they_looked_at_are_counted),
        cmocka_unit_test(put_of_the_same_definition_changes_nothing),
        cmocka_unit_test(new_version_keeps_the_waiting_and_searches_them_afresh),
        cmocka_unit_test(version_that_cannot_admit_the_waiting_is_refused),
        cmocka_unit_test(queue_with_open_tickets_is_not_deleted),
        cmocka_unit_test(queues_are_walked_in_name_order),
        cmocka_unit_test(contradicting_records_are_skipped_and_counted),
        cmocka_unit_test(ticket_of_two_queues_is_matched_in_one_and_leaves_the_other),
        cmocka_unit_test(ticket_of_two_queues_is_in_one_match_when_both_have_partners),
        cmocka_unit_test(ticket_must_be_admitted_by_each_of_its_queues),
        cmocka_unit_test(cancelled_ticket_leaves_all_of_its_queues),
        cmocka_unit_test(random_lives_keep_every_invariant),
        cmocka_unit_test(replay_gives_the_same_state),
        cmocka_unit_test(replay_in_bulk_gives_the_same_state),
        cmocka_unit_test(replay_in_bulk_has_the_same_future),
        cmocka_unit_test(cut_journal_replays_in_bulk_to_the_same_state),
        cmocka_unit_test(replay_that_breaks_off_can_be_freed),
        cmocka_unit_test(journal_cut_at_a_carry_replays_to_the_same_state),
        cmocka_unit_test(journal_cut_before_a_carry_replays_to_the_same_state),
        cmocka_unit_test(restarted_realm_matches_what_it_finds_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
