/* change_test.c - tickets that change where they wait, and queues that change under them. */
#include "support/model_kit.h"

#include "model/pool.h"
#include "model/realm_state.h"

enum { DUEL, LATENCY, ASKED };

static const struct kit_rules rules[] = {
    [DUEL] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100},
    [LATENCY] = {.teams = 2, .players_min = 1, .players_max = 1, .latency_ms = 100},
    [ASKED] = {.teams = 2,
               .players_min = 1,
               .players_max = 1,
               .spread = 100,
               .life = {.acceptance_ms = 20000, .dodge = {{60000}, 1, 3600000}}},
};

static struct kit kit;

/* Of its first player. */
static double skill_of(const struct ticket *t) {
    return ticket_spec(t, kit.arena).players[0].attributes[0].number;
}

static void open_realm(unsigned rule) {
    kit_init(&kit, rules, 11);
    kit_put(&kit, "q", rule);
}

static enum err update(struct id ticket, const char *player, double skill) {
    struct player p = kit_player(kit.arena, &(struct kit_player){.id = player, .skill = skill});
    struct outcome out;
    struct command c = {.kind = COMMAND_UPDATE_TICKET};
    c.update_ticket.ticket_id = ticket;
    c.update_ticket.players = &p;
    c.update_ticket.player_count = 1;
    return kit_do(&kit, c, &out);
}

static enum err put(unsigned rule, bool cancel_unfit) {
    char json[16];
    snprintf(json, sizeof json, "%u", rule);
    struct outcome out;
    struct command c = {.kind = COMMAND_PUT_QUEUE, .put_queue.cancel_unfit = cancel_unfit};
    struct queue_def *def = c.put_queue.def = kit_def("q", json, &rules[rule]);
    enum err e = kit_do(&kit, c, &out);
    if (e != ERR_OK) queue_def_free(def);
    return e;
}

static enum err delete (bool cancel_tickets) {
    struct outcome out; struct command c = {.kind = COMMAND_DELETE_QUEUE};
    c.delete_queue.name = STR("q");
    c.delete_queue.cancel_tickets = cancel_tickets;
    return kit_do(&kit, c, &out);
}

static void updated_ticket_keeps_its_time_and_is_searched_with_what_it_brings_now(void **state) {
    (void)state;
    open_realm(DUEL);
    struct id a = kit_solo(&kit, "q", 1000), b = kit_solo(&kit, "q", 3000);
    int64_t created_ms = realm_ticket(kit.realm, a)->created_ms;
    kit_search(&kit);
    kit.now_ms += 1000;
    assert_int_equal(update(a, "p0", 2950), ERR_OK);
    assert_int_equal(realm_ticket(kit.realm, a)->created_ms, created_ms);
    assert_true(skill_of(realm_ticket(kit.realm, a)) == 2950);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->tickets_queued, 2);
    assert_int_equal(kit_search(&kit), 1);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    assert_int_equal(update(a, "p0", 1), ERR_FAILED_PRECONDITION);
    kit_fini(&kit);
}

static void update_is_for_the_same_players_and_must_be_admitted(void **state) {
    (void)state;
    open_realm(DUEL);
    struct id a = kit_solo(&kit, "q", 1000);
    assert_int_equal(update(a, "eve", 1), ERR_INVALID_ARGUMENT);
    assert_string_equal(kit.why.field, "players");
    assert_int_equal(update((struct id){1, 1}, "p0", 1), ERR_NOT_FOUND);
    assert_int_equal(update(a, "p0", 1), ERR_OK);
    assert_int_equal(update(a, "p0", 2), ERR_OK); /* and again */
    kit_fini(&kit);
    kit_init(&kit, rules, 11);
    kit_put(&kit, "q", LATENCY);
    struct outcome out;
    struct kit_player p = {.id = "ann", .skill = 1, .regions = {"eu"}, .latencies = {40}};
    assert_int_equal(kit_try_create(&kit, "q", &p, 1, &out), ERR_OK);
    assert_int_equal(update(out.ticket->id, "ann", 1), ERR_INVALID_ARGUMENT); /* no latencies */
    kit_fini(&kit);
}

static void update_is_replayed(void **state) {
    (void)state;
    open_realm(DUEL);
    struct id a = kit_solo(&kit, "q", 1000);
    assert_int_equal(update(a, "p0", 2000), ERR_OK);
    for (int bulk = 0; bulk < 2; bulk++) {
        struct realm *copy = realm_new(3600000);
        if (bulk) realm_replay_begin(copy);
        kit_replay(&kit, copy, 0, kit.record_count);
        if (bulk) realm_replay_end(copy);
        assert_true(realm_digest(copy) == realm_digest(kit.realm));
        assert_true(skill_of(realm_ticket(copy, a)) == 2000);
        realm_free(copy);
    }
    kit_fini(&kit);
}

