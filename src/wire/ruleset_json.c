/* ruleset_json.c - the members of a FlexMatch document, one table row each. */
#include "wire/ruleset_json.h"

#include "base/limits.h"
#include "model/ruleset_def.h"
#include "wire/additions_json.h"
#include "wire/json_read.h"
#include "wire/ruleset_print.h"

#include <math.h>
#include <string.h>

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])
#define MEASUREMENTS_MAX 32 /* per rule: refused */
#define EXPRESSION_BYTES_MAX 1000
#define STATEMENT_BYTES_MAX 4000
#define EXPANSIONS_MAX 128 /* two per rule: refused */

/* ---- playerAttributes ---- */

struct attribute_json {
    struct str name;
    int type;
    const json_t *fallback;
};

static const struct json_read_row attribute_rows[] = {
    {.name = "name",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct attribute_json, name)},
    {.name = "type",
     .kind = READ_CHOICE,
     .required = true,
     .choices = ruleset_type_names,
     .offset = offsetof(struct attribute_json, type)},
    {.name = "default", .kind = READ_VALUE, .offset = offsetof(struct attribute_json, fallback)},
};

static const struct json_read_row number_row = {
    .kind = READ_NUMBER, .low = -INFINITY, .high = INFINITY};
static const struct json_read_row text_row = {.kind = READ_TEXT, .high = LIMIT_TEXT_BYTES};

static enum err read_default_text(struct json_reader *r, const json_t *value, void *into) {
    return json_read_value(r, value, &text_row, into);
}

static enum err read_default_map(struct json_reader *r, const json_t *value,
                                 struct attribute *into) {
    if (!json_is_object(value)) return json_read_refuse_value(r, value, "an object of numbers");
    size_t count = json_object_size(value);
    if (count > LIMIT_MAP_ITEMS) {
        return json_read_refuse(r, "has %zu entries; at most %d", count, LIMIT_MAP_ITEMS);
    }
    struct str *keys = arena_alloc(r->arena, count * sizeof *keys);
    double *numbers = arena_alloc(r->arena, count * sizeof *numbers);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) { /* the macro takes no const; reads only */
        if (strlen(key) > LIMIT_TEXT_BYTES) {
            return json_read_refuse(r, "has a key of %zu bytes; at most %d", strlen(key),
                                    LIMIT_TEXT_BYTES);
        }
        keys[into->item_count] = arena_str(r->arena, str_of(key));
        size_t mark = json_read_enter(r, key, SIZE_MAX);
        enum err code = json_read_value(r, member, &number_row, &numbers[into->item_count]);
        json_read_leave(r, mark);
        if (code) return code;
        into->item_count++;
    }
    into->items = keys;
    into->numbers = numbers;
    return ERR_OK;
}

static enum err read_default(struct json_reader *r, const json_t *value, struct attribute *into) {
    static const struct json_read_list texts = {sizeof(struct str), LIMIT_LIST_ITEMS,
                                                read_default_text};
    switch (into->kind) {
    case ATTRIBUTE_NUMBER:
        return json_read_value(r, value, &number_row, &into->number);
    case ATTRIBUTE_TEXT:
        return json_read_value(r, value, &text_row, &into->text);
    case ATTRIBUTE_LIST:
        return json_read_items(r, value, &texts, &into->items, &into->item_count);
    case ATTRIBUTE_MAP:
        break;
    }
    return read_default_map(r, value, into);
}

static enum err read_attribute(struct json_reader *r, const json_t *value, void *into) {
    struct attribute_def *a = into;
    struct attribute_json j = {0};
    enum err code = json_read_object(r, value, ROWS(attribute_rows), &j);
    if (code) return code;
    a->value.name = j.name;
    a->value.kind = (enum attribute_kind)j.type;
    if (!j.fallback) return ERR_OK;
    a->has_default = true;
    size_t mark = json_read_enter(r, "default", SIZE_MAX);
    code = read_default(r, j.fallback, &a->value);
    json_read_leave(r, mark);
    return code;
}

