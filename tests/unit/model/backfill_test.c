/* backfill_test.c - running matches that look for players: who asks, and how it ends. */
#include "support/backfill_kit.h"

static void backfill_expires(void **state) {
    (void)state;
    play_and_look(ALONE, 2);
    assert_int_equal(kit_expire_at(&kit, looking()->expires_ms - 1), 0);
    assert_int_equal(kit_expire_at(&kit, looking()->expires_ms), 1);
    assert_int_equal(looking()->state, BACKFILL_EXPIRED);
    assert_true(str_equal(looking()->reason, STR("no players were found in time")));
    assert_int_equal(spec()->state, MATCH_CONFIRMED);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("eve"));
    kit_fini(&kit);
}

/* ---- one per match ---- */

static void newer_backfill_takes_the_place_of_the_older(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct id older = backfill;
    assert_int_equal(look(), ERR_OK);
    assert_false(id_equal(older, backfill));
    assert_int_equal(realm_backfill(kit.realm, older)->spec.state, BACKFILL_CANCELLED);
    assert_true(
        str_equal(realm_backfill(kit.realm, older)->spec.reason, STR("replaced by a newer one")));
    assert_int_equal(realm_backfills_active(kit.realm), 1);
    assert_true(id_equal(realm_backfill_of(kit.realm, match)->spec.id, backfill));
    kit_fini(&kit);
}

static void same_request_makes_one_backfill(void **state) {
    (void)state;
    play(LOOSE, 2);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    struct outcome out;
    struct command c = {.kind = COMMAND_CREATE_BACKFILL};
    c.create_backfill.match_id = match;
    c.create_backfill.request_key = (struct id){4, 2};
    c.create_backfill.request_hash = 9;
    assert_int_equal(kit_do(&kit, c, &out), ERR_OK);
    struct id first = out.backfill->spec.id;
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1); /* it is over */
    assert_int_equal(kit_do(&kit, c, &out), ERR_OK);
    assert_true(id_equal(out.backfill->spec.id, first));
    assert_false(out.changed);
    c.create_backfill.request_hash = 8;
    assert_int_equal(kit_do(&kit, c, &out), ERR_INVALID_ARGUMENT);
    kit_fini(&kit);
}

static void only_a_running_match_with_open_places_is_backfilled(void **state) {
    (void)state;
    play(LOOSE, 2);
    assert_int_equal(look(), ERR_FAILED_PRECONDITION);
    assert_string_equal(kit.why.text, "no place in the match is open");
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    assert_int_equal(look(), ERR_FAILED_PRECONDITION);
    match = (struct id){1, 1};
    assert_int_equal(look(), ERR_NOT_FOUND);
    kit_fini(&kit);
}

/* ---- ends ---- */

static void cancelled_backfill_takes_nobody(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    assert_int_equal(stop_looking(), ERR_OK);
    assert_int_equal(stop_looking(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("eve"));
    kit_fini(&kit);
    play_and_look(LOOSE, 2);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(stop_looking(), ERR_FAILED_PRECONDITION); /* it is filled */
    backfill = (struct id){1, 1};
    assert_int_equal(stop_looking(), ERR_NOT_FOUND);
    kit_fini(&kit);
}

static void backfill_ends_with_its_match(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        play_and_look(LOOSE, 2);
        if (how == 0) assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
        if (how == 1) assert_int_equal(kit_cancel_match(&kit, match, false), ERR_OK);
        if (how == 2) assert_int_equal(kit_leave(&kit, match, "p1 p2 p3"), ERR_OK);
        assert_int_equal(looking()->state, BACKFILL_CANCELLED);
        assert_int_equal(realm_backfills_active(kit.realm), 0);
        join("eve", 1000);
        kit_search_at(&kit, kit.now_ms + 1);
        assert_true(player_waits("eve"));
        kit_fini(&kit);
    }
}

static void match_is_kept_while_it_looks(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct realm *r = kit.realm;
    realm_forget(r, kit.now_ms + 3600000 + 1, 100);
    assert_non_null(realm_match(r, match));
    assert_int_equal(stop_looking(), ERR_OK);
    realm_forget(r, kit.now_ms + 4 * 3600000, 100);
    assert_null(realm_match(r, match));
    assert_null(realm_backfill(r, backfill));
    kit_fini(&kit);
}

/* ---- by itself ---- */

