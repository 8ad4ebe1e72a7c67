/* why.c - judges the near candidates pair by pair, then the group they make. */
#include "model/why.h"

#include "base/limits.h"
#include "model/explain.h"
#include "model/gather.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct asking { /* one explanation under way */
    const struct ruleset *r;
    const struct pool *pool;
    const struct pool_entry *x;
    const struct ticket *t;
    struct ticket_spec spec; /* its */
    int64_t now_ms;
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of one judgement: reset after it */
    struct why *out;
    struct rule_report *reports; /* of the last judgement */
    const struct ticket **fitting;
};

/* ---- judging ---- */

static uint32_t last_team(const struct asking *a, int64_t age_ms) {
    return ruleset_limits_at(a->r, age_ms)->team_count - 1;
}

/* Every rule on these tickets, the first in the first team and the others in the last: where they
 * stand means nothing to pairwise rules. */
static void judge_at(struct asking *a, const struct ticket *const *tickets, uint32_t count,
                     int64_t age_ms, enum rule_scope least) {
    uint32_t team_of[LIMIT_MATCH_PLAYERS] = {0};
    for (uint32_t i = 1; i < count; i++)
        team_of[i] = last_team(a, age_ms);
    struct candidate c = {ticket_specs(tickets, count, a->scratch), team_of, count, age_ms};
    ruleset_explain_part(a->r, &c, least, a->reports, a->scratch);
    arena_reset(a->scratch);
}

static int64_t age_of(const struct asking *a, const struct ticket *const *tickets, uint32_t count) {
    int64_t created_ms[LIMIT_MATCH_PLAYERS];
    for (uint32_t i = 0; i < count; i++)
        created_ms[i] = tickets[i]->created_ms;
    return explain_age_ms(a->r, created_ms, count, a->now_ms);
}

/* Whether what failed the rule in the last judgement, in which a rule of `least` scope means
 * something, fails it in any match. */
static bool fails(const struct asking *a, uint32_t rule, enum rule_scope least) {
    return a->out->rules[rule].scope >= least && !a->out->rules[rule].governed &&
           a->reports[rule].outcome == RULE_FAILS;
}

/* How many rules did; the first of them in `*first`. */
static uint32_t failing(const struct asking *a, enum rule_scope least, uint32_t *first) {
    uint32_t count = 0;
    for (uint32_t i = a->out->rule_count; i-- > 0;) {
        if (!fails(a, i, least)) continue;
        *first = i;
        count++;
    }
    return count;
}

/* ---- rules ---- */

static void read_rules(struct asking *a) {
    struct why *w = a->out;
    w->rule_count = ruleset_rule_count(a->r);
    w->rules = arena_alloc(a->arena, (w->rule_count + 1) * sizeof *w->rules);
    a->reports = arena_alloc(a->arena, (w->rule_count + 1) * sizeof *a->reports);
    judge_at(a, &a->t, 1, w->age_ms, RULE_OF_PAIRS);
    for (uint32_t i = 0; i < w->rule_count; i++) {
        struct why_rule *rule = &w->rules[i];
        const struct rule_report *report = &a->reports[i];
        rule->name = report->name;
        rule->type = report->type;
        rule->attribute = ruleset_rule_attribute(a->r, i);
        rule->governed = report->governed;
        rule->orders = report->outcome == RULE_ORDERS;
        rule->scope = ruleset_rule_scope(a->r, i);
        rule->own_failure = fails(a, i, RULE_OF_PAIRS);
        rule->has_measured = rule->own_failure && report->has_numbers;
        rule->measured = report->measured;
        rule->bound = report->bound;
        rule->numbers = arena_alloc(a->arena, RULESET_NUMBERS_MAX * sizeof *rule->numbers);
        rule->number_count = ruleset_numbers(a->r, i, w->age_ms, rule->numbers);
        if (ruleset_rule_divides(a->r, i)) rule->elsewhere = w->tickets_elsewhere;
    }
}

/* ---- candidates ---- */

/* In parts of the bound; what cannot be measured is beyond everything. */
static double lack_of(const struct rule_report *report) {
    if (!report->has_numbers || !isfinite(report->measured)) return INFINITY;
    return fabs(report->measured - report->bound) / fmax(fabs(report->bound), 1);
}