/* ---- teams ---- */

static const struct json_read_row team_rows[] = {
    {.name = "name",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct team_def, name)},
    {.name = "minPlayers",
     .kind = READ_COUNT,
     .required = true,
     .high = LIMIT_MATCH_PLAYERS,
     .offset = offsetof(struct team_def, players_min)},
    {.name = "maxPlayers",
     .kind = READ_COUNT,
     .required = true,
     .low = 1,
     .high = LIMIT_MATCH_PLAYERS,
     .offset = offsetof(struct team_def, players_max)},
    {.name = "quantity",
     .kind = READ_COUNT,
     .low = 1,
     .high = LIMIT_TEAMS,
     .offset = offsetof(struct team_def, quantity)},
};

static enum err read_team(struct json_reader *r, const json_t *value, void *into) {
    struct team_def *t = into;
    t->quantity = 1;
    return json_read_object(r, value, ROWS(team_rows), t);
}

/* ---- algorithm ---- */

struct algorithm_json {
    int strategy, preference, age, backfill;
    bool has_preference;
    struct str balanced;
    const struct str *sort_by;
    uint32_t sort_by_count;
};

static enum err read_name(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_TEXT, .low = 1, .high = LIMIT_NAME_BYTES};
    return json_read_value(r, value, &row, into);
}

static enum err read_sort_by(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct str), LIMIT_ATTRIBUTES, read_name};
    struct algorithm_json *j = into;
    return json_read_items(r, value, &list, &j->sort_by, &j->sort_by_count);
}

static const struct json_read_row algorithm_rows[] = {
    {.name = "strategy",
     .kind = READ_CHOICE,
     .choices = ruleset_strategy_names,
     .offset = offsetof(struct algorithm_json, strategy)},
    {.name = "batchingPreference",
     .kind = READ_CHOICE,
     .choices = ruleset_batching_names + 1,
     .offset = offsetof(struct algorithm_json, preference),
     .given = offsetof(struct algorithm_json, has_preference)},
    {.name = "expansionAgeSelection",
     .kind = READ_CHOICE,
     .choices = ruleset_age_names,
     .offset = offsetof(struct algorithm_json, age)},
    {.name = "sortByAttributes", .kind = READ_CUSTOM, .read = read_sort_by},
    {.name = "balancedAttribute",
     .kind = READ_TEXT,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct algorithm_json, balanced)},
    {.name = "backfillPriority",
     .kind = READ_CHOICE,
     .choices = ruleset_backfill_names,
     .offset = offsetof(struct algorithm_json, backfill)},
};

static enum err read_algorithm(struct json_reader *r, const json_t *value, void *into) {
    struct ruleset_def *def = into;
    struct algorithm_json j = {0};
    enum err code = json_read_object(r, value, ROWS(algorithm_rows), &j);
    def->algorithm = (struct algorithm_def){
        .age_is_oldest = j.age == 1,
        .is_balanced = j.strategy == 1,
        .backfill = (enum ruleset_backfill)j.backfill,
        .batching =
            j.has_preference ? (enum batching)(BATCHING_RANDOM + j.preference) : BATCHING_UNSAID,
        .balanced = j.balanced,
        .sort_by = j.sort_by,
        .sort_by_count = j.sort_by_count,
    };
    return code;
}

/* ---- rules ---- */

static const struct json_read_row expression_row = {
    .kind = READ_TEXT, .low = 1, .high = EXPRESSION_BYTES_MAX};

static enum err read_expression(struct json_reader *r, const json_t *value, void *into) {
    return json_read_value(r, value, &expression_row, into);
}

