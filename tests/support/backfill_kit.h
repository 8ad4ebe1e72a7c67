/* backfill_kit.h - a running match of the model that looks for players.
 *
 * Include from one C file per program.
 */
#ifndef MUSTER_TESTS_SUPPORT_BACKFILL_KIT_H
#define MUSTER_TESTS_SUPPORT_BACKFILL_KIT_H

#include "support/model_kit.h"

#include "model/pool.h"
#include "model/realm_state.h"

enum {
    LOOSE,
    FULL,
    ASKED,
    AUTO,
    AUTO_ASKED,
    WIDENING,
    FIRST,
    LAST,
    ABROAD,
    MODES,
    HELD,
    PATIENT,
    ROLES,
    ALONE
};

#define PAIRS .teams = 2, .players_min = 1, .players_max = 2, .spread = 100

static const struct role_def roles[] = {
    {.name = {"tank", 4}, .players_min = 1, .players_max = 1},
    {.name = {"healer", 6}, .players_min = 1, .players_max = 1}};

static const struct kit_rules rules[] = {
    [LOOSE] = {PAIRS},
    [FULL] = {.teams = 2, .players_min = 3, .players_max = 3, .spread = 100},
    [ASKED] = {PAIRS, .life.acceptance_ms = 20000},
    [AUTO] = {PAIRS, .life = {.match_ms = 7200000, .backfills = true}},
    [AUTO_ASKED] = {PAIRS,
                    .life = {.acceptance_ms = 20000, .match_ms = 7200000, .backfills = true}},
    [WIDENING] = {PAIRS, .steps = {{10000, 300}}},
    [FIRST] = {PAIRS, .backfill = BACKFILL_HIGH},
    [LAST] = {PAIRS, .backfill = BACKFILL_LOW},
    [ABROAD] = {PAIRS, .latency_ms = 100},
    [MODES] = {PAIRS, .same_mode = true},
    [HELD] = {PAIRS, .life = {.match_ms = 7200000, .holds_players = true}},
    [PATIENT] = {PAIRS, .patience = 1, .deadline_ms = 60000},
    [ROLES] = {.teams = 2, .players_min = 2, .players_max = 2, .roles = roles, .role_count = 2},
    [ALONE] = {PAIRS, .timeout_ms = 60000},
};

static struct kit kit;
static struct id match, backfill;

static inline void open_realm(unsigned rule) {
    kit_init(&kit, rules, 7);
    kit_put(&kit, "q", rule);
}

/* Two parties of `size` are in a match: p0.. in team a, the others in team b, or the reverse. */
static inline void play(unsigned rule, uint32_t size) {
    open_realm(rule);
    kit_party(&kit, "q", 1000, size);
    kit_party(&kit, "q", 1000, size);
    assert_int_equal(kit_search_at(&kit, kit.now_ms + 1), 1);
    match = realm_next_match(kit.realm, NULL)->spec.id;
}

static const struct match_spec *spec(void) {
    return &realm_match(kit.realm, match)->spec;
}

static const struct backfill_spec *looking(void) {
    const struct backfill *b = realm_backfill(kit.realm, backfill);
    assert_non_null(b);
    return &b->spec;
}

static inline enum err look(void) {
    struct outcome out;
    struct command c = {.kind = COMMAND_CREATE_BACKFILL};
    c.create_backfill.match_id = match;
    enum err e = kit_do(&kit, c, &out);
    if (e == ERR_OK) backfill = out.backfill->spec.id;
    return e;
}

/* p0 has left the match, which looks for another. */
static inline void play_and_look(unsigned rule, uint32_t size) {
    play(rule, size);
    assert_int_equal(kit_leave(&kit, match, "p0"), ERR_OK);
    assert_int_equal(look(), ERR_OK);
}

static inline struct id join(const char *name, double skill) {
    kit.now_ms += 1;
    struct kit_player p = {.id = name, .skill = skill};
    return kit_create(&kit, "q", &p, 1);
}

static inline bool is_in(const char *player) {
    return match_member(spec(), str_of(player)) != NULL;
}

static inline bool player_waits(const char *player) {
    const struct ticket *t = realm_player_ticket(kit.realm, str_of(player));
    return t && t->state == TICKET_QUEUED;
}

static const struct record *last_of(enum record_kind kind) {
    for (size_t i = kit.record_count; i > 0; i--)
        if (kit.journal[i - 1]->kind == kind) return kit.journal[i - 1];
    fail_msg("no such record");
    return NULL;
}

static inline enum err stop_looking(void) {
    struct outcome out;
    struct command c = {.kind = COMMAND_CANCEL_BACKFILL};
    c.cancel_backfill.backfill_id = backfill;
    return kit_do(&kit, c, &out);
}

#endif
