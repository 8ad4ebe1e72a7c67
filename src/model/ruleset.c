/* ruleset.c - reading a compiled ruleset: limits by age, attributes, admission. */
#include "model/ruleset_meet.h"
#include "model/ruleset_roles.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const ruleset_kind_names[] = {
    [RULE_ABSOLUTE_SORT] = "absoluteSort",
    [RULE_BATCH_DISTANCE] = "batchDistance",
    [RULE_COLLECTION] = "collection",
    [RULE_COMPARISON] = "comparison",
    [RULE_COMPOUND] = "compound",
    [RULE_DISTANCE] = "distance",
    [RULE_DISTANCE_SORT] = "distanceSort",
    [RULE_LATENCY] = "latency",
    NULL,
};
const char *ruleset_kind_name(enum rule_kind kind) {
    return kind == RULE_ROLES ? "roles" : kind == RULE_AVOID ? "avoid" : ruleset_kind_names[kind];
}

const char *const ruleset_strategy_names[] = {"exhaustiveSearch", "balanced", NULL};
const char *const ruleset_age_names[] = {"newest", "oldest", NULL};
const char *const ruleset_direction_names[] = {"ascending", "descending", NULL};
const char *const ruleset_map_key_names[] = {"minValue", "maxValue", NULL};
const char *const ruleset_latency_names[] = {"min", "avg", NULL};
const char *const ruleset_scope_names[] = {"match", "team", NULL};
const char *const ruleset_backfill_names[] = {"normal", "high", "low", NULL};
const char *const ruleset_batching_names[] = {
    "", "random", "sorted", "largestPopulation", "fastestRegion", NULL};
const char *const ruleset_party_names[] = {"avg", "min", "max", NULL};
const char *const ruleset_list_party_names[] = {"union", "intersection", NULL};
const char *const ruleset_collection_names[] = {"contains", "intersection",
                                                "reference_intersection_count", NULL};
const char *const ruleset_operation_names[] = {"=", "!=", "<", "<=", ">", ">=", NULL};
const char *const ruleset_type_names[] = {"number", "string", "string_list", "string_number_map",
                                          NULL};

enum err ruleset_refuse(struct err_text *why, const char *field, const char *format, ...) {
    char text[ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set_field(why, ERR_INVALID_ARGUMENT, field, "%s %s", field, text);
}

struct str ruleset_name_at(const struct ruleset_names *n, uint32_t index) {
    struct str name;
    memcpy(&name, (const char *)n->items + index * n->stride + n->offset, sizeof name);
    return name;
}

const char *ruleset_hint(struct str word, const struct ruleset_names *n,
                         char out[RULESET_HINT_BYTES]) {
    char names[LIMIT_TEAMS][LIMIT_NAME_BYTES + 1];
    const char *list[LIMIT_TEAMS] = {NULL};
    uint32_t count = n->count < LIMIT_TEAMS ? n->count : LIMIT_TEAMS;
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%.*s", STR_PRINT(ruleset_name_at(n, i)));
        list[i] = names[i];
    }
    const char *nearest = str_nearest(word, list, count);
    size_t used = (size_t)snprintf(out, RULESET_HINT_BYTES,
                                   nearest      ? "; did you mean \"%s\"?"
                                   : count == 0 ? "; there is none"
                                   : count == 1 ? "; there is %s"
                                                : "; there are %s",
                                   nearest ? nearest
                                   : count ? list[0]
                                           : "");
    for (uint32_t i = 1; !nearest && i < count && used < RULESET_HINT_BYTES / 2; i++) {
        bool last = used + strlen(list[i]) + 8 > RULESET_HINT_BYTES;
        used +=
            (size_t)snprintf(out + used, RULESET_HINT_BYTES - used, ", %s", last ? "..." : list[i]);
    }
    return out;
}

const char *ruleset_after(int64_t age_ms, char out[40]) {
    out[0] = '\0';
    if (age_ms > 0) snprintf(out, 40, ", after %g s", (double)age_ms / 1000);
    return out;
}

