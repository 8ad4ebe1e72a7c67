/* ruleset_additions.c - compiles the section `muster`: what it names must be declared and possible.
 */
#include "model/ruleset_def.h"

#include "base/limits.h"

#include <math.h>
#include <stdio.h>

struct builder {
    struct ruleset *r;
    const struct additions_def *def;
    struct ruleset_told *told;
    struct err_text *why; /* &told->one */
};

/* The declared string_list of that name. */
static enum err find_list(const struct builder *b, struct str name, const char *field,
                          const struct attribute_def **out) {
    const struct attribute_def *a = ruleset_attribute(b->r, name);
    if (!a) return ruleset_refuse_attribute(b->r, name, field, b->why);
    if (a->value.kind != ATTRIBUTE_LIST) {
        return ruleset_refuse(b->why, field, "\"%.*s\" is a %s; must be a string_list",
                              STR_PRINT(name), ruleset_type_names[a->value.kind]);
    }
    *out = a;
    return ERR_OK;
}

/* The rule behind those of the document that stands for an addition. */
static void add_rule(struct builder *b, struct str name, enum rule_kind kind) {
    b->r->rules[b->r->rule_count++] = (struct rule){.name = name, .kind = kind};
}

/* ---- roles ---- */

static enum err check_role(const struct builder *b, uint32_t index) {
    const struct role_def *role = &b->def->roles[index];
    char field[96];
    snprintf(field, sizeof field, "muster.roles.perTeam[%u].minPlayers", index);
    if (role->players_min > role->players_max) {
        return ruleset_refuse(b->why, field, "is %u, above maxPlayers %u", role->players_min,
                              role->players_max);
    }
    return ERR_OK;
}

static enum err mark_teams(const struct builder *b, uint32_t index, bool *in_team) {
    const struct role_def *role = &b->def->roles[index];
    for (uint32_t t = 0; role->team_count == 0 && t < b->r->team_count; t++)
        in_team[t] = true;
    for (uint32_t i = 0; i < role->team_count; i++) {
        if (ruleset_mark_teams(b->r, role->teams[i], in_team) > 0) continue;
        const struct ruleset_names teams = {b->r->team_defs, sizeof *b->r->team_defs,
                                            offsetof(struct team_def, name), b->r->team_def_count};
        char field[96], hint[RULESET_HINT_BYTES];
        snprintf(field, sizeof field, "muster.roles.perTeam[%u].teams[%u]", index, i);
        struct str shown = ruleset_excerpt(role->teams[i]);
        return ruleset_refuse(b->why, field, "\"%.*s\" is no team%s", STR_PRINT(shown),
                              ruleset_hint(role->teams[i], &teams, hint));
    }
    return ERR_OK;
}

static void build_roles(struct builder *b) {
    struct ruleset *r = b->r;
    const struct additions_def *d = b->def;
    if (d->roles_attribute.size == 0) return;
    (void)ruleset_go_on(
        b->told, find_list(b, d->roles_attribute, "muster.roles.attribute", &r->roles_attribute));
    struct ruleset_role *roles = arena_alloc(r->arena, d->role_count * sizeof *roles);
    for (uint32_t i = 0; i < d->role_count; i++) {
        bool *in_team = arena_alloc(r->arena, r->team_count * sizeof *in_team);
        roles[i] = (struct ruleset_role){d->roles[i].name, in_team};
        if (!ruleset_go_on(b->told, check_role(b, i))) return;
        if (!ruleset_go_on(b->told, mark_teams(b, i, in_team))) return;
    }
    r->roles = roles;
    r->role_count = d->role_count;
    r->role_points = d->role_points;
    add_rule(b, STR("muster.roles"), RULE_ROLES);
}

/* ---- other players ---- */

static void build_lists(struct builder *b) {
    struct ruleset *r = b->r;
    const struct additions_def *d = b->def;
    if (d->avoid_attribute.size) {
        enum err code = find_list(b, d->avoid_attribute, "muster.avoid.attribute", &r->avoid);
        (void)ruleset_go_on(b->told, code);
        r->avoid_in_team = d->avoid_in_team;
        if (!code) add_rule(b, STR("muster.avoid"), RULE_AVOID);
    }
    if (d->recent_attribute.size) {
        (void)ruleset_go_on(
            b->told, find_list(b, d->recent_attribute, "muster.recent.attribute", &r->recent));
        r->recent_points = d->recent_points;
    }
}

/* ---- weights ---- */

static enum err add_weight(struct builder *b, uint32_t index) {
    const struct weight_def *w = &b->def->weights[index];
    struct ruleset *r = b->r;
    struct str shown = ruleset_excerpt(w->rule);
    const struct ruleset_names rules = {r->rules, sizeof *r->rules, offsetof(struct rule, name),
                                        r->rule_count};
    char field[96], hint[RULESET_HINT_BYTES];
    uint32_t i = 0;
    snprintf(field, sizeof field, "muster.weights.%.*s", STR_PRINT(shown));
    while (i < r->rule_count && !str_equal(r->rules[i].name, w->rule))
        i++;
    if (i == r->rule_count) {
        return ruleset_refuse(b->why, field, "is no rule's name%s",
                              ruleset_hint(w->rule, &rules, hint));
    }
    struct rule *rule = &r->rules[i];
    if (rule->kind == RULE_ABSOLUTE_SORT || rule->kind == RULE_DISTANCE_SORT) {
        return ruleset_refuse(b->why, field,
                              "has no meaning: a sort orders candidates and measures no match");
    }
    rule->weight = w->points;
    r->has_weights = r->has_weights || w->points > 0;
    return ERR_OK;
}

/* ---- regions ---- */

static enum err check_region(const struct builder *b, uint32_t index) {
    for (uint32_t i = 0; i < index; i++) {
        if (!str_equal(b->def->regions[i], b->def->regions[index])) continue;
        char field[96];
        snprintf(field, sizeof field, "muster.regions[%u]", index);
        return ruleset_refuse(b->why, field, "\"%.*s\" is muster.regions[%u] already",
                              STR_PRINT(b->def->regions[index]), i);
    }
    return ERR_OK;
}

void ruleset_additions_build(struct ruleset *r, const struct ruleset_def *def,
                             struct ruleset_told *told) {
    const struct additions_def *d = &def->additions;
    struct builder b = {.r = r, .def = d, .told = told, .why = &told->one};
    for (uint32_t i = 0; i < d->weight_count; i++) {
        if (!ruleset_go_on(told, add_weight(&b, i))) return;
    }
    build_roles(&b);
    if (told->any && !told->all) return;
    build_lists(&b);
    if (told->any && !told->all) return;
    for (uint32_t i = 0; i < d->region_count; i++) {
        if (!ruleset_go_on(told, check_region(&b, i))) return;
    }
    r->regions = d->regions;
    r->region_count = d->region_count;
}
