/* proposal_test.c - matches that ask their players: every answer, every end, every race. */
#include "support/model_kit.h"

#include "model/penalty.h"
#include "model/pool.h"
#include "model/realm_state.h"

enum { ASKED, STRICT, TEAMS, PLAIN };

static const struct kit_rules rules[] = {
    [ASKED] = {.teams = 2,
               .players_min = 1,
               .players_max = 1,
               .spread = 100,
               .timeout_ms = 60000,
               .life.acceptance_ms = 20000},
    [STRICT] = {.teams = 2,
                .players_min = 1,
                .players_max = 1,
                .spread = 100,
                .life = {.acceptance_ms = 20000, .dodge = {{60000, 300000}, 2, 3600000}}},
    [TEAMS] = {.teams = 2,
               .players_min = 2,
               .players_max = 2,
               .spread = 100,
               .life.acceptance_ms = 20000},
    [PLAIN] = {.teams = 2, .players_min = 1, .players_max = 1, .spread = 100},
};

static struct kit kit;
static struct id a, b, match;

/* Tickets a of p0 and b of p1 are proposed a match. */
static void propose(unsigned rule) {
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

static const struct record *last(size_t back) {
    return kit.journal[kit.record_count - 1 - back];
}

static void found_match_is_proposed_and_its_tickets_wait_for_answers(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(spec()->state, MATCH_PROPOSED);
    assert_int_equal(spec()->until_ms, kit.now_ms + 20000);
    assert_int_equal(kit_state(&kit, a), TICKET_PROPOSED);
    assert_int_equal(kit_state(&kit, b), TICKET_PROPOSED);
    assert_true(id_equal(ticket_match_id(realm_ticket(kit.realm, a)), match));
    const struct queue *q = realm_queue(kit.realm, STR("q"));
    assert_int_equal(q->tickets_queued, 0);
    assert_int_equal(q->tickets_open, 2);
    assert_int_equal(q->stats.matches, 0);
    assert_int_equal(q->stats.proposals, 1);
    assert_int_equal(realm_next_due_ms(kit.realm), kit.now_ms + 20000);
    kit_fini(&kit);
}

static void record_that_takes_tickets_which_are_proposed_another_match_is_skipped(void **state) {
    (void)state;
    propose(ASKED);
    const enum match_state states[] = {MATCH_PROPOSED, MATCH_CONFIRMED};
    for (int i = 0; i < 2; i++) {
        struct record other = {.kind = RECORD_MATCH_CREATED, .time_ms = kit.now_ms};
        other.match_created = *spec();
        other.match_created.id = (struct id){1, (uint64_t)i + 1};
        other.match_created.state = states[i];
        realm_apply(kit.realm, &other);
        assert_int_equal(realm_skipped(kit.realm), i + 1);
        assert_null(realm_match(kit.realm, other.match_created.id));
        assert_int_equal(kit_state(&kit, a), TICKET_PROPOSED);
        assert_true(id_equal(ticket_match_id(realm_ticket(kit.realm, b)), match));
    }
    kit_fini(&kit);
}

static void match_is_made_when_all_have_accepted(void **state) {
    (void)state;
    propose(ASKED);
    kit.now_ms += 3000;
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    const struct record *progress = last(0);
    assert_int_equal(progress->kind, RECORD_MATCH_ACCEPTED);
    assert_int_equal(progress->match_accepted.accepted_count, 1);
    assert_true(str_equal(progress->match_accepted.accepted[0], STR("p0")));
    assert_true(str_equal(progress->match_accepted.waiting[0], STR("p1")));
    assert_int_equal(spec()->state, MATCH_PROPOSED);
    assert_int_equal(kit_accept(&kit, match, "p1"), ERR_OK);
    assert_int_equal(last(0)->kind, RECORD_MATCH_UPDATED);
    assert_int_equal(spec()->state, MATCH_CONFIRMED);
    assert_int_equal(spec()->longest_wait_ms, 3500);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    assert_int_equal(kit_state(&kit, b), TICKET_MATCHED);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.matches, 1);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.matched, 2);
    kit_fini(&kit);
}

