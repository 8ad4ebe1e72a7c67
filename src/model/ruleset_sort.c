/* ruleset_sort.c - sort rules and the algorithm section: in which order candidates are tried. */
#include "model/ruleset_def.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* ---- build ---- */

static enum err add_sort(struct ruleset_order *order, const struct ruleset_sort *sort,
                         struct ruleset_place at) {
    if (order->sort_count == RULESET_SORTS_MAX) {
        return ruleset_refuse(at.why, at.field, "is one sort too many; at most %d",
                              RULESET_SORTS_MAX);
    }
    order->sorts[order->sort_count++] = *sort;
    return ERR_OK;
}

static enum err find_attribute(const struct ruleset *r, struct str name, struct ruleset_place at,
                               const struct attribute_def **out) {
    *out = ruleset_attribute(r, name);
    if (*out) return ERR_OK;
    return ruleset_refuse_attribute(r, name, at.field, at.why);
}

enum err ruleset_sort_rule(struct ruleset *r, const struct rule_def *d, uint32_t index,
                           struct err_text *why) {
    struct ruleset_sort sort = {.kind =
                                    d->kind == RULE_ABSOLUTE_SORT ? SORT_ABSOLUTE : SORT_DISTANCE,
                                .descending = d->descending,
                                .map_key = d->map_key,
                                .party = d->party};
    char field[96];
    snprintf(field, sizeof field, "rules[%u].sortAttribute", index);
    struct ruleset_place at = {field, why};
    enum err code = find_attribute(r, d->attribute, at, &sort.attribute);
    if (code) return code;
    enum attribute_kind kind = sort.attribute->value.kind;
    if (kind != ATTRIBUTE_NUMBER && kind != ATTRIBUTE_MAP) {
        return ruleset_refuse(why, field,
                              "\"%.*s\" is a %s; a sort takes a number or a string_number_map",
                              STR_PRINT(d->attribute), ruleset_type_names[kind]);
    }
    snprintf(field, sizeof field, "rules[%u].mapKey", index);
    if (kind == ATTRIBUTE_MAP && d->map_key == MAP_KEY_NONE) {
        return ruleset_refuse(why, field,
                              "is missing; a sort by a string_number_map needs it: "
                              "minValue or maxValue");
    }
    if (kind == ATTRIBUTE_NUMBER && d->map_key != MAP_KEY_NONE) {
        return ruleset_refuse(why, field, "has no meaning for the number \"%.*s\"",
                              STR_PRINT(d->attribute));
    }
    snprintf(field, sizeof field, "rules[%u]", index);
    return add_sort(&r->first_order, &sort, at);
}

static enum err build_sorted(const struct ruleset *r, const struct algorithm_def *a, bool later,
                             struct ruleset_order *order, struct err_text *why) {
    bool sorted = a->batching == BATCHING_SORTED;
    if (!sorted && later) return ERR_OK;
    if (sorted != (a->sort_by_count > 0)) {
        return ruleset_refuse(why, "algorithm.sortByAttributes",
                              sorted ? "is missing; batchingPreference sorted needs it"
                                     : "has no meaning without batchingPreference sorted");
    }
    for (uint32_t i = 0; i < a->sort_by_count; i++) {
        char field[96];
        snprintf(field, sizeof field, "algorithm.sortByAttributes[%u]", i);
        struct ruleset_place at = {field, why};
        struct ruleset_sort sort = {.kind = SORT_DISTANCE, .party = PARTY_AVG};
        enum err code = find_attribute(r, a->sort_by[i], at, &sort.attribute);
        if (code) return code;
        enum attribute_kind kind = sort.attribute->value.kind;
        if (kind != ATTRIBUTE_NUMBER && kind != ATTRIBUTE_TEXT) {
            return ruleset_refuse(why, field, "\"%.*s\" is a %s; must be a number or a string",
                                  STR_PRINT(a->sort_by[i]), ruleset_type_names[kind]);
        }
        code = add_sort(order, &sort, at);
        if (code) return code;
    }
    return ERR_OK;
}

