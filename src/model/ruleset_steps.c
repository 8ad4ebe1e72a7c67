/* ruleset_steps.c - expansions: the rules' numbers at each distinct age, computed once. */
#include "model/ruleset_expr.h"

#include "base/limits.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum widening { WIDER_UP, WIDER_DOWN, WIDER_UNKNOWN };

/* What an expansion may change. One row per property. */
struct property {
    const char *name;
    unsigned owners; /* bit per enum rule_kind, or one of the two below */
    size_t offset;   /* in struct rule_bounds, ruleset_team or role_bounds */
    double low, high;
    enum widening wider;
    bool whole;
};

#define KIND(k) (1u << RULE_##k)
#define OF_TEAM (1u << 30)
#define OF_ROLE (1u << 31)

static const struct property properties[] = {
    {"maxDistance", KIND(BATCH_DISTANCE) | KIND(DISTANCE), offsetof(struct rule_bounds, max), 0,
     INFINITY, WIDER_UP, false},
    {"minDistance", KIND(DISTANCE), offsetof(struct rule_bounds, min), 0, INFINITY, WIDER_DOWN,
     false},
    {"maxDistance", KIND(LATENCY), offsetof(struct rule_bounds, distance), 0, INFINITY, WIDER_UP,
     false},
    {"maxLatency", KIND(LATENCY), offsetof(struct rule_bounds, max), 1, LIMIT_LATENCY_MS, WIDER_UP,
     true},
    {"minCount", KIND(COLLECTION), offsetof(struct rule_bounds, min), 0, RULESET_COUNT_MAX,
     WIDER_DOWN, true},
    {"maxCount", KIND(COLLECTION), offsetof(struct rule_bounds, max), 0, RULESET_COUNT_MAX,
     WIDER_UP, true},
    {"referenceValue", KIND(COLLECTION) | KIND(COMPARISON) | KIND(DISTANCE),
     offsetof(struct rule_bounds, reference), -INFINITY, INFINITY, WIDER_UNKNOWN, false},
    {"minPlayers", OF_TEAM, offsetof(struct ruleset_team, players_min), 0, LIMIT_MATCH_PLAYERS,
     WIDER_DOWN, true},
    {"maxPlayers", OF_TEAM, offsetof(struct ruleset_team, players_max), 1, LIMIT_MATCH_PLAYERS,
     WIDER_UP, true},
    {"minPlayers", OF_ROLE, offsetof(struct role_bounds, players_min), 0, LIMIT_MATCH_PLAYERS,
     WIDER_DOWN, true},
    {"maxPlayers", OF_ROLE, offsetof(struct role_bounds, players_max), 0, LIMIT_MATCH_PLAYERS,
     WIDER_UP, true},
};
#define PROPERTY_COUNT (sizeof properties / sizeof properties[0])

/* One thing an expansion changes: a rule's number, a team definition's, or a role's. */
struct change {
    const struct property *property;
    uint32_t index;                 /* of the rule, of the team definition, or of the role */
    uint32_t expansion;             /* index in the definition */
    struct rule_bounds *references; /* per step, of a reference that is no number; else NULL */
};

struct builder {
    struct ruleset *r;
    const struct ruleset_def *def;
    struct change *changes;
    uint32_t change_count;
    struct err_text *why;
};

static enum err refuse_target(const struct builder *b, uint32_t expansion, const char *problem,
                              struct str part) {
    char field[96];
    snprintf(field, sizeof field, "expansions[%u].target", expansion);
    struct str target = ruleset_excerpt(b->def->expansions[expansion].target);
    part = ruleset_excerpt(part);
    return ruleset_refuse(b->why, field, "\"%.*s\": %s \"%.*s\"", STR_PRINT(target), problem,
                          STR_PRINT(part));
}

/* "rules[name].property" -> its three parts; false when it has another shape. */
static bool split_target(struct str t, struct str *kind, struct str *names, struct str *property) {
    const char *open = memchr(t.at, '[', t.size);
    if (!open) return false;
    const char *end = t.at + t.size;
    const char *close = memchr(open, ']', (size_t)(end - open));
    if (!close || close + 1 == end || close[1] != '.') return false;
    *kind = (struct str){t.at, (size_t)(open - t.at)};
    *names = (struct str){open + 1, (size_t)(close - open - 1)};
    *property = (struct str){close + 2, (size_t)(end - close - 2)};
    return true;
}