static void accepting_again_changes_nothing(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    size_t records = kit.record_count;
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit.record_count, records);
    assert_int_equal(kit_accept(&kit, match, "p0 p1"), ERR_OK);
    records = kit.record_count;
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK); /* it is made */
    assert_int_equal(kit.record_count, records);
    kit_fini(&kit);
}

static void one_call_may_accept_for_all(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0 p1"), ERR_OK);
    assert_int_equal(spec()->state, MATCH_CONFIRMED);
    assert_int_equal(kit_state(&kit, a), TICKET_MATCHED);
    kit_fini(&kit);
}

static void decline_cancels_its_ticket_and_returns_the_others_as_old_as_they_were(void **state) {
    (void)state;
    propose(ASKED);
    int64_t created_ms = realm_ticket(kit.realm, a)->created_ms;
    kit.now_ms += 2000;
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    const struct record *r = last(0);
    assert_int_equal(r->kind, RECORD_MATCH_UPDATED);
    assert_int_equal(r->match_updated.fate_count, 2);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_true(str_equal(spec()->reason, STR("a player declined")));
    assert_int_equal(kit_state(&kit, b), TICKET_CANCELLED);
    assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, b)), STR("declined the match")));
    const struct ticket *t = realm_ticket(kit.realm, a);
    assert_int_equal(t->state, TICKET_QUEUED);
    assert_int_equal(t->created_ms, created_ms);
    assert_true(id_is_none(ticket_match_id(t)));
    assert_non_null(t->places[0].entry);
    assert_null(realm_player_ticket(kit.realm, STR("p1")));
    kit_fini(&kit);
}

static void returned_ticket_is_searched_at_once_whenever_the_tick_comes(void **state) {
    (void)state;
    propose(ASKED);
    struct id c = kit_solo(&kit, "q", 1000);
    kit_search(&kit);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_true(realm_next_due_ms(kit.realm) <= kit.now_ms);
    assert_int_equal(kit_search(&kit), 1);
    assert_int_equal(kit_state(&kit, a), TICKET_PROPOSED);
    assert_int_equal(kit_state(&kit, c), TICKET_PROPOSED);
    kit_fini(&kit);
}

static void who_has_accepted_may_still_decline(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_decline(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_CANCELLED);
    assert_int_equal(kit_state(&kit, b), TICKET_QUEUED); /* had not answered: not at fault */
    kit_fini(&kit);
}

static void made_match_cannot_be_declined(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0 p1"), ERR_OK);
    assert_int_equal(kit_decline(&kit, match, "p0"), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(kit.why.text, "MATCH_CONFIRMED"));
    kit_fini(&kit);
}

static void declining_again_is_fine_and_another_decline_comes_too_late(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_decline(&kit, match, "p0"), ERR_OK);
    size_t records = kit.record_count;
    assert_int_equal(kit_decline(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_accept(&kit, match, "p1"), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(kit.why.text, "was cancelled: a player declined"));
    assert_int_equal(kit.record_count, records);
    kit_fini(&kit);
}

static void sleepers_are_cancelled_when_the_time_is_over(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 19999), 0);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 1), 1);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    assert_int_equal(kit_state(&kit, b), TICKET_CANCELLED);
    assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, b)),
                          STR("the match was not accepted in time")));
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.proposals_failed, 1);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.cancelled, 1);
    kit_fini(&kit);
}

static void answer_after_the_time_is_too_late_even_when_nobody_looked_at_the_clock(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    kit.now_ms += 20000;
    assert_int_equal(kit_accept(&kit, match, "p1"), ERR_FAILED_PRECONDITION);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    assert_int_equal(kit_state(&kit, b), TICKET_CANCELLED);
    kit_fini(&kit);
}

static void cancel_of_a_proposed_ticket_declines_for_it(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_cancel(&kit, a), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_CANCELLED);
    assert_true(str_equal(ticket_reason(realm_ticket(kit.realm, a)), STR("cancelled by request")));
    assert_int_equal(kit_state(&kit, b), TICKET_QUEUED);
    assert_int_equal(spec()->state, MATCH_CANCELLED);
    assert_int_equal(match_member(spec(), STR("p0"))->answer, ANSWER_DECLINED);
    assert_int_equal(kit_cancel(&kit, a), ERR_OK); /* repeating is fine */
    kit_fini(&kit);
}

