/* ruleset_value.c - evaluates property expressions over a candidate match. */
#include "model/ruleset_expr.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct expr_value *alloc_values(const struct expr_context *c, size_t count) {
    return arena_alloc(c->scratch, (count ? count : 1) * sizeof(struct expr_value));
}

/* ---- sets ---- */

int ruleset_value_compare(const void *a, const void *b) {
    const struct expr_value *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return str_compare(x->text, y->text);
}

struct expr_value ruleset_value_set(const struct expr_context *c, const struct expr_value *list) {
    struct expr_value *items = alloc_values(c, list->count);
    if (list->count) memcpy(items, list->items, list->count * sizeof *items);
    qsort(items, list->count, sizeof *items, ruleset_value_compare);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        bool repeats = kept > 0 && ruleset_value_compare(&items[kept - 1], &items[i]) == 0;
        if (!repeats) items[kept++] = items[i];
    }
    return (struct expr_value){.items = items, .count = kept};
}

struct expr_value ruleset_value_common(const struct expr_context *c, const struct expr_value *a,
                                       const struct expr_value *b) {
    struct expr_value *both = alloc_values(c, a->count);
    uint32_t i = 0, j = 0, count = 0;
    while (i < a->count && j < b->count) {
        int order = ruleset_value_compare(&a->items[i], &b->items[j]);
        if (order == 0) both[count++] = a->items[i];
        i += order <= 0;
        j += order >= 0;
    }
    return (struct expr_value){.items = both, .count = count};
}

/* ---- paths ---- */

/* The player's number: the attribute, or the map's value under the path's key. */
static bool player_number(const struct player *p, const struct ruleset_expr *e, double *out) {
    const struct attribute *v = ruleset_value(p, e->path.attribute);
    if (!v) return false;
    if (v->kind == ATTRIBUTE_NUMBER) {
        *out = v->number;
        return true;
    }
    for (uint32_t i = 0; i < v->item_count; i++) {
        if (!str_equal(v->items[i], e->path.map_key)) continue;
        *out = v->numbers[i];
        return true;
    }
    return false;
}

/* Each player who has a number appears with his party's aggregated number. */
static uint32_t ticket_numbers(const struct expr_context *c, const struct ruleset_expr *e,
                               const struct ticket_spec *spec, struct expr_value *out) {
    MEM_UNCLEARED double values[LIMIT_TICKET_PLAYERS];
    double least = INFINITY, most = -INFINITY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (!player_number(&spec->players[i], e, &values[count])) continue;
        if (values[count] < least) least = values[count];
        if (values[count] > most) most = values[count];
        count++;
    }
    if (count == 0) return 0;
    double party = c->party == PARTY_MIN   ? least
                   : c->party == PARTY_MAX ? most
                                           : ruleset_mean(values, count);
    for (uint32_t i = 0; i < count; i++)
        out[i].number = party;
    return count;
}

static bool player_texts(const struct expr_context *c, const struct ruleset_expr *e,
                         const struct player *p, struct expr_value *out) {
    if (!e->path.attribute) {
        out->text = p->id;
        return true;
    }
    const struct attribute *v = ruleset_value(p, e->path.attribute);
    if (!v) return false;
    if (v->kind == ATTRIBUTE_TEXT) {
        out->text = v->text;
        return true;
    }
    struct expr_value *items = alloc_values(c, v->item_count);
    for (uint32_t i = 0; i < v->item_count; i++)
        items[i].text = v->items[i];
    out->items = items;
    out->count = v->item_count;
    return true;
}

static struct expr_value both_lists(const struct expr_context *c, const struct expr_value *a,
                                    const struct expr_value *b) {
    if (c->party == PARTY_INTERSECTION) {
        struct expr_value x = ruleset_value_set(c, a), y = ruleset_value_set(c, b);
        return ruleset_value_common(c, &x, &y);
    }
    struct expr_value *items = alloc_values(c, (size_t)a->count + b->count);
    if (a->count) memcpy(items, a->items, a->count * sizeof *items);
    if (b->count) memcpy(items + a->count, b->items, b->count * sizeof *items);
    struct expr_value all = {.items = items, .count = a->count + b->count};
    return ruleset_value_set(c, &all);
}