static const struct property *find_property(struct str name, unsigned owner) {
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        const struct property *p = &properties[i];
        if ((p->owners & owner) && str_equal(name, str_of(p->name))) return p;
    }
    return NULL;
}

static enum err refuse_property(const struct builder *b, uint32_t expansion, unsigned owner,
                                struct str property) {
    char problem[160] = "can expand";
    const char *separator = " ";
    size_t used = strlen(problem);
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        const struct property *p = &properties[i];
        if (!(p->owners & owner)) continue;
        used += (size_t)snprintf(problem + used, sizeof problem - used, "%s%s", separator, p->name);
        separator = ", ";
    }
    if (separator[0] == ' ') {
        snprintf(problem, sizeof problem, "%s; not",
                 owner == KIND(COMPOUND)
                     ? "a compound has nothing to expand, but the rules it names have"
                     : "a sort has nothing to expand");
    } else {
        snprintf(problem + used, sizeof problem - used, " there; not");
    }
    return refuse_target(b, expansion, problem, property);
}

static enum err add_change(struct builder *b, const struct property *p, uint32_t index,
                           uint32_t expansion) {
    for (uint32_t i = 0; i < b->change_count; i++) {
        const struct change *c = &b->changes[i];
        if (c->property != p || c->index != index) continue;
        char field[96];
        snprintf(field, sizeof field, "expansions[%u].target", expansion);
        struct str t = ruleset_excerpt(b->def->expansions[expansion].target);
        return ruleset_refuse(b->why, field, "\"%.*s\" is the target of expansions[%u] already",
                              STR_PRINT(t), c->expansion);
    }
    b->changes[b->change_count++] = (struct change){p, index, expansion, NULL};
    return ERR_OK;
}

/* Compiles the texts and lists that a reference becomes. */
static enum err compile_references(struct builder *b, struct change *c) {
    const struct expansion_def *e = &b->def->expansions[c->expansion];
    c->references = arena_alloc(b->r->arena, e->step_count * sizeof *c->references);
    for (uint32_t i = 0; i < e->step_count; i++) {
        char field[96];
        snprintf(field, sizeof field, "expansions[%u].steps[%u].value", c->expansion, i);
        struct reference_def value = e->steps[i].other;
        if (value.kind == REFERENCE_NONE) {
            value = (struct reference_def){.kind = REFERENCE_NUMBER, .number = e->steps[i].value};
        }
        enum err code =
            ruleset_rules_reference(b->r, &b->r->rules[c->index], &value, &c->references[i],
                                    (struct ruleset_place){field, b->why});
        if (code) return code;
    }
    return ERR_OK;
}

static struct str next_name(struct str *rest) {
    const char *comma = rest->size ? memchr(rest->at, ',', rest->size) : NULL;
    struct str name = {rest->at, comma ? (size_t)(comma - rest->at) : rest->size};
    size_t used = comma ? name.size + 1 : name.size;
    *rest = (struct str){rest->at + used, rest->size - used};
    while (name.size && name.at[0] == ' ')
        name = (struct str){name.at + 1, name.size - 1};
    while (name.size && name.at[name.size - 1] == ' ')
        name.size--;
    return name;
}

/* The name among those of the list, RULESET_NONE when it is none: that was told then. */
static uint32_t find_name(const struct builder *b, uint32_t expansion,
                          const struct ruleset_names *list, const char *none, struct str name) {
    uint32_t i = 0;
    while (i < list->count && !str_equal(ruleset_name_at(list, i), name))
        i++;
    if (i < list->count) return i;
    char field[96], hint[RULESET_HINT_BYTES];
    snprintf(field, sizeof field, "expansions[%u].target", expansion);
    struct str target = ruleset_excerpt(b->def->expansions[expansion].target);
    name = ruleset_excerpt(name);
    enum err code = ruleset_refuse(b->why, field, "\"%.*s\": %s \"%.*s\"%s", STR_PRINT(target),
                                   none, STR_PRINT(name), ruleset_hint(name, list, hint));
    (void)code;
    return RULESET_NONE;
}