static void proposed_ticket_does_not_expire_but_at_once_when_it_returns_too_late(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", ASKED);
    a = kit_solo(&kit, "q", 1000);
    kit.now_ms += 55000; /* it expires in 5 s */
    b = kit_solo(&kit, "q", 1000);
    assert_int_equal(kit_search(&kit), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_expire_at(&kit, kit.now_ms + 10000), 0);
    assert_int_equal(kit_state(&kit, a), TICKET_PROPOSED);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    assert_int_equal(kit_expire_at(&kit, kit.now_ms), 1);
    assert_int_equal(kit_state(&kit, a), TICKET_EXPIRED);
    kit_fini(&kit);
}

static void ticket_is_innocent_only_when_each_of_its_players_is(void **state) {
    (void)state;
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", TEAMS);
    a = kit_party(&kit, "q", 1000, 2);
    b = kit_party(&kit, "q", 1000, 2);
    assert_int_equal(kit_search(&kit), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_accept(&kit, match, "p0 p2 p3"), ERR_OK); /* p1 sleeps */
    kit_expire_at(&kit, kit.now_ms + 20000);
    assert_int_equal(kit_state(&kit, a), TICKET_CANCELLED);
    assert_int_equal(kit_state(&kit, b), TICKET_QUEUED);
    kit_fini(&kit);
}

static void strangers_and_unknown_matches_are_refused(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0 eve"), ERR_INVALID_ARGUMENT);
    assert_string_equal(kit.why.field, "player_ids");
    assert_int_equal(kit_decline(&kit, (struct id){1, 1}, "p0"), ERR_NOT_FOUND);
    assert_int_equal(match_answers(spec(), ANSWER_NONE), 2);
    kit_fini(&kit);
}

static void match_without_acceptance_is_accepted_in_vain(void **state) {
    (void)state;
    propose(PLAIN);
    assert_int_equal(spec()->state, MATCH_CONFIRMED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(match_answers(spec(), ANSWER_NONE), 2);
    kit_fini(&kit);
}

static void queue_with_proposed_tickets_is_not_deleted(void **state) {
    (void)state;
    propose(ASKED);
    struct command c = {.kind = COMMAND_DELETE_QUEUE, .delete_queue.name = STR("q")};
    struct decision d = kit_decision(&kit);
    struct outcome out;
    assert_int_equal(realm_decide(kit.realm, &c, &d, &out, &kit.why), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_accept(&kit, match, "p0 p1"), ERR_OK);
    assert_int_equal(realm_decide(kit.realm, &c, &d, &out, &kit.why), ERR_OK);
    kit_fini(&kit);
}

static void new_version_of_the_queue_leaves_a_proposal_as_it_is(void **state) {
    (void)state;
    propose(ASKED);
    kit_put(&kit, "q", PLAIN);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_int_equal(kit_state(&kit, a), TICKET_QUEUED);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->tickets_queued, 1);
    kit_fini(&kit);
}

/* ---- penalties ---- */

static enum err join(const char *player) {
    struct outcome out;
    struct kit_player p = {.id = player, .skill = 1000};
    return kit_try_create(&kit, "q", &p, 1, &out);
}

