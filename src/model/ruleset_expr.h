/* ruleset_expr.h - property expressions: `avg(flatten(teams[*].players.attributes[skill]))`.
 *
 *   expr := number | 'text' | agg '(' expr ')' | path
 *   agg  := min|max|avg|median|sum|stddev|count|flatten|set_intersection
 *   path := ( 'teams' '[' ('*' | name (',' name)*) ']' '.' )? 'players' tail?
 *   tail := '[' 'playerId' ']' | '.' 'attributes' '[' name ']' ( '[' key ']' )?
 *
 * An expression has a static type: a base and a depth of lists. Aggregates work on the innermost
 * lists, flatten merges the two outermost ones. A value may be absent: an aggregate of nothing.
 * Memory: from the given arena. Thread safety: parsed expressions are immutable.
 */
#ifndef MUSTER_MODEL_RULESET_EXPR_H
#define MUSTER_MODEL_RULESET_EXPR_H

#include "model/ruleset_def.h"

enum expr_kind { EXPR_NUMBER, EXPR_TEXT, EXPR_LIST, EXPR_PATH, EXPR_AGGREGATE };
enum expr_base { EXPR_OF_NUMBERS, EXPR_OF_TEXTS };

enum expr_aggregate {
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_AVG,
    AGGREGATE_MEDIAN,
    AGGREGATE_SUM,
    AGGREGATE_STDDEV,
    AGGREGATE_COUNT,
    AGGREGATE_FLATTEN,
    AGGREGATE_SET_INTERSECTION,
};

struct ruleset_expr {
    enum expr_kind kind;
    enum expr_base base;
    uint8_t depth;   /* 0: one value; 1: list; 2: list of lists; 3 */
    bool collection; /* the innermost lists are values of one player (string_list) or sets */
    struct str source;
    union {
        double number;
        struct str text;
        struct {
            const struct expr_value *items; /* texts */
            uint32_t count;
        } list;
        struct {
            const uint32_t *teams; /* generated teams, ascending */
            uint32_t team_count;
            bool by_team;                          /* one list per team */
            bool every_team;                       /* no player of the match is left out */
            const struct attribute_def *attribute; /* NULL: player ids */
            struct str map_key;
        } path;
        struct {
            enum expr_aggregate function;
            const struct ruleset_expr *of;
        } aggregate;
    };
};

/* Parses and types `text` against the ruleset's teams and attributes. `field` is the path that
 * messages name. NULL on error, `why` filled. */
const struct ruleset_expr *ruleset_expr_parse(const struct ruleset *r, struct str text,
                                              const char *field, struct err_text *why);

/* Whether the text starts like an expression (a function call or a path), so that a mistake in it
 * is an error and not a text. */
bool ruleset_expr_looks_like(struct str text);

/* A value; which member holds it follows from the expression's type. */
struct expr_value {
    double number;
    struct str text;
    const struct expr_value *items;
    uint32_t count;
};

struct expr_context {
    const struct ruleset *ruleset;
    const struct candidate *candidate;
    enum party_aggregation party; /* what one ticket's players become together */
    struct arena *scratch;
};

/* Evaluates over the candidate (ruleset_value.c); false when the value is absent. */
bool ruleset_value_of(const struct expr_context *c, const struct ruleset_expr *e,
                      struct expr_value *out);
/* All single values inside `v`, whatever the depth of `e`, as one array in scratch. */
const struct expr_value *ruleset_value_leaves(const struct expr_context *c,
                                              const struct ruleset_expr *e,
                                              const struct expr_value *v, uint32_t *count);
/* The collections inside `v`, as one list of lists in scratch: the innermost lists where they are
 * players' lists or sets; else every single value as a list of one. */
struct expr_value ruleset_value_lists(const struct expr_context *c, const struct ruleset_expr *e,
                                      const struct expr_value *v);
/* The list as a set: sorted, each value once. */
struct expr_value ruleset_value_set(const struct expr_context *c, const struct expr_value *list);
/* What two sets share, a set. */
struct expr_value ruleset_value_common(const struct expr_context *c, const struct expr_value *a,
                                       const struct expr_value *b);
/* Orders single values, for qsort: numbers by size, texts bytewise; a list has only one of both. */
int ruleset_value_compare(const void *a, const void *b);

#endif