static enum err build_balanced(struct ruleset *r, const struct algorithm_def *a, bool later,
                               struct ruleset_order *order, struct err_text *why) {
    static const char field[] = "algorithm.balancedAttribute";
    struct ruleset_place at = {field, why};
    if (!a->is_balanced && later) return ERR_OK;
    if (a->is_balanced != (a->balanced.size > 0)) {
        return ruleset_refuse(why, field,
                              a->is_balanced ? "is missing; strategy balanced needs it"
                                             : "has no meaning without strategy balanced");
    }
    if (!a->is_balanced) return ERR_OK;
    enum err code = find_attribute(r, a->balanced, at, &order->balance);
    if (code) return code;
    enum attribute_kind kind = order->balance->value.kind;
    if (kind != ATTRIBUTE_NUMBER) {
        return ruleset_refuse(why, field, "\"%.*s\" is a %s; must be a number",
                              STR_PRINT(a->balanced), ruleset_type_names[kind]);
    }
    if (!r->balance) r->balance = order->balance;
    struct ruleset_sort region = {.kind = SORT_REGION};
    struct ruleset_sort alike = {
        .kind = SORT_DISTANCE, .party = PARTY_AVG, .attribute = order->balance};
    if (a->batching == BATCHING_FASTEST_REGION) code = add_sort(order, &region, at);
    return code ? code : add_sort(order, &alike, at);
}

enum err ruleset_sort_build(struct ruleset *r, const struct algorithm_def *a,
                            struct ruleset_later later, struct ruleset_order *order,
                            struct err_text *why) {
    bool of_balanced =
        a->batching == BATCHING_LARGEST_POPULATION || a->batching == BATCHING_FASTEST_REGION;
    order->batching = a->batching;
    order->backfill =
        a->is_balanced ? BACKFILL_HIGH : a->backfill; /* as published: it comes first */
    if (a->batching != BATCHING_UNSAID && of_balanced != a->is_balanced) {
        return ruleset_refuse(
            why, "algorithm.batchingPreference",
            "\"%s\" does not go with strategy %s, which takes %s",
            ruleset_batching_names[a->batching], ruleset_strategy_names[a->is_balanced],
            a->is_balanced ? "largestPopulation, fastestRegion" : "random, sorted");
    }
    enum err code = build_sorted(r, a, later.batching, order, why);
    if (!code) code = build_balanced(r, a, later.strategy, order, why);
    if (order->sort_count > r->rank_size) r->rank_size = order->sort_count;
    return code;
}

/* ---- rank ---- */

/* The ticket's number under a map's key; false when no player has it. */
static bool party_map_number(const struct ticket_spec *spec, const struct ruleset_sort *sort,
                             struct str key, double *out) {
    double values[LIMIT_TICKET_PLAYERS], least = INFINITY, most = -INFINITY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct attribute *v = ruleset_value(&spec->players[i], sort->attribute);
        for (uint32_t k = 0; v && k < v->item_count; k++) {
            if (!str_equal(v->items[k], key)) continue;
            least = fmin(least, v->numbers[k]);
            most = fmax(most, v->numbers[k]);
            values[count++] = v->numbers[k];
            break; /* keys are unique in a ticket; a default's are, too */
        }
    }
    if (count == 0) return false;
    *out = sort->party == PARTY_MIN   ? least
           : sort->party == PARTY_MAX ? most
                                      : ruleset_mean(values, count);
    return true;
}

/* The anchor's key of smallest or largest value, the first by name among equals; empty: none. */
static struct str anchor_key(const struct ticket_spec *anchor, const struct ruleset_sort *sort) {
    struct str best = STR_EMPTY;
    double best_value = 0;
    for (uint32_t i = 0; i < anchor->player_count; i++) {
        const struct attribute *v = ruleset_value(&anchor->players[i], sort->attribute);
        for (uint32_t k = 0; v && k < v->item_count; k++) {
            double value;
            if (!party_map_number(anchor, sort, v->items[k], &value)) continue;
            bool better = !best.at ||
                          (sort->map_key == MAP_KEY_MIN ? value < best_value : value > best_value);
            bool equal = best.at && value == best_value;
            if (!better && !(equal && str_compare(v->items[k], best) < 0)) continue;
            best = v->items[k];
            best_value = value;
        }
    }
    return best;
}