static void who_declines_is_barred_for_a_while_and_longer_the_next_time(void **state) {
    (void)state;
    propose(STRICT);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_int_equal(last(0)->kind, RECORD_PLAYER_PENALIZED);
    assert_null(realm_penalty(kit.realm, STR("p0"), STR("q")));
    kit.now_ms += 10000;
    assert_int_equal(join("p1"), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit.why.retry_after_ms, 50000);
    assert_string_equal(kit.why.field, "players[0].player_id");
    kit.now_ms += 50000;
    assert_int_equal(join("p1"), ERR_OK);
    assert_int_equal(kit_search(&kit), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    assert_int_equal(realm_penalty(kit.realm, STR("p1"), STR("q"))->until_ms, kit.now_ms + 300000);
    kit_fini(&kit);
}

static void sleepers_are_penalized_and_those_who_had_not_answered_a_decline_are_not(void **state) {
    (void)state;
    propose(STRICT);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    kit_expire_at(&kit, kit.now_ms + 20000);
    assert_non_null(realm_penalty(kit.realm, STR("p1"), STR("q")));
    assert_null(realm_penalty(kit.realm, STR("p0"), STR("q")));
    kit_fini(&kit);
    propose(STRICT);
    assert_int_equal(kit_decline(&kit, match, "p0"), ERR_OK);
    assert_null(realm_penalty(kit.realm, STR("p1"), STR("q")));
    kit_fini(&kit);
}

static void penalty_is_of_its_queue_only(void **state) {
    (void)state;
    propose(STRICT);
    kit_put(&kit, "other", STRICT);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    struct outcome out;
    struct kit_player p = {.id = "p1", .skill = 1000};
    assert_int_equal(kit_try_create(&kit, "other q", &p, 1, &out), ERR_FAILED_PRECONDITION);
    assert_int_equal(kit_try_create(&kit, "other", &p, 1, &out), ERR_OK);
    kit_fini(&kit);
}

static void offences_are_forgiven_one_by_one(void **state) {
    (void)state;
    const struct dodge_penalty p = {{10, 20, 40}, 3, 1000};
    struct penalty had = {0};
    struct penalty_sentence s = penalty_after(NULL, &p, 5000);
    assert_int_equal(s.offences, 1);
    assert_int_equal(s.until_ms, 5010);
    assert_int_equal(s.forget_ms, 6000);
    for (int i = 2; i <= 5; i++) {
        had = (struct penalty){.offences = s.offences, .forget_ms = s.forget_ms};
        s = penalty_after(&had, &p, 5000);
        assert_int_equal(s.offences, i);
    }
    assert_int_equal(s.until_ms, 5040); /* the last step holds for all further ones */
    assert_int_equal(s.forget_ms, 10000);
    had = (struct penalty){.offences = s.offences, .forget_ms = s.forget_ms};
    assert_int_equal(penalty_after(&had, &p, 5999).offences, 6);
    assert_int_equal(penalty_after(&had, &p, 6000).offences, 5);
    assert_int_equal(penalty_after(&had, &p, 8500).offences, 3);
    assert_int_equal(penalty_after(&had, &p, 10000).offences, 1);
}

static void forgiven_penalty_is_forgotten(void **state) {
    (void)state;
    propose(STRICT);
    assert_int_equal(kit_decline(&kit, match, "p1"), ERR_OK);
    kit_expire_at(&kit, kit.now_ms + 3599999);
    assert_non_null(realm_penalty(kit.realm, STR("p1"), STR("q")));
    kit_expire_at(&kit, kit.now_ms + 1);
    assert_null(realm_penalty(kit.realm, STR("p1"), STR("q")));
    kit_fini(&kit);
}

/* ---- the journal is the truth ---- */

/* Any player of any proposal, known from the journal, answers. */
static void answer_somehow(void) {
    for (int tries = 0; tries < 20; tries++) {
        const struct record *r = kit.journal[rng_below(&kit.rng, kit.record_count)];
        if (r->kind != RECORD_MATCH_CREATED) continue;
        const struct match_spec *m = &r->match_created;
        const struct match_team *team = &m->teams[rng_below(&kit.rng, m->team_count)];
        char player[LIMIT_NAME_BYTES + 1];
        snprintf(player, sizeof player, "%.*s",
                 STR_PRINT(team->members[rng_below(&kit.rng, team->member_count)].player_id));
        if (rng_below(&kit.rng, 5))
            (void)!kit_accept(&kit, m->id, player);
        else
            (void)!kit_decline(&kit, m->id, player);
        return;
    }
}

static void live(uint32_t steps) {
    static const char *const queues[] = {"asked", "strict", "teams", "plain", "strict asked plain"};
    for (uint32_t i = 0; i < steps; i++) {
        kit.now_ms += (int64_t)rng_below(&kit.rng, 2000);
        uint64_t dice = rng_below(&kit.rng, 100);
        if (dice < 40) {
            struct outcome out;
            char names[2][8];
            struct kit_player players[2] = {0};
            uint32_t queue = (uint32_t)rng_below(&kit.rng, 5);
            uint32_t count = queue == 2 ? 1 + (uint32_t)rng_below(&kit.rng, 2) : 1;
            uint32_t first = (uint32_t)rng_below(&kit.rng, 100);
            for (uint32_t k = 0; k < count; k++) {
                snprintf(names[k], sizeof names[k], "n%u", first + k);
                players[k] = (struct kit_player){.id = names[k], .skill = 100};
            }
            (void)!kit_try_create(&kit, queues[queue], players, count, &out);
        } else if (dice < 75) {
            answer_somehow();
        } else if (dice < 80) {
            const struct record *r = kit.journal[rng_below(&kit.rng, kit.record_count)];
            if (r->kind == RECORD_TICKET_CREATED) (void)!kit_cancel(&kit, r->ticket_created.id);
        } else {
            kit_take_turn(&kit);
        }
    }
}

static void open_random_realm(uint64_t seed) {
    kit_init(&kit, rules, seed);
    kit_put(&kit, "asked", ASKED);
    kit_put(&kit, "strict", STRICT);
    kit_put(&kit, "teams", TEAMS);
    kit_put(&kit, "plain", PLAIN);
}

/* What the state says of itself, object by object. */
static void assert_consistent(const struct realm *r) {
    uint64_t proposed = 0, open = 0, asked = 0;
    size_t cursor = 0;
    for (struct ticket *t; (t = map_next(&r->tickets, &cursor));) {
        bool waits = t->state == TICKET_QUEUED;
        for (uint32_t i = 0; ticket_is_open(t) && i < t->queue_count; i++) {
            assert_true(waits == (t->places[i].entry != NULL));
            assert_non_null(t->places[i].queue);
        }
        assert_true(!waits || heap_started(&t->expiry));
        open += ticket_is_open(t);
        if (t->state != TICKET_PROPOSED) continue;
        proposed++;
        const struct match *m = realm_match(r, ticket_match_id(t));
        assert_non_null(m);
        assert_int_equal(m->spec.state, MATCH_PROPOSED);
    }
    cursor = 0;
    for (struct match *m; (m = map_next(&r->matches, &cursor));) {
        if (m->spec.state == MATCH_PROPOSED) asked += m->spec.ticket_count;
        assert_true(heap_started(&m->due));
        assert_true((m->spec.state == MATCH_CANCELLED) == (m->spec.ended_ms > 0));
    }
    assert_int_equal(proposed, asked);
    assert_int_equal(open, realm_tickets_open(r));
}

static void assert_same(const struct realm *copy, uint64_t seed) {
    assert_consistent(copy);
    assert_int_equal(realm_skipped(copy), 0);
    if (realm_digest(copy) != realm_digest(kit.realm))
        fail_msg("seed %llu: digests differ", (unsigned long long)seed);
    assert_int_equal(copy->tickets.count, kit.realm->tickets.count);
    assert_int_equal(copy->matches.count, kit.realm->matches.count);
    assert_int_equal(copy->penalties.count, kit.realm->penalties.count);
    size_t cursor = 0;
    for (struct penalty *p; (p = map_next(&kit.realm->penalties, &cursor));) {
        const struct penalty *q = realm_penalty(copy, p->player_id, p->queue);
        assert_non_null(q);
        assert_int_equal(p->offences, q->offences);
        assert_int_equal(p->until_ms, q->until_ms);
        assert_int_equal(p->forget_ms, q->forget_ms);
    }
}

/* Each proposal has one end at most, and each ticket. */
static void assert_ended_once(uint64_t seed) {
    for (size_t i = 0; i < kit.record_count; i++) {
        const struct record *r = kit.journal[i];
        if (r->kind != RECORD_MATCH_UPDATED) continue;
        for (size_t k = 0; k < i; k++) {
            if (kit.journal[k]->kind == RECORD_MATCH_UPDATED &&
                id_equal(kit.journal[k]->match_updated.spec.id, r->match_updated.spec.id))
                fail_msg("seed %llu: a proposal ended twice", (unsigned long long)seed);
        }
    }
}

static void random_lives_keep_the_invariants_and_replay(void **state) {
    (void)state;
    uint64_t confirmed = 0, failed = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        open_random_realm(seed);
        for (int i = 0; i < 8; i++) {
            live(80);
            assert_consistent(kit.realm);
        }
        assert_ended_once(seed);
        struct realm *copy = realm_new(3600000), *bulk = realm_new(3600000);
        kit_replay(&kit, copy, 0, kit.record_count);
        assert_same(copy, seed);
        realm_replay_begin(bulk);
        for (size_t i = 0; i < kit.record_count; i++)
            realm_expect(bulk, kit.journal[i]);
        kit_replay(&kit, bulk, 0, kit.record_count);
        realm_replay_end(bulk);
        assert_same(bulk, seed);
        for (const struct queue *q = NULL; (q = realm_next_queue(kit.realm, q));) {
            confirmed += q->stats.matches;
            failed += q->stats.proposals_failed;
        }
        realm_free(copy);
        realm_free(bulk);
        kit_fini(&kit);
    }
    assert_true(confirmed > 100 && failed > 100);
}