/* For every name of "a, b": a team definition or a role. */
static enum err add_size_changes(struct builder *b, uint32_t expansion, struct str names,
                                 const struct property *p) {
    const struct ruleset_def *d = b->def;
    const struct ruleset_names teams = {d->teams, sizeof *d->teams, offsetof(struct team_def, name),
                                        d->team_count};
    const struct ruleset_names roles = {d->additions.roles, sizeof *d->additions.roles,
                                        offsetof(struct role_def, name), d->additions.role_count};
    do {
        uint32_t i =
            p->owners == OF_TEAM
                ? find_name(b, expansion, &teams, "no team is defined with the name",
                            next_name(&names))
                : find_name(b, expansion, &roles, "no role has the name", next_name(&names));
        enum err code = i == RULESET_NONE ? ERR_INVALID_ARGUMENT : add_change(b, p, i, expansion);
        if (code) return code;
    } while (names.size);
    return ERR_OK;
}

static enum err add_sizes(struct builder *b, uint32_t expansion, struct str names,
                          struct str property, unsigned owner) {
    const struct property *p = find_property(property, owner);
    if (!p) return refuse_property(b, expansion, owner, property);
    return add_size_changes(b, expansion, names, p);
}

/* A reference that is, or becomes, more than a number. */
static bool is_computed(const struct builder *b, uint32_t expansion, const struct rule *rule) {
    const struct expansion_def *e = &b->def->expansions[expansion];
    double ignored;
    for (uint32_t i = 0; i < e->step_count; i++) {
        const struct reference_def *v = &e->steps[i].other;
        bool number = v->kind == REFERENCE_NONE ||
                      (v->kind == REFERENCE_TEXT && str_to_double(v->text, &ignored));
        if (!number) return true;
    }
    return rule->reference != NULL;
}

static enum err add_rule_change(struct builder *b, uint32_t expansion, struct str name,
                                struct str property) {
    const struct ruleset *r = b->r;
    const struct ruleset_names rules = {r->rules, sizeof *r->rules, offsetof(struct rule, name),
                                        b->def->rule_count};
    uint32_t i = find_name(b, expansion, &rules, "no rule has the name", name);
    if (i == RULESET_NONE) return ERR_INVALID_ARGUMENT;
    const struct rule *rule = &r->rules[i];
    if (rule->broken) return ERR_OK; /* what is wrong with it was told */
    const struct property *p = find_property(property, 1u << rule->kind);
    if (!p) return refuse_property(b, expansion, 1u << rule->kind, property);
    bool is_reference = p->offset == offsetof(struct rule_bounds, reference);
    if (is_reference && !rule->has_reference) {
        return refuse_target(b, expansion, "there is no referenceValue to expand in rule", name);
    }
    enum err code = add_change(b, p, i, expansion);
    if (!code && is_reference && is_computed(b, expansion, rule))
        code = compile_references(b, &b->changes[b->change_count - 1]);
    return code;
}

static enum err add_changes(struct builder *b, uint32_t expansion) {
    struct str target = b->def->expansions[expansion].target;
    struct str kind, names, property;
    if (ruleset_is_algorithm_target(target))
        return ruleset_algorithm_check(b->def, expansion, b->why);
    if (split_target(target, &kind, &names, &property)) {
        if (str_equal(kind, STR("rules"))) return add_rule_change(b, expansion, names, property);
        if (str_equal(kind, STR("teams"))) return add_sizes(b, expansion, names, property, OF_TEAM);
        if (str_equal(kind, STR("muster.roles")))
            return add_sizes(b, expansion, names, property, OF_ROLE);
    }
    char field[96];
    snprintf(field, sizeof field, "expansions[%u].target", expansion);
    target = ruleset_excerpt(target);
    return ruleset_refuse(b->why, field,
                          "\"%.*s\" must be of the form rules[name].property, "
                          "teams[name].property, algorithm.property or "
                          "muster.roles[name].property",
                          STR_PRINT(target));
}