static void new_rules_lose_no_ticket_unless_told_to(void **state) {
    (void)state;
    open_realm(DUEL);
    struct id a = kit_solo(&kit, "q", 1000); /* without latencies */
    assert_int_equal(put(LATENCY, false), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    assert_int_equal(put(LATENCY, true), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_CANCELLED);
    assert_true(str_starts(ticket_reason(realm_ticket(kit.realm, a)),
                           STR("the queue's new rules do not admit it: ")));
    assert_int_equal(realm_queue(kit.realm, STR("q"))->version, 2);
    kit_fini(&kit);
}

static void proposed_ticket_that_new_rules_do_not_admit_does_not_return(void **state) {
    (void)state;
    open_realm(ASKED);
    struct id a = kit_solo(&kit, "q", 1000);
    kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search(&kit), 1);
    struct id match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(put(LATENCY, false), ERR_OK); /* nobody waits */
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_CANCELLED);
    kit_fini(&kit);
}

static void queue_is_deleted_with_its_tickets_when_told_to(void **state) {
    (void)state;
    open_realm(ASKED);
    kit_put(&kit, "other", DUEL);
    struct id a = kit_solo(&kit, "q", 1000), b = kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search(&kit), 1);
    struct id match = realm_next_match(kit.realm, NULL)->spec.id;
    struct id c = kit_solo(&kit, "q", 9000), d = kit_solo(&kit, "other", 1);
    assert_int_equal(delete (false), ERR_FAILED_PRECONDITION);
    assert_int_equal(delete (true), ERR_OK);
    assert_null(realm_queue(kit.realm, STR("q")));
    assert_int_equal(realm_match(kit.realm, match)->spec.state, MATCH_CANCELLED);
    const struct id gone[] = {a, b, c};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kit_state(&kit, gone[i]), TICKET_CANCELLED);
        assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, gone[i])),
                              STR("its queue was deleted")));
    }
    assert_int_equal(kit_state(&kit, d), TICKET_QUEUED);
    assert_null(realm_penalty(kit.realm, STR("p0"), STR("q"))); /* nobody's fault */
    kit_fini(&kit);
}

static void put_as(unsigned rule, const char *author, const char *comment) {
    char json[16];
    snprintf(json, sizeof json, "%u", rule);
    struct outcome out;
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    c.put_queue.def = kit_def("q", json, &rules[rule]);
    c.put_queue.author = str_of(author);
    c.put_queue.comment = str_of(comment);
    assert_int_equal(kit_do(&kit, c, &out), ERR_OK);
    assert_true(out.changed);
}

static void assert_version(const struct realm *r, uint32_t number, const char *json,
                           const char *author) {
    struct queue_version v;
    assert_true(queue_version_find(realm_queue(r, STR("q")), number, &v));
    assert_true(str_equal(v.json, str_of(json)));
    assert_true(str_equal(v.author, str_of(author)));
}

static void queue_keeps_who_put_which_version_and_when(void **state) {
    (void)state;
    open_realm(DUEL);
    int64_t first_ms = kit.now_ms;
    kit.now_ms += 5000;
    put_as(LATENCY, "ann@studio", "lag");
    kit.now_ms += 5000;
    put_as(DUEL, "bob", "back again");
    assert_version(kit.realm, 1, "0", "");
    assert_version(kit.realm, 2, "1", "ann@studio");
    assert_version(kit.realm, 3, "0", "bob");
    const struct queue *q = realm_queue(kit.realm, STR("q"));
    assert_int_equal(queue_history_find(&q->history, 1)->put_ms, first_ms);
    assert_int_equal(queue_history_find(&q->history, 2)->put_ms, first_ms + 5000);
    struct queue_version none;
    assert_false(queue_version_find(q, 4, &none));
    kit_fini(&kit);
}

/* Whatever part of the journal is left, as long as the carried records are in it. */
static void history_outlives_compaction(void **state) {
    (void)state;
    open_realm(DUEL);
    put_as(LATENCY, "ann", "");
    put_as(DUEL, "bob", "");
    put_as(ASKED, "cid", "");
    kit.now_ms += 60000;
    uint64_t cursor = 0;
    struct decision d = kit_decision(&kit);
    size_t carried = kit.record_count;
    while (realm_carry(kit.realm, &d, kit.now_ms, &cursor, 10)) {
    }
    size_t more = kit.record_count;
    put_as(DUEL, "dan", "");
    for (size_t from = 0; from <= carried; from++) {
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, from, kit.record_count);
        assert_true(realm_digest(copy) == realm_digest(kit.realm));
        assert_version(copy, 2, "1", "ann");
        assert_version(copy, 4, "2", "cid");
        assert_version(copy, 5, "0", "dan");
        realm_free(copy);
    }
    assert_true(more > carried);
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updated_ticket_keeps_its_time_and_is_searched_with_what_it_brings_now),
        cmocka_unit_test(update_is_for_the_same_players_and_must_be_admitted),
        cmocka_unit_test(update_is_replayed),
        cmocka_unit_test(new_rules_lose_no_ticket_unless_told_to),
        cmocka_unit_test(proposed_ticket_that_new_rules_do_not_admit_does_not_return),
        cmocka_unit_test(queue_keeps_who_put_which_version_and_when),
        cmocka_unit_test(history_outlives_compaction),
        cmocka_unit_test(queue_is_deleted_with_its_tickets_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