static void cut_journals_replay_to_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        open_random_realm(seed);
        size_t cut = kit_live_over_cut(&kit, live);
        struct realm *copy = realm_new(3600000);
        kit_replay(&kit, copy, cut, kit.record_count);
        assert_same(copy, seed);
        realm_free(copy);
        kit_fini(&kit);
    }
}

static void proposal_goes_on_under_a_new_owner(void **state) {
    (void)state;
    propose(ASKED);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    struct realm *copy = realm_new(3600000), *old = kit.realm;
    kit_replay(&kit, copy, 0, kit.record_count);
    kit.realm = copy;
    assert_int_equal(kit_accept(&kit, match, "p1"), ERR_OK);
    assert_int_equal(spec()->state, MATCH_CONFIRMED);
    realm_free(old);
    kit_fini(&kit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_match_is_proposed_and_its_tickets_wait_for_answers),
        cmocka_unit_test(record_that_takes_tickets_which_are_proposed_another_match_is_skipped),
        cmocka_unit_test(match_is_made_when_all_have_accepted),
        cmocka_unit_test(accepting_again_changes_nothing),
        cmocka_unit_test(one_call_may_accept_for_all),
        cmocka_unit_test(decline_cancels_its_ticket_and_returns_the_others_as_old_as_they_were),
        cmocka_unit_test(returned_ticket_is_searched_at_once_whenever_the_tick_comes),
        cmocka_unit_test(who_has_accepted_may_still_decline),
        cmocka_unit_test(made_match_cannot_be_declined),
        cmocka_unit_test(declining_again_is_fine_and_another_decline_comes_too_late),
        cmocka_unit_test(sleepers_are_cancelled_when_the_time_is_over),
        cmocka_unit_test(answer_after_the_time_is_too_late_even_when_nobody_looked_at_the_clock),
        cmocka_unit_test(cancel_of_a_proposed_ticket_declines_for_it),
        cmocka_unit_test(proposed_ticket_does_not_expire_but_at_once_when_it_returns_too_late),
        cmocka_unit_test(ticket_is_innocent_only_when_each_of_its_players_is),
        cmocka_unit_test(strangers_and_unknown_matches_are_refused),
        cmocka_unit_test(match_without_acceptance_is_accepted_in_vain),
        cmocka_unit_test(queue_with_proposed_tickets_is_not_deleted),
        cmocka_unit_test(new_version_of_the_queue_leaves_a_proposal_as_it_is),
        cmocka_unit_test(who_declines_is_barred_for_a_while_and_longer_the_next_time),
        cmocka_unit_test(sleepers_are_penalized_and_those_who_had_not_answered_a_decline_are_not),
        cmocka_unit_test(penalty_is_of_its_queue_only),
        cmocka_unit_test(offences_are_forgiven_one_by_one),
        cmocka_unit_test(forgiven_penalty_is_forgotten),
        cmocka_unit_test(random_lives_keep_the_invariants_and_replay),
        cmocka_unit_test(cut_journals_replay_to_the_same_state),
        cmocka_unit_test(proposal_goes_on_under_a_new_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