static enum err check_values(const struct builder *b, const struct change *c) {
    const struct expansion_def *e = &b->def->expansions[c->expansion];
    const struct property *p = c->property;
    for (uint32_t i = 0; i < e->step_count && !c->references; i++) {
        double v = e->steps[i].value, ignored;
        const struct reference_def *other = &e->steps[i].other;
        bool is_number = other->kind == REFERENCE_NONE ||
                         (other->kind == REFERENCE_TEXT && str_to_double(other->text, &ignored));
        bool fits = v >= p->low && v <= p->high && (!p->whole || v == floor(v));
        if (is_number && fits) continue;
        char field[96];
        snprintf(field, sizeof field, "expansions[%u].steps[%u].value", c->expansion, i);
        if (other->kind == REFERENCE_LIST) {
            return ruleset_refuse(b->why, field, "is a list; %s must be a number", p->name);
        }
        if (!is_number) {
            struct str shown = ruleset_excerpt(other->text);
            return ruleset_refuse(b->why, field, "is the string \"%.*s\"; %s must be a number",
                                  STR_PRINT(shown), p->name);
        }
        if (isinf(p->high)) {
            return ruleset_refuse(b->why, field, "is %g; %s must be at least %g", v, p->name,
                                  p->low);
        }
        return ruleset_refuse(b->why, field, "is %g; %s must be a whole number %g..%g", v, p->name,
                              p->low, p->high);
    }
    return ERR_OK;
}

static enum err check_order(const struct builder *b, uint32_t expansion) {
    const struct expansion_def *e = &b->def->expansions[expansion];
    for (uint32_t i = 1; i < e->step_count; i++) {
        if (e->steps[i].wait_ms > e->steps[i - 1].wait_ms) continue;
        char field[96];
        snprintf(field, sizeof field, "expansions[%u].steps[%u].waitTimeSeconds", expansion, i);
        return ruleset_refuse(
            b->why, field, "is %g, not after the step before it (%g); steps go up in time",
            (double)e->steps[i].wait_ms / 1000, (double)e->steps[i - 1].wait_ms / 1000);
    }
    return ERR_OK;
}

/* The number that the change starts from. */
static double base_value(const struct builder *b, const struct change *c) {
    if (c->property->owners == OF_TEAM) {
        const struct team_def *t = &b->def->teams[c->index];
        bool is_min = c->property->offset == offsetof(struct ruleset_team, players_min);
        return is_min ? t->players_min : t->players_max;
    }
    if (c->property->owners == OF_ROLE) {
        const struct role_def *role = &b->def->additions.roles[c->index];
        bool is_min = c->property->offset == offsetof(struct role_bounds, players_min);
        return is_min ? role->players_min : role->players_max;
    }
    const char *bounds = (const char *)&b->r->steps[0].bounds[c->index];
    double value;
    memcpy(&value, bounds + c->property->offset, sizeof value);
    return value;
}

/* Which way a reference widens depends on the comparison it is in. */
static enum widening change_widening(const struct builder *b, const struct change *c) {
    if (c->property->wider != WIDER_UNKNOWN) return c->property->wider;
    const struct rule *rule = &b->r->rules[c->index];
    if (rule->kind != RULE_COMPARISON) return WIDER_UNKNOWN;
    switch (rule->operation) {
    case OP_LESS:
    case OP_AT_MOST:
        return WIDER_UP;
    case OP_MORE:
    case OP_AT_LEAST:
        return WIDER_DOWN;
    default:
        return WIDER_UNKNOWN;
    }
}

static enum err check_shrinking(const struct builder *b, const struct change *c) {
    if (c->references) return ERR_OK; /* texts are neither wider nor narrower */
    const struct expansion_def *e = &b->def->expansions[c->expansion];
    enum widening wider = change_widening(b, c);
    double before = base_value(b, c);
    for (uint32_t i = 0; i < e->step_count; before = e->steps[i].value, i++) {
        double v = e->steps[i].value;
        bool shrinks = (wider == WIDER_UP && v < before) || (wider == WIDER_DOWN && v > before);
        if (!shrinks) continue;
        char field[96];
        snprintf(field, sizeof field, "expansions[%u].steps[%u].value", c->expansion, i);
        struct str target = ruleset_excerpt(e->target);
        char than[48] = "no bound";
        if (isfinite(before)) snprintf(than, sizeof than, "the %g", before);
        return ruleset_refuse(b->why, field,
                              "is %g, narrower than %s before it: \"%.*s\" would shrink after "
                              "%g s; put it with allow_shrinking if that is meant",
                              v, than, STR_PRINT(target), (double)e->steps[i].wait_ms / 1000);
    }
    return ERR_OK;
}

