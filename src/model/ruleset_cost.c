/* ruleset_cost.c - soft costs: what makes one legal match worth less than another. */
#include "model/ruleset_meet.h"
#include "model/ruleset_roles.h"

#include <math.h>

#define STRAIN_MAX 10 /* times the bound of age 0 */

static uint32_t count_players(const struct candidate *c) {
    uint32_t players = 0;
    for (uint32_t t = 0; t < c->ticket_count; t++)
        players += c->specs[t].player_count;
    return players;
}

static bool measures_distance(const struct rule *rule) {
    return rule->kind == RULE_BATCH_DISTANCE || rule->kind == RULE_DISTANCE ||
           rule->kind == RULE_LATENCY;
}

/* How far a rule is from its best: 1 at the bound of age 0, for rules that measure a distance; 0 or
 * 1 for those that hold or do not. */
static double strain_of(const struct evaluation *e, uint32_t index) {
    struct rule_report report = {0};
    struct verdict ignored = {0};
    struct evaluation own = *e;
    const struct rule *rule = &e->r->rules[index];
    own.verdict = &ignored;
    own.report = rule->kind == RULE_COMPOUND ? NULL : &report;
    bool held = ruleset_rule_holds(&own, index);
    if (rule->kind == RULE_DISTANCE) {
        report = (struct rule_report){0};
        ruleset_farthest(&own, rule, &e->step->bounds[index]);
    }
    bool distance =
        measures_distance(rule) && report.has_numbers && report.bound > 0 && isfinite(report.bound);
    if (!distance || (held && report.measured > report.bound)) return held ? 0 : 1;
    double strain = report.measured / report.bound;
    return strain < STRAIN_MAX ? strain : STRAIN_MAX; /* NaN, after an overflow: the most */
}

static double weights_cost(const struct ruleset *r, const struct candidate *c, struct str region,
                           struct arena *scratch) {
    struct judge_region regions[LIMIT_REGIONS];
    struct evaluation e = {.r = r, .c = c, .step = &r->steps[0], .scratch = scratch};
    uint32_t count = region.size ? ruleset_region_common(r, c, regions) : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (str_equal(regions[i].name, region)) e.region = &regions[i];
    }
    double cost = 0;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i].weight > 0) cost += r->rules[i].weight * strain_of(&e, i);
    }
    return cost;
}

double ruleset_soft_cost(const struct ruleset *r, const struct candidate *c, struct str region,
                         struct arena *scratch) {
    uint32_t players = count_players(c);
    double cost = 0;
    if (players == 0) return 0;
    if (r->role_points > 0)
        cost += r->role_points * ruleset_roles_steps_down(r, c, scratch) / players;
    if (r->recent && r->recent_points > 0) {
        struct meet_question q = {r->recent, MEET_AS_OPPONENTS};
        cost += r->recent_points * 2 * ruleset_meet_pairs(&q, c, scratch) / players;
    }
    if (r->has_weights) cost += weights_cost(r, c, region, scratch);
    return cost;
}

bool ruleset_has_soft_cost(const struct ruleset *r) {
    return r->role_points > 0 || (r->recent && r->recent_points > 0) || r->has_weights;
}