/* A list of expressions, or one of them alone. */
static enum err read_measurements(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct str), MEASUREMENTS_MAX,
                                               read_expression};
    struct rule_def *d = into;
    if (json_is_string(value)) {
        struct str *one = arena_alloc(r->arena, sizeof *one);
        d->measurements = one;
        d->measurement_count = 1;
        return read_expression(r, value, one);
    }
    if (!json_is_array(value)) {
        return json_read_refuse_value(r, value, "an expression or a list of expressions");
    }
    if (json_array_size(value) == 0) return json_read_refuse(r, "is empty; needs 1 or more");
    return json_read_items(r, value, &list, &d->measurements, &d->measurement_count);
}

static enum err read_reference_value(struct json_reader *r, const json_t *value,
                                     struct reference_def *d) {
    static const struct json_read_list texts = {sizeof(struct str), LIMIT_LIST_ITEMS,
                                                read_default_text};
    if (json_is_number(value)) {
        d->kind = REFERENCE_NUMBER;
        d->number = json_number_value(value);
        return ERR_OK;
    }
    if (json_is_array(value)) {
        d->kind = REFERENCE_LIST;
        return json_read_items(r, value, &texts, &d->items, &d->item_count);
    }
    if (!json_is_string(value)) {
        return json_read_refuse_value(r, value, "a number, a string or an expression");
    }
    d->kind = REFERENCE_TEXT;
    return json_read_value(r, value, &expression_row, &d->text);
}

static enum err read_reference(struct json_reader *r, const json_t *value, void *into) {
    return read_reference_value(r, value, &((struct rule_def *)into)->reference);
}

static enum err read_count(struct json_reader *r, const json_t *value, double *out) {
    static const struct json_read_row row = {.kind = READ_COUNT, .high = RULESET_COUNT_MAX};
    uint32_t count = 0;
    enum err code = json_read_value(r, value, &row, &count);
    *out = count;
    return code;
}

static enum err read_min_count(struct json_reader *r, const json_t *value, void *into) {
    return read_count(r, value, &((struct rule_def *)into)->min);
}

static enum err read_max_count(struct json_reader *r, const json_t *value, void *into) {
    return read_count(r, value, &((struct rule_def *)into)->max);
}

static enum err read_list_party(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_CHOICE,
                                             .choices = ruleset_list_party_names};
    int choice = 0;
    enum err code = json_read_value(r, value, &row, &choice);
    ((struct rule_def *)into)->party = (enum party_aggregation)(PARTY_UNION + choice);
    return code;
}

static enum err read_direction(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_CHOICE,
                                             .choices = ruleset_direction_names};
    int choice = 0;
    enum err code = json_read_value(r, value, &row, &choice);
    ((struct rule_def *)into)->descending = choice == 1;
    return code;
}

static enum err read_map_key(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_CHOICE, .choices = ruleset_map_key_names};
    int choice = 0;
    enum err code = json_read_value(r, value, &row, &choice);
    ((struct rule_def *)into)->map_key = choice == 1 ? MAP_KEY_MAX : MAP_KEY_MIN;
    return code;
}

#define RULE_ROWS                                                                 \
    {.name = "name",                                                              \
     .kind = READ_TEXT,                                                           \
     .required = true,                                                            \
     .low = 1,                                                                    \
     .high = LIMIT_NAME_BYTES,                                                    \
     .offset = offsetof(struct rule_def, name)},                                  \
        {.name = "description",                                                   \
         .kind = READ_TEXT,                                                       \
         .high = 1000,                                                            \
         .offset = offsetof(struct rule_def, description)},                       \
    {                                                                             \
        .name = "type", .kind = READ_CUSTOM, .required = true, .read = skip_value \
    }
#define PARTY_ROW                                                                        \
    {                                                                                    \
        .name = "partyAggregation", .kind = READ_CHOICE, .choices = ruleset_party_names, \
        .offset = offsetof(struct rule_def, party)                                       \
    }
#define MEASUREMENTS_ROW \
    { .name = "measurements", .kind = READ_CUSTOM, .required = true, .read = read_measurements }