static void note_miss(struct asking *a, const struct ticket *c, uint32_t count, uint32_t rule) {
    struct why_miss *miss = &a->out->miss;
    const struct rule_report *report = &a->reports[rule];
    struct rule_report before = {
        .has_numbers = miss->has_numbers, .measured = miss->measured, .bound = miss->bound};
    bool nearer = !miss->ticket || count < miss->failing ||
                  (count == miss->failing && lack_of(report) < lack_of(&before));
    if (!nearer) return;
    struct ticket_spec spec = ticket_spec(c, a->scratch);
    double distance = ruleset_key(a->r, &spec) - ruleset_key(a->r, &a->spec);
    arena_reset(a->scratch);
    *miss = (struct why_miss){.ticket = c,
                              .rule = rule,
                              .failing = count,
                              .distance = fabs(distance),
                              .has_numbers = report->has_numbers && isfinite(report->measured),
                              .measured = report->measured,
                              .bound = report->bound,
                              .admitted_in_ms = INT64_MAX};
}

static enum rule_scope scope_of(const struct ticket *const pair[2]) {
    bool solo = pair[0]->player_count == 1 && pair[1]->player_count == 1;
    return solo ? RULE_OF_SOLO_PAIRS : RULE_OF_PAIRS;
}

static void judge_candidate(struct asking *a, const struct ticket *c) {
    const struct ticket *pair[2] = {a->t, c};
    struct why *w = a->out;
    enum rule_scope least = scope_of(pair);
    uint32_t first = 0;
    judge_at(a, pair, 2, age_of(a, pair, 2), least);
    uint32_t count = failing(a, least, &first);
    w->near++;
    w->near_players += c->player_count;
    if (count == 0) {
        a->fitting[w->fitting++] = c;
        w->fitting_players += c->player_count;
        return;
    }
    for (uint32_t i = 0; i < w->rule_count; i++) {
        if (!fails(a, i, least)) continue;
        w->rules[i].rejected++;
        w->rules[i].rejected_alone += count == 1;
    }
    note_miss(a, c, count, first);
}

static uint64_t work_of(const struct asking *a, const struct ticket *c) {
    uint64_t players = a->t->player_count + c->player_count;
    return players * (1 + a->out->rule_count) * (1 + a->spec.players[0].latency_count);
}

static void judge_near(struct asking *a) {
    struct gathered *near = arena_alloc(a->arena, sizeof *near);
    struct gather_query q = gather_query_of(a->pool, a->x, INT32_MAX);
    q.spread = INFINITY;
    q.players_max = LIMIT_MATCH_PLAYERS;
    q.want = WHY_NEAR - WHY_NEAR / 4; /* and some of each class beyond */
    q.visits = WHY_NEAR + 1;
    uint64_t work = 0;
    gather_run(near, &q);
    a->fitting = arena_alloc(a->arena, (near->count + 1) * sizeof *a->fitting);
    for (uint32_t i = 0; i < near->count && i < WHY_NEAR && work < WHY_WORK; i++) {
        const struct ticket *c = near->options[i].slot->entry->ticket;
        work += work_of(a, c);
        judge_candidate(a, c);
    }
    a->out->near_is_all = !near->truncated && a->out->near == near->count;
}

/* The first expansion that makes the nearest miss fit: both age alike. */
static void find_admission(struct asking *a) {
    struct why_miss *miss = &a->out->miss;
    if (!miss->ticket) return;
    const struct ticket *pair[2] = {a->t, miss->ticket};
    int64_t age_ms = age_of(a, pair, 2);
    for (int64_t at = age_ms; (at = ruleset_next_step_ms(a->r, at)) != INT64_MAX;) {
        uint32_t ignored;
        judge_at(a, pair, 2, at, scope_of(pair));
        if (failing(a, scope_of(pair), &ignored) > 0) continue;
        miss->admitted_in_ms = at - age_ms;
        miss->admitting = a->reports[miss->rule].bound;
        return;
    }
}

/* ---- the group ---- */

/* The team with the most room, where that holds so many players; else NULL. */
static struct why_team *roomiest(const struct why *w, uint32_t players) {
    struct why_team *best = &w->teams[0];
    for (uint32_t i = 1; i < w->team_count; i++) {
        struct why_team *team = &w->teams[i];
        if (team->players_max - team->players > best->players_max - best->players) best = team;
    }
    return best->players_max - best->players >= players ? best : NULL;
}

static void seat(struct why *w, struct why_team *team, uint32_t players) {
    if (!team) return;
    team->players += players;
    w->players += players;
}

