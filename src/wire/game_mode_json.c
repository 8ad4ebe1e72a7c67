/* game_mode_json.c - an older game mode becomes teams, one skill rule and one latency rule. */
#include "wire/game_mode_json.h"

#include "base/limits.h"
#include "model/ruleset_def.h"
#include "wire/json_read.h"
#include "wire/ruleset_print.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])

struct mode_json {
    struct str description;
    uint32_t team_size, team_count, least_queued, latency_ms_max;
    bool has_least_queued, has_latency;
    double tolerance;
    struct step_def *steps;
    uint32_t step_count;
};

static const struct json_read_row step_rows[] = {
    {.name = "afterSeconds",
     .kind = READ_MS,
     .required = true,
     .high = RULESET_WAIT_S_MAX,
     .offset = offsetof(struct step_def, wait_ms)},
    {.name = "newTolerance",
     .kind = READ_NUMBER,
     .required = true,
     .high = INFINITY,
     .offset = offsetof(struct step_def, value)},
};

static enum err read_step(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(step_rows), into);
}

static enum err read_steps(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct step_def), LIMIT_EXPANSION_STEPS,
                                               read_step};
    struct mode_json *m = into;
    return json_read_items(r, value, &list, &m->steps, &m->step_count);
}

static const struct json_read_row mode_rows[] = {
    {.name = "description",
     .kind = READ_TEXT,
     .high = 1000,
     .offset = offsetof(struct mode_json, description)},
    {.name = "teamSize",
     .kind = READ_COUNT,
     .required = true,
     .low = 1,
     .high = LIMIT_MATCH_PLAYERS,
     .offset = offsetof(struct mode_json, team_size)},
    {.name = "numTeams",
     .kind = READ_COUNT,
     .required = true,
     .low = 1,
     .high = LIMIT_TEAMS,
     .offset = offsetof(struct mode_json, team_count)},
    {.name = "minQueueSizeForMatch",
     .kind = READ_COUNT,
     .low = 0,
     .high = 1e9,
     .offset = offsetof(struct mode_json, least_queued),
     .given = offsetof(struct mode_json, has_least_queued)},
    {.name = "skillTolerance",
     .kind = READ_NUMBER,
     .required = true,
     .high = INFINITY,
     .offset = offsetof(struct mode_json, tolerance)},
    {.name = "expandSearchSteps", .kind = READ_CUSTOM, .read = read_steps},
    {.name = "maxLatency",
     .kind = READ_COUNT,
     .low = 1,
     .high = LIMIT_LATENCY_MS,
     .offset = offsetof(struct mode_json, latency_ms_max),
     .given = offsetof(struct mode_json, has_latency)},
};

/* Refuses at expandSearchSteps[index].member. */
static enum err refuse_step(struct json_reader *r, uint32_t index, const char *member,
                            const char *text) {
    size_t mark = json_read_enter(r, "expandSearchSteps", SIZE_MAX);
    (void)json_read_enter(r, NULL, index);
    (void)json_read_enter(r, member, SIZE_MAX);
    enum err code = json_read_refuse(r, "%s", text);
    json_read_leave(r, mark);
    return code;
}

static enum err check_steps(struct json_reader *r, const struct mode_json *m, bool may_shrink) {
    double before = m->tolerance;
    char text[200];
    for (uint32_t i = 0; i < m->step_count; i++) {
        const struct step_def *s = &m->steps[i];
        if (i > 0 && s->wait_ms <= s[-1].wait_ms) {
            (void)snprintf(text, sizeof text, "is %g, not after the step before it, which is at %g",
                           (double)s->wait_ms / 1000, (double)s[-1].wait_ms / 1000);
            return refuse_step(r, i, "afterSeconds", text);
        }
        if (s->value < before && !may_shrink) {
            (void)snprintf(text, sizeof text,
                           "is %g, narrower than the %g before it: the tolerance would shrink "
                           "after %g s; put it with allow_shrinking if that is meant",
                           s->value, before, (double)s->wait_ms / 1000);
            return refuse_step(r, i, "newTolerance", text);
        }
        before = s->value;
    }
    return ERR_OK;
}

