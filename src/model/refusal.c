/* refusal.c - judges the nearest tickets beside the searched one until one is refused. */
#include "model/refusal.h"

#include "base/mem.h"
#include "model/explain.h"
#include "model/gather.h"

#include <math.h>

struct refusal {
    struct gathered near;
    struct rule_report reports[QUEUE_RULES];
    struct arena *scratch;
};

struct refusal *refusal_new(void) {
    struct refusal *f = mem_alloc(sizeof *f);
    f->scratch = arena_new(0);
    return f;
}

void refusal_free(struct refusal *f) {
    if (!f) return;
    arena_free(f->scratch);
    mem_free(f);
}

/* The first rule that two tickets fail together; RULESET_NONE: they may be in one match. */
static uint32_t keeping_apart(struct refusal *f, const struct ruleset *r,
                              const struct ticket *const pair[2], int64_t now_ms) {
    const struct ticket_spec *specs = ticket_specs(pair, 2, f->scratch);
    int64_t created_ms[2] = {pair[0]->created_ms, pair[1]->created_ms};
    struct candidate c = {
        .specs = specs, .ticket_count = 2, .age_ms = explain_age_ms(r, created_ms, 2, now_ms)};
    uint32_t team_of[2] = {0, ruleset_limits_at(r, c.age_ms)->team_count - 1};
    c.team_of = team_of;
    bool solo = specs[0].player_count == 1 && specs[1].player_count == 1;
    ruleset_explain_part(r, &c, solo ? RULE_OF_SOLO_PAIRS : RULE_OF_PAIRS, f->reports, f->scratch);
    arena_reset(f->scratch);
    for (uint32_t i = 0; i < ruleset_rule_count(r); i++)
        if (f->reports[i].outcome == RULE_FAILS && !f->reports[i].governed) return i;
    return RULESET_NONE;
}

static uint32_t named(const struct ruleset *r, struct str name) {
    uint32_t i = 0;
    while (i < ruleset_rule_count(r) && !str_equal(ruleset_rule_name(r, i), name))
        i++;
    return i < ruleset_rule_count(r) ? i : REFUSAL_TOO_FEW;
}

/* Whether those on its side of the queue can fill no match's roles, however many they are. */
static bool lacks_roles(const struct pool *pool, const struct pool_entry *x) {
    return x->part->crowd && !casting_crowd_suffices(x->part->crowd, pool->casting);
}

static uint32_t dividing(const struct ruleset *r) {
    uint32_t i = 0;
    while (i < ruleset_rule_count(r) && !ruleset_rule_divides(r, i))
        i++;
    return i < ruleset_rule_count(r) ? i : REFUSAL_TOO_FEW;
}

static uint32_t find_among_near(struct refusal *f, const struct pool *pool,
                                const struct pool_entry *x, int64_t now_ms) {
    struct gather_query q = gather_query_of(pool, x, INT32_MAX);
    q.spread = INFINITY;
    q.players_max = LIMIT_MATCH_PLAYERS;
    q.want = REFUSAL_NEAR;
    q.visits = REFUSAL_NEAR + 1;
    gather_run(&f->near, &q);
    for (uint32_t i = 0; i < f->near.count && i < REFUSAL_NEAR; i++) {
        const struct ticket *pair[2] = {x->ticket, f->near.options[i].slot->entry->ticket};
        uint32_t rule = keeping_apart(f, pool->ruleset, pair, now_ms);
        if (rule != RULESET_NONE) return rule;
    }
    return REFUSAL_TOO_FEW;
}

uint32_t refusal_find(struct refusal *f, const struct pool *pool, const struct pool_entry *x,
                      int64_t now_ms, const struct pick_result *result) {
    if (result->due_ms != INT64_MAX) return REFUSAL_PATIENCE;
    if (result->refused_by != RULESET_NONE) return result->refused_by;
    if (x->part->count == 1 && pool_count(pool) > 1) return dividing(pool->ruleset);
    uint32_t by = find_among_near(f, pool, x, now_ms);
    return by == REFUSAL_TOO_FEW && lacks_roles(pool, x) ? named(pool->ruleset, STR("muster.roles"))
                                                         : by;
}