/* One list for the ticket or one for each player, as the rule wants. */
static uint32_t ticket_lists(const struct expr_context *c, const struct ruleset_expr *e,
                             const struct ticket_spec *spec, struct expr_value *out) {
    bool as_one = c->party == PARTY_UNION || c->party == PARTY_INTERSECTION;
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        struct expr_value *own = &out[count];
        if (!player_texts(c, e, &spec->players[i], own)) continue;
        if (as_one && count == 1)
            out[0] = both_lists(c, &out[0], own);
        else
            count++;
    }
    return count;
}

static uint32_t ticket_values(const struct expr_context *c, const struct ruleset_expr *e,
                              const struct ticket_spec *spec, struct expr_value *out) {
    if (e->base == EXPR_OF_NUMBERS) return ticket_numbers(c, e, spec, out);
    if (e->path.attribute && e->path.attribute->value.kind == ATTRIBUTE_LIST) {
        return ticket_lists(c, e, spec, out);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (player_texts(c, e, &spec->players[i], &out[count])) count++;
    }
    return count;
}

/* The values of the players in one team, or in all of them when `team` is RULESET_NONE. */
static struct expr_value team_values(const struct expr_context *c, const struct ruleset_expr *e,
                                     uint32_t team) {
    const struct candidate *m = c->candidate;
    size_t players = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        bool counts = team == RULESET_NONE || m->team_of[i] == team;
        if (counts) players += m->specs[i].player_count;
    }
    struct expr_value *items = alloc_values(c, players);
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        if (team != RULESET_NONE && m->team_of[i] != team) continue;
        count += ticket_values(c, e, &m->specs[i], items + count);
    }
    return (struct expr_value){.items = items, .count = count};
}

static struct expr_value path_value(const struct expr_context *c, const struct ruleset_expr *e) {
    if (!e->path.by_team) {
        return team_values(c, e, e->path.team_count == 1 ? e->path.teams[0] : RULESET_NONE);
    }
    struct expr_value *teams = alloc_values(c, e->path.team_count);
    for (uint32_t t = 0; t < e->path.team_count; t++) {
        teams[t] = team_values(c, e, e->path.teams[t]);
    }
    return (struct expr_value){.items = teams, .count = e->path.team_count};
}

/* ---- aggregates over one list ---- */

static double *numbers_of(const struct expr_context *c, const struct expr_value *list) {
    double *numbers = arena_alloc(c->scratch, (list->count + 1) * sizeof *numbers);
    for (uint32_t i = 0; i < list->count; i++)
        numbers[i] = list->items[i].number;
    return numbers;
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *numbers, uint32_t count) {
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    double high = numbers[count / 2];
    return count % 2 ? high : ruleset_mean((double[]){numbers[count / 2 - 1], high}, 2);
}

/* Population standard deviation: the match is all there is, not a sample. */
static double stddev_of(const double *numbers, uint32_t count) {
    double mean = ruleset_mean(numbers, count), sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (numbers[i] - mean) * (numbers[i] - mean);
    return sqrt(sum / count);
}

static double number_of(enum expr_aggregate function, double *numbers, uint32_t count) {
    double result = numbers[0];
    switch (function) {
    case AGGREGATE_MIN:
        for (uint32_t i = 1; i < count; i++)
            result = fmin(result, numbers[i]);
        return result;
    case AGGREGATE_MAX:
        for (uint32_t i = 1; i < count; i++)
            result = fmax(result, numbers[i]);
        return result;
    case AGGREGATE_SUM:
        for (uint32_t i = 1; i < count; i++)
            result += numbers[i];
        return result;
    case AGGREGATE_AVG:
        return ruleset_mean(numbers, count);
    case AGGREGATE_MEDIAN:
        return median_of(numbers, count);
    case AGGREGATE_STDDEV:
        return stddev_of(numbers, count);
    default:
        assert(!"an aggregate of numbers");
        return 0;
    }
}

/* Of nothing: a sum or a count is 0, every other aggregate is absent. */
static bool reduce_list(const struct expr_context *c, enum expr_aggregate function,
                        const struct expr_value *list, struct expr_value *out) {
    *out = (struct expr_value){0};
    if (function == AGGREGATE_COUNT) {
        out->number = list->count;
        return true;
    }
    if (list->count == 0) return function == AGGREGATE_SUM;
    out->number = number_of(function, numbers_of(c, list), list->count);
    return true;
}

