/* ruleset_print.c - writes each section of a definition. */
#include "wire/ruleset_print.h"

#include "base/limits.h"
#include "wire/additions_json.h"

static void text_if_given(struct json_pretty *w, const char *name, struct str text) {
    if (text.size) json_pretty_text_member(w, name, text);
}

static void word_member(struct json_pretty *w, const char *name, const char *word) {
    json_pretty_text_member(w, name, str_of(word));
}

/* ---- attributes and teams ---- */

static void print_default(struct json_pretty *w, const struct attribute *a) {
    json_pretty_key(w, "default");
    switch (a->kind) {
    case ATTRIBUTE_NUMBER:
        json_pretty_number(w, a->number);
        return;
    case ATTRIBUTE_TEXT:
        json_pretty_text(w, a->text);
        return;
    case ATTRIBUTE_LIST:
        json_pretty_texts(w, a->items, a->item_count);
        return;
    case ATTRIBUTE_MAP:
        break;
    }
    json_t *map = json_object();
    for (uint32_t i = 0; i < a->item_count; i++) {
        json_object_setn_new(map, a->items[i].at, a->items[i].size, json_real(a->numbers[i]));
    }
    json_pretty_json(w, map);
    json_decref(map);
}

static void print_attributes(struct json_pretty *w, const struct ruleset_def *def) {
    if (def->attribute_count == 0) return;
    json_pretty_key(w, "playerAttributes");
    json_pretty_open(w, '[');
    for (uint32_t i = 0; i < def->attribute_count; i++) {
        const struct attribute_def *a = &def->attributes[i];
        json_pretty_item(w);
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "name", a->value.name);
        word_member(w, "type", ruleset_type_names[a->value.kind]);
        if (a->has_default) print_default(w, &a->value);
        json_pretty_close(w, '}');
    }
    json_pretty_close(w, ']');
}

static void print_teams(struct json_pretty *w, const struct ruleset_def *def) {
    json_pretty_key(w, "teams");
    json_pretty_open(w, '[');
    for (uint32_t i = 0; i < def->team_count; i++) {
        const struct team_def *t = &def->teams[i];
        json_pretty_item(w);
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "name", t->name);
        json_pretty_number_member(w, "minPlayers", t->players_min);
        json_pretty_number_member(w, "maxPlayers", t->players_max);
        if (t->quantity > 1) json_pretty_number_member(w, "quantity", t->quantity);
        json_pretty_close(w, '}');
    }
    json_pretty_close(w, ']');
}

/* ---- algorithm ---- */

static void print_algorithm(struct json_pretty *w, const struct algorithm_def *a) {
    bool given = a->is_balanced || a->batching || a->balanced.size || a->sort_by_count ||
                 a->backfill || a->age_is_oldest;
    if (!given) return;
    json_pretty_key(w, "algorithm");
    json_pretty_open(w, '{');
    if (a->is_balanced) word_member(w, "strategy", ruleset_strategy_names[1]);
    if (a->batching) word_member(w, "batchingPreference", ruleset_batching_names[a->batching]);
    text_if_given(w, "balancedAttribute", a->balanced);
    if (a->sort_by_count) {
        json_pretty_key(w, "sortByAttributes");
        json_pretty_texts(w, a->sort_by, a->sort_by_count);
    }
    if (a->backfill) word_member(w, "backfillPriority", ruleset_backfill_names[a->backfill]);
    if (a->age_is_oldest) word_member(w, "expansionAgeSelection", ruleset_age_names[1]);
    json_pretty_close(w, '}');
}

/* ---- rules ---- */

static void print_reference(struct json_pretty *w, const struct reference_def *d) {
    switch (d->kind) {
    case REFERENCE_NONE:
        return;
    case REFERENCE_NUMBER:
        json_pretty_number(w, d->number);
        return;
    case REFERENCE_TEXT:
        json_pretty_text(w, d->text);
        return;
    case REFERENCE_LIST:
        json_pretty_texts(w, d->items, d->item_count);
        return;
    }
}

/* What a rule of that kind has where nothing is given. */
static enum party_aggregation default_party(const struct rule_def *d) {
    if (d->kind == RULE_LATENCY) return PARTY_MAX;
    if (d->kind == RULE_COLLECTION) return d->collection == OP_CONTAINS ? PARTY_EACH : PARTY_UNION;
    return PARTY_AVG;
}