static bool sort_number(const struct ticket_spec *spec, const struct ruleset_sort *sort,
                        struct str key, double *out) {
    if (sort->attribute->value.kind == ATTRIBUTE_MAP) {
        return party_map_number(spec, sort, key, out);
    }
    return ruleset_party_number(spec, sort->attribute, sort->party, out);
}

/* 0 where all players of both tickets have the anchor's first text, else 1. */
static double text_distance(const struct ruleset_sort *sort, const struct ticket_spec *anchor,
                            const struct ticket_spec *spec) {
    const struct attribute *first = ruleset_value(&anchor->players[0], sort->attribute);
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct attribute *v = ruleset_value(&spec->players[i], sort->attribute);
        if (!first || !v || !str_equal(first->text, v->text)) return 1;
    }
    return 0;
}

/* The ticket's mean latency to the region; INFINITY when a player has none. */
static double mean_ms(const struct ticket_spec *spec, struct str region) {
    double sum = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        int32_t ms = player_latency_ms(&spec->players[i], region);
        if (ms == 0) return INFINITY;
        sum += ms;
    }
    return sum / spec->player_count;
}

/* How many regions are faster for the ticket than the anchor's fastest: 0 is its fastest, too. */
static double region_rank(const struct ruleset *r, const struct ticket_spec *anchor,
                          const struct ticket_spec *spec) {
    const struct player *p = &anchor->players[0];
    struct str fastest = STR_EMPTY;
    double best = INFINITY;
    for (uint32_t i = 0; i < p->latency_count; i++) {
        double ms = mean_ms(anchor, p->latencies[i].region);
        if (ms < best && ruleset_plays_in(r, p->latencies[i].region)) {
            best = ms;
            fastest = p->latencies[i].region;
        }
    }
    double own = fastest.at ? mean_ms(spec, fastest) : INFINITY;
    if (isinf(own)) return INFINITY;
    p = &spec->players[0];
    double faster = 0;
    for (uint32_t i = 0; i < p->latency_count; i++) {
        struct str region = p->latencies[i].region;
        faster += ruleset_plays_in(r, region) && mean_ms(spec, region) < own;
    }
    return faster;
}

static double rank_by(const struct ruleset_sort *sort, const struct ruleset *r,
                      const struct ticket_spec *anchor, const struct ticket_spec *spec) {
    if (sort->kind == SORT_REGION) return region_rank(r, anchor, spec);
    if (sort->attribute->value.kind == ATTRIBUTE_TEXT) return text_distance(sort, anchor, spec);
    struct str key = STR_EMPTY;
    double value, from = 0;
    if (sort->attribute->value.kind == ATTRIBUTE_MAP) key = anchor_key(anchor, sort);
    if (!sort_number(spec, sort, key, &value)) return INFINITY; /* those without come last */
    if (sort->kind == SORT_DISTANCE) {
        if (!sort_number(anchor, sort, key, &from)) return INFINITY;
        value = fabs(value - from);
        if (isinf(value)) value = 1.7e308; /* an overflow is far, but not absent */
    }
    return sort->descending ? -value : value;
}

uint32_t ruleset_rank_size(const struct ruleset *r) {
    return r->rank_size;
}

void ruleset_rank(const struct ruleset *r, int64_t age_ms, const struct ticket_spec *anchor,
                  const struct ticket_spec *spec, double *out) {
    const struct ruleset_order *order = ruleset_step_at(r, age_ms)->order;
    for (uint32_t i = 0; i < r->rank_size; i++)
        out[i] = i < order->sort_count ? rank_by(&order->sorts[i], r, anchor, spec) : 0;
}

enum ruleset_backfill ruleset_backfill_priority(const struct ruleset *r, int64_t age_ms) {
    return ruleset_step_at(r, age_ms)->order->backfill;
}
