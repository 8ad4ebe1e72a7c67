/* candidate_report.c - by ruleset_explain, member for member. */
#include "wire/candidate_report.h"

#include "base/limits.h"
#include "base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *text_of(struct str s) {
    return json_stringn(s.at, s.size);
}

static void add_number(json_t *object, const char *name, double v) {
    if (isfinite(v)) json_object_set_new(object, name, json_real(v));
}

static json_t *team_json(const struct ruleset_team *team, uint32_t number,
                         const struct candidate *c) {
    json_t *object = json_object(), *ids = json_array();
    for (uint32_t i = 0; i < c->ticket_count; i++) {
        const struct ticket_spec *spec = &c->specs[i];
        for (uint32_t k = 0; c->team_of[i] == number && k < spec->player_count; k++)
            json_array_append_new(ids, text_of(spec->players[k].id));
    }
    size_t players = json_array_size(ids);
    json_object_set_new(object, "name", text_of(team->name));
    json_object_set_new(object, "players", json_integer((json_int_t)players));
    json_object_set_new(object, "minPlayers", json_integer(team->players_min));
    json_object_set_new(object, "maxPlayers", json_integer(team->players_max));
    json_object_set_new(object, "ok",
                        json_boolean(players >= team->players_min && players <= team->players_max));
    json_object_set_new(object, "playerIds", ids);
    return object;
}

static json_t *rule_json(const struct rule_report *rule) {
    static const char *const outcomes[] = {
        [RULE_HOLDS] = "holds", [RULE_FAILS] = "fails", [RULE_ORDERS] = "orders"};
    json_t *object = json_object();
    json_object_set_new(object, "name", text_of(rule->name));
    json_object_set_new(object, "type", json_string(rule->type));
    json_object_set_new(object, "outcome", json_string(outcomes[rule->outcome]));
    if (rule->has_numbers) add_number(object, "measured", rule->measured);
    if (rule->has_numbers) add_number(object, "bound", rule->bound);
    if (rule->governed) json_object_set_new(object, "inCompound", json_true());
    return object;
}

static json_t *roles_json(const struct ruleset *r, const struct candidate *c,
                          struct arena *scratch) {
    struct str *roles = arena_alloc(scratch, LIMIT_MATCH_PLAYERS * sizeof *roles);
    json_t *object = json_object();
    uint32_t n = 0;
    ruleset_assign_roles(r, c, roles, scratch);
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++, n++) {
            struct str id = arena_str(scratch, spec->players[i].id); /* with a NUL behind */
            if (roles[n].size) json_object_set_new(object, id.at, text_of(roles[n]));
        }
    }
    return object;
}

static json_t *verdict_json(const struct ruleset *r, const struct candidate *c,
                            const struct verdict *v, const struct rule_report *reports) {
    const struct ruleset_limits *l = ruleset_limits_at(r, c->age_ms);
    json_t *object = json_object(), *teams = json_array(), *rules = json_array();
    for (uint32_t t = 0; t < l->team_count; t++)
        json_array_append_new(teams, team_json(&l->teams[t], t, c));
    for (uint32_t i = 0; i < ruleset_rule_count(r); i++)
        json_array_append_new(rules, rule_json(&reports[i]));
    json_object_set_new(object, "legal", json_boolean(v->legal));
    json_object_set_new(object, "ageSeconds", json_real((double)c->age_ms / 1000));
    if (v->region.size) json_object_set_new(object, "region", text_of(v->region));
    if (v->region.size) add_number(object, "meanLatencyMs", v->mean_latency_ms);
    json_object_set_new(object, "teams", teams);
    json_object_set_new(object, "rules", rules);
    return object;
}

void candidate_report_json(const struct ruleset *r, const struct candidate *c, struct str queue,
                           struct strbuf *out) {
    struct arena *scratch = arena_new(0);
    struct rule_report *reports =
        arena_alloc(scratch, (ruleset_rule_count(r) + 1) * sizeof *reports);
    struct verdict v = ruleset_explain(r, c, reports, scratch);
    json_t *object = verdict_json(r, c, &v, reports);
    json_object_set_new(object, "queue", text_of(queue));
    if (ruleset_has_roles(r)) json_object_set_new(object, "roles", roles_json(r, c, scratch));
    if (v.legal && ruleset_has_soft_cost(r))
        add_number(object, "softCost", ruleset_soft_cost(r, c, v.region, scratch));
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
    strbuf_add_str(out, str_of(line));
    strbuf_add_char(out, '\n');
    free(line); /* jansson's */
    json_decref(object);
    arena_free(scratch);
}