#define REFERENCE_ROW(is_required)                                              \
    {                                                                           \
        .name = "referenceValue", .kind = READ_CUSTOM, .required = is_required, \
        .read = read_reference                                                  \
    }
#define MAX_DISTANCE_ROW                                                                      \
    {                                                                                         \
        .name = "maxDistance", .kind = READ_NUMBER, .low = 0, .high = INFINITY,               \
        .offset = offsetof(struct rule_def, max), .given = offsetof(struct rule_def, has_max) \
    }

/* `type` was read before the rows could be chosen. */
static enum err skip_value(struct json_reader *r, const json_t *value, void *into) {
    (void)r, (void)value, (void)into;
    return ERR_OK;
}

static const struct json_read_row batch_distance_rows[] = {
    RULE_ROWS,
    {.name = "batchAttribute",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct rule_def, attribute)},
    MAX_DISTANCE_ROW,
    PARTY_ROW,
    {.name = "minDistance", .kind = READ_REFUSED},
};

static const struct json_read_row collection_rows[] = {
    RULE_ROWS,
    MEASUREMENTS_ROW,
    REFERENCE_ROW(false),
    {.name = "operation",
     .kind = READ_CHOICE,
     .required = true,
     .choices = ruleset_collection_names,
     .offset = offsetof(struct rule_def, collection)},
    {.name = "minCount",
     .kind = READ_CUSTOM,
     .read = read_min_count,
     .given = offsetof(struct rule_def, has_min)},
    {.name = "maxCount",
     .kind = READ_CUSTOM,
     .read = read_max_count,
     .given = offsetof(struct rule_def, has_max)},
    {.name = "partyAggregation", .kind = READ_CUSTOM, .read = read_list_party},
};

static const struct json_read_row comparison_rows[] = {
    RULE_ROWS,
    MEASUREMENTS_ROW,
    REFERENCE_ROW(false),
    {.name = "operation",
     .kind = READ_CHOICE,
     .required = true,
     .choices = ruleset_operation_names,
     .offset = offsetof(struct rule_def, operation)},
    PARTY_ROW,
};

static const struct json_read_row distance_rows[] = {
    RULE_ROWS,
    MEASUREMENTS_ROW,
    REFERENCE_ROW(true),
    MAX_DISTANCE_ROW,
    {.name = "minDistance",
     .kind = READ_NUMBER,
     .low = 0,
     .high = INFINITY,
     .offset = offsetof(struct rule_def, min),
     .given = offsetof(struct rule_def, has_min)},
    PARTY_ROW,
};

static const struct json_read_row latency_rows[] = {
    RULE_ROWS,
    {.name = "maxLatency",
     .kind = READ_NUMBER,
     .low = 1,
     .high = LIMIT_LATENCY_MS,
     .offset = offsetof(struct rule_def, max),
     .given = offsetof(struct rule_def, has_max)},
    {.name = "maxDistance",
     .kind = READ_NUMBER,
     .high = INFINITY,
     .offset = offsetof(struct rule_def, distance),
     .given = offsetof(struct rule_def, has_distance)},
    {.name = "distanceReference",
     .kind = READ_CHOICE,
     .choices = ruleset_latency_names,
     .offset = offsetof(struct rule_def, latency),
     .given = offsetof(struct rule_def, has_latency)},
    PARTY_ROW,
};

static const struct json_read_row sort_rows[] = {
    RULE_ROWS,
    {.name = "sortDirection", .kind = READ_CUSTOM, .required = true, .read = read_direction},
    {.name = "sortAttribute",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct rule_def, attribute)},
    {.name = "mapKey", .kind = READ_CUSTOM, .read = read_map_key},
    PARTY_ROW,
};

static const struct json_read_row compound_rows[] = {
    RULE_ROWS,
    {.name = "statement",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = STATEMENT_BYTES_MAX,
     .offset = offsetof(struct rule_def, statement)},
};