static void queue_with_automatic_backfill_looks_when_a_player_leaves(void **state) {
    (void)state;
    play(AUTO, 2);
    assert_null(realm_backfill_of(kit.realm, match));
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    const struct backfill *b = realm_backfill_of(kit.realm, match);
    assert_non_null(b);
    assert_true(b->spec.automatic);
    assert_int_equal(b->spec.expires_ms, 0);
    backfill = b->spec.id;
    assert_int_equal(kit_leave(&kit, match, "p2"), ERR_OK); /* the same one goes on */
    assert_int_equal(looking()->party_count, 2);
    assert_int_equal(kit_leave(&kit, match, "p1"), ERR_OK);
    assert_int_equal(looking()->party_count, 1);
    join("eve", 1000);
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_true(is_in("eva"));
    kit_fini(&kit);
}

static void
queue_with_automatic_backfill_looks_when_a_match_is_made_with_places_open(void **state) {
    (void)state;
    play(AUTO, 1);
    const struct backfill *b = realm_backfill_of(kit.realm, match);
    assert_non_null(b);
    assert_true(b->spec.automatic);
    assert_int_equal(b->spec.state, BACKFILL_OPEN);
    assert_int_equal(b->spec.party_count, 2);
    backfill = b->spec.id;
    assert_int_equal(kit.journal[kit.record_count - 2]->kind, RECORD_MATCH_CREATED);
    assert_int_equal(kit.journal[kit.record_count - 1]->kind, RECORD_BACKFILL_PUT);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eva"));
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    kit_fini(&kit);
}

static void match_looks_by_itself_once_it_is_accepted(void **state) {
    (void)state;
    play(AUTO_ASKED, 1);
    assert_int_equal(kit_accept(&kit, match, "p0"), ERR_OK);
    assert_null(realm_backfill_of(kit.realm, match));
    assert_int_equal(kit_accept(&kit, match, "p1"), ERR_OK);
    const struct backfill *b = realm_backfill_of(kit.realm, match);
    assert_non_null(b);
    backfill = b->spec.id;
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(looking()->state, BACKFILL_PROPOSED);
    assert_int_equal(kit_accept(&kit, looking()->proposal_id, "eve"), ERR_OK);
    assert_true(is_in("eve"));
    assert_int_equal(looking()->state, BACKFILL_OPEN); /* one place is left */
    kit_fini(&kit);
}