static struct expr_value flatten(const struct expr_context *c, const struct expr_value *lists) {
    size_t total = 0;
    for (uint32_t i = 0; i < lists->count; i++)
        total += lists->items[i].count;
    struct expr_value *items = alloc_values(c, total);
    size_t n = 0;
    for (uint32_t i = 0; i < lists->count; i++) {
        const struct expr_value *l = &lists->items[i];
        if (l->count) memcpy(items + n, l->items, l->count * sizeof *items);
        n += l->count;
    }
    return (struct expr_value){.items = items, .count = (uint32_t)total};
}

static struct expr_value set_intersection(const struct expr_context *c,
                                          const struct expr_value *lists) {
    if (lists->count == 0) return (struct expr_value){.items = alloc_values(c, 0)};
    struct expr_value common = ruleset_value_set(c, &lists->items[0]);
    for (uint32_t l = 1; l < lists->count; l++) {
        struct expr_value other = ruleset_value_set(c, &lists->items[l]);
        common = ruleset_value_common(c, &common, &other);
    }
    return common;
}

/* Applies the aggregate to each sublist, `depth` being that of `v`; absent results are left out. */
static bool aggregate(const struct expr_context *c, enum expr_aggregate function, unsigned depth,
                      const struct expr_value *v, struct expr_value *out) {
    unsigned own = function == AGGREGATE_SET_INTERSECTION ? 2 : 1;
    if (depth == own) {
        if (own == 1) return reduce_list(c, function, v, out);
        *out = set_intersection(c, v);
        return true;
    }
    struct expr_value *items = alloc_values(c, v->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        if (aggregate(c, function, depth - 1, &v->items[i], &items[count])) count++;
    }
    *out = (struct expr_value){.items = items, .count = count};
    return true;
}

bool ruleset_value_of(const struct expr_context *c, const struct ruleset_expr *e,
                      struct expr_value *out) {
    struct expr_value inner;
    switch (e->kind) {
    case EXPR_NUMBER:
        *out = (struct expr_value){.number = e->number};
        return true;
    case EXPR_TEXT:
        *out = (struct expr_value){.text = e->text};
        return true;
    case EXPR_LIST:
        *out = (struct expr_value){.items = e->list.items, .count = e->list.count};
        return true;
    case EXPR_PATH:
        *out = path_value(c, e);
        return true;
    case EXPR_AGGREGATE:
        if (!ruleset_value_of(c, e->aggregate.of, &inner)) return false;
        if (e->aggregate.function == AGGREGATE_FLATTEN) {
            *out = flatten(c, &inner);
            return true;
        }
        return aggregate(c, e->aggregate.function, e->aggregate.of->depth, &inner, out);
    }
    return false;
}

const struct expr_value *ruleset_value_leaves(const struct expr_context *c,
                                              const struct ruleset_expr *e,
                                              const struct expr_value *v, uint32_t *count) {
    *count = 1;
    if (e->depth == 0) return v;
    struct expr_value flat = *v;
    for (unsigned d = e->depth; d > 1; d--)
        flat = flatten(c, &flat);
    *count = flat.count;
    return flat.items;
}

struct expr_value ruleset_value_lists(const struct expr_context *c, const struct ruleset_expr *e,
                                      const struct expr_value *v) {
    struct expr_value lists = *v;
    if (!e->collection) {
        const struct expr_value *leaves = ruleset_value_leaves(c, e, v, &lists.count);
        struct expr_value *items = alloc_values(c, lists.count);
        for (uint32_t i = 0; i < lists.count; i++)
            items[i] = (struct expr_value){.items = &leaves[i], .count = 1};
        lists.items = items;
        return lists;
    }
    if (e->depth == 1) {
        struct expr_value *one = alloc_values(c, 1);
        *one = *v;
        return (struct expr_value){.items = one, .count = 1};
    }
    for (unsigned d = e->depth; d > 2; d--)
        lists = flatten(c, &lists);
    return lists;
}