enum err ruleset_refuse_attribute(const struct ruleset *r, struct str name, const char *field,
                                  struct err_text *why) {
    const struct ruleset_names declared = {r->attributes, sizeof *r->attributes,
                                           offsetof(struct attribute_def, value.name),
                                           r->attribute_count};
    char hint[RULESET_HINT_BYTES];
    struct str shown = ruleset_excerpt(name);
    return ruleset_refuse(why, field, "\"%.*s\" is not declared in playerAttributes%s",
                          STR_PRINT(shown), ruleset_hint(name, &declared, hint));
}

bool ruleset_go_on(struct ruleset_told *t, enum err code) {
    if (!code) return true;
    if (!t->any && t->why) *t->why = t->one;
    t->any = true;
    problems_add(t->all, &t->one);
    return t->all != NULL;
}

struct str ruleset_excerpt(struct str s) {
    if (s.size <= 80) return s;
    size_t size = 80;
    while (size > 0 && ((unsigned char)s.at[size] & 0xC0) == 0x80)
        size--;
    return (struct str){s.at, size};
}

void ruleset_free(struct ruleset *r) {
    if (r) arena_free(r->arena); /* the ruleset itself is in it */
}

const struct ruleset_step *ruleset_step_at(const struct ruleset *r, int64_t age_ms) {
    uint32_t low = 0, high = r->step_count; /* the last step reached is in [low, high) */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (r->steps[middle].age_ms <= age_ms)
            low = middle;
        else
            high = middle;
    }
    return &r->steps[low];
}

const struct ruleset_limits *ruleset_limits_at(const struct ruleset *r, int64_t age_ms) {
    return &ruleset_step_at(r, age_ms)->limits;
}

int64_t ruleset_next_step_ms(const struct ruleset *r, int64_t age_ms) {
    const struct ruleset_step *next = ruleset_step_at(r, age_ms) + 1;
    return next < r->steps + r->step_count ? next->age_ms : INT64_MAX;
}

bool ruleset_age_is_newest(const struct ruleset *r) {
    return !r->age_is_oldest;
}

uint32_t ruleset_expansion_count(const struct ruleset *r) {
    bool all = r->expansion_count <= RULESET_EXPANSIONS_COUNTED;
    return all ? r->expansion_count : RULESET_EXPANSIONS_COUNTED;
}

struct ruleset_expansion ruleset_expansion(const struct ruleset *r, uint32_t index) {
    assert(index < r->expansion_count);
    const struct expansion_def *e = &r->expansions[index];
    return (struct ruleset_expansion){e->target, e->steps[0].wait_ms};
}

uint32_t ruleset_rule_count(const struct ruleset *r) {
    return r->rule_count;
}

struct str ruleset_rule_name(const struct ruleset *r, uint32_t index) {
    assert(index < r->rule_count);
    return r->rules[index].name;
}

const struct attribute_def *ruleset_attribute(const struct ruleset *r, struct str name) {
    for (uint32_t i = 0; i < r->attribute_count; i++) {
        if (str_equal(r->attributes[i].value.name, name)) return &r->attributes[i];
    }
    return NULL;
}

const struct attribute *ruleset_value(const struct player *p, const struct attribute_def *a) {
    const struct attribute *own = player_attribute(p, a->value.name);
    if (own) return own->kind == a->value.kind ? own : NULL;
    return a->has_default ? &a->value : NULL;
}

double ruleset_mean(const double *values, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    if (isfinite(sum)) return sum / count;
    double mean = 0; /* the sum overflowed: values near 1e308 */
    for (uint32_t i = 0; i < count; i++)
        mean += values[i] / count;
    return mean;
}

static bool player_number(const struct player *p, const struct attribute_def *a, double *out) {
    const struct attribute *v = ruleset_value(p, a);
    if (v) *out = v->number;
    return v != NULL;
}

bool ruleset_party_number(const struct ticket_spec *spec, const struct attribute_def *a,
                          enum party_aggregation party, double *out) {
    if (spec->player_count == 1) return player_number(&spec->players[0], a, out);
    MEM_UNCLEARED double values[LIMIT_TICKET_PLAYERS];
    double least = INFINITY, most = -INFINITY;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct attribute *v = ruleset_value(&spec->players[i], a);
        if (!v) return false;
        values[i] = v->number;
        if (v->number < least) least = v->number;
        if (v->number > most) most = v->number;
    }
    if (party == PARTY_MIN)
        *out = least;
    else if (party == PARTY_MAX)
        *out = most;
    else
        *out = ruleset_mean(values, spec->player_count);
    return true;
}