static void read_teams(struct asking *a) {
    struct why *w = a->out;
    const struct ruleset_limits *l = ruleset_limits_at(a->r, w->age_ms);
    w->team_count = l->team_count;
    w->teams = arena_alloc(a->arena, l->team_count * sizeof *w->teams);
    for (uint32_t i = 0; i < l->team_count; i++) {
        w->teams[i] = (struct why_team){l->teams[i].name, l->teams[i].players_min,
                                        l->teams[i].players_max, 0};
    }
    w->players_min = l->players_min;
    w->players_max = l->players_max;
}

/* ---- roles ---- */

/* Each player takes the scarcest role he may have that has room; false, and nothing changed, when
 * one finds none. Without roles always true. */
static bool cast_ticket(struct asking *a, const struct ticket *t) {
    struct why *w = a->out;
    struct why_role before[RULESET_ROLES_MAX];
    if (w->role_count == 0) return true;
    memcpy(before, w->roles, w->role_count * sizeof *before);
    struct ticket_spec spec = ticket_spec(t, a->scratch);
    for (uint32_t i = 0; i < spec.player_count; i++) {
        uint32_t may = ruleset_roles_of(a->r, &spec.players[i]);
        struct why_role *best = NULL;
        for (uint32_t k = 0; k < w->role_count; k++) {
            struct why_role *role = &w->roles[k];
            if (!(may >> k & 1) || role->players == role->players_max) continue;
            if (!best || role->fitting < best->fitting) best = role;
        }
        if (!best) {
            memcpy(w->roles, before, w->role_count * sizeof *before);
            return false;
        }
        best->players++;
    }
    return true;
}

static void count_roles(struct asking *a, const struct ticket *t) {
    struct why *w = a->out;
    if (w->role_count == 0) return;
    struct ticket_spec spec = ticket_spec(t, a->scratch);
    for (uint32_t i = 0; i < spec.player_count; i++) {
        uint32_t may = ruleset_roles_of(a->r, &spec.players[i]);
        for (uint32_t k = 0; k < w->role_count; k++)
            w->roles[k].fitting += may >> k & 1;
    }
    arena_reset(a->scratch);
}

static void read_roles(struct asking *a) {
    struct why *w = a->out;
    w->role_count = ruleset_role_count(a->r);
    w->roles = arena_alloc(a->arena, (w->role_count + 1) * sizeof *w->roles);
    for (uint32_t k = 0; k < w->role_count; k++) {
        struct ruleset_role_need need = ruleset_role_need(a->r, w->age_ms, k);
        w->roles[k] = (struct why_role){need.name, need.players_min, need.players_max, 0, 0};
    }
    count_roles(a, a->t);
    for (uint32_t i = 0; i < w->fitting; i++)
        count_roles(a, a->fitting[i]);
}

static bool lacks_role(struct why *w) {
    for (uint32_t k = 0; k < w->role_count; k++) {
        w->role = k;
        if (w->roles[k].fitting < w->roles[k].players_min) return true;
    }
    return false;
}

/* ---- putting together ---- */

static bool fits_group(struct asking *a, const struct ticket **group, uint32_t count,
                       const struct ticket *c) {
    uint32_t ignored;
    if (count == LIMIT_MATCH_PLAYERS) return false;
    group[count] = c;
    judge_at(a, group, count + 1, age_of(a, group, count + 1), RULE_OF_PAIRS);
    return failing(a, RULE_OF_PAIRS, &ignored) == 0;
}

static void judge_group(struct asking *a, const struct ticket **group, uint32_t count) {
    struct why *w = a->out;
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    struct candidate c = {ticket_specs(group, count, a->scratch), NULL, count,
                          age_of(a, group, count)};
    bool placed = explain_place(a->r, &c, team_of, a->scratch);
    if (placed) ruleset_explain(a->r, &c, a->reports, a->scratch);
    arena_reset(a->scratch);
    for (uint32_t i = 0; placed && i < w->rule_count; i++) {
        struct why_rule *rule = &w->rules[i];
        rule->group_fails = !rule->governed && a->reports[i].outcome == RULE_FAILS;
        if (!rule->group_fails) continue;
        rule->has_measured = a->reports[i].has_numbers;
        rule->measured = a->reports[i].measured;
        rule->bound = a->reports[i].bound;
    }
}