static void cancelled_automatic_backfill_begins_again_when_a_player_leaves(void **state) {
    (void)state;
    play(AUTO, 1);
    backfill = realm_backfill_of(kit.realm, match)->spec.id;
    assert_int_equal(stop_looking(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("eve"));
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_non_null(realm_backfill_of(kit.realm, match));
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    kit_fini(&kit);
}

static void full_match_is_no_missed_backfill(void **state) {
    (void)state;
    play(AUTO, 2);
    assert_int_equal(realm_counted(kit.realm).backfills_missed, 0);
    assert_int_equal(realm_backfills_active(kit.realm), 0);
    kit_fini(&kit);
}

static void queue_without_it_does_not(void **state) {
    (void)state;
    play(LOOSE, 1);
    assert_int_equal(realm_backfills_active(kit.realm), 0);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(realm_backfills_active(kit.realm), 0);
    kit_fini(&kit);
}

static void automatic_backfill_knows_its_players_as_long_as_the_match_lives(void **state) {
    (void)state;
    play(AUTO, 2);
    realm_forget(kit.realm, kit.now_ms + 3600001, 100);
    kit.now_ms += 3700000;
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_non_null(realm_backfill_of(kit.realm, match));
    struct id ticket = spec()->ticket_ids[0];
    assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
    realm_forget(kit.realm, kit.now_ms + 3700000, 100);
    assert_null(realm_ticket(kit.realm, ticket));
    kit_fini(&kit);
}

/* ---- acceptance ---- */

/* A match of p0 and p1 against p2 and p3, which p0 has left, asks eve. */
static struct id ask(void) {
    open_realm(ASKED);
    kit_party(&kit, "q", 1000, 2);
    kit_party(&kit, "q", 1000, 2);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
    assert_int_equal(kit_accept(&kit, match, "p0 p1 p2 p3"), ERR_OK);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    kit.now_ms += 100;
    assert_int_equal(look(), ERR_OK);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(looking()->state, BACKFILL_PROPOSED);
    return looking()->proposal_id;
}

static void only_newcomers_are_asked_and_join_when_they_accept(void **state) {
    (void)state;
    struct id proposal = ask();
    const struct match_spec *p = &realm_match(kit.realm, proposal)->spec;
    assert_int_equal(p->state, MATCH_PROPOSED);
    assert_int_equal(match_player_count(p), 1);
    assert_true(id_equal(p->joins_id, match));
    assert_false(is_in("eve"));
    assert_int_equal(kit_accept(&kit, proposal, "eve"), ERR_OK);
    assert_true(is_in("eve"));
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    assert_int_equal(realm_match(kit.realm, proposal)->spec.state, MATCH_MERGED);
    assert_int_equal(kit_accept(&kit, proposal, "eve"), ERR_OK);
    assert_int_equal(match_member(spec(), STR("eve"))->answer, ANSWER_ACCEPTED);
    kit_fini(&kit);
}

static void backfill_that_was_declined_is_open_again_as_old_as_it_was(void **state) {
    (void)state;
    struct id proposal = ask();
    int64_t created_ms = looking()->created_ms;
    assert_int_equal(kit_decline(&kit, proposal, "eve"), ERR_OK);
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    assert_int_equal(looking()->created_ms, created_ms);
    join("eva", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_int_equal(looking()->state, BACKFILL_PROPOSED);
    kit_expire_at(&kit, kit.now_ms + 20000); /* and she says nothing */
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    assert_int_equal(realm_tickets_open(kit.realm), 0);
    kit_fini(&kit);
}

static void newcomers_wait_on_when_who_is_in_the_match_changes(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct id proposal = ask();
        if (how == 0) assert_int_equal(kit_leave(&kit, match, "p1"), ERR_OK);
        if (how == 1) assert_int_equal(kit_complete(&kit, match, "a"), ERR_OK);
        if (how == 2) assert_int_equal(stop_looking(), ERR_OK);
        assert_true(player_waits("eve"));
        assert_int_equal(realm_match(kit.realm, proposal)->spec.state, MATCH_CANCELLED);
        assert_int_equal(kit_accept(&kit, proposal, "eve"), ERR_FAILED_PRECONDITION);
        assert_int_equal(looking()->state, how == 0 ? BACKFILL_OPEN : BACKFILL_CANCELLED);
        kit_fini(&kit);
    }
}

/* ---- by the game's word ---- */

static const struct backfill_party *party(const char *team, const char *names) {
    struct backfill_party *p = arena_alloc(kit.arena, sizeof *p);
    struct player *players = arena_alloc(kit.arena, 8 * sizeof *players);
    *p = (struct backfill_party){.team = str_of(team), .players = players};
    for (const char *at = names; *at;) {
        size_t size = strcspn(at, " ");
        struct str id = {at, size};
        struct attribute *skill = arena_alloc(kit.arena, sizeof *skill);
        *skill = (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = 1000};
        players[p->player_count++] =
            (struct player){.id = id, .attributes = skill, .attribute_count = 1};
        at += size + (at[size] == ' ');
    }
    return p;
}

static enum err take_in(struct id id, const char *team, const char *names) {
    struct outcome out;
    struct command c = {.kind = COMMAND_CREATE_BACKFILL};
    c.create_backfill.match_id = id;
    c.create_backfill.queue = STR("q");
    c.create_backfill.connection = STR("here");
    c.create_backfill.parties = party(team, names);
    c.create_backfill.party_count = 1;
    enum err e = kit_do(&kit, c, &out);
    if (e != ERR_OK) return e;
    match = out.match->spec.id;
    backfill = out.backfill->spec.id;
    return e;
}

static void match_of_the_games_own_is_taken_in(void **state) {
    (void)state;
    open_realm(LOOSE);
    assert_int_equal(take_in((struct id){1, 2}, "a", "x y"), ERR_OK);
    assert_true(id_equal(match, (struct id){1, 2}));
    assert_int_equal(spec()->state, MATCH_ASSIGNED);
    assert_int_equal(match_player_count(spec()), 2);
    join("eve", 1000);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("eve"));
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.matches, 0);
    assert_int_equal(realm_queue(kit.realm, STR("q"))->stats.players_backfilled, 1);
    assert_int_equal(take_in((struct id){0, 0}, "nobody", "z"), ERR_INVALID_ARGUMENT);
    assert_string_equal(kit.why.field, "parties[0]");
    assert_int_equal(take_in((struct id){0, 0}, "a", "z z"), ERR_INVALID_ARGUMENT);
    kit_fini(&kit);
}