static void print_party(struct json_pretty *w, const struct rule_def *d) {
    if (d->party == default_party(d)) return;
    word_member(w, "partyAggregation",
                d->kind == RULE_COLLECTION ? ruleset_list_party_names[d->party - PARTY_UNION]
                                           : ruleset_party_names[d->party]);
}

static void print_expressions(struct json_pretty *w, const struct rule_def *d,
                              const char *operation) {
    json_pretty_key(w, "measurements");
    json_pretty_texts(w, d->measurements, d->measurement_count);
    if (operation) word_member(w, "operation", operation);
    if (d->reference.kind == REFERENCE_NONE) return;
    json_pretty_key(w, "referenceValue");
    print_reference(w, &d->reference);
}

static void print_bounds(struct json_pretty *w, const struct rule_def *d, const char *least,
                         const char *most) {
    if (d->has_min) json_pretty_number_member(w, least, d->min);
    if (d->has_max) json_pretty_number_member(w, most, d->max);
}

static void print_latency(struct json_pretty *w, const struct rule_def *d) {
    if (d->has_max) json_pretty_number_member(w, "maxLatency", d->max);
    if (d->has_distance) json_pretty_number_member(w, "maxDistance", d->distance);
    if (d->has_latency) word_member(w, "distanceReference", ruleset_latency_names[d->latency]);
}

static void print_sort(struct json_pretty *w, const struct rule_def *d) {
    word_member(w, "sortDirection", ruleset_direction_names[d->descending]);
    json_pretty_text_member(w, "sortAttribute", d->attribute);
    if (d->map_key != MAP_KEY_NONE)
        word_member(w, "mapKey", ruleset_map_key_names[d->map_key - MAP_KEY_MIN]);
}

static void print_kind(struct json_pretty *w, const struct rule_def *d) {
    switch (d->kind) {
    case RULE_ABSOLUTE_SORT:
    case RULE_DISTANCE_SORT:
        print_sort(w, d);
        return;
    case RULE_BATCH_DISTANCE:
        json_pretty_text_member(w, "batchAttribute", d->attribute);
        print_bounds(w, d, "minDistance", "maxDistance");
        return;
    case RULE_COLLECTION:
        print_expressions(w, d, ruleset_collection_names[d->collection]);
        print_bounds(w, d, "minCount", "maxCount");
        return;
    case RULE_COMPARISON:
        print_expressions(w, d, ruleset_operation_names[d->operation]);
        return;
    case RULE_COMPOUND:
        json_pretty_text_member(w, "statement", d->statement);
        return;
    case RULE_DISTANCE:
        print_expressions(w, d, NULL);
        print_bounds(w, d, "minDistance", "maxDistance");
        return;
    case RULE_LATENCY:
        print_latency(w, d);
        return;
    case RULE_ROLES:
    case RULE_AVOID:
        return; /* no document has them */
    }
}

static void print_rules(struct json_pretty *w, const struct ruleset_def *def) {
    if (def->rule_count == 0) return;
    json_pretty_key(w, "rules");
    json_pretty_open(w, '[');
    for (uint32_t i = 0; i < def->rule_count; i++) {
        const struct rule_def *d = &def->rules[i];
        json_pretty_item(w);
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "name", d->name);
        text_if_given(w, "description", d->description);
        word_member(w, "type", ruleset_kind_names[d->kind]);
        print_kind(w, d);
        print_party(w, d);
        json_pretty_close(w, '}');
    }
    json_pretty_close(w, ']');
}

/* ---- expansions ---- */

static void print_step(struct json_pretty *w, const struct step_def *s) {
    json_pretty_item(w);
    json_pretty_open(w, '{');
    json_pretty_number_member(w, "waitTimeSeconds", (double)s->wait_ms / 1000);
    json_pretty_key(w, "value");
    if (s->other.kind == REFERENCE_NONE)
        json_pretty_number(w, s->value);
    else
        print_reference(w, &s->other);
    json_pretty_close(w, '}');
}

