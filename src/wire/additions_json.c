/* additions_json.c - the members of the section `muster`, one table row each. */
#include "wire/additions_json.h"

#include "base/limits.h"

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])

static enum err read_name(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_TEXT, .low = 1, .high = LIMIT_NAME_BYTES};
    return json_read_value(r, value, &row, into);
}

#define ATTRIBUTE_ROW(member)                                                      \
    {                                                                              \
        .name = "attribute", .kind = READ_TEXT, .required = true, .low = 1,        \
        .high = LIMIT_NAME_BYTES, .offset = offsetof(struct additions_def, member) \
    }
#define COST_ROW(member)                                                         \
    {                                                                            \
        .name = "cost", .kind = READ_NUMBER, .low = 0, .high = RULESET_COST_MAX, \
        .offset = offsetof(struct additions_def, member)                         \
    }

/* ---- roles ---- */

static enum err read_role_teams(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct str), LIMIT_TEAMS, read_name};
    struct role_def *role = into;
    if (json_is_array(value) && json_array_size(value) == 0) {
        return json_read_refuse(r, "is empty; name a team, or leave it out for every team");
    }
    return json_read_items(r, value, &list, &role->teams, &role->team_count);
}

static const struct json_read_row role_rows[] = {
    {.name = "name",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct role_def, name)},
    {.name = "minPlayers",
     .kind = READ_COUNT,
     .high = LIMIT_MATCH_PLAYERS,
     .offset = offsetof(struct role_def, players_min)},
    {.name = "maxPlayers",
     .kind = READ_COUNT,
     .low = 1,
     .high = LIMIT_MATCH_PLAYERS,
     .offset = offsetof(struct role_def, players_max)},
    {.name = "teams", .kind = READ_CUSTOM, .read = read_role_teams},
};

static enum err read_role(struct json_reader *r, const json_t *value, void *into) {
    struct role_def *role = into;
    role->players_max = LIMIT_MATCH_PLAYERS;
    return json_read_object(r, value, ROWS(role_rows), role);
}

static enum err read_roles_list(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct role_def), RULESET_ROLES_MAX,
                                               read_role};
    struct additions_def *a = into;
    if (json_is_array(value) && json_array_size(value) == 0) {
        return json_read_refuse(r, "is empty; needs 1 or more");
    }
    return json_read_items(r, value, &list, &a->roles, &a->role_count);
}

static const struct json_read_row roles_rows[] = {
    ATTRIBUTE_ROW(roles_attribute),
    COST_ROW(role_points),
    {.name = "perTeam", .kind = READ_CUSTOM, .required = true, .read = read_roles_list},
};

static enum err read_roles(struct json_reader *r, const json_t *value, void *into) {
    struct additions_def *a = into;
    a->role_points = ADDITIONS_JSON_ROLE_POINTS;
    return json_read_object(r, value, ROWS(roles_rows), a);
}

/* ---- other players ---- */

static enum err read_scope(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_CHOICE, .choices = ruleset_scope_names};
    int choice = 0;
    enum err code = json_read_value(r, value, &row, &choice);
    ((struct additions_def *)into)->avoid_in_team = choice == 1;
    return code;
}

static const struct json_read_row avoid_rows[] = {
    ATTRIBUTE_ROW(avoid_attribute),
    {.name = "scope", .kind = READ_CUSTOM, .read = read_scope},
};

static enum err read_avoid(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(avoid_rows), into);
}

static const struct json_read_row recent_rows[] = {
    ATTRIBUTE_ROW(recent_attribute),
    COST_ROW(recent_points),
};

static enum err read_recent(struct json_reader *r, const json_t *value, void *into) {
    struct additions_def *a = into;
    a->recent_points = ADDITIONS_JSON_RECENT_POINTS;
    return json_read_object(r, value, ROWS(recent_rows), a);
}

/* ---- weights and regions ---- */

static enum err read_weights(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {
        .kind = READ_NUMBER, .low = 0, .high = RULESET_COST_MAX};
    if (!json_is_object(value)) {
        return json_read_refuse_value(r, value, "an object of rules' names and numbers");
    }
    size_t count = json_object_size(value);
    if (count > LIMIT_RULES) {
        return json_read_refuse(r, "has %zu members; at most %d", count, LIMIT_RULES);
    }
    struct additions_def *a = into;
    struct weight_def *weights = arena_alloc(r->arena, count * sizeof *weights);
    a->weights = weights;
    const char *name;
    json_t *member;
    enum err code = ERR_OK;
    json_object_foreach((json_t *)value, name, member) { /* the macro takes no const; reads only */
        struct weight_def *w = &weights[a->weight_count++];
        w->rule = arena_str(r->arena, str_of(name));
        size_t mark = json_read_enter(r, name, SIZE_MAX);
        enum err own = json_read_value(r, member, &row, &w->points);
        json_read_leave(r, mark);
        if (own) code = own;
        if (code && !r->problems) break;
    }
    return code;
}

static enum err read_regions(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct str), LIMIT_REGIONS, read_name};
    struct additions_def *a = into;
    if (json_is_array(value) && json_array_size(value) == 0) {
        return json_read_refuse(r, "is empty; name a region, or leave it out for any region");
    }
    return json_read_items(r, value, &list, &a->regions, &a->region_count);
}

static const struct json_read_row section_rows[] = {
    {.name = "roles", .kind = READ_CUSTOM, .read = read_roles},
    {.name = "avoid", .kind = READ_CUSTOM, .read = read_avoid},
    {.name = "recent", .kind = READ_CUSTOM, .read = read_recent},
    {.name = "weights", .kind = READ_CUSTOM, .read = read_weights},
    {.name = "regions", .kind = READ_CUSTOM, .read = read_regions},
};

enum err additions_json_read(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(section_rows), &((struct ruleset_def *)into)->additions);
}