static void match_of_the_games_own_takes_nobody_who_is_held_elsewhere(void **state) {
    (void)state;
    play(HELD, 2);
    join("eve", 1000);
    assert_int_equal(take_in((struct id){0, 0}, "a", "p0"), ERR_ALREADY_EXISTS);
    assert_int_equal(take_in((struct id){0, 0}, "a", "eve"), ERR_ALREADY_EXISTS);
    assert_int_equal(take_in((struct id){0, 0}, "a", "zoe"), ERR_OK);
    struct outcome out;
    struct kit_player p = {.id = "zoe"};
    assert_int_equal(kit_try_create(&kit, "q", &p, 1, &out), ERR_ALREADY_EXISTS);
    kit_fini(&kit);
}

static enum err update(const char *a, const char *b) {
    struct outcome out;
    struct backfill_party parties[] = {*party("a", a), *party("b", b)};
    struct command c = {.kind = COMMAND_UPDATE_BACKFILL};
    c.update_backfill.backfill_id = backfill;
    c.update_backfill.parties = parties;
    c.update_backfill.party_count = 2;
    return kit_do(&kit, c, &out);
}

static void update_says_who_is_in_the_match(void **state) {
    (void)state;
    open_realm(LOOSE);
    assert_int_equal(take_in((struct id){0, 0}, "a", "x y"), ERR_OK);
    assert_int_equal(update("x z", "w"), ERR_OK);
    const struct record *r = last_of(RECORD_ROSTER_CHANGED);
    assert_int_equal(r->roster_changed.left_count, 1);
    assert_true(str_equal(r->roster_changed.left[0], STR("y")));
    assert_int_equal(r->roster_changed.joined_count, 2);
    assert_true(match_has_left(spec(), STR("y")));
    assert_int_equal(looking()->state, BACKFILL_OPEN);
    size_t records = kit.record_count;
    assert_int_equal(update("x z", "w"), ERR_OK); /* again */
    assert_int_equal(kit.journal[records]->kind, RECORD_BACKFILL_PUT);
    assert_int_equal(update("x z", "w v"), ERR_OK); /* full */
    assert_int_equal(looking()->state, BACKFILL_FILLED);
    assert_int_equal(update("x", "w"), ERR_FAILED_PRECONDITION);
    kit_fini(&kit);
}

static void game_is_asked_for_what_is_not_kept(void **state) {
    (void)state;
    play(LOOSE, 2);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    for (uint32_t i = 0; i < spec()->ticket_count; i++)
        realm_forget_ticket(kit.realm, realm_find_ticket(kit.realm, spec()->ticket_ids[i]));
    assert_int_equal(look(), ERR_FAILED_PRECONDITION);
    assert_string_equal(kit.why.field, "parties");
    kit_fini(&kit);
}

/* ---- rules change ---- */

static enum err put(unsigned rule, bool cancel_unfit) {
    struct outcome out;
    char json[16];
    snprintf(json, sizeof json, "%u", rule);
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    c.put_queue.def = kit_def("q", json, &rules[rule]);
    c.put_queue.cancel_unfit = cancel_unfit;
    struct decision d = kit_decision(&kit);
    enum err e = realm_decide(kit.realm, &c, &d, &out, &kit.why);
    queue_def_free(c.put_queue.def);
    return e;
}

static void new_rules_are_asked_at_once_for_open_backfills(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    join("far", 1250);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(player_waits("far"));
    kit.now_ms += 11000; /* the match looks longer than the new rules' step */
    assert_int_equal(put(WIDENING, false), ERR_OK);
    kit_search_at(&kit, kit.now_ms + 1);
    assert_true(is_in("far"));
    kit_fini(&kit);
}

static void new_rules_that_do_not_fit_are_refused_or_cancel_it(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    assert_int_equal(put(ABROAD, false), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(kit.why.text, "open backfill"));
    assert_int_equal(put(ABROAD, true), ERR_OK);
    assert_int_equal(looking()->state, BACKFILL_CANCELLED);
    kit_fini(&kit);
}

static void queue_is_not_deleted_under_a_backfill_unless_told_to(void **state) {
    (void)state;
    play_and_look(LOOSE, 2);
    struct outcome out;
    struct command c = {.kind = COMMAND_DELETE_QUEUE};
    c.delete_queue.name = STR("q");
    assert_int_equal(kit_do(&kit, c, &out), ERR_FAILED_PRECONDITION);
    c.delete_queue.cancel_tickets = true;
    assert_int_equal(kit_do(&kit, c, &out), ERR_OK);
    assert_int_equal(looking()->state, BACKFILL_CANCELLED);
    assert_true(str_equal(looking()->reason, STR("its queue was deleted")));
    kit_fini(&kit);
}