static enum err check_mode(struct json_reader *r, const struct mode_json *m, bool may_shrink) {
    uint64_t players = (uint64_t)m->team_size * m->team_count;
    if (players > LIMIT_MATCH_PLAYERS) {
        return json_read_refuse(r, "has teamSize %u x numTeams %u = %llu players; at most %d",
                                m->team_size, m->team_count, (unsigned long long)players,
                                LIMIT_MATCH_PLAYERS);
    }
    if (m->has_least_queued && m->least_queued != players && r->notes) {
        strbuf_printf(r->notes,
                      "%s.minQueueSizeForMatch %u has no effect: a match is made as soon as its %u "
                      "players are there\n",
                      r->path, m->least_queued, (unsigned)players);
    }
    return check_steps(r, m, may_shrink);
}

static void define(struct arena *arena, const struct mode_json *m, struct ruleset_def *def) {
    static const struct str skill = {"skill", 5};
    struct attribute_def *attribute = arena_alloc(arena, sizeof *attribute);
    attribute->value = (struct attribute){.name = skill, .kind = ATTRIBUTE_NUMBER};
    struct team_def *team = arena_alloc(arena, sizeof *team);
    *team = (struct team_def){.name = m->team_count == 1 ? STR("team_1") : STR("team"),
                              .players_min = m->team_size,
                              .players_max = m->team_size,
                              .quantity = m->team_count};
    struct rule_def *rules = arena_alloc(arena, 2 * sizeof *rules);
    rules[0] = (struct rule_def){.name = STR("skillTolerance"),
                                 .kind = RULE_BATCH_DISTANCE,
                                 .attribute = skill,
                                 .has_max = true,
                                 .max = m->tolerance};
    rules[1] = (struct rule_def){.name = STR("maxLatency"),
                                 .kind = RULE_LATENCY,
                                 .has_max = true,
                                 .max = m->latency_ms_max,
                                 .party = PARTY_MAX};
    struct expansion_def *expansion = arena_alloc(arena, sizeof *expansion);
    *expansion = (struct expansion_def){.target = STR("rules[skillTolerance].maxDistance"),
                                        .steps = m->steps,
                                        .step_count = m->step_count};
    *def = (struct ruleset_def){.algorithm.age_is_oldest = true,
                                .attributes = attribute,
                                .teams = team,
                                .rules = rules,
                                .expansions = expansion,
                                .attribute_count = 1,
                                .team_count = 1,
                                .rule_count = m->has_latency ? 2 : 1,
                                .expansion_count = m->step_count ? 1 : 0};
}

enum err game_mode_json_read(const json_t *definition, const struct ruleset_reading *x,
                             struct ruleset **out) {
    assert(json_object_size(definition) == 1);
    *out = NULL;
    struct json_reader r = {.arena = arena_new(0),
                            .notes = x->notes,
                            .why = x->why,
                            .problems = x->problems,
                            .root = "game mode"};
    void *only = json_object_iter((json_t *)definition); /* takes no const; reads only */
    (void)json_read_enter(&r, json_object_iter_key(only), SIZE_MAX);
    struct mode_json m = {0};
    struct ruleset_def def;
    enum err code = json_read_object(&r, json_object_iter_value(only), ROWS(mode_rows), &m);
    if (!code) code = check_mode(&r, &m, x->allow_shrinking);
    if (!code) {
        define(r.arena, &m, &def);
        def.allow_shrinking = x->allow_shrinking;
        def.problems = x->problems;
        code = ruleset_build(r.arena, &def, out, x->notes, x->why);
        if (!code && x->print) ruleset_print(&def, NULL, x->print);
    }
    if (code) arena_free(r.arena);
    return code;
}