static int compare_ages(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All distinct ages of `def`, 0 first, ascending. */
static int64_t *distinct_ages(const struct ruleset *r, const struct ruleset_def *def,
                              uint32_t *count) {
    size_t total = 1;
    for (uint32_t i = 0; i < def->expansion_count; i++)
        total += def->expansions[i].step_count;
    int64_t *ages = arena_alloc(r->arena, total * sizeof *ages);
    size_t n = 1; /* ages[0] = 0 */
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        const struct expansion_def *e = &def->expansions[i];
        for (uint32_t s = 0; s < e->step_count; s++)
            ages[n++] = e->steps[s].wait_ms;
    }
    qsort(ages, n, sizeof *ages, compare_ages);
    uint32_t kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (ages[i] != ages[kept - 1]) ages[kept++] = ages[i];
    }
    *count = kept;
    return ages;
}

static void write_names(const struct ruleset *r, struct ruleset_team *teams) {
    uint32_t n = 0;
    for (uint32_t d = 0; d < r->team_def_count; d++) {
        const struct team_def *t = &r->team_defs[d];
        for (uint32_t q = 1; q <= t->quantity; q++) {
            teams[n++].name = t->quantity == 1
                                  ? t->name
                                  : arena_printf(r->arena, "%.*s_%u", STR_PRINT(t->name), q);
        }
    }
    assert(n == r->team_count);
}

static bool wants_same_text(const struct rule *rule) {
    return rule->kind == RULE_BATCH_DISTANCE && !rule->has_max && rule->attribute &&
           rule->attribute->value.kind == ATTRIBUTE_TEXT;
}

static void write_base(const struct builder *b, struct ruleset_step *step) {
    uint32_t n = 0;
    for (uint32_t d = 0; d < b->def->team_count; d++) {
        for (uint32_t q = 0; q < b->def->teams[d].quantity; q++, n++) {
            step->teams[n].players_min = b->def->teams[d].players_min;
            step->teams[n].players_max = b->def->teams[d].players_max;
        }
    }
    for (uint32_t i = 0; i < b->def->additions.role_count; i++) {
        const struct role_def *role = &b->def->additions.roles[i];
        step->roles[i] = (struct role_bounds){role->players_min, role->players_max};
    }
    for (uint32_t i = 0; i < b->r->rule_count; i++) {
        const struct rule *rule = &b->r->rules[i];
        step->bounds[i].min = rule->has_min ? rule->min + 0.0 : -INFINITY; /* -0 becomes 0 */
        step->bounds[i].max = rule->has_max ? rule->max + 0.0 : INFINITY;
        if (wants_same_text(rule)) step->bounds[i].max = 0; /* texts that differ */
        step->bounds[i].distance = rule->has_distance ? rule->distance + 0.0 : INFINITY;
        step->bounds[i].reference = rule->reference_number + 0.0;
        step->bounds[i].expression = rule->reference;
    }
}

static void write_change(const struct builder *b, const struct change *c,
                         struct ruleset_step *step) {
    const struct expansion_def *e = &b->def->expansions[c->expansion];
    const struct step_def *reached = NULL;
    for (uint32_t i = 0; i < e->step_count && e->steps[i].wait_ms <= step->age_ms; i++) {
        reached = &e->steps[i];
    }
    if (!reached) return;
    if (c->references) {
        const struct rule_bounds *found = &c->references[reached - e->steps];
        step->bounds[c->index].expression = found->expression;
        step->bounds[c->index].reference = found->reference + 0.0;
        return;
    }
    uint32_t players = (uint32_t)reached->value;
    if (c->property->owners == OF_ROLE) {
        memcpy((char *)&step->roles[c->index] + c->property->offset, &players, sizeof players);
        return;
    }
    if (c->property->owners != OF_TEAM) {
        double value = reached->value + 0.0;
        memcpy((char *)&step->bounds[c->index] + c->property->offset, &value, sizeof value);
        return;
    }
    uint32_t first = 0;
    for (uint32_t d = 0; d < c->index; d++)
        first += b->def->teams[d].quantity;
    for (uint32_t q = 0; q < b->def->teams[c->index].quantity; q++) {
        memcpy((char *)&step->teams[first + q] + c->property->offset, &players, sizeof players);
    }
}