/* Who fits, nearest first, as long as all fit together and teams have room. */
static void build_group(struct asking *a) {
    struct why *w = a->out;
    const struct ticket *group[LIMIT_MATCH_PLAYERS + 1] = {a->t};
    uint32_t count = 1;
    uint64_t work = 0;
    read_teams(a);
    read_roles(a);
    seat(w, roomiest(w, w->own_players), w->own_players);
    (void)cast_ticket(a, a->t);
    for (uint32_t i = 0; i < w->fitting && w->players < w->players_max && work < WHY_WORK; i++) {
        const struct ticket *c = a->fitting[i];
        work += work_of(a, c) + w->players;
        struct why_team *team = roomiest(w, c->player_count);
        if (!team || !fits_group(a, group, count, c) || !cast_ticket(a, c)) continue;
        seat(w, team, c->player_count);
        count++;
    }
    w->missing = w->players < w->players_min ? w->players_min - w->players : 0;
    for (uint32_t i = 0; i < w->team_count && w->missing == 0; i++) {
        if (w->teams[i].players < w->teams[i].players_min)
            w->missing = w->teams[i].players_min - w->teams[i].players;
    }
    if (w->missing == 0) judge_group(a, group, count);
}

/* ---- the reason ---- */

/* The rule of those for which `is` holds that rejects the most. */
static bool worst_rule(struct why *w, bool (*is)(const struct why_rule *rule)) {
    bool found = false;
    for (uint32_t i = 0; i < w->rule_count; i++) {
        if (!is(&w->rules[i])) continue;
        if (!found || w->rules[i].rejected > w->rules[w->rule].rejected) w->rule = i;
        found = true;
    }
    return found;
}

static bool is_own_failure(const struct why_rule *rule) {
    return rule->own_failure;
}

static bool is_rejecting(const struct why_rule *rule) {
    return rule->rejected > 0;
}

static bool is_group_failure(const struct why_rule *rule) {
    return rule->group_fails;
}

static enum why_reason find_reason(struct why *w) {
    if (worst_rule(w, is_own_failure)) return WHY_OWN_VALUES;
    if (w->fitting > 0 && lacks_role(w)) return WHY_LACKING_ROLE;
    if (w->missing == 0 && worst_rule(w, is_group_failure)) return WHY_WHOLE_MATCH;
    if (w->missing == 0) return w->any_match_in_ms > 0 ? WHY_PATIENCE : WHY_SEARCHING;
    if (w->near == 0) return WHY_ALONE;
    return worst_rule(w, is_rejecting) ? WHY_RULES : WHY_TOO_FEW;
}

static void count_waiting(struct asking *a, const struct queue *q, uint32_t place) {
    struct why *w = a->out;
    int64_t age = a->now_ms - a->t->created_ms;
    w->age_ms = age > 0 ? age : 0;
    int64_t step_ms = ruleset_next_step_ms(a->r, w->age_ms);
    w->next_step_in_ms = step_ms == INT64_MAX ? INT64_MAX : step_ms - w->age_ms;
    w->own_players = a->t->player_count;
    w->position = pool_position(a->pool, a->x);
    w->tickets_queued = pool_count(a->pool);
    w->players_queued = q->players_queued;
    w->tickets_elsewhere = pool_count(a->pool) - a->x->part->count;
    const struct patience *patience = &q->def->patience;
    if (patience->is_on && w->age_ms < patience->deadline_ms && a->x->state == POOL_ASLEEP)
        w->any_match_in_ms = patience->deadline_ms - w->age_ms;
    struct eta_ask ask = {a->now_ms, w->age_ms, ticket_expires_ms(a->t) - a->now_ms};
    w->wait = eta_at(q->eta, a->t->places[place].eta_kind, &ask);
}

void why_explain(const struct ticket *t, uint32_t place, int64_t now_ms, struct arena *arena,
                 struct why *out) {
    const struct ticket_place *at = &t->places[place];
    assert(at->queue && at->entry);
    struct asking a = {.r = at->queue->def->ruleset,
                       .pool = at->queue->pool,
                       .x = at->entry,
                       .t = t,
                       .spec = ticket_spec(t, arena),
                       .now_ms = now_ms,
                       .arena = arena,
                       .scratch = arena_new(0),
                       .out = out};
    *out = (struct why){0};
    count_waiting(&a, at->queue, place);
    read_rules(&a);
    judge_near(&a);
    find_admission(&a);
    build_group(&a);
    out->reason = find_reason(out);
    arena_free(a.scratch);
}