/* ---- the journal is the truth ---- */

static struct id any_match(void) {
    for (int i = 0; i < 50; i++) {
        const struct record *r = kit.journal[rng_below(&kit.rng, kit.record_count)];
        if (r->kind == RECORD_MATCH_CREATED) return r->match_created.id;
        if (r->kind == RECORD_ROSTER_CHANGED) return r->roster_changed.spec.id;
    }
    return (struct id){1, 1};
}

/* Somebody who is in it now. */
static const char *any_member(struct id id) {
    static char name[LIMIT_NAME_BYTES + 1];
    const struct match *m = realm_match(kit.realm, id);
    if (!m || match_player_count(&m->spec) == 0) return "nobody";
    uint64_t n = rng_below(&kit.rng, match_player_count(&m->spec));
    for (uint32_t t = 0; t < m->spec.team_count; t++) {
        for (uint32_t i = 0; i < m->spec.teams[t].member_count; i++)
            if (n-- == 0)
                snprintf(name, sizeof name, "%.*s",
                         STR_PRINT(m->spec.teams[t].members[i].player_id));
    }
    return name;
}

static void change_a_backfill(void) {
    struct outcome out;
    struct command c = {.kind = COMMAND_CREATE_BACKFILL};
    match = any_match();
    const struct backfill *b = realm_backfill_of(kit.realm, match);
    uint64_t what = rng_below(&kit.rng, 5);
    c.create_backfill.match_id = match;
    if (what < 2 || !b) {
        (void)!kit_do(&kit, c, &out);
        return;
    }
    backfill = b->spec.id;
    if (what == 2) (void)!stop_looking();
    if (what == 3) (void)!update(any_member(match), "w v");
    if (what == 4) {
        char name[16];
        snprintf(name, sizeof name, "g%u", (unsigned)rng_below(&kit.rng, 20));
        (void)!take_in((struct id){0, 0}, "a", arena_printf(kit.arena, "%s", name).at);
    }
}

static void live(uint32_t steps) {
    static const char *const queues[] = {"loose", "auto", "asked", "held", "full"};
    for (uint32_t i = 0; i < steps; i++) {
        kit.now_ms += (int64_t)rng_below(&kit.rng, 700);
        uint64_t dice = rng_below(&kit.rng, 100);
        if (dice < 45) {
            struct outcome out;
            char name[16];
            snprintf(name, sizeof name, "n%u", (unsigned)rng_below(&kit.rng, 80));
            struct kit_player p = {.id = name, .skill = (double)rng_below(&kit.rng, 120)};
            (void)!kit_try_create(&kit, queues[rng_below(&kit.rng, 5)], &p, 1, &out);
        } else if (dice < 60) {
            struct id id = any_match();
            const char *member = any_member(id);
            uint64_t what = rng_below(&kit.rng, 10);
            if (what < 4) (void)!kit_leave(&kit, id, member);
            if (what >= 4 && what < 8) (void)!kit_accept(&kit, id, member);
            if (what == 8) (void)!kit_decline(&kit, id, member);
            if (what == 9) (void)!kit_complete(&kit, id, "a");
        } else if (dice < 70) {
            change_a_backfill();
        } else {
            kit_take_turn(&kit);
        }
    }
}

static void open_random_realm(uint64_t seed) {
    kit_init(&kit, rules, seed);
    kit_put(&kit, "loose", LOOSE);
    kit_put(&kit, "auto", AUTO);
    kit_put(&kit, "asked", ASKED);
    kit_put(&kit, "held", HELD);
    kit_put(&kit, "full", FULL);
    kit_put(&kit, "q", LOOSE);
}

static uint32_t most_in_a_team(struct str queue) {
    return str_equal(queue, STR("full")) ? 3 : 2;
}

/* No match beyond its places, no player twice in one, one active backfill of each at most, which
 * knows exactly those who are in it. */