static const struct rule_table {
    const struct json_read_row *rows;
    size_t count;
} rule_tables[] = {
    [RULE_ABSOLUTE_SORT] = {ROWS(sort_rows)},
    [RULE_BATCH_DISTANCE] = {ROWS(batch_distance_rows)},
    [RULE_COLLECTION] = {ROWS(collection_rows)},
    [RULE_COMPARISON] = {ROWS(comparison_rows)},
    [RULE_COMPOUND] = {ROWS(compound_rows)},
    [RULE_DISTANCE] = {ROWS(distance_rows)},
    [RULE_DISTANCE_SORT] = {ROWS(sort_rows)},
    [RULE_LATENCY] = {ROWS(latency_rows)},
};

static enum err read_rule(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row type_row = {.kind = READ_CHOICE,
                                                  .choices = ruleset_kind_names};
    if (!json_is_object(value)) return json_read_refuse_value(r, value, "an object");
    const json_t *type = json_object_get(value, "type");
    int kind = 0;
    size_t mark = json_read_enter(r, "type", SIZE_MAX);
    enum err code =
        type ? json_read_value(r, type, &type_row, &kind) : json_read_refuse(r, "is missing");
    json_read_leave(r, mark);
    if (code) return code;
    struct rule_def *d = into;
    d->kind = (enum rule_kind)kind;
    if (d->kind == RULE_COLLECTION) d->party = PARTY_EACH; /* until partyAggregation is read */
    if (d->kind == RULE_LATENCY) d->party = PARTY_MAX;
    code = json_read_object(r, value, rule_tables[kind].rows, rule_tables[kind].count, d);
    if (d->party == PARTY_EACH && d->collection != OP_CONTAINS) d->party = PARTY_UNION;
    if (!code && d->kind == RULE_LATENCY && d->max != floor(d->max)) {
        mark = json_read_enter(r, "maxLatency", SIZE_MAX);
        code = json_read_refuse(r, "is %g; must be a whole number of milliseconds", d->max);
        json_read_leave(r, mark);
    }
    return code;
}

/* ---- expansions ---- */

/* A number; or what a reference of texts becomes. A numeric string is both. */
static enum err read_step_value(struct json_reader *r, const json_t *value, void *into) {
    struct step_def *s = into;
    bool is_number =
        json_is_number(value) ||
        (json_is_string(value) && str_to_double(str_of(json_string_value(value)), &s->value));
    enum err code = ERR_OK;
    if (!json_is_number(value)) code = read_reference_value(r, value, &s->other);
    return !code && is_number ? json_read_value(r, value, &number_row, &s->value) : code;
}

static const struct json_read_row step_rows[] = {
    {.name = "waitTimeSeconds",
     .kind = READ_MS,
     .required = true,
     .high = RULESET_WAIT_S_MAX,
     .offset = offsetof(struct step_def, wait_ms)},
    {.name = "value", .kind = READ_CUSTOM, .required = true, .read = read_step_value},
};

static enum err read_step(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(step_rows), into);
}

static enum err read_steps(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct step_def), LIMIT_EXPANSION_STEPS,
                                               read_step};
    struct expansion_def *e = into;
    if (json_is_array(value) && json_array_size(value) == 0) {
        return json_read_refuse(r, "is empty; needs 1 or more");
    }
    return json_read_items(r, value, &list, &e->steps, &e->step_count);
}

static const struct json_read_row expansion_rows[] = {
    {.name = "target",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = EXPRESSION_BYTES_MAX,
     .offset = offsetof(struct expansion_def, target)},
    {.name = "steps", .kind = READ_CUSTOM, .required = true, .read = read_steps},
};

static enum err read_expansion(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(expansion_rows), into);
}

/* ---- the document ---- */

static enum err read_version(struct json_reader *r, const json_t *value, void *into) {
    (void)into;
    const char *text = json_string_value(value);
    if (text && strcmp(text, "1.0") == 0) return ERR_OK;
    return json_read_refuse_value(r, value, "the string \"1.0\"");
}