/* Sums and checks what the teams have become at this age. */
static enum err finish_step(const struct builder *b, struct ruleset_step *step) {
    struct ruleset *r = b->r;
    struct ruleset_limits *l = &step->limits;
    char after[40];
    *l = (struct ruleset_limits){
        .teams = step->teams, .team_count = r->team_count, .latency_ms_max = INT32_MAX};
    for (uint32_t t = 0; t < r->team_count; t++) {
        const struct ruleset_team *team = &step->teams[t];
        if (team->players_min > team->players_max) {
            return ruleset_refuse(b->why, "teams",
                                  "\"%.*s\" has minPlayers %u above maxPlayers %u%s",
                                  STR_PRINT(team->name), team->players_min, team->players_max,
                                  ruleset_after(step->age_ms, after));
        }
        l->players_min += team->players_min;
        l->players_max += team->players_max;
        if (team->players_max > r->team_players_max) r->team_players_max = team->players_max;
    }
    if (l->players_max > LIMIT_MATCH_PLAYERS) {
        return ruleset_refuse(b->why, "teams", "hold %u players together%s; at most %d",
                              l->players_max, ruleset_after(step->age_ms, after),
                              LIMIT_MATCH_PLAYERS);
    }
    if (l->players_min == 0) l->players_min = 1; /* a match has a ticket */
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule *rule = &r->rules[i];
        /* a region's set is kept by the worst of a ticket's players */
        bool binds = rule->kind == RULE_LATENCY && !rule->governed && rule->party == PARTY_MAX;
        if (!binds || isinf(step->bounds[i].max)) continue;
        int32_t ms = (int32_t)step->bounds[i].max;
        if (ms < l->latency_ms_max) l->latency_ms_max = ms;
    }
    return ERR_OK;
}

/* A rule whose least is above its most can hold for nobody. */
static enum err check_bounds(const struct builder *b, const struct ruleset_step *step) {
    for (uint32_t i = 0; i < b->r->rule_count; i++) {
        const struct rule_bounds *bounds = &step->bounds[i];
        if (bounds->min <= bounds->max) continue;
        bool counts = b->r->rules[i].kind == RULE_COLLECTION;
        char field[96], after[40];
        snprintf(field, sizeof field, "rules[%u]", i);
        return ruleset_refuse(b->why, field, "has %s %g above %s %g%s",
                              counts ? "minCount" : "minDistance", bounds->min,
                              counts ? "maxCount" : "maxDistance", bounds->max,
                              ruleset_after(step->age_ms, after));
    }
    return ERR_OK;
}

/* Whether each team can have both its players and their roles. */
static enum err check_roles(const struct builder *b, const struct ruleset_step *step) {
    char after[40];
    const struct ruleset *r = b->r;
    for (uint32_t t = 0; t < r->team_count; t++) {
        const struct ruleset_team *team = &step->teams[t];
        uint64_t least = 0, most = 0;
        bool any = false;
        for (uint32_t i = 0; i < r->role_count; i++) {
            if (!r->roles[i].in_team[t]) continue;
            any = true;
            least += step->roles[i].players_min;
            most += step->roles[i].players_max;
        }
        if (least > team->players_max) {
            return ruleset_refuse(b->why, "muster.roles",
                                  "want at least %llu players in team \"%.*s\", which has at most "
                                  "%u%s",
                                  (unsigned long long)least, STR_PRINT(team->name),
                                  team->players_max, ruleset_after(step->age_ms, after));
        }
        if (any && most < team->players_min) {
            return ruleset_refuse(
                b->why, "muster.roles",
                "have %llu places in team \"%.*s\", which has at least %u players%s",
                (unsigned long long)most, STR_PRINT(team->name), team->players_min,
                ruleset_after(step->age_ms, after));
        }
    }
    for (uint32_t i = 0; i < r->role_count; i++) {
        const struct role_bounds *role = &step->roles[i];
        if (role->players_min <= role->players_max) continue;
        return ruleset_refuse(b->why, "muster.roles",
                              "\"%.*s\" has minPlayers %u above maxPlayers %u%s",
                              STR_PRINT(r->roles[i].name), role->players_min, role->players_max,
                              ruleset_after(step->age_ms, after));
    }
    return ERR_OK;
}