static void assert_sound(const struct realm *r) {
    size_t cursor = 0;
    for (struct match *m; (m = map_next(&r->matches, &cursor));) {
        const struct match_spec *s = &m->spec;
        for (uint32_t t = 0; t < s->team_count; t++) {
            assert_true(s->teams[t].member_count <= most_in_a_team(s->queue));
            for (uint32_t i = 0; i < s->teams[t].member_count; i++)
                assert_ptr_equal(match_member(s, s->teams[t].members[i].player_id),
                                 &s->teams[t].members[i]);
        }
    }
    cursor = 0;
    for (struct backfill *b; (b = map_next(&r->backfills, &cursor));) {
        if (!backfill_is_active(&b->spec)) continue;
        assert_ptr_equal(realm_backfill_of(r, b->spec.match_id), b);
        const struct match *m = realm_match(r, b->spec.match_id);
        assert_non_null(m);
        assert_true(match_is_live(&m->spec));
        assert_int_equal(match_player_count(&m->spec), b->player_count);
        for (uint32_t i = 0; i < b->spec.party_count; i++)
            assert_non_null(match_member(&m->spec, b->spec.parties[i].players[0].id));
    }
}

static void assert_replays(size_t from, uint64_t seed) {
    struct realm *copy = realm_new(3600000);
    kit_replay(&kit, copy, from, kit.record_count);
    assert_sound(copy);
    if (from == 0) assert_int_equal(realm_skipped(copy), 0);
    if (realm_digest(copy) != realm_digest(kit.realm))
        fail_msg("seed %llu: digests differ", (unsigned long long)seed);
    assert_int_equal(copy->backfills.count, kit.realm->backfills.count);
    realm_free(copy);
    copy = realm_new(3600000);
    realm_replay_begin(copy);
    kit_replay(&kit, copy, from, kit.record_count);
    realm_replay_end(copy);
    assert_true(realm_digest(copy) == realm_digest(kit.realm));
    realm_free(copy);
}

static void random_lives_never_overfill_and_replay(void **state) {
    (void)state;
    uint64_t filled = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        open_random_realm(seed);
        for (int i = 0; i < 6; i++) {
            live(80);
            assert_sound(kit.realm);
        }
        for (const struct queue *q = NULL; (q = realm_next_queue(kit.realm, q));)
            filled += q->stats.players_backfilled;
        assert_replays(0, seed);
        kit_fini(&kit);
    }
    assert_true(filled > 300); /* it is about something */
}

static void cut_journals_replay_to_the_same_backfills(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        open_random_realm(seed);
        size_t cut = kit_live_over_cut(&kit, live);
        assert_replays(cut, seed);
        kit_fini(&kit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backfill_expires),
        cmocka_unit_test(newer_backfill_takes_the_place_of_the_older),
        cmocka_unit_test(same_request_makes_one_backfill),
        cmocka_unit_test(only_a_running_match_with_open_places_is_backfilled),
        cmocka_unit_test(cancelled_backfill_takes_nobody),
        cmocka_unit_test(backfill_ends_with_its_match),
        cmocka_unit_test(match_is_kept_while_it_looks),
        cmocka_unit_test(queue_with_automatic_backfill_looks_when_a_player_leaves),
        cmocka_unit_test(queue_with_automatic_backfill_looks_when_a_match_is_made_with_places_open),
        cmocka_unit_test(match_looks_by_itself_once_it_is_accepted),
        cmocka_unit_test(cancelled_automatic_backfill_begins_again_when_a_player_leaves),
        cmocka_unit_test(full_match_is_no_missed_backfill),
        cmocka_unit_test(queue_without_it_does_not),
        cmocka_unit_test(automatic_backfill_knows_its_players_as_long_as_the_match_lives),
        cmocka_unit_test(only_newcomers_are_asked_and_join_when_they_accept),
        cmocka_unit_test(backfill_that_was_declined_is_open_again_as_old_as_it_was),
        cmocka_unit_test(newcomers_wait_on_when_who_is_in_the_match_changes),
        cmocka_unit_test(match_of_the_games_own_is_taken_in),
        cmocka_unit_test(match_of_the_games_own_takes_nobody_who_is_held_elsewhere),
        cmocka_unit_test(update_says_who_is_in_the_match),
        cmocka_unit_test(game_is_asked_for_what_is_not_kept),
        cmocka_unit_test(new_rules_are_asked_at_once_for_open_backfills),
        cmocka_unit_test(new_rules_that_do_not_fit_are_refused_or_cancel_it),
        cmocka_unit_test(queue_is_not_deleted_under_a_backfill_unless_told_to),
        cmocka_unit_test(random_lives_never_overfill_and_replay),
        cmocka_unit_test(cut_journals_replay_to_the_same_backfills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
