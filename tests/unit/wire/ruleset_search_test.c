/* ruleset_search_test.c - random tickets wait in queues of random rulesets, and every match that
 * the search makes of them is judged again by the evaluator: legal, at the age it was made at, in
 * its region, with the roles and the quality it says.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "model/quality.h"
#include "model/realm.h"
#include "support/match_text.h"
#include "support/random_rules.h"

#include <math.h>
#include <stdio.h>

struct world {
    struct realm *realm;
    const struct queue_def *def; /* the queue's own */
    const struct ruleset *rules; /* its */
    struct arena *arena;
    struct rng rng;
    int64_t now_ms;
    unsigned matches, players, created, named;
};

/* ---- a match made is judged again ---- */

struct again {
    struct ticket_spec specs[LIMIT_MATCH_PLAYERS];
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    struct candidate c;
};

static uint32_t team_of(const struct match_spec *m, struct id ticket) {
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            if (id_equal(m->teams[t].members[i].ticket_id, ticket)) return t;
        }
    }
    fail_msg("a ticket of the match is in no team");
    return 0;
}

static void rebuild(const struct world *w, const struct match_spec *m, struct again *out) {
    int64_t age = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket *t = realm_ticket(w->realm, m->ticket_ids[i]);
        assert_non_null(t);
        int64_t own = w->now_ms - t->created_ms;
        bool decides = i == 0 || (ruleset_age_is_newest(w->rules) ? own < age : own > age);
        if (decides) age = own;
        out->specs[i] = *ticket_specs(&t, 1, w->arena);
        out->team_of[i] = team_of(m, m->ticket_ids[i]);
    }
    out->c = (struct candidate){out->specs, out->team_of, m->ticket_count, age};
}

static struct str role_of(const struct match_spec *m, struct str player) {
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            if (str_equal(m->teams[t].members[i].player_id, player))
                return m->teams[t].members[i].role;
        }
    }
    fail_msg("a player of the match is in no team");
    return STR_EMPTY;
}

static void check_roles(const struct world *w, const struct match_spec *m,
                        const struct candidate *c) {
    struct str roles[LIMIT_MATCH_PLAYERS];
    uint32_t n = 0;
    ruleset_assign_roles(w->rules, c, roles, w->arena);
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++)
            assert_true(str_equal(role_of(m, spec->players[i].id), roles[n++]));
    }
}

static void judge_again(void *arg, struct record *r) {
    struct world *w = arg;
    if (r->kind != RECORD_MATCH_CREATED) return;
    const struct match_spec *m = &r->match_created;
    struct again again;
    rebuild(w, m, &again);
    struct verdict v = ruleset_evaluate(w->rules, &again.c, w->arena);
    if (!v.legal) fail_msg("illegal by rule %u: %.*s", v.failed_rule, STR_PRINT(rules_built->json));
    assert_true(str_equal(v.region, m->region));
    check_roles(w, m, &again.c);
    double soft = ruleset_soft_cost(w->rules, &again.c, v.region, w->arena);
    struct quality q = quality_measure(w->rules, &w->def->patience, &again.c, soft);
    assert_true(fabs(q.score - m->quality) < 1e-9);
    w->matches++;
    for (uint32_t t = 0; t < m->team_count; t++)
        w->players += m->teams[t].member_count;
}

/* ---- tickets ---- */

static struct decision decision(struct world *w) {
    return (struct decision){w->now_ms, &w->rng, w->arena, judge_again, w};
}

/* The definition that was built last, once more: the realm takes it. */
static void put_queue(struct world *w) {
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    struct outcome out;
    struct err_text why = {0};
    if (queue_json_parse(rules_built->json, false, &c.put_queue.def, NULL, &why))
        fail_msg("%s", why.text);
    w->def = c.put_queue.def;
    w->rules = w->def->ruleset;
    struct decision d = decision(w);
    assert_int_equal(realm_decide(w->realm, &c, &d, &out, &why), ERR_OK);
}

static void create(struct world *w, const struct ticket_spec *from) {
    static const struct str queue = {"q", 1};
    struct player players[LIMIT_TICKET_PLAYERS];
    for (uint32_t i = 0; i < from->player_count; i++) {
        players[i] = from->players[i];
        players[i].id = arena_printf(w->arena, "p%u", ++w->named);
    }
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){
        .queues = &queue, .players = players, .queue_count = 1, .player_count = from->player_count};
    struct outcome out;
    struct err_text why;
    struct decision d = decision(w);
    w->created += realm_decide(w->realm, &c, &d, &out, &why) == ERR_OK;
}

static void come_and_search(struct world *w) {
    struct strbuf text = {0};
    random_rules_match(&w->rng, &text);
    struct match_text m = match_text_read(w->arena, text.at);
    for (uint32_t i = 0; i < m.ticket_count; i++)
        create(w, &m.specs[i]);
    strbuf_fini(&text);
    w->now_ms += (int64_t)rng_below(&w->rng, 3000);
    struct decision d = decision(w);
    while (realm_search(w->realm, &d, 1000)) {
    }
}

static void every_match_of_random_rules_is_legal_as_it_says(void **state) {
    (void)state;
    const uint64_t seed = 20261130;
    struct strbuf text = {0};
    unsigned matches = 0, created = 0;
    struct world w = {.now_ms = 1000000};
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&w.rng, seed);
    for (int round = 0; round < 150; round++) {
        random_rules_write(&w.rng, &text);
        (void)rules(text.at);
        w.realm = realm_new(3600000);
        w.arena = arena_new(0);
        put_queue(&w);
        for (int k = 0; k < 12; k++)
            come_and_search(&w);
        matches += w.matches;
        created += w.created;
        w.matches = w.created = w.named = 0;
        realm_free(w.realm);
        arena_free(w.arena);
    }
    print_message("%u matches of %u tickets\n", matches, created);
    assert_true(matches > 200); /* they were really made */
    strbuf_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_match_of_random_rules_is_legal_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