static enum err write_steps(struct builder *b, const int64_t *ages) {
    struct ruleset *r = b->r;
    for (uint32_t s = 0; s < r->step_count; s++) {
        struct ruleset_step *step = &r->steps[s];
        step->age_ms = ages[s];
        step->teams = arena_alloc(r->arena, r->team_count * sizeof *step->teams);
        step->bounds = arena_alloc(r->arena, r->rule_count * sizeof *step->bounds);
        step->roles = arena_alloc(r->arena, b->def->additions.role_count * sizeof *step->roles);
        if (s == 0)
            write_names(r, step->teams);
        else
            memcpy(step->teams, r->steps[0].teams, r->team_count * sizeof *step->teams);
        write_base(b, step);
        for (uint32_t c = 0; c < b->change_count; c++)
            write_change(b, &b->changes[c], step);
        enum err code = check_bounds(b, step);
        if (!code) code = finish_step(b, step);
        if (!code) code = check_roles(b, step);
        if (code) return code;
    }
    return ERR_OK;
}

static enum err check_change(struct builder *b, const struct change *c) {
    enum err code = check_values(b, c);
    return code || b->def->allow_shrinking ? code : check_shrinking(b, c);
}

/* What the changes start from, for base_value; write_steps makes it anew. */
static void write_first(struct builder *b) {
    struct ruleset *r = b->r;
    r->steps = arena_alloc(r->arena, r->step_count * sizeof *r->steps);
    r->steps[0].teams = arena_alloc(r->arena, r->team_count * sizeof *r->steps->teams);
    r->steps[0].bounds = arena_alloc(r->arena, r->rule_count * sizeof *r->steps->bounds);
    r->steps[0].roles =
        arena_alloc(r->arena, b->def->additions.role_count * sizeof *r->steps->roles);
    write_base(b, &r->steps[0]);
}

void ruleset_steps_build(struct ruleset *r, const struct ruleset_def *def,
                         struct ruleset_told *told) {
    struct builder b = {.r = r, .def = def, .why = &told->one};
    /* a target may name every team definition; the same twice is refused before it overflows */
    size_t owners = (size_t)def->rule_count + def->team_count + def->additions.role_count;
    b.changes = arena_alloc(r->arena, PROPERTY_COUNT * owners * sizeof *b.changes);
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        if (!ruleset_go_on(told, add_changes(&b, i))) return;
        if (!ruleset_go_on(told, check_order(&b, i))) return;
    }
    int64_t *ages = distinct_ages(r, def, &r->step_count);
    if (r->step_count > RULESET_AGES_MAX) {
        (void)ruleset_go_on(told, ruleset_refuse(b.why, "expansions",
                                                 "have %u different times; at most %d",
                                                 r->step_count, RULESET_AGES_MAX));
        return;
    }
    write_first(&b);
    for (uint32_t i = 0; i < b.change_count; i++) {
        if (!ruleset_go_on(told, check_change(&b, &b.changes[i]))) return;
    }
    if (!told->any) (void)ruleset_go_on(told, write_steps(&b, ages));
}

static double number_at(const struct ruleset_step *step, uint32_t rule, const struct property *p) {
    double value;
    memcpy(&value, (const char *)&step->bounds[rule] + p->offset, sizeof value);
    return value;
}

/* False where it binds neither now nor later. */
static bool read_number(const struct ruleset *r, uint32_t index, int64_t age_ms,
                        const struct property *p, struct ruleset_number *out) {
    const struct ruleset_step *step = ruleset_step_at(r, age_ms);
    *out = (struct ruleset_number){.name = p->name, .next_ms = INT64_MAX};
    out->now = out->next = number_at(step, index, p);
    while (out->next == out->now && ++step < r->steps + r->step_count) {
        out->next = number_at(step, index, p);
        out->next_ms = step->age_ms;
    }
    if (out->next == out->now) out->next_ms = INT64_MAX;
    return isfinite(out->now) || isfinite(out->next);
}

uint32_t ruleset_numbers(const struct ruleset *r, uint32_t index, int64_t age_ms,
                         struct ruleset_number *out) {
    const struct rule *rule = &r->rules[index];
    uint32_t count = 0;
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        const struct property *p = &properties[i];
        bool is_reference = p->offset == offsetof(struct rule_bounds, reference);
        if (!(p->owners & 1u << rule->kind)) continue;
        if (is_reference && (!rule->has_reference || rule->reference)) continue;
        assert(count < RULESET_NUMBERS_MAX);
        count += read_number(r, index, age_ms, p, &out[count]);
    }
    return count;
}