static const char *player_field(char field[96], uint32_t index, const char *member) {
    snprintf(field, 96, "players[%u].%s", index, member);
    return field;
}

static enum err admit_attribute(const struct attribute_def *a, const struct player *p,
                                uint32_t index, struct err_text *why) {
    const struct attribute *own = player_attribute(p, a->value.name);
    if (own ? own->kind == a->value.kind : a->has_default) return ERR_OK;
    char field[96];
    player_field(field, index, "attributes");
    const char *type = ruleset_type_names[a->value.kind];
    if (!own) {
        return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                             "player \"%.*s\" has no attribute \"%.*s\"; this queue needs it "
                             "(a %s) and has no default for it",
                             STR_PRINT(p->id), STR_PRINT(a->value.name), type);
    }
    return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                         "player \"%.*s\" has attribute \"%.*s\" as a %s; this queue needs a %s",
                         STR_PRINT(p->id), STR_PRINT(a->value.name), ruleset_type_names[own->kind],
                         type);
}

static enum err admit_latencies(const struct ruleset *r, const struct player *p, uint32_t index,
                                struct err_text *why) {
    char field[96];
    for (uint32_t i = 0; i < p->latency_count; i++) {
        if (ruleset_plays_in(r, p->latencies[i].region)) return ERR_OK;
    }
    player_field(field, index, "latencies_ms");
    if (p->latency_count == 0) {
        return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                             "player \"%.*s\" has no latencies; this queue has a latency rule and "
                             "needs at least one region's latency in ms",
                             STR_PRINT(p->id));
    }
    return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                         "player \"%.*s\" has a latency to none of this queue's regions; the first "
                         "of them is \"%.*s\"",
                         STR_PRINT(p->id), STR_PRINT(r->regions[0]));
}

static enum err admit_player(const struct ruleset *r, const struct player *p, uint32_t index,
                             struct err_text *why) {
    for (uint32_t i = 0; i < r->attribute_count; i++) {
        enum err code = admit_attribute(&r->attributes[i], p, index, why);
        if (code) return code;
    }
    return r->has_latency ? admit_latencies(r, p, index, why) : ERR_OK;
}

/* Players who must be in one match, as they are of one ticket. */
static enum err admit_partition(const struct ticket_spec *spec, const struct attribute_def *a,
                                struct err_text *why) {
    struct str first = ruleset_value(&spec->players[0], a)->text;
    for (uint32_t i = 1; i < spec->player_count; i++) {
        if (str_equal(ruleset_value(&spec->players[i], a)->text, first)) continue;
        char field[96];
        return err_set_field(why, ERR_INVALID_ARGUMENT, player_field(field, i, "attributes"),
                             "players \"%.*s\" and \"%.*s\" differ in \"%.*s\", which this "
                             "queue wants equal within a match",
                             STR_PRINT(spec->players[0].id), STR_PRINT(spec->players[i].id),
                             STR_PRINT(a->value.name));
    }
    return ERR_OK;
}

enum err ruleset_admit(const struct ruleset *r, const struct ticket_spec *spec,
                       struct err_text *why) {
    assert(spec->player_count > 0 && spec->player_count <= LIMIT_TICKET_PLAYERS);
    if (spec->player_count > r->team_players_max) {
        return err_set_field(why, ERR_INVALID_ARGUMENT, "players",
                             "the ticket has %u players; the largest team of this queue holds %u",
                             spec->player_count, r->team_players_max);
    }
    for (uint32_t i = 0; i < spec->player_count; i++) {
        enum err code = admit_player(r, &spec->players[i], i, why);
        if (code) return code;
    }
    for (uint32_t k = 0; k < r->partition_count; k++) {
        enum err code = admit_partition(spec, r->partition[k], why);
        if (code) return code;
    }
    enum err code = ruleset_avoid_admit(r, spec, why);
    return code ? code : ruleset_roles_admit(r, spec, why);
}