static enum err read_attributes(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct attribute_def), LIMIT_ATTRIBUTES,
                                               read_attribute};
    struct ruleset_def *def = into;
    return json_read_items(r, value, &list, &def->attributes, &def->attribute_count);
}

static enum err read_teams(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct team_def), LIMIT_TEAMS, read_team};
    struct ruleset_def *def = into;
    return json_read_items(r, value, &list, &def->teams, &def->team_count);
}

static enum err read_rules(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct rule_def), LIMIT_RULES, read_rule};
    struct ruleset_def *def = into;
    return json_read_items(r, value, &list, &def->rules, &def->rule_count);
}

static enum err read_expansions(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_list list = {sizeof(struct expansion_def), EXPANSIONS_MAX,
                                               read_expansion};
    struct ruleset_def *def = into;
    return json_read_items(r, value, &list, &def->expansions, &def->expansion_count);
}

/* What follows is checked here; the queue takes it from the document. */

enum err ruleset_json_acceptance(struct json_reader *r, const json_t *value, void *into) {
    (void)into;
    if (json_is_boolean(value)) return ERR_OK;
    return json_read_refuse_value(r, value, "true or false");
}

enum err ruleset_json_acceptance_time(struct json_reader *r, const json_t *value, void *into) {
    (void)into;
    int64_t ignored;
    return json_read_value(r, value, &ruleset_json_acceptance_row, &ignored);
}

const struct json_read_row ruleset_json_acceptance_row = {.kind = READ_MS, .low = 1, .high = 600};

static enum err read_request_timeout(struct json_reader *r, const json_t *value, void *into) {
    (void)into;
    int64_t ignored;
    return json_read_value(r, value, &ruleset_json_timeout_row, &ignored);
}

const struct json_read_row ruleset_json_timeout_row = {
    .kind = READ_MS, .low = 1, .high = RULESET_WAIT_S_MAX};

static const struct json_read_row ruleset_rows[] = {
    {.name = "name", .kind = READ_TEXT, .high = 128, .offset = offsetof(struct ruleset_def, name)},
    {.name = "ruleLanguageVersion", .kind = READ_CUSTOM, .required = true, .read = read_version},
    {.name = "playerAttributes", .kind = READ_CUSTOM, .read = read_attributes},
    {.name = "algorithm", .kind = READ_CUSTOM, .read = read_algorithm},
    {.name = "teams", .kind = READ_CUSTOM, .required = true, .read = read_teams},
    {.name = "rules", .kind = READ_CUSTOM, .read = read_rules},
    {.name = "expansions", .kind = READ_CUSTOM, .read = read_expansions},
    {.name = "muster", .kind = READ_CUSTOM, .read = additions_json_read},
    {.name = "acceptanceRequired", .kind = READ_CUSTOM, .read = ruleset_json_acceptance},
    {.name = "acceptanceTimeoutSeconds", .kind = READ_CUSTOM, .read = ruleset_json_acceptance_time},
    {.name = "requestTimeoutSeconds", .kind = READ_CUSTOM, .read = read_request_timeout},
};

enum err ruleset_json_read(const json_t *document, const struct ruleset_reading *x,
                           struct ruleset **out) {
    *out = NULL;
    struct json_reader r = {.arena = arena_new(0),
                            .notes = x->notes,
                            .why = x->why,
                            .problems = x->problems,
                            .root = "ruleset"};
    struct ruleset_def def = {.allow_shrinking = x->allow_shrinking, .problems = x->problems};
    enum err code = json_read_object(&r, document, ROWS(ruleset_rows), &def);
    if (!code) code = ruleset_build(r.arena, &def, out, x->notes, x->why);
    if (!code && x->print) ruleset_print(&def, document, x->print);
    if (code) arena_free(r.arena);
    return code;
}