static void print_expansions(struct json_pretty *w, const struct ruleset_def *def) {
    if (def->expansion_count == 0) return;
    json_pretty_key(w, "expansions");
    json_pretty_open(w, '[');
    for (uint32_t i = 0; i < def->expansion_count; i++) {
        const struct expansion_def *e = &def->expansions[i];
        json_pretty_item(w);
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "target", e->target);
        json_pretty_key(w, "steps");
        json_pretty_open(w, '[');
        for (uint32_t s = 0; s < e->step_count; s++)
            print_step(w, &e->steps[s]);
        json_pretty_close(w, ']');
        json_pretty_close(w, '}');
    }
    json_pretty_close(w, ']');
}

/* ---- Muster's additions ---- */

static void print_roles(struct json_pretty *w, const struct additions_def *a) {
    json_pretty_key(w, "roles");
    json_pretty_open(w, '{');
    json_pretty_text_member(w, "attribute", a->roles_attribute);
    if (a->role_points != ADDITIONS_JSON_ROLE_POINTS)
        json_pretty_number_member(w, "cost", a->role_points);
    json_pretty_key(w, "perTeam");
    json_pretty_open(w, '[');
    for (uint32_t i = 0; i < a->role_count; i++) {
        const struct role_def *role = &a->roles[i];
        json_pretty_item(w);
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "name", role->name);
        if (role->players_min) json_pretty_number_member(w, "minPlayers", role->players_min);
        if (role->players_max != LIMIT_MATCH_PLAYERS)
            json_pretty_number_member(w, "maxPlayers", role->players_max);
        if (role->team_count) {
            json_pretty_key(w, "teams");
            json_pretty_texts(w, role->teams, role->team_count);
        }
        json_pretty_close(w, '}');
    }
    json_pretty_close(w, ']');
    json_pretty_close(w, '}');
}

static void print_lists(struct json_pretty *w, const struct additions_def *a) {
    if (a->avoid_attribute.size) {
        json_pretty_key(w, "avoid");
        json_pretty_open(w, '{');
        json_pretty_text_member(w, "attribute", a->avoid_attribute);
        if (a->avoid_in_team) word_member(w, "scope", ruleset_scope_names[1]);
        json_pretty_close(w, '}');
    }
    if (!a->recent_attribute.size) return;
    json_pretty_key(w, "recent");
    json_pretty_open(w, '{');
    json_pretty_text_member(w, "attribute", a->recent_attribute);
    if (a->recent_points != ADDITIONS_JSON_RECENT_POINTS)
        json_pretty_number_member(w, "cost", a->recent_points);
    json_pretty_close(w, '}');
}

static void print_weights(struct json_pretty *w, const struct additions_def *a) {
    if (a->weight_count == 0) return;
    json_pretty_key(w, "weights");
    json_pretty_open(w, '{');
    for (uint32_t i = 0; i < a->weight_count; i++) /* the reader keeps a NUL behind texts */
        json_pretty_number_member(w, a->weights[i].rule.at, a->weights[i].points);
    json_pretty_close(w, '}');
}

static void print_additions(struct json_pretty *w, const struct additions_def *a) {
    bool given = a->roles_attribute.size || a->avoid_attribute.size || a->recent_attribute.size ||
                 a->weight_count || a->region_count;
    if (!given) return;
    json_pretty_key(w, "muster");
    json_pretty_open(w, '{');
    if (a->roles_attribute.size) print_roles(w, a);
    print_lists(w, a);
    print_weights(w, a);
    if (a->region_count) {
        json_pretty_key(w, "regions");
        json_pretty_texts(w, a->regions, a->region_count);
    }
    json_pretty_close(w, '}');
}

void ruleset_print(const struct ruleset_def *def, const json_t *settings, struct json_pretty *w) {
    static const char *const names[] = {"requestTimeoutSeconds", "acceptanceRequired",
                                        "acceptanceTimeoutSeconds"};
    json_pretty_open(w, '{');
    text_if_given(w, "name", def->name);
    word_member(w, "ruleLanguageVersion", "1.0");
    print_attributes(w, def);
    print_algorithm(w, &def->algorithm);
    print_teams(w, def);
    print_rules(w, def);
    print_expansions(w, def);
    print_additions(w, &def->additions);
    for (int i = 0; i < 3; i++) {
        const json_t *value = json_object_get(settings, names[i]);
        if (!value) continue;
        json_pretty_key(w, names[i]);
        json_pretty_setting(w, value);
    }
    json_pretty_close(w, '}');
}
